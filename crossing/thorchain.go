package crossing

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldtrail/ledger"
)

// THORChain swaps native assets across chains through vaults that its validators
// sign for. A deposit says in a memo what it wants; a payout says OUT:<deposit> or
// REFUND:<deposit>. Source: thornode, docs/concepts/memos.md, and the router
// contracts v1 to v5.
var THORChain = &Protocol{
	Name: "thorchain", Title: "THORChain", Window: 48 * 3600, Vaults: true,
	Contracts: []Contract{
		{ledger.Ethereum, account("d37bbe5744d730a1d98d8dc97c42f0ca46ad7146"), "router v4.1"},
		{ledger.Ethereum, account("3624525075b88b24ecc29ce226b0cec1ffcb6976"), "router v3"},
		{ledger.Ethereum, account("c145990e84155416144c532e31f89b840ca8c2ce"), "router v2"},
		{ledger.Ethereum, account("42a5ed456650a09dc10ebc6361a7480fdd61f27b"), "router v1"},
		{"eip155:56", account("b30ec53f98ff5947ede720d32ac2da7e52a5f56b"), "router"},
		{"eip155:43114", account("8f66c4ae756bebc49ec8b81966dd8bba9f127549"), "router"},
		{"eip155:43114", account("00dc6100103bc402d490aee3f9a5560cbd91f1d4"), "router"},
		{"eip155:8453", account("00dc6100103bc402d490aee3f9a5560cbd91f1d4"), "router"},
		{"eip155:8453", account("68208d99746b805a1ae41421950a47b711e35681"), "router"},
		{"eip155:8453", account("1b3e6daa08e7a2e29e2ff23b6c40abe79a15a17a"), "router"},
	},
	Events:   routerEvents,
	Memos:    readOutputMemo,
	Calldata: readCalldataMemo,
}

// Maya is a fork of THORChain with the same router, memos and payouts; the router's
// address tells them apart on EVM chains, the address paid and its short codes on
// others. Source: mayanode.
var Maya = &Protocol{
	Name: "maya", Title: "Maya Protocol", Family: "thorchain", Window: 48 * 3600, Vaults: true,
	Contracts: []Contract{
		{ledger.Ethereum, account("e3985e6b61b814f7cdb188766562ba71b446b46d"), "router"},
		{"eip155:42161", account("700e97ef07219440487840dc472e7120a7ff11f4"), "router"},
	},
	Events: routerEvents,
}

// The events of a router.
var (
	topicDeposit           = topic("Deposit(address,address,uint256,string)")
	topicTransferOut       = topic("TransferOut(address,address,address,uint256,string)")
	topicTransferAllowance = topic("TransferAllowance(address,address,address,uint256,string)")
	topicVaultTransfer     = topic("VaultTransfer(address,address,(address,uint256)[],string)")
	topicOutAndCall        = topic("TransferOutAndCall(address,address,uint256,address,address,uint256,string)")
	topicOutAndCallV5      = topic("TransferOutAndCallV5(address,address,uint256,address,address,uint256,string,bytes,string)")
)

var routerEvents = map[ledger.Hash]func(*Event, *Found){
	topicDeposit:           readRouterDeposit,
	topicTransferOut:       readTransferOut,
	topicTransferAllowance: readTransferAllowance,
	topicVaultTransfer:     readVaultTransfer,
	topicOutAndCall:        readOutAndCall,
	topicOutAndCallV5:      readOutAndCallV5,
}

// ShortCodes are the assets that a network writes in one or two letters.
func ShortCodes(p *Protocol) map[string]string {
	if p.Name == "maya" {
		return mayaCodes
	}
	return thorCodes
}

var thorCodes = map[string]string{
	"r": "THOR.RUNE", "b": "BTC.BTC", "e": "ETH.ETH", "g": "GAIA.ATOM", "d": "DOGE.DOGE", "l": "LTC.LTC", "c": "BCH.BCH", "a": "AVAX.AVAX",
	"s": "BSC.BNB", "f": "BASE.ETH", "x": "XRP.XRP", "tr": "TRON.TRX", "rune": "THOR.RUNE", "tcy": "THOR.TCY",
}

