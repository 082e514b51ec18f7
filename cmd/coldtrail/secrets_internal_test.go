package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretFiles reads secrets from files, and refuses what is none.
func TestSecretFiles(t *testing.T) {
	const secret = "postgres://coldtrail:s3cr=et@db/coldtrail"
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write(secret + "\n")
	for _, c := range []struct {
		name        string
		environment []string
		held, want  string // the variable's value before and after
		reason      string
	}{
		{"nothing is set", []string{"PATH=/bin"}, "kept", "kept", ""},
		{"a file", []string{"COLDTRAIL_CASEBOOK_FILE=" + good}, "", secret, ""},
		{"an empty name counts as unset", []string{"COLDTRAIL_CASEBOOK_FILE="}, "kept", "kept", ""},
		{"both", []string{"COLDTRAIL_CASEBOOK_FILE=" + good}, "kept", "kept", "COLDTRAIL_CASEBOOK and COLDTRAIL_CASEBOOK_FILE are both set"},
		{"a slip of the pen", []string{"COLDTRAIL_CASEBOK_FILE=" + good}, "", "", "there is no such variable"},
		{"another program's", []string{"OTHER_FILE=" + good}, "", "", ""},
		{"no file", []string{"COLDTRAIL_CASEBOOK_FILE=/nowhere"}, "", "", "no such file"},
		{"a folder", []string{"COLDTRAIL_CASEBOOK_FILE=" + t.TempDir()}, "", "", "is a directory"},
		{"empty", []string{"COLDTRAIL_CASEBOOK_FILE=" + write("\n")}, "", "", "is empty"},
		{"two lines", []string{"COLDTRAIL_CASEBOOK_FILE=" + write("hidden\nmore\n")}, "", "", "several lines"},
		{"too long", []string{"COLDTRAIL_CASEBOOK_FILE=" + write(strings.Repeat("x", secretMost+1))}, "", "", "longer than 65536"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("COLDTRAIL_CASEBOOK", c.held)
			err := readSecrets(c.environment)
			if (err == nil) != (c.reason == "") || err != nil && !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want %q", err, c.reason)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("the error tells the secret: %v", err)
			}
			if got := os.Getenv("COLDTRAIL_CASEBOOK"); got != c.want {
				t.Errorf("the variable is %q, want %q", got, c.want)
			}
		})
	}
}
