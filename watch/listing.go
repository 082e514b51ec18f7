package watch

import (
	"unique"

	"coldtrail/screen/blocklist"
	"coldtrail/screen/exposure"
	"coldtrail/screen/policy"
)

// A Listing is a list that is published: what it says of each subject of which something
// is known.
type Listing struct {
	Name string
	// Of gives the entries of a subject, none where it is not on the list. The verdict is
	// for a deposit from it.
	Of func(about *policy.Example, v *exposure.Verdict) []blocklist.Entry
	// Why is the code of the reason why entries go, where the policy has not changed.
	Why string
}

// Listings are the lists that are published where nobody says otherwise.
var Listings = []*Listing{
	{"refused", refused, blocklist.Withdrawn},
	{"sanctions", sanctioned, "delisted"},
}

// refused lists whose deposits the policy refuses or freezes: an entry for each rule that
// says so. That nobody can tell is no reason to name anybody.
func refused(about *policy.Example, v *exposure.Verdict) (entries []blocklist.Entry) {
	for _, r := range v.Reasons {
		if r.Outcome != exposure.Refuse && r.Outcome != exposure.Freeze || !tells(r.Code) {
			continue
		}
		e := blocklist.Entry{Chain: about.Subject.Chain, Address: about.Subject.Address, Reason: r.Code}
		if r.Fact >= 0 && r.Fact < len(v.Facts) {
			e = entryOf(about, &v.Facts[r.Fact], r.Code)
		}
		entries = append(entries, e)
	}
	return entries
}

// sanctioned lists what an authority lists at the moment, whatever the policy makes of it.
// That a rule gives the address to a listed owner is no listing.
func sanctioned(about *policy.Example, _ *exposure.Verdict) (entries []blocklist.Entry) {
	for i := range about.Facts {
		f := &about.Facts[i]
		if f.Sanction && f.Kind == exposure.Labelled && f.From <= about.Now && (f.To == 0 || f.To > about.Now) {
			entries = append(entries, entryOf(about, f, "listed"))
		}
	}
	return entries
}

func entryOf(about *policy.Example, f *exposure.Fact, reason string) blocklist.Entry {
	e := blocklist.Entry{Chain: about.Subject.Chain, Address: about.Subject.Address, Category: f.Category, Entity: blocklist.Printable(f.Entity), Reason: reason}
	if f.Chain != "" {
		e.Chain = f.Chain
	}
	if f.From > 0 {
		e.Since = f.From
	}
	return e
}

// share makes the texts that many entries have one, and lets go of what they were cut from.
func share(e *blocklist.Entry) {
	for _, text := range []*string{&e.Chain, &e.Category, &e.Entity, &e.Reason} {
		*text = unique.Make(*text).Value()
	}
}
