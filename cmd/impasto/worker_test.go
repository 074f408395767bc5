package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestStoppedWhileConnecting: a worker that is told to stop before its server
// has answered leaves nothing, and neither does the one that was killed with -9
// in its place before. A server that is not there is waited for, and that is told.
func TestStoppedWhileConnecting(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"silent server", "no server"} {
		t.Run(name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			if name == "no server" {
				server.Close()
			}
			state := t.TempDir()
			left := filepath.Join(state, "work", "1", "jobs", "aaaa000000000001", "out")
			if err := os.MkdirAll(left, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{filepath.Join(left, "half.png"), filepath.Join(state, "work", "1", "LOCK")} {
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c := exec.Command(theCommand(t), "worker", "--device", "cpu", "--queue", "nats://"+server.Addr().String())
			c.Env = append(os.Environ(), "IMPASTO_STATE="+state, "IMPASTO_QUEUE=")
			says, err := c.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if name == "no server" {
				line, _ := bufio.NewReader(says).ReadString('\n')
				if !strings.Contains(line, "does not answer") || !strings.Contains(line, "asking again for 10 min, or until Ctrl-C") {
					t.Errorf("it says %q", line)
				}
			} else if connected, err := server.Accept(); err != nil { // and never says a word
				t.Fatal(err)
			} else {
				defer connected.Close()
			}
			if _, err := os.Stat(left); !os.IsNotExist(err) {
				t.Errorf("the files of a killed worker are there yet: %v", err)
			}
			_ = c.Process.Signal(syscall.SIGTERM)
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
			if all, _ := filepath.Glob(filepath.Join(state, "work", "*")); len(all) > 0 {
				t.Errorf("%v left", all)
			}
		})
	}
}
