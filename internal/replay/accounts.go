package replay

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/sha3"

	"coldtrail/ledger"
)

// Accounts plays on an account chain that is only a ledger: balances, fees,
// movements in execution order and logs, as a node's blocks would give them.
type Accounts struct {
	sink    func(*ledger.Block) error
	block   *ledger.Block
	height  ledger.Height
	parent  ledger.Hash
	balance map[string]*big.Int // by account and asset
	opening []ledger.Opening
	sent    uint64
	logs    uint32
	seed    uint64
}

// The public places of the case on Ethereum. Everything else is made from the seed.
var (
	publicAccounts = map[string]string{
		"bybit cold wallet": "0x1db92e2eebc8e0c075a02bea49a2935bcd2dfcf4",
		"receiver":          "0x47666fab8bd0ac7003bce3f5c3585383f09486e2",
		"swapper":           "0xa4b2fd68593b6f34e51cb9edb66e71c1b4ab449e",
		"cmeth holder":      "0x1542368a03ad1f03d96d51b414f4738961cf4443",
		"second":            "0xdd90071d52f20e85c89802e5dc1ec0a7b6475f92",
		"thorchain router":  "0xd37bbe5744d730a1d98d8dc97c42f0ca46ad7146",
	}
	publicTokens = map[string]string{
		"steth": "0xae7ab96520de3a18e5e111b5eaab095312d7fe84",
		"meth":  "0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa",
		"cmeth": "0xe6829d9a7ee3040e1276fa75293bde931859e8fa",
		"usdt":  "0xdac17f958d2ee523a2206206994597c13d831ec7",
	}
)

// NewAccounts plays from a height on; blocks go to the sink.
func NewAccounts(seed uint64, first ledger.Height, sink func(*ledger.Block) error) *Accounts {
	return &Accounts{sink: sink, height: first, balance: map[string]*big.Int{}, seed: seed}
}

// Chain is Ethereum.
func (*Accounts) Chain() ledger.Chain { return ledger.Ethereum }

// Account is a public address of the case, or one made from the seed:
// keccak256("coldtrail:" seed ":" role ":" index), its last twenty bytes.
func (a *Accounts) Account(role string, index int) string {
	if public, ok := publicAccounts[role]; ok {
		return public
	}
	sum := keccak(fmt.Sprintf("coldtrail:%d:%s:%d", a.seed, role, index))
	return "0x" + hex.EncodeToString(sum[12:])
}

func keccak(text string) (h ledger.Hash) {
	state := sha3.NewLegacyKeccak256()
	state.Write([]byte(text))
	state.Sum(h[:0])
	return h
}

// Token is the asset of a token.
func (*Accounts) Token(name string) string {
	if name == "" {
		return string(ledger.Ethereum.Native())
	}
	return string(ledger.Ethereum) + "/erc20:" + publicTokens[name]
}

// Router is THORChain's.
func (*Accounts) Router() string { return publicAccounts["thorchain router"] }

// Grant states an opening balance in the next block.
func (a *Accounts) Grant(account, token string, amount *big.Int) {
	held := a.hold(account, token)
	held.Add(held, amount)
	o := ledger.Opening{Address: address(account), Asset: ledger.Asset(a.Token(token)), Amount: units(held), Before: a.height}
	for i := range a.opening {
		if a.opening[i].Address == o.Address && a.opening[i].Asset == o.Asset {
			a.opening[i] = o
			return
		}
	}
	a.opening = append(a.opening, o)
}

func (a *Accounts) hold(account, token string) *big.Int {
	key := account + " " + token
	if a.balance[key] == nil {
		a.balance[key] = new(big.Int)
	}
	return a.balance[key]
}

// slot is the time between blocks in seconds.
const slot = 12

// At closes the open block if the moment belongs to a later one.
func (a *Accounts) At(moment int64) error {
	if a.block != nil && moment/slot > a.block.Time/slot {
		if err := a.Close(); err != nil {
			return err
		}
	}
	if a.block == nil {
		a.block = &ledger.Block{Chain: ledger.Ethereum, Height: a.height, Parent: a.parent, Time: moment / slot * slot, Provenance: ledger.File}
		a.logs = 0
	}
	return nil
}

