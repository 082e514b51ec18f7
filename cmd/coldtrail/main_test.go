package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"coldtrail/internal/postgrestest"
	"coldtrail/store/embedded"
	"coldtrail/store/storetest"
)

// binary is the real program, built once.
var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "coldtrail-test-")
	if err == nil {
		binary = filepath.Join(folder, "coldtrail")
		var out []byte
		if out, err = exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = postgrestest.Main(m)
	}
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

const (
	realChain = "../../testdata/bitcoin/blk_0_to_14131.dat.zst"
	bybit     = "../../testdata/bybit-2025"
)

// result is what a run of the program gave.
type result struct {
	code           int
	stdout, stderr string
}

func coldtrail(t *testing.T, args ...string) result {
	t.Helper()
	return runOf(t, binary, args...)
}

// runOf runs a build of the program.
func runOf(t *testing.T, build string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), build, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// mustFail runs the command, which has to say a reason and fail.
func mustFail(t *testing.T, reason string, args ...string) {
	t.Helper()
	if r := coldtrail(t, args...); r.code == 0 || !strings.Contains(r.stderr, reason) {
		t.Errorf("coldtrail %s: exit %d, want a failure with %q\n%s", strings.Join(args, " "), r.code, reason, r.stderr)
	}
}

// must runs the program and wants exit code 0.
func must(t *testing.T, args ...string) string {
	t.Helper()
	r := coldtrail(t, args...)
	if r.code != 0 {
		t.Fatalf("coldtrail %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

func parse[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

type status struct {
	Chains []struct {
		Chain, Hash, Weakest string
		Height, Blocks, Txs  uint64
		UnspentOutputs       uint64 `json:"unspent_outputs"`
		UnspentValue         string `json:"unspent_value"`
		Accounts             uint64
	}
}

// TestStatusOfTheRealChain reconciles the first 14,132 blocks of Bitcoin: supply is
// 50 bitcoin a block, less the genesis coinbase, which nobody can spend.
func TestStatusOfTheRealChain(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	got := parse[status](t, must(t, "--data", data, "status", "--json")).Chains[0]
	if got.Height != 14131 || got.Blocks != 14132 || got.Txs != 14247 || got.UnspentOutputs != 13416 || got.UnspentValue != fmt.Sprint(14131*50_00000000) ||
		got.Weakest != "proven" || got.Hash != "00000000b3e750f37fdb42e1018799a9f44b546d393b130b369590a072430a1c" {
		t.Errorf("status %+v", got)
	}
	again := must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	if !strings.Contains(again, "0 blocks and 0 transactions added, height 14131") {
		t.Errorf("ingesting again: %s", again)
	}
}

type answer struct {
	Digest       string
	Colours      []struct{ Colour, Stolen string }
	Dispositions []disposition
	FactOnly     struct{ Dispositions []disposition } `json:"fact_only"`
	Anomalies    []struct{ Kind, Tx, At, Asset, Amount string }
	Basis        struct{ Weakest, Labels, Conclusions string }
	Labels       []struct{ Address, About, Entity, Claim, By, Rule, Jurisdictions string }
}

type disposition struct {
	Colour, Kind, Asset, At, Address, Amount, Origin, By string
	Certainty                                            int `json:"certainty_bp"`
	Hops                                                 int
}

// TestFirstPayment follows the first payment ever made, in block 170, to the tip,
// by every method and both drivers: 10 bitcoin that Hal Finney had not spent.
func TestFirstPayment(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	file := filepath.Join(data, "..", "first-payment.yaml")
	write(t, file, `case: first-payment
thefts:
  - colour: btc
    chain: bitcoin
    tx: f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16
    to: 1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3
    amount: 1000000000
  - colour: change
    chain: bitcoin
    outpoint: f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:1
`)
	for _, method := range []string{"fifo", "lifo", "haircut", "seniority", "tiho", "poison"} {
		streamed := parse[answer](t, must(t, "--data", data, "trace", file, "--method", method, "--json"))
		targeted := parse[answer](t, must(t, "--data", data, "trace", file, "--method", method, "--json", "--mode", "targeted"))
		if streamed.Digest != targeted.Digest || streamed.Digest == "" {
			t.Errorf("%s: digests %s and %s", method, streamed.Digest, targeted.Digest)
		}
		for _, d := range streamed.Dispositions {
			if d.Colour == "first-payment/btc" && (d.Kind != "held" || d.Amount != "1000000000" || d.Hops != 0 || d.Address != "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3") {
				t.Errorf("%s: %+v", method, d)
			}
		}
		if last := streamed.Dispositions[len(streamed.Dispositions)-1]; last.Colour != "first-payment/change" || last.Hops < 2 {
			t.Errorf("%s: the change of the payment was spent on: %+v", method, last)
		}
	}
}

// TestBybit follows the Ethereum leg of the Bybit theft, by all methods that
// conserve, and asserts what is known of it.
func TestBybit(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	for _, method := range []string{"fifo", "lifo", "haircut", "seniority", "tiho"} {
		got := parse[answer](t, must(t, "--data", data, "trace", filepath.Join(bybit, "case.yaml"), "--json", "--method", method))
		if got.Basis.Weakest != "file" {
			t.Errorf("rests on %s, want file", got.Basis.Weakest)
		}
		checkTokens(t, got)
		checkSale(t, method, got)
		checkAnomalies(t, got)
	}
}

const (
	steth = "eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84"
	ether = "eip155:1/slip44:60"
)

// checkTokens checks that four colours were stolen and only their four real assets
// ever carry taint: tokens are known by contract, not by symbol.
func checkTokens(t *testing.T, got answer) {
	t.Helper()
	stolen := map[string]string{
		"bybit-2025/eth": "401346768858404671846374", "bybit-2025/steth": "90375547907685258392043",
		"bybit-2025/meth": "8000000000000000000000", "bybit-2025/cmeth": "15000000000000000000000",
	}
	for _, c := range got.Colours {
		if stolen[c.Colour] != c.Stolen {
			t.Errorf("%s: %s stolen, want %s", c.Colour, c.Stolen, stolen[c.Colour])
		}
	}
	genuine := map[string]bool{
		ether: true, steth: true, "eip155:1/erc20:0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa": true,
		"eip155:1/erc20:0xe6829d9a7ee3040e1276fa75293bde931859e8fa": true,
	}
	for _, d := range append(got.Dispositions, got.FactOnly.Dispositions...) {
		if !genuine[d.Asset] {
			t.Errorf("a spoofed token counts: %+v", d)
		}
	}
}

// checkSale checks the sale of the staked ether: a fact that it reached the
// exchanges' contracts, an inference that 98,047.8948 ether came of it.
func checkSale(t *testing.T, method string, got answer) {
	t.Helper()
	for _, d := range got.FactOnly.Dispositions {
		if d.Colour == "bybit-2025/steth" && (d.Asset != steth || d.Certainty != 10000) {
			t.Errorf("%s: from facts alone staked ether stays where it was sold: %+v", method, d)
		}
	}
	inferred := 0
	for _, d := range got.Dispositions {
		if d.Certainty == 9900 {
			inferred++
		}
	}
	if inferred < 20 {
		t.Errorf("%s: %d inferred dispositions; the proceeds do not follow on", method, inferred)
	}
}

// checkAnomalies checks that what the export lacks is said, with its transaction.
func checkAnomalies(t *testing.T, got answer) {
	t.Helper()
	want := map[string]string{ // transaction -> what is missing, in wei
		"missing-incoming-leg 0xf7900c28239b45d83a5389e8debc491446d380680a6fd156c6ec9a3479c7e0c9": "9979000000000000000000",
		"missing-incoming-leg 0xad905e884090fd39c56de1673fb0d61bc4d4d8d6140b054d9dda518226ca4c09": "49755000000000000000000",
		"missing-incoming-leg 0xcffbad26c03f02e2fdd131bcc6576b58cdc5793bb2760c2c763e45825127b9ae": "38313794800000000000000",
		"rebase 0x9e9d1400f9fecdfe74b991821773b30525897986af5a8568ef490d6e7092c72e":               "9994741607957",
	}
	for _, a := range got.Anomalies {
		key := a.Kind + " " + a.Tx
		if amount, ok := want[key]; ok && amount == a.Amount {
			delete(want, key)
		}
	}
	for missing := range want {
		t.Errorf("not reported: %s", missing)
	}
	kinds := map[string]int{}
	for _, a := range got.Anomalies {
		kinds[a.Kind]++
	}
	for _, kind := range []string{"unknown-opening-balance", "unbacked-transfer", "zero-transfer"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s reported in %v", kind, kinds)
		}
	}
}

// TestReconvergence checks the four addresses that receive from two hops, and the
// fifth hop. Three hold exactly what the export says they received, all of it
// stolen. The first received 44 ether more from an address whose stolen lots had
// left by then: that part is clean. At the fifth hop stolen lots meet money that
// had been there before.
func TestReconvergence(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	got := parse[answer](t, must(t, "--data", data, "trace", filepath.Join(bybit, "case.yaml"), "--json"))
	held := map[string]string{}
	for _, d := range got.Dispositions {
		if d.Asset == ether && d.Kind == "held" {
			held[d.At+" "+strings.TrimPrefix(d.Colour, "bybit-2025/")] = d.Amount
		}
	}
	for place, want := range map[string]string{
		"0x21032176B43d9f7E9410fB37290a78f4fEd6044C steth": "10000000000000000000000",
		"0x8b62111bd342c352daf453CCd0676833C0a31CA1 meth":  "687510951405029520000",
		"0x8b62111bd342c352daf453CCd0676833C0a31CA1 steth": "212619154173013600000",
		"0x8eD8553dd6375766D712C1F296F2afCfAcE96036 meth":  "88383549976832973000",
		"0x8eD8553dd6375766D712C1F296F2afCfAcE96036 steth": "166917786882173563000",
		"0x54AcAB846901bdbDC553A675D97240511e4Bfba2 meth":  "441882850702070560000",
		"0x54AcAB846901bdbDC553A675D97240511e4Bfba2 steth": "303309051106983930000",
	} {
		found := ""
		for key, amount := range held { // the checksum of the spelling is not what is tested
			if strings.EqualFold(key, place) {
				found = amount
			}
		}
		if found != want {
			t.Errorf("%s: %q wei, want %s", place, found, want)
		}
	}
	for _, a := range got.Anomalies {
		if a.Kind == "shortfall" && a.Tx == "0xacdf4b379e956b019c2158747a44ba606d66b020b21be007c9dd70d7c5cce199" && a.Amount == "10973659626300000" {
			return
		}
	}
	t.Error("the fifth hop sends 0.0109736596263 ether more than is known to have arrived; that is not reported")
}

// TestPath asks how money came to the end of the trail: over the analyst's link,
// back to the theft.
func TestPath(t *testing.T) {
	data := t.TempDir()
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	type path struct {
		Flows []struct {
			Tx, Link string
			From     []struct{ At string }
		}
	}
	got := parse[path](t, must(t, "--data", data, "trace", filepath.Join(bybit, "case.yaml"), "--json", "--colour", "bybit-2025/steth",
		"--path", "0x1542368a03ad1f03d96D51B414f4738961Cf4443")).Flows
	want := []string{
		"0xa284a1bc4c7e0379c924c73fcea1067068635507254b03ebbbd3f4e222c1fae0", // the theft
		"0x9e9d1400f9fecdfe74b991821773b30525897986af5a8568ef490d6e7092c72e", // to the address that sells
		"0x6c108f99a7d1f2a627a5b6a6a1984d054d5dc17f7bcc423bcc926c7d69f766f6", // sold, last of nine pieces
		"0xf7900c28239b45d83a5389e8debc491446d380680a6fd156c6ec9a3479c7e0c9", // the link's far side
		"0xe836d01f6b96ff1f6a6d647f46049db8c5da1526ce6158dd140394b2454f6f1a", // to the end
	}
	if len(got) != len(want) || len(got[0].From) != 0 || got[3].Link != "Coldtrail" {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i].Tx != want[i] {
			t.Errorf("step %d: %s, want %s", i, got[i].Tx, want[i])
		}
	}
	if r := coldtrail(t, "--data", data, "trace", filepath.Join(bybit, "case.yaml"), "--path", "0x00"); r.code != 2 || !strings.Contains(r.stderr, "no money of the case came to") {
		t.Errorf("%+v", r)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rawChain is the real chain, unpacked.
func rawChain(t *testing.T) []byte {
	t.Helper()
	packed, err := os.ReadFile(realChain)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	raw, err := reader.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestBadInput gives the program damaged and senseless input: each is an error of
// one line that says where and why, exit 2, and the store is as before.
func TestBadInput(t *testing.T) {
	raw := rawChain(t)
	data, in := t.TempDir(), t.TempDir()
	good := filepath.Join(in, "good.dat")
	if err := os.WriteFile(good, raw[:2_000_000], 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+good)
	must(t, "--data", data, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	before := must(t, "--data", data, "status", "--json")
	damaged := bytes.Clone(raw)
	damaged[3_000_100] ^= 1
	foreign := bytes.Clone(raw)
	copy(foreign, []byte{0x0b, 0x11, 0x09, 0x07})
	gap := append(bytes.Clone(raw[:1_000_000]), raw[1_100_000:]...)
	header := "block,tx_index,tx_hash,log_index,time,from,to,asset,amount\n"
	row := func(amount string) string {
		return header + "99999999,0,0x" + strings.Repeat("ab", 32) + ",,2026-01-01T00:00:00Z,0x" + strings.Repeat("11", 20) + ",0x" + strings.Repeat("22", 20) + ",native," + amount + "\n"
	}
	files := map[string]string{
		"damaged.dat": string(damaged), "foreign.dat": string(foreign), "gap.dat": string(gap), "noise.dat": strings.Repeat("noise", 100), "empty.dat": "",
		"negative.csv": row("-5"), "short.csv": header + "1,2\n", "headless.csv": "a,b\n1,2\n", "nothing.csv": "",
		"absent.yaml":  "case: c\nthefts: [{colour: x, chain: bitcoin, outpoint: '" + strings.Repeat("ab", 32) + ":0'}]\n",
		"typo.yaml":    "case: c\ntheft: []\n",
		"broken.yaml":  "case: [",
		"amount.yaml":  "case: c\nthefts: [{colour: x, chain: bitcoin, outpoint: 'f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:0', amount: 7}]\n",
		"address.yaml": "case: c\nthefts: [{colour: x, chain: ethereum, address: '0x12'}]\n",
		"bad.scenario": "ledger bitcoin\nblock x\n",
	}
	for name, text := range files {
		write(t, filepath.Join(in, name), text)
	}
	at := func(name string) string { return filepath.Join(in, name) }
	for _, test := range []struct {
		args   []string
		reason string
	}{
		{[]string{"ingest", "bitcoin", "--from", "blocks:" + at("damaged.dat")}, "damaged.dat: offset "},
		{[]string{"ingest", "bitcoin", "--from", "blocks:" + at("foreign.dat")}, "foreign.dat: offset 0: the blocks are of network testnet3, not bitcoin"},
		{[]string{"ingest", "bitcoin", "--from", "blocks:" + at("gap.dat")}, "gap.dat: offset "},
		{[]string{"ingest", "bitcoin", "--from", "blocks:" + at("noise.dat")}, "noise.dat: offset 0: no block begins here"},
		{[]string{"ingest", "bitcoin", "--from", "blocks:" + at("empty.dat")}, "no block found"},
		{[]string{"ingest", "bitcoin", "--from", "blocks:" + at("missing.dat")}, "missing.dat: no such file"},
		{[]string{"ingest", "regtest", "--from", "blocks:" + realChain}, "the blocks are of network bitcoin, not regtest"},
		{[]string{"ingest", "ethereum", "--from", "transfers:" + at("negative.csv")}, "negative.csv:2: amount: amount \"-5\" is not a whole number"},
		{[]string{"ingest", "ethereum", "--from", "transfers:" + at("short.csv")}, "short.csv:2: wrong number of fields"},
		{[]string{"ingest", "ethereum", "--from", "transfers:" + at("headless.csv")}, "headless.csv:1: block: the column is missing"},
		{[]string{"ingest", "ethereum", "--from", "transfers:" + at("nothing.csv")}, "nothing.csv:1: the file is empty"},
		{[]string{"ingest", "ethereum", "--from", "nonsense"}, "want KIND:PLACE"},
		{[]string{"trace", at("absent.yaml")}, "absent.yaml: thefts[0] (x): transaction abab"},
		{[]string{"trace", at("typo.yaml")}, "typo.yaml: unmarshal errors: line 2: field theft not found"},
		{[]string{"trace", at("broken.yaml")}, "broken.yaml: line 1:"},
		{[]string{"trace", at("amount.yaml")}, "amount says 7, the chain says 1000000000"},
		{[]string{"trace", at("address.yaml")}, "want 0x and 40 hexadecimal digits"},
		{[]string{"trace", at("amount.yaml"), "--method", "magic"}, "choose one of fifo, haircut, lifo, poison, seniority, tiho"},
		{[]string{"test", at("bad.scenario")}, "bad.scenario:2: block \"x\""},
		{[]string{"nonsense"}, "coldtrail --help"},
	} {
		r := coldtrail(t, append([]string{"--data", data}, test.args...)...)
		lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
		if last := lines[len(lines)-1]; r.code != 2 || !strings.Contains(last, test.reason) || !strings.HasPrefix(last, "coldtrail: ") {
			t.Errorf("%s: exit %d, %q; want exit 2 and %q", strings.Join(test.args, " "), r.code, r.stderr, test.reason)
		}
		if after := must(t, "--data", data, "status", "--json"); after != before {
			t.Fatalf("%s: the store changed: %s", strings.Join(test.args, " "), after)
		}
	}
}

// TestTornTail ingests a file whose last block is still being written, and goes on
// when it is.
func TestTornTail(t *testing.T) {
	raw := rawChain(t)
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "blk00000.dat")
	if err := os.WriteFile(file, raw[:1_000_123], 0o600); err != nil {
		t.Fatal(err)
	}
	r := coldtrail(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+filepath.Dir(file))
	if r.code != 0 || !strings.Contains(r.stderr, "the last block is not complete") {
		t.Fatalf("%+v", r)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+filepath.Dir(file))
	if got := parse[status](t, must(t, "--data", data, "status", "--json")).Chains[0]; got.Height != 14131 || got.UnspentOutputs != 13416 {
		t.Errorf("status %+v", got)
	}
}

// kills is how often TestKilled kills an ingest.
const kills = 50

// TestKilled kills an ingest at random moments, again and again; the next one goes
// on, and in the end the store answers everything like one that was left alone.
func TestKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blk00000.dat")
	if err := os.WriteFile(file, rawChain(t), 0o600); err != nil {
		t.Fatal(err)
	}
	calm := t.TempDir()
	began := time.Now()
	must(t, "--data", calm, "ingest", "bitcoin", "--from", "blocks:"+file, "--batch", "100")
	whole := time.Since(began)
	want := dump(t, calm)
	random := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for killed < kills {
		data := t.TempDir()
		for done := false; !done; {
			cmd := exec.CommandContext(t.Context(), binary, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+file, "--batch", "100")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(random.Int64N(int64(whole))), func() { _ = cmd.Process.Kill() })
			err := cmd.Wait()
			timer.Stop()
			switch {
			case err == nil:
				done = true
			case cmd.ProcessState.ExitCode() == -1: // by the signal
				if killed++; killed >= kills {
					must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+file)
					done = true
				}
			default:
				t.Fatalf("after %d kills: %v\n%s", killed, err, out.String())
			}
		}
		if got := dump(t, data); got != want {
			t.Fatalf("after %d kills the store answers differently", killed)
		}
	}
	t.Logf("killed %d times", killed)
}

func dump(t *testing.T, folder string) string {
	t.Helper()
	s, err := embedded.Open(t.Context(), folder, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := storetest.Dump(t.Context(), s)
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDemo runs the main job without any file of the user's.
func TestDemo(t *testing.T) {
	text := must(t, "demo", "--no-serve")
	for _, want := range []string{"Bybit cold wallet theft", "stolen 401346.768858404671846374 ETH", "digest: sha256:", "From facts alone"} {
		if !strings.Contains(text, want) {
			t.Errorf("the demo does not say %q:\n%s", want, text)
		}
	}
	if one, two := must(t, "demo", "--json"), must(t, "demo", "--json"); one != two {
		t.Error("two runs give different bytes")
	}
}

// TestLocked refuses a second writer.
func TestLocked(t *testing.T) {
	data := t.TempDir()
	s, err := embedded.Open(t.Context(), data, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if r := coldtrail(t, "--data", data, "status"); r.code != 2 || !strings.Contains(r.stderr, "in use by another process") {
		t.Errorf("%+v", r)
	}
}

// TestScenarioFailure exits 1 where an expectation does not hold.
func TestScenarioFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wrong.scenario")
	write(t, file, "ledger bitcoin\nblock 1\n  s  mint -> thief 5\ntheft A s:0\ntrace fifo\n  held s:0 A 4\n")
	if r := coldtrail(t, "test", file); r.code != 1 || !strings.Contains(r.stdout, "want  held s:0 A 4") || !strings.Contains(r.stdout, "got   held s:0 A 5") {
		t.Errorf("%+v", r)
	}
	if r := coldtrail(t, "test", "../../testdata/scenarios/01-merge.scenario"); r.code != 0 || !strings.Contains(r.stdout, "(6 traces)") {
		t.Errorf("%+v", r)
	}
}
