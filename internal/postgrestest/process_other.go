//go:build !linux

package postgrestest

import (
	"errors"
	"os"
	"os/exec"
)

// The server is started, limited and killed by means of Linux.
var errLinux = errors.New("a PostgreSQL server is started for tests on Linux only")

var interrupt = os.Interrupt

type account struct{}

func unprivileged() (*account, error) { return nil, errLinux }

func (*account) own(...string) error { return errLinux }

func (*account) run(*exec.Cmd) {}

type process struct{}

func launch(*exec.Cmd) (*process, error) { return nil, errLinux }

func (*process) ended() bool { return true }

func (*process) end(os.Signal) error { return errLinux }

func (*process) kill() error { return errLinux }
