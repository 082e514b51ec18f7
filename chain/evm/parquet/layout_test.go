package parquet_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coldtrail/chain/evm/parquet"
	"coldtrail/ledger"
)

// The rows of the AWS layout, as far as they are read.
type awsBlock struct {
	Timestamp time.Time `parquet:"timestamp,timestamp(microsecond)"`
	Number    int64     `parquet:"number"`
	Hash      string    `parquet:"hash"`
	Parent    string    `parquet:"parent_hash"`
	Miner     string    `parquet:"miner"`
	Total     float64   `parquet:"total_difficulty"`
	Count     int64     `parquet:"transaction_count"`
	BaseFee   *int64    `parquet:"base_fee_per_gas,optional"`
}

type awsTx struct {
	Hash     string  `parquet:"hash"`
	Index    int64   `parquet:"transaction_index"`
	Block    int64   `parquet:"block_number"`
	From     string  `parquet:"from_address"`
	To       *string `parquet:"to_address,optional"`
	Value    string  `parquet:"value"`
	Gas      int64   `parquet:"receipt_gas_used"`
	GasPrice int64   `parquet:"gas_price"`
	Price    *int64  `parquet:"receipt_effective_gas_price,optional"`
	Status   *int64  `parquet:"receipt_status,optional"`
	Created  *string `parquet:"receipt_contract_address,optional"`
	Input    string  `parquet:"input"`
}

type awsLog struct {
	Index   int64    `parquet:"log_index"`
	Hash    string   `parquet:"transaction_hash"`
	TxIndex int64    `parquet:"transaction_index"`
	Block   int64    `parquet:"block_number"`
	Address string   `parquet:"address"`
	Data    string   `parquet:"data"`
	Topics  []string `parquet:"topics,list"`
}

type awsTrace struct {
	Hash    *string `parquet:"transaction_hash,optional"`
	TxIndex *int64  `parquet:"transaction_index,optional"`
	From    *string `parquet:"from_address,optional"`
	To      *string `parquet:"to_address,optional"`
	Value   string  `parquet:"value"`
	Type    string  `parquet:"trace_type"`
	Call    *string `parquet:"call_type,optional"`
	Status  int64   `parquet:"status"`
	Error   *string `parquet:"error,optional"`
	Path    *string `parquet:"trace_address,optional"`
	Block   int64   `parquet:"block_number"`
}

type awsToken struct {
	Token string `parquet:"token_address"`
	From  string `parquet:"from_address"`
	To    string `parquet:"to_address"`
	Value string `parquet:"value"`
	Hash  string `parquet:"transaction_hash"`
	Log   int64  `parquet:"log_index"`
	Block int64  `parquet:"block_number"`
}

const (
	firstBlock = 15_600_000 // after the merge
	day        = "date=2022-09-23/part-00000-abc.snappy.parquet"
)

// awsTables is a small data set: a block with a value transfer, a call that moves a
// token and native value inside, and a failed transaction; then an empty block.
type awsTables struct {
	blocks []awsBlock
	txs    []awsTx
	logs   []awsLog
	traces []awsTrace
}

