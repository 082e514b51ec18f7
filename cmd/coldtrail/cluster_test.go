package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCluster asks the real chain of 2009: a cluster, why two of its addresses are one
// owner's, and what it was earlier; labels of two actors in it are found, the guard's cut
// parts them and is kept with its reason, and undoing it joins them again.
func TestCluster(t *testing.T) {
	data := filepath.Join(t.TempDir(), "store")
	must(t, "ingest", "bitcoin", "--from", "blocks:"+realChain, "--data", data)
	type shown struct {
		Size      uint32
		First     string
		Addresses []string
		Conflict  bool
		Actors    []string
		Cohesion  uint32 `json:"cohesion_bp"`
	}
	show := func(address string, flags ...string) shown {
		return parse[shown](t, must(t, append([]string{"cluster", "show", address, "--json", "--data", data}, flags...)...))
	}
	const a, b, tx = "1LfjLrBDYyPbvGMiD9jURxyAupdYujsBdK", "1DNdPgBZRWjDj1JbVZQEYMv7jvqJF7R4Py", "4d6edbeb62735d45ff1565385a8b0045f066055c9425e21540ea7a8060f08bf2"
	if got := show(a); got.Size != 5 || got.First != b || got.Cohesion != 2_000 || got.Conflict {
		t.Errorf("%+v", got)
	}
	if got := show(a, "--as-of", "500"); got.Size != 1 || got.First != a || got.Cohesion != 0 {
		t.Errorf("before they were spent: %+v", got)
	}
	why := parse[struct {
		Joined bool
		Steps  []struct{ A, B, Rule, Tx string }
	}](t, must(t, "cluster", "why", a, b, "--json", "--data", data))
	if !why.Joined || len(why.Steps) != 1 || why.Steps[0].Tx != tx || why.Steps[0].Rule != "co-spend" {
		t.Errorf("%+v", why)
	}
	if r := coldtrail(t, "cluster", "why", a, "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "--data", data); r.code != 1 || !strings.Contains(r.stdout, "No rule says") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	labels := filepath.Join(t.TempDir(), "labels.csv")
	write(t, labels, "chain,address,label,actor,confidence,by\nbitcoin,"+a+",x,binance,service_data,a desk\nbitcoin,"+b+",y,kraken,service_data,b desk\n")
	must(t, "labels", "import", labels, "--data", data)
	if got := show(a); !got.Conflict || len(got.Actors) != 2 {
		t.Errorf("%+v", got)
	}
	if r := coldtrail(t, "cluster", "check", "--data", data); r.code != 1 || !strings.Contains(r.stdout, tx+" alone holds 1 pairs") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	if r := coldtrail(t, "cluster", "check", "--cut", "--data", data); r.code != 1 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if out := must(t, "cluster", "check", "--data", data); !strings.Contains(out, "No cluster has labels of two actors") {
		t.Error(out)
	}
	if got := show(a); got.Size != 1 {
		t.Errorf("parted: %+v", got)
	}
	must(t, "cluster", "cut", tx, "--undo", "--by", "an analyst", "--why", "it is one owner's: he signed a message", "--data", data)
	if got := show(a); got.Size != 5 {
		t.Errorf("joined again: %+v", got)
	}
	list := must(t, "labels", "list", "--data", data)
	if !strings.Contains(list, "collapse guard") || !strings.Contains(list, "an analyst") {
		t.Errorf("the decisions are not kept\n%s", list)
	}
	mustFail(t, "no cluster holds this address", "cluster", "show", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "--data", data)
	mustFail(t, "is unknown; choose one of", "cluster", "show", a, "--rules", "magic", "--data", data)
	mustFail(t, "is not in the ledger", "cluster", "cut", strings.Repeat("ab", 32), "--by", "x", "--why", "y", "--data", data)
}
