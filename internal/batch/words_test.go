package batch

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/render"
)

// TestJobsHoldDefaults: what a job does not say and what depends on the device is
// written into it, for workers have other devices.
func TestJobsHoldDefaults(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir()) // no weights are installed
	for _, c := range []struct {
		class, command string
		given          []manifest.Value
		has, not       []string
	}{
		{"cpu", "art", nil, []string{"--size=384", "--iterations=200,100,60", "--weights=mini"}, nil},
		{"gpu", "art", nil, []string{"--size=1024", "--iterations=500,300,200,150"}, nil},
		{"gpu", "art", []manifest.Value{{Key: "device", Text: "cpu"}}, []string{"--size=384"}, nil},
		{"cpu", "art", []manifest.Value{{Key: "device", Text: "cuda:0"}}, []string{"--size=1024"}, nil},
		{"gpu", "art", []manifest.Value{{Key: "size", Text: "200"}, {Key: "weights", Text: "random:2"}}, []string{"--size=200", "--weights=random:2"}, []string{"--size=1024", "--weights=mini"}},
		{"gpu", "art", []manifest.Value{{Key: "preset", Text: "gatys"}}, nil, []string{"--size=1024", "--iterations=500,300,200,150"}},
		{"gpu", "art", []manifest.Value{{Key: "draft", Text: "yes"}}, nil, []string{"--size=1024", "--iterations=500,300,200,150"}},
		{"gpu", "map derive", nil, nil, []string{"--size=1024", "--weights=mini"}},
	} {
		b := NewBuilder(t.Context(), filepath.Join(t.TempDir(), "jobs.yaml"), c.class, render.Env{})
		words, _ := b.words(manifest.Step{Command: c.command, Flags: c.given})
		for _, want := range c.has {
			if !slices.Contains(words, want) {
				t.Errorf("class %s, %v: no %s in %q", c.class, c.given, want, words)
			}
		}
		for _, wrong := range c.not {
			if slices.Contains(words, wrong) {
				t.Errorf("class %s, %v: %s in %q", c.class, c.given, wrong, words)
			}
		}
	}
}
