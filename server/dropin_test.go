package server_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/sha3"
)

// TestChainalysis checks the answers of the sanctions API, field by field.
func TestChainalysis(t *testing.T) {
	w := start(t)
	tests := []struct {
		name, address string
		status        int
		want          string
	}{
		{"listed", sanctionedAddress, 200, `{"identifications":[{"category":"sanctions","name":"SANCTIONS: OFAC SDN Lazarus Group 2022-04-14","description":"The address is listed by OFAC SDN as an address of Lazarus Group since 2022-04-14. Said by OFAC.","url":"https://home.treasury.gov/policy-issues"}]}`},
		{"listed no longer", delistedAddress, 200, `{"identifications":[]}`},
		{"of the same owner as a listed one, which is not listed", ownedAddress, 200, `{"identifications":[]}`},
		{"not listed", cleanAddress, 200, `{"identifications":[]}`},
		{"no address", "nonsense", 400, `{"message":"Invalid address."}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.ask("GET", "/api/v1/address/"+test.address, "viewer", "")
			if got.status != test.status || string(got.body) != test.want+"\n" {
				t.Errorf("answered %d %s, want %d %s", got.status, got.body, test.status, test.want)
			}
			if got.header.Get("Content-Type") != "application/json" {
				t.Errorf("the type is %s", got.header.Get("Content-Type"))
			}
			if test.status == http.StatusOK && (got.header.Get("Coldtrail-Audit") == "" || got.header.Get("Coldtrail-Data-Age") == "") {
				t.Errorf("neither audit nor age: %v", got.header)
			}
		})
	}
	if got := w.ask("GET", "/api/v1/address/"+cleanAddress, "wrong", ""); got.status != http.StatusUnauthorized || string(got.body) != `{"message":"Invalid API Key"}`+"\n" {
		t.Errorf("a wrong key answered %d %s", got.status, got.body)
	}
}

// TestEntity checks that nothing unknown is called low.
func TestEntity(t *testing.T) {
	w := start(t)
	for address, want := range map[string]string{sanctionedAddress: `"risk":"Severe"`, cleanAddress: `"risk":"Medium","riskReason":"unknown`} {
		got := w.ask("GET", "/api/risk/v2/entities/"+address, "", "", "Token: ctk_viewer")
		if got.status != http.StatusOK || !strings.Contains(string(got.body), want) || !strings.Contains(string(got.body), `"status":"COMPLETE"`) {
			t.Errorf("%s answered %d %s", address, got.status, got.body)
		}
	}
	if got := w.ask("GET", "/api/risk/v2/entities/nonsense", "", "", "Token: ctk_viewer"); got.status != http.StatusBadRequest || !strings.Contains(string(got.body), `"error":"Bad Request"`) {
		t.Errorf("no address answered %d %s", got.status, got.body)
	}
}

// TestTRM checks the answers of TRM's sanctions screening.
func TestTRM(t *testing.T) {
	w := start(t)
	basic := "Authorization: Basic Y3RrX3ZpZXdlcjpjdGtfdmlld2Vy"
	got := w.ask("POST", "/public/v1/sanctions/screening", "", `[{"address":"`+strings.ToLower(sanctionedAddress)+`"},{"address":"`+cleanAddress+`"}]`, basic)
	want := `[{"address":"` + strings.ToLower(sanctionedAddress) + `","isSanctioned":true},{"address":"` + cleanAddress + `","isSanctioned":false}]` + "\n"
	if got.status != http.StatusCreated || string(got.body) != want {
		t.Errorf("answered %d %s", got.status, got.body)
	}
	for _, body := range []string{"[]", `[{"address":"nonsense"}]`, `[{"address":"` + cleanAddress + `"},{"address":""}]`, `{"address":"` + cleanAddress + `"}`, `[{"address":"x","more":1}]`} {
		got := w.ask("POST", "/public/v1/sanctions/screening", "", body, basic)
		if got.status != http.StatusBadRequest || strings.Contains(string(got.body), "isSanctioned") {
			t.Errorf("%s answered %d %s", body, got.status, got.body)
		}
	}
}

// data is the argument of a call of a function with one address.
func data(function, address string) string {
	hash := sha3.NewLegacyKeccak256()
	hash.Write([]byte(function))
	return "0x" + hex.EncodeToString(hash.Sum(nil)[:4]) + strings.Repeat("0", 24) + strings.ToLower(strings.TrimPrefix(address, "0x"))
}

// TestOracle asks as a node is asked. That the selector is right follows from Keccak-256
// of the function's signature, computed here.
func TestOracle(t *testing.T) {
	w := start(t)
	if got := data("isSanctioned(address)", cleanAddress)[:10]; got != "0xdf592f7d" {
		t.Fatalf("the selector is %s", got)
	}
	yes, no := "0x"+strings.Repeat("0", 63)+"1", "0x"+strings.Repeat("0", 64)
	call := func(data, rest string) string {
		return `{"jsonrpc":"2.0","id":7,"method":"eth_call","params":[{"to":"0x40C57923924B5c5c5455c48D93317139ADDaC8fb","data":"` + data + `"}` + rest + `]}`
	}
	tests := []struct{ name, body, want string }{
		{"listed", call(data("isSanctioned(address)", sanctionedAddress), `,"latest"`), `{"jsonrpc":"2.0","id":7,"result":"` + yes + `"}`},
		{"not listed", call(data("isSanctioned(address)", cleanAddress), `,"latest"`), `{"jsonrpc":"2.0","id":7,"result":"` + no + `"}`},
		{"listed no longer", call(data("isSanctioned(address)", delistedAddress), `,"safe"`), `{"jsonrpc":"2.0","id":7,"result":"` + no + `"}`},
		{"without a block", call(data("isSanctioned(address)", sanctionedAddress), ""), `"result":"` + yes + `"`},
		{"in input, at another contract", `{"jsonrpc":"2.0","id":"x","method":"eth_call","params":[{"to":"0x3A91A31cB3dC49b4db9Ce721F50a9D076c8D739B","input":"` + data("isSanctioned(address)", sanctionedAddress) + `"},"pending"]}`, `{"jsonrpc":"2.0","id":"x","result":"` + yes + `"}`},
		{"data and input that agree", `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x3A91A31cB3dC49b4db9Ce721F50a9D076c8D739B","data":"` + data("isSanctioned(address)", cleanAddress) + `","input":"` + data("isSanctioned(address)", cleanAddress) + `"}]}`, `"result":"` + no + `"`},
		{"data and input that differ", `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x3A91A31cB3dC49b4db9Ce721F50a9D076c8D739B","data":"` + data("isSanctioned(address)", cleanAddress) + `","input":"` + data("isSanctioned(address)", sanctionedAddress) + `"}]}`, `"code":-32602`},
		{"an older block", call(data("isSanctioned(address)", cleanAddress), `,"0x10"`), `"code":-32602`},
		{"a block by its hash", call(data("isSanctioned(address)", cleanAddress), `,{"blockHash":"0x0"}`), `"code":-32602`},
		{"another function", call(data("name()", cleanAddress), `,"latest"`), `"code":-32602`},
		{"an address with something before it", call("0xdf592f7d"+strings.Repeat("1", 24)+strings.ToLower(cleanAddress[2:]), ""), `"code":-32602`},
		{"too short", call("0xdf592f7d", ""), `"code":-32602`},
		{"too long", call(data("isSanctioned(address)", cleanAddress)+"00", ""), `"code":-32602`},
		{"no hexadecimal digits", call("0xzz", ""), `"code":-32602`},
		{"no contract", `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"data":"` + data("isSanctioned(address)", cleanAddress) + `"}]}`, `"code":-32602`},
		{"no parameters", `{"jsonrpc":"2.0","id":1,"method":"eth_call"}`, `"code":-32602`},
		{"another method", `{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601`},
		{"the number of the chain", `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`, `"result":"0x1"`},
		{"an older version", `{"jsonrpc":"1.0","id":1,"method":"eth_call"}`, `"code":-32600`},
		{"no identifier", `{"jsonrpc":"2.0","method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600`},
		{"an object for an identifier", `{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600`},
		{"no JSON", `{`, `"code":-32700`},
		{"a number", `5`, `"code":-32600`},
		{"an empty batch", `[]`, `"code":-32600`},
		{
			"a batch", `[` + call(data("isSanctioned(address)", sanctionedAddress), "") + `,` + call(data("isSanctioned(address)", cleanAddress), "") + `,{"jsonrpc":"2.0","id":1,"method":"x"}]`,
			`[{"jsonrpc":"2.0","id":7,"result":"` + yes + `"},{"jsonrpc":"2.0","id":7,"result":"` + no + `"},{"jsonrpc":"2.0","id":1,"error":{"code":-32601`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.ask("POST", "/rpc/ethereum", "viewer", test.body)
			if got.status != http.StatusOK || !strings.Contains(string(got.body), test.want) {
				t.Errorf("answered %d %s, want %s", got.status, got.body, test.want)
			}
			if strings.Contains(string(got.body), `"error"`) && !strings.HasPrefix(test.body, "[{") && strings.Contains(string(got.body), `"result"`) {
				t.Errorf("answered both: %s", got.body)
			}
		})
	}
	for _, chain := range []string{"bitcoin", "eip155:0", "solana", "eip155:1%2f"} {
		if got := w.ask("POST", "/rpc/"+chain, "viewer", `{}`); got.status != http.StatusNotFound {
			t.Errorf("the chain %s answered %d", chain, got.status)
		}
	}
}

