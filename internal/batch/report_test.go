package batch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

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

// TestRemoveLeft: temporary files of a report go if they are older than the run, because
// a run that was killed left them. Newer ones and other files stay.
func TestRemoveLeft(t *testing.T) {
	dir := t.TempDir()
	begun := time.Now()
	ages := map[string]time.Duration{
		"report.json.tmp-aaaaaaaa": time.Minute, "report.html.tmp-bbbbbbbb": time.Minute,
		"report.json": time.Minute, "other.html.tmp-cccccccc": time.Minute, "report.html.tmp-dddddddd": -time.Minute,
	}
	for name, age := range ages {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, begun.Add(-age), begun.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	report := filepath.Join(dir, "report.json")
	removeLeft(begun, report, sheetPath(report))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "other.html.tmp-cccccccc report.html.tmp-dddddddd report.json" {
		t.Errorf("left are %s", got)
	}
}