func newAWS() *awsTables {
	call := ptr("call")
	return &awsTables{
		blocks: []awsBlock{
			{time.Unix(1_663_900_000, 0), firstBlock, hexID(1), hexID(9), hexWho(0xee), 1e22, 3, ptr(int64(7))},
			{time.Unix(1_663_900_012, 0), firstBlock + 1, hexID(2), hexID(1), hexWho(0xee), 1e22, 0, ptr(int64(7))},
		},
		txs: []awsTx{ // not in the order of the block
			{hexID(0x12), 2, firstBlock, hexWho(0xa3), ptr(hexWho(0xc1)), "5", 30_000, 9, ptr(int64(9)), ptr(int64(0)), nil, "0x01"},
			{hexID(0x10), 0, firstBlock, hexWho(0xa1), ptr(hexWho(0xb1)), "1000000000000000000001", 21_000, 10, ptr(int64(10)), ptr(int64(1)), nil, "0x"},
			{hexID(0x11), 1, firstBlock, hexWho(0xa2), ptr(hexWho(0xc1)), "0", 60_000, 8, nil, ptr(int64(1)), nil, "0xa9059cbb"},
		},
		logs: []awsLog{{4, hexID(0x11), 1, firstBlock, hexWho(0xdd), "0x" + strings.Repeat("0", 62) + "ff", []string{transferTopic, wordOf(0xa2), wordOf(0xb2)}}},
		traces: []awsTrace{
			{ptr(hexID(0x10)), ptr(int64(0)), ptr(hexWho(0xa1)), ptr(hexWho(0xb1)), "1000000000000000000001", "call", call, 1, nil, nil, firstBlock},
			{ptr(hexID(0x11)), ptr(int64(1)), ptr(hexWho(0xc1)), ptr(hexWho(0xb3)), "77", "call", call, 1, nil, ptr("0,1"), firstBlock},
			{ptr(hexID(0x11)), ptr(int64(1)), ptr(hexWho(0xc1)), ptr(hexWho(0xb4)), "88", "call", ptr("delegatecall"), 1, nil, ptr("0,0"), firstBlock},
			{ptr(hexID(0x11)), ptr(int64(1)), ptr(hexWho(0xc1)), ptr(hexWho(0xb5)), "99", "call", call, 0, ptr("Reverted"), ptr("1"), firstBlock},
			{ptr(hexID(0x11)), ptr(int64(1)), ptr(hexWho(0xa2)), ptr(hexWho(0xc1)), "0", "call", call, 1, nil, nil, firstBlock},
			{ptr(hexID(0x11)), ptr(int64(1)), ptr(hexWho(0xa2)), ptr(hexWho(0xc1)), "0", "call", call, 1, nil, ptr("0"), firstBlock},
			{ptr(hexID(0x12)), ptr(int64(2)), ptr(hexWho(0xa3)), ptr(hexWho(0xc1)), "5", "call", call, 0, ptr("Reverted"), nil, firstBlock},
		},
	}
}

func (a *awsTables) write(tb testing.TB) string {
	tb.Helper()
	folder := tb.TempDir()
	write(tb, folder, "blocks/"+day, a.blocks)
	write(tb, folder, "transactions/"+day, a.txs)
	if a.logs != nil {
		write(tb, folder, "logs/"+day, a.logs)
	}
	if a.traces != nil {
		write(tb, folder, "traces/"+day, a.traces)
	}
	return folder
}

func fee(payer byte, burned, tip uint64) ledger.Fee {
	return ledger.Fee{Payer: who(payer), Burned: ledger.NewAmount(burned), Tip: ledger.NewAmount(tip), Producer: who(0xee)}
}

// wantAWS is what the data set says.
func wantAWS(t *testing.T) []*ledger.Block {
	t.Helper()
	native := ledger.Ethereum.Native()
	token := ledger.Asset("eip155:1/erc20:" + hexWho(0xdd))
	return []*ledger.Block{
		{
			Chain: ledger.Ethereum, Height: firstBlock, Hash: id(1), Parent: id(9), Time: 1_663_900_000, Provenance: ledger.File,
			Txs: []ledger.Tx{
				{ID: id(0x10), Index: 0, Fee: fee(0xa1, 147_000, 63_000), Transfers: []ledger.Transfer{
					{From: who(0xa1), To: who(0xb1), Asset: native, Amount: amount(t, "1000000000000000000001"), LogIndex: ledger.NoLog},
				}},
				{ID: id(0x11), Index: 1, Fee: fee(0xa2, 420_000, 60_000), Transfers: []ledger.Transfer{
					{From: who(0xc1), To: who(0xb3), Asset: native, Amount: ledger.NewAmount(77), LogIndex: ledger.NoLog, Kind: ledger.Internal},
					{From: who(0xa2), To: who(0xb2), Asset: token, Amount: ledger.NewAmount(255), LogIndex: 4},
				}},
				{ID: id(0x12), Index: 2, Failed: true, Fee: fee(0xa3, 210_000, 60_000)},
			},
		},
		{Chain: ledger.Ethereum, Height: firstBlock + 1, Hash: id(2), Parent: id(1), Time: 1_663_900_012, Provenance: ledger.File, Txs: []ledger.Tx{}},
	}
}

