package evidence

import (
	"encoding/hex"
	"errors"
	"fmt"

	"coldtrail/chain/bitcoin"
	"coldtrail/evidence/slice"
	"coldtrail/ledger"
	"coldtrail/store"
)

// bitcoinCheck checks the proofs of one UTXO chain.
type bitcoinCheck struct {
	*verifier

	s       *ChainStatement
	f       *slice.Facts
	headers headerRun
	byTx    map[ledger.Hash][]store.Output // outputs of the slice, by the transaction that made them
	placed  map[store.TxNumber]bool        // proven with their place
	seen    map[ledger.Hash]bool           // proven by their bytes
	anchor  bool                           // a coinbase states the height of the first header
	parents int
}

func (c *bitcoinCheck) run() {
	if err := c.readHeaders(); err != nil {
		c.wrong(checkProofs, proofFile(c.f.Status.Chain, headersFile), "%v", err)
		return
	}
	c.byTx = map[ledger.Hash][]store.Output{}
	for _, o := range c.f.Outputs {
		c.byTx[o.Outpoint.Tx] = append(c.byTx[o.Outpoint.Tx], o)
	}
	rows, file, err := rowsOf[rawRow](c.bundle, proofFile(c.f.Status.Chain, transactionsFile))
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
	if id, ok := c.missing(); ok {
		c.wrong(checkProofs, file, "it says nothing of transaction %s, which is in the facts", id)
		return
	}
	if c.headers.first > 0 && !c.anchor {
		c.wrong(checkProofs, file, "nothing says that the first header is of height %d: no coinbase of it is in the bundle", c.headers.first)
		return
	}
	c.tell()
}

// readHeaders checks the headers, and that facts about blocks agree with them.
func (c *bitcoinCheck) readHeaders() error {
	chain := c.f.Status.Chain
	network, err := bitcoin.NetworkOf(chain)
	if err != nil {
		return err
	}
	c.headers = headerRun{network: network, first: ledger.Height(c.s.First)}
	if c.headers.raw, err = c.bundle.Content(proofFile(chain, headersFile)); err != nil {
		return err
	}
	if err := c.headers.decode(); err != nil {
		return err
	}
	if !c.s.NoWork {
		if err := c.headers.work(); err != nil {
			return err
		}
	}
	head := c.held.Basis.Heads[string(chain)]
	last := c.headers.headers[len(c.headers.headers)-1]
	if uint64(c.headers.last()) != head.Height || last.Hash.String() != head.Hash {
		return fmt.Errorf("they end with block %d %s, the answer rests on block %d %s", c.headers.last(), last.Hash, head.Height, head.Hash)
	}
	status := &c.f.Status
	if header := c.headers.at(status.Height); header != nil && header.Hash != status.Hash {
		return fmt.Errorf("the facts end with block %s, the headers have %s there", status.Hash, header.Hash)
	}
	for height, h := range c.f.Headers {
		if header := c.headers.at(height); header != nil && (header.Hash != h.Hash || int64(header.Time) != h.Time) {
			return fmt.Errorf("block %d of the facts is not header %d", height, height)
		}
	}
	return nil
}

// transaction checks one transaction: its bytes, what the facts say of it, its place.
func (c *bitcoinCheck) transaction(row *rawRow) error {
	raw, err := hex.DecodeString(row.Raw)
	if err != nil {
		return errors.New("its bytes are not hexadecimal")
	}
	if row.Height == nil && len(raw) > 36 && isCoinbase(raw) {
		row.Index = 0 // of a parent the position is not known
	} else if row.Height == nil {
		row.Index = 1
	}
	tx, err := bitcoin.DecodeTx(raw, row.Index)
	if err != nil {
		return err
	}
	if tx.ID.String() != row.ID {
		return fmt.Errorf("its bytes are those of %s", tx.ID)
	}
	if err := c.outputs(&tx); err != nil {
		return err
	}
	if row.Height == nil {
		if !c.seen[tx.ID] {
			c.parents++
		}
		c.seen[tx.ID] = true
		return nil
	}
	header := c.headers.at(ledger.Height(*row.Height))
	if header == nil {
		return fmt.Errorf("the bundle has no header %d", *row.Height)
	}
	var branch []ledger.Hash
	for _, text := range row.Branch {
		beside, err := ledger.ParseHash(text)
		if err != nil || len(branch) >= 32 {
			return fmt.Errorf("its branch is none: %w", errors.Join(err, errBranch))
		}
		branch = append(branch, beside)
	}
	if !header.Contains(tx.ID, row.Index, branch) {
		return fmt.Errorf("it is not proven to be transaction %d of block %d", row.Index, *row.Height)
	}
	c.seen[tx.ID] = true
	if stated, ok := bitcoin.CoinbaseHeight(raw); ok && tx.Coinbase && *row.Height == c.s.First && stated == c.headers.first {
		c.anchor = true
	}
	return c.fact(&tx, header, ledger.Height(*row.Height))
}

