package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"coldtrail/evidence"
	"coldtrail/screen/blocklist"
)

// signatureOf is where minisign looks for the signature of a file.
func signatureOf(path string) string { return path + ".minisig" }

// sign signs a bundle, where that was asked for.
func (v *evidenceVerb) sign(s *session, raw []byte, statement *evidence.Statement) error {
	if v.Sign == "" {
		return nil
	}
	key, err := listKey(v.Sign)
	if err != nil {
		return err
	}
	signature, err := key.Sign(raw, fmt.Sprintf("evidence of %s, digest %s", statement.Case, statement.Digest))
	if err != nil {
		return err
	}
	if err := writeWhole(signatureOf(v.Out), signature); err != nil {
		return err
	}
	public := v.Sign + ".pub"
	if _, err := os.Stat(public); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(public, key.Public().Encode(), 0o644); err != nil { //nolint:gosec // for everybody
			return err
		}
	}
	fmt.Fprintf(s.stderr, "note: signed in %s; %s holds the public key, which is %s\n", signatureOf(v.Out), public, key.Public())
	return nil
}

// checkSignature adds to a report who signed the bundle.
func (v *verifyVerb) checkSignature(report *evidence.Report, raw []byte) error {
	path := signatureOf(v.Path)
	if v.Signature != "" {
		path = v.Signature
	}
	signature, err := os.ReadFile(path)
	check := evidence.Check{What: "signature", State: evidence.OK}
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && v.PublicKey == "" && v.Signature == "":
		check.State, check.Detail = evidence.Open, "there is none: the bundle does not say who made it"
	case missing:
		check.State, check.File, check.Detail = evidence.Wrong, path, "there is no signature"
	case err != nil:
		return err
	case v.PublicKey == "":
		check.State, check.Detail = evidence.Open, "give --public-key to know who made "+path
	default:
		text := []byte(strings.TrimSpace(v.PublicKey))
		if file, err := os.ReadFile(v.PublicKey); err == nil {
			text = file
		}
		key, err := blocklist.ParsePublicKey(text)
		if err != nil {
			return fmt.Errorf("--public-key: want the key of minisign, or its file: %w", err)
		}
		comment, err := blocklist.Verify(raw, signature, key)
		if err != nil {
			check.State, check.File, check.Detail = evidence.Wrong, path, err.Error()
		} else {
			check.Detail = fmt.Sprintf("by key %s: %s", key.ID, comment)
		}
	}
	report.Add(check)
	return nil
}
