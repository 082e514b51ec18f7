package chainlink_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"coldtrail/chain/evm/proof"
	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/price/chainlink"
)

const blockTime = 1_710_338_135

func aggregator(tb testing.TB, text string) ledger.Address {
	tb.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 20 {
		tb.Fatalf("%q is no address", text)
	}
	return ledger.NewAddress(ledger.EVMAccount, raw)
}

// answer is an event by the ABI.
func answer(tb testing.TB, by string, current, at uint64) ledger.Message {
	tb.Helper()
	data := append([]byte{3}, chainlink.Topic[:]...)
	word := func(n uint64) { data = binary.BigEndian.AppendUint64(append(data, make([]byte, 24)...), n) }
	word(current)
	word(7)
	word(at)
	return ledger.Message{Kind: ledger.Log, Contract: aggregator(tb, by), Position: 5, Data: data}
}

// TestTopic is the topic that explorers print for the event.
func TestTopic(t *testing.T) {
	if got := chainlink.Topic.String(); got != "0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f" {
		t.Error(got)
	}
}

// TestFeeds: every row is an address, of eight decimals, and stands once.
func TestFeeds(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range chainlink.Feeds {
		aggregator(t, f.Aggregator)
		if seen[f.Aggregator] || f.Decimals != 8 || f.Heartbeat <= 0 || !strings.HasSuffix(f.Pair, " / USD") {
			t.Errorf("%+v", f)
		}
		seen[f.Aggregator] = true
	}
}

// TestDecode reads an answer, and nothing that another contract says.
func TestDecode(t *testing.T) {
	eth := chainlink.Feeds[0].Aggregator
	m := answer(t, eth, 395_118_825_522, blockTime-12)
	q, ok, err := chainlink.Decode(ledger.Ethereum, blockTime, &m)
	if err != nil || !ok || q.Value.String() != "3951.18825522" || q.Close != blockTime-12 || q.Asset != ledger.Ethereum.Native() || q.Every != 3600 || q.Check() != nil {
		t.Errorf("%+v, %t, %v", q, ok, err)
	}
	stranger := answer(t, strings.Repeat("11", 20), 1, blockTime)
	for _, other := range []ledger.Message{stranger, {Kind: ledger.OpReturn, Data: m.Data}, {Kind: ledger.Log, Contract: m.Contract, Data: make([]byte, 200)}, {Kind: ledger.Log, Contract: m.Contract}} {
		if _, ok, err := chainlink.Decode(ledger.Ethereum, blockTime, &other); ok || err != nil {
			t.Errorf("%+v is an answer: %v", other, err)
		}
	}
	if _, ok, _ := chainlink.Decode("eip155:10", blockTime, &m); ok {
		t.Error("the same address of another chain is taken for the feed")
	}
}

// TestRefused: what cannot be an answer says why.
func TestRefused(t *testing.T) {
	eth := chainlink.Feeds[0].Aggregator
	negative, huge, short := answer(t, eth, 1, blockTime), answer(t, eth, 1, blockTime), answer(t, eth, 1, blockTime)
	negative.Data[33], huge.Data[40], short.Data = 0x80, 1, short.Data[:100]
	for _, m := range []ledger.Message{negative, huge, short, answer(t, eth, 0, blockTime), answer(t, eth, 1, 0), answer(t, eth, 1, blockTime+price.Day+1), answer(t, eth, 1, blockTime-price.Day-1), answer(t, eth, 1, 1<<63)} {
		_, ok, err := chainlink.Decode(ledger.Ethereum, blockTime, &m)
		var decode *chainlink.DecodeError
		if ok || !errors.As(err, &decode) || decode.Position != 5 {
			t.Errorf("%x: %t, %v", m.Data, ok, err)
		}
	}
}

// TestRealBlock reads the answers of a block of the main network, which agree with that
// day's market: ether closed at 4,006 dollars, bitcoin at 73,084.
func TestRealBlock(t *testing.T) {
	packed, err := os.ReadFile("../../../shared/data/ethereum/mainnet_blocks/block-data-19426586.yaml.zst")
	if err != nil {
		t.Skip("the real main network block is not here; it does not ship with the project")
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	text, err := decoder.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": 0x")
		if parts[key], err = hex.DecodeString(value); err != nil {
			t.Fatal(err)
		}
	}
	p, err := proof.Decode(parts["header"], parts["body"], parts["receipts"])
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, receipt := range p.Receipts {
		for _, l := range receipt.Logs {
			data := []byte{byte(len(l.Topics))}
			for _, topic := range l.Topics {
				data = append(data, topic[:]...)
			}
			m := ledger.Message{Kind: ledger.Log, Contract: ledger.NewAddress(ledger.EVMAccount, l.Address[:]), Data: append(data, l.Data...)}
			q, ok, err := chainlink.Decode(ledger.Ethereum, int64(p.Header.Time), &m)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				got[q.Market[:3]] = q.Value.String()
			}
		}
	}
	if len(got) != 2 || got["ETH"] != "3951.18825522" || !strings.HasPrefix(got["BTC"], "72") {
		t.Errorf("%v", got)
	}
}

// FuzzDecode looks for panics, and for answers that are no prices.
func FuzzDecode(f *testing.F) {
	m := answer(f, chainlink.Feeds[0].Aggregator, 395_118_825_522, blockTime)
	f.Add(m.Data)
	f.Add(m.Data[:33])
	f.Fuzz(func(t *testing.T, data []byte) {
		m := ledger.Message{Kind: ledger.Log, Contract: aggregator(t, chainlink.Feeds[0].Aggregator), Data: data}
		q, ok, err := chainlink.Decode(ledger.Ethereum, blockTime, &m)
		if ok && (err != nil || q.Check() != nil) {
			t.Fatalf("%+v, %v", q, err)
		}
	})
}
