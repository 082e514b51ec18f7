package main

import (
	"fmt"
	"text/tabwriter"

	"coldtrail/attribution/cluster"
	"coldtrail/attribution/coinjoin"
	"coldtrail/ledger"
)

type clusterRulesVerb struct{}

// Run lists the rules.
func (*clusterRulesVerb) Run(s *session) error {
	type row struct {
		Name       string `json:"name"`
		Title      string `json:"title"`
		Family     string `json:"family"`
		Confidence uint8  `json:"confidence"`
		Default    bool   `json:"default"`
		Published  string `json:"published_error"`
		Source     string `json:"source"`
	}
	family := map[ledger.Family]string{ledger.UTXO: "utxo", ledger.Account: "account"}
	var rows []row
	for _, r := range cluster.Rules {
		rows = append(rows, row{r.Name, r.Title, family[r.Family], r.Confidence, r.Default, r.Published, r.Source})
	}
	if s.json {
		return s.printJSON(map[string]any{"rules": rows, "coinjoin_rules": coinjoinRows()})
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tCHAINS\tCONFIDENCE\tDEFAULT\tPUBLISHED ERROR")
	for _, r := range rows {
		chosen := ""
		if r.Default {
			chosen = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", r.Name, r.Family, r.Confidence, chosen, r.Published)
	}
	fmt.Fprintln(w, "\nCOINJOIN RULE\tPROTOCOL\t\t\tSOURCE")
	for _, r := range coinjoin.Rules {
		fmt.Fprintf(w, "%s\t%s\t\t\t%s\n", r.Name, r.Protocol, r.Source)
	}
	return w.Flush()
}

// coinjoinRow is a rule for coinjoins in JSON.
type coinjoinRow struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Protocol string `json:"protocol"`
	Source   string `json:"source"`
}

func coinjoinRows() (rows []coinjoinRow) {
	for _, r := range coinjoin.Rules {
		rows = append(rows, coinjoinRow{r.Name, r.Title, r.Protocol, r.Source})
	}
	return rows
}
