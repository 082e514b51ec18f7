package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution/label"
	"coldtrail/chain/evm"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
	"coldtrail/store/embedded"
	"coldtrail/store/memory"
)

// wholeMove is value between two addresses, as whole blocks say it.
type wholeMove struct {
	from, to string
	tx       int // in chain order
	index    int
	asset    ledger.Asset
	amount   ledger.Amount
	time     int64
}

// wholeMoves lists what passed between addresses, without a store.
func wholeMoves(n ledger.Notation, blocks []*ledger.Block) (list []wholeMove) {
	made := map[ledger.Outpoint]ledger.Output{}
	tx := 0
	for _, b := range blocks {
		for i := range b.Txs {
			tx++
			x := &b.Txs[i]
			for j, t := range x.Transfers {
				if !x.Failed && t.From != t.To && !t.From.IsZero() && !t.To.IsZero() {
					list = append(list, wholeMove{n.FormatAddress(t.From), n.FormatAddress(t.To), tx, j, t.Asset, t.Amount, b.Time})
				}
			}
			payers := map[ledger.Address]bool{}
			for _, in := range x.Inputs {
				if a := made[in].Address; !a.IsZero() {
					payers[a] = true
				}
			}
			for j, o := range x.Outputs {
				made[ledger.Outpoint{Tx: x.ID, Index: uint32(j)}] = o
				if o.Address.IsZero() || payers[o.Address] {
					continue
				}
				for payer := range payers {
					list = append(list, wholeMove{n.FormatAddress(payer), n.FormatAddress(o.Address), tx, 0, b.Chain.Native(), ledger.NewAmount(o.Value), b.Time})
				}
			}
		}
	}
	return list
}

// played is a laundering in a store, with what its blocks say.
type playedStore struct {
	store  *embedded.Store
	chains []ledger.Chain
	moves  map[ledger.Chain][]wholeMove
}

func playedLaundering(t *testing.T) *playedStore {
	t.Helper()
	p := &playedStore{store: diskStore(t), moves: map[ledger.Chain][]wholeMove{}}
	byChain := map[ledger.Chain][]*ledger.Block{}
	sink := func(b *ledger.Block) error {
		byChain[b.Chain] = append(byChain[b.Chain], b)
		return nil
	}
	options := replay.Options{Seed: 7, Scale: 1000, Thin: 40, Wallets: 100, Scenario: "bybit"}
	if _, err := replay.Play(options, replay.NewAccounts(7, 21_895_237, sink), replay.NewOutputs(7, sink)); err != nil {
		t.Fatal(err)
	}
	p.chains = slices.Sorted(maps.Keys(byChain))
	for _, chain := range p.chains {
		if err := p.store.Append(t.Context(), byChain[chain]); err != nil {
			t.Fatal(err)
		}
		n, err := notations(chain)
		if err != nil {
			t.Fatal(err)
		}
		p.moves[chain] = wholeMoves(n, byChain[chain])
	}
	return p
}

// neighbourSums adds up moves by counterparty, as Neighbours is to do it.
func neighbourSums(moves []wholeMove, a string, since, until int64) map[string]string {
	type sum struct {
		amount ledger.Amount
		count  int
	}
	sums := map[string]*sum{}
	seen := map[string]bool{}
	for i := range moves {
		m := &moves[i]
		key := fmt.Sprint("sent ", m.to, " ", m.asset)
		if m.to == a {
			key = fmt.Sprint("received ", m.from, " ", m.asset)
		}
		if m.from != a && m.to != a || m.time < since || m.time > until {
			continue
		}
		if sums[key] == nil {
			sums[key] = &sum{}
		}
		sums[key].amount.Add(&sums[key].amount, &m.amount)
		once := fmt.Sprint(key, m.tx)
		if m.to != a || !strings.HasPrefix(string(m.asset), "bip122") || !seen[once] { // outputs of one transaction to an address are one receipt
			sums[key].count++
		}
		seen[once] = true
	}
	out := map[string]string{}
	for key, s := range sums {
		out[key] = fmt.Sprint(s.amount.Dec(), " ", s.count)
	}
	return out
}

