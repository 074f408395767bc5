//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStudioOpensTheBrowser: the system's opener is given the address that is
// printed, and is not started without a display or with --no-browser.
func TestStudioOpensTheBrowser(t *testing.T) {
	dir := t.TempDir()
	opened := filepath.Join(dir, "opened")
	script := "#!/bin/sh\necho \"$1\" >'" + opened + ".part' && mv '" + opened + ".part' '" + opened + "'\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("WAYLAND_DISPLAY", "")
	for _, c := range []struct {
		display string
		more    []string
		opens   bool
	}{{":99", nil, true}, {"", nil, false}, {":99", []string{"--no-browser"}, false}} {
		t.Setenv("DISPLAY", c.display)
		_ = os.Remove(opened)
		s := startStudio(t, t.TempDir(), c.more...)
		if c.opens {
			waitFor(t, func() bool { _, err := os.Stat(opened); return err == nil })
		}
		s.enter(t) // it serves by now, and would have started the opener
		text, _ := os.ReadFile(opened)
		if got := strings.TrimSpace(string(text)); c.opens && got != s.address || !c.opens && got != "" {
			t.Errorf("DISPLAY=%q %v: the browser was given %q, the address is %q", c.display, c.more, got, s.address)
		}
		s.kill()
	}
}
