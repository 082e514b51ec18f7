package embedded

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"coldtrail/ledger"
	"coldtrail/store"
)

// The first byte of every key says what the record is; the second is the chain's
// number in this store. Numbers after them are big-endian, so keys sort by them.
const (
	keyMeta     = 'm' // format, seed
	keyChain    = 'c' // -> CAIP-2 identifier
	keyHeader   = 'h' // height -> header
	keyGroup    = 'g' // first transaction -> group (UTXO)
	keyTwin     = 't' // transaction -> the one whose identifier it repeats (UTXO, BIP-30)
	keyBlock    = 'b' // height -> store.EncodeBlock (account)
	keyID       = 'i' // identifier, transaction -> nothing (account)
	keyTouch    = 'a' // address, transaction -> nothing (account)
	keyMovement = 'v' // transaction -> its encoding (account)
	keySeen     = 's' // address -> its first transaction (account)
	keyOpening  = 'o' // address, asset, height, sequence -> amount (account)
	keyClaim    = 'l' // network, subject, identifier -> claim; of no chain
	keyRevision = 'r' // -> how many claims, and their sum
)

var metaKey = []byte{keyMeta}

// header is a block's record.
type header struct {
	store.Header
	content      ledger.Hash // of the chain up to here
	identity     ledger.Hash
	weakest      ledger.Provenance // up to here
	inputs       uint64            // before the block
	outputs      uint64            // before the block
	unspent      uint64            // after the block
	unspentValue uint64            // after the block
	accounts     uint64            // after the block
	issuances    uint64            // after the block: entries that are no transactions
	group        uint64            // first transaction of the group the block is in (UTXO)
}

const headerSize = 32 + 8 + 1 + 8 + 4 + 32 + 32 + 1 + 7*8

