package nodetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"

	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"golang.org/x/crypto/ripemd160" //nolint:staticcheck // HASH160 is defined by it

	"coldtrail/internal/replay"
	"coldtrail/ledger"
)

// OutputStage plays a replay on btcd: real keys, signatures and blocks. It puts the
// blocks together itself, so that they bear the replay's times; the node checks
// everything.
type OutputStage struct {
	node   *Bitcoin
	keys   map[string]*btcec.PrivateKey // by address
	tip    chainhash.Hash
	height int32
	now    int64 // of the open block
	open   []*wire.MsgTx
	bank   []replay.Coin // clean coins to mint from
	banker string
}

// simnetChain is btcd's simulation network.
const simnetChain ledger.Chain = "bip122:683e86bd5c6d110d91b94b97137ba6bf"

const (
	simnetBits   = 0x207fffff
	stageReward  = 50_0000_0000
	stageBlocks  = 450 // segwit begins at 300, rewards ripen for 100
	stageSeconds = 600
	stageFee     = 5_000
)

// NewOutputStage mines what a replay begins with, up to a moment.
func NewOutputStage(node *Bitcoin, begin int64) (*OutputStage, error) {
	s := &OutputStage{node: node, keys: map[string]*btcec.PrivateKey{}}
	var best string
	node.call(&best, "getbestblockhash")
	tip, err := chainhash.NewHashFromStr(best)
	if err != nil {
		return nil, err
	}
	s.tip, s.banker = *tip, s.Wallet("bank", 0)
	for i := range int64(stageBlocks) {
		s.now = begin - (stageBlocks-i)*stageSeconds
		if err := s.mine(); err != nil {
			return nil, err
		}
	}
	s.bank = s.bank[:len(s.bank)-110] // the others are not ripe, and nobody waits for them
	s.now = 0
	return s, nil
}

// Chain is the simulation network.
func (*OutputStage) Chain() ledger.Chain { return simnetChain }

// Wallet makes a key and gives its P2WPKH address.
func (s *OutputStage) Wallet(role string, index int) string {
	seed := sha256.Sum256(fmt.Appendf(nil, "stage:%s:%d", role, index))
	key, public := btcec.PrivKeyFromBytes(seed[:])
	program := hash160(public.SerializeCompressed())
	words, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		panic(err) // twenty bytes always convert
	}
	text, err := bech32.Encode("sb", append([]byte{0}, words...))
	if err != nil {
		panic(err)
	}
	s.keys[text] = key
	return text
}

// hash160 is RIPEMD-160 of SHA-256.
func hash160(data []byte) []byte {
	once := sha256.Sum256(data)
	h := ripemd160.New()
	h.Write(once[:])
	return h.Sum(nil)
}

func script(address string) ([]byte, error) {
	_, words, err := bech32.Decode(address)
	if err != nil {
		return nil, err
	}
	program, err := bech32.ConvertBits(words[1:], 5, 8, false)
	return append([]byte{0, 20}, program...), err
}

// At closes the open block if the moment belongs to a later one.
func (s *OutputStage) At(moment int64) error {
	block := moment / stageSeconds * stageSeconds
	if s.now != 0 && block > s.now && len(s.open) > 0 {
		if err := s.mine(); err != nil {
			return err
		}
	}
	s.now = block
	return nil
}

// Close mines the last block.
func (s *OutputStage) Close() error {
	if len(s.open) == 0 {
		return nil
	}
	return s.mine()
}

// mine puts the open transactions into a block with enough work and hands it over.
func (s *OutputStage) mine() error {
	s.height++
	number, err := txscript.NewScriptBuilder().AddInt64(int64(s.height)).AddData([]byte("replay")).Script()
	if err != nil {
		return err
	}
	pay, err := script(s.banker)
	if err != nil {
		return err
	}
	reward := wire.NewMsgTx(2)
	reward.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: 1<<32 - 1}, SignatureScript: number, Sequence: 1<<32 - 1})
	reward.AddTxOut(wire.NewTxOut(stageReward, pay))
	txs := append([]*wire.MsgTx{reward}, s.open...)
	if len(s.open) > 0 {
		reward.TxIn[0].Witness = wire.TxWitness{make([]byte, 32)}
		witnesses := []chainhash.Hash{{}}
		for _, tx := range s.open {
			witnesses = append(witnesses, tx.WitnessHash())
		}
		root := merkle(witnesses)
		commitment := chainhash.DoubleHashB(append(root[:], make([]byte, 32)...))
		reward.AddTxOut(wire.NewTxOut(0, append([]byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, commitment...)))
	}
	ids := make([]chainhash.Hash, len(txs))
	for i, tx := range txs {
		ids[i] = tx.TxHash()
	}
	block := wire.NewMsgBlock(&wire.BlockHeader{Version: 0x20000000, PrevBlock: s.tip, MerkleRoot: merkle(ids), Timestamp: time.Unix(s.now, 0), Bits: simnetBits})
	block.Transactions = txs
	for limit := new(big.Int).Lsh(big.NewInt(0x7fffff), 8*(0x20-3)); ; block.Header.Nonce++ {
		hash := block.Header.BlockHash()
		for i, j := 0, len(hash)-1; i < j; i, j = i+1, j-1 {
			hash[i], hash[j] = hash[j], hash[i]
		}
		if new(big.Int).SetBytes(hash[:]).Cmp(limit) <= 0 {
			break
		}
	}
	var raw bytes.Buffer
	if err := block.Serialize(&raw); err != nil {
		return err
	}
	var refusal any
	s.node.call(&refusal, "submitblock", hex.EncodeToString(raw.Bytes()))
	if refusal != nil {
		return fmt.Errorf("btcd refuses block %d: %v", s.height, refusal)
	}
	s.tip = block.BlockHash()
	s.open = nil
	s.bank = append(s.bank, replay.Coin{Tx: reverse(ids[0]), Value: stageReward, Owner: s.banker})
	return nil
}

