package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/chain/evm"
	"coldtrail/chain/transfers"
	"coldtrail/ingest"
	"coldtrail/internal/replay"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
	"coldtrail/store"
	"coldtrail/store/embedded"
)

// The places of the bundled export that the tests look at.
const (
	bybitFolder = "../../testdata/bybit-2025"
	bybitCold   = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
	bybitThief  = "0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2"
	bybitTheft  = "0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c"
)

// diskStore is an embedded store in a folder of its own.
func diskStore(t *testing.T) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// bybitStore holds the bundled export.
func bybitStore(t *testing.T) *embedded.Store {
	t.Helper()
	s := diskStore(t)
	source, err := transfers.Open(t.Context(), filepath.Join(bybitFolder, "transfers.csv"), ledger.Ethereum, evm.Notation{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.Run(t.Context(), s, ledger.Ethereum, source, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// partServer is a server that answers from parts under test.
type partServer struct {
	t   *testing.T
	url string
}

// serveParts runs a server with the parts.
func serveParts(t *testing.T, options server.Options, parts server.Parts) *partServer {
	t.Helper()
	options.Now = time.Now
	if options.KeysEvery == 0 {
		options.KeysEvery = 10 * time.Millisecond
	}
	s, err := server.New(options, parts)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &partServer{t, "http://" + listener.Addr().String()}
}

// ask sends a request and gives the status and the body.
func (d *partServer) ask(method, path, key string, body any) (int, string) {
	d.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			d.t.Fatal(err)
		}
		in = strings.NewReader(string(text))
	}
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, in)
	if err != nil {
		d.t.Fatal(err)
	}
	request.Close = true
	if key != "" {
		request.Header.Set("X-API-Key", key)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// wants sends a request and wants a status, and each of some texts in the body.
func (d *partServer) wants(status int, what, key string, body any, parts ...string) string {
	d.t.Helper()
	method, path, _ := strings.Cut(what, " ")
	got, text := d.ask(method, path, key, body)
	if got != status {
		d.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			d.t.Errorf("%s %s: %s\nlacks %s", method, path, text, part)
		}
	}
	return text
}

func decoded[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestLedgerOfBybit asks the server about the bundled export.
func TestLedgerOfBybit(t *testing.T) {
	s := bybitStore(t)
	claims := []label.Claim{
		{Subject: label.SubjectOf(ledger.Ethereum, bybitThief), Label: "Bybit Exploiter", Actor: "lazarus-group", Abuse: "sanction", Confidence: "authority_data", Score: 100, By: "FBI", Source: "PSA I-022625-PSA", From: 1740528000, Learned: 1740600000},
		{Subject: label.SubjectOf(ledger.Ethereum, bybitThief), Label: "A market maker", Actor: "somebody-else", Concept: "exchange", Confidence: "forensic", Score: 50, By: "a blog", Learned: 1740700000},
	}
	ended := label.Claim{Subject: claims[0].Subject, By: "a blog", Withdraws: claims[1].ID().String(), From: 1741000000, Learned: 1741000001}
	if _, err := s.AddClaims(t.Context(), append(claims, ended)); err != nil {
		t.Fatal(err)
	}
	d := serveParts(t, server.Options{Open: true}, server.Parts{Ledger: newStoreLedger(s)})

	thief := decoded[server.Address](t, d.wants(200, "GET /v1/addresses/ethereum/"+strings.ToLower(bybitThief), "", nil))
	if thief.Chain != "eip155:1" || thief.Address != bybitThief || thief.Entity != "Bybit Exploiter" || thief.First.Height != 21895251 || thief.First.Time != 1740147371 {
		t.Errorf("the thief: %+v", thief)
	}
	list := decoded[struct {
		Items []server.Transfer
		Next  string
	}](t, d.wants(200, "GET /v1/addresses/eip155:1/"+bybitThief+"/transfers?limit=1000", "", nil))
	if uint64(len(list.Items)) != thief.Touches || list.Next != "" || len(list.Items) < 10 {
		t.Fatalf("%d transfers, the address says %d, next %q", len(list.Items), thief.Touches, list.Next)
	}
	first := list.Items[0]
	if first.Tx != bybitTheft || first.Direction != exposure.Received || first.Amount.Dec() != "401346768858404671846374" || first.Asset != ledger.Ethereum.Native() || !slices.Equal(first.Counterparties, []string{bybitCold}) {
		t.Errorf("the first transfer: %+v", first)
	}
	labels := decoded[struct{ Items []server.Label }](t, d.wants(200, "GET /v1/addresses/ethereum/"+bybitThief+"/labels", "", nil)).Items
	want := []server.Label{
		{ID: claims[0].ID().String(), Label: "Bybit Exploiter", Actor: "lazarus-group", Abuse: "sanction", Confidence: 100, By: "FBI", Source: "PSA I-022625-PSA", From: 1740528000, Learned: 1740600000},
		{ID: claims[1].ID().String(), Label: "A market maker", Actor: "somebody-else", Category: "exchange", Confidence: 50, By: "a blog", Until: 1741000000, Learned: 1740700000},
	}
	if !slices.Equal(labels, want) {
		t.Errorf("labels %+v\nwant %+v", labels, want)
	}
	d.wants(200, "GET /v1/addresses/ethereum/"+bybitCold+"/labels", "", nil, `"items":[]`)

	tx := decoded[server.Transaction](t, d.wants(200, "GET /v1/txs/ethereum/"+strings.TrimPrefix(bybitTheft, "0x"), "", nil))
	if tx.ID != bybitTheft || tx.Height != 21895251 || tx.Time != 1740147371 || tx.Provenance != "file" || tx.Fee != nil || len(tx.Movements) != 1 || tx.Movements[0].From != bybitCold || tx.Movements[0].To != bybitThief || tx.Movements[0].Amount.Dec() != "401346768858404671846374" {
		t.Errorf("the theft: %+v", tx)
	}

	wrongCase := strings.Replace(bybitThief, "F", "f", 1)
	for path, want := range map[string]struct {
		status int
		part   string
	}{
		"/v1/addresses/ethereum/" + wrongCase:                                         {400, "checksum is wrong"},
		"/v1/addresses/ethereum/0x12/transfers":                                       {400, "40 hexadecimal digits"},
		"/v1/addresses/ethereum/0x12/labels":                                          {400, "40 hexadecimal digits"},
		"/v1/addresses/ethereum/0x00000000000000000000000000000000000000ff":           {404, "not to say that there is nothing"},
		"/v1/addresses/ethereum/0x00000000000000000000000000000000000000ff/transfers": {404, "the newest of which is"},
		"/v1/addresses/bitcoin/1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa":                    {404, "holds no block of bitcoin"},
		"/v1/txs/ethereum/0x" + strings.Repeat("0", 64):                               {404, "holds nothing of it"},
		"/v1/txs/ethereum/0x12":                                                       {400, "hexadecimal digits"},
		"/v1/addresses/eip155:1/" + bybitThief + "/transfers?cursor=MS4yLjM":          {400, "the cursor is none of this list"},
	} {
		d.wants(want.status, "GET "+path, "", nil, want.part)
	}
}

// allTransfers walks all pages of a size.
func allTransfers(t *testing.T, l *storeLedger, chain ledger.Chain, address string, limit int) (all []server.Transfer) {
	t.Helper()
	for after := ""; ; {
		page, next, err := l.Transfers(t.Context(), chain, address, server.Page{After: after, Limit: limit})
		if err != nil {
			t.Fatalf("%s after %q: %v", address, after, err)
		}
		if len(page) > limit {
			t.Fatalf("%s: a page of %d, at most %d were asked for", address, len(page), limit)
		}
		all = append(all, page...)
		if after = next; next == "" {
			return all
		}
	}
}

// naiveHolding is what whole blocks say that an address moved of an asset.
type naiveHolding struct{ received, sent, balance ledger.Amount }

// naiveBooks adds whole blocks up, transfer by transfer, without a store.
func naiveBooks(blocks []*ledger.Block) map[store.Holding]*naiveHolding {
	books := map[store.Holding]*naiveHolding{}
	of := func(a ledger.Address, asset ledger.Asset) *naiveHolding {
		h := store.Holding{Address: a, Asset: asset}
		if books[h] == nil {
			books[h] = &naiveHolding{}
		}
		return books[h]
	}
	move := func(from, to ledger.Address, asset ledger.Asset, amount ledger.Amount) {
		if from == to || amount.IsZero() {
			return
		}
		if !to.IsZero() {
			h := of(to, asset)
			h.received.Add(&h.received, &amount)
			h.balance.Add(&h.balance, &amount)
		}
		if !from.IsZero() {
			h := of(from, asset)
			h.sent.Add(&h.sent, &amount)
			if h.balance.Lt(&amount) {
				h.balance.Clear()
			} else {
				h.balance.Sub(&h.balance, &amount)
			}
		}
	}
	made := map[ledger.Outpoint]ledger.Output{}
	for _, b := range blocks {
		native := b.Chain.Native()
		for _, o := range b.Openings {
			of(o.Address, o.Asset).balance = o.Amount
		}
		for i := range b.Txs {
			tx := &b.Txs[i]
			for _, in := range tx.Inputs {
				move(made[in].Address, ledger.Address{}, native, ledger.NewAmount(made[in].Value))
			}
			for j, o := range tx.Outputs {
				made[ledger.Outpoint{Tx: tx.ID, Index: uint32(j)}] = o
				move(ledger.Address{}, o.Address, native, ledger.NewAmount(o.Value))
			}
			if !tx.Failed {
				for _, x := range tx.Transfers {
					move(x.From, x.To, x.Asset, x.Amount)
				}
			}
			move(tx.Fee.Payer, ledger.Address{}, native, tx.Fee.Burned)
			move(tx.Fee.Payer, tx.Fee.Producer, native, tx.Fee.Tip)
		}
	}
	return books
}

// TestLedgerOfReplay compares everything that is said of the addresses of a laundering on
// both chains with sums over whole blocks: received, sent, what is left, and the pages of
// every size against each other.
func TestLedgerOfReplay(t *testing.T) {
	s := diskStore(t)
	byChain := map[ledger.Chain][]*ledger.Block{}
	sink := func(b *ledger.Block) error {
		byChain[b.Chain] = append(byChain[b.Chain], b)
		return nil
	}
	options := replay.Options{Seed: 7, Scale: 1000, Thin: 40, Wallets: 100, Scenario: "bybit"}
	if _, err := replay.Play(options, replay.NewAccounts(7, 21_895_237, sink), replay.NewOutputs(7, sink)); err != nil {
		t.Fatal(err)
	}
	l := newStoreLedger(s)
	for _, chain := range slices.Sorted(maps.Keys(byChain)) {
		if err := s.Append(t.Context(), byChain[chain]); err != nil {
			t.Fatal(err)
		}
		notation, err := notations(chain)
		if err != nil {
			t.Fatal(err)
		}
		books := naiveBooks(byChain[chain])
		assets := map[string][]store.Holding{}
		for h := range books {
			text := notation.FormatAddress(h.Address)
			assets[text] = append(assets[text], h)
		}
		addresses := slices.Sorted(maps.Keys(assets))
		opened := onlyOpened(notation, byChain[chain])
		checked, most, openings := 0, 0, 0
		for i, text := range addresses {
			if i%5 != 0 && len(assets[text]) < 3 { // every fifth, and all that hold several assets
				continue
			}
			checked++
			if opened[text] {
				said, err := l.Address(t.Context(), chain, text)
				if err != nil || said.Touches != 0 || said.First != nil || len(said.Holdings) != 1 || said.Holdings[0].Amount.Dec() != books[assets[text][0]].balance.Dec() {
					t.Errorf("%s, of which only an opening is stated: %+v, %v", text, said, err)
				}
				if list, next, err := l.Transfers(t.Context(), chain, text, server.Page{Limit: 9}); err != nil || next != "" || len(list) != 0 {
					t.Errorf("%s, of which only an opening is stated: %+v, %q, %v", text, list, next, err)
				}
				openings++
				continue
			}
			all := allTransfers(t, l, chain, text, 1000)
			most = max(most, len(all))
			checkTransfers(t, text, all, assets[text], books)
			for _, limit := range []int{1, 7, len(all)} {
				if len(all) > 300 && limit == 1 {
					continue
				}
				if got := allTransfers(t, l, chain, text, limit); fmt.Sprint(got) != fmt.Sprint(all) {
					t.Fatalf("%s: pages of %d give %d transfers, pages of 1000 give %d", text, limit, len(got), len(all))
				}
			}
			(&compared{l, chain, books}).checkAddress(t, text, all, assets[text])
		}
		t.Logf("%s: %d of %d addresses, at most %d transfers of one; of %d only an opening", chain.Short(), checked, len(addresses), most, openings)
		if checked < 50 || most < 50 {
			t.Errorf("%s: only %d addresses and %d transfers were compared", chain.Short(), checked, most)
		}
	}
	checkTransactions(t, l, byChain)
}

// onlyOpened are addresses of which blocks state a balance and nothing else.
func onlyOpened(n ledger.Notation, blocks []*ledger.Block) map[string]bool {
	only, seen := map[string]bool{}, map[ledger.Address]bool{}
	for _, b := range blocks {
		for i := range b.Txs {
			for _, a := range store.Touched(&b.Txs[i]) {
				seen[a] = true
			}
		}
	}
	for _, b := range blocks {
		for _, o := range b.Openings {
			if !seen[o.Address] {
				only[n.FormatAddress(o.Address)] = true
			}
		}
	}
	return only
}

// checkTransfers adds transfers up.
func checkTransfers(t *testing.T, address string, all []server.Transfer, holdings []store.Holding, books map[store.Holding]*naiveHolding) {
	t.Helper()
	received, sent := map[ledger.Asset]*ledger.Amount{}, map[ledger.Asset]*ledger.Amount{}
	for i := range all {
		x := &all[i]
		if slices.Equal(x.Counterparties, []string{address}) {
			continue // to itself
		}
		to := received
		if x.Direction == exposure.Sent {
			to = sent
		}
		if to[x.Asset] == nil {
			to[x.Asset] = &ledger.Amount{}
		}
		to[x.Asset].Add(to[x.Asset], &x.Amount.Amount)
		if i > 0 && x.Height < all[i-1].Height {
			t.Errorf("%s: block %d after block %d", address, x.Height, all[i-1].Height)
		}
	}
	zero := &ledger.Amount{}
	for _, h := range holdings {
		in, out := received[h.Asset], sent[h.Asset]
		if in == nil {
			in = zero
		}
		if out == nil {
			out = zero
		}
		if want := books[h]; !in.Eq(&want.received) || !out.Eq(&want.sent) {
			t.Errorf("%s of %s: received %s and sent %s, want %s and %s", address, h.Asset, in.Dec(), out.Dec(), want.received.Dec(), want.sent.Dec())
		}
	}
}

// compared is a chain with what whole blocks say of it.
type compared struct {
	ledger *storeLedger
	chain  ledger.Chain
	books  map[store.Holding]*naiveHolding
}

// checkAddress compares what is said of an address.
func (c *compared) checkAddress(t *testing.T, address string, all []server.Transfer, holdings []store.Holding) {
	t.Helper()
	said, err := c.ledger.Address(t.Context(), c.chain, address)
	if err != nil {
		t.Fatal(err)
	}
	if int(said.Touches) != len(all) || said.First.Height != all[0].Height || said.First.Time != all[0].Time || said.Last.Height != all[len(all)-1].Height {
		t.Errorf("%s: %d transfers from %+v to %+v, listed are %d from %d to %d", address, said.Touches, said.First, said.Last, len(all), all[0].Height, all[len(all)-1].Height)
	}
	left := map[ledger.Asset]string{}
	for _, h := range holdings {
		if balance := c.books[h].balance; !balance.IsZero() {
			left[h.Asset] = balance.Dec()
		}
	}
	got := map[ledger.Asset]string{}
	for _, h := range said.Holdings {
		got[h.Asset] = h.Amount.Dec()
	}
	if !maps.Equal(got, left) {
		t.Errorf("%s holds %v, want %v", address, got, left)
	}
	err = c.ledger.steadily(t.Context(), c.chain, func(v *chainView) error {
		a, err := v.address(address)
		if err != nil {
			return err
		}
		sum, err := c.ledger.summary(t.Context(), v, a)
		if err != nil {
			return err
		}
		for _, h := range holdings {
			want := c.books[h]
			if x := sum.byAsset[h.Asset]; x == nil || !x.received.Eq(&want.received) || !x.sent.Eq(&want.sent) || !x.balance.Eq(&want.balance) {
				t.Errorf("%s of %s: %+v, want %+v", address, h.Asset, x, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkTransactions compares transactions with the blocks they are in.
func checkTransactions(t *testing.T, l *storeLedger, byChain map[ledger.Chain][]*ledger.Block) {
	t.Helper()
	fees := 0
	for chain, blocks := range byChain {
		notation, err := notations(chain)
		if err != nil {
			t.Fatal(err)
		}
		made, spender := map[ledger.Outpoint]ledger.Output{}, map[string]string{}
		for _, b := range blocks {
			for i := range b.Txs {
				for j, o := range b.Txs[i].Outputs {
					made[ledger.Outpoint{Tx: b.Txs[i].ID, Index: uint32(j)}] = o
				}
				for _, in := range b.Txs[i].Inputs {
					spender[fmt.Sprintf("%s:%d", in.Tx, in.Index)] = b.Txs[i].ID.String()
				}
			}
		}
		for n, b := range blocks {
			if n%9 != 0 {
				continue
			}
			for i := range b.Txs {
				tx := &b.Txs[i]
				got, err := l.Transaction(t.Context(), chain, tx.ID.String())
				if err != nil {
					t.Fatal(err)
				}
				block := ""
				if !b.Hash.IsZero() {
					block = chain.FormatHash(b.Hash)
				}
				if got.Height != uint64(b.Height) || got.Time != b.Time || got.Block != block || got.Provenance != b.Provenance.String() || len(got.Inputs) != len(tx.Inputs) || len(got.Outputs) != len(tx.Outputs) || len(got.Movements) != len(tx.Transfers) {
					t.Fatalf("%s: %+v", tx.ID, got)
				}
				var in, out uint64
				for j, leg := range got.Inputs {
					o := made[tx.Inputs[j]]
					in += o.Value
					if leg.Address != notation.FormatAddress(o.Address) || leg.Amount.Uint64() != o.Value || leg.Outpoint != fmt.Sprintf("%s:%d", tx.Inputs[j].Tx, tx.Inputs[j].Index) {
						t.Errorf("%s, input %d: %+v", tx.ID, j, leg)
					}
				}
				for j, leg := range got.Outputs {
					out += tx.Outputs[j].Value
					place := fmt.Sprintf("%s:%d", tx.ID, j)
					if leg.Address != notation.FormatAddress(tx.Outputs[j].Address) || leg.Amount.Uint64() != tx.Outputs[j].Value || leg.Outpoint != place || leg.SpentBy != spender[place] {
						t.Errorf("%s, output %d: %+v", tx.ID, j, leg)
					}
				}
				switch {
				case chain.Family() == ledger.Account || tx.Coinbase:
				case got.Fee == nil || got.Fee.Amount.Uint64() != in-out:
					t.Errorf("%s: the fee is %+v, want %d", tx.ID, got.Fee, in-out)
				default:
					fees++
				}
			}
		}
	}
	if fees == 0 {
		t.Error("no fee was compared")
	}
}

// account is an account of the tests.
func account(n byte) ledger.Address {
	return ledger.NewAddress(ledger.EVMAccount, append(make([]byte, 19), n))
}

// plainBlocks makes a chain in which account 1 pays account 2 once a block. Salt tells
// forks apart, from the height on at which they leave one another.
func plainBlocks(from, to ledger.Height, parent ledger.Hash, salt byte) (list []*ledger.Block) {
	for h := from; h <= to; h++ {
		hash := ledger.Hash{1, byte(h), salt}
		list = append(list, &ledger.Block{
			Chain: ledger.Ethereum, Height: h, Hash: hash, Parent: parent, Time: 1000 + 12*int64(h), Provenance: ledger.Node,
			Txs: []ledger.Tx{{
				ID:        ledger.Hash{2, byte(h), salt},
				Transfers: []ledger.Transfer{{From: account(1), To: account(2), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(uint64(h)), LogIndex: ledger.NoLog}},
				Fee:       ledger.Fee{Payer: account(1), Burned: ledger.NewAmount(3), Tip: ledger.NewAmount(4), Producer: account(9)},
			}},
		})
		parent = hash
	}
	return list
}

func heights(list []server.Transfer) (out []uint64) {
	for i := range list {
		out = append(out, list[i].Height)
	}
	return out
}

// TestCursorsAndReorganisations: a page after a transaction that still stands goes on,
// with the blocks of the new fork behind it; one after a transaction that is gone, or
// that moved, is refused and says what to do.
func TestCursorsAndReorganisations(t *testing.T) {
	s := diskStore(t)
	before := plainBlocks(1, 10, ledger.Hash{}, 0)
	fork := plainBlocks(7, 12, before[5].Hash, 1)
	fork[1].Txs[0] = before[7].Txs[0] // the transaction of block 8 is in block 8 again, behind another block 7
	if err := s.Append(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	l, payee := newStoreLedger(s), evm.Notation{}.FormatAddress(account(2))
	cursors := map[int]string{}
	for _, limit := range []int{4, 7, 8} {
		list, next, err := l.Transfers(t.Context(), ledger.Ethereum, payee, server.Page{Limit: limit})
		if err != nil || len(list) != limit || next == "" {
			t.Fatalf("%d transfers, next %q, %v", len(list), next, err)
		}
		cursors[limit] = next
	}
	d := serveParts(t, server.Options{Open: true}, server.Parts{Ledger: l})
	path := "/v1/addresses/ethereum/" + payee + "/transfers?limit=7"
	page := decoded[struct{ Next string }](t, d.wants(200, "GET "+path, "", nil))
	d.wants(200, "GET "+path+"&cursor="+page.Next, "", nil, `"height":10`)
	if err := s.Rewind(t.Context(), ledger.Ethereum, 7); err != nil {
		t.Fatal(err)
	}
	_, _, err := l.Transfers(t.Context(), ledger.Ethereum, payee, server.Page{After: cursors[8], Limit: 5})
	if !errors.Is(err, server.ErrGone) {
		t.Errorf("beyond the end: %v", err)
	}
	if err := s.Append(t.Context(), fork); err != nil {
		t.Fatal(err)
	}
	list, next, err := l.Transfers(t.Context(), ledger.Ethereum, payee, server.Page{After: cursors[4], Limit: 100})
	if err != nil || next != "" || !slices.Equal(heights(list), []uint64{5, 6, 7, 8, 9, 10, 11, 12}) || list[2].Tx != ledger.Ethereum.FormatHash(fork[0].Txs[0].ID) {
		t.Errorf("after block 4: %v, next %q, %v", heights(list), next, err)
	}
	for limit, what := range map[int]string{7: "a transaction that is gone", 8: "one that stands behind another block now"} {
		_, _, err := l.Transfers(t.Context(), ledger.Ethereum, payee, server.Page{After: cursors[limit], Limit: 5})
		if !errors.Is(err, server.ErrGone) || !strings.Contains(err.Error(), "ask without a cursor") || !strings.Contains(err.Error(), ledger.Ethereum.FormatHash(before[limit-1].Txs[0].ID)) {
			t.Errorf("after %s: %v", what, err)
		}
	}
	d.wants(410, "GET "+path+"&cursor="+page.Next, "", nil, "ask without a cursor to begin again")
	d.wants(200, "GET "+path, "", nil, `"next":`, `"height":7`)
}

// restless is a store in which a reorganisation happens while a question is answered.
type restless struct {
	store.Store

	between func()
}

// History is asked before blocks are taken back, and answers of those.
func (r *restless) History(ctx context.Context, chain ledger.Chain, questions []store.Since) ([][]store.Touch, error) {
	answer, err := r.Store.History(ctx, chain, questions)
	if r.between != nil {
		r.between()
	}
	return answer, err
}

// TestAnswersAreOfOneState: an answer beneath which blocks are taken back is looked up
// again, and given up where that does not end.
func TestAnswersAreOfOneState(t *testing.T) {
	s := diskStore(t)
	before := plainBlocks(1, 10, ledger.Hash{}, 0)
	if err := s.Append(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	salt := byte(0)
	reorganise := func() {
		salt++
		if err := s.Rewind(t.Context(), ledger.Ethereum, 5); err != nil {
			t.Fatal(err)
		}
		if err := s.Append(t.Context(), plainBlocks(5, 6, before[3].Hash, salt)); err != nil {
			t.Fatal(err)
		}
	}
	r := &restless{Store: s}
	r.between = func() {
		r.between = nil
		reorganise()
	}
	l, payee := newStoreLedger(r), evm.Notation{}.FormatAddress(account(2))
	said, err := l.Address(t.Context(), ledger.Ethereum, payee)
	if err != nil || said.Touches != 6 || said.Last.Height != 6 || said.Holdings[0].Amount.Dec() != "21" { // 1+2+…+6
		t.Errorf("%+v, %v", said, err)
	}
	r.between = reorganise
	if _, _, err := l.Transfers(t.Context(), ledger.Ethereum, payee, server.Page{Limit: 10}); !errors.Is(err, server.ErrUnavailable) {
		t.Errorf("while the chain does not rest: %v", err)
	}
	r.between = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Address(ctx, ledger.Ethereum, payee); !errors.Is(err, context.Canceled) {
		t.Errorf("asked by somebody who has gone: %v", err)
	}
}

// TestAccountMoves: fees, tips, failures, payments to oneself and amounts that no sum
// holds.
func TestAccountMoves(t *testing.T) {
	s := diskStore(t)
	native := ledger.Ethereum.Native()
	most := ledger.Amount{}
	most.SetAllOne()
	token := ledger.Asset("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
	block := plainBlocks(1, 1, ledger.Hash{}, 0)[0]
	block.Txs = append(block.Txs,
		ledger.Tx{ID: ledger.Hash{3}, Index: 1, Failed: true, Fee: ledger.Fee{Payer: account(1), Tip: ledger.NewAmount(5)}},
		ledger.Tx{ID: ledger.Hash{4}, Index: 2, Transfers: []ledger.Transfer{
			{From: account(1), To: account(1), Asset: native, Amount: ledger.NewAmount(8), LogIndex: ledger.NoLog},
			{From: account(3), To: account(1), Asset: token, Amount: most, LogIndex: 17},
			{To: account(1), Asset: token, Amount: most, LogIndex: 18, Kind: ledger.Shares},
		}},
	)
	if err := s.Append(t.Context(), []*ledger.Block{block}); err != nil {
		t.Fatal(err)
	}
	l, n := newStoreLedger(s), evm.Notation{}
	list := allTransfers(t, l, ledger.Ethereum, n.FormatAddress(account(1)), 3)
	var lines []string
	for _, x := range list {
		amount := x.Amount.Dec()
		if x.Amount.Eq(&most) {
			amount = "most"
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %d", x.Direction, amount, x.Kind, len(x.Counterparties))))
	}
	want := []string{"sent 1  1", "sent 7 fee 1", "sent 5 fee 0", "received 8  1", "sent 8  1", "received most  1", "received most shares 0"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q\nwant %q", lines, want)
	}
	said, err := l.Address(t.Context(), ledger.Ethereum, n.FormatAddress(account(9)))
	if err != nil || said.Touches != 1 || len(said.Holdings) != 1 || said.Holdings[0].Amount.Dec() != "4" {
		t.Errorf("the producer: %+v, %v", said, err)
	}
	if _, err := l.Address(t.Context(), ledger.Ethereum, n.FormatAddress(account(1))); err != nil {
		t.Errorf("amounts that no sum holds: %v", err)
	}
	failed, err := l.Transaction(t.Context(), ledger.Ethereum, ledger.Hash{3}.String())
	if err != nil || failed.Status != "failed" || failed.Fee.Amount.Dec() != "5" || len(failed.Movements) != 0 {
		t.Errorf("the failed transaction: %+v, %v", failed, err)
	}
	whole, err := l.Transaction(t.Context(), ledger.Ethereum, ledger.Hash{4}.String())
	if err != nil || whole.Movements[0].Log != nil || *whole.Movements[1].Log != 17 || whole.Movements[2].From != "" || whole.Movements[2].Kind != "shares" {
		t.Errorf("the transaction: %+v, %v", whole, err)
	}
}

// TestCrowdedAddress: what is too much for one answer is said, with what is known, and
// the list still ends.
func TestCrowdedAddress(t *testing.T) {
	s := diskStore(t)
	const each, blocks = 2_300, 10
	var list []*ledger.Block
	parent := ledger.Hash{}
	for h := range blocks {
		b := plainBlocks(ledger.Height(100+h), ledger.Height(100+h), parent, 0)[0]
		b.Txs = nil
		for i := range each {
			b.Txs = append(b.Txs, ledger.Tx{ID: ledger.Hash{5, byte(h), byte(i >> 8), byte(i)}, Index: uint32(i), Transfers: []ledger.Transfer{
				{From: account(byte(3 + i%7)), To: account(2), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(1), LogIndex: ledger.NoLog},
			}})
		}
		parent, list = b.Hash, append(list, b)
	}
	if err := s.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	l, n := newStoreLedger(s), evm.Notation{}
	_, err := l.Address(t.Context(), ledger.Ethereum, n.FormatAddress(account(2)))
	if !errors.Is(err, server.ErrUnavailable) || !strings.Contains(err.Error(), "20000 transfers or more") || !strings.Contains(err.Error(), "the first in block 100, the last in block 109") {
		t.Errorf("crowded: %v", err)
	}
	said, err := l.Address(t.Context(), ledger.Ethereum, n.FormatAddress(account(3)))
	if err != nil || said.Touches != 3290 || said.First.Height != 100 || said.Last.Height != 109 {
		t.Errorf("less crowded: %+v, %v", said, err)
	}
	if all := allTransfers(t, l, ledger.Ethereum, n.FormatAddress(account(2)), 1000); len(all) != each*blocks {
		t.Errorf("%d transfers are listed, want %d", len(all), each*blocks)
	}
}

// TestPagesWithoutEntries: transactions that touch an address and move nothing for it are
// passed over, a bounded number for one page, which then is empty and not the last.
func TestPagesWithoutEntries(t *testing.T) {
	s := diskStore(t)
	block := plainBlocks(1, 1, ledger.Hash{}, 0)[0]
	for i := range mostLooked + 100 {
		block.Txs = append(block.Txs, ledger.Tx{ID: ledger.Hash{6, byte(i >> 8), byte(i)}, Index: uint32(1 + i), Freezes: []ledger.Freeze{{Holder: account(8), Asset: ledger.Ethereum.Native()}}})
	}
	last := ledger.Tx{ID: ledger.Hash{7}, Index: uint32(len(block.Txs)), Transfers: []ledger.Transfer{{From: account(1), To: account(8), Asset: ledger.Ethereum.Native(), Amount: ledger.NewAmount(3), LogIndex: ledger.NoLog}}}
	block.Txs = append(block.Txs, last)
	if err := s.Append(t.Context(), []*ledger.Block{block}); err != nil {
		t.Fatal(err)
	}
	l, address := newStoreLedger(s), evm.Notation{}.FormatAddress(account(8))
	list, next, err := l.Transfers(t.Context(), ledger.Ethereum, address, server.Page{Limit: 10})
	if err != nil || len(list) != 0 || next == "" {
		t.Fatalf("%d transfers, next %q, %v", len(list), next, err)
	}
	list, next, err = l.Transfers(t.Context(), ledger.Ethereum, address, server.Page{After: next, Limit: 10})
	if err != nil || next != "" || len(list) != 1 || list[0].Amount.Dec() != "3" {
		t.Errorf("%+v, next %q, %v", list, next, err)
	}
}
