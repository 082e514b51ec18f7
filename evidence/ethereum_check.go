package evidence

import (
	"encoding/hex"
	"errors"
	"fmt"

	"coldtrail/chain/evm"
	"coldtrail/chain/evm/proof"
	"coldtrail/evidence/bundle"
	"coldtrail/evidence/slice"
	"coldtrail/ledger"
)

// ethereumCheck checks the proofs of one account chain.
type ethereumCheck struct {
	*verifier

	s    *ChainStatement
	f    *slice.Facts
	word string

	network  evm.Network
	headers  map[ledger.Height]*proof.Parts
	linked   bool // from the first header to the head
	placed   map[ledger.Hash]bool
	internal int // moves inside transactions, which only traces tell
	created  int // contracts that contracts made, likewise
}

func (c *ethereumCheck) run() {
	chain := c.f.Status.Chain
	c.network, c.placed = evm.NetworkOf(chain), map[ledger.Hash]bool{}
	if c.s.Wrapped != "" {
		wrapped, err := evm.Notation{}.ParseAddress(c.s.Wrapped)
		if err != nil {
			c.wrong(checkStatement, bundle.ManifestName, "%v", err)
			return
		}
		c.network.Wrapped = wrapped
		c.rests(string(chain), "that "+c.s.Wrapped+" wraps the native asset", 1, "whoever made the bundle")
	}
	if err := c.readHeaders(); err != nil {
		c.wrong(checkProofs, proofFile(chain, headerLinesFile), "%v", err)
		return
	}
	rows, file, err := rowsOf[includedRow](c.bundle, proofFile(chain, transactionsFile))
	if err != nil {
		c.wrong(checkProofs, file, "%v", err)
		return
	}
	for i := range rows {
		if err := c.transaction(&rows[i]); err != nil {
			c.wrong(checkProofs, file, "line %d: transaction %.64s: %v", i+1, rows[i].ID, err)
			return
		}
	}
	paid := 0
	for _, number := range sortedKeys(c.f.Movements) {
		switch m := c.f.Movements[number]; {
		case m.Tx.Coinbase:
			paid++
		case !c.placed[m.Tx.ID]:
			c.wrong(checkProofs, file, "it says nothing of transaction 0x%s, which is in the facts", m.Tx.ID)
			return
		}
	}
	c.tell(paid)
}

// readHeaders reads the headers and says whether each continues the one before, up to the
// head.
func (c *ethereumCheck) readHeaders() error {
	chain := c.f.Status.Chain
	rows, _, err := rowsOf[headerLine](c.bundle, proofFile(chain, headerLinesFile))
	if err != nil {
		return err
	}
	c.headers, c.linked = map[ledger.Height]*proof.Parts{}, true
	var last *proof.Parts
	for i := range rows {
		raw, err := hex.DecodeString(rows[i].RLP)
		if err != nil {
			return fmt.Errorf("line %d is not hexadecimal", i+1)
		}
		p, err := proof.DecodeHeader(raw)
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		switch {
		case uint64(p.Height()) != rows[i].Height:
			return fmt.Errorf("line %d is block %d and not %d", i+1, p.Height(), rows[i].Height)
		case last != nil && p.Height() <= last.Height():
			return fmt.Errorf("block %d does not stand after the one before it", p.Height())
		case last != nil && p.Height() > last.Height()+1:
			c.linked = false
		case last != nil && ledger.Hash(p.Header.ParentHash) != last.Hash():
			return fmt.Errorf("block %d does not continue the one before it", p.Height())
		}
		c.headers[p.Height()], last = p, p
	}
	head := c.held.Basis.Heads[string(chain)]
	if last == nil || uint64(last.Height()) != head.Height || head.Hash != chain.FormatHash(last.Hash()) {
		return fmt.Errorf("they do not end with block %d %s, on which the answer rests", head.Height, head.Hash)
	}
	for height, h := range c.f.Headers {
		if p := c.headers[height]; p != nil && (p.Hash() != h.Hash || int64(p.Header.Time) != h.Time) {
			return fmt.Errorf("block %d of the facts is not the header of block %d", height, height)
		}
	}
	return nil
}

// transaction checks one proof, and what the facts say of it.
func (c *ethereumCheck) transaction(row *includedRow) error {
	p := c.headers[ledger.Height(row.Height)]
	if p == nil {
		return fmt.Errorf("the bundle has no header %d", row.Height)
	}
	in := proof.Inclusion{Index: row.Index}
	for _, one := range []struct {
		text []string
		to   *proof.Branch
	}{{row.Transaction, &in.Transaction}, {row.Receipt, &in.Receipt}, {row.Before, &in.Before}} {
		for _, text := range one.text {
			node, err := hex.DecodeString(text)
			if err != nil {
				return errors.New("a node is not hexadecimal")
			}
			*one.to = append(*one.to, node)
		}
	}
	tx, err := p.Proven(&in, &c.network)
	if err != nil {
		return err
	}
	if tx.ID.String() != row.ID {
		return fmt.Errorf("what is proven is transaction 0x%s", tx.ID)
	}
	number, ok := c.f.Find(tx.ID)
	if !ok {
		return errors.New("the facts do not name it")
	}
	m, ok := c.f.Movements[number]
	if !ok || m.Height != p.Height() || m.Time != int64(p.Header.Time) {
		return errors.New("it stands elsewhere in the facts")
	}
	c.placed[tx.ID] = true
	return c.compare(tx, &m.Tx)
}

