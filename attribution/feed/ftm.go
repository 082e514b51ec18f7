package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"coldtrail/attribution/label"
)

// FollowTheMoney is the entities that OpenSanctions publishes, one a line: wallets, who
// holds them, and the sanctions that name either. It carries the lists of the United
// Nations, the European Union, the United Kingdom and many others. Source:
// followthemoney, schemata CryptoWallet and Sanction.
var FollowTheMoney = &Feed{
	Name: "ftm", Title: "FollowTheMoney entities (JSON lines), as OpenSanctions publishes them",
	recognises: func(_ string, head []byte) bool {
		return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte(`"schema"`)) && bytes.Contains(head, []byte(`"properties"`))
	},
	read: readFTM,
}

// entity is one entity.
type entity struct {
	ID         string              `json:"id"`
	Schema     string              `json:"schema"`
	Caption    string              `json:"caption"`
	Properties map[string][]string `json:"properties"`
	Datasets   []string            `json:"datasets"`
	FirstSeen  string              `json:"first_seen"`
}

func (e *entity) one(property string) string {
	if list := e.Properties[property]; len(list) > 0 {
		return list[0]
	}
	return ""
}

type placedEntity struct {
	entity
	line int
}

// maxEntities bounds what is remembered of a file: names of holders and sanctions.
const maxEntities = 4_000_000

// entities is a file of entities while it is read.
type entities struct {
	wallets   []placedEntity
	names     map[string]string
	sanctions map[string]entity // by the entity that they are on
}

func readFTM(r *reading, from io.Reader) error {
	all := entities{names: map[string]string{}, sanctions: map[string]entity{}}
	err := lines(from, func(line int, text string) error {
		if text == "" {
			return nil
		}
		var e entity
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return r.reject(line, "no entity: "+shorten(err.Error()))
		}
		return all.add(line, &e)
	})
	if err != nil {
		return err
	}
	for i := range all.wallets {
		if err := r.wallet(&all.wallets[i], all.names, all.sanctions); err != nil {
			return err
		}
	}
	return nil
}

func (x *entities) add(line int, e *entity) error {
	if len(x.names)+len(x.sanctions)+len(x.wallets) > maxEntities {
		return fmt.Errorf("more than %d entities", maxEntities)
	}
	switch e.Schema {
	case "CryptoWallet":
		x.wallets = append(x.wallets, placedEntity{*e, line})
	case "Sanction":
		kept := entity{Properties: map[string][]string{}}
		for _, property := range []string{"startDate", "endDate", "authority", "program", "listingDate"} {
			kept.Properties[property] = e.Properties[property]
		}
		for _, on := range e.Properties["entity"] {
			x.sanctions[on] = kept
		}
	default:
		name := e.Caption
		if name == "" {
			name = e.one("name")
		}
		if name != "" {
			x.names[e.ID] = shorten(name)
		}
	}
	return nil
}

func (r *reading) wallet(w *placedEntity, names map[string]string, sanctions map[string]entity) error {
	holder := w.one("holder")
	c := label.Claim{Label: names[holder], Actor: holder, By: strings.Join(w.Datasets, ", "), Confidence: "authority_data", Source: "https://www.opensanctions.org/entities/" + w.ID}
	if c.Label == "" {
		c.Label = w.Caption
	}
	if c.Label == "" {
		c.Label = w.ID
	}
	for _, topic := range w.Properties["topics"] {
		if topic == "sanction" {
			c.Abuse = "sanction"
		}
	}
	var err error
	for _, id := range []string{w.ID, holder} {
		s, ok := sanctions[id]
		if !ok || id == "" {
			continue
		}
		c.Abuse = "sanction"
		c.Why = bound(joined(s.one("authority"), s.one("program")))
		start := s.one("startDate")
		if start == "" {
			start = s.one("listingDate")
		}
		if c.From, err = moment(start); err == nil {
			c.Until, err = moment(s.one("endDate"))
		}
		if err != nil {
			return r.reject(w.line, "sanction: "+err.Error())
		}
		break
	}
	keys := w.Properties["publicKey"]
	if len(keys) == 0 {
		return r.reject(w.line, "a wallet without an address")
	}
	for _, key := range keys {
		one := c
		if err := r.add(w.line, w.one("currency")+w.one("currencySymbol"), key, &one); err != nil {
			return err
		}
	}
	return nil
}
