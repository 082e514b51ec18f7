// Package synthetic makes a Bitcoin chain for measuring, as the block files a node
// would write: valid work, merkle roots and links, on the regression test network.
//
// The shape follows what is known of the real chain: degrees by a power law, 88 %
// of inputs spend what the last 4,000 blocks made, addresses are reused. The same
// seed gives the same bytes.
package synthetic

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Options say what to make.
type Options struct {
	Seed         uint64
	Transactions uint64
	BlockTxs     int   // transactions in a block; 0 is 2,000
	FileBytes    int64 // size at which a new file begins; 0 is 128 MiB, as nodes do
}

// Stats says what was made.
type Stats struct {
	Blocks, Transactions, Inputs, Outputs uint64
	Bytes                                 uint64
}

// Recency of spends.
const (
	recentBlocks  = 4_000
	recentPercent = 88
	blockSeconds  = 600
	firstTime     = 1_296_688_602 // of the genesis block
	bits          = 0x207fffff
	reward        = 50_0000_0000
)

// genesis is the first block of the regression test network.
const genesisHeader = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000"

// coin is an unspent output: who may spend it and what it is worth.
type coin struct {
	tx    uint64 // number of the transaction, into ids
	value uint64
	vout  uint32
}

// maker makes one chain.
type maker struct {
	random  *rand.Rand
	options Options
	stats   Stats

	ids     [][32]byte // of transactions, wire order
	coins   []coin     // unspent, oldest first; value 0 is spent
	blockAt []int      // index in coins of each recent block's first
	live    int        // coins not spent
	owners  uint64     // addresses so far

	parent [32]byte
	height uint32
	out    *bufio.Writer
	file   *os.File
	folder string
	files  int
	length int64
	body   []byte
	leaves [][32]byte
	fees   uint64
}

// Generate writes blk00000.dat and so on into a folder.
func Generate(folder string, options Options) (Stats, error) {
	if options.BlockTxs <= 0 {
		options.BlockTxs = 2_000
	}
	if options.FileBytes <= 0 {
		options.FileBytes = 128 << 20
	}
	m := &maker{options: options, folder: folder}
	m.random = rand.New(rand.NewPCG(options.Seed, 0x436f6c64)) //nolint:gosec // the same seed must give the same chain
	err := m.run()
	return m.stats, err
}

func (m *maker) run() error {
	if err := m.genesis(); err != nil {
		return err
	}
	for m.stats.Transactions < m.options.Transactions {
		m.block()
		if err := m.write(); err != nil {
			return err
		}
	}
	return m.closeFile()
}

// block makes one block's transactions; the first thousand blocks only mint, so
// that there is something to spend.
func (m *maker) block() {
	m.body, m.leaves, m.fees = m.body[:0], m.leaves[:0], 0
	m.blockAt = append(m.blockAt, len(m.coins))
	count := 1
	if m.height > 200 {
		count = m.options.BlockTxs
	}
	m.leaves = append(m.leaves, [32]byte{}) // the coinbase, once the fees are known
	for i := 1; i < count && m.stats.Transactions+uint64(i) < m.options.Transactions; i++ {
		m.spend()
	}
	m.compact()
}

// powerLaw draws a degree from 1 up, mostly small, seldom up to most.
func (m *maker) powerLaw(mean float64, most int) int {
	u := m.random.Float64()
	n := int(math.Pow(1-u, -1/2.2)*mean + m.random.Float64())
	return min(max(n, 1), most)
}

// pick takes an unspent coin out.
func (m *maker) pick() (coin, bool) {
	for range 64 {
		low := 0
		if n := len(m.blockAt); m.random.IntN(100) < recentPercent && n > recentBlocks {
			low = m.blockAt[n-recentBlocks]
		}
		if low >= len(m.coins) {
			low = 0
		}
		if len(m.coins) == low {
			return coin{}, false
		}
		i := low + m.random.IntN(len(m.coins)-low)
		if c := m.coins[i]; c.value > 0 {
			m.coins[i].value = 0
			m.live--
			return c, true
		}
	}
	return coin{}, false
}