// compare wants the facts to say of a transaction what is proven, and beside it only what
// traces tell.
func (c *ethereumCheck) compare(proven, fact *ledger.Tx) error {
	if proven.Index != fact.Index || proven.Failed != fact.Failed || proven.Fee != fact.Fee {
		return errors.New("its place, outcome or fee is not what the facts say")
	}
	shift := shiftOf(proven, fact)
	at := 0
	for i := range fact.Transfers {
		t := fact.Transfers[i]
		if t.Kind == ledger.Internal {
			c.internal++
			continue
		}
		if t.LogIndex != ledger.NoLog {
			t.LogIndex -= shift
		}
		if at >= len(proven.Transfers) || t != proven.Transfers[at] {
			return fmt.Errorf("movement %d of the facts is not proven", i)
		}
		at++
	}
	if at != len(proven.Transfers) {
		return fmt.Errorf("the facts leave out movement %d that is proven", at)
	}
	if len(fact.Freezes) != len(proven.Freezes) {
		return errors.New("what an issuer froze in it is not what the facts say")
	}
	for i := range fact.Freezes {
		a, b := fact.Freezes[i], proven.Freezes[i]
		if a.Holder != b.Holder || a.Asset != b.Asset || a.Lifted != b.Lifted {
			return errors.New("what an issuer froze in it is not what the facts say")
		}
	}
	return c.compareMessages(proven, fact, shift)
}

// shiftOf is how many events of the block come before the transaction's first: no proof of
// one transaction tells, and nothing follows from it.
func shiftOf(proven, fact *ledger.Tx) int32 {
	for i := range fact.Messages {
		if fact.Messages[i].Kind == ledger.Log && i < len(proven.Messages) {
			return int32(fact.Messages[i].Position) - int32(proven.Messages[i].Position)
		}
	}
	var first, own int32 = ledger.NoLog, ledger.NoLog
	for i := range fact.Transfers {
		if first == ledger.NoLog {
			first = fact.Transfers[i].LogIndex
		}
	}
	for i := range proven.Transfers {
		if own == ledger.NoLog {
			own = proven.Transfers[i].LogIndex
		}
	}
	return first - own
}

func (c *ethereumCheck) compareMessages(proven, fact *ledger.Tx, shift int32) error {
	at := 0
	for i := range fact.Messages {
		m := &fact.Messages[i]
		if at < len(proven.Messages) && sameMessage(m, &proven.Messages[at], shift) {
			at++
			continue
		}
		if m.Kind != ledger.Creation {
			return fmt.Errorf("message %d of the facts is not proven", i)
		}
		c.created++
	}
	if at != len(proven.Messages) {
		return fmt.Errorf("the facts leave out message %d that is proven", at)
	}
	return nil
}

func sameMessage(fact, proven *ledger.Message, shift int32) bool {
	position := proven.Position
	if fact.Kind == ledger.Log {
		position += uint32(shift)
	}
	return fact.Kind == proven.Kind && fact.Contract == proven.Contract && fact.Position == position && string(fact.Data) == string(proven.Data)
}

// tell says what is proven, and what no receipt can.
func (c *ethereumCheck) tell(paid int) {
	chain := string(c.f.Status.Chain)
	c.proven(chain, "transactions with their receipts, by branches to the roots of a header", len(c.placed))
	if c.linked {
		c.proven(chain, "headers up to the last block that counts, each naming the one before", len(c.headers))
	} else {
		c.proven(chain, "headers, by their own hashes", len(c.headers))
		c.rests(chain, "that the headers are of one chain: too many lie between them to be in the bundle", len(c.headers), c.word)
	}
	c.rests(chain, "that the last block is Ethereum's: a header has no work that is checked here, so compare its hash with a node", 1, c.word)
	c.rests(chain, "native value that contracts moved inside transactions, which receipts do not show", c.internal, c.word)
	c.rests(chain, "contracts that contracts made", c.created, c.word)
	c.rests(chain, "blocks' rewards and withdrawals", paid, c.word)
	outside := 0
	for _, m := range c.f.Movements {
		if m.Tx.External {
			outside++
		}
	}
	c.rests(chain, "transactions that ran a contract without a trace: what moved inside them is not in the answer", outside, "nobody: it is not known")
	if said := len(c.f.Spoken); said > 0 {
		c.rests(chain, "transactions with messages to bridges, and that there are no others", said, c.word)
	}
	c.ok(checkProofs, "%s: %d transactions proven to stand where they are", c.f.Status.Chain.Short(), len(c.placed))
}
