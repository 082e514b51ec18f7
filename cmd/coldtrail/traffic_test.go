package main

import (
	"crypto/ecdsa"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"coldtrail/internal/nodetest"
)

// world is contracts and people on a real node, and random traffic between them.
type world struct {
	tb        testing.TB
	node      *nodetest.EVM
	contracts map[string]nodetest.Contract
	random    *rand.Rand
	people    []*person
	issuer    *person
	nobody    *ecdsa.PrivateKey // sends nothing: signs authorizations that never hold

	wrapped, usda, usdb, staked, router, spreader common.Address
	poolA, poolB, poolS                           common.Address
	pending                                       []common.Hash
	nonce                                         map[common.Address]uint64
}

// person is somebody with a key.
type person struct {
	key     *ecdsa.PrivateKey
	address common.Address
}

const gasLimit = 3_000_000

var (
	ether   = big.NewInt(1e18)
	gasCost = big.NewInt(50e9)
)

func milli(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }

// newWorld deploys the contracts, funds people and fills the pools.
func newWorld(tb testing.TB, node *nodetest.EVM, seed uint64) *world {
	tb.Helper()
	w := &world{tb: tb, node: node, contracts: nodetest.Contracts(tb), random: rand.New(rand.NewPCG(seed, 1)), nonce: map[common.Address]uint64{}}
	var rich []common.Address
	node.Call(&rich, "eth_accounts")
	for i := range 7 {
		key, err := crypto.ToECDSA(common.LeftPadBytes([]byte{byte(seed), byte(i + 1)}, 32))
		if err != nil {
			tb.Fatal(err)
		}
		p := &person{key, crypto.PubkeyToAddress(key.PublicKey)}
		w.people = append(w.people, p)
		var hash common.Hash
		node.Call(&hash, "eth_sendTransaction", map[string]any{"from": rich[0], "to": p.address, "value": (*hexutil.Big)(new(big.Int).Mul(ether, big.NewInt(1000)))})
		w.pending = append(w.pending, hash)
	}
	w.mine()
	w.issuer = w.people[0]
	var err error
	if w.nobody, err = crypto.ToECDSA(common.LeftPadBytes([]byte{byte(seed), 99}, 32)); err != nil {
		tb.Fatal(err)
	}
	w.wrapped, w.usda, w.usdb, w.staked = w.deploy("Wrapped"), w.deploy("Dollar"), w.deploy("Dollar"), w.deploy("Staked")
	w.poolA, w.poolB, w.poolS = w.deploy("Pool", w.usda, w.wrapped), w.deploy("Pool", w.usdb, w.wrapped), w.deploy("Pool", w.staked, w.wrapped)
	executor := w.deploy("Executor")
	w.router = w.deploy("Router", w.wrapped, executor, w.people[6].address)
	w.spreader = w.deploy("Spreader")
	w.mine()
	w.fill()
	return w
}

// fill gives everybody some of everything, and lets the router take it.
func (w *world) fill() {
	for _, p := range w.people[1:] {
		w.call(w.issuer, w.usda, nil, "Dollar", "mint", p.address, milli(1_000_000))
		w.call(w.issuer, w.usdb, nil, "Dollar", "mint", p.address, milli(1_000_000))
		w.call(p, w.wrapped, milli(50_000), "Wrapped", "deposit")
		w.call(p, w.staked, milli(50_000), "Staked", "submit")
		for _, token := range []common.Address{w.usda, w.usdb, w.wrapped, w.staked} {
			w.call(p, token, nil, "Dollar", "approve", w.router, new(big.Int).Lsh(big.NewInt(1), 200))
		}
	}
	w.mine()
	w.call(w.issuer, w.usda, nil, "Dollar", "mint", w.poolA, milli(10_000_000))
	w.call(w.issuer, w.usdb, nil, "Dollar", "mint", w.poolB, milli(10_000_000))
	w.call(w.people[1], w.wrapped, milli(300_000), "Wrapped", "deposit")
	w.call(w.people[2], w.staked, milli(100_000), "Staked", "submit")
	w.mine()
	for _, pool := range []common.Address{w.poolA, w.poolB, w.poolS} {
		w.call(w.people[1], w.wrapped, nil, "Wrapped", "transfer", pool, milli(100_000))
	}
	w.call(w.people[2], w.staked, nil, "Staked", "transfer", w.poolS, milli(100_000))
	w.mine()
}

