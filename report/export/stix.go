package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/report"
	"coldtrail/report/document"
	"coldtrail/trace"
)

// STIX is the case as a STIX 2.1 bundle: addresses are wallets, services identities, the
// theft a campaign, who is held responsible an intrusion set, movements relationships.
// Source: OASIS STIX 2.1; dogesec/stix2extensions.
var STIX = one("stix", "bundle of STIX 2.1 (JSON)", "stix.json", writeSTIX)

// tlp are the markings that STIX 2.1 defines for the Traffic Light Protocol, section 7.2.1.4.
var tlp = map[string]string{
	"clear": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
	"amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}

// tlpNames are what STIX 2.1 calls them: "white" became "clear" later.
var tlpNames = map[string]string{"clear": "white", "green": "green", "amber": "amber", "red": "red"}

// bundle collects objects, each once.
type bundle struct {
	objects []map[string]any
	seen    map[string]bool
	marking string
	creator string
	at      string // when what the bundle says was current
}

// add adds an object under an identifier of its type and a name.
func (b *bundle) add(kind, name string, object map[string]any) (id string) {
	id = kind + "--" + feed.UUID5(name)
	if b.seen[id] {
		return id
	}
	object["type"], object["id"], object["created"], object["modified"] = kind, id, b.at, b.at
	if kind != "identity" || name != b.creator {
		object["created_by_ref"] = "identity--" + feed.UUID5(b.creator)
	}
	b.put(id, object)
	return id
}

func (b *bundle) put(id string, object map[string]any) {
	if !b.seen[id] {
		b.seen[id] = true
		object["spec_version"] = "2.1"
		object["object_marking_refs"] = []string{b.marking}
		b.objects = append(b.objects, object)
	}
}

// wallet adds an address.
func (b *bundle) wallet(chain, address string) string {
	id, object := feed.Wallet(label.Network(chain), address)
	b.put(id, object)
	return id
}

func writeSTIX(w io.Writer, r *report.Report, o *Options) error {
	marking, ok := tlp[cmp.Or(o.TLP, "amber")]
	if !ok {
		return fmt.Errorf("tlp %q: use clear, green, amber or red", o.TLP)
	}
	analyst := document.Plain(r.Analyst())
	b := &bundle{seen: map[string]bool{}, marking: marking, creator: "identity " + analyst, at: moment("")}
	for i := range r.Flows {
		b.at = max(b.at, moment(r.Flows[i].Time))
	}
	for i := range r.Result.Dispositions {
		b.at = max(b.at, moment(r.Result.Dispositions[i].Last))
	}
	b.add("identity", b.creator, map[string]any{"name": analyst, "identity_class": "unknown"})
	for _, c := range r.Cases {
		b.campaign(c)
	}
	for i := range r.Result.Dispositions {
		b.owner(&r.Result.Dispositions[i])
	}
	for i := range r.Result.Labels {
		b.note(&r.Result.Labels[i])
	}
	b.movements(r)
	refs := make([]string, len(b.objects))
	for i, object := range b.objects {
		refs[i] = fmt.Sprint(object["id"])
	}
	b.add("report", "report "+r.Result.Digest, map[string]any{
		"name": r.Title(), "published": b.at, "report_types": []string{"campaign"}, "object_refs": refs,
		"description": fmt.Sprintf("Method %s; answer %s; weakest source %s.", r.Result.Method, r.Result.Digest, r.Result.Basis.Weakest),
	})
	name := cmp.Or(o.TLP, "amber")
	objects := append([]map[string]any{{
		"type": "marking-definition", "spec_version": "2.1", "id": marking, "created": "2017-01-20T00:00:00.000Z",
		"definition_type": "tlp", "name": "TLP:" + strings.ToUpper(tlpNames[name]), "definition": map[string]any{"tlp": tlpNames[name]},
	}}, b.objects...)
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(struct { // in this order, as readers look at the beginning
		Type    string           `json:"type"`
		ID      string           `json:"id"`
		Objects []map[string]any `json:"objects"`
	}{"bundle", "bundle--" + feed.UUID5("bundle "+r.Result.Digest+" "+name+" "+analyst), objects})
}

// confidences are the words of case files on STIX's scale (appendix A, None/Low/Med/High).
var confidences = map[string]int{"low": 15, "medium": 50, "high": 85}

// campaign adds the theft, and who is held responsible, as somebody's judgement.
func (b *bundle) campaign(c *trace.Case) {
	campaign := b.add("campaign", "case "+c.Name, map[string]any{"name": document.Plain(cmp.Or(c.Title, c.Name)), "labels": []string{"theft"}})
	a := c.AttributedTo
	if a.Actor == "" {
		return
	}
	actor := map[string]any{"name": document.Plain(a.Actor)}
	if len(c.Aliases) > 0 {
		aliases := make([]string, len(c.Aliases))
		for i, alias := range c.Aliases {
			aliases[i] = document.Plain(alias)
		}
		actor["aliases"] = aliases
	}
	set := b.add("intrusion-set", "actor "+a.Actor, actor)
	link := map[string]any{
		"relationship_type": "attributed-to", "source_ref": campaign, "target_ref": set,
		"description": document.Plain(fmt.Sprintf("judgement of %s %s %s", a.By, a.Source, a.Date)),
	}
	if n, ok := confidences[a.Confidence]; ok {
		link["confidence"] = n
	}
	b.add("relationship", "attributed "+c.Name+" "+a.Actor, link)
}

// owner adds where value ended, and whose it is where somebody is named.
func (b *bundle) owner(d *trace.Disposition) {
	if d.Address == "" {
		return // a fee, which no address holds
	}
	wallet := b.wallet(d.Chain, d.Address)
	if d.Entity == "" {
		return
	}
	name := document.Plain(d.Entity)
	entity := b.add("identity", "entity "+name, map[string]any{"name": name, "identity_class": "organization"})
	b.add("relationship", "holds "+wallet+" "+entity, map[string]any{
		"relationship_type": "attributed-to", "source_ref": wallet, "target_ref": entity, "description": "value of the case ended here: " + d.Kind,
	})
}

// note adds the claim by which somebody is named.
func (b *bundle) note(s *trace.Source) {
	wallet := b.wallet(s.Chain, s.Address)
	b.add("note", "claim "+s.Claim+" "+s.Address, map[string]any{
		"abstract": document.Plain(s.Label), "content": document.Plain(fmt.Sprintf("%q by %s %s; claim %s %s", s.Label, s.By, s.Source, s.Claim, s.Rule)), "confidence": s.Confidence, "object_refs": []string{wallet},
	})
}

// sent is what went from an address to another.
type sent struct {
	from, to, first, last string
	certainty             uint32
	txs                   []string
}

// pairs lists who sent to whom, by time. A movement with several on both sides ties every
// sender to every receiver, as that is all that is known.
func (b *bundle) pairs(r *report.Report) (list []*sent) {
	byPair := map[[2]string]*sent{}
	for i := range r.Flows {
		f := &r.Flows[i]
		for j := range f.From {
			for k := range f.To {
				b.pair(byPair, f, &f.From[j], &f.To[k])
			}
		}
	}
	for _, s := range byPair {
		slices.Sort(s.txs)
		s.txs = slices.Compact(s.txs)
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, c *sent) int {
		return cmp.Or(cmp.Compare(a.first, c.first), cmp.Compare(a.from, c.from), cmp.Compare(a.to, c.to))
	})
	return list
}

