package server

import (
	"encoding/json"
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// basisView is a basis as answers need it, made once for each state of knowledge.
type basisView struct {
	of   *exposure.Basis
	json []byte
	// The oldest moment of any chain, of accounts and of outputs, Unix seconds; none where
	// there is no such chain.
	all, accounts, outputs int64
}

// none is a moment that is not known.
const none = -1

// known is the newest state of knowledge that can be asked.
func (s *Server) view() View {
	if s.parts.Screening == nil {
		return nil
	}
	view := s.parts.Screening.Now()
	if view == nil || view.Basis() == nil {
		return nil
	}
	return view
}

// basisOf gives a basis as answers need it.
func (s *Server) basisOf(b *exposure.Basis) *basisView {
	if held := s.basis.Load(); held != nil && held.of == b {
		return held
	}
	text, err := json.Marshal(b)
	if err != nil {
		panic("server: " + err.Error()) // texts and numbers only
	}
	made := &basisView{of: b, json: text, all: none, accounts: none, outputs: none}
	for chain, head := range b.Heads {
		at := momentOf(head)
		made.all = older(made.all, at)
		if ledger.Chain(chain).Family() == ledger.UTXO {
			made.outputs = older(made.outputs, at)
		} else {
			made.accounts = older(made.accounts, at)
		}
	}
	s.basis.Store(made)
	return made
}

// older is the earlier of two moments that are known.
func older(a, b int64) int64 {
	if a == none || b < a {
		return b
	}
	return a
}

// momentOf is when a chain was last heard of; the block's own time where it is not followed.
func momentOf(h exposure.Head) int64 {
	if h.Seen != 0 {
		return h.Seen
	}
	return h.Time
}

// ageOf is how old what is known of a chain is, in seconds.
func ageOf(h exposure.Head, now int64) int64 { return max(0, now-momentOf(h)) }

// moment gives how old the stalest data is that bears on a question: the chain's that it
// names, or that of every chain which may have such an address.
func (b *basisView) moment(q *exposure.Question) int64 {
	if q.Chain != "" {
		chain, err := ledger.ParseChain(q.Chain)
		if err != nil {
			return none
		}
		head, ok := b.of.Heads[string(chain)]
		if !ok {
			return none
		}
		return momentOf(head)
	}
	switch {
	case strings.HasPrefix(q.Subject, "0x"):
		return b.accounts
	case strings.HasPrefix(q.Subject, "bc1"), len(q.Subject) < 40 && (strings.HasPrefix(q.Subject, "1") || strings.HasPrefix(q.Subject, "3")):
		return b.outputs
	}
	return b.all
}

var ageUnknown = []string{"unknown"}

// age tells how old the data is.
func (x *exchange) age(moment int64) {
	if moment == none {
		x.Header()["Coldtrail-Data-Age"] = ageUnknown
		return
	}
	x.Header()["Coldtrail-Data-Age"] = []string{strconv.FormatInt(max(0, x.started.Unix()-moment), 10)}
}

// ages collects the stalest moment of several questions.
type ages struct {
	oldest  int64
	unknown bool
	any     bool
}

func (a *ages) add(moment int64) {
	switch {
	case moment == none:
		a.unknown = true
	case !a.any || moment < a.oldest:
		a.oldest, a.any = moment, true
	}
}

func (a *ages) moment() int64 {
	if a.unknown || !a.any {
		return none
	}
	return a.oldest
}
