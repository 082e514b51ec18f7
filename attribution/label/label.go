// Package label is what people say about addresses and actors: who says it, since when,
// for what reason and how sure; when it holds, and when we learnt it.
//
// A claim is never changed and never resolved against another. Claims that conflict
// stand beside one another; whoever decides by one names it. What was known at a
// moment can be asked for ever after: a claim counts from when it was learnt.
package label

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Subject is what a claim is about: an address of a network in its canonical text, or
// an actor by its identifier.
type Subject struct {
	Network Network `json:"network"`
	Address string  `json:"address"`
}

// Compare orders subjects by network, then text.
func (s Subject) Compare(other Subject) int {
	return cmp.Or(cmp.Compare(s.Network, other.Network), cmp.Compare(s.Address, other.Address))
}

// ID names a claim: the first half of the SHA-256 over everything that it says.
type ID [16]byte

// String is the identifier in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Claim is one thing that somebody says about a subject. Times are Unix seconds, 0 where
// nothing is said.
type Claim struct {
	Subject Subject `json:"subject"`
	Label   string  `json:"label"`              // as it is written
	Actor   string  `json:"actor,omitempty"`    // identifier of who controls it
	Concept string  `json:"category,omitempty"` // of the taxonomy
	Abuse   string  `json:"abuse,omitempty"`    // of the taxonomy
	// Confidence is how sure the source is, by the name of its reason; Score is that in
	// hundredths.
	Confidence string `json:"confidence,omitempty"`
	Score      uint8  `json:"score"`
	By         string `json:"by"`               // who says so
	Source     string `json:"source,omitempty"` // where
	Why        string `json:"why,omitempty"`    // more, in the source's own words
	From       int64  `json:"from,omitempty"`   // holds from
	Until      int64  `json:"until,omitempty"`  // and before
	Stated     int64  `json:"stated,omitempty"` // when the source was made
	// Aliases, Parent and Jurisdictions are of actors: other names, and whom it belongs
	// to.
	Aliases []string `json:"aliases,omitempty"`
	Parent  string   `json:"parent,omitempty"`
	// Jurisdictions are where an actor is at home, as its source has them: mostly codes
	// of ISO 3166.
	Jurisdictions []string `json:"jurisdictions,omitempty"`
	// Withdraws is the claim that this one ends, at From.
	Withdraws string `json:"withdraws,omitempty"`
	// Cluster says that it holds for whoever controls the address, with all that is his.
	Cluster bool `json:"cluster,omitempty"`
	// Unchecked says that the address has no checksum, or failed it only in its capitals.
	Unchecked bool `json:"unchecked,omitempty"`

	// Learned is when we learnt it; File and Line where it was read. They are no part of
	// what is said.
	Learned int64  `json:"learned"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// OnAddress says whether the claim is about an address, not about an actor, a theft or a
// transaction.
func (c *Claim) OnAddress() bool {
	n := c.Subject.Network
	return n != ActorNetwork && n != IncidentNetwork && !strings.HasPrefix(string(n), "tx:")
}

// ID is the claim's name. The same words of the same source have the same, whenever
// they are read.
func (c *Claim) ID() (id ID) {
	h := sha256.New()
	for _, text := range []string{
		string(c.Subject.Network), c.Subject.Address, c.Label, c.Actor, c.Concept, c.Abuse, c.Confidence, c.By, c.Source, c.Why, c.Parent, c.Withdraws,
	} {
		writeText(h, text)
	}
	for _, list := range [][]string{c.Aliases, c.Jurisdictions} {
		for _, text := range list {
			writeText(h, text)
		}
		writeText(h, "")
	}
	var numbers [27]byte
	binary.BigEndian.PutUint64(numbers[0:], uint64(c.From))
	binary.BigEndian.PutUint64(numbers[8:], uint64(c.Until))
	binary.BigEndian.PutUint64(numbers[16:], uint64(c.Stated))
	numbers[24] = c.Score
	if c.Unchecked {
		numbers[25] = 1
	}
	if c.Cluster {
		numbers[26] = 1
	}
	_, _ = h.Write(numbers[:])
	return ID(h.Sum(nil)[:16])
}

func writeText(h interface{ Write(p []byte) (int, error) }, text string) {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(text)))
	_, _ = h.Write(size[:])
	_, _ = h.Write([]byte(text))
}

// Bounds of what a claim may say, so that a hostile file costs bounded memory.
const (
	maxText    = 1 << 10
	maxWhy     = 4 << 10
	maxAliases = 64
	maxHomes   = 256 // there are 249 codes of countries
)

// Check says whether a claim is one: bounded, valid UTF-8, by somebody, in the
// taxonomy.
func (c *Claim) Check() error {
	for name, text := range map[string]string{"label": c.Label, "actor": c.Actor, "by": c.By, "source": c.Source, "parent": c.Parent} {
		if len(text) > maxText || !utf8.ValidString(text) {
			return fmt.Errorf("%s is longer than %d bytes, or no UTF-8", name, maxText)
		}
	}
	switch {
	case len(c.Why) > maxWhy || !utf8.ValidString(c.Why):
		return fmt.Errorf("the reason is longer than %d bytes, or no UTF-8", maxWhy)
	case len(c.Aliases) > maxAliases || len(c.Jurisdictions) > maxHomes:
		return fmt.Errorf("%d aliases and %d jurisdictions, more than %d or %d", len(c.Aliases), len(c.Jurisdictions), maxAliases, maxHomes)
	case c.By == "":
		return errors.New("nobody says so: a claim needs a creator")
	case c.Label == "" && c.Withdraws == "":
		return errors.New("a claim needs a label")
	case c.Score > 100:
		return fmt.Errorf("confidence %d is above 100", c.Score)
	case c.Until != 0 && c.Until <= c.From:
		return errors.New("it ends before it begins")
	case c.Concept != "" && !Known(c.Concept):
		return fmt.Errorf("category %q is not in the taxonomy", clip(c.Concept))
	case c.Abuse != "" && !Known(c.Abuse):
		return fmt.Errorf("abuse %q is not in the taxonomy", clip(c.Abuse))
	}
	for _, alias := range slices.Concat(c.Aliases, c.Jurisdictions) {
		if len(alias) > maxText || !utf8.ValidString(alias) {
			return fmt.Errorf("an alias or jurisdiction is longer than %d bytes, or no UTF-8", maxText)
		}
	}
	return nil
}

// When asks for what was known at one moment of what held at another; 0 is now, of
// which everything is known.
type When struct {
	Known int64 // learnt at this moment or before
	Valid int64 // holding at this moment
}

// knows says whether a claim had been learnt.
func (w When) knows(c *Claim) bool { return w.Known == 0 || c.Learned <= w.Known }

// counts says whether a claim that was known held; without a moment, whether it has not
// ended.
func (w When) counts(c *Claim) bool {
	if w.Valid == 0 {
		return c.Until == 0
	}
	return c.From <= w.Valid && (c.Until == 0 || c.Until > w.Valid)
}

// At lists the claims of one subject that count at a moment, surest first.
func At(claims []Claim, when When) (list []Claim) {
	for c, until := range known(claims, when) {
		ended := *c
		ended.Until = until
		if when.counts(&ended) {
			list = append(list, *c) // as it was made, so that it keeps its name
		}
	}
	slices.SortStableFunc(list, Compare)
	return list
}

// A Dated claim is one with its end, where another withdrew it. Its Name is that of the
// claim as it was made.
type Dated struct {
	Claim

	Name ID
}

// Ever lists every claim that was made about one subject as far as was known at a moment,
// surest first: also those that hold no more, with their ends. 0 is now.
func Ever(claims []Claim, at int64) (list []Dated) {
	for c, until := range known(claims, When{Known: at}) {
		d := Dated{*c, c.ID()}
		d.Until = until
		list = append(list, d)
	}
	slices.SortStableFunc(list, func(a, b Dated) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Learned, b.Learned), slices.Compare(a.Name[:], b.Name[:]))
	})
	return list
}

// known goes through the claims that had been learnt, each with its end: its own, or when
// another withdrew it, if that is earlier. 0 is never.
func known(claims []Claim, when When) iter.Seq2[*Claim, int64] {
	return func(yield func(*Claim, int64) bool) {
		ended := endings(claims, when)
		for i := range claims {
			c := &claims[i]
			if c.Withdraws != "" || !when.knows(c) {
				continue
			}
			until := c.Until
			if len(ended) > 0 {
				if at, ok := ended[c.ID().String()]; ok && (until == 0 || at < until) {
					until = at
				}
			}
			if !yield(c, until) {
				return
			}
		}
	}
}

// endings are the moments at which claims were withdrawn, the earliest each, as far as
// was known.
func endings(claims []Claim, when When) map[string]int64 {
	var ended map[string]int64
	for i := range claims {
		c := &claims[i]
		if c.Withdraws == "" || !when.knows(c) {
			continue
		}
		if ended == nil {
			ended = map[string]int64{}
		}
		if at, ok := ended[c.Withdraws]; !ok || c.From < at {
			ended[c.Withdraws] = c.From
		}
	}
	return ended
}

// Compare orders claims: surest first, then earliest learnt, then by what they say.
func Compare(a, b Claim) int {
	if order := cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Learned, b.Learned)); order != 0 {
		return order
	}
	x, y := a.ID(), b.ID()
	return slices.Compare(x[:], y[:])
}

// Fold makes spellings of a name alike: "Lazarus Group", "lazarus-group" and
// "lazarusgroup" are one.
func Fold(name string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(" -_.'’", c) {
			return -1
		}
		return c
	}, strings.ToLower(name))
}

// Conflict is two claims about one subject that cannot both be right.
type Conflict struct {
	A, B Claim
	Over string // actor, or category
}

// Conflicts lists the claims of one subject that contradict each other: different actors,
// or categories of which neither is a kind of the other. Nothing is resolved.
func Conflicts(claims []Claim) (list []Conflict) {
	for i := range claims {
		for j := i + 1; j < len(claims); j++ {
			a, b := &claims[i], &claims[j]
			switch {
			case a.Actor != "" && b.Actor != "" && Fold(a.Actor) != Fold(b.Actor):
				list = append(list, Conflict{*a, *b, "actor"})
			case a.Concept != "" && b.Concept != "" && !Is(a.Concept, b.Concept) && !Is(b.Concept, a.Concept):
				list = append(list, Conflict{*a, *b, "category"})
			}
		}
	}
	return list
}

// Revision sums up a set of claims: two sets with one revision say the same. The order
// in which claims came makes no difference.
type Revision struct {
	Count uint64
	Sum   [32]byte // of the claims' hashes, modulo 2^256
}

// Add takes a claim in.
func (r *Revision) Add(id ID, learned int64) {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(id[:], uint64(learned)))
	carry := 0
	for i := len(r.Sum) - 1; i >= 0; i-- {
		carry += int(r.Sum[i]) + int(h[i])
		r.Sum[i] = byte(carry)
		carry >>= 8
	}
	r.Count++
}

// String is "sha256:" and the digest; of no claims it is that of nothing.
func (r *Revision) String() string {
	text := []byte{}
	if r.Count > 0 {
		text = append(binary.BigEndian.AppendUint64(nil, r.Count), r.Sum[:]...)
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