// allNeighbours walks all pages.
func allNeighbours(t *testing.T, g storeGraphs, chain ledger.Chain, a string, q server.NeighbourQuestion) map[string]string {
	t.Helper()
	out := map[string]string{}
	for {
		page, err := g.Neighbours(t.Context(), chain, a, &q)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		if !page.Complete || len(page.Items) > q.Page.Limit {
			t.Errorf("%s: %d of %d, complete %v", a, len(page.Items), page.Total, page.Complete)
		}
		for _, n := range page.Items {
			key := fmt.Sprint(n.Direction, " ", n.Address, " ", n.Asset)
			if _, twice := out[key]; twice || len(n.Txs) == 0 || len(n.Txs) > 3 || n.First > n.Last {
				t.Errorf("%s: %+v", a, n)
			}
			out[key] = fmt.Sprint(n.Amount.Dec(), " ", n.Transfers)
		}
		if q.Page.After = page.Next; page.Next == "" {
			if page.Total != len(out) {
				t.Errorf("%s: %d rows, total %d", a, len(out), page.Total)
			}
			return out
		}
	}
}

// TestNeighboursOfReplay compares everybody's counterparties with sums over whole blocks,
// on both chains, whole and in a span of time.
func TestNeighboursOfReplay(t *testing.T) {
	p := playedLaundering(t)
	g := storeGraphs{newStoreLedger(p.store)}
	for _, chain := range p.chains {
		moves := p.moves[chain]
		everybody := map[string][]wholeMove{}
		for i := range moves {
			m := &moves[i]
			everybody[m.from], everybody[m.to] = append(everybody[m.from], *m), append(everybody[m.to], *m)
		}
		middle, last := moves[len(moves)/2].time, moves[len(moves)-1].time
		checked := 0
		for i, a := range slices.Sorted(maps.Keys(everybody)) {
			if i%(len(everybody)/100) != 0 && len(everybody[a]) < 3000 {
				continue
			}
			checked++
			want := neighbourSums(everybody[a], a, 0, last)
			limit := 500
			if len(want) < 40 {
				limit = 7
			}
			got := allNeighbours(t, g, chain, a, server.NeighbourQuestion{Direction: "both", Page: server.Page{Limit: limit}})
			if !maps.Equal(got, want) {
				t.Fatalf("%s: %v\nwant %v", a, got, want)
			}
			got = allNeighbours(t, g, chain, a, server.NeighbourQuestion{Direction: "both", Since: middle, Until: middle + 36000, Page: server.Page{Limit: 500}})
			if want := neighbourSums(everybody[a], a, middle, middle+36000); !maps.Equal(got, want) {
				t.Fatalf("%s from %d on: %v\nwant %v", a, middle, got, want)
			}
		}
		if checked < 50 {
			t.Errorf("%s: only %d addresses were compared", chain.Short(), checked)
		}
	}
}

// fewestHops says in how many moves value can get from one address to others, by going
// through all moves for every number of hops.
func fewestHops(moves []wholeMove, from string, most int) map[string]int {
	type when struct{ tx, index int }
	hops := map[string]int{}
	arrived := map[string]when{from: {-1, -1}}
	for h := 1; h <= most; h++ {
		next := map[string]when{}
		for i := range moves {
			m := &moves[i]
			at, ok := arrived[m.from]
			if !ok || m.amount.IsZero() || m.tx < at.tx || m.tx == at.tx && m.index <= at.index {
				continue
			}
			w, ok := next[m.to]
			if !ok || cmp.Or(cmp.Compare(m.tx, w.tx), cmp.Compare(m.index, w.index)) < 0 {
				next[m.to] = when{m.tx, m.index}
			}
			if _, known := hops[m.to]; !known && m.to != from {
				hops[m.to] = h
			}
		}
		arrived = next
	}
	return hops
}

