package table_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/ledger"
	"coldtrail/price"
	"coldtrail/price/table"
)

var btc = ledger.Bitcoin.Native()

// TestOwnForm reads every column.
func TestOwnForm(t *testing.T) {
	text := "time,asset,close,interval,source,market,volume\n" +
		"2025-02-21T15:00:00Z,ethereum,2659.66,1h,a desk,ETH-USD,12.5\n" +
		"1740150000,eip155:1/erc20:0xDAC17F958D2ee523a2206206994597C13D831ec7,0.9998,,,,\n"
	got, err := table.Read(strings.NewReader(text), table.Options{File: "p.csv"})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if q := got[0]; q.Asset != ledger.Ethereum.Native() || q.Value != 265_966_000_000 || q.Close != 1_740_150_000 || q.Every != 3600 || q.Source != "a desk" || q.Market != "ETH-USD" || *q.Volume != 1_250_000_000 {
		t.Errorf("%+v", q)
	}
	if q := got[1]; q.Asset != "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7" || q.Close != 1_740_150_000 || q.Every != price.Day || q.Source != "p.csv" || q.Volume != nil {
		t.Errorf("%+v", q)
	}
}

// TestDay: a day's price is that of its end.
func TestDay(t *testing.T) {
	got, err := table.Read(strings.NewReader("date,close_usd\n2025-03-17,84075.69\n"), table.Options{File: "p.csv", Asset: btc, Source: "Yahoo Finance"})
	if err != nil || len(got) != 1 || got[0].Close != 1_742_256_000 || got[0].Value != 8_407_569_000_000 || got[0].Source != "Yahoo Finance" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRefused names the place of what is wrong.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "p.csv:1: no header",
		"date,open\n":                        `p.csv:1: column "open" is not known`,
		"date,close,price\n":                 "p.csv:1: two columns say the close",
		"date,time,close\n":                  "p.csv:1: want a column close, and one of time and date",
		"close\n":                            "p.csv:1: want a column close",
		"date,close\n2025-03-17,1,2\n":       "p.csv:2: wrong number of fields",
		"date,close\n2025-03-17,0\n":         "p.csv:2: close: a price of 0 is no price",
		"date,close\n2025-03-17,\n":          "p.csv:2: close: ",
		"date,close\n\n2025-02-30,1\n":       "p.csv:3: date: ",
		"time,close\nnoon,1\n":               "p.csv:2: time: ",
		"date,close,volume\n2025-03-17,1,x":  "p.csv:2: volume: ",
		"date,close,asset\n2025-03-17,1,BTC": "p.csv:2: asset: ",
		"time,close,interval\n5,1,d":         "p.csv:2: interval: ",
		"time,close,interval\n5,1,0h":        "p.csv:2: interval: ",
		"time,close,interval\n5,1,9é":        "p.csv:2: interval: ",
	} {
		_, err := table.Read(strings.NewReader(text), table.Options{File: "p.csv", Asset: btc})
		var row *table.RowError
		if !errors.As(err, &row) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := table.Read(strings.NewReader("date,close\n2025-03-17,1\n"), table.Options{File: "p.csv"}); err == nil || !strings.Contains(err.Error(), "bitcoin=FILE") {
		t.Error(err)
	}
}

// TestPublishedTables reads tables as sites hand them out, and finds what they say.
func TestPublishedTables(t *testing.T) {
	folder := "../../../shared/data/prices"
	for file, want := range map[string]struct {
		rows  int
		day   int64
		value price.Value
	}{
		"btc_usd_daily_close.csv":                   {4210, 1_742_256_000, 8_407_569_000_000},
		"eth_usd_daily_close.csv":                   {3061, 1_740_182_400, 265_966_000_000},
		"BTC-USD_cryptocompare_2024-03_2025-03.csv": {0, 1_709_769_600, 6_611_557_000_000},
	} {
		f, err := os.Open(filepath.Join(folder, file))
		if err != nil {
			t.Skip("the collection of published prices is not here")
		}
		defer f.Close()
		got, err := table.Read(f, table.Options{File: file, Asset: btc})
		if err != nil || want.rows > 0 && len(got) != want.rows {
			t.Errorf("%s: %d rows, %v", file, len(got), err)
			continue
		}
		b, err := price.NewBook(got, nil)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := b.At(btc, want.day); err != nil || found.Value != want.value || found.Stale {
			t.Errorf("%s: %+v, %v", file, found, err)
		}
	}
}

// FuzzRead looks for panics, and for quotes that are none.
func FuzzRead(f *testing.F) {
	f.Add("time,asset,close,interval,source,market,volume\n2025-02-21T15:00:00Z,ethereum,2659.66,1h,a desk,ETH-USD,12.5\n")
	f.Add("date,close_usd\n2025-03-17,84075.69\n")
	f.Add("date,close\n\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := table.Read(strings.NewReader(text), table.Options{File: "p.csv", Asset: btc})
		if err != nil {
			return
		}
		for i := range got {
			if err := got[i].Check(); err != nil {
				t.Fatalf("%+v: %v", got[i], err)
			}
		}
	})
}