// merkle is the root of a merkle tree as Bitcoin builds it.
func merkle(level []chainhash.Hash) chainhash.Hash {
	for len(level) > 1 {
		var next []chainhash.Hash
		for i := 0; i < len(level); i += 2 {
			right := level[min(i+1, len(level)-1)]
			next = append(next, chainhash.DoubleHashH(append(level[i][:], right[:]...)))
		}
		level = next
	}
	return level[0]
}

// reverse is a hash as people print it.
func reverse(h chainhash.Hash) (out ledger.Hash) {
	for i := range h {
		out[len(h)-1-i] = h[i]
	}
	return out
}

// Mint pays from the bank.
func (s *OutputStage) Mint(to string, value int64) (replay.Coin, error) {
	var coins []replay.Coin
	sum := int64(0)
	for sum < value+stageFee {
		if len(s.bank) == 0 {
			return replay.Coin{}, fmt.Errorf("the bank has no ripe coins for %d satoshi", value)
		}
		coins, sum = append(coins, s.bank[0]), sum+s.bank[0].Value
		s.bank = s.bank[1:]
	}
	pays := []replay.Pay{{To: to, Value: value}}
	if rest := sum - value - stageFee; rest > 10_000 {
		pays = append(pays, replay.Pay{To: s.banker, Value: rest})
	}
	_, made, err := s.Spend(coins, pays, "")
	if err != nil {
		return replay.Coin{}, err
	}
	if len(made) > 1 {
		s.bank = append([]replay.Coin{made[1]}, s.bank...)
	}
	return made[0], nil
}

// The length beyond which a memo goes on in other outputs, and what those hold.
const (
	stageMemo = 79
	stageDust = 294
)

// Spend signs and keeps a transaction for the open block.
func (s *OutputStage) Spend(coins []replay.Coin, pays []replay.Pay, memo string) (string, []replay.Coin, error) {
	tx := wire.NewMsgTx(2)
	for i := range coins {
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash(reverse(chainhash.Hash(coins[i].Tx))), Index: coins[i].Index}, Sequence: 1<<32 - 1})
	}
	var made []replay.Coin
	add := func(value int64, pkScript []byte, owner string) {
		made = append(made, replay.Coin{Index: uint32(len(tx.TxOut)), Value: value, Owner: owner})
		tx.AddTxOut(wire.NewTxOut(value, pkScript))
	}
	for i := range pays {
		pkScript, err := script(pays[i].To)
		if err != nil {
			return "", nil, err
		}
		add(pays[i].Value, pkScript, pays[i].To)
	}
	if memo != "" {
		chunk, rest := memo, ""
		if len(memo) > stageMemo+1 {
			chunk, rest = memo[:stageMemo]+"^", memo[stageMemo:]
		}
		data, err := txscript.NullDataScript([]byte(chunk))
		if err != nil {
			return "", nil, err
		}
		add(0, data, "data")
		for ; rest != ""; rest = rest[min(20, len(rest)):] {
			payload := make([]byte, 20)
			copy(payload, rest)
			add(stageDust, append([]byte{0, 20}, payload...), "data")
		}
	}
	if err := s.sign(tx, coins); err != nil {
		return "", nil, err
	}
	s.open = append(s.open, tx)
	id := tx.TxHash()
	for i := range made {
		made[i].Tx = reverse(id)
	}
	return id.String(), made, nil
}

// sign signs every input (BIP-143).
func (s *OutputStage) sign(tx *wire.MsgTx, coins []replay.Coin) error {
	previous := txscript.NewMultiPrevOutFetcher(nil)
	for i := range coins {
		pkScript, err := script(coins[i].Owner)
		if err != nil {
			return err
		}
		previous.AddPrevOut(tx.TxIn[i].PreviousOutPoint, wire.NewTxOut(coins[i].Value, pkScript))
	}
	hashes := txscript.NewTxSigHashes(tx, previous)
	for i := range coins {
		pkScript, err := script(coins[i].Owner)
		if err != nil {
			return err
		}
		key := s.keys[coins[i].Owner]
		if key == nil {
			return fmt.Errorf("nobody has the key of %s", coins[i].Owner)
		}
		witness, err := txscript.WitnessSignature(tx, hashes, i, coins[i].Value, pkScript, txscript.SigHashAll, key, true)
		if err != nil {
			return err
		}
		tx.TxIn[i].Witness = witness
	}
	return nil
}
