package main

import (
	"strconv"
	"strings"

	"coldtrail/ledger"
	"coldtrail/report"
)

// unitOf is how people read an asset.
func unitOf(asset string) (report.Unit, bool) {
	if u, ok := units[asset]; ok {
		return report.Unit{Digits: u.digits, Name: u.name}, true
	}
	if chain, _, native := strings.Cut(asset, "/slip44:"); native && strings.HasPrefix(chain, "bip122:") {
		return report.Unit{Digits: 8, Name: "test BTC"}, true
	}
	return report.Unit{}, false
}

// networkOf is what people call a chain.
func networkOf(chain string) (string, bool) {
	switch c := ledger.Chain(chain); {
	case c == ledger.Bitcoin:
		return "Bitcoin", true
	case c == ledger.Ethereum:
		return "Ethereum", true
	case c.Family() == ledger.UTXO:
		return "a test chain", true
	}
	return "", false
}

// commandLine is the command that makes a trace again, with what was not left at its
// default.
func (v *traceFlags) commandLine(verb string, more ...string) string {
	words := append([]string{"coldtrail", verb}, v.Cases...)
	for _, f := range []struct{ flag, value, usual string }{
		{"--method", v.Method, ""},
		{"--mode", v.Mode, "streaming"},
		{"--as-of", v.AsOf, ""},
		{"--fees", v.Fees, "end"},
		{"--coinjoin", v.CoinJoin, "end"},
		{"--conclude", v.Conclude, "deposits"},
		{"--from", v.From, ""},
		{"--known", v.Known, ""},
		{"--valid", v.Valid, ""},
	} {
		if f.value != f.usual {
			words = append(words, f.flag, f.value)
		}
	}
	if v.Least > 0 {
		words = append(words, "--least", strconv.Itoa(int(v.Least)))
	}
	words = append(words, more...)
	for i, word := range words {
		words[i] = quoted(word)
	}
	return strings.Join(words, " ")
}

// own are the flags of the report itself.
func (v *reportFlags) own() (words []string) {
	for _, f := range []struct{ flag, value string }{
		{"--format", strings.Join(v.Format, ",")}, {"--analyst", v.Analyst}, {"--reviewed-by", v.ReviewedBy}, {"--dated", v.Dated},
	} {
		if f.value != "" {
			words = append(words, f.flag, f.value)
		}
	}
	return append(words, "--out", "PLACE")
}

// quoted is a word as a shell reads it.
func quoted(word string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:,=@+%", c)
	}
	if word != "" && strings.IndexFunc(word, func(c rune) bool { return !plain(c) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
