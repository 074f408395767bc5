//go:build linux && amd64

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets this binary be the command, when a test asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("BE_THE_COMMAND") == "1" {
		main()
	}
	os.Exit(m.Run())
}

// under runs a program under the command and returns what both wrote, and the exit code.
func under(t *testing.T, args ...string) (string, int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	// Go's own preemption may move a goroutine between two of the program's calls.
	c.Env = append(os.Environ(), "BE_THE_COMMAND=1", "GODEBUG=asyncpreemptoff=1")
	out, err := c.CombinedOutput()
	if strings.Contains(string(out), "operation not permitted") {
		t.Skip("SKIPPED: this system lets no program trace another")
	}
	if strings.Contains(string(out), "nothing is emulated") {
		t.Skip("SKIPPED: this processor has tile instructions")
	}
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// TestFaults: each misuse of tiles is found and named, and proper use is not.
func TestFaults(t *testing.T) {
	program := filepath.Join(t.TempDir(), "faulty")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/faulty").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		how, says string
		code      int
	}{
		{"well", "1 LDTILECFG, 1 TILERELEASE, 1 TILEZERO, 1 TILELOADD, 1 TDPBF16PS on 1 threads, 5 stops, 0 faults", 0},
		{"no configuration", "TILEZERO: tiles are not configured", 1},
		{"a second release", "TILERELEASE: tiles are not configured", 1},
		{"no release", "while tiles are configured", 1},
		{"a second configuration", "LDTILECFG: tiles are configured already", 1},
		{"another palette", "LDTILECFG: palette 2", 1},
		{"other shapes", "TDPBF16PS: tile 0 (15 x 64 bytes) is no product", 1},
		{"other memory", "TILELOADD: row 0 of tile 2: 64 bytes at 0x2 cannot be read", 1},
		{"another instruction", "no tile instructions", 2},
		{"a question", "refused: false\nanother refused: true\n", 0},
	} {
		out, code := under(t, program, c.how)
		if !strings.Contains(out, c.says) || code != c.code {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", c.how, code, c.code, c.says, out)
		}
	}
	if out, code := under(t, "-refuse", program, "a question"); !strings.HasPrefix(out, "refused: true\n") || code != 0 {
		t.Errorf("-refuse: exit code %d:\n%s", code, out)
	}
}

// TestTheProgramIsUntouched: exit codes, arguments, children and Linux's own answers pass through.
func TestTheProgramIsUntouched(t *testing.T) {
	for _, c := range []struct {
		script, says string
		code         int
	}{
		{"exit 7", "", 7},
		{"echo $0 $1 $IMPASTO_TILES", "sh word emulated", 0},
		{"sh -c 'exit 3'; echo child $?", "child 3", 0},
		{"kill -TERM $$", "", 128 + 15},
	} {
		out, code := under(t, "sh", "-c", c.script, "sh", "word")
		if !strings.Contains(out, c.says) || code != c.code || !strings.Contains(out, "no tile instructions") {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", c.script, code, c.code, c.says, out)
		}
	}
	if _, code := under(t); code != 2 {
		t.Errorf("without a program the exit code is %d", code)
	}
}
