// Package crossing reads how value goes from one chain to another: which
// transaction put it into a bridge, and which one brought it out.
//
// A Protocol is one file. It reads the messages that travel in the ledger (event
// logs, OP_RETURN, short calldata) and names deposits and payouts by a key that
// both sides carry; match.go joins them, whichever arrives first. A protocol whose
// two sides share nothing on chain says so, and why: nothing is guessed here.
//
// The package is pure. Everything it reads is hostile: whatever does not fit its
// protocol to the letter is a Fault, never a link.
package crossing

import (
	"slices"

	"coldtrail/chain/evm"
	"coldtrail/ledger"
)

// View is one transaction as a decoder sees it.
type View struct {
	Chain  ledger.Chain
	Height ledger.Height
	Time   int64  // Unix seconds, of the block
	Number uint64 // of the transaction in its chain
	Tx     *ledger.Tx
	// Spent are the outputs that the inputs of a UTXO transaction spend, in order;
	// without an address where the parent is not known. Empty where nobody asked.
	Spent []ledger.Output

	decoders *Decoders
}

// Found is what a transaction says about crossings.
type Found struct {
	Deposits []Deposit
	Payouts  []Payout
	Moves    []Move
	Faults   []Fault
	Fronts   []Front // who stood before a bridge, already named in the Deposits
	Tickets  []Ticket
	// Elsewhere are transactions of other chains that messages name.
	Elsewhere []Elsewhere
	// Carriers are outputs whose addresses are text: nobody can spend them.
	Carriers []uint32
}

// A Deposit is value that entered a bridge.
type Deposit struct {
	Protocol *Protocol
	Key      ledger.Hash // which its payouts carry too
	Position uint32      // of the message: position of the log in its block, or output
	// Into is the account that took the value in, or, on UTXO chains, the address
	// of Output. Everything of Asset that reached it in this transaction is meant.
	Into   ledger.Address
	Output uint32 // UTXO chains
	Asset  ledger.Asset
	Amount ledger.Amount // base units of Asset, as the message or output says
	From   ledger.Address
	// Vault is the vault that the message names, where it is not Into.
	Vault ledger.Address
	// Targets are where the value is to come out. Protocols that share a message
	// form give one reading each; the payout decides. None where the message asks
	// for something that can never be paid, which Reason says.
	Targets []Target
	Refund  ledger.Address // on the deposit's own chain; none where it is not said
	// Reason says why no payout can be found from chain data, or is empty.
	Reason string
	// Front names the aggregator that stood before the bridge, or is empty.
	Front string
	// Stays says that the deposit asks for no payment: what the network makes of it,
	// such as a share in a pool, is on the network alone.
	Stays bool
}

// A Target is where a deposit is to come out.
type Target struct {
	Protocol *Protocol
	Chain    ledger.Chain   // none where the ledger has no such chain
	Asset    ledger.Asset   // none where the message does not say
	Suffix   string         // lower-case end of the contract, where only that is said
	Address  ledger.Address // none where it cannot be known from chain data, as Open says
	Open     string         // why the address is not known
	Text     string         // the destination as it was written
	// Least and Most bound the sum of the payouts in base units of the paid asset;
	// 0 is no bound. Exact protocols set both.
	Least, Most ledger.Amount
}

// PayoutKind tells payment from refund.
type PayoutKind uint8

// The kinds of payout.
const (
	// Paid is value that reached its destination.
	Paid PayoutKind = iota
	// Refunded is value that went back where it came from.
	Refunded
)

// A Payout is value that came out of a bridge.
type Payout struct {
	Protocol *Protocol
	Key      ledger.Hash
	Position uint32
	Kind     PayoutKind
	Asset    ledger.Asset
	Amount   ledger.Amount
	To       ledger.Address
	// Payer is who paid: a vault, where the protocol has them. Empty where a
	// contract of the protocol itself vouches for the payout.
	Payer ledger.Address
	// Shared says that networks that share a message form cannot be told apart by
	// this one; Protocol is the first of them.
	Shared bool
	// Among says that the message names nobody: it is one of several movements of the
	// transaction, of which the deposit's destination decides.
	Among bool
	// Transfer is the movement of the transaction, or its output, that paid, or
	// Unseen.
	Transfer int
}

// Unseen stands for a movement that a source without traces could not show.
const Unseen = -1

// A Ticket says by which name the payout of a deposit goes, where that is decided only
// after the deposit: the payout's key is then the hash of the name and its recipient.
type Ticket struct {
	Protocol *Protocol
	Key      ledger.Hash // of the deposit
	Name     ledger.Hash
}

