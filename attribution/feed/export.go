package feed

import (
	"crypto/sha1" //nolint:gosec // RFC 4122 names identifiers by it
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"coldtrail/attribution/label"
)

// Writers are the formats that claims are written in.
var Writers = map[string]func(io.Writer, []label.Claim) error{"tagpack": WriteTagPack, "csv": WriteCSV, "stix": WriteSTIX, "misp": WriteMISP}

// date writes a moment; nothing where there is none.
func date(unix int64) string {
	if unix == 0 {
		return ""
	}
	return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z")
}

// currency is what others call a network.
func currency(n label.Network) string {
	if ticker, ok := strings.CutPrefix(string(n), "ticker:"); ok {
		return ticker
	}
	for _, list := range [][2]string{{"bip122:000000000019d6689c085ae165831e93", "BTC"}, {"eip155:1", "ETH"}, {"tron", "TRX"}, {"solana", "SOL"}, {"monero", "XMR"}, {"ripple", "XRP"}, {"zcash", "ZEC"}, {"dash", "DASH"}} {
		if string(n) == list[0] {
			return list[1]
		}
	}
	return string(n)
}

// WriteTagPack writes claims as one TagPack of GraphSense.
func WriteTagPack(w io.Writer, claims []label.Claim) error {
	type tag struct {
		Address    string `yaml:"address"`
		Currency   string `yaml:"currency"`
		Label      string `yaml:"label"`
		Creator    string `yaml:"creator"`
		Source     string `yaml:"source,omitempty"`
		Actor      string `yaml:"actor,omitempty"`
		Category   string `yaml:"category,omitempty"`
		Abuse      string `yaml:"abuse,omitempty"`
		Confidence string `yaml:"confidence,omitempty"`
		Lastmod    string `yaml:"lastmod,omitempty"`
		Context    string `yaml:"context,omitempty"`
		Cluster    bool   `yaml:"is_cluster_definer,omitempty"`
	}
	pack := struct {
		Title   string `yaml:"title"`
		Creator string `yaml:"creator"`
		Tags    []tag  `yaml:"tags"`
	}{Title: "Labels of Coldtrail", Creator: "Coldtrail", Tags: []tag{}}
	for i := range claims {
		c := &claims[i]
		if !c.OnAddress() || c.Withdraws != "" {
			continue
		}
		day, _, _ := strings.Cut(date(c.Stated), "T")
		pack.Tags = append(pack.Tags, tag{
			c.Subject.Address, currency(c.Subject.Network), c.Label, c.By, c.Source, c.Actor, c.Concept, c.Abuse, c.Confidence, day, c.Why, c.Cluster,
		})
	}
	e := yaml.NewEncoder(w)
	if err := e.Encode(pack); err != nil {
		return err
	}
	return e.Close()
}

