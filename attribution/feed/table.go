package feed

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"coldtrail/attribution/label"
)

// CSV is a table with a header in which the columns may have any of many names.
var CSV = &Feed{
	Name: "csv", Title: "table with a header (CSV)",
	recognises: func(name string, head []byte) bool {
		first, _, _ := bytes.Cut(head, []byte("\n"))
		return strings.HasSuffix(name, ".csv") && columnsOf(strings.Split(string(first), ","))["address"] >= 0
	},
	read: readCSV,
}

// columnNames are the names that a column may have.
var columnNames = map[string][]string{
	"address":    {"address", "addr", "wallet", "banned_address", "contract_address", "identifier"},
	"network":    {"network", "chain", "currency", "asset", "blockchain", "symbol", "ticker"},
	"label":      {"label", "name", "tag", "nametag", "entity", "entity_name", "wallet_tag", "etherscan_tag", "contract_tag", "entity_key"},
	"actor":      {"actor", "actor_id"},
	"category":   {"category", "type", "etherscan_labels"},
	"abuse":      {"abuse", "notes"},
	"confidence": {"confidence"},
	"by":         {"by", "creator", "reporter"},
	"source":     {"source", "url", "uri", "data_source", "link"},
	"why":        {"why", "reason", "description", "context", "comment"},
	"from":       {"from", "since", "valid_from", "listed", "start_date"},
	"until":      {"until", "valid_to", "valid_until", "delisted", "end_date"},
	"stated":     {"stated", "lastmod", "date", "updated"},
}

// columnsOf finds the columns of a header; -1 where there is none.
func columnsOf(header []string) map[string]int {
	found := map[string]int{}
	for column, names := range columnNames {
		found[column] = -1
		for _, name := range names {
			at := slices.IndexFunc(header, func(h string) bool {
				return strings.EqualFold(strings.Trim(h, "\ufeff\" \r\t"), name)
			})
			if at >= 0 {
				found[column] = at
				break
			}
		}
	}
	return found
}

func readCSV(r *reading, from io.Reader) error {
	rows := csv.NewReader(&bounded{from: from, mark: '\n'})
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return err
	}
	columns := columnsOf(header)
	if columns["address"] < 0 {
		return fmt.Errorf("no column for addresses; use one of %s", strings.Join(columnNames["address"], ", "))
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := rows.FieldPos(0)
		get := func(column string) string {
			if at := columns[column]; at >= 0 && at < len(row) {
				return strings.TrimSpace(row[at])
			}
			return ""
		}
		if err := r.row(line, get); err != nil {
			return err
		}
	}
}

// row reads one row of a table.
func (r *reading) row(line int, get func(column string) string) error {
	c := label.Claim{
		Label: get("label"), Actor: get("actor"), Confidence: get("confidence"), By: get("by"), Source: get("source"), Why: bound(get("why")),
	}
	c.Concept = concept(get("category"), &c)
	c.Abuse = concept(get("abuse"), &c)
	for _, at := range []struct {
		to     *int64
		column string
	}{{&c.From, "from"}, {&c.Until, "until"}, {&c.Stated, "stated"}} {
		var err error
		if *at.to, err = moment(get(at.column)); err != nil {
			return r.reject(line, at.column+": "+err.Error())
		}
	}
	if _, known := label.Confidences[c.Confidence]; c.Confidence != "" && !known {
		return r.reject(line, fmt.Sprintf("confidence %q is not known", shorten(c.Confidence)))
	}
	if c.By == "" && r.options.By == "" {
		c.By = "file " + path.Base(r.out.File) // nobody else is named
	}
	if c.Label == "" && r.options.Label == "" {
		c.Label = joined(get("category"), get("abuse"))
	}
	if c.Label == "" && r.options.Label == "" {
		c.Label = "listed in " + path.Base(r.out.File) // which is all that the row says
	}
	return r.add(line, get("network"), get("address"), &c)
}

// List is a text with one address in each line, among other words or alone, as agencies
// publish them. Who says so and what has to be given.
var List = &Feed{
	Name: "list", Title: "plain text with an address in each line",
	recognises: func(name string, _ []byte) bool { return strings.HasSuffix(name, ".txt") },
	read: func(r *reading, from io.Reader) error {
		return lines(from, func(line int, text string) error {
			if text == "" || text[0] == '#' {
				return nil
			}
			for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(" \t,;|\"'()<>[]", c) }) {
				if _, err := guess(word); err == nil && len(word) > 20 || r.options.Network != "" && word == text {
					return r.add(line, "", word, &label.Claim{})
				}
			}
			return r.reject(line, fmt.Sprintf("no address in %q", shorten(text)))
		})
	},
}

// Etherscan is name tags as collections of explorers' labels have them: an object by
// address, or a list of objects, of an EVM chain.
var Etherscan = &Feed{
	Name: "etherscan", Title: "name tags by address (JSON)",
	recognises: func(name string, head []byte) bool {
		text := bytes.TrimSpace(head)
		return strings.HasSuffix(name, ".json") && (bytes.HasPrefix(text, []byte("[")) || bytes.Contains(head, []byte(`"0x`)))
	},
	read: readEtherscan,
}

// nameTag is one entry.
type nameTag struct {
	Address string   `json:"address"`
	Name    string   `json:"name"`
	NameTag string   `json:"nameTag"`
	Labels  []string `json:"labels"`
	Label   string   `json:"label"`
}

func readEtherscan(r *reading, from io.Reader) error {
	text, err := whole(from)
	if err != nil {
		return err
	}
	var list []nameTag
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		err = json.Unmarshal(text, &list)
	} else {
		byAddress := map[string]nameTag{}
		err = json.Unmarshal(text, &byAddress)
		for address, tag := range byAddress {
			tag.Address = address
			list = append(list, tag)
		}
		slices.SortFunc(list, func(a, b nameTag) int { return strings.Compare(a.Address, b.Address) })
	}
	if err != nil {
		return err
	}
	for i := range list {
		t := &list[i]
		c := label.Claim{Label: t.Name + t.NameTag, By: "Etherscan", Confidence: "web_crawl"}
		if c.Label == "" {
			c.Label = strings.Join(append(t.Labels, t.Label), " ")
		}
		for _, word := range append(t.Labels, t.Label) {
			if found, ok := label.ConceptOf(word); ok && c.Concept == "" {
				c.Concept = found
			}
		}
		c.Why = bound(strings.Join(t.Labels, ", "))
		if err := r.add(i+1, "", t.Address, &c); err != nil {
			return err
		}
	}
	return nil
}
