package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestStoppedWhileConnecting: a worker that is told to stop before its server
// has answered leaves nothing, and neither does the one that was killed with -9
// in its place before.
func TestStoppedWhileConnecting(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "impasto") // the name under which TestMain runs the command
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	left := filepath.Join(state, "work", "1", "jobs", "aaaa000000000001", "out")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(left, "half.png"), filepath.Join(state, "work", "1", "LOCK")} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(program, "worker", "--device", "cpu", "--queue", "nats://"+mute.Addr().String())
	c.Env = append(os.Environ(), "IMPASTO_STATE="+state, "IMPASTO_QUEUE=")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	connected, err := mute.Accept() // and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the files of a killed worker are there yet: %v", err)
	}
	begun := time.Now()
	_ = c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Errorf("ended with %v\n%s", err, stderr.String())
	}
	if all, _ := filepath.Glob(filepath.Join(state, "work", "*")); len(all) > 0 {
		t.Errorf("%v left after %v", all, time.Since(begun))
	}
}
