package blocklist

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// CSV writes the entries as a table with a header, for spreadsheets and for
// `coldtrail labels import`. Names that a spreadsheet would compute get an apostrophe in
// front (OWASP, "CSV Injection"), so a table is for looking and not for reading back.
func (l *List) CSV() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"chain", "address", "category", "entity", "reason", "since"}) // a Buffer does not fail
	for _, e := range l.entries {
		_ = w.Write([]string{e.Chain, e.Address, e.Category, inert(e.Entity), e.Reason, formatMoment(e.Since)})
	}
	w.Flush()
	return out.Bytes()
}

func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// Text writes the refused addresses of a chain, or of all where the chain is empty: one
// a line, sorted, none twice, after a line with # that names the revision.
func (l *List) Text(chain string) []byte {
	var addresses []string
	for i := range l.entries {
		if chain == "" || l.entries[i].Chain == chain {
			addresses = append(addresses, l.entries[i].Address)
		}
	}
	slices.Sort(addresses)
	out := fmt.Appendf(nil, "# %s\n", strings.ReplaceAll(l.revision.Comment(), "\t", " "))
	for _, address := range slices.Compact(addresses) {
		out = append(append(out, address...), '\n')
	}
	return out
}
