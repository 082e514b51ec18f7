package taint

import (
	"bytes"
	"fmt"
	"slices"

	"coldtrail/ledger"
)

// Address poisoning sends a victim transfers of nothing, or of a counterfeit token,
// to or from an address that begins and ends as a real counterparty does, hoping
// that the victim copies it (Tsuchiya et al., arXiv 2501.16681). Such transfers move
// no taint; they are reported.

// maxMet bounds the counterparties remembered of one address.
const maxMet = 256

// meet remembers the two ends of a transfer that moved taint as real counterparties.
func (a *Accounts) meet(t *ledger.Transfer) {
	for _, pair := range [][2]ledger.Address{{t.From, t.To}, {t.To, t.From}} {
		if have := a.met[pair[0]]; len(have) < maxMet && !slices.Contains(have, pair[1]) {
			a.met[pair[0]] = append(have, pair[1])
		}
	}
}

// reportLookAlike records that a transfer's other end resembles a real counterparty
// of a tainted address.
func (a *Accounts) reportLookAlike(t *ledger.Transfer) {
	for _, pair := range [][2]ledger.Address{{t.From, t.To}, {t.To, t.From}} {
		if !a.Watches(pair[0]) {
			continue
		}
		for _, known := range a.met[pair[0]] {
			if looksLike(pair[1], known) {
				a.found(LookAlike, Holding{pair[1], t.Asset}, t.Amount, fmt.Sprintf(
					"it begins and ends as 0x%x, with which 0x%x had really dealt: address poisoning; nothing was followed to it", known.Bytes(), pair[0].Bytes()))
				return
			}
		}
	}
}

// looksLike says that two different addresses agree in the first three and the last
// three hexadecimal digits, which is what people compare.
func looksLike(x, y ledger.Address) bool {
	if x == y || x.Kind != ledger.EVMAccount || y.Kind != ledger.EVMAccount {
		return false
	}
	p, q := x.Bytes(), y.Bytes()
	n := len(p)
	return bytes.Equal(p[:1], q[:1]) && p[1]>>4 == q[1]>>4 && bytes.Equal(p[n-1:], q[n-1:]) && p[n-2]&15 == q[n-2]&15
}