// TestPathsOfReplay compares the lengths of ways with those that going through all moves
// finds, on both chains, and checks every step of them.
func TestPathsOfReplay(t *testing.T) {
	p := playedLaundering(t)
	g := storeGraphs{newStoreLedger(p.store)}
	for _, chain := range p.chains {
		moves := p.moves[chain]
		isMove := map[string]bool{}
		for i := range moves {
			isMove[fmt.Sprint(moves[i].from, moves[i].to, moves[i].asset, moves[i].time)] = true
		}
		lengths := map[int]int{}
		for i := 0; i < len(moves); i += len(moves)/6 + 1 {
			from := moves[i].from
			hops := fewestHops(moves, from, 5)
			targets := slices.Sorted(maps.Keys(hops))
			targets = append(targets, moves[0].from, moves[len(moves)-1].to)
			for j, to := range targets {
				if to == from || j%(len(targets)/20+1) != 0 && j < len(targets)-2 {
					continue
				}
				got, err := g.Paths(t.Context(), chain, &server.PathQuestion{From: from, To: to, Hops: 5, Limit: 4})
				if err != nil {
					t.Fatal(err)
				}
				want := hops[to]
				if !got.Complete { // it may have missed the shortest, and what it gives is one all the same
					for _, way := range got.Items {
						if len(way.Steps) < want || want == 0 {
							t.Fatalf("from %s to %s in %d, and there is none shorter than %d", from, to, len(way.Steps), want)
						}
						checkWay(t, way.Steps, [2]string{from, to}, len(way.Steps), isMove)
					}
					continue
				}
				lengths[want]++
				if (want == 0) != (len(got.Items) == 0) || len(got.Items) > 4 {
					t.Fatalf("from %s to %s: %d ways, want %d hops", from, to, len(got.Items), want)
				}
				for _, way := range got.Items {
					checkWay(t, way.Steps, [2]string{from, to}, want, isMove)
				}
			}
		}
		t.Logf("%s: ways by length %v", chain.Short(), lengths)
		if lengths[1] == 0 || lengths[2] == 0 || lengths[0] == 0 {
			t.Errorf("%s: lengths %v", chain.Short(), lengths)
		}
	}
}

func checkWay(t *testing.T, steps []server.WayStep, between [2]string, want int, isMove map[string]bool) {
	t.Helper()
	if len(steps) != want || steps[0].From != between[0] || steps[len(steps)-1].To != between[1] {
		t.Fatalf("from %s to %s in %d: %+v", between[0], between[1], want, steps)
	}
	for i, s := range steps {
		if i > 0 && (steps[i-1].To != s.From || steps[i-1].Height > s.Height || steps[i-1].Time > s.Time) {
			t.Errorf("step %d of %+v does not follow", i, steps)
		}
		if !isMove[fmt.Sprint(s.From, s.To, s.Asset, s.Time)] || s.Amount.IsZero() {
			t.Errorf("step %+v is in no block", s)
		}
	}
}

// TestPathsOfRandomLedgers compares the ways between all pairs of a small crowd, several
// moves to a transaction.
func TestPathsOfRandomLedgers(t *testing.T) {
	n, longest := evm.Notation{}, 0
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 7))
		s := memory.New()
		var blocks []*ledger.Block
		parent := ledger.Hash{}
		for h := range 12 {
			b := plainBlocks(ledger.Height(1+h), ledger.Height(1+h), parent, 0)[0]
			b.Txs = nil
			for i := range 3 {
				tx := ledger.Tx{ID: ledger.Hash{4, byte(h), byte(i)}, Index: uint32(i)}
				for range 1 + random.IntN(3) {
					tx.Transfers = append(tx.Transfers, ledger.Transfer{
						From: account(byte(1 + random.IntN(30))), To: account(byte(1 + random.IntN(30))), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(random.Uint64N(4)), LogIndex: ledger.NoLog,
					})
				}
				b.Txs = append(b.Txs, tx)
			}
			parent, blocks = b.Hash, append(blocks, b)
		}
		if err := s.Append(t.Context(), blocks); err != nil {
			t.Fatal(err)
		}
		moves := wholeMoves(n, blocks)
		isMove := map[string]bool{}
		for i := range moves {
			isMove[fmt.Sprint(moves[i].from, moves[i].to, moves[i].asset, moves[i].time)] = true
		}
		g := storeGraphs{newStoreLedger(s)}
		for i := range byte(30) {
			from := n.FormatAddress(account(1 + i))
			hops := fewestHops(moves, from, 12)
			for j := range byte(30) {
				to := n.FormatAddress(account(1 + j))
				if from == to {
					continue
				}
				got, err := g.Paths(t.Context(), ledger.Ethereum, &server.PathQuestion{From: from, To: to, Hops: 12, Limit: 5})
				if err != nil {
					t.Fatal(err)
				}
				want := hops[to]
				longest = max(longest, want)
				if (want == 0) != (len(got.Items) == 0) || !got.Complete {
					t.Fatalf("seed %d, from %d to %d: %+v, want %d hops", seed, 1+i, 1+j, got, want)
				}
				for _, way := range got.Items {
					checkWay(t, way.Steps, [2]string{from, to}, want, isMove)
				}
			}
		}
	}
	if longest < 5 {
		t.Errorf("the longest way has %d hops", longest)
	}
}