// Close hands the open block on, if it has anything in it.
func (a *Accounts) Close() error {
	b := a.block
	if b == nil || len(b.Txs) == 0 {
		a.block = nil
		return nil
	}
	b.Openings, a.opening = a.opening, nil
	b.Hash = keccak(fmt.Sprintf("block %d of replay %d after %s", b.Height, a.seed, b.Parent))
	a.parent, a.block = b.Hash, nil
	a.height++
	return a.sink(b)
}

// Fees per gas in wei: what is burned, and the tip.
const (
	baseFee = 2_000_000_000
	tipFee  = 100_000_000
)

// The gas of the kinds of transaction.
const (
	gasSend    = 21_000
	gasToken   = 100_000
	gasSwap    = 400_000 // bounds: on a real node a transaction may cost less
	gasDeposit = 120_000
	gasPayOut  = 60_000
)

// tx is a transaction while it is put together.
type tx struct {
	*ledger.Tx
	a      *Accounts
	native ledger.Asset
}

func (a *Accounts) begin(from string, gas int64) (*tx, *Sent) {
	a.sent++
	s := &Sent{Hash: keccak(fmt.Sprintf("transaction %d of replay %d", a.sent, a.seed)), Burned: big.NewInt(gas * baseFee), Tip: big.NewInt(gas * tipFee)}
	s.ID = "0x" + s.Hash.String()
	t := &ledger.Tx{ID: s.Hash, Index: uint32(len(a.block.Txs)), Fee: ledger.Fee{Payer: address(from), Burned: units(s.Burned), Tip: units(s.Tip)}}
	return &tx{t, a, ledger.Ethereum.Native()}, s
}

func (a *Accounts) end(t *tx, from string, s *Sent) (Sent, error) {
	paid := new(big.Int).Add(s.Burned, s.Tip)
	held := a.hold(from, "")
	if held.Cmp(paid) < 0 {
		return *s, fmt.Errorf("%s has %s wei and cannot pay its fee of %s", from, held, paid)
	}
	held.Sub(held, paid)
	a.block.Txs = append(a.block.Txs, *t.Tx)
	return *s, nil
}

// move moves value inside the transaction.
func (t *tx) move(from, to, token string, amount *big.Int, kind ledger.TransferKind) error {
	held := t.a.hold(from, token)
	if held.Cmp(amount) < 0 {
		return fmt.Errorf("%s has %s of %q and cannot send %s", from, held, token, amount)
	}
	held.Sub(held, amount)
	other := t.a.hold(to, token)
	other.Add(other, amount)
	m := ledger.Transfer{From: address(from), To: address(to), Asset: ledger.Asset(t.a.Token(token)), Amount: units(amount), LogIndex: ledger.NoLog, Kind: kind}
	if token != "" {
		m.LogIndex, m.Kind = int32(t.a.logs), ledger.Ordinary
		t.a.logs++
	}
	t.Transfers = append(t.Transfers, m)
	return nil
}

// log adds an event: its signature, indexed words and data.
func (t *tx) log(contract, signature string, indexed [][]byte, data []byte) {
	id := keccak(signature)
	m := ledger.Message{Kind: ledger.Log, Contract: address(contract), Position: t.a.logs, Data: append([]byte{byte(1 + len(indexed))}, id[:]...)}
	t.a.logs++
	for _, w := range indexed {
		m.Data = append(m.Data, w...)
	}
	m.Data = append(m.Data, data...)
	t.Messages = append(t.Messages, m)
}

// Send sends the native asset or a token.
func (a *Accounts) Send(from, to, token string, amount *big.Int) (Sent, error) {
	gas := int64(gasSend)
	if token != "" {
		gas = gasToken
	}
	t, s := a.begin(from, gas)
	if err := t.move(from, to, token, amount, ledger.Ordinary); err != nil {
		return *s, err
	}
	return a.end(t, from, s)
}

// Swap sells one asset for another through a router and a pool.
func (a *Accounts) Swap(trader string, give, get Leg) (Sent, error) {
	router, pool := a.Account("exchange router", 0), a.Account("pool "+give.Token+" "+get.Token, 0)
	a.hold(pool, get.Token).Add(a.hold(pool, get.Token), get.Amount) // pools are deep
	t, s := a.begin(trader, gasSwap)
	for i, leg := range []struct {
		from, to string
		Leg
	}{{trader, router, give}, {router, pool, give}, {pool, router, get}, {router, trader, get}} {
		kind := ledger.Internal
		if i == 0 {
			kind = ledger.Ordinary
		}
		if err := t.move(leg.from, leg.to, leg.Token, leg.Amount, kind); err != nil {
			return *s, err
		}
	}
	return a.end(t, trader, s)
}

