package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"coldtrail/attribution/label"
)

// STIX is a bundle of STIX 2.1 with cryptocurrency wallets as observables: older ones
// have "address", newer ones "value". Who says so is the identity that created the
// bundle's report or the wallet's note. Source: OASIS STIX 2.1; dogesec/stix2extensions.
var STIX = &Feed{
	Name: "stix", Title: "STIX 2.1 bundle with cryptocurrency wallets (JSON)",
	recognises: func(_ string, head []byte) bool {
		return bytes.Contains(head, []byte(`"bundle"`)) && bytes.Contains(head, []byte(`"objects"`))
	},
	read: readSTIX,
}

// stixObject is what matters of any object.
type stixObject struct {
	Type        string   `json:"type"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Abstract    string   `json:"abstract"` // of a note
	Value       string   `json:"value"`
	Address     string   `json:"address"`
	Symbol      string   `json:"symbol"`
	CreatedBy   string   `json:"created_by_ref"`
	Created     string   `json:"created"`
	From        string   `json:"valid_from"`
	Until       string   `json:"valid_until"`
	Description string   `json:"description"`
	Labels      []string `json:"labels"`
	Types       []string `json:"indicator_types"`
	Pattern     string   `json:"pattern"`
	ObjectRefs  []string `json:"object_refs"`
	Relation    string   `json:"relationship_type"`
	SourceRef   string   `json:"source_ref"`
	TargetRef   string   `json:"target_ref"`
}

func readSTIX(r *reading, from io.Reader) error {
	text, err := whole(from)
	if err != nil {
		return err
	}
	var bundle struct {
		Objects []stixObject `json:"objects"`
	}
	if err := json.Unmarshal(text, &bundle); err != nil {
		return err
	}
	byID, about := map[string]*stixObject{}, map[string]*stixObject{}
	for i := range bundle.Objects {
		o := &bundle.Objects[i]
		byID[o.ID] = o
		for _, ref := range o.ObjectRefs {
			about[ref] = o
		}
		if o.Type == "relationship" {
			about[o.TargetRef] = o
		}
	}
	for i := range bundle.Objects {
		o := &bundle.Objects[i]
		address := o.Value + o.Address
		switch {
		case strings.EqualFold(o.Type, "cryptocurrency-wallet"):
		case o.Type == "indicator" && strings.Contains(o.Pattern, "cryptocurrency-wallet:"):
			_, rest, _ := strings.Cut(o.Pattern, "'")
			address, _, _ = strings.Cut(rest, "'")
		default:
			continue
		}
		if err := r.observable(i+1, address, o, byID, about[o.ID]); err != nil {
			return err
		}
	}
	return nil
}

// observable reads a wallet with what the bundle says about it.
func (r *reading) observable(n int, address string, o *stixObject, byID map[string]*stixObject, by *stixObject) error {
	c := label.Claim{Label: o.Name, Confidence: "trusted_provider", Why: bound(o.Description), Source: o.ID}
	if by != nil {
		if from := byID[by.SourceRef]; by.Type == "relationship" && from != nil {
			c.Why = bound(joined(c.Why, by.Relation+" "+from.Name))
			if c.Label == "" {
				c.Label = from.Name
			}
		} else if c.Label == "" {
			c.Label = by.Name + by.Abstract
		}
		if who := byID[by.CreatedBy]; who != nil {
			c.By = who.Name
		}
	}
	if who := byID[o.CreatedBy]; who != nil {
		c.By = who.Name
	}
	for _, word := range append(o.Labels, o.Types...) {
		if found, ok := label.ConceptOf(word); ok && c.Abuse == "" {
			c.Abuse = found
		}
	}
	for _, at := range []struct {
		to   *int64
		text string
	}{{&c.From, o.From}, {&c.Until, o.Until}, {&c.Stated, o.Created}} {
		var err error
		if *at.to, err = moment(at.text); err != nil {
			return r.reject(n, fmt.Sprintf("%s: %v", o.ID, err))
		}
	}
	if c.Label == "" && r.options.Label == "" {
		c.Label = strings.Join(o.Labels, " ")
	}
	return r.add(n, o.Symbol, address, &c)
}