var mayaCodes = map[string]string{
	"a": "ARB.ETH", "b": "BTC.BTC", "c": "MAYA.CACAO", "d": "DASH.DASH", "e": "ETH.ETH", "k": "KUJI.KUJI", "r": "THOR.RUNE", "x": "XRD.XRD",
	"z": "ZEC.ZEC", "ae": "ARB.ETH", "at": "ARB.USDT", "ac": "ARB.USDC", "ad": "ARB.DAI", "ap": "ARB.PEPE", "aw": "ARB.WSTETH", "ab": "ARB.WBTC",
	"bb": "BTC.BTC", "dd": "DASH.DASH", "et": "ETH.USDT", "ec": "ETH.USDC", "ep": "ETH.PEPE", "ew": "ETH.WSTETH", "ee": "ETH.ETH",
	"ku": "KUJI.USK", "kk": "KUJI.KUJI", "mc": "MAYA.CACAO", "tr": "THOR.RUNE", "xx": "XRD.XRD", "zz": "ZEC.ZEC", "cacao": "MAYA.CACAO",
}

// nativeSymbols are the own assets of the chains that a ledger can hold.
var nativeSymbols = map[string]string{"BTC": "BTC", "ETH": "ETH", "BSC": "BNB", "AVAX": "AVAX", "BASE": "ETH", "ARB": "ETH"}

// routerDeposit is one Deposit event.
type routerDeposit struct {
	vault ledger.Address
	asset ledger.Asset
	value ledger.Amount
	memo  string
}

// readRouterDeposit reads all Deposit events of a transaction at its first: the
// network ignores the transaction unless they name one vault and one memo.
func readRouterDeposit(e *Event, found *Found) {
	all, first, err := e.routerDeposits()
	if first != e.Position {
		return
	}
	if err != nil {
		e.Fault(found, err.Error())
		return
	}
	for i := range all {
		d := &all[i]
		into, ok := e.Received(d.asset, d.vault, e.Contract)
		if !ok && e.Tx.External && len(e.Tx.Transfers) > 0 && d.asset == e.Chain.Native() {
			into, ok = e.Tx.Transfers[0].To, true // what contracts passed on inside is not known
		}
		if !ok {
			e.Fault(found, "says that "+d.value.Dec()+" of "+string(d.asset)+" came in, but nothing did")
			continue
		}
		deposit := Deposit{
			Protocol: e.Protocol, Key: e.Tx.ID, Position: e.Position, Into: into, Vault: d.vault, Asset: d.asset, Amount: d.value,
			From: e.Sender(), Refund: e.Sender(),
		}
		readIntent(e.View, &deposit, d.memo, []*Protocol{e.Protocol}, found)
	}
}

// routerDeposits lists what was deposited, amounts of one asset added up, and the
// position of the first event.
func (e *Event) routerDeposits() (all []routerDeposit, first uint32, err error) {
	vault, memo := ledger.Address{}, ""
	for i := range e.Tx.Messages {
		m := &e.Tx.Messages[i]
		if t, ok := firstTopic(m); !ok || m.Kind != ledger.Log || t != topicDeposit || !e.IsContract(e.Protocol, m.Contract) {
			continue
		}
		x := newEvent(e.View, e.Protocol, m)
		d := routerDeposit{vault: x.TopicAddress(1), value: x.Amount(0), memo: string(x.Bytes(1))}
		d.asset = x.Token(x.TopicAddress(2))
		if len(all) == 0 && err == nil {
			first, vault, memo = m.Position, d.vault, d.memo
		}
		switch {
		case x.Bad():
			err = errors.New("a Deposit event that no router emits")
		case d.vault != vault || !strings.EqualFold(d.memo, memo):
			err = errors.New("several deposits with different vaults or memos, which the network ignores")
		}
		at := slices.IndexFunc(all, func(have routerDeposit) bool { return have.asset == d.asset })
		if at < 0 {
			all = append(all, d)
		} else if _, over := all[at].value.AddOverflow(&all[at].value, &d.value); over {
			err = errors.New("deposits that add up to more than there can be")
		}
	}
	return slices.DeleteFunc(all, func(d routerDeposit) bool { return d.value.IsZero() }), first, err
}

