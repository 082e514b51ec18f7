package casebook_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"coldtrail/casebook"
)

func TestRoles(t *testing.T) {
	for i, role := range casebook.Roles {
		for j, needed := range casebook.Roles {
			if got := role.Includes(needed); got != (i >= j) {
				t.Errorf("%s includes %s: %t", role, needed, got)
			}
		}
		for _, unknown := range []casebook.Role{"", "root", "Admin"} {
			if role.Includes(unknown) || unknown.Includes(role) {
				t.Errorf("the unknown role %q compares with %s", unknown, role)
			}
		}
	}
	if casebook.Role("x").Includes("x") {
		t.Error("an unknown role includes itself")
	}
}

func TestSecret(t *testing.T) {
	secret := casebook.Secret{0xab, 31: 0x01}
	const text = "ctk_ab00000000000000000000000000000000000000000000000000000000000001"
	if secret.Text() != text {
		t.Errorf("text %s, want %s", secret.Text(), text)
	}
	if got, err := casebook.ParseSecret(text); err != nil || got != secret {
		t.Errorf("read back: %v", err)
	}
	// printf ab00…01 | xxd -r -p | sha256sum
	if got := fmt.Sprintf("%x", secret.Digest()); got != "ad0e448ac68de5367982439215dc94f3908366234a8b20c98a82319eaffebd59" {
		t.Errorf("digest %s", got)
	}
	for _, format := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		if printed := fmt.Sprintf(format, secret); strings.Contains(printed, "ab") {
			t.Errorf("%s prints %s", format, printed)
		}
	}
	for _, wrong := range []string{"", "ctk_", text[4:], text[:67], text + "0", strings.Replace(text, "ab", "xy", 1), "CTK_" + text[4:]} {
		_, err := casebook.ParseSecret(wrong)
		var invalid *casebook.InvalidError
		if !errors.As(err, &invalid) || wrong != "" && strings.Contains(err.Error(), wrong) && wrong != "ctk_" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add("ctk_ab00000000000000000000000000000000000000000000000000000000000001")
	f.Add("ctk_")
	f.Fuzz(func(t *testing.T, text string) {
		if secret, err := casebook.ParseSecret(text); err == nil && !strings.EqualFold(secret.Text(), text) {
			t.Fatalf("%q was read as %q", text, secret.Text())
		}
	})
}

func TestUsable(t *testing.T) {
	for name, tc := range map[string]struct {
		key  casebook.Key
		want error
	}{
		"for ever":            {casebook.Key{}, nil},
		"until later":         {casebook.Key{Expires: 101}, nil},
		"until now":           {casebook.Key{Expires: 100}, casebook.ErrExpired},
		"revoked":             {casebook.Key{Revoked: 1}, casebook.ErrRevoked},
		"revoked and expired": {casebook.Key{Revoked: 1, Expires: 1}, casebook.ErrRevoked},
		"revoked in advance":  {casebook.Key{Revoked: 200}, casebook.ErrRevoked},
	} {
		if got := tc.key.Usable(100); !errors.Is(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	double := func(s int64) int64 { return 2 * s }
	for _, tc := range []struct {
		backoff casebook.Backoff
		attempt int
		jitter  func(int64) int64
		want    int64
	}{
		{casebook.Backoff{First: 2, Most: 300}, 1, nil, 2},
		{casebook.Backoff{First: 2, Most: 300}, 2, nil, 4},
		{casebook.Backoff{First: 2, Most: 300}, 8, nil, 256},
		{casebook.Backoff{First: 2, Most: 300}, 9, nil, 300},
		{casebook.Backoff{First: 2, Most: 300}, 1 << 40, nil, 300},
		{casebook.Backoff{First: 2, Most: 300}, 0, nil, 2},
		{casebook.Backoff{First: 2, Most: 300}, 3, double, 16},
		{casebook.Backoff{First: 2, Most: 300}, 9, double, 300},
		{casebook.Backoff{First: 2, Most: 300}, 3, func(int64) int64 { return -5 }, 1},
		{casebook.Backoff{First: 500, Most: 300}, 1, nil, 300},
		{casebook.Backoff{First: 1, Most: 1 << 62}, 200, nil, 1 << 62},
		{casebook.Backoff{}, 5, nil, 1},
	} {
		if got := tc.backoff.After(tc.attempt, tc.jitter); got != tc.want {
			t.Errorf("%+v after attempt %d: %d s, want %d", tc.backoff, tc.attempt, got, tc.want)
		}
	}
}
