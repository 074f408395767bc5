package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/farm"
)

func TestOutputOfAStep(t *testing.T) {
	for words, want := range map[string]string{"art --output=a.png x": "a.png", "art -o b.png": "b.png", "art --output c.png": "c.png", "art -- --output=d.png": "", "art": "", "art -o": ""} {
		if got := outputOf(strings.Fields(words)); got != want {
			t.Errorf("%s: got %q, want %q", words, got, want)
		}
	}
}

func TestCommonFolder(t *testing.T) {
	job := func(paths ...string) farm.Job { return farm.Job{Outputs: paths} }
	for _, c := range []struct {
		want string
		jobs []farm.Job
	}{
		{"/a/b", []farm.Job{job("/a/b/x.png"), job("/a/b/c/y.png")}},
		{"/a", []farm.Job{job("/a/b/x.png"), job("/a/bc/y.png")}},
		{"/", []farm.Job{job("/a/x.png"), job("/b/y.png")}},
		{".", nil},
	} {
		if got := commonFolder(c.jobs); filepath.ToSlash(got) != c.want {
			t.Errorf("%v: got %q, want %q", c.jobs, got, c.want)
		}
	}
}