// mine puts what was sent into a block.
func (w *world) mine() {
	w.tb.Helper()
	w.node.Wait(w.pending)
	w.pending = w.pending[:0]
}

func (w *world) next(p *person) uint64 {
	n, ok := w.nonce[p.address]
	if !ok {
		var count hexutil.Uint64
		w.node.Call(&count, "eth_getTransactionCount", p.address, "pending")
		n = uint64(count)
	}
	w.nonce[p.address] = n + 1
	return n
}

// send signs and sends a transaction, of a random type where it has no other.
func (w *world) send(p *person, to *common.Address, value *big.Int, data []byte) common.Hash {
	w.tb.Helper()
	if value == nil {
		value = new(big.Int)
	}
	id, _ := uint256.FromBig(w.node.ID)
	nonce := w.next(p)
	var body types.TxData
	switch kind := w.random.IntN(5); {
	case kind == 0:
		body = &types.LegacyTx{Nonce: nonce, GasPrice: gasCost, Gas: gasLimit, To: to, Value: value, Data: data}
	case kind == 1:
		body = &types.AccessListTx{
			ChainID: w.node.ID, Nonce: nonce, GasPrice: gasCost, Gas: gasLimit, To: to, Value: value, Data: data,
			AccessList: types.AccessList{{Address: w.usda, StorageKeys: []common.Hash{{1}, {2}}}, {Address: w.router, StorageKeys: []common.Hash{}}},
		}
	case kind == 2 && to != nil && p != w.issuer:
		authorization, err := types.SignSetCode(w.nobody, types.SetCodeAuthorization{ChainID: *id, Address: w.router, Nonce: 1 << 40}) // never valid
		if err != nil {
			w.tb.Fatal(err)
		}
		amount, _ := uint256.FromBig(value)
		body = &types.SetCodeTx{
			ChainID: id, Nonce: nonce, GasTipCap: uint256.NewInt(2e9), GasFeeCap: uint256.MustFromBig(gasCost), Gas: gasLimit, To: *to, Value: amount, Data: data,
			AuthList: []types.SetCodeAuthorization{authorization},
		}
	default:
		body = &types.DynamicFeeTx{ChainID: w.node.ID, Nonce: nonce, GasTipCap: big.NewInt(1 + w.random.Int64N(3e9)), GasFeeCap: gasCost, Gas: gasLimit, To: to, Value: value, Data: data}
	}
	tx, err := types.SignNewTx(p.key, types.LatestSignerForChainID(w.node.ID), body)
	if err != nil {
		w.tb.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		w.tb.Fatal(err)
	}
	var hash common.Hash
	w.node.Call(&hash, "eth_sendRawTransaction", hexutil.Bytes(raw))
	w.pending = append(w.pending, hash)
	return hash
}

func (w *world) deploy(name string, args ...any) common.Address {
	w.tb.Helper()
	c := w.contracts[name]
	input, err := c.ABI.Pack("", args...)
	if err != nil {
		w.tb.Fatal(name, err)
	}
	address := crypto.CreateAddress(w.issuer.address, w.peek(w.issuer))
	w.send(w.issuer, nil, nil, append(append([]byte{}, c.Code...), input...))
	return address
}

func (w *world) peek(p *person) uint64 {
	n := w.next(p)
	w.nonce[p.address] = n
	return n
}

func (w *world) call(p *person, to common.Address, value *big.Int, contract, method string, args ...any) common.Hash { //nolint:revive // who calls what with what
	w.tb.Helper()
	data, err := w.contracts[contract].ABI.Pack(method, args...)
	if err != nil {
		w.tb.Fatal(contract, method, err)
	}
	return w.send(p, &to, value, data)
}

// somebody is anyone but the issuer.
func (w *world) somebody() *person { return w.people[1+w.random.IntN(len(w.people)-1)] }

// something is an amount, sometimes nothing and sometimes too much.
func (w *world) something() *big.Int {
	switch w.random.IntN(12) {
	case 0:
		return new(big.Int)
	case 1:
		return milli(1 << 40)
	}
	return new(big.Int).Add(milli(1+w.random.Int64N(900)), big.NewInt(w.random.Int64N(1e9)))
}

