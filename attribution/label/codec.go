package label

import (
	"encoding/binary"
	"errors"
	"slices"
)

// errRecord says that bytes are no claim.
var errRecord = errors.New("a claim's record is damaged")

// recordVersion is the first byte of a claim's record.
const recordVersion = 1

// Append writes a claim behind dst: a version, two flags and the score, the numbers as
// variable-length integers, then each text behind its length.
func (c *Claim) Append(dst []byte) []byte {
	var flags byte
	if c.Cluster {
		flags |= 1
	}
	if c.Unchecked {
		flags |= 2
	}
	dst = append(dst, recordVersion, flags, c.Score)
	for _, n := range []int64{c.From, c.Until, c.Stated, c.Learned, int64(c.Line), int64(len(c.Aliases)), int64(len(c.Jurisdictions))} {
		dst = binary.AppendVarint(dst, n)
	}
	for _, text := range c.texts() {
		dst = append(binary.AppendUvarint(dst, uint64(len(*text))), *text...)
	}
	for _, text := range slices.Concat(c.Aliases, c.Jurisdictions) {
		dst = append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	return dst
}

// texts are the claim's texts in the order of its record.
func (c *Claim) texts() []*string {
	return []*string{
		(*string)(&c.Subject.Network), &c.Subject.Address, &c.Label, &c.Actor, &c.Concept, &c.Abuse, &c.Confidence, &c.By, &c.Source, &c.Why,
		&c.Parent, &c.Withdraws, &c.File,
	}
}

// Decode reads what Append wrote.
func Decode(record []byte) (c Claim, err error) {
	if len(record) < 3 || record[0] != recordVersion {
		return c, errRecord
	}
	c.Cluster, c.Unchecked, c.Score = record[1]&1 != 0, record[1]&2 != 0, record[2]
	rest := record[3:]
	var line, aliases, homes int64
	for _, n := range []*int64{&c.From, &c.Until, &c.Stated, &c.Learned, &line, &aliases, &homes} {
		value, size := binary.Varint(rest)
		if size <= 0 {
			return c, errRecord
		}
		*n, rest = value, rest[size:]
	}
	if aliases < 0 || aliases > maxAliases || homes < 0 || homes > maxHomes {
		return c, errRecord
	}
	c.Line = int(line)
	if aliases > 0 {
		c.Aliases = make([]string, aliases)
	}
	if homes > 0 {
		c.Jurisdictions = make([]string, homes)
	}
	texts := c.texts()
	for i := range c.Aliases {
		texts = append(texts, &c.Aliases[i])
	}
	for i := range c.Jurisdictions {
		texts = append(texts, &c.Jurisdictions[i])
	}
	for _, text := range texts {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return c, errRecord
		}
		*text, rest = string(rest[size:size+int(n)]), rest[size+int(n):]
	}
	if len(rest) > 0 {
		return c, errRecord
	}
	return c, nil
}
