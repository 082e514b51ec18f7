package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// secretVariables are the environment variables that hold secrets. Each may instead be
// given as NAME_FILE, a file that holds the value: environments are printed by tools,
// inherited by children and kept in manifests, and files have owners and modes.
var secretVariables = []string{
	"COLDTRAIL_STORE",
	"COLDTRAIL_CASEBOOK",
	"COLDTRAIL_OIDC_SECRET",
	"COLDTRAIL_SMTP_USER",
	"COLDTRAIL_SMTP_PASSWORD",
}

// secretMost is how long a secret may be, in bytes.
const secretMost = 64 << 10

// readSecrets reads every secret that is given as a file into its variable.
func readSecrets(environment []string) error {
	for _, entry := range environment {
		name, path, _ := strings.Cut(entry, "=")
		secret, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile || !strings.HasPrefix(name, "COLDTRAIL_") || path == "" {
			continue
		}
		if !slices.Contains(secretVariables, secret) {
			return fmt.Errorf("%s is set, but there is no such variable; with _FILE there are %s", name, strings.Join(secretVariables, ", "))
		}
		if os.Getenv(secret) != "" {
			return fmt.Errorf("%s and %s are both set; leave one out", secret, name)
		}
		value, err := secretIn(path)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.Setenv(secret, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// secretIn is the one line of a file. No error repeats what stands in it.
func secretIn(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, secretMost+1))
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(text), "\r\n")
	switch {
	case len(text) > secretMost:
		return "", fmt.Errorf("%s is longer than %d bytes, too long for a secret", path, secretMost)
	case value == "":
		return "", fmt.Errorf("%s is empty; write the secret into it", path)
	case strings.ContainsAny(value, "\r\n\x00"):
		return "", fmt.Errorf("%s has several lines; a secret is one line", path)
	}
	return value, nil
}