func TestAWS(t *testing.T) {
	got, notes := mustRead(t, newAWS().write(t))
	same(t, wantAWS(t), got)
	if text := strings.Join(notes, "; "); strings.Contains(text, "no traces") || strings.Contains(text, "no logs") || !strings.Contains(text, "withdrawals") {
		t.Fatalf("notes: %s", text)
	}
}

// made is a contract's creation in the ledger's words.
func made(position uint32, contract, creator byte) ledger.Message {
	by := who(creator)
	return ledger.Message{Kind: ledger.Creation, Contract: who(contract), Position: position, Data: by.Bytes()}
}

// creating has a transaction that creates a contract, whose constructor creates two, of
// which one fails with what it created; and a call inside which one is created.
func creating() *awsTables {
	a := newAWS()
	a.txs[1].To, a.txs[1].Created = nil, ptr(hexWho(0xb1))
	a.txs[0].Created = ptr(hexWho(0xd9)) // a receipt says so though the transaction failed
	trace := func(tx byte, path, from, to, kind string, fault *string) awsTrace {
		index := map[byte]int64{0x10: 0, 0x11: 1}[tx]
		status := int64(1)
		if fault != nil {
			status = 0
		}
		return awsTrace{Hash: ptr(hexID(tx)), TxIndex: &index, From: &from, To: &to, Value: "0", Type: kind, Call: nil, Status: status, Error: fault, Path: &path, Block: firstBlock}
	}
	a.traces[0].Type, a.traces[0].Call = "create", nil
	a.traces = append(a.traces,
		trace(0x11, "0,2", hexWho(0xc1), hexWho(0xd4), "create", nil),
		trace(0x11, "1,0", hexWho(0xb5), hexWho(0xd5), "create", nil), // of a call that failed
		trace(0x10, "2", hexWho(0xb1), hexWho(0xd3), "create", nil),
		trace(0x10, "1", hexWho(0xb1), hexWho(0xd1), "create", ptr("Out of gas")),
		trace(0x10, "1,0", hexWho(0xd1), hexWho(0xd2), "create", nil),
	)
	return a
}

// TestCreations: contracts that transactions and calls create, and no others; without
// traces, what the receipts tell.
func TestCreations(t *testing.T) {
	a := creating()
	want := wantAWS(t)
	want[0].Txs[0].Messages = []ledger.Message{made(0, 0xb1, 0xa1), made(1, 0xd3, 0xb1)}
	want[0].Txs[1].Messages = []ledger.Message{made(0, 0xd4, 0xc1)}
	got, _ := mustRead(t, a.write(t))
	same(t, want, got)
	folder := filepath.Join(t.TempDir(), "export")
	if err := parquet.Write(t.Context(), folder, ledger.Ethereum, sequence(got)); err != nil {
		t.Fatal(err)
	}
	again, _ := mustRead(t, folder)
	want[1].Txs = nil
	same(t, want, again)
	a.txs[1].Created = nil // the trace's first frame says it too
	got, _ = mustRead(t, a.write(t))
	same(t, want[0].Txs[0].Messages, got[0].Txs[0].Messages)
	a.txs[1].Created, a.traces = ptr(hexWho(0xb1)), nil
	got, _ = mustRead(t, a.write(t))
	same(t, []ledger.Message{made(0, 0xb1, 0xa1)}, got[0].Txs[0].Messages)
	if messages := got[0].Txs[1].Messages; len(messages) > 0 || len(got[0].Txs[2].Messages) > 0 {
		t.Errorf("created without a trace: %+v, %+v", messages, got[0].Txs[2].Messages)
	}
}

// TestCryoCreations finds the contract in the result of a trace.
func TestCryoCreations(t *testing.T) {
	folder := writeCryo(t)
	const blocks = "15600000_to_15600001.parquet"
	write(t, folder, "ethereum__traces__"+blocks, []cryoTrace{
		{raw(who(0xa2)), raw(who(0xc1)), "0", ptr("call"), "call", nil, "", ptr(uint32(1)), rawID(0x11), firstBlock, nil},
		{raw(who(0xc1)), nil, "0", nil, "create", raw(who(0xd1)), "0", ptr(uint32(1)), rawID(0x11), firstBlock, nil},
		{raw(who(0xc1)), nil, "0", nil, "create", nil, "1", ptr(uint32(1)), rawID(0x11), firstBlock, ptr("Reverted")},
		{raw(who(0xd1)), nil, "0", nil, "create", raw(who(0xd2)), "0_0", ptr(uint32(1)), rawID(0x11), firstBlock, nil},
	})
	got, _ := mustRead(t, folder)
	same(t, []ledger.Message{made(0, 0xd1, 0xc1), made(1, 0xd2, 0xd1)}, got[0].Txs[1].Messages)
}

