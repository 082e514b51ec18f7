package cluster

import (
	"slices"

	"coldtrail/ledger"
)

// The parameters of deposit addresses.
const (
	// DepositBlocks is how many blocks after a receipt its sweep may come; etherclust's
	// maxBlockDiff.
	DepositBlocks = 10_000
	// DepositCustomersMost is how many payers a deposit address may have before they are
	// no longer taken for one customer. Ours: shops and shared addresses have more.
	DepositCustomersMost = 10
)

var (
	// DepositTolerance is by how much a sweep of the native asset may fall short of its
	// receipt, in wei, for the fee: 0.01 ether, etherclust's maxETHDiff. Tokens must
	// agree exactly.
	DepositTolerance = ledger.NewAmount(10_000_000_000_000_000)
	// DepositLeast is the least receipt of the native asset that counts, in wei: twice
	// the tolerance, so that a sweep takes half of it at the least. Ours: below, dust
	// and gas would match anything.
	DepositLeast = ledger.NewAmount(20_000_000_000_000_000)
)

// victor is where deposit addresses were described.
const victor = "Victor, Address Clustering Heuristics for Ethereum (FC 2020), deposit address reuse; parameters of etherclust"

// DepositAddress ties a deposit address to the service's wallets that it is swept into:
// the service holds its key.
var DepositAddress = &Rule{
	Name: "deposit-address", Title: "deposit address of a service", Source: victor,
	Family: ledger.Account, Input: AllHistory, Kind: Depositing, Confidence: 85, Default: true,
	Published: "none published", Needs: "the collecting wallets of services, which accounts are contracts",
	history: func(r *Rule, h *History) (edges []Edge) {
		d, ok := Deposit(h)
		if !ok {
			return nil
		}
		tied := map[ledger.Address]bool{}
		for i := range d.Sweeps {
			s := &d.Sweeps[i]
			if e, ok := r.tie(h.Of, s.Into, s.Tx, s.Height); ok && !tied[s.Into] {
				tied[s.Into] = true
				edges = append(edges, e)
			}
		}
		return edges
	},
}

// DepositCustomers ties those who pay into one deposit address: a service makes one for
// every customer. Every edge goes to the first of them and stands at the sweep that
// revealed the other.
var DepositCustomers = &Rule{
	Name: "deposit-customers", Title: "payers into one deposit address", Source: victor,
	Family: ledger.Account, Input: AllHistory, Kind: Depositing, Confidence: 85,
	Published: "none published; Victor reports that 17.9 % of active accounts were clustered, not how many wrongly",
	Needs:     "the collecting wallets of services, which accounts are contracts, which deal with too many others",
	history: func(r *Rule, h *History) (edges []Edge) {
		d, ok := Deposit(h)
		if !ok || len(d.Customers) > DepositCustomersMost {
			return nil
		}
		for i := range d.Sweeps { // a customer's first sweep reveals him
			s := &d.Sweeps[i]
			if !s.First || s.Payer == d.Customers[0] {
				continue
			}
			if e, ok := r.tie(d.Customers[0], s.Payer, s.Tx, s.Height); ok {
				edges = append(edges, e)
			}
		}
		return edges
	},
}

// Deposited is an account that collects for a service.
type Deposited struct {
	Entity string // the service
	// Customers are those whose payments were swept, in the order in which sweeps
	// revealed them.
	Customers []ledger.Address
	Sweeps    []Sweep // in order; at least one
}

// Sweep is a receipt and the movement that passed it on.
type Sweep struct {
	Payer      ledger.Address
	Into       ledger.Address // the service's wallet
	Asset      ledger.Asset
	Paid       ledger.Amount // by the payer, base units of Asset
	Passed     ledger.Amount // to the service
	Received   ledger.Hash   // the transaction of the receipt
	ReceivedAt ledger.Height
	Tx         ledger.Hash // the transaction of the sweep
	Height     ledger.Height
	// First says that no earlier sweep passed on what this payer paid, and that he can
	// be a customer at all: services, contracts and crowded accounts cannot.
	First bool
}