// encode writes a header: hash, time, provenance, first transaction, count,
// content, identity, weakest, and the seven sums.
func (h *header) encode() []byte {
	out := make([]byte, 0, headerSize)
	out = append(out, h.Hash[:]...)
	out = binary.BigEndian.AppendUint64(out, uint64(h.Time))
	out = append(out, byte(h.Provenance))
	out = binary.BigEndian.AppendUint64(out, uint64(h.FirstTx))
	out = binary.BigEndian.AppendUint32(out, h.Txs)
	out = append(out, h.content[:]...)
	out = append(out, h.identity[:]...)
	out = append(out, byte(h.weakest))
	for _, n := range []uint64{h.inputs, h.outputs, h.unspent, h.unspentValue, h.accounts, h.group, h.issuances} {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	return out
}

func decodeHeader(key, value []byte) (h header, err error) {
	if len(key) != 10 || len(value) != headerSize {
		return h, fmt.Errorf("%w: header record", store.ErrCorrupt)
	}
	h.Height = ledger.Height(binary.BigEndian.Uint64(key[2:]))
	next := func(n int) []byte {
		out := value[:n]
		value = value[n:]
		return out
	}
	h.Hash = ledger.Hash(next(32))
	h.Time = int64(binary.BigEndian.Uint64(next(8)))
	h.Provenance = ledger.Provenance(next(1)[0])
	h.FirstTx = store.TxNumber(binary.BigEndian.Uint64(next(8)))
	h.Txs = binary.BigEndian.Uint32(next(4))
	h.content, h.identity = ledger.Hash(next(32)), ledger.Hash(next(32))
	h.weakest = ledger.Provenance(next(1)[0])
	for _, n := range []*uint64{&h.inputs, &h.outputs, &h.unspent, &h.unspentValue, &h.accounts, &h.group, &h.issuances} {
		*n = binary.BigEndian.Uint64(next(8))
	}
	return h, nil
}

// chainBase is what both families share: the headers and the way to the record.
type chainBase struct {
	store   *Store
	id      ledger.Chain
	number  byte
	headers []header
}

func (c *chainBase) base() *chainBase { return c }

// key builds a key from its kind and numbers.
func (c *chainBase) key(kind byte, numbers ...uint64) []byte {
	key := append(make([]byte, 0, 2+8*len(numbers)), kind, c.number)
	for _, n := range numbers {
		key = binary.BigEndian.AppendUint64(key, n)
	}
	return key
}

func (c *chainBase) load() error {
	return c.store.scan([]byte{keyHeader, c.number}, func(key, value []byte) error {
		h, err := decodeHeader(key, value)
		c.headers = append(c.headers, h)
		return err
	})
}

// scan visits every record under a prefix, in order of key.
func (s *Store) scan(prefix []byte, visit func(key, value []byte) error) error {
	return s.span(prefix, successor(prefix), visit)
}

// successor is the first key behind all that begin with the prefix.
func successor(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil // no end
}

// span visits the records from one key up to another.
func (s *Store) span(from, to []byte, visit func(key, value []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		err = visit(it.Key(), it.Value())
	}
	return errors.Join(err, it.Close())
}

// head is the newest header; the zero header where there is none.
func (c *chainBase) head() (h header) {
	if n := len(c.headers); n > 0 {
		h = c.headers[n-1]
	}
	return h
}

// txs is how many transactions are held.
func (c *chainBase) txs() uint64 {
	h := c.head()
	return uint64(h.FirstTx) + uint64(h.Txs)
}

// from is the index of the first header at or above a height.
func (c *chainBase) from(height ledger.Height) int {
	at, _ := slices.BinarySearchFunc(c.headers, height, func(h header, want ledger.Height) int { return cmp.Compare(h.Height, want) })
	return at
}

// of is the header of the block that holds a transaction.
func (c *chainBase) of(tx uint64) *header {
	at, found := slices.BinarySearchFunc(c.headers, tx, func(h header, want uint64) int { return cmp.Compare(uint64(h.FirstTx), want) })
	if !found {
		at--
	}
	for at+1 < len(c.headers) && uint64(c.headers[at].FirstTx)+uint64(c.headers[at].Txs) <= tx { // blocks without transactions
		at++
	}
	return &c.headers[at]
}

// link says whether a block is held already, and refuses one that does not
// continue the chain.
func (c *chainBase) link(b *ledger.Block) (held bool, err error) {
	if len(c.headers) == 0 {
		return false, nil
	}
	head := c.head()
	return store.Head{Height: head.Height, Hash: head.Hash}.Link(b, func(height ledger.Height) (identity ledger.Hash, ok bool) {
		at := c.from(height)
		return c.headers[at].identity, c.headers[at].Height == height
	})
}

// next begins the header of a block that follows the head.
func (c *chainBase) next(b *ledger.Block) header {
	head := c.head()
	identity := store.Identity(b)
	return header{
		Header: store.Header{
			Height: b.Height, Hash: b.Hash, Time: b.Time, Provenance: b.Provenance, FirstTx: store.TxNumber(c.txs()), Txs: uint32(len(b.Txs)),
		},
		content: store.ChainContent(head.content, b.Height, identity), identity: identity, weakest: ledger.Weakest(head.weakest, b.Provenance),
		unspent: head.unspent, unspentValue: head.unspentValue, accounts: head.accounts,
		issuances: head.issuances + store.Issuances(b),
	}
}

// put adds a header to the chain and the batch.
func (c *chainBase) put(b *pebble.Batch, h *header) error {
	c.headers = append(c.headers, *h)
	return b.Set(c.key(keyHeader, uint64(h.Height)), h.encode(), nil)
}

func (c *chainBase) status() store.Status {
	head := c.head()
	s := store.Status{
		Chain: c.id, First: c.headers[0].Height, Height: head.Height, Hash: head.Hash, Time: head.Time, Blocks: uint64(len(c.headers)),
		Txs: c.txs() - head.issuances, Weakest: head.weakest, Content: head.content,
	}
	if c.id.Family() == ledger.UTXO {
		s.UnspentOutputs, s.UnspentValue = head.unspent, head.unspentValue
	} else {
		s.Accounts = head.accounts
	}
	return s
}
