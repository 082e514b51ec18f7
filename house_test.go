package coldtrail_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coldtrail/taint"
)

// each visits every file of the project that is kept.
func each(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == ".tools" || name == "node_modules" || name == "rapid" || name == "fuzz" {
				return filepath.SkipDir
			}
			return nil
		}
		visit(path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFileLength keeps one concept in a file.
func TestFileLength(t *testing.T) {
	each(t, func(path string) {
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			if n := strings.Count(read(t, path), "\n"); n > 600 {
				t.Errorf("%s has %d lines, at most 600", path, n)
			}
		}
	})
}

// TestFixtures wants a source for every folder of fixtures, and the sums it states.
func TestFixtures(t *testing.T) {
	sums := regexp.MustCompile(`(?m)^sha256 ([0-9a-f]{64})  (\S+)$`)
	folders := map[string]bool{}
	each(t, func(path string) {
		if strings.HasPrefix(path, "testdata/") {
			folders[filepath.Dir(path)] = true
		}
	})
	for folder := range folders {
		for _, match := range sums.FindAllStringSubmatch(read(t, filepath.Join(folder, "SOURCE.md")), -1) {
			sum := sha256.Sum256([]byte(read(t, filepath.Join(folder, match[2]))))
			if hex.EncodeToString(sum[:]) != match[1] {
				t.Errorf("%s/%s is not the file that SOURCE.md names", folder, match[2])
			}
		}
	}
}

// TestMethodsAreDocumented wants a page and a scenario for every taint method.
func TestMethodsAreDocumented(t *testing.T) {
	scenarios := ""
	each(t, func(path string) {
		if strings.HasSuffix(path, ".scenario") {
			scenarios += read(t, path)
		}
	})
	for _, method := range taint.Methods {
		read(t, filepath.Join("docs", "methods", method.Name+".md"))
		if !regexp.MustCompile(`(?m)^trace .*\b` + method.Name + `\b`).MatchString(scenarios) {
			t.Errorf("no scenario traces by %s", method.Name)
		}
	}
}

// TestLinks follows every relative link of the documents.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	each(t, func(path string) {
		if !strings.HasSuffix(path, ".md") {
			return
		}
		for _, match := range link.FindAllStringSubmatch(read(t, path), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), match[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", path, match[1])
			}
		}
	})
}

// TestCommandsInDocuments wants every command that documents show to exist.
func TestCommandsInDocuments(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "run", "./cmd/coldtrail", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	help := string(out)
	command := regexp.MustCompile(`^\$ (?:\./|go run \./cmd/)?coldtrail(?: --data \S+)? ([a-z]+)(?: ([a-z]+)(?: |$))?`)
	flag := regexp.MustCompile(` (--[a-z-]+)`)
	each(t, func(path string) {
		if !strings.HasSuffix(path, ".md") {
			return
		}
		lines := bufio.NewScanner(strings.NewReader(read(t, path)))
		for lines.Scan() {
			match := command.FindStringSubmatch(lines.Text())
			if match == nil {
				continue
			}
			if !strings.Contains(help, "\n  "+match[1]+" ") {
				t.Errorf("%s shows %q, which is no command:\n%s", path, match[1], help)
				continue
			}
			words := []string{"run", "./cmd/coldtrail", match[1]}
			if match[2] != "" { // a part of the verb, or an argument, which changes nothing
				words = append(words, match[2])
			}
			verb, err := exec.CommandContext(t.Context(), "go", append(words, "--help")...).Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range flag.FindAllStringSubmatch(lines.Text(), -1) {
				if !strings.Contains(string(verb), f[1]) {
					t.Errorf("%s shows %s of %s, which is no flag", path, f[1], match[1])
				}
			}
		}
	})
}