// pair notes that one end of a movement may have gone to another.
func (b *bundle) pair(byPair map[[2]string]*sent, f *trace.Flow, from, to *trace.FlowEnd) {
	if from.Address == "" || to.Address == "" || from.Address == to.Address || from.Colour != to.Colour {
		return
	}
	key := [2]string{b.wallet(chainOf(from.Asset), from.Address), b.wallet(chainOf(to.Asset), to.Address)}
	s := byPair[key]
	if s == nil {
		s = &sent{from: key[0], to: key[1], first: f.Time, last: f.Time, certainty: to.Certainty}
		byPair[key] = s
	}
	s.first, s.last, s.certainty = min(s.first, f.Time), max(s.last, f.Time), min(s.certainty, to.Certainty)
	s.txs = append(s.txs, f.Tx)
}

// movements adds who sent to whom.
func (b *bundle) movements(r *report.Report) {
	for _, s := range b.pairs(r) {
		refs := make([]map[string]any, len(s.txs))
		for i, tx := range s.txs {
			refs[i] = map[string]any{"source_name": "transaction", "external_id": tx}
		}
		link := map[string]any{
			"relationship_type": "sends-to", "source_ref": s.from, "target_ref": s.to, "start_time": moment(s.first), "confidence": s.certainty / 100,
			"description": mark(s.certainty), "external_references": refs,
		}
		if s.last != s.first {
			link["stop_time"] = moment(s.last)
		}
		b.add("relationship", "sends "+s.from+" "+s.to, link)
	}
}

// moment is a time as STIX writes it.
func moment(rfc3339 string) string {
	if n := len(rfc3339); n > 0 && rfc3339[n-1] == 'Z' && n == len("2025-02-21T14:16:11Z") {
		return rfc3339[:n-1] + ".000Z"
	}
	return cmp.Or(rfc3339, "1970-01-01T00:00:00.000Z")
}
