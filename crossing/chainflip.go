package crossing

import (
	"encoding/binary"
	"errors"
	"strconv"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// Chainflip swaps native assets through vaults that its validators sign for. A
// vault swap says on chain what it wants; which payout answers it is recorded on
// Chainflip's State Chain alone. Source: chainflip-eth-contracts, Vault.sol;
// chainflip-backend, state-chain/chains/src/btc/vault_swap_encoding.rs.
var Chainflip = &Protocol{
	Name: "chainflip", Title: "Chainflip", Kind: Recognised, Limit: chainflipLimit,
	Contracts: []Contract{
		{ledger.Ethereum, account("f5e10380213880111522dd0efd3dbb45b9f62bcc"), "vault"},
		{"eip155:42161", account("79001a5e762f3befc8e5871b42f6734e00498920"), "vault"},
	},
	Events: map[ledger.Hash]func(*Event, *Found){
		topic("SwapNative(uint32,bytes,uint32,uint256,address,bytes)"):                       readChainflipNative,
		topic("XCallNative(uint32,bytes,uint32,uint256,address,bytes,uint256,bytes)"):        readChainflipNativeCall,
		topic("SwapToken(uint32,bytes,uint32,address,uint256,address,bytes)"):                readChainflipToken,
		topic("XCallToken(uint32,bytes,uint32,address,uint256,address,bytes,uint256,bytes)"): readChainflipTokenCall,
	},
	Memos: readChainflipOutputs,
}

const chainflipLimit = "Chainflip's own State Chain records which payout answers a deposit; its vaults pay without naming one"

// chainflipAssets are the assets by Chainflip's number. Those without a chain of a
// ledger have only the name of their network. Source: chainflip-backend,
// state-chain/primitives/src/chains/assets.rs.
var chainflipAssets = map[uint64]chainflipAsset{
	1:  {1, ledger.Ethereum, ""},
	2:  {1, ledger.Ethereum, "826180541412d574cf1336d22c0c0a287822678a"},
	3:  {1, ledger.Ethereum, "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"},
	4:  {2, "", ""},
	5:  {3, ledger.Bitcoin, ""},
	6:  {4, "eip155:42161", ""},
	7:  {4, "eip155:42161", "af88d065e77c8cc2239327c5edb3a432268e5831"},
	8:  {1, ledger.Ethereum, "dac17f958d2ee523a2206206994597c13d831ec7"},
	9:  {5, "", ""},
	10: {5, "", ""},
	11: {6, "", ""},
	12: {6, "", ""},
	13: {6, "", ""},
}

type chainflipAsset struct {
	network  uint64 // Chainflip's number of the chain
	chain    ledger.Chain
	contract string // none for the native asset
}

// chainflipNetworks are the chains by Chainflip's number.
var chainflipNetworks = map[uint64]struct {
	chain ledger.Chain
	title string
}{
	1: {ledger.Ethereum, "Ethereum"}, 2: {"", "Polkadot"}, 3: {ledger.Bitcoin, "Bitcoin"}, 4: {"eip155:42161", "Arbitrum"},
	5: {"", "Solana"}, 6: {"", "Assethub"}, 7: {"", "Tron"}, 8: {"eip155:56", "BSC"},
}

// chainflipTarget reads where a swap is to come out.
func chainflipTarget(v *View, network, asset uint64, address []byte) (t Target, err error) {
	known, ok := chainflipNetworks[network]
	if !ok {
		return t, errors.New("asks for chain " + strconv.FormatUint(network, 10) + ", which Chainflip does not have")
	}
	t = Target{Protocol: v.protocol("chainflip"), Chain: known.chain, Text: foreignText(address)}
	if a, ok := chainflipAssets[asset]; ok {
		switch {
		case a.network != network:
			return t, errors.New("asks for an asset that its chain does not have")
		case a.contract != "":
			t.Asset = evm.AssetOf(a.chain, account(a.contract))
		case a.chain != "":
			t.Asset = a.chain.Native()
		}
	}
	switch {
	case known.chain == "":
		return t, nil
	case known.chain == ledger.Bitcoin:
		chain, _ := v.ChainNamed("BTC")
		t.Chain, t.Asset, t.Text = chain, chain.Native(), clip(string(address))
		t.Address, err = v.ParseAddress(chain, string(address))
	case len(address) == 20:
		t.Address = ledger.NewAddress(ledger.EVMAccount, address)
	default:
		err = errors.New("an EVM address has 20 bytes, not " + strconv.Itoa(len(address)))
	}
	return t, err
}

// chainflipReason says why the payout of a deposit cannot be named.
func chainflipReason(network uint64) string {
	if n := chainflipNetworks[network]; n.chain == "" {
		return "pays out on " + n.title + ", which no ledger here holds"
	}
	return chainflipLimit
}

// readChainflipNative reads SwapNative(dstChain, dstAddress, dstToken, amount,
// sender!, cfParameters).
func readChainflipNative(e *Event, found *Found) { e.chainflip(found, e.Chain.Native(), 3, 4) }

// readChainflipNativeCall reads XCallNative(dstChain, dstAddress, dstToken, amount,
// sender!, message, gasAmount, cfParameters).
func readChainflipNativeCall(e *Event, found *Found) {
	_ = e.Bytes(4)
	e.chainflip(found, e.Chain.Native(), 3, 6)
}

// readChainflipToken reads SwapToken(dstChain, dstAddress, dstToken, srcToken,
// amount, sender!, cfParameters).
func readChainflipToken(e *Event, found *Found) { e.chainflip(found, e.Token(e.Address(3)), 4, 5) }

// readChainflipTokenCall reads XCallToken(dstChain, dstAddress, dstToken, srcToken,
// amount, sender!, message, gasAmount, cfParameters).
func readChainflipTokenCall(e *Event, found *Found) {
	_ = e.Bytes(5)
	e.chainflip(found, e.Token(e.Address(3)), 4, 7)
}

// chainflip adds a vault swap. Its key is the hash of the transaction and the
// position of the event, which no payout carries.
func (e *Event) chainflip(found *Found, asset ledger.Asset, amountAt, parametersAt int) {
	network, destination, token := e.Small(0), e.Bytes(1), e.Small(2)
	amount, sender := e.Amount(amountAt), e.TopicAddress(1)
	_ = e.Bytes(parametersAt)
	if e.Bad() {
		e.Fault(found, "a swap that no vault of Chainflip emits")
		return
	}
	d := Deposit{
		Protocol: e.Protocol, Key: evm.Keccak(e.Tx.ID[:], wide(uint64(e.Position))), Position: e.Position, Asset: asset, Amount: amount,
		From: sender, Reason: chainflipReason(network),
	}
	var ok bool
	if d.Into, ok = e.arrived(found, asset, &d.Amount, e.Contract); !ok {
		return
	}
	t, err := chainflipTarget(e.View, network, token, destination)
	if err != nil {
		e.Fault(found, err.Error())
		d.Reason = err.Error() + "; only a refund can follow"
	} else {
		d.Targets = []Target{t}
	}
	found.Deposits = append(found.Deposits, d)
}

// readChainflipOutputs reads a vault swap from Bitcoin: output 0 pays the vault, a
// taproot address that changes with the validators; output 1 says what is wanted;
// output 2 takes the change and a refund. Nothing proves that output 0 is a vault
// but the strict form of output 1.
func readChainflipOutputs(v *View, found *Found) {
	outs := v.Tx.Outputs
	if len(outs) < 3 || outs[0].Address.Kind != ledger.P2TR || outs[0].Value == 0 || outs[1].Value != 0 || outs[2].Address.IsZero() || outs[2].Address == outs[0].Address {
		return
	}
	script, ok := opReturnAt(v.Tx, 1)
	if !ok || len(v.Tx.Messages) != 1 {
		return
	}
	swap, ok := parseChainflip(onlyPush(script))
	if !ok {
		return
	}
	asset := chainflipAssets[swap.asset]
	t, err := chainflipTarget(v, asset.network, swap.asset, swap.address)
	if err != nil {
		return // an address of another network: no swap that anybody would send
	}
	t.Least = swap.least
	d := Deposit{
		Protocol: v.protocol("chainflip"), Key: evm.Keccak(v.Tx.ID[:], wide(1)), Position: 1, Into: outs[0].Address, Asset: v.Chain.Native(),
		Amount: ledger.NewAmount(outs[0].Value), Targets: []Target{t}, Refund: outs[2].Address, Reason: chainflipReason(asset.network),
	}
	if len(v.Spent) > 0 {
		d.From = v.Spent[0].Address
	}
	if d.From == d.Into {
		return // a payment to oneself
	}
	found.Deposits = append(found.Deposits, d)
}

// onlyPush is the data of a script that is one push and nothing else.
func onlyPush(script []byte) []byte {
	data := pushes(script)
	head := 1
	if len(data) > 0x4b {
		head = 2
	}
	if len(data) == 0 || len(script) != head+len(data) {
		return nil
	}
	return data
}

// chainflipSwap is what a vault swap from Bitcoin asks for.
type chainflipSwap struct {
	asset   uint64
	address []byte
	least   ledger.Amount // base units of the asset
}

// parseChainflip reads the SCALE form of a vault swap, and nothing but it: version
// 0, asset, address, u16 retry blocks, u128 least output, u16 chunks, u16 interval,
// u8 boost fee, u8 broker fee, and at most two affiliates of two bytes each.
func parseChainflip(b []byte) (s chainflipSwap, ok bool) {
	const most, fixed = 80, 2 + 16 + 2 + 2 + 1 + 1
	if len(b) < 3 || len(b) > most || b[0] != 0 {
		return s, false
	}
	s.asset = uint64(b[1])
	a, ok := chainflipAssets[s.asset]
	if !ok {
		return s, false
	}
	rest := b[2:]
	size := 32
	switch {
	case a.chain == ledger.Bitcoin:
		if rest[0]&3 != 0 { // a compact number below 64 is one byte
			return s, false
		}
		size, rest = int(rest[0]>>2), rest[1:]
	case a.chain != "":
		size = 20
	}
	if len(rest) < size+fixed+1 {
		return s, false
	}
	s.address, rest = rest[:size], rest[size:]
	s.least[0], s.least[1] = binary.LittleEndian.Uint64(rest[2:]), binary.LittleEndian.Uint64(rest[10:])
	affiliates := rest[fixed:]
	n := int(affiliates[0] >> 2)
	return s, affiliates[0]&3 == 0 && n <= 2 && len(affiliates) == 1+2*n
}
