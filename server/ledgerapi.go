package server

import (
	"net/http"

	"coldtrail/ledger"
)

// pathAddress reads chain and address out of the path.
func (x *exchange) pathAddress() (ledger.Chain, string, bool) {
	chain, ok := x.pathChain()
	if !ok {
		return "", "", false
	}
	address, ok := x.pathID("address")
	return chain, address, ok
}

func (x *exchange) pathChain() (ledger.Chain, bool) {
	chain, err := ledger.ParseChain(x.request.PathValue("chain"))
	if err != nil {
		x.fail(invalid("%.200s", err.Error()))
		return "", false
	}
	return chain, true
}

// getAddress says what the ledger holds of an address.
func getAddress(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Ledger.Address(ctx, chain, address)
	if err != nil {
		x.fail(err)
		return
	}
	if found.Holdings == nil {
		found.Holdings = []Holding{}
	}
	x.ageOn(chain)
	x.json(http.StatusOK, found)
}

// ageOn tells how old what is known of a chain is.
func (x *exchange) ageOn(chain ledger.Chain) {
	moment := int64(none)
	if view := x.view(); view != nil {
		if head, ok := view.Basis().Heads[string(chain)]; ok {
			moment = momentOf(head)
		}
	}
	x.age(moment)
}

// listLabels gives what others say of an address.
func listLabels(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	labels, err := x.parts.Ledger.Labels(ctx, chain, address)
	if err != nil {
		x.fail(err)
		return
	}
	x.json(http.StatusOK, pageOf(labels, 0, nil))
}

// listTransfers gives what touched an address.
func listTransfers(x *exchange) {
	chain, address, ok := x.pathAddress()
	if !ok {
		return
	}
	after, limit, ok := x.paging()
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	transfers, next, err := x.parts.Ledger.Transfers(ctx, chain, address, Page{after, limit})
	if err != nil {
		x.fail(err)
		return
	}
	for i := range transfers {
		if transfers[i].Counterparties == nil {
			transfers[i].Counterparties = []string{}
		}
	}
	answer := pageOf(transfers, 0, nil)
	if next != "" {
		answer.Next = cursorOf(next)
	}
	x.ageOn(chain)
	x.json(http.StatusOK, answer)
}

// getTransaction says what the ledger holds of a transaction.
func getTransaction(x *exchange) {
	chain, ok := x.pathChain()
	if !ok {
		return
	}
	id, ok := x.pathID("id")
	if !ok {
		return
	}
	ctx, cancel := x.within()
	defer cancel()
	found, err := x.parts.Ledger.Transaction(ctx, chain, id)
	if err != nil {
		x.fail(err)
		return
	}
	x.ageOn(chain)
	x.json(http.StatusOK, found)
}
