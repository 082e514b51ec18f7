package check_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// project loads the compose file as docker compose does: schema, interpolation, anchors, references.
func project(t *testing.T, environment ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../compose/compose.yaml"}, cli.WithEnv(environment), cli.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

// TestCompose holds every service to what the guide promises of it.
func TestCompose(t *testing.T) {
	p, err := project(t, "COLDTRAIL_FOLLOW=ethereum=rpc:http://node.example:8545")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for name, s := range p.Services {
		kinds[strings.TrimRight(name, "-0123456789")]++
		checkHardened(t, name, &s)
		checkReach(t, p, name, &s)
		for _, m := range s.Volumes {
			if m.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(m.Source); err != nil || !m.ReadOnly {
				t.Errorf("%s: mounts %s, read-only %t: %v", name, m.Source, m.ReadOnly, err)
			}
		}
		for _, value := range s.Environment {
			if value != nil && strings.Contains(strings.ToLower(*value), "password") {
				t.Errorf("%s: a password in the environment", name)
			}
		}
	}
	for kind, want := range map[string]int{"serve": 2, "clickhouse": 4, "keeper": 3, "postgres": 1, "ingest": 1} {
		if kinds[kind] != want {
			t.Errorf("%d services %s, want %d", kinds[kind], kind, want)
		}
	}
	serve := p.Services["serve-1"]
	if got := []string(serve.Command); !slices.Equal(got, []string{"serve", "--listen=0.0.0.0:8801", "--follow=ethereum=rpc:http://node.example:8545"}) {
		t.Errorf("serve-1 runs %q", got)
	}
}

// checkHardened wants no rights, nothing to write but what is named, a limit of memory, and health.
func checkHardened(t *testing.T, name string, s *types.ServiceConfig) {
	t.Helper()
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 || s.Privileged || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("%s is not locked down", name)
	}
	if s.User == "" || strings.HasPrefix(s.User, "0") || s.User == "root" || s.MemLimit == 0 || s.PidsLimit == 0 {
		t.Errorf("%s: user %q, memory %d, processes %d", name, s.User, s.MemLimit, s.PidsLimit)
	}
	if name != "ingest" && (s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) < 2) {
		t.Errorf("%s: nobody looks after its health", name)
	}
	for on, how := range s.DependsOn {
		if how.Condition != types.ServiceConditionHealthy {
			t.Errorf("%s begins before %s is healthy", name, on)
		}
	}
}

// checkReach wants ports on loopback alone, and stores that nobody outside can reach.
func checkReach(t *testing.T, p *types.Project, name string, s *types.ServiceConfig) {
	t.Helper()
	for _, port := range s.Ports {
		if port.HostIP != "127.0.0.1" || port.Target != 8801 {
			t.Errorf("%s publishes %s:%s to %d", name, port.HostIP, port.Published, port.Target)
		}
	}
	serves := strings.HasPrefix(name, "serve")
	if (len(s.Ports) > 0) != serves {
		t.Errorf("%s publishes %d ports", name, len(s.Ports))
	}
	for network := range s.Networks {
		if !serves && name != "ingest" && !p.Networks[network].Internal {
			t.Errorf("%s is in the network %s, which leads out", name, network)
		}
	}
	for _, secret := range s.Secrets {
		if _, ok := p.Secrets[secret.Source]; !ok {
			t.Errorf("%s: no secret %s", name, secret.Source)
		}
	}
}

// TestComposeAsks says what is missing instead of following nothing.
func TestComposeAsks(t *testing.T) {
	if _, err := project(t); err == nil || !strings.Contains(err.Error(), "say which chain and node to follow") {
		t.Errorf("without a chain: %v", err)
	}
}

// TestComposeSecrets wants every secret file to be one that secrets.sh makes.
func TestComposeSecrets(t *testing.T) {
	p, err := project(t, "COLDTRAIL_FOLLOW=x")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../compose/secrets.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range p.Secrets {
		file := secret.File[strings.LastIndexByte(secret.File, '/')+1:]
		if !strings.Contains(string(script), `"$draft/`+file+`"`) {
			t.Errorf("secret %s: secrets.sh makes no %s", name, file)
		}
	}
}