// TestBlocklists checks revisions, differences, signatures and conditional requests.
func TestBlocklists(t *testing.T) {
	w := start(t)
	tests := []struct {
		name, path, header string
		status             int
		body               string
	}{
		{"the list", "refused", "", 200, `{"format":"coldtrail-blocklist-1"}`},
		{"by its file's name", "refused.jsonl", "", 200, `{"format":"coldtrail-blocklist-1"}`},
		{"as a table", "refused.csv", "", 200, "chain,address"},
		{"as text", "refused.txt", "", 200, "# refused 12"},
		{"the signature", "refused.minisig", "", 200, "untrusted comment"},
		{"the signature of the table", "refused.csv.minisig", "", 200, "untrusted comment"},
		{"what changed", "refused?since=10", "", 200, `{"format":"coldtrail-blocklist-delta-1"}`},
		{"the signature of what changed", "refused.minisig?since=10", "", 200, "untrusted comment"},
		{"nothing changed", "refused?since=12", "", 204, ""},
		{"a revision that is kept no longer", "refused?since=3", "", 410, "whole list"},
		{"what is held", "refused", `If-None-Match: W/"sha256:dd"`, 304, ""},
		{"what is held, compared weakly", "refused", `If-None-Match: "x", "sha256:dd"`, 304, ""},
		{"anything", "refused", `If-None-Match: *`, 304, ""},
		{"something else is held", "refused", `If-None-Match: "sha256:ee"`, 200, `{"format"`},
		{"no number", "refused?since=x", "", 400, ""},
		{"revision zero", "refused?since=0", "", 400, ""},
		{"a difference of the table", "refused.csv?since=10", "", 400, ""},
		{"another parameter", "refused?from=10", "", 400, ""},
		{"no such list", "other", "", 404, ""},
		{"a name with a quote", "a%22b", "", 400, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			headers := []string{}
			if test.header != "" {
				headers = append(headers, test.header)
			}
			got := w.ask("GET", "/v1/blocklists/"+test.path, "viewer", "", headers...)
			if got.status != test.status || !strings.Contains(string(got.body), test.body) {
				t.Fatalf("answered %d %s, want %d %s", got.status, got.body, test.status, test.body)
			}
			if test.status < 400 && got.header.Get("Coldtrail-Revision") != "12" {
				t.Errorf("the revision is %q", got.header.Get("Coldtrail-Revision"))
			}
			if test.status == http.StatusOK && !strings.Contains(test.path, "minisig") && (got.header.Get("Coldtrail-Signature") == "" || got.header.Get("ETag") == "") {
				t.Errorf("the headers are %v", got.header)
			}
			if test.status >= 400 {
				got.problem(t)
			}
		})
	}
}