// Deposit goes through the router: from there to the vault, with its memo.
func (a *Accounts) Deposit(from, vault string, amount *big.Int, memo, via string) (Sent, error) {
	t, s := a.begin(from, gasDeposit)
	path := []string{from, a.Router(), vault}
	if via != "" {
		path = []string{from, via, a.Router(), vault}
	}
	for i := range len(path) - 1 {
		kind := ledger.Internal
		if i == 0 {
			kind = ledger.Ordinary
		}
		if err := t.move(path[i], path[i+1], "", amount, kind); err != nil {
			return *s, err
		}
	}
	value := units(amount)
	word := value.Bytes32()
	t.log(a.Router(), "Deposit(address,address,uint256,string)", [][]byte{addressWord(vault), make([]byte, 32)}, append(append(word[:], count(64)...), text(memo)...))
	return a.end(t, from, s)
}

// PayOut is a vault's transferOut.
func (a *Accounts) PayOut(vault, to string, amount *big.Int, memo string) (Sent, error) {
	t, s := a.begin(vault, gasPayOut)
	if err := t.move(vault, a.Router(), "", amount, ledger.Ordinary); err != nil {
		return *s, err
	}
	if err := t.move(a.Router(), to, "", amount, ledger.Internal); err != nil {
		return *s, err
	}
	value := units(amount)
	word := value.Bytes32()
	data := append(append(append(make([]byte, 32), word[:]...), count(96)...), text(memo)...)
	t.log(a.Router(), "TransferOut(address,address,address,uint256,string)", [][]byte{addressWord(vault), addressWord(to)}, data)
	return a.end(t, vault, s)
}

// Freeze is an issuer's word about a holder.
func (a *Accounts) Freeze(token, holder string) (Sent, error) {
	issuer := a.Account("issuer "+token, 0)
	a.hold(issuer, "").Add(a.hold(issuer, ""), big.NewInt(1e18))
	t, s := a.begin(issuer, gasToken)
	t.Freezes = []ledger.Freeze{{Holder: address(holder), Asset: ledger.Asset(a.Token(token))}}
	t.log(publicTokens[token], "AddedBlackList(address)", nil, addressWord(holder))
	return a.end(t, issuer, s)
}

// Balance is what an account holds of a token.
func (a *Accounts) Balance(account, token string) *big.Int {
	return new(big.Int).Set(a.hold(account, token))
}

// Approve lets another account spend a token: an Approval event of EIP-20.
func (a *Accounts) Approve(owner, spender, token string, amount *big.Int) (Sent, error) {
	t, s := a.begin(owner, gasToken)
	value := units(amount)
	word := value.Bytes32()
	t.log(publicTokens[token], "Approval(address,address,uint256)", [][]byte{addressWord(owner), addressWord(spender)}, word[:])
	return a.end(t, owner, s)
}

// Create makes a contract: by the sender's own transaction, or by a contract that it calls.
func (a *Accounts) Create(sender, creator, contract string) (Sent, error) {
	t, s := a.begin(sender, gasSwap)
	by := address(creator)
	t.Messages = append(t.Messages, ledger.Message{Kind: ledger.Creation, Contract: address(contract), Data: by.Bytes()})
	return a.end(t, sender, s)
}

func address(text string) ledger.Address {
	payload, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(payload) != 20 {
		panic("replay: address " + text)
	}
	return ledger.NewAddress(ledger.EVMAccount, payload)
}

func units(amount *big.Int) ledger.Amount {
	value, over := new(ledger.Amount), false
	if over = value.SetFromBig(amount); over {
		panic("replay: amount " + amount.String())
	}
	return *value
}

func addressWord(text string) []byte {
	a := address(text)
	return append(make([]byte, 12), a.Bytes()...)
}

func count(n int) []byte {
	value := ledger.NewAmount(uint64(n))
	word := value.Bytes32()
	return word[:]
}

// text is a string as the Solidity ABI writes it behind its offset.
func text(s string) []byte {
	padded := make([]byte, (len(s)+31)/32*32)
	copy(padded, s)
	return append(count(len(s)), padded...)
}