// TestAWSFrom begins at a height.
func TestAWSFrom(t *testing.T) {
	got, _, err := readAll(t, newAWS().write(t), firstBlock+1)
	if err != nil || len(got) != 1 || got[0].Height != firstBlock+1 {
		t.Fatalf("got %v, %v", got, err)
	}
}

// TestAWSUnsorted reads files whose rows are in no order.
func TestAWSUnsorted(t *testing.T) {
	a := newAWS()
	slices.Reverse(a.blocks)
	later := a.txs[0]
	later.Hash, later.Index, later.Block = hexID(0x20), 0, firstBlock+1
	later.Status = ptr(int64(1))
	a.txs = append([]awsTx{later}, a.txs...)
	a.blocks[0].Count = 1
	got, _ := mustRead(t, a.write(t))
	if len(got) != 2 || len(got[0].Txs) != 3 || len(got[1].Txs) != 1 || got[1].Txs[0].ID != id(0x20) || !got[1].Txs[0].External {
		t.Fatalf("got %+v", got)
	}
}

// TestAWSWithout leaves tables out.
func TestAWSWithout(t *testing.T) {
	a := newAWS()
	a.traces, a.logs = nil, nil
	folder := a.write(t)
	got, notes := mustRead(t, folder)
	if txs := got[0].Txs; txs[0].External || !txs[1].External || len(txs[1].Transfers) != 0 {
		t.Fatalf("got %+v", txs)
	}
	if text := strings.Join(notes, "; "); !strings.Contains(text, "no logs: token movements") || !strings.Contains(text, "no traces") {
		t.Fatalf("notes: %s", text)
	}
	write(t, folder, "token_transfers/"+day, []awsToken{{hexWho(0xdd), hexWho(0xa2), hexWho(0xb2), "255", hexID(0x11), 4, firstBlock}})
	got, notes = mustRead(t, folder)
	same(t, wantAWS(t)[0].Txs[1].Transfers[1:], got[0].Txs[1].Transfers)
	if text := strings.Join(notes, "; "); !strings.Contains(text, "no logs: tokens come from token_transfers") {
		t.Fatalf("notes: %s", text)
	}
}

// TestProofOfWork takes rewards from traces, and the outcome of transactions whose
// receipts have no status.
func TestProofOfWork(t *testing.T) {
	a := newAWS()
	for i := range a.blocks {
		a.blocks[i].Number += 1_000_000 - firstBlock
		a.blocks[i].BaseFee = nil
	}
	for i := range a.txs {
		a.txs[i].Block += 1_000_000 - firstBlock
		a.txs[i].Status = nil
	}
	for i := range a.traces {
		a.traces[i].Block += 1_000_000 - firstBlock
	}
	a.logs = nil
	a.traces = append(a.traces,
		awsTrace{To: ptr(hexWho(0xee)), Value: "5156250000000000000", Type: "reward", Status: 1, Block: 1_000_000},
		awsTrace{To: ptr(hexWho(0xef)), Value: "4375000000000000000", Type: "reward", Status: 1, Block: 1_000_000})
	got, _ := mustRead(t, a.write(t))
	txs := got[0].Txs
	if len(txs) != 4 || txs[1].Failed || !txs[2].Failed || !txs[3].Coinbase || txs[3].ID != id(1) {
		t.Fatalf("got %+v", txs)
	}
	native := ledger.Ethereum.Native()
	same(t, []ledger.Transfer{
		{To: who(0xee), Asset: native, Amount: amount(t, "5156250000000000000"), LogIndex: ledger.NoLog, Kind: ledger.Reward},
		{To: who(0xef), Asset: native, Amount: amount(t, "4375000000000000000"), LogIndex: ledger.NoLog, Kind: ledger.Reward},
	}, txs[3].Transfers)
	a.traces = nil
	refused(t, a.write(t), "receipt_status", "no status")
}