// spend makes a transaction of some inputs and outputs.
func (m *maker) spend() {
	var inputs []coin
	var total uint64
	for range m.powerLaw(0.95, 200) {
		if c, ok := m.pick(); ok {
			inputs = append(inputs, c)
			total += c.value
		}
	}
	if len(inputs) == 0 {
		return
	}
	fee := min(total/10, 1_000+m.random.Uint64N(20_000))
	total -= fee
	m.fees += fee
	start := len(m.body)
	segwit := m.random.IntN(100) < 60
	m.body = binary.LittleEndian.AppendUint32(m.body, 2)
	if segwit {
		m.body = append(m.body, 0, 1)
	}
	middle := len(m.body)
	m.body = appendCount(m.body, len(inputs))
	for i := range inputs {
		m.body = append(m.body, m.ids[inputs[i].tx][:]...)
		m.body = binary.LittleEndian.AppendUint32(m.body, inputs[i].vout)
		if segwit {
			m.body = append(m.body, 0)
		} else {
			m.body = m.noise(append(m.body, 107), 107) // a signature and a key
		}
		m.body = binary.LittleEndian.AppendUint32(m.body, math.MaxUint32)
	}
	values := m.divide(total, min(m.powerLaw(1.25, 500), int(total/600)+1))
	m.body = appendCount(m.body, len(values))
	for _, value := range values {
		m.body = binary.LittleEndian.AppendUint64(m.body, value)
		m.body = m.script(m.body)
	}
	end := len(m.body)
	if segwit {
		for range inputs {
			m.body = m.noise(append(m.body, 2, 71), 71)
			m.body = m.noise(append(m.body, 33), 33)
		}
	}
	m.body = binary.LittleEndian.AppendUint32(m.body, 0)
	m.finish(start, middle, end, values)
	m.stats.Inputs += uint64(len(inputs))
}

// divide splits a total into n values.
func (m *maker) divide(total uint64, n int) []uint64 {
	values := make([]uint64, 0, n)
	for i := n; i > 1; i-- {
		value := m.random.Uint64N(total/uint64(i)*2 + 1)
		values = append(values, value)
		total -= value
	}
	return append(values, total)
}

// script appends an output script of a common form, to a new or a known owner.
func (m *maker) script(dst []byte) []byte {
	owner := m.owners
	if m.random.IntN(100) < 55 && m.owners > 0 { // hubs receive most of what is reused
		u := m.random.Float64()
		owner = uint64(u * u * u * u * float64(m.owners))
	} else {
		m.owners++
	}
	var seed [16]byte
	binary.LittleEndian.PutUint64(seed[:], owner)
	binary.LittleEndian.PutUint64(seed[8:], m.options.Seed)
	key := sha256.Sum256(seed[:])
	switch owner % 10 {
	case 0, 1, 2:
		return append(append(append(dst, 25, 0x76, 0xa9, 20), key[:20]...), 0x88, 0xac)
	case 3, 4:
		return append(append(append(dst, 23, 0xa9, 20), key[:20]...), 0x87)
	case 5:
		return append(append(dst, 34, 0x51, 32), key[:]...)
	}
	return append(append(dst, 22, 0, 20), key[:20]...)
}

func (m *maker) noise(dst []byte, n int) []byte {
	for ; n >= 8; n -= 8 {
		dst = binary.LittleEndian.AppendUint64(dst, m.random.Uint64())
	}
	for ; n > 0; n-- {
		dst = append(dst, byte(m.random.Uint32()))
	}
	return dst
}

// finish gives the transaction at the end of the body its identifier, which leaves
// the witness out, and its outputs to whom they belong.
func (m *maker) finish(start, middle, end int, values []uint64) {
	h := sha256.New()
	h.Write(m.body[start : start+4])
	h.Write(m.body[middle:end])
	h.Write(m.body[len(m.body)-4:])
	var once [32]byte
	h.Sum(once[:0])
	id := sha256.Sum256(once[:])
	m.leaves = append(m.leaves, id)
	m.own(id, values)
}

func (m *maker) own(id [32]byte, values []uint64) {
	number := uint64(len(m.ids))
	m.ids = append(m.ids, id)
	for vout, value := range values {
		if value > 0 {
			m.coins = append(m.coins, coin{number, value, uint32(vout)})
			m.live++
		}
	}
	m.stats.Transactions++
	m.stats.Outputs += uint64(len(values))
}

