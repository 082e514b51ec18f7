package xsd_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coldtrail/report/xsd"
)

const schema = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="n" type="xs:positiveInteger"/></xs:schema>`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestValidate tells valid, invalid, broken and no schema apart.
func TestValidate(t *testing.T) {
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Skip("no xmllint on this machine")
	}
	good := write(t, "schema.xsd", schema)
	if err := xsd.Validate(t.Context(), write(t, "a.xml", "<n>7</n>"), good); err != nil {
		t.Errorf("a valid file: %v", err)
	}
	var invalid *xsd.InvalidError
	if err := xsd.Validate(t.Context(), write(t, "b.xml", "<n>no</n>"), good); !errors.As(err, &invalid) || len(invalid.Reasons) == 0 || !strings.Contains(invalid.Reasons[0], "'no' is not a valid value") {
		t.Errorf("an invalid file: %v", err)
	}
	if err := xsd.Validate(t.Context(), write(t, "c.xml", "<n>7</n>"), write(t, "s.xsd", "<nothing/>")); err == nil || errors.As(err, &invalid) || !strings.Contains(err.Error(), "is no schema") {
		t.Errorf("no schema: %v", err)
	}
	if err := xsd.Validate(t.Context(), write(t, "d.xml", "<n>7"), good); err == nil || errors.As(err, &invalid) {
		t.Errorf("a broken file: %v", err)
	}
}

// TestNoValidator says what to install.
func TestNoValidator(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := xsd.Validate(t.Context(), "a.xml", "a.xsd"); !errors.Is(err, xsd.ErrNoValidator) || !strings.Contains(err.Error(), "libxml2") {
		t.Errorf("got %v, want %v", err, xsd.ErrNoValidator)
	}
}
