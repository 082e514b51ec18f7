package feed_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"coldtrail/attribution/feed"
	"coldtrail/attribution/label"
)

const learned = 1_740_000_000

func read(t *testing.T, name, text string, o feed.Options) (*feed.Batch, error) {
	t.Helper()
	o.Learned = learned
	return feed.Read(name, strings.NewReader(text), nil, o)
}

// said writes the claims of a batch, one a line.
func said(b *feed.Batch) (lines []string) {
	for i := range b.Claims {
		c := &b.Claims[i]
		lines = append(lines, fmt.Sprintf("%s %s %q %s/%s/%s by %q %d from %d until %d line %d", c.Subject.Network.Short(), c.Subject.Address, c.Label, c.Actor, c.Concept, c.Abuse, c.By, c.Score, c.From, c.Until, c.Line))
	}
	return lines
}

const (
	btc = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
	eth = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	low = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
)

// TestFormats reads each format, told from name and content.
func TestFormats(t *testing.T) {
	for _, c := range []struct {
		file, text, format string
		options            feed.Options
		want               []string
		rejected           string
	}{
		{
			"pack.yaml", "title: x\ncreator: GS\ncurrency: BTC\nlabel: shop\ncategory: exchange\nconfidence: forensic\ntags:\n- address: " + btc + "\n- address: '" + eth + "'\n  currency: ETH\n  label: bad\n  abuse: scam\n- address: 1abc\n", "tagpack",
			feed.Options{},
			[]string{"bitcoin " + btc + ` "shop" /exchange/ by "GS" 50 from 0 until 0 line 8`, "ethereum " + low + ` "bad" /exchange/scam by "GS" 50 from 0 until 0 line 9`},
			"13: address 1abc is none of BTC",
		},
		{
			"actors.yaml", "title: x\ncreator: GS\nactors:\n- id: lazarusgroup\n  label: Lazarus Group\n  aliases: [APT38, TraderTraitor]\n  categories: [service_hack]\n  parent: dprk\n", "actorpack",
			feed.Options{},
			[]string{`actor lazarusgroup "Lazarus Group" /service_hack/ by "GS" 60 from 0 until 0 line 4`},
			"",
		},
		{
			"sdn.csv", `306,"LAZARUS GROUP",-0- ,"DPRK3",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"Digital Currency Address - XBT ` + btc + `; alt. Digital Currency Address - ETH ` + eth + `; Digital Currency Address - XBT TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t;"` + "\n", "ofac-csv",
			feed.Options{},
			[]string{"bitcoin " + btc + ` "LAZARUS GROUP" //sanction by "OFAC" 60 from 0 until 0 line 1`, "ethereum " + low + ` "LAZARUS GROUP" //sanction by "OFAC" 60 from 0 until 0 line 1`},
			"is filed under XBT but is one of tron",
		},
		{
			"list.xml", `<?xml version="1.0"?><sdnList xmlns="http://x"><publshInformation><Publish_Date>02/28/2025</Publish_Date></publshInformation><sdnEntry><uid>1</uid><firstName>A</firstName><lastName>B</lastName><programList><program>DPRK</program></programList><idList><id><uid>2</uid><idType>Digital Currency Address - ETH</idType><idNumber>` + eth + `</idNumber></id></idList></sdnEntry></sdnList>`, "ofac-xml",
			feed.Options{},
			[]string{"ethereum " + low + ` "A B" //sanction by "OFAC" 60 from 0 until 0 line 1`},
			"",
		},
		{
			"adv.xml", `<Sanctions><DateOfIssue></DateOfIssue><ReferenceValueSets><FeatureTypeValues><FeatureType ID="344">Digital Currency Address - XBT</FeatureType></FeatureTypeValues></ReferenceValueSets><DistinctParties><DistinctParty FixedRef="9"><Profile ID="9"><Identity><Alias Primary="true"><DocumentedName><DocumentedNamePart><NamePartValue>Lazarus</NamePartValue></DocumentedNamePart></DocumentedName></Alias></Identity><Feature ID="1" FeatureTypeID="344"><FeatureVersion><VersionDetail>` + btc + `</VersionDetail></FeatureVersion></Feature></Profile></DistinctParty></DistinctParties><SanctionsEntries><SanctionsEntry ProfileID="9"><EntryEvent><Date><Year>2019</Year><Month>9</Month><Day>13</Day></Date></EntryEvent><SanctionsMeasure><Comment>DPRK3</Comment></SanctionsMeasure></SanctionsEntry></SanctionsEntries></Sanctions>`, "ofac-advanced",
			feed.Options{},
			[]string{"bitcoin " + btc + ` "Lazarus" //sanction by "OFAC" 60 from 1568332800 until 0 line 1`},
			"",
		},
		{"sanctioned_addresses_XBT.txt", btc + "\n\n# x\nTR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t\n", "ofac-list", feed.Options{}, []string{"bitcoin " + btc + ` "OFAC SDN" //sanction by "OFAC" 60 from 0 until 0 line 1`}, ":4: address TR7"},
		{
			"e.ftm.json", `{"id":"h","schema":"Organization","caption":"Garantex","properties":{}}` + "\n" + `{"id":"w","schema":"CryptoWallet","properties":{"publicKey":["` + btc + `"],"currency":["XBT"],"holder":["h"]},"datasets":["us_ofac_sdn"]}` + "\n" + `{"id":"s","schema":"Sanction","properties":{"entity":["h"],"startDate":["2022-04-05"],"endDate":["2030-01-01"],"authority":["OFAC"]}}` + "\n", "ftm",
			feed.Options{},
			[]string{"bitcoin " + btc + ` "Garantex" h//sanction by "us_ofac_sdn" 60 from 1649116800 until 1893456000 line 2`},
			"",
		},
		{"t.csv", "chain,address,name,category,since,until\nbitcoin," + btc + ",Poloniex,cex,2020-01-01,2021-01-01\nethereum,0x12,a,b,,\n", "csv", feed.Options{}, []string{"bitcoin " + btc + ` "Poloniex" /exchange/ by "file t.csv" 5 from 1577836800 until 1609459200 line 2`}, ":3: address 0x12"},
		{"tags.json", `{"` + eth + `":{"name":"Fake_Phishing1","labels":["phish-hack"]}}`, "etherscan", feed.Options{}, []string{"ethereum " + low + ` "Fake_Phishing1" /phishing/ by "Etherscan" 20 from 0 until 0 line 1`}, ""},
		{"b.json", `{"type":"bundle","objects":[{"type":"identity","id":"identity--1","name":"A desk"},{"type":"cryptocurrency-wallet","id":"cryptocurrency-wallet--1","value":"` + btc + `"},{"type":"note","id":"note--1","abstract":"Mule","created_by_ref":"identity--1","object_refs":["cryptocurrency-wallet--1"]}]}`, "stix", feed.Options{}, []string{"bitcoin " + btc + ` "Mule" // by "A desk" 50 from 0 until 0 line 2`}, ""},
		{"fbi.txt", "Addresses:\n  * " + eth + "\n", "list", feed.Options{By: "FBI", Label: "TraderTraitor", Abuse: "service_hack"}, []string{"ethereum " + low + ` "TraderTraitor" //service_hack by "FBI" 5 from 0 until 0 line 2`}, ":1: no address"},
	} {
		b, err := read(t, c.file, c.text, c.options)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if b.Format != c.format || !slices.Equal(said(b), c.want) {
			t.Errorf("%s as %s:\n%s\nwant\n%s", c.file, b.Format, strings.Join(said(b), "\n"), strings.Join(c.want, "\n"))
		}
		var rejected []string
		for i := range b.Rejected {
			rejected = append(rejected, b.Rejected[i].String())
		}
		if got := strings.Join(rejected, "\n"); (c.rejected == "") != (got == "") || !strings.Contains(got, c.rejected) {
			t.Errorf("%s: rejected %q, want %q", c.file, got, c.rejected)
		}
	}
}