// passengerKey is the key of a payout to one of several recipients under one name.
func passengerKey(name ledger.Hash, to ledger.Address) ledger.Hash {
	return evm.Keccak(name[:], to.Bytes())
}

// Elsewhere is a transaction of another chain that a message names, because that chain
// itself carries no word of the crossing.
type Elsewhere struct {
	Chain ledger.Chain
	Tx    ledger.Hash
	// Read says what the transaction has to do with it, once somebody looked it up; of
	// a UTXO transaction the outputs suffice.
	Read func(*View, *Found)
}

// A Move is value that a bridge shifted between its own vaults, or another sign
// that an address is one.
type Move struct {
	Protocol *Protocol
	Position uint32
	From, To ledger.Address
}

// A Fault is a message that claims to be of a protocol and cannot be.
type Fault struct {
	Protocol *Protocol
	Position uint32
	Reason   string
}

// Kind says what a protocol's keys can tell.
type Kind uint8

// The kinds of protocol.
const (
	// Deterministic keys are unique and stand on both sides.
	Deterministic Kind = iota
	// Multiset keys may repeat; equal ones match in order of time.
	Multiset
	// Recognised protocols share nothing between their sides on chain.
	Recognised
)

// A Protocol is one way across.
type Protocol struct {
	Name  string
	Title string // as people write it
	// Family joins protocols that read the same messages, so that their keys mean
	// the same; by default the name.
	Family string
	Kind   Kind
	// Limit is why Recognised deposits cannot be followed.
	Limit string
	// Window is how long after a deposit a payout can come, in seconds.
	Window int64
	// Vaults says that payouts come from addresses that have to be learnt, so that
	// anybody can write their messages.
	Vaults bool
	// Contracts are where Events count.
	Contracts []Contract
	// Events are the readers of logs, by first topic.
	Events map[ledger.Hash]func(*Event, *Found)
	// Anywhere lists the topics of Events that count from any contract, because
	// the reader itself demands a proof of another kind.
	Anywhere map[ledger.Hash]bool
	// Memos reads a UTXO transaction with data outputs, or is nil.
	Memos func(*View, *Found)
	// Calldata reads a plain native payment with a short text, or is nil.
	Calldata func(*View, *ledger.Message, *Found)
}

// A Contract is one contract of a protocol on one chain.
type Contract struct {
	Chain   ledger.Chain
	Address ledger.Address
	Role    string // as the protocol calls it
}

// Config is what a ledger may add to the tables of this package.
type Config struct {
	// Contracts adds contracts by protocol name.
	Contracts map[string][]Contract
	// Chains says which chain of the ledger a network name in messages means, such
	// as "BTC"; names that are missing mean the main networks.
	Chains map[string]ledger.Chain
	// Notation writes and reads the addresses of a chain.
	Notation func(ledger.Chain) (ledger.Notation, error)
}

// Decoders reads transactions of every protocol.
type Decoders struct {
	config   Config
	at       map[spot][]*Protocol        // by chain and contract
	anywhere map[ledger.Hash][]*Protocol // by topic
	topics   map[ledger.Hash]bool
	named    map[string]*Protocol
}

type spot struct {
	chain   ledger.Chain
	address ledger.Address
}

// NewDecoders makes decoders of every protocol in Protocols.
func NewDecoders(config Config) *Decoders {
	d := &Decoders{config: config, at: map[spot][]*Protocol{}, anywhere: map[ledger.Hash][]*Protocol{}, topics: map[ledger.Hash]bool{}, named: map[string]*Protocol{}}
	for _, p := range Protocols {
		d.named[p.Name] = p
		for _, list := range [][]Contract{p.Contracts, config.Contracts[p.Name]} {
			for _, c := range list {
				at := spot{c.Chain, c.Address}
				if !slices.Contains(d.at[at], p) {
					d.at[at] = append(d.at[at], p)
				}
			}
		}
		for topic := range p.Events {
			d.topics[topic] = true
			if p.Anywhere[topic] {
				d.anywhere[topic] = append(d.anywhere[topic], p)
			}
		}
	}
	return d
}

// Topics lists the first topics of every event that a decoder reads.
func (d *Decoders) Topics() map[ledger.Hash]bool { return d.topics }

// Speaks says whether a transaction carries a message that a decoder reads. It is
// cheap; Read does the work.
func (d *Decoders) Speaks(chain ledger.Chain, tx *ledger.Tx) bool {
	for i := range tx.Messages {
		m := &tx.Messages[i]
		switch m.Kind {
		case ledger.OpReturn, ledger.Calldata:
			return true
		case ledger.Creation:
		case ledger.Log:
			if topic, ok := firstTopic(m); ok && d.topics[topic] && (d.anywhere[topic] != nil || d.at[spot{chain, m.Contract}] != nil) {
				return true
			}
		}
	}
	return false
}

