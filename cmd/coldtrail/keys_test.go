package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"pgregory.net/rapid"

	"coldtrail/casebook"
	"coldtrail/casebook/sqlite"
	"coldtrail/server"
)

// TestKeyText: a key reads back as what it was made of, and every other text of its
// length that differs in one place is no key.
func TestKeyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secret casebook.Secret
		copy(secret[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		text := keyText(secret)
		if back, err := readKey(text); err != nil || back != secret || len(text) != 59 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		typo := []byte(text)
		typo[at] = rapid.ByteRange(' ', '~').Filter(func(c byte) bool { return c != text[at] }).Draw(t, "instead")
		if _, err := readKey(string(typo)); err == nil {
			t.Fatalf("a typing error at %d was not noticed", at)
		}
		digest, ok := (*bookKeys)(nil).Digest(text)
		if !ok || digest != secret.Digest() {
			t.Fatal("the digest is another")
		}
	})
	text := keyText(casebook.Secret{1})
	for name, other := range map[string]string{
		"nothing": "", "the prefix alone": "ct_", "cut off": text[:40], "in capitals": strings.ToUpper(text), "with a line end": text[:30] + "\n" + text[30:],
		"with a space": text + " ", "twice": text + text[3:], "a secret of a casebook": casebook.Secret{1}.Text(),
	} {
		if _, err := readKey(other); err == nil || strings.Contains(err.Error(), "aeaa") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadKey: what is read as a key is written as it was.
func FuzzReadKey(f *testing.F) {
	f.Add(keyText(casebook.Secret{1, 2, 3}))
	f.Add("ct_")
	f.Fuzz(func(t *testing.T, text string) {
		if secret, err := readKey(text); err == nil && keyText(secret) != text {
			t.Errorf("%q is read as %q", text, keyText(secret))
		}
	})
}

// command runs one of the verbs under test.
func command(t *testing.T, data string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	line := struct {
		JSON   bool       `name:"json"`
		Keys   keysVerb   `cmd:""`
		Watch  watchVerb  `cmd:""`
		Notify notifyVerb `cmd:""`
	}{}
	parser, err := kong.New(&line, kong.BindTo(t.Context(), (*context.Context)(nil)), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return "", "", err
	}
	var out, notes bytes.Buffer
	err = parsed.Run(&session{data: data, json: line.JSON, stdout: &out, stderr: &notes})
	return out.String(), notes.String(), err
}

func mustRun(t *testing.T, data string, args ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, err := command(t, data, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return stdout, stderr
}

func mustRefuse(t *testing.T, reason, data string, args ...string) {
	t.Helper()
	if _, _, err := command(t, data, args...); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("%v: %v, want %q", args, err, reason)
	}
}

// TestKeysVerbs makes, lists and ends keys.
func TestKeysVerbs(t *testing.T) {
	data := t.TempDir()
	stdout, stderr := mustRun(t, data, "keys", "add", "--name", "till 4", "--role", "analyst", "--by", "alice", "--expires", "2999-12-31")
	text := strings.TrimSuffix(stdout, "\n")
	secret, err := readKey(text)
	if err != nil || strings.Contains(stderr, text) || !strings.Contains(stderr, "only time") || !strings.Contains(stderr, "role analyst") {
		t.Fatalf("%v: %q", err, stderr)
	}
	var made struct{ ID, Secret string }
	stdout, _ = mustRun(t, data, "--json", "keys", "add", "--name", "second", "--role", "admin", "--by", "alice")
	if err := json.Unmarshal([]byte(stdout), &made); err != nil || !strings.HasPrefix(made.ID, "key-") {
		t.Fatalf("%s, %v", stdout, err)
	}
	if _, err := readKey(made.Secret); err != nil {
		t.Error(err)
	}
	list, _ := mustRun(t, data, "keys", "list")
	for _, part := range []string{"till 4", "analyst", "until 2999-12-31T23:59:59Z", "alice", "never", made.ID} {
		if !strings.Contains(list, part) {
			t.Errorf("%s\nlacks %s", list, part)
		}
	}
	if all, _ := mustRun(t, data, "--json", "keys", "list"); strings.Contains(list+all, text) || strings.Contains(list+all, made.Secret) {
		t.Error("the list tells keys")
	}
	mustRun(t, data, "keys", "revoke", made.ID, "--by", "bob")
	if list, _ = mustRun(t, data, "keys", "list"); !strings.Contains(list, "revoked "+today()+" by bob") {
		t.Errorf("after the end:\n%s", list)
	}
	raw, err := os.ReadFile(filepath.Join(data, casework))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, secret[:]) || bytes.Contains(raw, []byte(text)) {
		t.Error("the file of the casebook holds a key")
	}

	mustRefuse(t, "this is a key itself", data, "keys", "revoke", text)
	mustRefuse(t, "keys list names them", data, "keys", "revoke", "key-none")
	mustRefuse(t, "in the past", data, "keys", "add", "--name", "x", "--role", "viewer", "--expires", "2020-01-01")
	mustRefuse(t, "want a date", data, "keys", "add", "--name", "x", "--role", "viewer", "--expires", "soon")
	mustRefuse(t, "must be one of", data, "keys", "add", "--name", "x", "--role", "king")
	mustRefuse(t, "--role", data, "keys", "add", "--name", "x")
	mustRefuse(t, "--name is empty", data, "keys", "add", "--name", " ", "--role", "viewer")
	mustRefuse(t, "printable ASCII", data, "keys", "add", "--name", "x", "--role", "viewer", "--by", "Jane Doe")
}