func TestRefusals(t *testing.T) {
	cases := map[string]struct {
		change        func(a *awsTables)
		column, words string
	}{
		"hash":         {func(a *awsTables) { a.txs[1].Hash = "0x12" }, "hash", "want 32 bytes"},
		"address":      {func(a *awsTables) { a.txs[1].From = hexWho(1)[:41] + "g" }, "from_address", "not hexadecimal"},
		"negative":     {func(a *awsTables) { a.txs[1].Value = "-1" }, "value", "whole number"},
		"exponent":     {func(a *awsTables) { a.txs[1].Value = "1e18" }, "value", "whole number"},
		"status":       {func(a *awsTables) { a.txs[1].Status = ptr(int64(2)) }, "receipt_status", "neither 0 nor 1"},
		"count":        {func(a *awsTables) { a.blocks[0].Count = 4 }, "transaction_count", "states 4"},
		"twin":         {func(a *awsTables) { a.txs[1].Index = 1 }, "", "another transaction"},
		"missing":      {func(a *awsTables) { a.blocks[1].Number++ }, "", "are missing"},
		"parent":       {func(a *awsTables) { a.blocks[1].Parent = hexID(7) }, "", "names 0x07"},
		"block twice":  {func(a *awsTables) { a.blocks[1].Number-- }, "", "there twice"},
		"stray log":    {func(a *awsTables) { a.logs[0].Block += 5 }, "", "not in the table blocks"},
		"log of none":  {func(a *awsTables) { a.logs[0].Hash = hexID(0x77) }, "transaction_hash", "has no transaction"},
		"log moved":    {func(a *awsTables) { a.logs[0].TxIndex = 2 }, "transaction_index", "at position 1"},
		"topic":        {func(a *awsTables) { a.logs[0].Topics[1] = "0x1" }, "topics", "want 32 bytes"},
		"five topics":  {func(a *awsTables) { a.logs[0].Topics = slices.Repeat([]string{transferTopic}, 5) }, "topics", "more than 4"},
		"data":         {func(a *awsTables) { a.logs[0].Data = "0xq" }, "data", "hexadecimal"},
		"path":         {func(a *awsTables) { a.traces[1].Path = ptr("0,x") }, "trace_address", "tree of calls"},
		"same path":    {func(a *awsTables) { a.traces[1].Path = ptr("0") }, "", "two entries"},
		"nameless":     {func(a *awsTables) { a.traces[1].Hash = nil }, "trace_type", "belongs to a transaction"},
		"both ways":    {func(a *awsTables) { a.txs[0].Status = ptr(int64(1)) }, "", "failed by its trace"},
		"no account":   {func(a *awsTables) { a.traces[1].To = nil }, "", "one of its accounts is missing"},
		"big position": {func(a *awsTables) { a.txs[1].Index = 1 << 40 }, "transaction_index", "above"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAWS()
			c.change(a)
			refused(t, a.write(t), c.column, c.words)
		})
	}
}

// TestDouble refuses amounts in floating point, which is how AWS writes them.
func TestDouble(t *testing.T) {
	type doubled struct {
		Hash   string  `parquet:"hash"`
		Index  int64   `parquet:"transaction_index"`
		Block  int64   `parquet:"block_number"`
		From   string  `parquet:"from_address"`
		To     string  `parquet:"to_address"`
		Value  float64 `parquet:"value"`
		Gas    int64   `parquet:"receipt_gas_used"`
		Price  int64   `parquet:"receipt_effective_gas_price"`
		Status int64   `parquet:"receipt_status"`
	}
	folder := newAWS().write(t)
	write(t, folder, "transactions/"+day, []doubled{{Hash: hexID(0x10), Block: firstBlock, Value: 1e18}})
	refused(t, folder, "value", "floating point")
}