// Read says what a transaction has to do with crossings. A failed transaction says
// nothing.
func (d *Decoders) Read(v *View) (found Found) {
	if v.Tx.Failed {
		return found
	}
	v.decoders = d
	if v.Chain.Family() == ledger.UTXO {
		for _, p := range Protocols {
			if p.Memos != nil && hasKind(v.Tx, ledger.OpReturn) {
				p.Memos(v, &found)
			}
		}
		return found
	}
	for i := range v.Tx.Messages {
		m := &v.Tx.Messages[i]
		switch m.Kind {
		case ledger.Calldata:
			for _, p := range Protocols {
				if p.Calldata != nil {
					p.Calldata(v, m, &found)
				}
			}
		case ledger.Log:
			d.readLog(v, m, &found)
		case ledger.OpReturn, ledger.Creation:
		}
	}
	found.face()
	return found
}

func (d *Decoders) readLog(v *View, m *ledger.Message, found *Found) {
	topic, ok := firstTopic(m)
	if !ok || !d.topics[topic] {
		return
	}
	read := func(p *Protocol) {
		if reader := p.Events[topic]; reader != nil {
			reader(newEvent(v, p, m), found)
		}
	}
	for _, p := range d.at[spot{v.Chain, m.Contract}] {
		if !p.Anywhere[topic] {
			read(p)
		}
	}
	for _, p := range d.anywhere[topic] {
		read(p)
	}
}

func hasKind(tx *ledger.Tx, kind ledger.MessageKind) bool {
	for i := range tx.Messages {
		if tx.Messages[i].Kind == kind {
			return true
		}
	}
	return false
}

// IsContract says whether an address is a contract of the protocol on a chain, by
// the tables of this package or the ledger's own.
func (v *View) IsContract(p *Protocol, address ledger.Address) bool {
	for _, list := range [][]Contract{p.Contracts, v.decoders.config.Contracts[p.Name]} {
		for _, c := range list {
			if c.Chain == v.Chain && c.Address == address {
				return true
			}
		}
	}
	return false
}

// Received is the last movement of an asset in the transaction that reached one of
// the accounts, and which account it was: where a deposit came to rest.
func (v *View) Received(asset ledger.Asset, accounts ...ledger.Address) (into ledger.Address, ok bool) {
	for i := len(v.Tx.Transfers) - 1; i >= 0; i-- {
		t := &v.Tx.Transfers[i]
		for _, account := range accounts {
			if t.Asset == asset && t.To == account && t.From != t.To && !t.Amount.IsZero() {
				return account, true
			}
		}
	}
	return ledger.Address{}, false
}

// Payment is the last movement of an asset to an account that no payout of the
// transaction has named yet, of exactly the amount unless that is nil.
func (v *View) Payment(found *Found, asset ledger.Asset, to ledger.Address, amount *ledger.Amount) (index int, ok bool) {
	for i := len(v.Tx.Transfers) - 1; i >= 0; i-- {
		t := &v.Tx.Transfers[i]
		if t.Asset != asset || t.To != to || t.From == t.To || t.Amount.IsZero() || amount != nil && !t.Amount.Eq(amount) {
			continue
		}
		taken := false
		for j := range found.Payouts {
			taken = taken || found.Payouts[j].Transfer == i
		}
		if !taken {
			return i, true
		}
	}
	return 0, false
}

// protocol finds a protocol of the table by its name.
func (v *View) protocol(name string) *Protocol { return v.decoders.named[name] }

// Sender is who sent an account transaction: the payer of its fee.
func (v *View) Sender() ledger.Address { return v.Tx.Fee.Payer }

// ChainNamed is the chain that a network's short name in messages means.
func (v *View) ChainNamed(name string) (ledger.Chain, bool) {
	if c, ok := v.decoders.config.Chains[name]; ok {
		return c, true
	}
	c, ok := mainChains[name]
	return c, ok
}

// ParseAddress reads an address as the users of a chain write it.
func (v *View) ParseAddress(chain ledger.Chain, text string) (ledger.Address, error) {
	notation, err := v.decoders.config.Notation(chain)
	if err != nil {
		return ledger.Address{}, err
	}
	return notation.ParseAddress(text)
}

// mainChains are the networks that messages name in letters.
var mainChains = map[string]ledger.Chain{
	"BTC": ledger.Bitcoin, "ETH": ledger.Ethereum, "BSC": "eip155:56", "AVAX": "eip155:43114", "BASE": "eip155:8453", "ARB": "eip155:42161",
}
