package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldtrail/casebook"
	"coldtrail/internal/postgrestest"
)

// put sends JSON and gives the status and the text of the answer.
func (s *served) put(t *testing.T, method, path, key string, body any) (int, string) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.String()
}

// TestServersOnPostgreSQL has two servers, each with a store of its own, over one casebook:
// what is done at one is seen at the other and by the commands, also after the database was
// away.
func TestServersOnPostgreSQL(t *testing.T) {
	database := postgrestest.Start(t)
	address := database.URL("postgres")
	t.Setenv("COLDTRAIL_CASEBOOK", address) // for all programs that are started here
	one, two, three := t.TempDir(), t.TempDir(), t.TempDir()
	text, err := os.ReadFile(filepath.Join(bybit, "case.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	must(t, "--data", one, "ingest", "ethereum", "--from", "transfers:"+filepath.Join(bybit, "transfers.csv"))
	key := strings.TrimSpace(must(t, "--data", three, "keys", "add", "--name", "test", "--role", "admin"))

	first, second := serve(t, "serve", "--data", one), serve(t, "serve", "--data", two, "--casebook", address)
	if code, answer := first.put(t, "PUT", "/v1/cases/bybit-2025", "", map[string]any{"text": string(text)}); code != http.StatusUnauthorized {
		t.Errorf("without a key: %d %s", code, answer)
	}
	if code, answer := first.put(t, "PUT", "/v1/cases/bybit-2025", key, map[string]any{"text": string(text)}); code != http.StatusOK && code != http.StatusCreated {
		t.Fatalf("opening a case: %d %s", code, answer)
	}
	if code, answer := second.put(t, "GET", "/v1/cases/bybit-2025", key, nil); code != http.StatusOK || !strings.Contains(answer, "Bybit cold wallet theft") {
		t.Errorf("at the second server: %d %s", code, answer)
	}
	if code, answer := second.put(t, "POST", "/v1/cases/bybit-2025/notes", key, map[string]any{"text": "seen from the second"}); code != http.StatusOK && code != http.StatusCreated {
		t.Errorf("a note: %d %s", code, answer)
	}
	if code, answer := first.put(t, "GET", "/v1/cases/bybit-2025/notes", key, nil); code != http.StatusOK || !strings.Contains(answer, "seen from the second") {
		t.Errorf("the note at the first: %d %s", code, answer)
	}
	if list := must(t, "--data", three, "cases", "list"); !strings.Contains(list, "bybit-2025") {
		t.Errorf("the commands list %s", list)
	}
	must(t, "--data", three, "watch", "add", "mine", "0x47666fab8bd0ac7003bce3f5c3585383f09486e2", "--chain", "ethereum")
	if _, err := os.Stat(filepath.Join(three, "casebook.db")); err == nil {
		t.Error("a file was made beside the store")
	}

	database.Kill(t)
	for _, server := range []*served{first, second} {
		if code, answer := server.put(t, "GET", "/v1/cases/bybit-2025", key, nil); code < 500 || strings.Contains(answer, postgrestest.Password) {
			t.Errorf("without its database: %d %s", code, answer)
		}
	}
	time.Sleep(6 * time.Second) // whatever looks at the casebook now and then does so in vain
	database.Up(t)
	for _, server := range []*served{first, second} {
		if code, answer := server.put(t, "GET", "/v1/cases/bybit-2025", key, nil); code != http.StatusOK {
			t.Errorf("with its database again: %d %s", code, answer)
		}
		if strings.Contains(server.logs.String(), url.QueryEscape(postgrestest.Password)) || strings.Contains(server.logs.String(), postgrestest.Password) {
			t.Errorf("the log holds a password:\n%s", server.logs)
		}
	}
}

// TestCasebookCopy takes a casebook from its file to PostgreSQL and back to another file.
func TestCasebookCopy(t *testing.T) {
	data, address := t.TempDir(), postgrestest.Database(t)
	mustFail(t, "there is no casebook to copy", "--data", data, "casebook", "copy", address)
	must(t, "--data", data, "cases", "add", filepath.Join(bybit, "case.yaml"))
	there := copied(t, must(t, "--data", data, "--json", "casebook", "copy", address))
	if there.Rows["cases"] != 1 || there.Rows["revisions"] != 1 || len(there.Digest) != 64 {
		t.Errorf("copied %+v", there)
	}
	if shown := must(t, "--data", t.TempDir(), "--casebook", address, "cases", "show", "bybit-2025"); shown != must(t, "--data", data, "cases", "show", "bybit-2025") {
		t.Errorf("the copy of the case is\n%s", shown)
	}
	mustFail(t, "is not empty", "--data", data, "casebook", "copy", address)
	file := filepath.Join(t.TempDir(), "back.db")
	if back := copied(t, must(t, "--casebook", address, "--json", "casebook", "copy", file)); back.Digest != there.Digest {
		t.Errorf("back it has the digest %s, there %s", back.Digest, there.Digest)
	}
	if said := must(t, "--data", data, "casebook", "copy", filepath.Join(t.TempDir(), "other.db")); !strings.Contains(said, there.Digest) {
		t.Errorf("a copy in a file: %s", said)
	}
	mustFail(t, "is not understood", "--casebook", "mysql://coldtrail:secret@127.0.0.1/x", "cases", "list")
}

func copied(t *testing.T, text string) (content casebook.Content) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &content); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return content
}