func TestMissing(t *testing.T) {
	folder := newAWS().write(t)
	write(t, folder, "transactions/"+day, []awsToken{{Block: firstBlock}})
	refused(t, folder, "transaction_index", "the column is missing")
	if err := os.RemoveAll(filepath.Join(folder, "transactions")); err != nil {
		t.Fatal(err)
	}
	refused(t, folder, "", "no file of the table transactions")
	refused(t, t.TempDir(), "", "no file in the folder")
	folder = newAWS().write(t)
	write(t, folder, "blocks/date=2022-09-24/part-00000.parquet", []awsBlock{{time.Unix(1_663_900_024, 0), firstBlock + 2, hexID(3), hexID(2), hexWho(0xee), 0, 0, ptr(int64(7))}})
	refused(t, folder, "", "no file for date=2022-09-24")
	folder = newAWS().write(t)
	if err := os.Truncate(filepath.Join(folder, "logs", day), 300); err != nil {
		t.Fatal(err)
	}
	refused(t, folder, "", "cannot be read")
}

// The rows of cryo, with bytes as bytes.
type cryoBlock struct {
	Number  uint32  `parquet:"block_number"`
	Hash    []byte  `parquet:"block_hash"`
	Time    uint32  `parquet:"timestamp"`
	Author  []byte  `parquet:"author"`
	BaseFee *uint64 `parquet:"base_fee_per_gas,optional"`
	Chain   uint64  `parquet:"chain_id"`
}

type cryoTx struct {
	Block  uint32   `parquet:"block_number"`
	Index  uint64   `parquet:"transaction_index"`
	Hash   []byte   `parquet:"transaction_hash"`
	From   []byte   `parquet:"from_address"`
	To     []byte   `parquet:"to_address,optional"`
	Binary []byte   `parquet:"value_binary"`
	Text   string   `parquet:"value_string"`
	Float  float64  `parquet:"value_f64"`
	Gas    uint64   `parquet:"gas_used"`
	Price  uint64   `parquet:"gas_price"`
	Good   bool     `parquet:"success"`
	Input  []byte   `parquet:"input"`
	_      struct{} `parquet:"-"`
}

type cryoLog struct {
	Block   uint32 `parquet:"block_number"`
	TxIndex uint32 `parquet:"transaction_index"`
	Index   uint32 `parquet:"log_index"`
	Hash    []byte `parquet:"transaction_hash"`
	Address []byte `parquet:"address"`
	Topic0  []byte `parquet:"topic0,optional"`
	Topic1  []byte `parquet:"topic1,optional"`
	Topic2  []byte `parquet:"topic2,optional"`
	Topic3  []byte `parquet:"topic3,optional"`
	Data    []byte `parquet:"data"`
}

type cryoTrace struct {
	From    []byte  `parquet:"action_from,optional"`
	To      []byte  `parquet:"action_to,optional"`
	Value   string  `parquet:"action_value"`
	Call    *string `parquet:"action_call_type,optional"`
	Type    string  `parquet:"action_type"`
	Result  []byte  `parquet:"result_address,optional"`
	Path    string  `parquet:"trace_address"`
	TxIndex *uint32 `parquet:"transaction_index,optional"`
	Hash    []byte  `parquet:"transaction_hash,optional"`
	Block   uint32  `parquet:"block_number"`
	Error   *string `parquet:"error,optional"`
}

func raw(a ledger.Address) []byte { return a.Bytes() }

func rawID(b byte) []byte { h := id(b); return h[:] }

