package cluster

import "coldtrail/ledger"

// SelfAuthorisation ties the owner of tokens to the account that he let spend them.
// Victims of phishing let thieves spend theirs in just this way, and nothing in the
// event tells the two apart. The rule is therefore weak, and in a case of theft it is
// the wrong rule.
var SelfAuthorisation = &Rule{
	Name: "self-authorisation", Title: "may spend the other's tokens",
	Source: "Victor, Address Clustering Heuristics for Ethereum (FC 2020), self-authorisation",
	Family: ledger.Account, Input: AllHistory, Kind: Authorisation, Confidence: 30,
	Published: "none published",
	Needs:     "Approval events in the ledger; which accounts signed transactions, which are services, which deal with too many others",
	history:   selfAuthorisation,
}

// topicApproval is Keccak-256 of Approval(address,address,uint256), EIP-20.
const topicApproval = "\x8c\x5b\xe1\xe5\xeb\xec\x7d\x5b\xd1\x4f\x71\x42\x7d\x1e\x84\xf3\xdd\x03\x14\xc0\xf7\xb2\x29\x1e\x5b\x20\x0a\xc8\xc7\xc3\xb9\x25"

// selfAuthorisation ties the account to every spender that it approved itself, with an
// amount above 0, that is known to have a key of its own and that nothing marks as a
// service or as serving many.
func selfAuthorisation(r *Rule, h *History) (edges []Edge) {
	tied := map[ledger.Address]bool{}
	for _, p := range h.inOrder() {
		if p.Tx.Failed || !h.signed(p.Tx) {
			continue
		}
		for i := range p.Tx.Messages {
			owner, spender, ok := approval(&p.Tx.Messages[i])
			if !ok || owner != h.Of || tied[spender] || !h.Parties.signs(spender) || !h.Parties.private(spender) {
				continue
			}
			if e, ok := r.tie(owner, spender, p.Tx.ID, p.Height); ok {
				tied[spender] = true
				edges = append(edges, e)
			}
		}
	}
	return edges
}

// approval reads an Approval event of an EIP-20 token that grants something. Those of
// EIP-721 tokens have a fourth topic.
func approval(m *ledger.Message) (owner, spender ledger.Address, ok bool) {
	const word = 32
	d := m.Data
	if m.Kind != ledger.Log || len(d) != 1+4*word || d[0] != 3 || string(d[1:1+word]) != topicApproval {
		return owner, spender, false
	}
	some := false
	for _, b := range d[1+3*word:] {
		some = some || b != 0
	}
	owner, ok1 := account(d[1+word : 1+2*word])
	spender, ok2 := account(d[1+2*word : 1+3*word])
	return owner, spender, some && ok1 && ok2
}

// account reads an address out of a word of 32 bytes.
func account(word []byte) (ledger.Address, bool) {
	for _, b := range word[:12] {
		if b != 0 {
			return ledger.Address{}, false
		}
	}
	return ledger.NewAddress(ledger.EVMAccount, word[12:]), true
}
