package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// The example files for fleets are checked as far as this machine can: their
// command lines against the program, units by systemd, scripts by bash and, where
// it is there, shellcheck. keda_test.go has the manifest of Kubernetes.

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExampleCommands: every flag in an example is one of its command.
func TestExampleCommands(t *testing.T) {
	line := regexp.MustCompile(`(?:impasto|/usr/bin/impasto)[ ,]+(worker|queue serve)[ ,](.*)`)
	found := 0
	for _, name := range []string{"impasto-queue.service", "impasto-worker.service", "slurm-workers.sh", "ssh-workers.sh", "keda.yaml"} {
		for _, m := range line.FindAllStringSubmatch(example(t, name), -1) {
			found++
			var known []string
			for _, f := range commandAt(t, strings.Fields(m[1])).Flags {
				known = append(known, f.Names()...)
			}
			for _, flag := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(m[2], -1) {
				if !strings.Contains(" "+strings.Join(known, " ")+" ", " "+flag[1]+" ") {
					t.Errorf("%s: %s has no flag --%s", name, m[1], flag[1])
				}
			}
		}
	}
	if found != 5 {
		t.Errorf("%d command lines were found", found)
	}
}

func commandAt(t *testing.T, path []string) *cli.Command {
	t.Helper()
	list := testApp().Commands
	var at *cli.Command
	for _, name := range path {
		at = nil
		for _, c := range list {
			if c.Name == name {
				at = c
			}
		}
		if at == nil {
			t.Fatalf("there is no command %q", path)
		}
		list = at.Subcommands
	}
	return at
}

func TestExampleUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("SKIPPED: systemd-analyze is not here")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"impasto-queue.service", "impasto-worker.service"} {
		unit := filepath.Join(t.TempDir(), name)
		text := strings.ReplaceAll(example(t, name), "/usr/bin/impasto", self) // which is there
		if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), unit) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestExampleScripts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: scripts of bash")
	}
	for _, check := range [][]string{{"bash", "-n"}, {"shellcheck"}} {
		if _, err := exec.LookPath(check[0]); err != nil {
			t.Logf("SKIPPED: %s is not here", check[0])
			continue
		}
		for _, name := range []string{"slurm-workers.sh", "ssh-workers.sh"} {
			c := exec.Command(check[0], append(check[1:], filepath.Join("..", "..", "docs", "examples", name))...)
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", check[0], name, err, out)
			}
		}
	}
}