// Deposit recognises a deposit address by its history: everything that leaves it goes
// to the wallets of one service, and at least one receipt was passed on, within 10,000
// blocks, exactly for tokens and with at most 0.01 ether missing for the native asset.
// A receipt answers for one sweep only, the latest that fits.
//
// One movement to anybody else, and it is none, whenever that was: of two histories of
// which one continues the other, the longer has every sweep of the shorter or refutes
// it. Movements of tokens count where the account signed the transaction; whoever
// writes a token can write events about anybody.
func Deposit(h *History) (Deposited, bool) {
	if h.Of.IsZero() || h.Parties.contract(h.Of) {
		return Deposited{}, false
	}
	if _, itself := h.Parties.service(h.Of); itself {
		return Deposited{}, false
	}
	m := sweeper{h: h, waiting: map[ledger.Asset][]receipt{}, known: map[ledger.Address]bool{}}
	for _, p := range h.inOrder() {
		if p.Tx.Failed {
			continue
		}
		for i := range p.Tx.Transfers {
			if !m.transfer(&p, &p.Tx.Transfers[i]) {
				return Deposited{}, false
			}
		}
	}
	return m.out, len(m.out.Sweeps) > 0
}

// receipt is a payment that no sweep has passed on yet.
type receipt struct {
	from   ledger.Address
	amount ledger.Amount
	tx     ledger.Hash
	height ledger.Height
}

// maxWaiting bounds the receipts of one asset that wait for a sweep.
const maxWaiting = 4096

// sweeper walks through a history.
type sweeper struct {
	h       *History
	waiting map[ledger.Asset][]receipt
	known   map[ledger.Address]bool // customers
	out     Deposited
}

// transfer takes in one movement; false where it refutes that the account collects for
// one service.
func (m *sweeper) transfer(p *ledger.Placed, t *ledger.Transfer) bool {
	switch {
	case t.Amount.IsZero() || t.From == t.To:
	case t.To == m.h.Of:
		m.receive(p, t)
	case t.From == m.h.Of && m.h.real(p.Tx, t):
		return m.send(p, t)
	}
	return true
}

func (m *sweeper) receive(p *ledger.Placed, t *ledger.Transfer) {
	if t.Asset == m.h.Chain.Native() && t.Amount.Lt(&DepositLeast) {
		return
	}
	list := m.waiting[t.Asset]
	if len(list) == maxWaiting {
		list = list[1:]
	}
	m.waiting[t.Asset] = append(list, receipt{t.From, t.Amount, p.Tx.ID, p.Height})
}

func (m *sweeper) send(p *ledger.Placed, t *ledger.Transfer) bool {
	entity, ok := m.h.Parties.service(t.To)
	if !ok || entity == "" || m.out.Entity != "" && m.out.Entity != entity {
		return false
	}
	m.out.Entity = entity
	list := m.waiting[t.Asset]
	for i := len(list) - 1; i >= 0; i-- {
		if r := &list[i]; p.Height-r.height <= DepositBlocks && m.answers(t, r) {
			m.passOn(p, t, r)
			m.waiting[t.Asset] = slices.Delete(list, i, i+1)
			break
		}
	}
	return true
}

// answers says that a sweep passes on a receipt.
func (m *sweeper) answers(t *ledger.Transfer, r *receipt) bool {
	if t.Asset != m.h.Chain.Native() {
		return t.Amount.Eq(&r.amount)
	}
	if r.amount.Lt(&t.Amount) {
		return false
	}
	var missing ledger.Amount
	missing.Sub(&r.amount, &t.Amount)
	return !missing.Gt(&DepositTolerance)
}

func (m *sweeper) passOn(p *ledger.Placed, t *ledger.Transfer, r *receipt) {
	s := Sweep{
		Payer: r.from, Into: t.To, Asset: t.Asset, Paid: r.amount, Passed: t.Amount,
		Received: r.tx, ReceivedAt: r.height, Tx: p.Tx.ID, Height: p.Height,
	}
	if m.h.Parties.private(r.from) && !m.known[r.from] {
		m.known[r.from] = true
		s.First = true
		m.out.Customers = append(m.out.Customers, r.from)
	}
	m.out.Sweeps = append(m.out.Sweeps, s)
}
