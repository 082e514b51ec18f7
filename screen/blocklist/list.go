package blocklist

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// lastNumber is the highest number of a revision: the last whole number that every
// reader of JSON can hold.
const lastNumber = 1<<53 - 1

// A Digest is SHA-256.
type Digest [sha256.Size]byte

// String is the digest in lower-case digits, after "sha256:".
func (d Digest) String() string { return "sha256:" + hex.EncodeToString(d[:]) }

// ParseDigest reads what String writes, and nothing else.
func ParseDigest(text string) (Digest, error) {
	var d Digest
	bare, ok := strings.CutPrefix(text, "sha256:")
	n, err := hex.Decode(d[:], []byte(bare[:min(len(bare), 2*len(d))]))
	if !ok || err != nil || n != len(d) || d.String() != text {
		return Digest{}, refuse(0, "digest %.100q is not sha256: and 64 digits", text)
	}
	return d, nil
}

// A Revision is one state of a list.
type Revision struct {
	Number uint64 // rising
	Moment int64  // when it was made, Unix seconds
	Basis  Digest // of everything that the verdicts rest on
	// Entries is how many there are, Content the digest of their canonical lines.
	Entries int
	Content Digest
}

// Comment names the revision in one line: what a signature should say of the file that
// it is over. Whoever checks it can refuse an old list without reading it.
func (r Revision) Comment() string {
	return fmt.Sprintf("coldtrail-blocklist\trevision:%d\tmoment:%s\tcontent:%s", r.Number, formatMoment(r.Moment), r.Content)
}

func (r *Revision) check() string {
	switch {
	case r.Number == 0 || r.Number > lastNumber:
		return fmt.Sprintf("revision %d is not from 1 to %d", r.Number, uint64(lastNumber))
	case r.Moment <= 0 || r.Moment > lastMoment:
		return fmt.Sprintf("moment %d is not after 1970 or after 9999", r.Moment)
	}
	return ""
}

// A List is one revision with its entries, sorted, none twice. It never changes.
type List struct {
	revision Revision
	entries  []Entry
}

// New makes a revision of a list: its number, from 1 on, its moment in Unix seconds, the
// digest of its basis, and its entries in any order. An entry that is given twice counts
// once. The first entry that cannot be listed is an Error.
func New(number uint64, moment int64, basis Digest, entries []Entry) (*List, error) {
	for i := range entries {
		if reason := entries[i].check(); reason != "" {
			return nil, refuse(0, "entry %d: %s", i, reason)
		}
	}
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, Entry.Compare)
	sorted = slices.Clip(slices.Compact(sorted))
	l := &List{Revision{Number: number, Moment: moment, Basis: basis, Entries: len(sorted), Content: digest(sorted)}, sorted}
	if reason := l.revision.check(); reason != "" {
		return nil, refuse(0, "%s", reason)
	}
	return l, nil
}

// digest is SHA-256 of the canonical lines of sorted entries.
func digest(entries []Entry) Digest {
	hash := sha256.New()
	var line []byte
	for i := range entries {
		line = append(appendEntry(line[:0], &entries[i], nil), '\n')
		hash.Write(line)
	}
	return Digest(hash.Sum(nil))
}

// Revision is which state of the list it is.
func (l *List) Revision() Revision { return l.revision }

// Len is how many entries there are.
func (l *List) Len() int { return len(l.entries) }

// Entries goes through all entries in order.
func (l *List) Entries() iter.Seq[Entry] { return slices.Values(l.entries) }

// Of returns the entries of one address, none where it is not refused.
func (l *List) Of(chain, address string) []Entry {
	from, _ := slices.BinarySearchFunc(l.entries, Entry{Chain: chain, Address: address}, Entry.Compare)
	to := from
	for to < len(l.entries) && l.entries[to].Chain == chain && l.entries[to].Address == address {
		to++
	}
	return slices.Clone(l.entries[from:to])
}

// ETag is the digest of the content as HTTP's weak validator: two revisions with equal
// entries differ in the line that names them and in nothing that matters.
func (l *List) ETag() string { return `W/"` + l.revision.Content.String() + `"` }
