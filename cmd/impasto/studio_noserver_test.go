//go:build noserver

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withoutServer runs a command that needs the queue's server, in a build that has
// none: it says what is missing.
func withoutServer(t *testing.T, words ...string) {
	t.Helper()
	t.Setenv("IMPASTO_STATE", t.TempDir())
	var out, problems bytes.Buffer
	code := run(append([]string{"impasto"}, words...), strings.NewReader(""), &out, &problems)
	if code == 0 || out.Len() > 0 || strings.Count(problems.String(), "impasto: ") != 1 {
		t.Errorf("exit code %d, %q", code, out.String())
	}
	for _, want := range []string{"no queue server", "-tags noserver", "go build ./cmd/impasto", "--queue nats://"} {
		if !strings.Contains(problems.String(), want) {
			t.Errorf("it says %q, without %q", problems.String(), want)
		}
	}
}

func TestStudioWithoutServer(t *testing.T) { withoutServer(t, "studio", t.TempDir(), "--no-browser") }

func TestBatchWithoutServer(t *testing.T) {
	manifest := filepath.Join(t.TempDir(), "jobs.yaml")
	if err := os.WriteFile(manifest, []byte("jobs:\n  - {content: sample:mosaic, style: sample:strokes, weights: mini, size: 32, iterations: 1, output: a.png}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	withoutServer(t, "batch", "run", manifest)
}