// act does one random thing.
func (w *world) act() {
	p, q := w.somebody(), w.somebody()
	amount := w.something()
	ethers := new(big.Int).Mod(amount, milli(2000)) // nobody can send a transaction worth more than they have
	tokens := []common.Address{w.usda, w.usdb, w.wrapped, w.staked}
	token := tokens[w.random.IntN(len(tokens))]
	switch w.random.IntN(16) {
	case 0, 1:
		w.send(p, &q.address, ethers, nil)
	case 2, 3:
		w.call(p, token, nil, "Dollar", "transfer", q.address, amount)
	case 4:
		w.call(p, w.wrapped, ethers, "Wrapped", "deposit")
	case 5:
		w.call(p, w.wrapped, nil, "Wrapped", "withdraw", amount)
	case 6:
		w.call(p, w.staked, ethers, "Staked", "submit")
	case 7:
		w.call(p, w.staked, nil, "Staked", "rebase", big.NewInt(w.random.Int64N(1e15)))
	case 8:
		w.trade(p, q, []common.Address{w.poolA, w.poolB}, w.usda, amount, false)
	case 9:
		w.trade(p, q, []common.Address{w.poolS}, w.staked, amount, true)
	case 10:
		w.call(p, w.router, ethers, "Router", "trade", []common.Address{w.poolB}, w.wrapped, ethers, q.address, false, big.NewInt(30))
	case 11, 12:
		w.spreadSomehow(p, q, ethers)
	case 13:
		w.call(p, w.usdb, nil, "Dollar", "burn", amount)
	case 14:
		w.send(p, &w.wrapped, ethers, nil)
	case 15:
		w.call(w.issuer, w.usda, nil, "Dollar", []string{"freeze", "release", "destroy"}[w.random.IntN(3)], w.people[5].address)
	}
}

func (w *world) trade(p, to *person, pools []common.Address, given common.Address, amount *big.Int, unwrap bool) common.Hash { //nolint:revive // what users choose
	return w.call(p, w.router, nil, "Router", "trade", pools, given, amount, to.address, unwrap, big.NewInt(25))
}

func (w *world) spreadSomehow(p, q *person, ethers *big.Int) {
	third := new(big.Int).Div(ethers, big.NewInt(3))
	switch w.random.IntN(7) {
	case 0:
		w.call(p, w.spreader, ethers, "Spreader", "spread", []common.Address{q.address, p.address, w.people[3].address}, third)
	case 1:
		w.call(p, w.spreader, ethers, "Spreader", "tryAndFail", q.address, third)
	case 2:
		w.call(p, w.spreader, ethers, "Spreader", "brief", q.address, third)
	case 3:
		w.call(p, w.spreader, ethers, "Spreader", "briefToItself", third)
	case 4:
		w.call(p, w.spreader, ethers, "Spreader", "lasting", third)
	case 5:
		w.call(p, w.spreader, ethers, "Spreader", "loop", third)
	case 6:
		w.call(p, w.spreader, ethers, "Spreader", "fail")
	}
}

// ask calls a view of a contract.
func (w *world) ask(to common.Address, at, contract, method string, args ...any) *big.Int {
	w.tb.Helper()
	data, err := w.contracts[contract].ABI.Pack(method, args...)
	if err != nil {
		w.tb.Fatal(err)
	}
	var word hexutil.Bytes
	w.node.Call(&word, "eth_call", map[string]any{"to": to, "data": hexutil.Bytes(data)}, at)
	return new(big.Int).SetBytes(word)
}

func (w *world) stakedBalance(holder common.Address) *big.Int {
	return w.ask(w.staked, "latest", "Staked", "balanceOf", holder)
}

// gained is how much an account's native balance grew in the newest block.
func (w *world) gained(account common.Address) *big.Int {
	var now, before hexutil.Big
	tip := w.node.Tip()
	w.node.Call(&now, "eth_getBalance", account, hexutil.Uint64(tip))
	w.node.Call(&before, "eth_getBalance", account, hexutil.Uint64(tip-1))
	return new(big.Int).Sub(now.ToInt(), before.ToInt())
}

// movedShares is what the TransferShares event of a transaction says.
func (w *world) movedShares(tx common.Hash) *big.Int {
	w.tb.Helper()
	var receipt types.Receipt
	w.node.Call(&receipt, "eth_getTransactionReceipt", tx)
	for _, l := range receipt.Logs {
		if l.Topics[0] == w.contracts["Staked"].ABI.Events["TransferShares"].ID {
			return new(big.Int).SetBytes(l.Data)
		}
	}
	w.tb.Fatalf("transaction %s moved no shares", tx)
	return nil
}
