package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
	"coldtrail/report"
	"coldtrail/report/document"
)

// MISP is the case as an event of MISP, with one coin-address object for each address at
// which value of the case is or ended.
var MISP = one("misp", "event of MISP (JSON)", "misp.json", writeMISP)

// ending is an address at which value of the case ended.
type ending struct {
	chain, address, entity, first, last string
	kinds, amounts                      []string
	alarm                               bool
}

func writeMISP(w io.Writer, r *report.Report, o *Options) error {
	name := cmp.Or(o.TLP, "amber")
	if tlp[name] == "" {
		return fmt.Errorf("tlp %q: use clear, green, amber or red", o.TLP)
	}
	date := ""
	objects := []map[string]any{}
	for _, e := range endings(r) {
		date = max(date, e.last)
		uuid := feed.UUID5("misp " + r.Result.Digest + " " + e.chain + " " + e.address)
		attribute := func(relation, kind, value string) map[string]any {
			return map[string]any{"object_relation": relation, "type": kind, "value": value, "to_ids": false, "uuid": feed.UUID5(uuid + " " + relation)}
		}
		text := fmt.Sprintf("%v: %v", e.kinds, e.amounts)
		if e.entity != "" {
			text += "; named " + e.entity
		}
		objects = append(objects, feed.CoinAddress(uuid, label.Network(e.chain), e.address, e.alarm,
			attribute("first-seen", "datetime", e.first), attribute("last-seen", "datetime", e.last), attribute("text", "text", document.Plain(text))))
	}
	if len(date) > len("2025-02-21") {
		date = date[:len("2025-02-21")]
	}
	event := map[string]any{
		"uuid": feed.UUID5("misp event " + r.Result.Digest), "info": r.Title(), "date": date, "analysis": "2", "threat_level_id": "1", "distribution": "0",
		"Tag": []map[string]any{{"name": "tlp:" + name}}, "Object": objects,
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(map[string]any{"Event": event})
}

// endings lists the addresses that hold value of the case, or took it in. Detection
// systems shall look for those that nobody is named for.
func endings(r *report.Report) []*ending {
	byPlace := map[[2]string]*ending{}
	for i := range r.Result.Dispositions {
		d := &r.Result.Dispositions[i]
		if d.Address == "" || d.Kind == "fee" || d.Kind == "burned" || d.Kind == "rounding" {
			continue
		}
		key := [2]string{d.Chain, d.Address}
		e := byPlace[key]
		if e == nil {
			e = &ending{chain: d.Chain, address: d.Address, first: d.First, last: d.Last}
			byPlace[key] = e
		}
		e.first, e.last = min(e.first, d.First), max(e.last, d.Last)
		e.entity = cmp.Or(e.entity, d.Entity)
		if !slices.Contains(e.kinds, d.Kind) {
			e.kinds = append(e.kinds, d.Kind)
		}
		e.amounts = append(e.amounts, r.Amount(d.Amount, d.Asset))
		e.alarm = e.alarm || d.Kind == "held" && d.Entity == ""
	}
	list := make([]*ending, 0, len(byPlace))
	for _, e := range byPlace {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *ending) int {
		return cmp.Or(cmp.Compare(a.chain, b.chain), cmp.Compare(a.address, b.address))
	})
	return list
}
