package nodetest

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"coldtrail/internal/replay"
	"coldtrail/ledger"
)

// AccountStage plays a replay on anvil: a router of THORChain's shape, tokens, a desk
// that trades, and accounts with keys of their own. Every transaction gets a block of
// its own, so that its cost is known at once.
type AccountStage struct {
	keys      map[common.Address]*ecdsa.PrivateKey
	nonces    map[common.Address]uint64
	node      *EVM
	contracts map[string]Contract
	at        map[string]common.Address // deployed, by name
	tokens    map[string]common.Address
	now, last int64
}

// The prices of gas in wei, as the replay's own ledger has them.
const (
	stageBaseFee = 2_000_000_000
	stageTip     = 100_000_000
)

// NewAccountStage deploys what a replay needs.
func NewAccountStage(node *EVM, contracts map[string]Contract, begin int64) (*AccountStage, error) {
	s := &AccountStage{keys: map[common.Address]*ecdsa.PrivateKey{}, nonces: map[common.Address]uint64{}, node: node, contracts: contracts, at: map[string]common.Address{}, tokens: map[string]common.Address{}, now: begin}
	issuer := s.account("issuer", 0)
	for name, contract := range map[string]string{"router": "Crossing", "aggregator": "Front", "okx aggregator": "Front", "desk": "Desk"} {
		address, err := s.deploy(issuer, contract)
		if err != nil {
			return nil, err
		}
		s.at[name] = address
	}
	for _, token := range []string{"steth", "meth", "cmeth", "usdt"} {
		address, err := s.deploy(issuer, "Dollar")
		if err != nil {
			return nil, err
		}
		s.tokens[token] = address
	}
	return s, s.fund(s.at["desk"], new(big.Int).Lsh(big.NewInt(1), 100))
}

func (s *AccountStage) fund(account common.Address, amount *big.Int) error {
	return s.node.Client.Call(nil, "anvil_setBalance", account, (*hexutil.Big)(amount))
}

func (s *AccountStage) deploy(from common.Address, name string) (common.Address, error) {
	if err := s.fund(from, new(big.Int).Lsh(big.NewInt(1), 90)); err != nil {
		return common.Address{}, err
	}
	receipt, _, err := s.send(from, nil, nil, s.contracts[name].Code)
	if err != nil || receipt.ContractAddress == nil {
		return common.Address{}, errors.Join(err, fmt.Errorf("%s was not deployed", name))
	}
	return *receipt.ContractAddress, nil
}

// URL is where the node answers.
func (s *AccountStage) URL() string { return s.node.URL }

// Chain is anvil's.
func (s *AccountStage) Chain() ledger.Chain { return ledger.Chain("eip155:" + s.node.ID.String()) }

func (s *AccountStage) account(role string, index int) common.Address {
	if at, ok := s.at[role]; ok {
		return at
	}
	key, err := crypto.ToECDSA(crypto.Keccak256(fmt.Appendf(nil, "stage:%s:%d", role, index)))
	if err != nil {
		panic(err) // one hash in 2^128 is no key
	}
	address := crypto.PubkeyToAddress(key.PublicKey)
	s.keys[address] = key
	return address
}

// Account is the address of a role.
func (s *AccountStage) Account(role string, index int) string {
	return strings.ToLower(s.account(role, index).Hex())
}

// Token is the asset of a token.
func (s *AccountStage) Token(name string) string {
	if name == "" {
		return string(s.Chain().Native())
	}
	return string(s.Chain()) + "/erc20:" + strings.ToLower(s.tokens[name].Hex())
}

// Router is the one that was deployed.
func (s *AccountStage) Router() string { return strings.ToLower(s.at["router"].Hex()) }

// Grant adds to what an account holds; a token is minted by its issuer.
func (s *AccountStage) Grant(account, token string, amount *big.Int) {
	to := common.HexToAddress(account)
	if token != "" {
		if _, err := s.call(s.account("issuer", 0), s.tokens[token], nil, "Dollar", "mint", to, amount); err != nil {
			s.node.tb.Error(err)
		}
		return
	}
	var held hexutil.Big
	s.node.Call(&held, "eth_getBalance", to, "latest")
	if err := s.fund(to, new(big.Int).Add(held.ToInt(), amount)); err != nil {
		s.node.tb.Error(err)
	}
}

// At sets the time of what comes next.
func (s *AccountStage) At(moment int64) error {
	s.now = moment
	return nil
}

// Close does nothing: every transaction is in a block.
func (*AccountStage) Close() error { return nil }

// stageReceipt is what the node says of a transaction.
type stageReceipt struct {
	Status          hexutil.Uint64  `json:"status"`
	GasUsed         hexutil.Uint64  `json:"gasUsed"`
	Price           hexutil.Big     `json:"effectiveGasPrice"`
	ContractAddress *common.Address `json:"contractAddress"`
}