// TestSlip: an address whose capitals are wrong is taken by its digits, with a warning.
func TestSlip(t *testing.T) {
	b, err := read(t, "fbi.txt", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD\n", feed.Options{By: "FBI", Label: "x"})
	if err != nil || len(b.Claims) != 1 || !b.Claims[0].Unchecked || len(b.Warnings) != 1 || b.Claims[0].Subject.Address != low {
		t.Errorf("%+v %v", b, err)
	}
}

// TestHostile: bombs, endless lines and depths are refused in bounded memory; HTML is
// text like any other.
func TestHostile(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\ncreator: x\ntags: *c\n"
	laughs := `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><sdnList><sdnEntry><lastName>&b;</lastName></sdnEntry></sdnList>`
	for _, c := range []struct{ file, text, reason string }{
		{"bomb.yaml", bomb, "anchors and aliases are refused"},
		{"deep.yaml", "creator: x\ntags: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), ""},
		{"laughs.xml", laughs, "entities are refused"},
		{"twice.yaml", "creator: x\ncreator: y\ntags: []\n", "stands twice"},
		{"none.yaml", "creator: x\n", "needs a list of tags"},
		{"long.csv", "address,label\n" + strings.Repeat("x", 100<<20), "without '\\n'"},
		{"long.txt", strings.Repeat("x", 100<<20), "without '\\n'"},
		{"large.yaml", "creator: x\ntags:\n" + strings.Repeat("- address: x\n", 4<<20), "larger than 32 MiB"},
		{"odd.bin", "\x00\x01", "not recognised"},
	} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := read(t, c.file, c.text, feed.Options{By: "x", Label: "y"})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", c.file, err, c.reason)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 256<<20 {
			t.Errorf("%s: %d MiB for nothing", c.file, spent>>20)
		}
	}
	b, err := read(t, "html.csv", "address,label\n"+btc+",<script>alert(1)</script>\n", feed.Options{})
	if err != nil || b.Claims[0].Label != "<script>alert(1)</script>" {
		t.Errorf("%v %v", b, err)
	}
}