// TestAnotherProcess: a key that is made beside a running server opens it, and one that is
// ended beside it opens nothing.
func TestAnotherProcess(t *testing.T) {
	data := t.TempDir()
	book, err := (&session{data: data}).openBook(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	d := serveParts(t, server.Options{}, server.Parts{Keys: newBookKeys(book, randomSecret)})
	stdout, stderr := mustRun(t, data, "keys", "add", "--name", "till", "--role", "viewer")
	text := strings.TrimSpace(stdout)
	id := strings.Fields(strings.TrimPrefix(stderr, "note: "))[0]
	until(t, d, text, 200)
	mustRun(t, data, "keys", "revoke", id)
	until(t, d, text, 401)
}

// TestWatchVerbs puts addresses on lists and takes them off.
func TestWatchVerbs(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(t.TempDir(), "more.txt")
	if err := os.WriteFile(file, []byte("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n\n"+strings.ToLower(bybitCold)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _ := mustRun(t, data, "watch", "add", "march", strings.ToLower(bybitThief), "--file", file, "--note", "seen", "--name", "Suspects of March", "--by", "alice")
	if stdout != "march: 3 addresses are watched for\n" {
		t.Error(stdout)
	}
	mustRun(t, data, "watch", "add", "march", strings.ToLower(bybitThief), "--chain", "base")
	list, _ := mustRun(t, data, "watch", "list", "march")
	for _, part := range []string{bybitThief, bybitCold, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "any", "eip155:8453", "alice", "seen"} {
		if !strings.Contains(list, part) {
			t.Errorf("%s\nlacks %s", list, part)
		}
	}
	if strings.Count(list, bybitThief) != 2 {
		t.Errorf("the thief for any chain and for one:\n%s", list)
	}
	mustRefuse(t, "is not on march; nothing was changed", data, "watch", "remove", "march", bybitThief, "0x00000000000000000000000000000000000000ff")
	if stdout, _ = mustRun(t, data, "watch", "remove", "march", strings.ToLower(bybitThief), "--chain", "base"); stdout != "march: 1 entries are off the list\n" {
		t.Error(stdout)
	}
	mustRefuse(t, "is not on march", data, "watch", "remove", "march", bybitThief, "--chain", "base")
	mustRun(t, data, "watch", "remove", "march", bybitThief)
	if list, _ = mustRun(t, data, "watch", "list", "march"); strings.Contains(list, bybitThief) {
		t.Errorf("still there:\n%s", list)
	}
	mustRefuse(t, "line 1: ", data, "watch", "add", "march", "--file", file, "--chain", "ethereum")
	mustRefuse(t, "checksum", data, "watch", "add", "april", strings.Replace(bybitThief, "F", "f", 1))
	mustRefuse(t, "there is no watch-list april", data, "watch", "list", "april")
	mustRefuse(t, "there is no watch-list april", data, "watch", "end", "april")
	mustRun(t, data, "watch", "end", "march")
	if list, _ = mustRun(t, data, "watch", "list"); strings.Contains(list, "march") {
		t.Errorf("an ended list is listed:\n%s", list)
	}
	if list, _ = mustRun(t, data, "watch", "list", "--all"); !strings.Contains(list, "Suspects of March") || !strings.Contains(list, "ended "+today()) {
		t.Errorf("with --all:\n%s", list)
	}
	if stdout, _ = mustRun(t, data, "--json", "watch", "list", "march"); !strings.Contains(stdout, `"address":"`+bybitCold+`"`) {
		t.Error(stdout)
	}
}

// TestNotifyVerbs makes and ends targets and subscriptions.
func TestNotifyVerbs(t *testing.T) {
	data := t.TempDir()
	stdout, stderr := mustRun(t, data, "notify", "add", "desk", "https://desk.example/hook", "--level", "severe", "--chain", "ethereum", "--by", "alice")
	secret := strings.TrimSpace(stdout)
	if len(secret) < 32 || strings.Contains(stderr, secret) || !strings.Contains(stderr, "alerts: level severe, chain ethereum") {
		t.Errorf("%q, %q", stdout, stderr)
	}
	mustRun(t, data, "notify", "add", "watched", "--to", "desk", "--kind", "watch-hit", "--kind", "withdrawn")
	if stdout, _ = mustRun(t, data, "notify", "add", "me", "me@desk.example"); stdout != "" {
		t.Errorf("a mail address has the secret %q", stdout)
	}
	list, _ := mustRun(t, data, "notify", "list")
	for _, part := range []string{"https://desk.example/hook", "webhook", "mail", "me@desk.example", "alerts: kind watch-hit or withdrawn", "all alerts", "chain eip155:1"} {
		if !strings.Contains(list, part) {
			t.Errorf("%s\nlacks %s", list, part)
		}
	}
	if all, _ := mustRun(t, data, "--json", "notify", "list", "--all"); strings.Contains(list+all, secret) {
		t.Error("the list tells a secret")
	}
	mustRefuse(t, "with --to ID", data, "notify", "add", "nobody")
	mustRefuse(t, "with --to ID", data, "notify", "add", "both", "me@desk.example", "--to", "desk")
	mustRefuse(t, "target nobody", data, "notify", "add", "x", "--to", "nobody")
	mustRefuse(t, "not a plain mail address", data, "notify", "add", "x", "desk")
	mustRefuse(t, "weather", data, "notify", "add", "x", "--to", "desk", "--kind", "weather")
	mustRefuse(t, "no subscription none", data, "notify", "end", "none")
	if stdout, _ = mustRun(t, data, "notify", "end", "desk"); stdout != "desk: subscription and target ended\n" {
		t.Error(stdout)
	}
	mustRefuse(t, "was given up", data, "notify", "add", "x", "--to", "desk")
	if stdout, _ = mustRun(t, data, "notify", "end", "watched"); stdout != "watched: subscription ended\n" {
		t.Error(stdout)
	}
	book, err := sqlite.Open(t.Context(), filepath.Join(data, casework), 1, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	targets, err := book.Targets(t.Context())
	if err != nil || len(targets) != 2 || targets[0].Ended == 0 || targets[0].Secrets[0] != secret || targets[1].Ended != 0 {
		t.Errorf("%+v, %v", targets, err)
	}
}

func today() string { return stampDay(time.Now().Unix()) }

// until asks who asks until the answer has a status.
func until(t *testing.T, d *partServer, key string, want int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got, text := d.ask("GET", "/auth/session", key, nil)
		if got == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d, want %d: %s", got, want, text)
		}
	}
}