// WriteCSV writes claims as a table that CSV reads again.
func WriteCSV(w io.Writer, claims []label.Claim) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"network", "address", "label", "actor", "category", "abuse", "confidence", "by", "source", "why", "from", "until", "stated"}); err != nil {
		return err
	}
	for i := range claims {
		c := &claims[i]
		if !c.OnAddress() || c.Withdraws != "" {
			continue
		}
		row := []string{
			currency(c.Subject.Network), c.Subject.Address, inert(c.Label), c.Actor, c.Concept, c.Abuse, c.Confidence, inert(c.By), inert(c.Source), inert(c.Why),
			date(c.From), date(c.Until), date(c.Stated),
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// inert keeps spreadsheets from taking a cell for a formula (OWASP, "CSV Injection").
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// walletNamespace is that of wallets' identifiers (dogesec/stix2extensions).
var walletNamespace = [16]byte{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}

// UUID5 is the name-based identifier of RFC 4122, in the namespace of wallets' identifiers.
func UUID5(name string) string {
	h := sha1.New() //nolint:gosec // RFC 4122 names identifiers by it
	_, _ = h.Write(walletNamespace[:])
	_, _ = h.Write([]byte(name))
	id := h.Sum(nil)[:16]
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
	text := hex.EncodeToString(id)
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

const walletExtension = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7"

// Wallet is an address as an observable of STIX 2.1, with its identifier.
func Wallet(network label.Network, address string) (id string, object map[string]any) {
	id = "cryptocurrency-wallet--" + UUID5(address)
	return id, map[string]any{
		"type": "cryptocurrency-wallet", "id": id, "spec_version": "2.1", "value": address, "symbol": currency(network),
		"extensions": map[string]any{walletExtension: map[string]any{"extension_type": "new-sco"}},
	}
}

// WriteSTIX writes claims as a STIX 2.1 bundle: a wallet for each address, and a note for
// each claim about it by its source.
func WriteSTIX(w io.Writer, claims []label.Claim) error {
	objects := []map[string]any{}
	seen := map[string]bool{}
	add := func(id string, object map[string]any) {
		if !seen[id] {
			seen[id] = true
			object["id"], object["spec_version"] = id, "2.1"
			objects = append(objects, object)
		}
	}
	for i := range claims {
		c := &claims[i]
		if !c.OnAddress() || c.Withdraws != "" {
			continue
		}
		who := "identity--" + UUID5("identity "+c.By)
		at := max(c.Stated, c.Learned)
		add(who, map[string]any{"type": "identity", "name": c.By, "created": date(c.Learned), "modified": date(c.Learned)})
		wallet, object := Wallet(c.Subject.Network, c.Subject.Address)
		add(wallet, object)
		words := slices.DeleteFunc([]string{c.Concept, c.Abuse}, func(s string) bool { return s == "" })
		note := map[string]any{
			"type": "note", "created_by_ref": who, "created": date(at), "modified": date(at), "abstract": c.Label,
			"content": joined(c.Label, c.Why, c.Source), "object_refs": []string{wallet},
		}
		if len(words) > 0 {
			note["labels"] = words
		}
		add("note--"+UUID5("note "+c.ID().String()), note)
	}
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = fmt.Sprint(o["id"])
	}
	bundle := map[string]any{"type": "bundle", "id": "bundle--" + UUID5("bundle "+strings.Join(ids, " ")), "objects": objects}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(bundle)
}

// CoinAddress is an address as MISP's object of that name, version 7. Alarm says whether
// detection systems shall look for it; more are further attributes.
func CoinAddress(uuid string, network label.Network, address string, alarm bool, more ...map[string]any) map[string]any {
	symbol := currency(network)
	kind, relation := "text", "address-crypto"
	switch symbol {
	case "BTC":
		kind, relation = "btc", "address"
	case "XMR":
		kind, relation = "xmr", "address-xmr"
	}
	return map[string]any{
		"name": "coin-address", "meta-category": "financial", "template_uuid": "d0e6997e-78da-4815-a6a1-cfc1c1cb8a46", "template_version": "7", "uuid": uuid,
		"Attribute": append([]map[string]any{
			{"object_relation": relation, "type": kind, "value": address, "to_ids": alarm},
			{"object_relation": "symbol", "type": "text", "value": symbol, "to_ids": false},
		}, more...),
	}
}

// WriteMISP writes claims as an event of MISP with one coin-address object each.
func WriteMISP(w io.Writer, claims []label.Claim) error {
	objects := []map[string]any{}
	for i := range claims {
		c := &claims[i]
		if !c.OnAddress() || c.Withdraws != "" {
			continue
		}
		text := map[string]any{
			"object_relation": "text", "type": "text", "value": joined(c.Label, c.Concept, c.Abuse, "by "+c.By, c.Source), "to_ids": false,
		}
		objects = append(objects, CoinAddress(UUID5("misp "+c.ID().String()), c.Subject.Network, c.Subject.Address, c.Abuse != "", text))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(map[string]any{"Event": map[string]any{"info": "Labels of Coldtrail", "analysis": "2", "threat_level_id": "4", "Object": objects}})
}