// TestRoundTrip: what is written is read again, in each format that is read.
func TestRoundTrip(t *testing.T) {
	b, err := read(t, "t.csv", "chain,address,label,category,abuse,by,confidence,source,actor\nbitcoin,"+btc+",Poloniex,exchange,,A desk,forensic,http://x,poloniex\neth,"+eth+",=cmd(),,scam,A desk,web_crawl,,\n", feed.Options{})
	if err != nil || len(b.Rejected) > 0 {
		t.Fatal(err, b.Rejected)
	}
	for name, file := range map[string]string{"tagpack": "x.yaml", "csv": "x.csv", "stix": "x.json", "misp": ""} {
		var text bytes.Buffer
		if err := feed.Writers[name](&text, b.Claims); err != nil {
			t.Fatal(err)
		}
		if name == "misp" {
			if !strings.Contains(text.String(), `"coin-address"`) || !strings.Contains(text.String(), btc) {
				t.Error(text.String())
			}
			continue
		}
		again, err := read(t, file, text.String(), feed.Options{})
		if err != nil || len(again.Claims) != 2 || len(again.Rejected) > 0 {
			t.Errorf("%s: %v %+v\n%s", name, err, again, text.String())
			continue
		}
		for i := range again.Claims {
			x, y := &b.Claims[i], &again.Claims[i]
			same := x.Subject == y.Subject && strings.TrimPrefix(y.Label, "'") == x.Label && x.By == y.By
			if name != "stix" {
				same = same && x.Concept == y.Concept && x.Abuse == y.Abuse && x.Score == y.Score && x.Actor == y.Actor && x.Source == y.Source
			}
			if !same {
				t.Errorf("%s: %+v became %+v", name, x, y)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"x.yaml", "sdn.csv", "x.xml", "x.json", "x.csv", "x.txt"} {
		f.Add(name, []byte("creator: x\ntags:\n- address: "+btc+"\n"))
		f.Add(name, []byte(`<Sanctions><DateOfIssue/><DistinctParty/></Sanctions>`))
		f.Add(name, []byte(`{"type":"bundle","objects":[{"type":"cryptocurrency-wallet","value":"`+btc+`"}]}`))
		f.Add(name, []byte("address,label\n"+btc+",x\n"))
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		b, err := feed.Read(name, bytes.NewReader(text), nil, feed.Options{Learned: 1, By: "x", Label: "y"})
		if err != nil {
			return
		}
		for i := range b.Claims {
			c := &b.Claims[i]
			if err := c.Check(); err != nil || c.Subject.Address == "" || c.Subject == (label.Subject{}) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}
