package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/farm"
)

func TestStepEventsBecomeProgress(t *testing.T) {
	var got []event
	l := &eventLines{tell: func(e event) { got = append(got, e) }}
	for _, part := range []string{"{\"type\":\"progress\",\"scale\":2,\"sca", "les\":3,\"iter\":4,\"iters\":8}\nnot json\n{\"type\":", "\"warning\"}\n"} {
		if n, err := io.WriteString(l, part); err != nil || n != len(part) {
			t.Fatal(n, err)
		}
	}
	if len(got) != 2 || got[0] != (event{Type: "progress", Scale: 2, Scales: 3, Iter: 4, Iters: 8}) || got[1].Type != "warning" {
		t.Errorf("got %v", got)
	}
}

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