var errBranch = errors.New("want at most 32 hashes")

// isCoinbase says whether the first input of a transaction spends nothing.
func isCoinbase(raw []byte) bool {
	for _, b := range raw[5:37] {
		if b != 0 {
			return false
		}
	}
	return true
}

// outputs compares what the facts say of a transaction's outputs with its bytes.
func (c *bitcoinCheck) outputs(tx *ledger.Tx) error {
	for _, o := range c.byTx[tx.ID] {
		if int(o.Outpoint.Index) >= len(tx.Outputs) {
			return fmt.Errorf("the facts give it an output %d", o.Outpoint.Index)
		}
		made := &tx.Outputs[o.Outpoint.Index]
		if made.Value != o.Value || made.Address != o.Address || made.Unspendable && !o.Unspendable {
			return fmt.Errorf("output %d is not what the facts say", o.Outpoint.Index)
		}
	}
	return nil
}

// fact compares a transaction of the facts with its bytes and place.
func (c *bitcoinCheck) fact(tx *ledger.Tx, header *bitcoin.Header, height ledger.Height) error {
	for number, t := range c.factsOf(tx.ID, height) {
		switch {
		case t.Index != tx.Index || t.Time != int64(header.Time) || t.Coinbase != tx.Coinbase:
			return errors.New("it stands elsewhere in the facts")
		case len(t.Values) != len(tx.Outputs) || len(t.Inputs) != len(tx.Inputs):
			return errors.New("it has other inputs or outputs in the facts")
		}
		for i := range t.Values {
			if t.Values[i] != tx.Outputs[i].Value || tx.Outputs[i].Unspendable && !t.Unspendable[i] {
				return fmt.Errorf("output %d is not what the facts say", i)
			}
		}
		for i := range t.Inputs {
			if outpoint, ok := c.spent(&t.Inputs[i]); !ok || outpoint != tx.Inputs[i] {
				return fmt.Errorf("input %d is not what the facts say", i)
			}
		}
		c.placed[number] = true
	}
	return nil
}

// spent is the output that an input of the facts spends.
func (c *bitcoinCheck) spent(in *store.Input) (ledger.Outpoint, bool) {
	if in.Output == store.NoOutput {
		return in.Outpoint, true
	}
	o, ok := c.f.Outputs[in.Output]
	return o.Outpoint, ok
}

// factsOf finds the transaction of an identifier in a block: two may have the same
// (BIP-30).
func (c *bitcoinCheck) factsOf(id ledger.Hash, height ledger.Height) map[store.TxNumber]store.Transaction {
	found := map[store.TxNumber]store.Transaction{}
	if number, ok := c.f.Find(id); ok {
		if t, ok := c.f.Transactions[number]; ok && t.Height == height {
			found[number] = t
		}
	}
	return found
}

// unproven counts the transactions of the facts that nothing proves, or whose inputs'
// values nothing proves.
func (c *bitcoinCheck) unproven() (count int) {
	for number, t := range c.f.Transactions {
		whole := c.placed[number]
		for i := range t.Inputs {
			if t.Inputs[i].Output != store.NoOutput {
				whole = whole && c.seen[c.f.Outputs[t.Inputs[i].Output].Outpoint.Tx]
			}
		}
		if !whole {
			count++
		}
	}
	return count
}

// missing finds a transaction of the facts that has no proof though its chain has proofs.
// Of two with one identifier only the later can be told apart.
func (c *bitcoinCheck) missing() (ledger.Hash, bool) {
	for _, number := range sortedKeys(c.f.Transactions) {
		if last, _ := c.f.Find(c.f.IDs[number]); last == number && !c.placed[number] {
			return c.f.IDs[number], true
		}
	}
	return ledger.Hash{}, false
}

// tell says what is proven.
func (c *bitcoinCheck) tell() {
	chain := string(c.f.Status.Chain)
	c.proven(chain, "transactions, by their bytes and a merkle branch to a header", len(c.placed))
	c.proven(chain, "transactions that only make what others spend, by their bytes", c.parents)
	total := c.headers.total()
	run := fmt.Sprintf("headers %d to %d, each naming the one before", c.headers.first, c.headers.last())
	head := fmt.Sprintf("that block %s is on the chain with the most work: compare it with a node or an explorer", c.headers.headers[len(c.headers.headers)-1].Hash)
	if c.s.NoWork {
		c.proven(chain, run+", without valid work", len(c.headers.headers))
		c.rests(chain, head, 1, "whoever made the bundle: this chain has no work that could not be made anew")
	} else {
		c.proven(chain, run+", with the work of "+total.Dec()+" hashes", len(c.headers.headers))
		c.rests(chain, head, 1, "whoever made the bundle: to make such headers up takes about "+total.Dec()+" hashes")
	}
	c.ok(checkProofs, "%s: %d transactions proven to stand where they are", c.f.Status.Chain.Short(), len(c.placed))
}
