package blocklist_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coldtrail/screen/blocklist"
)

// Made with minisign 0.11 over a file that holds "one line" and a line end.
const (
	minisignKey       = "untrusted comment: minisign public key 64F073A2A61BA78C\nRWSMpxumonPwZCBBRj8YSG5r6qzVQyGKVBLSI+Kt895aeWInEVt00bzZ\n"
	minisignSignature = "untrusted comment: signature from minisign secret key\n" +
		"RUSMpxumonPwZKBwcjHPetbLKlZWAnsEPDatXBo2m/3VdQmeN/eD/gW5jdvHDEA+5XWweS1NJpcFza7zDZmeY3pbbqZxyacYLwM=\n" +
		"trusted comment: coldtrail-blocklist\trevision:12\n" +
		"zhNJdTNEKQJXsprIIdzsgTrkKwUvi3KYJ6hcpO2J1FGP3KP4wBhpsRvU3rfbJ189xComFwoiVma2ZlFi2FrmDg==\n"
	minisignLegacy = "untrusted comment: signature from minisign secret key\n" +
		"RWSMpxumonPwZN+B+bND6OzCEn8D2FmB/LG87uul0fwLOqektEYynPIyCeyNI4ARSqIofAGgO4Ydr+TtUlt3NMlalGKFhOAhOgc=\n" +
		"trusted comment: old\n" +
		"vITW+RWxJkcp5RqPpncQ1/YR/RCUogsjgDlJC4o5I2Aaa4DPiCE9N6rlnS/sKR0cnKc73tgNctMfzt9iHqhKAg==\n"
)

// ours is a signature that minisign 0.11 accepted, with the key of the seed 1, 2, 3.
const (
	ourKey       = "untrusted comment: minisign public key 7995DB1ADF104617\nRWQXRhDfGtuVeSIf5faFmhpP7HkFfJ0yyNP8NW4USx2jsPkBbvbymIja\n"
	ourSignature = "untrusted comment: signature from coldtrail, key 7995DB1ADF104617\n" +
		"RUQXRhDfGtuVeUq70xEupd1umGZ8j52eLYITGbTMI9NSlbffyscOm5RSas5wD2dlL/4+GP+HqYgYk4TLqr24/gWE17svsYsBIQg=\n" +
		"trusted comment: coldtrail-blocklist\trevision:12\n" +
		"lLJ5KekDXtk1wBKdFyzyxhFJ28MhHCXhqhUeX//IrNUFpAJDAAfX7frdnqc8iw+Tr7gu/xWjTNS/cqnfPqxECA==\n"
)

var signedFile = []byte("one line\n")