// TestPathsPassNoService: a way through a service is none, and the answer says that it
// looked no further there.
func TestPathsPassNoService(t *testing.T) {
	s := diskStore(t)
	block := plainBlocks(1, 1, ledger.Hash{}, 0)[0]
	pay := func(n, from, to byte, amount uint64) {
		block.Txs = append(block.Txs, ledger.Tx{ID: ledger.Hash{3, n}, Index: uint32(len(block.Txs)), Transfers: []ledger.Transfer{{From: account(from), To: account(to), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(amount), LogIndex: ledger.NoLog}}})
	}
	pay(1, 2, 3, 5) // 1 pays 2 in the first transaction
	pay(2, 3, 4, 5)
	pay(3, 2, 5, 0) // moves nothing
	pay(4, 5, 4, 1)
	if err := s.Append(t.Context(), []*ledger.Block{block}); err != nil {
		t.Fatal(err)
	}
	n := evm.Notation{}
	name := func(i byte) string { return n.FormatAddress(account(i)) }
	d := serveParts(t, server.Options{Open: true}, server.Parts{Graphs: storeGraphs{newStoreLedger(s)}})
	ask := func(from, to byte) server.Ways {
		return decoded[server.Ways](t, d.wants(200, fmt.Sprintf("GET /v1/paths/ethereum?from=%s&to=%s", name(from), name(to)), "", nil))
	}
	if got := ask(1, 4); len(got.Items) != 1 || len(got.Items[0].Steps) != 3 || !got.Complete || got.Items[0].Steps[1].To != name(3) {
		t.Errorf("%+v", got)
	}
	if got := ask(4, 1); len(got.Items) != 0 || !got.Complete {
		t.Errorf("back in time: %+v", got)
	}
	exchange := label.Claim{Subject: label.SubjectOf(ledger.Ethereum, name(3)), Label: "An exchange", Concept: "exchange", Confidence: "forensic", Score: 80, By: "a blog", Learned: 1}
	if _, err := s.AddClaims(t.Context(), []label.Claim{exchange}); err != nil {
		t.Fatal(err)
	}
	if got := ask(1, 4); len(got.Items) != 0 || got.Complete || !strings.Contains(got.Why, "kept by An exchange") {
		t.Errorf("through a service: %+v", got)
	}
	if got := ask(1, 3); len(got.Items) != 1 || len(got.Items[0].Steps) != 2 {
		t.Errorf("to a service: %+v", got)
	}
	d.wants(400, fmt.Sprintf("GET /v1/paths/ethereum?from=%s&to=%s", name(1), name(1)), "", nil, "one address")
	d.wants(400, fmt.Sprintf("GET /v1/paths/ethereum?from=0x12&to=%s", name(1)), "", nil, "40 hexadecimal digits")
	d.wants(404, "GET /v1/paths/bitcoin?from=1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa&to=1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "", nil, "holds no block")
}

// TestNeighboursOfBybit asks the server about the bundled export.
func TestNeighboursOfBybit(t *testing.T) {
	s := bybitStore(t)
	if _, err := s.AddClaims(t.Context(), []label.Claim{
		{Subject: label.SubjectOf(ledger.Ethereum, bybitCold), Label: "Bybit cold wallet", Concept: "cold_wallet", Confidence: "forensic", Score: 80, By: "a blog", Learned: 1},
	}); err != nil {
		t.Fatal(err)
	}
	d := serveParts(t, server.Options{Open: true}, server.Parts{Graphs: storeGraphs{newStoreLedger(s)}})
	page := decoded[server.Neighbours](t, d.wants(200, "GET /v1/addresses/ethereum/"+bybitThief+"/neighbours?direction=in&asset=eip155:1/slip44:60", "", nil))
	at := slices.IndexFunc(page.Items, func(n server.Neighbour) bool { return n.Address == bybitCold })
	if at < 0 || page.Items[at].Amount.Dec() != "401346768858404671846374" || page.Items[at].Entity != "Bybit cold wallet" || !page.Items[at].Service || page.Items[at].Direction != exposure.Received || page.Items[at].Txs[0] != bybitTheft || page.Items[at].Shared {
		t.Errorf("%+v", page)
	}
	most := decoded[server.Neighbours](t, d.wants(200, "GET /v1/addresses/ethereum/"+bybitThief+"/neighbours?least=400000000000000000000000", "", nil))
	if most.Total != 1 || most.Items[0].Address != bybitCold {
		t.Errorf("the largest: %+v", most)
	}
	first := decoded[server.Neighbours](t, d.wants(200, "GET /v1/addresses/ethereum/"+bybitThief+"/neighbours?limit=1", "", nil))
	second := decoded[server.Neighbours](t, d.wants(200, "GET /v1/addresses/ethereum/"+bybitThief+"/neighbours?limit=1&cursor="+first.Next, "", nil))
	if first.Total < 3 || second.Total != first.Total || second.Items[0].Address == first.Items[0].Address && second.Items[0].Asset == first.Items[0].Asset && second.Items[0].Direction == first.Items[0].Direction {
		t.Errorf("%+v, then %+v", first, second)
	}
	d.wants(404, "GET /v1/addresses/ethereum/0x00000000000000000000000000000000000000ff/neighbours", "", nil, "not to say that there is nothing")
	d.wants(400, "GET /v1/addresses/ethereum/"+bybitThief+"/neighbours?cursor=MS4yLjMuNA", "", nil, "none of this list")
	if err := s.Rewind(t.Context(), ledger.Ethereum, 21895260); err != nil {
		t.Fatal(err)
	}
	d.wants(410, "GET /v1/addresses/ethereum/"+bybitThief+"/neighbours?limit=1&cursor="+first.Next, "", nil, "taken out of the chain")

	tx := decoded[server.TransactionGraph](t, d.wants(200, "GET /v1/txs/ethereum/"+bybitTheft+"/graph", "", nil))
	if len(tx.Nodes) != 2 || len(tx.Edges) != 1 || tx.Nodes[0].Entity != "Bybit cold wallet" || !tx.Nodes[0].Service || tx.Nodes[0].X >= tx.Nodes[1].X || tx.Edges[0].Amount.Dec() != "401346768858404671846374" {
		t.Errorf("%+v", tx)
	}
}

// TestTransactionGraphsOfReplay: what goes into a transaction comes out of it or is its
// fee, payers stand left and payees right.
func TestTransactionGraphsOfReplay(t *testing.T) {
	p := playedLaundering(t)
	g := storeGraphs{newStoreLedger(p.store)}
	drawn := 0
	for h, err := range p.store.Headers(t.Context(), replay.Regtest, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if h.Txs < 2 {
			continue
		}
		ids, err := p.store.IDs(t.Context(), replay.Regtest, []store.TxNumber{h.FirstTx + 1})
		if err != nil {
			t.Fatal(err)
		}
		graph, err := g.TransactionGraph(t.Context(), replay.Regtest, replay.Regtest.FormatHash(ids[0]))
		if err != nil {
			t.Fatal(err)
		}
		x := map[string]int{}
		for _, n := range graph.Nodes {
			x[n.Key] = n.X
		}
		var in, out ledger.Amount
		for _, e := range graph.Edges {
			sum := &in
			if e.From == "tx" {
				sum = &out
			}
			sum.Add(sum, &e.Amount.Amount)
			if x[e.From] >= x[e.To] {
				t.Errorf("%s: %+v goes back", graph.Tx, e)
			}
		}
		if in.IsZero() { // coins that begin here
			continue
		}
		if !in.Eq(&out) || graph.LeftOut != 0 {
			t.Errorf("%s: %s in, %s out, %d left out", graph.Tx, in.Dec(), out.Dec(), graph.LeftOut)
		}
		drawn++
	}
	if drawn < 20 {
		t.Errorf("only %d were drawn", drawn)
	}
}