// send signs a transaction, sends and mines it.
func (s *AccountStage) send(from common.Address, to *common.Address, value *big.Int, data []byte) (r stageReceipt, sent replay.Sent, err error) {
	c := s.node.Client
	s.last = max(s.now, s.last+1)
	key := s.keys[from]
	if key == nil {
		return r, sent, fmt.Errorf("nobody has the key of %s", from)
	}
	tx := &types.DynamicFeeTx{
		ChainID: s.node.ID, Nonce: s.nonces[from], To: to, Value: value, Data: data, Gas: 5_000_000, GasFeeCap: big.NewInt(stageBaseFee + stageTip), GasTipCap: big.NewInt(stageTip),
	}
	if to != nil && len(data) == 0 {
		tx.Gas = 21_000
	} else if to != nil { // the node keeps the whole limit back, so that it must be near the truth
		ask := map[string]any{"from": from, "to": *to, "data": hexutil.Bytes(data)}
		if value != nil {
			ask["value"] = (*hexutil.Big)(value)
		}
		var estimate hexutil.Uint64
		if err := c.Call(&estimate, "eth_estimateGas", ask); err != nil {
			return r, sent, fmt.Errorf("from %s: %w", from, err)
		}
		tx.Gas = uint64(estimate)
	}
	signed, err := types.SignNewTx(key, types.LatestSignerForChainID(s.node.ID), tx)
	if err != nil {
		return r, sent, err
	}
	raw, err := signed.MarshalBinary()
	if err != nil {
		return r, sent, err
	}
	id := signed.Hash()
	err = errors.Join(c.Call(nil, "anvil_setNextBlockBaseFeePerGas", hexutil.Uint64(stageBaseFee)), c.Call(nil, "evm_setNextBlockTimestamp", s.last),
		c.Call(nil, "eth_sendRawTransaction", hexutil.Bytes(raw)), c.Call(nil, "evm_mine"))
	if err == nil {
		err = c.Call(&r, "eth_getTransactionReceipt", id)
	}
	if err == nil && r.Status != 1 {
		err = fmt.Errorf("transaction %s failed", id)
	}
	if err != nil {
		return r, sent, err
	}
	s.nonces[from]++
	tip := new(big.Int).Sub(r.Price.ToInt(), big.NewInt(stageBaseFee))
	gas := new(big.Int).SetUint64(uint64(r.GasUsed))
	return r, replay.Sent{ID: id.Hex(), Hash: ledger.Hash(id), Burned: new(big.Int).Mul(gas, big.NewInt(stageBaseFee)), Tip: tip.Mul(tip, gas)}, nil
}

// call sends a call of a contract's method.
func (s *AccountStage) call(from, to common.Address, value *big.Int, contract, method string, args ...any) (replay.Sent, error) { //nolint:revive // who calls what with what
	parsed := s.contracts[contract].ABI
	data, err := parsed.Pack(method, args...)
	if err != nil {
		return replay.Sent{}, err
	}
	_, sent, err := s.send(from, &to, value, data)
	return sent, err
}

// Send sends the native asset or a token.
func (s *AccountStage) Send(from, to, token string, amount *big.Int) (replay.Sent, error) {
	sender, receiver := common.HexToAddress(from), common.HexToAddress(to)
	if token == "" {
		_, sent, err := s.send(sender, &receiver, amount, nil)
		return sent, err
	}
	if s.keys[sender] == nil && amount.Sign() == 0 { // a transfer of nothing needs nobody's leave: so addresses are poisoned
		spammer := s.account("spammer", 0)
		if err := s.fund(spammer, new(big.Int).Lsh(big.NewInt(1), 80)); err != nil {
			return replay.Sent{}, err
		}
		sent, err := s.call(spammer, s.tokens[token], nil, "Dollar", "transferFrom", sender, receiver, amount)
		sent.Burned, sent.Tip = new(big.Int), new(big.Int) // not paid by whom it names
		return sent, err
	}
	return s.call(sender, s.tokens[token], nil, "Dollar", "transfer", receiver, amount)
}

// Swap trades at the desk; a token is approved first.
func (s *AccountStage) Swap(trader string, give, get replay.Leg) (replay.Sent, error) {
	from, desk := common.HexToAddress(trader), s.at["desk"]
	var approved replay.Sent
	var value *big.Int
	if give.Token != "" {
		var err error
		if approved, err = s.call(from, s.tokens[give.Token], nil, "Dollar", "approve", desk, give.Amount); err != nil {
			return approved, err
		}
	} else {
		value = give.Amount
	}
	if get.Token != "" {
		if _, err := s.call(s.account("issuer", 0), s.tokens[get.Token], nil, "Dollar", "mint", desk, get.Amount); err != nil {
			return approved, err
		}
	}
	sent, err := s.call(from, desk, value, "Desk", "trade", s.tokens[give.Token], give.Amount, s.tokens[get.Token], get.Amount)
	if approved.Burned != nil {
		sent.Before = &approved
	}
	return sent, err
}

// Deposit goes through the router, or through a contract in front of it.
func (s *AccountStage) Deposit(from, vault string, amount *big.Int, memo, via string) (replay.Sent, error) {
	if via != "" {
		return s.call(common.HexToAddress(from), common.HexToAddress(via), amount, "Front", "swapIn", s.at["router"], common.HexToAddress(vault), memo)
	}
	expires := new(big.Int).SetInt64(1 << 60)
	return s.call(common.HexToAddress(from), s.at["router"], amount, "Crossing", "depositWithExpiry", common.HexToAddress(vault), common.Address{}, new(big.Int), memo, expires)
}

// PayOut is a vault's transferOut.
func (s *AccountStage) PayOut(vault, to string, amount *big.Int, memo string) (replay.Sent, error) {
	return s.call(common.HexToAddress(vault), s.at["router"], amount, "Crossing", "transferOut", common.HexToAddress(to), common.Address{}, amount, memo)
}

// Freeze is the issuer's word about a holder.
func (s *AccountStage) Freeze(token, holder string) (replay.Sent, error) {
	return s.call(s.account("issuer", 0), s.tokens[token], nil, "Dollar", "freeze", common.HexToAddress(holder))
}
