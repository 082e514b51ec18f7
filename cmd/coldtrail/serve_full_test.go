package main_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// smallDisk is a folder on a file system of its own, of so many MiB.
func smallDisk(t *testing.T, mebibytes int) string {
	t.Helper()
	folder := t.TempDir()
	mount := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mebibytes), "tmpfs", folder)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil { //nolint:noctx // the test's context has ended
			t.Errorf("%v %s", err, out)
		}
	})
	return folder
}

// TestServeFullDisk fills the disk of a server that follows a node. Screening goes on and
// says that its answers are not written down, /readyz tells the truth, what people would
// change is refused; once there is room everything goes on, and the log says what it had
// to leave out.
func TestServeFullDisk(t *testing.T) {
	disk := smallDisk(t, 96)
	c, file := newChase(t)
	data := filepath.Join(disk, "data")
	s := serve(t, c.follow(data, file, c.accounts.URL())...)
	s.wait("at both tips", func() bool { return c.atTips(s) })
	thief := c.holders[0]
	filled := filepath.Join(disk, "filled")
	fill(t, filled)
	next := c.accounts.Account("mule", c.serial+1)
	c.step() // which there is no room for, or little
	for range 50 {
		if v, err := s.screen(thief); err != nil || v.Outcome != "refuse" {
			t.Fatalf("on a full disk: %s %v\n%s", v.Outcome, err, s.logs)
		}
		fill(t, filled)
	}
	s.wait("not ready", func() bool { code, r := s.ready(); return code == http.StatusServiceUnavailable && !r.Ready })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.url+"/v1/watchlists/ours", strings.NewReader(`{"name":"ours"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusInsufficientStorage {
		t.Errorf("a watch-list on a full disk: %d", answer.StatusCode)
	}
	if err := os.Remove(filled); err != nil {
		t.Fatal(err)
	}
	s.wait("at both tips", func() bool { return c.atTips(s) })
	s.wait("refused", func() bool { v, err := s.screen(next); return err == nil && v.Outcome == "refuse" })
	s.wait("ready", func() bool { code, _ := s.ready(); return code == http.StatusOK })
	s.stop()
	if out := must(t, "--data", data, "verify"); !strings.Contains(out, "could not be kept") || !strings.Contains(out, "every record is as it was written") {
		t.Error(out)
	}
}

// fill takes all room there is.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return // not even for that
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
}
