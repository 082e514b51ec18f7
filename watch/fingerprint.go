package watch

import (
	"encoding/binary"
	"hash/maphash"

	"coldtrail/screen/exposure"
)

// A fingerprint tells facts from others without deciding on them.
type fingerprint struct {
	seed maphash.Seed
	text []byte
}

// of is the fingerprint of facts. It covers every field.
func (p *fingerprint) of(facts []exposure.Fact) uint64 {
	out := binary.AppendUvarint(p.text[:0], uint64(len(facts)))
	for i := range facts {
		out = appendFact(out, &facts[i])
	}
	p.text = out
	return maphash.Bytes(p.seed, out)
}

func appendFact(out []byte, f *exposure.Fact) []byte {
	for _, text := range [...]string{
		string(f.Kind), string(f.Direction), f.Chain, f.Category, f.Entity, f.Authority, f.Incident, f.Colour, string(f.Asset), f.Claim, f.By, f.Source, f.Rule, f.About,
	} {
		out = appendText(out, text)
	}
	for _, n := range [...]uint64{uint64(f.Confidence), uint64(f.Certainty), uint64(f.Share), uint64(f.Hops), uint64(f.From), uint64(f.To), uint64(f.Learned)} {
		out = binary.AppendUvarint(out, n)
	}
	for _, a := range [...]*exposure.Decimal{&f.Amount, &f.Held, &f.Origin, &f.Total} {
		n := a.ByteLen()
		out = append(out, byte(n))
		whole := a.Bytes32()
		out = append(out, whole[len(whole)-n:]...)
	}
	if out = append(out, 0); f.Sanction {
		out[len(out)-1] = 1
	}
	out = binary.AppendUvarint(out, uint64(len(f.Evidence)))
	for _, text := range f.Evidence {
		out = appendText(out, text)
	}
	return out
}

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}
