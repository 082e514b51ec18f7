package casebook

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzCanonical wants one form for each content, and the same content in it.
func FuzzCanonical(f *testing.F) {
	for _, text := range []string{`{"b":1.50,"a":[1e400,{"z":null,"y":"<é>"}]}`, ` [ ] `, `{} {}`, `{"a":1,"a":2}`, "\"\\u0000\"", "\"\xff\"", `{"a":`, ``} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		form, err := canonical("body", text)
		if err != nil {
			return
		}
		again, err := canonical("body", form)
		if err != nil || !bytes.Equal(form, again) {
			t.Fatalf("%q has the form %q, and that the form %q (%v)", text, form, again, err)
		}
		if len(text) == 0 {
			return
		}
		if got, want := content(t, form), content(t, text); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q says %v, its form %v", text, want, got)
		}
	})
}

func content(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestBind numbers the placeholders of statements.
func TestBind(t *testing.T) {
	for query, want := range map[string]string{"": "", "SELECT 1": "SELECT 1", "a = ? AND b IN " + questionMarks(2) + " LIMIT ?": "a = $1 AND b IN ($2, $3) LIMIT $4"} {
		if got := (session{dialect: &Dialect{Numbered: true}}).bind(query); got != want {
			t.Errorf("%q becomes %q, want %q", query, got, want)
		}
		if got := (session{dialect: &Dialect{}}).bind(query); got != query {
			t.Errorf("%q becomes %q", query, got)
		}
	}
}