// compact drops spent coins once they are most of the list.
func (m *maker) compact() {
	if len(m.coins) < 2*m.live+1024 {
		return
	}
	kept, next := m.coins[:0], 0
	for i, c := range m.coins {
		for next < len(m.blockAt) && m.blockAt[next] == i {
			m.blockAt[next] = len(kept)
			next++
		}
		if c.value > 0 {
			kept = append(kept, c)
		}
	}
	for ; next < len(m.blockAt); next++ {
		m.blockAt[next] = len(kept)
	}
	m.coins = kept
}

// coinbase makes the block's first transaction.
func (m *maker) coinbase() []byte {
	tx := binary.LittleEndian.AppendUint32(nil, 1)
	tx = append(append(tx, 1), make([]byte, 32)...)
	tx = binary.LittleEndian.AppendUint32(tx, math.MaxUint32)
	tx = append(tx, 5, 4)
	tx = binary.LittleEndian.AppendUint32(tx, m.height) // BIP-34
	tx = binary.LittleEndian.AppendUint32(tx, math.MaxUint32)
	subsidy := uint64(reward) >> min(63, m.height/210_000)
	tx = binary.LittleEndian.AppendUint64(append(tx, 1), subsidy+m.fees)
	tx = m.script(tx)
	tx = binary.LittleEndian.AppendUint32(tx, 0)
	once := sha256.Sum256(tx)
	m.leaves[0] = sha256.Sum256(once[:])
	m.own(m.leaves[0], []uint64{subsidy + m.fees})
	return tx
}

// write closes the block: root, work, frame.
func (m *maker) write() error {
	first := m.coinbase()
	count := appendCount(nil, len(m.leaves))
	header := make([]byte, 0, 80)
	header = binary.LittleEndian.AppendUint32(header, 4)
	header = append(header, m.parent[:]...)
	root := merkle(m.leaves)
	header = append(header, root[:]...)
	header = binary.LittleEndian.AppendUint32(header, firstTime+m.height*blockSeconds)
	header = binary.LittleEndian.AppendUint32(header, bits)
	header = binary.LittleEndian.AppendUint32(header, 0)
	for nonce := uint32(0); ; nonce++ { // one in two has enough work
		binary.LittleEndian.PutUint32(header[76:], nonce)
		once := sha256.Sum256(header)
		if m.parent = sha256.Sum256(once[:]); m.parent[31] < 0x7f {
			break
		}
	}
	m.height++
	m.stats.Blocks++
	return m.emit(header, count, first, m.body)
}

func (m *maker) emit(parts ...[]byte) error {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if m.file == nil || m.length+int64(size) > m.options.FileBytes {
		if err := m.nextFile(); err != nil {
			return err
		}
	}
	frame := binary.LittleEndian.AppendUint32([]byte{0xfa, 0xbf, 0xb5, 0xda}, uint32(size))
	for _, part := range append([][]byte{frame}, parts...) {
		if _, err := m.out.Write(part); err != nil {
			return err
		}
	}
	m.length += int64(size) + 8
	m.stats.Bytes += uint64(size)
	return nil
}

func (m *maker) nextFile() error {
	if err := m.closeFile(); err != nil {
		return err
	}
	var err error
	m.file, err = os.Create(filepath.Join(m.folder, fmt.Sprintf("blk%05d.dat", m.files)))
	if err != nil {
		return err
	}
	m.files++
	m.length = 0
	m.out = bufio.NewWriterSize(m.file, 1<<20)
	return nil
}

func (m *maker) closeFile() error {
	if m.file == nil {
		return nil
	}
	err := errors.Join(m.out.Flush(), m.file.Close())
	m.file = nil
	return err
}

func appendCount(dst []byte, n int) []byte {
	switch {
	case n < 0xfd:
		return append(dst, byte(n))
	case n <= math.MaxUint16:
		return binary.LittleEndian.AppendUint16(append(dst, 0xfd), uint16(n))
	}
	return binary.LittleEndian.AppendUint32(append(dst, 0xfe), uint32(n))
}

func merkle(leaves [][32]byte) [32]byte {
	level := append([][32]byte(nil), leaves...)
	var pair [64]byte
	for len(level) > 1 {
		next := level[:0]
		for i := 0; i < len(level); i += 2 {
			copy(pair[:32], level[i][:])
			copy(pair[32:], level[min(i+1, len(level)-1)][:])
			once := sha256.Sum256(pair[:])
			next = append(next, sha256.Sum256(once[:]))
		}
		level = next
	}
	return level[0]
}
