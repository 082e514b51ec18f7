// Package check_test holds what is deployed against what the programs that read it say: the parser
// of BuildKit, the loader of Compose, kustomize, and the types and rules of Kubernetes.
package check_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// TestContainerfile parses the recipe as docker does, with its linter, and looks at the image's stage.
func TestContainerfile(t *testing.T) {
	file, err := os.Open("../container/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parsed.Warnings {
		t.Errorf("%s", w.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, text string, _ []parser.Range) { t.Errorf("%s: %s", rule, text) }})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	last := stages[len(stages)-1]
	if len(stages) != 2 || last.BaseName != "scratch" {
		t.Errorf("%d stages, the last from %s; want 2, from scratch", len(stages), last.BaseName)
	}
	user, healthy := "", false
	for _, command := range last.Commands {
		switch c := command.(type) {
		case *instructions.RunCommand:
			t.Error("an image from scratch can run nothing")
		case *instructions.UserCommand:
			user = c.User
		case *instructions.HealthCheckCommand:
			healthy = slices.Equal(c.Health.Test, []string{"CMD", "/coldtrail", "status", "--ready", "http://127.0.0.1:8801"})
		case *instructions.EntrypointCommand:
			if c.PrependShell {
				t.Error("the entry point wants a shell, which is not there")
			}
		case *instructions.CmdCommand:
			if c.PrependShell || !slices.Equal(c.CmdLine, strings.Fields("serve --listen 0.0.0.0:8801")) {
				t.Errorf("the command is %q", c.CmdLine)
			}
		}
	}
	if user != "65532:65532" {
		t.Errorf("the user is %q; Kubernetes can only tell from a number that it is not root", user)
	}
	if !healthy {
		t.Error("the health check is not that of the binary")
	}
}
