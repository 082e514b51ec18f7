package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const published = "../../../shared/data/labels"

type importedFiles struct {
	Files []struct {
		File, Format             string
		Claims, Added, Withdrawn int
		Rejected, Warnings       []struct {
			File, Reason string
			Line         int
		}
	}
	Refused []string
}

// TestPublishedLabels imports real lists whole: every tag and actor of GraphSense's packs
// and OFAC's addresses, of which one is filed under the wrong currency. What is refused is
// wrong in the files: each row is named here.
func TestPublishedLabels(t *testing.T) {
	if _, err := os.Stat(published); err != nil {
		t.Skip("real lists are not at hand: ", err)
	}
	data := filepath.Join(t.TempDir(), "store")
	r := coldtrail(t, "labels", "import", published, "--keep-going", "--json", "--data", data)
	if r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	got := parse[importedFiles](t, r.stdout)
	claims, refused := map[string]int{}, map[string]int{}
	var rows []string
	for _, f := range got.Files {
		claims[f.Format] += f.Claims
		refused[f.Format] += len(f.Rejected)
		for _, p := range f.Rejected {
			rows = append(rows, filepath.Base(p.File)+" "+strings.TrimPrefix(p.Reason, "address "))
		}
	}
	if n := claims["tagpack"] + refused["tagpack"]; n != 524_170 || refused["tagpack"] != 17 {
		t.Errorf("%d tags of which %d refused, want 524170 and 17", n, refused["tagpack"])
	}
	if claims["actorpack"] != 3_813 || refused["actorpack"]+refused["csv"] != 0 || claims["csv"] != 18_203 {
		t.Errorf("%d actors, %d rows of tables, want 3813 and 18203", claims["actorpack"], claims["csv"])
	}
	if claims["ofac-list"] != 653 || refused["ofac-list"] != 1 || rows[len(rows)-1] != "sanctioned_addresses_XBT.txt TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq is filed under XBT but is one of tron" {
		t.Errorf("%d addresses of OFAC, refused %q", claims["ofac-list"], rows[len(rows)-1])
	}
	// The reject file names every refused row with its line.
	rejects, err := os.ReadFile(data + "-labels-rejected.csv")
	if err != nil || strings.Count(string(rejects), "\n") != 19 || !strings.Contains(string(rejects), `sanctioned_addresses_XBT.txt",355,`) {
		t.Errorf("%v\n%s", err, rejects)
	}
	// Again: nothing is new. Without --keep-going a file with a bad row is refused whole.
	again := coldtrail(t, "labels", "import", filepath.Join(published, "ofac"), "--json", "--data", data)
	if again.code != 2 || !strings.Contains(again.stderr, "sanctioned_addresses_XBT.txt:355: address TUCs") {
		t.Errorf("exit %d\n%s", again.code, again.stderr)
	}
	for _, f := range parse[importedFiles](t, again.stdout).Files {
		if f.Added != 0 || f.Withdrawn != 0 {
			t.Errorf("%s: %d new, %d withdrawn by a second import", f.File, f.Added, f.Withdrawn)
		}
	}
	checkPublished(t, data)
}

// checkPublished asks for what the lists say.
func checkPublished(t *testing.T, data string) {
	t.Helper()
	type shown struct {
		Subjects []struct {
			Subject struct{ Network, Address string }
			Claims  []struct {
				Label, By, Why string
			}
			Conflicts []struct{ Over string }
		}
	}
	tornado := parse[shown](t, must(t, "labels", "show", "0x12D66f87A04A9E220743712cE6d9bB1B5616B8Fc", "--network", "ethereum", "--json", "--data", data))
	by := map[string]bool{}
	for _, c := range tornado.Subjects[0].Claims {
		by[c.By] = true
	}
	if !by["OFAC"] || len(by) < 2 {
		t.Errorf("Tornado Cash's pool of 0.1 ether is named by %v", by)
	}
	if actor := parse[shown](t, must(t, "labels", "show", "binance", "--json", "--data", data)); len(actor.Subjects) != 1 || actor.Subjects[0].Claims[0].Label != "Binance" || !strings.Contains(actor.Subjects[0].Claims[0].Why, "exchange") {
		t.Errorf("%+v", actor)
	}
	mustFail(t, "is filed under LTC but is one of bitcoin", "labels", "show", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "--network", "LTC", "--data", data)
}
