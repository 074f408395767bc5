//go:build noserver

package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestStudioWithoutServer: a build without the queue's server says what is missing.
func TestStudioWithoutServer(t *testing.T) {
	t.Setenv("IMPASTO_STATE", t.TempDir())
	var out, problems bytes.Buffer
	code := run([]string{"impasto", "studio", t.TempDir(), "--no-browser"}, strings.NewReader(""), &out, &problems)
	if code == 0 || out.Len() > 0 || strings.Count(problems.String(), "impasto: ") != 1 {
		t.Errorf("exit code %d, %q", code, out.String())
	}
	for _, want := range []string{"no queue server", "-tags noserver", "go build ./cmd/impasto", "--queue nats://"} {
		if !strings.Contains(problems.String(), want) {
			t.Errorf("it says %q, without %q", problems.String(), want)
		}
	}
}