func writeCryo(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	const blocks = "15600000_to_15600001.parquet"
	word := func(b byte) []byte { return append(make([]byte, 12), raw(who(b))...) }
	topic := [32]byte(func() ledger.Hash { h, _ := ledger.ParseHash(transferTopic); return h }())
	value := amount(t, "1000000000000000000001")
	binary := value.Bytes32()
	write(t, folder, "ethereum__blocks__"+blocks, []cryoBlock{
		{firstBlock, rawID(1), 1_663_900_000, raw(who(0xee)), ptr(uint64(7)), 1},
		{firstBlock + 1, rawID(2), 1_663_900_012, raw(who(0xee)), ptr(uint64(7)), 1},
	})
	write(t, folder, "ethereum__transactions__"+blocks, []cryoTx{
		{Block: firstBlock, Index: 0, Hash: rawID(0x10), From: raw(who(0xa1)), To: raw(who(0xb1)), Binary: binary[:], Float: 1e21, Gas: 21_000, Price: 10, Good: true},
		{Block: firstBlock, Index: 1, Hash: rawID(0x11), From: raw(who(0xa2)), To: raw(who(0xc1)), Binary: []byte{0}, Gas: 60_000, Price: 8, Good: true},
		{Block: firstBlock, Index: 2, Hash: rawID(0x12), From: raw(who(0xa3)), To: raw(who(0xc1)), Binary: []byte{5}, Gas: 30_000, Price: 9},
	})
	write(t, folder, "ethereum__logs__"+blocks, []cryoLog{
		{firstBlock, 1, 4, rawID(0x11), raw(who(0xdd)), topic[:], word(0xa2), word(0xb2), nil, append(make([]byte, 31), 255)},
	})
	write(t, folder, "ethereum__traces__"+blocks, []cryoTrace{
		{raw(who(0xa1)), raw(who(0xb1)), "1000000000000000000001", ptr("call"), "call", nil, "", ptr(uint32(0)), rawID(0x10), firstBlock, nil},
		{raw(who(0xa2)), raw(who(0xc1)), "0", ptr("call"), "call", nil, "", ptr(uint32(1)), rawID(0x11), firstBlock, nil},
		{raw(who(0xc1)), raw(who(0xb4)), "88", ptr("delegate_call"), "call", nil, "0", ptr(uint32(1)), rawID(0x11), firstBlock, nil},
		{raw(who(0xc1)), raw(who(0xb3)), "77", ptr("call"), "call", nil, "0_0", ptr(uint32(1)), rawID(0x11), firstBlock, nil},
	})
	return folder
}

// TestCryo reads the same facts from the files of cryo.
func TestCryo(t *testing.T) {
	folder := writeCryo(t)
	want := wantAWS(t)
	want[0].Parent = ledger.Hash{} // the default columns of cryo leave it out
	got, _ := mustRead(t, folder)
	same(t, want, got)
	write(t, folder, "ethereum__native_transfers__15600000_to_15600001.parquet", []awsToken{{}})
	_, notes := mustRead(t, folder)
	if text := strings.Join(notes, "; "); !strings.Contains(text, "native_transfers is not read") {
		t.Fatalf("notes: %s", text)
	}
	if err := os.Rename(filepath.Join(folder, "ethereum__logs__15600000_to_15600001.parquet"), filepath.Join(folder, "ethereum__logs__15600000_to_15600000.parquet")); err != nil {
		t.Fatal(err)
	}
	refused(t, folder, "", "no file for blocks 15600000 to 15600001")
}

// TestCryoFloat refuses a file whose only amounts are in floating point, and takes
// decimal text.
func TestCryoFloat(t *testing.T) {
	type float struct {
		Block uint32  `parquet:"block_number"`
		Index uint64  `parquet:"transaction_index"`
		Hash  []byte  `parquet:"transaction_hash"`
		From  []byte  `parquet:"from_address"`
		To    []byte  `parquet:"to_address,optional"`
		Float float64 `parquet:"value_f64"`
		Gas   uint64  `parquet:"gas_used"`
		Price uint64  `parquet:"gas_price"`
		Good  bool    `parquet:"success"`
	}
	type text struct {
		float
		Text string `parquet:"value_string"`
	}
	folder := writeCryo(t)
	name := "ethereum__transactions__15600000_to_15600001.parquet"
	row := float{firstBlock, 0, rawID(0x10), raw(who(0xa1)), raw(who(0xb1)), 1e21, 21_000, 10, true}
	write(t, folder, name, []float{row})
	refused(t, folder, "value_f64", "floating point")
	if err := os.Remove(filepath.Join(folder, "ethereum__logs__15600000_to_15600001.parquet")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "ethereum__traces__15600000_to_15600001.parquet")); err != nil {
		t.Fatal(err)
	}
	write(t, folder, name, []text{{row, "1000000000000000000001"}})
	got, _ := mustRead(t, folder)
	if have := got[0].Txs[0].Transfers[0].Amount; have.Dec() != "1000000000000000000001" {
		t.Fatalf("amount %s", have.Dec())
	}
}
