package clickhousetest

import (
	_ "embed" // the templates are files of their own
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config.xml
var configText string

//go:embed users.xml
var usersText string

// port is the port of an address.
func port(address string) (string, error) {
	_, port, err := net.SplitHostPort(address)
	return port, err
}

// config is the template of a server's configuration.
func config() (*template.Template, error) {
	return template.New("config.xml").Funcs(template.FuncMap{"port": port}).Parse(configText)
}

// writeConfig writes a server's folder.
func writeConfig(c *Cluster, n *Node, interserver string) error {
	parsed, err := config()
	if err != nil {
		return err
	}
	for _, path := range []string{"data", "tmp", "user_files"} {
		if err := os.MkdirAll(filepath.Join(n.folder, path), 0o700); err != nil {
			return err
		}
	}
	var b strings.Builder
	err = parsed.Execute(&b, struct {
		Cluster     *Cluster
		Node        *Node
		Folder      string
		Interserver string
	}{c, n, n.folder, interserver})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(n.folder, "config.xml"), []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(n.folder, "users.xml"), []byte(usersText), 0o600)
}
