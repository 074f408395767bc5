//go:build !noserver

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/impasto/impasto/internal/ui"
)

// TestInterruptedWithoutItsServer: a command that waits for a killed server ends at
// Ctrl-C, with its own exit code.
func TestInterruptedWithoutItsServer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: starts three processes")
	}
	dir, command := t.TempDir(), theCommand(t)
	if err := makeFiles(dir); err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(dir, "token")
	start := func(errors bool, args ...string) (c *exec.Cmd, said *bufio.Reader) {
		t.Helper()
		c = exec.Command(command, args...)
		c.Dir, c.Env = dir, append(os.Environ(), "IMPASTO_STATE="+t.TempDir(), "IMPASTO_QUEUE=")
		pipe := c.StdoutPipe
		if errors {
			pipe = c.StderrPipe
		}
		out, err := pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		return c, bufio.NewReader(out)
	}
	line := func(r *bufio.Reader) string {
		t.Helper()
		text, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%q, %v", text, err)
		}
		return text
	}
	server, said := start(false, "queue", "serve", "--listen", "127.0.0.1:0", "--queue", t.TempDir(), "--token-file", token, "--json")
	var at struct{ URL string }
	if err := json.Unmarshal([]byte(line(said)), &at); err != nil {
		t.Fatal(err)
	}
	manifest := "jobs: [{content: photo.png, style: painting.png, output: o.png, weights: mini, size: 32}]\nversion: 1\n"
	if err := os.WriteFile(filepath.Join(dir, "jobs.yaml"), []byte(manifest), 0o666); err != nil {
		t.Fatal(err)
	}
	where := []string{"--queue", at.URL, "--token-file", token}
	submit, _ := start(false, append([]string{"batch", "submit", "jobs.yaml", "-q", "--class", "gpu"}, where...)...)
	if err := submit.Wait(); err != nil {
		t.Fatal(err)
	}
	watch, told := start(false, append([]string{"queue", "watch", "--json"}, where...)...)
	line(told) // the command has found the jobs
	worker, works := start(true, append([]string{"worker", "--device", "cpu", "--threads", "1"}, where...)...)
	if text := line(works); !strings.HasPrefix(text, "working on") {
		t.Errorf("the worker says %q", text)
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	for c, want := range map[*exec.Cmd]int{watch: ui.ExitInterrupted, worker: ui.ExitOK} {
		_ = c.Process.Signal(syscall.SIGINT)
		_ = c.Wait()
		if code := c.ProcessState.ExitCode(); code != want {
			t.Errorf("%s ends with %d, want %d", c.Args[1], code, want)
		}
	}
}
