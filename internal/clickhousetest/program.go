package clickhousetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// program is one process that can be killed and started again. Its zero value runs nothing.
type program struct {
	mutex   sync.Mutex
	process *os.Process
	ended   chan struct{} // closed when the process is dead and reaped
}

// start runs a program whose output is appended to a log. The kernel kills it when the
// thread that made it ends; so the goroutine that starts it keeps its thread and waits.
func (p *program) start(log, path string, args ...string) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	command := exec.CommandContext(context.Background(), path, args...)
	command.Stdout, command.Stderr = output, output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(ended)
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // a killed program ends with an error, as it should
		}
		_ = output.Close()
	}()
	if err := <-started; err != nil {
		return err
	}
	p.process, p.ended = command.Process, ended
	return nil
}

// runs reports whether the program was started and has not ended.
func (p *program) runs() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.process == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the program and waits until it is gone.
func (p *program) kill() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.process == nil {
		return
	}
	_ = p.process.Kill() // an error says that it has ended already
	<-p.ended
	p.process = nil
}

// freeze stops the program and waits until each of its threads stands still: the signal returns before.
func (p *program) freeze() {
	p.signal(syscall.SIGSTOP)
	for p.runs() && !p.stands() {
		time.Sleep(time.Millisecond)
	}
}

// stands reports whether all threads of the program are stopped.
func (p *program) stands() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.process == nil {
		return true
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.process.Pid)) // the pattern is well formed
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it ended meanwhile
		}
		// proc(5): the state follows the name, which is in parentheses and may hold some.
		if at := bytes.LastIndexByte(text, ')'); at+2 >= len(text) || text[at+2] != 'T' {
			return false
		}
	}
	return true
}

func (p *program) thaw() { p.signal(syscall.SIGCONT) }

func (p *program) signal(signal os.Signal) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.process != nil {
		_ = p.process.Signal(signal) // an error says that it has ended already
	}
}

// tailLines is how much of a log a failure shows.
const tailLines = 30

// tail is the end of a log, empty where there is none.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-1-tailLines):], nil))
}

// folder is a temporary folder that is removed when the test binary ends, even by a
// panic or a signal: a shell waits for the end of a pipe that only the binary holds.
type folder struct {
	path  string
	pipe  *os.File
	shell *exec.Cmd
}

// sweep removes the folder; a server that dies at this moment may still write into it.
const sweep = `read -r _; for n in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$0" && exit 0; sleep 0.2; done; exit 1`

func newFolder() (*folder, error) {
	path, err := os.MkdirTemp("", "coldtrail-clickhouse-")
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = read.Close() }()
	shell := exec.CommandContext(context.Background(), "/bin/sh", "-c", sweep, path)
	shell.Stdin = read
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt at the terminal must not end it
	if err := shell.Start(); err != nil {
		return nil, err
	}
	return &folder{path: path, pipe: write, shell: shell}, nil
}

func (f *folder) remove() error {
	_ = f.pipe.Close()
	if err := f.shell.Wait(); err != nil {
		return fmt.Errorf("%s is not removed: %w", f.path, err)
	}
	return nil
}
