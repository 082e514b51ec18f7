package breaker_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"coldtrail/screen/breaker"
)

// FuzzConfig reads hostile configurations: one that is accepted can be written, read
// again as the same, and run.
func FuzzConfig(f *testing.F) {
	c := breaker.Default()
	text, err := c.YAML()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("window: 120\nprobe: {one_in: 0}\n"))
	f.Add([]byte("price:\n  assets:\n    eth: {cents: 1, decimals: 40}\n"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := breaker.ParseConfig(text)
		if err != nil {
			if !errors.Is(err, breaker.ErrConfig) {
				t.Fatalf("%v is no ErrConfig", err)
			}
			return
		}
		again, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		d, err := breaker.ParseConfig(again)
		if err != nil {
			t.Fatalf("%v of\n%s", err, again)
		}
		one, err := c.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if two, err := d.Digest(); err != nil || one != two {
			t.Fatalf("%s, then %s: %v", one, two, err)
		}
		m, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			e := thief(i, 1_000_000)
			e.ID, e.Moment, e.Route = string(rune('a'+i)), start+int64(i), btc
			if _, err := m.Step(e); err != nil && !errors.Is(err, breaker.ErrEvent) {
				t.Fatal(err)
			}
		}
	})
}

// FuzzEvents plays hostile logs: no input may break the machine, and what it became can
// be kept and restored.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"event":{"id":"1","moment":1700000000,"route":"a>b","sender":"x","funder":"y","usd_cents":900000000,"taint":[{"incident":"i","share_bp":10000,"hops":1}]}}
{"event":{"id":"2","moment":1700000000,"route":"a>b","sender":"z","funder":"y","amount":"115792089237316195423570985008687907853269984665640564039457584007913129639935","asset":"eth"}}
{"label":{"id":"2","moment":1700000060,"taint":[{"incident":"i","share_bp":10000,"hops":0}]}}
{"retract":{"id":"1","moment":1700000061}}
{"override":{"moment":1700000062,"incident":"","route":"*","state":"HALT","until":1700000900,"by":"a","reason":"b"}}
{"health":{"moment":1700000063,"label_age":9999999,"lag_blocks":18446744073709551615}}
{"tick":1701000000}`))
	f.Add([]byte(`{"tick":1}` + "\n" + `{"tick":9223372036854775807}`))
	c := small()
	f.Fuzz(func(t *testing.T, log []byte) {
		m, err := breaker.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.SplitSeq(log, []byte("\n")) {
			var in breaker.Input
			if json.Unmarshal(line, &in) != nil {
				continue
			}
			if out, err := m.Apply(&in); err != nil && out.Decision != nil && out.Decision.Action != breaker.Review {
				t.Fatalf("%v, and yet %s", err, out.Decision.Action)
			}
		}
		snapshot := m.Snapshot()
		again, err := breaker.Restore(&c, snapshot)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Snapshot(), snapshot) {
			t.Fatal("the restored state differs")
		}
	})
}

// FuzzRestore reads hostile snapshots.
func FuzzRestore(f *testing.F) {
	c := small()
	m, err := breaker.New(&c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Snapshot())
	for i := range 5 {
		e := thief(i, 1_000_000)
		e.ID, e.Moment, e.Route = string(rune('a'+i)), start+int64(i), btc
		if _, err := m.Step(e); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(m.Snapshot())
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		for _, bytes := range [][]byte{snapshot, breaker.Resum(snapshot)} {
			m, err := breaker.Restore(&c, bytes)
			if err != nil {
				continue
			}
			if _, err := m.Tick(m.Clock() + 3600); err != nil && !errors.Is(err, breaker.ErrEvent) {
				t.Fatal(err)
			}
		}
	})
}
