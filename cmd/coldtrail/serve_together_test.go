package main_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"coldtrail/desk/view"
)

// TestServeGraphByOwner calls three coinbase outputs stolen that one transaction spends, in
// block 586 of the real chain: from then on their addresses are one owner's, and one node;
// on the day before nobody knew.
func TestServeGraphByOwner(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	must(t, "--data", data, "ingest", "bitcoin", "--from", "blocks:"+realChain)
	outputs := []string{
		"c3f0bb699bcc8a4e0716de45aef74c40aabeb80f7f00b3bdb45e115ee6f5400f:0", "193b51cd0c5a44bf6593e69fea91e9ddd311f610c5c23187552e3347b275b81b:0",
		"b6c967d8f3a3d5fe859a12e9f385531655c2c457326845065fc3942da9e19920:0",
	}
	stolen := []string{"1ADpf5rHERc2PmVAZZFoH7WbougKvkPDVD", "1DNdPgBZRWjDj1JbVZQEYMv7jvqJF7R4Py", "1ELmSkQWnqgbBZNzxAZHts3MEYCngqRBeD"}
	text := "case: coins\nthefts:\n"
	for _, outpoint := range outputs {
		text += fmt.Sprintf("  - {colour: btc, chain: bitcoin, outpoint: %q}\n", outpoint)
	}
	file := filepath.Join(t.TempDir(), "coins.yaml")
	write(t, file, text)
	must(t, "--data", data, "cases", "add", file)
	s := serve(t, "--data", data, "serve", "--open")
	graph := func(query string) (list []string, g view.Graph) {
		g = parse[view.Graph](t, s.asked("/v1/cases/coins/graph?"+query))
		for i := range g.Nodes {
			if n := &g.Nodes[i]; n.Class == view.NodeCluster {
				list = append(list, fmt.Sprintf("%d of the owner of %s, theft %t", n.Addresses, n.Label, n.Theft))
			} else if n.Theft {
				list = append(list, n.Address)
			}
		}
		slices.Sort(list)
		return list, g
	}
	alone, plain := graph("group=address")
	if !slices.Equal(alone, stolen) {
		t.Errorf("by address the theft is at %v, want %v", alone, stolen)
	}
	together, owners := graph("group=cluster")
	if want := []string{"3 of the owner of " + stolen[1] + ", theft true"}; !slices.Equal(together, want) {
		t.Errorf("by owner the theft is at %v, want %v", together, want)
	}
	if len(owners.Nodes) != len(plain.Nodes)-2 {
		t.Errorf("%d nodes by address, %d by owner", len(plain.Nodes), len(owners.Nodes))
	}
	if before, _ := graph("group=cluster&as_of=2009-01-14"); !slices.Equal(before, stolen) {
		t.Errorf("before anything tied them together the theft is at %v, want %v", before, stolen)
	}
}