// readIntent adds a deposit with what its memo asks for, read by each network that
// may have taken it. A memo that no network can read adds a fault; the deposit
// stands, as the network then refunds it.
func readIntent(v *View, d *Deposit, text string, networks []*Protocol, found *Found) {
	var wrong error
	for _, network := range networks {
		memo, err := ParseMemo(text, ShortCodes(network))
		if err == nil && len(memo.Affiliates) > 0 && memo.Intent != Swap {
			err = ErrNoMemo
		}
		if err != nil {
			wrong = err
			continue
		}
		if err := readTarget(v, d, memo, network); err != nil {
			wrong = err
		}
	}
	if len(d.Targets) == 0 && d.Reason == "" {
		if wrong == nil || errors.Is(wrong, ErrNoMemo) {
			wrong = errors.New("the memo asks for nothing that the network knows")
		}
		d.Reason = wrong.Error() + "; only a refund can follow"
		found.Faults = append(found.Faults, Fault{Protocol: d.Protocol, Position: d.Position, Reason: fmt.Sprintf("memo %q: %v", clip(text), wrong)})
	}
	found.Deposits = append(found.Deposits, *d)
}

// clip bounds what a message may put into a report.
func clip(text string) string {
	const most = 100
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// staysWith begins the reason of deposits that ask for no payment.
const staysWith = "the value stays with "

// readTarget adds where one network would pay.
func readTarget(v *View, d *Deposit, memo *Memo, network *Protocol) error {
	switch memo.Intent {
	case Stay:
		title := network.Title
		if other, ok := strings.CutPrefix(d.Reason, staysWith); ok { // as another network reads it
			other, _, _ = strings.Cut(other, " (")
			title = other + " or " + title
		}
		d.Stays = true
		d.Reason = staysWith + title + " (" + memo.Function + "); what comes of it is on that chain"
		return nil
	case Out, Refund, Migrate, Consolidate:
		return fmt.Errorf("a deposit cannot say %s", memo.Function)
	case Swap:
	}
	if memo.Refund != "" {
		if a, err := v.ParseAddress(v.Chain, memo.Refund); err == nil {
			d.Refund = a
		}
	}
	a := &memo.Asset
	t := Target{Protocol: network, Text: memo.Destination}
	chain, held := v.ChainNamed(a.Chain)
	switch {
	case a.Form != '.':
		d.Reason = fmt.Sprintf("settles on %s itself as %s%c%s", network.Title, a.Chain, a.Form, a.Symbol)
	case !held:
		d.Reason = fmt.Sprintf("pays out on %s, which no ledger here holds", a.Chain)
	default:
		return t.read(v, d, memo, chain)
	}
	d.Targets = append(d.Targets, t)
	return nil
}

// read fills in the destination on a chain that the ledger can hold.
func (t *Target) read(v *View, d *Deposit, memo *Memo, chain ledger.Chain) error {
	t.Chain = chain
	a := &memo.Asset
	if memo.Aggregator == "" {
		switch {
		case a.Symbol == nativeSymbols[a.Chain] && a.Contract == "":
			t.Asset = chain.Native()
		case len(a.Contract) == 40:
			asset, err := chain.ParseAsset(string(chain) + "/erc20:0x" + a.Contract)
			if err != nil {
				return err
			}
			t.Asset = asset
		default:
			t.Suffix = a.Contract
		}
	}
	switch {
	case memo.Destination == "" && chain.Family() == v.Chain.Family() && (chain == v.Chain || chain.Family() == ledger.Account):
		t.Address = d.From
	case memo.Destination == "":
		return errors.New("no destination on another chain")
	default:
		address, err := parseDestination(v, chain, memo.Destination)
		if err != nil && !isName(memo.Destination) {
			return err
		}
		if err != nil {
			t.Open = fmt.Sprintf("%q is a name of %s; whom it stands for is recorded there", memo.Destination, t.Protocol.Title)
		}
		t.Address = address
	}
	d.Targets = append(d.Targets, *t)
	return nil
}

// parseDestination reads an address of a memo. EVM addresses count whatever their
// case: the network itself does not check EIP-55.
func parseDestination(v *View, chain ledger.Chain, text string) (ledger.Address, error) {
	if chain.Family() == ledger.Account {
		text = strings.ToLower(text)
	}
	return v.ParseAddress(chain, text)
}

// isName says whether a text can be a THORName or MAYAName: at most 30 letters,
// digits, '+', '_' and '-', perhaps with a chain behind, and not the beginning of an
// address (thornode, x/thorchain/handler_manage_thorname).
func isName(text string) bool {
	name, _, _ := strings.Cut(text, ".")
	if len(name) == 0 || len(name) > 30 || strings.HasPrefix(name, "0x") {
		return false
	}
	for _, prefix := range []string{"bc1", "tb1", "bcrt1", "sb1"} {
		if strings.HasPrefix(strings.ToLower(name), prefix) {
			return false
		}
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '+' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// outward reads the memo of something that a vault sent.
func outward(v *View, p *Protocol, position uint32, text string, found *Found) *Memo {
	memo, err := ParseMemo(text, ShortCodes(p))
	if err != nil {
		if !errors.Is(err, ErrNoMemo) {
			found.Faults = append(found.Faults, Fault{Protocol: p, Position: position, Reason: fmt.Sprintf("memo %q: %v", clip(text), err)})
		}
		return nil
	}
	if memo.Intent == Out || memo.Intent == Refund {
		if memo.Tx == v.Tx.ID || memo.Tx.IsZero() {
			return nil // a failed payment reported under its own hash, or one that answers no deposit
		}
	}
	return memo
}

// payment is what a vault paid to somebody; the amount may not be known.
type payment struct {
	vault, to ledger.Address
	asset     ledger.Asset
	value     *ledger.Amount
	memo      string
}

// pay adds what a vault paid.
func (e *Event) pay(found *Found, x *payment) {
	vault, to, asset, value, text := x.vault, x.to, x.asset, x.value, x.memo
	memo := outward(e.View, e.Protocol, e.Position, text, found)
	if memo == nil {
		return
	}
	switch memo.Intent {
	case Migrate, Consolidate:
		found.Moves = append(found.Moves, Move{Protocol: e.Protocol, Position: e.Position, From: vault, To: to})
		return
	case Swap, Stay:
		e.Fault(found, fmt.Sprintf("a vault's payment says %q", clip(text)))
		return
	case Out, Refund:
	}
	index, ok := e.Payment(found, asset, to, value)
	switch {
	case ok:
		value = &e.Tx.Transfers[index].Amount
	case e.Tx.External && value != nil && asset == e.Chain.Native():
		index = Unseen
	default:
		e.Fault(found, "says that it paid "+string(asset)+", but nothing reached the recipient")
		return
	}
	kind := Paid
	if memo.Intent == Refund {
		kind = Refunded
	}
	found.Payouts = append(found.Payouts, Payout{
		Protocol: e.Protocol, Key: memo.Tx, Position: e.Position, Kind: kind, Asset: asset, Amount: *value, To: to, Payer: vault,
		Shared: e.Contract.IsZero(), Transfer: index,
	})
}

// readTransferOut reads TransferOut(vault!, to!, asset, amount, memo).
func readTransferOut(e *Event, found *Found) {
	vault, to := e.TopicAddress(1), e.TopicAddress(2)
	asset, value, memo := e.Token(e.Address(0)), e.Amount(1), string(e.Bytes(2))
	if e.Bad() {
		e.Fault(found, "a TransferOut event that no router emits")
		return
	}
	e.pay(found, &payment{vault, to, asset, &value, memo})
}

// readTransferAllowance reads TransferAllowance(oldVault!, newVault!, asset, amount,
// memo): tokens that the router holds for one vault pass to its successor.
func readTransferAllowance(e *Event, found *Found) {
	from, to := e.TopicAddress(1), e.TopicAddress(2)
	if e.Bad() {
		e.Fault(found, "a TransferAllowance event that no router emits")
		return
	}
	found.Moves = append(found.Moves, Move{Protocol: e.Protocol, Position: e.Position, From: from, To: to})
}

// readVaultTransfer reads VaultTransfer(oldVault!, newVault!, coins, memo).
func readVaultTransfer(e *Event, found *Found) { readTransferAllowance(e, found) }

// readOutAndCall reads TransferOutAndCall(vault!, target, amount, finalAsset, to,
// amountOutMin, memo): an aggregator buys another asset for the recipient or, where
// that fails, passes the native asset on.
func readOutAndCall(e *Event, found *Found) {
	vault, final, to, memo := e.TopicAddress(1), e.Token(e.Address(2)), e.Address(3), string(e.Bytes(5))
	e.paidByAggregator(found, vault, to, final, memo)
}

// readOutAndCallV5 reads TransferOutAndCallV5(vault!, target, amount, finalAsset, to!,
// amountOutMin, memo, payload, originAddress).
func readOutAndCallV5(e *Event, found *Found) {
	vault, to, final, memo := e.TopicAddress(1), e.TopicAddress(2), e.Token(e.Address(2)), string(e.Bytes(4))
	e.paidByAggregator(found, vault, to, final, memo)
}

func (e *Event) paidByAggregator(found *Found, vault, to ledger.Address, final ledger.Asset, memo string) {
	if e.Bad() {
		e.Fault(found, "a TransferOutAndCall event that no router emits")
		return
	}
	if _, bought := e.Payment(found, final, to, nil); !bought {
		final = e.Chain.Native()
	}
	e.pay(found, &payment{vault, to, final, nil, memo})
}

// readCalldataMemo reads a native payment straight to or from a vault, with the memo
// as its data: hexadecimal text, or plain text.
func readCalldataMemo(v *View, m *ledger.Message, found *Found) {
	if len(v.Tx.Transfers) != 1 || v.Tx.Transfers[0].Asset != v.Chain.Native() {
		return
	}
	text := string(m.Data)
	if decoded, err := hex.DecodeString(strings.TrimPrefix(text, "0x")); err == nil {
		text = string(decoded)
	}
	t := &v.Tx.Transfers[0]
	memo, err := ParseMemo(text, thorCodes)
	if err != nil || memo.Intent == Stay && memo.Function != "add" && memo.Function != "+" {
		return // any transaction may carry data
	}
	thorchain := v.protocol("thorchain")
	e := &Event{View: v, Protocol: thorchain, Position: m.Position}
	if memo.Intent != Swap && memo.Intent != Stay {
		e.pay(found, &payment{t.From, t.To, t.Asset, &t.Amount, text})
		return
	}
	d := Deposit{Protocol: thorchain, Key: v.Tx.ID, Position: m.Position, Into: t.To, Asset: t.Asset, Amount: t.Amount, From: t.From, Refund: t.From}
	readIntent(v, &d, text, v.networks(), found)
}

// networks are those that read the same memos.
func (v *View) networks() []*Protocol {
	return []*Protocol{v.protocol("thorchain"), v.protocol("maya")}
}

// Limits of what the network reads on UTXO chains (thornode, bifrost).
const (
	maxMemoOutputs   = 12
	maxFundedOutputs = 10
)

// readOutputMemo reads a UTXO transaction with a memo. The first input's owner is
// the sender; the first output that is not his is the deposit, or the payment of a
// vault. Source: thornode, bifrost/pkg/chainclients/utxo.
func readOutputMemo(v *View, found *Found) {
	thorchain := v.protocol("thorchain")
	text, carriers := outputMemo(v.Tx)
	memo, err := ParseMemo(text, thorCodes)
	if errors.Is(err, ErrNoMemo) {
		return
	}
	position := memoOutput(v.Tx)
	fault := func(reason string) {
		found.Faults = append(found.Faults, Fault{Protocol: thorchain, Position: position, Reason: fmt.Sprintf("memo %q: %s", clip(text), reason)})
	}
	if err != nil {
		if _, second := ParseMemo(text, mayaCodes); second != nil {
			if memo == nil || memo.Intent != Swap || memo.Asset.Chain != "" { // else any text that begins like a swap
				fault(err.Error())
			}
			return
		}
	}
	o := &outputMemoReader{View: v, protocol: thorchain, position: position, memo: memo, text: text, carriers: carriers}
	if reason := o.read(found); reason != "" {
		fault(reason)
	}
}

// outputMemoReader reads one UTXO transaction whose memo is understood.
type outputMemoReader struct {
	*View
	protocol *Protocol
	position uint32
	memo     *Memo
	text     string
	carriers []uint32
}

// read adds what the transaction is, or says why it is nothing.
func (o *outputMemoReader) read(found *Found) string {
	if len(o.Spent) == 0 || o.Spent[0].Address.IsZero() {
		return "who sent it is not known: the ledger does not hold what its first input spends"
	}
	if len(o.Tx.Outputs) > maxMemoOutputs || funded(o.Tx) > maxFundedOutputs {
		return "it has more outputs than the network reads"
	}
	sender := o.Spent[0].Address
	out, ok := firstToOther(o.Tx, sender, o.carriers)
	if o.memo.Intent == Consolidate || o.memo.Intent == Migrate {
		to := sender
		if ok && o.memo.Intent == Migrate {
			to = o.Tx.Outputs[out].Address
		}
		found.Moves = append(found.Moves, Move{Protocol: o.protocol, Position: o.position, From: sender, To: to})
		return ""
	}
	if !ok {
		return "it pays nobody but its sender"
	}
	found.Carriers = append(found.Carriers, o.carriers...)
	to, value := o.Tx.Outputs[out].Address, ledger.NewAmount(o.Tx.Outputs[out].Value)
	if o.memo.Intent == Swap || o.memo.Intent == Stay {
		d := Deposit{
			Protocol: o.protocol, Key: o.Tx.ID, Position: uint32(out), Into: to, Output: uint32(out), Asset: o.Chain.Native(),
			Amount: value, From: sender, Refund: sender,
		}
		readIntent(o.View, &d, o.text, o.networks(), found)
		return ""
	}
	memo := outward(o.View, o.protocol, o.position, o.text, found)
	if memo == nil {
		return ""
	}
	kind := Paid
	if memo.Intent == Refund {
		kind = Refunded
	}
	found.Payouts = append(found.Payouts, Payout{
		Protocol: o.protocol, Key: memo.Tx, Position: uint32(out), Kind: kind, Asset: o.Chain.Native(), Amount: value,
		To: to, Payer: sender, Shared: true, Transfer: out,
	})
	return ""
}

// memoOutput is the first output that carries data.
func memoOutput(tx *ledger.Tx) uint32 {
	for i := range tx.Messages {
		if tx.Messages[i].Kind == ledger.OpReturn {
			return tx.Messages[i].Position
		}
	}
	return 0
}

func funded(tx *ledger.Tx) (n int) {
	for i := range tx.Outputs {
		if tx.Outputs[i].Value > 0 {
			n++
		}
	}
	return n
}

// firstToOther is the first output that pays somebody other than the sender.
func firstToOther(tx *ledger.Tx, sender ledger.Address, carriers []uint32) (int, bool) {
	for i := range tx.Outputs {
		o := &tx.Outputs[i]
		if o.Value > 0 && !o.Unspendable && o.Address != sender && !o.Address.IsZero() && !slices.Contains(carriers, uint32(i)) {
			return i, true
		}
	}
	return 0, false
}