func key(tb testing.TB, text string) blocklist.PublicKey {
	tb.Helper()
	k, err := blocklist.ParsePublicKey([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestASignatureOfMinisign(t *testing.T) {
	trusted := key(t, minisignKey)
	if trusted.ID.String() != "64F073A2A61BA78C" || string(trusted.Encode()) != minisignKey || key(t, trusted.String()) != trusted {
		t.Errorf("%s", trusted.Encode())
	}
	other := blocklist.NewSecretKey([32]byte{9}).Public()
	for name, signature := range map[string]string{
		"as it is":           minisignSignature,
		"without a last end": strings.TrimSuffix(minisignSignature, "\n"),
		"carried by Windows": strings.ReplaceAll(minisignSignature, "\n", "\r\n"),
	} {
		comment, err := blocklist.Verify(signedFile, []byte(signature), other, trusted)
		if err != nil || comment != "coldtrail-blocklist\trevision:12" {
			t.Errorf("%s: %q, %v", name, comment, err)
		}
	}
}

func TestOurSignatureIsWhatMinisignAccepted(t *testing.T) {
	secret := blocklist.NewSecretKey([32]byte{1, 2, 3})
	if string(secret.Public().Encode()) != ourKey {
		t.Errorf("%s", secret.Public().Encode())
	}
	signature, err := secret.Sign(signedFile, "coldtrail-blocklist\trevision:12")
	if err != nil || string(signature) != ourSignature {
		t.Errorf("%s, %v", signature, err)
	}
}

func TestSignaturesThatAreRefused(t *testing.T) {
	trusted := key(t, minisignKey)
	imposter := trusted // another key that says it is this one
	imposter.Key = blocklist.NewSecretKey([32]byte{9}).Public().Key
	for name, c := range map[string]struct {
		file, signature string
		key             blocklist.PublicKey
		line            int
		words           string
	}{
		"another file":          {"one line", minisignSignature, trusted, 2, "not of this file"},
		"another comment":       {"one line\n", strings.Replace(minisignSignature, "revision:12", "revision:13", 1), trusted, 2, "not of this file and comment"},
		"a key unknown":         {"one line\n", minisignSignature, blocklist.NewSecretKey([32]byte{9}).Public(), 2, "64F073A2A61BA78C is not trusted"},
		"a key of the same ID":  {"one line\n", minisignSignature, imposter, 2, "not of this file"},
		"no key":                {"one line\n", minisignSignature, blocklist.PublicKey{}, 2, "not trusted"},
		"legacy":                {"one line\n", minisignLegacy, trusted, 2, "hashed"},
		"nothing":               {"one line\n", "", trusted, 0, "four lines and not 1"},
		"a line too many":       {"one line\n", minisignSignature + "\n", trusted, 0, "four lines and not 5"},
		"no untrusted comment":  {"one line\n", strings.Replace(minisignSignature, "untrusted", "distrusted", 1), trusted, 1, "untrusted"},
		"no trusted comment":    {"one line\n", strings.Replace(minisignSignature, "\ntrusted", "\ncomment", 1), trusted, 3, "trusted"},
		"a short signature":     {"one line\n", strings.Replace(minisignSignature, "LwM=\n", "\n", 1), trusted, 2, "no signature"},
		"loose bits":            {"one line\n", strings.Replace(minisignSignature, "LwM=\n", "LwN=\n", 1), trusted, 2, "no signature"},
		"no second signature":   {"one line\n", strings.Replace(minisignSignature, "zhNJ", "z_NJ", 1), trusted, 4, "no signature"},
		"a comment that clears": {"one line\n", strings.Replace(minisignSignature, "revision:12", "\x1b[2J", 1), trusted, 3, "printable"},
		"a long comment":        {"one line\n", strings.Replace(minisignSignature, "revision:12", strings.Repeat("a", 5000), 1), trusted, 3, "over 4096"},
		"a long file":           {"one line\n", strings.Repeat("a\n", 1<<20), trusted, 0, "file is over"},
	} {
		t.Run(name, func(t *testing.T) {
			comment, err := blocklist.Verify([]byte(c.file), []byte(c.signature), c.key)
			if comment != "" {
				t.Errorf("comment %q", comment)
			}
			refused(t, err, c.line, c.words)
		})
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":         "",
		"short":           "RWSMpxumonPwZCBBRj8YSG5r6qzVQyGKVBLSI+Kt895aeWInEVt00b",
		"of another kind": "RUSMpxumonPwZCBBRj8YSG5r6qzVQyGKVBLSI+Kt895aeWInEVt00bzZ",
		"no comment":      "key\nRWSMpxumonPwZCBBRj8YSG5r6qzVQyGKVBLSI+Kt895aeWInEVt00bzZ",
		"three lines":     minisignKey + "\n",
		"long":            strings.Repeat("A", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			var refusal *blocklist.Error
			if k, err := blocklist.ParsePublicKey([]byte(text)); !errors.As(err, &refusal) || k != (blocklist.PublicKey{}) {
				t.Errorf("%v, %v", k, err)
			}
		})
	}
}

func TestASecretKeyDoesNotPrint(t *testing.T) {
	secret := blocklist.NewSecretKey([32]byte{1, 2, 3})
	want := "secret key " + secret.Public().ID.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, secret); got != want {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if _, err := secret.Sign(nil, "two\nlines"); err == nil {
		t.Error("a comment of two lines was signed")
	}
	var none blocklist.SecretKey
	if _, err := none.Sign(nil, ""); err == nil || none.Public() != (blocklist.PublicKey{}) {
		t.Error("no key signed")
	}
}

func TestWhatIsSignedIsVerified(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := blocklist.NewSecretKey([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")))
		file := rapid.SliceOf(rapid.Byte()).Draw(t, "file")
		comment := rapid.StringMatching(`[ -~\t]{0,40}`).Draw(t, "comment")
		signature, err := secret.Sign(file, comment)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := blocklist.Verify(file, signature, secret.Public()); err != nil || got != comment {
			t.Fatalf("%q, %v, want %q", got, err, comment)
		}
		if _, err := blocklist.Verify(append(file, 0), signature, secret.Public()); err == nil {
			t.Fatal("another file was verified")
		}
	})
}

func FuzzVerify(f *testing.F) {
	trusted := key(f, minisignKey)
	f.Add([]byte(minisignSignature))
	f.Add([]byte(minisignLegacy))
	f.Fuzz(func(t *testing.T, signature []byte) {
		comment, err := blocklist.Verify(signedFile, signature, trusted)
		var refusal *blocklist.Error
		switch {
		case err != nil && !errors.As(err, &refusal):
			t.Fatal(err)
		case err == nil && comment != "coldtrail-blocklist\trevision:12":
			t.Fatalf("a signature over %q was forged", comment)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add([]byte(minisignKey))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := blocklist.ParsePublicKey(text)
		if err != nil {
			return
		}
		if again := key(t, string(k.Encode())); again != k {
			t.Fatalf("%v, %v", k, again)
		}
	})
}
