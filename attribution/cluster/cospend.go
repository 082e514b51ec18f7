package cluster

import (
	"crypto/sha256"

	"coldtrail/ledger"
)

// CoSpend takes the inputs of a transaction for one owner's, as whoever spends them
// signs for all. Sources: Reid and Harrigan, "An Analysis of Anonymity in the Bitcoin
// System" (2011); Androulaki et al. (FC 2013); Meiklejohn et al., "A Fistful of
// Bitcoins" (IMC 2013), heuristic 1.
var CoSpend = &Rule{
	Name: "co-spend", Title: "inputs spent together",
	Source: "Reid and Harrigan 2011; Androulaki et al. 2013; Meiklejohn et al. 2013, heuristic 1",
	Family: ledger.UTXO, Input: OneTransaction, Kind: Spending, Confidence: 90, Default: true,
	Published: "none published",
	Needs:     "which transactions mix coins, carry signatures with ANYONECANPAY, or are known false merges",
	tx:        coSpend,
}

// coSpend ties the first known input address to every other.
func coSpend(r *Rule, tx *ledger.Resolved, facts *Facts) ([]Edge, Exclusion) {
	if e := excluded(tx, facts); e != Included {
		return nil, e
	}
	var first ledger.Address
	var edges []Edge
	seen := map[ledger.Address]bool{}
	for i := range tx.Inputs {
		a := tx.Inputs[i].Address
		if a.IsZero() || seen[a] || ownerless(&tx.Inputs[i]) {
			continue
		}
		seen[a] = true
		if first.IsZero() {
			first = a
			continue
		}
		if e, ok := r.tie(first, a, tx.ID, tx.Height); ok {
			edges = append(edges, e)
		}
	}
	if len(edges) == 0 {
		return nil, OneAddress
	}
	return edges, Included
}

// excluded is why no rule may take the inputs of a transaction for one owner's.
func excluded(tx *ledger.Resolved, facts *Facts) Exclusion {
	switch {
	case tx.Coinbase:
		return NewCoins
	case facts.Excluded != Included:
		return facts.Excluded
	case payJoin(tx):
		return PayJoin
	}
	return Included
}

// roundPayment is what payments that people choose are a multiple of, in satoshi.
const roundPayment = 10_000

// payJoin suspects that the payee added an input of his own (BIP-78): at least two
// inputs, not all of one script type; two outputs that can be spent; one of them larger
// than every input and not a multiple of 10,000 satoshi. Inputs of the same type are
// never suspected, as consolidating payments look alike.
func payJoin(tx *ledger.Resolved) bool {
	var largest uint64
	var first ledger.AddressKind
	differ := false
	for i := range tx.Inputs {
		in := &tx.Inputs[i]
		largest = max(largest, in.Value)
		switch {
		case in.Address.IsZero():
		case first == ledger.NoAddress:
			first = in.Address.Kind
		case first != in.Address.Kind:
			differ = true
		}
	}
	outputs, above := 0, false
	for i := range tx.Outputs {
		if o := &tx.Outputs[i]; !o.Unspendable {
			outputs++
			above = above || o.Value > largest && o.Value%roundPayment != 0
		}
	}
	return differ && outputs == 2 && above
}

// AnchorValue is the value in satoshi of the anchors of Lightning channels, P2WSH
// outputs that anybody may spend after 16 blocks (BOLT 3, option_anchors).
const AnchorValue = 330

// ownerless says that anybody may have spent an output, so that spending it shows no
// ownership. Without this rule everybody who ever swept such outputs would be one.
func ownerless(o *ledger.Output) bool {
	return o.Address.Kind == ledger.P2WSH && o.Value == AnchorValue || openScripts[o.Address]
}

// openScripts are the addresses of scripts that need no key: the empty script, OP_TRUE,
// both behind P2SH and P2WSH, and pay-to-anchor (OP_1 with 4e73, Bitcoin Core 28).
var openScripts = func() map[ledger.Address]bool {
	open := map[ledger.Address]bool{
		// HASH160 of the empty script and of OP_TRUE.
		ledger.NewAddress(ledger.P2SH, []byte("\xb4\x72\xa2\x66\xd0\xbd\x89\xc1\x37\x06\xa4\x13\x2c\xcf\xb1\x6f\x7c\x3b\x9f\xcb")): true,
		ledger.NewAddress(ledger.P2SH, []byte("\xda\x17\x45\xe9\xb5\x49\xbd\x0b\xfa\x1a\x56\x99\x71\xc7\x7e\xba\x30\xcd\x5a\x4b")): true,
	}
	for _, script := range []string{"", "\x51"} {
		hash := sha256.Sum256([]byte(script))
		open[ledger.NewAddress(ledger.Script, hash[:])] = true
		open[ledger.NewAddress(ledger.P2WSH, hash[:])] = true
	}
	anchor := sha256.Sum256([]byte("\x51\x02\x4e\x73"))
	open[ledger.NewAddress(ledger.Script, anchor[:])] = true
	return open
}()
