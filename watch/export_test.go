package watch

import (
	"hash/maphash"

	"coldtrail/screen/exposure"
)

// Fingerprints gives the fingerprints of facts, all by one seed.
func Fingerprints(facts ...exposure.Fact) (prints []uint64) {
	p := fingerprint{seed: maphash.MakeSeed()}
	for i := range facts {
		prints = append(prints, p.of(facts[i:i+1]))
	}
	return prints
}
