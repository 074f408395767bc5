package weights

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

func TestNothingInstalled(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv(vgg.Environment, "")
	if name, installed, err := Default(); name != "mini" || installed || err != nil {
		t.Errorf("the default is %q (%v), %v", name, installed, err)
	}
	l, err := List()
	if err != nil || l.Default != "mini" || l.Installed == nil || len(l.Installed) > 0 {
		t.Errorf("got %+v, %v", l, err)
	}
	if got := l.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "* mini ") {
		t.Errorf("got %q", got)
	}
	if _, err := Path("mini"); ui.FaultsOf(err)[0].Code != "weights_builtin" {
		t.Errorf("got %v", err)
	}
	if _, err := Path("vgg19"); err == nil {
		t.Error("weights that are not installed have a path")
	}
	checked := 0
	if err := Verify(t.Context(), nil, func(string) { checked++ }); err != nil || checked != 0 {
		t.Errorf("%d were checked, %v", checked, err)
	}
	if err := Verify(t.Context(), []string{"a", "b"}, func(string) { checked++ }); len(ui.FaultsOf(err)) != 2 || checked != 0 {
		t.Errorf("%d were checked, %v", checked, err)
	}
}

func TestListingMarksTheDefault(t *testing.T) {
	sum := strings.Repeat("0123456789abcdef", 4)
	l := Listing{Default: "vgg19", Installed: []vgg.Installed{{Name: "other", SHA256: sum}, {Name: "vgg19", Bytes: 80e6, Last: "relu5_4", Source: "a\x1b[31m", SHA256: sum}}}
	lines := strings.Split(l.String(), "\n")
	if len(lines) != 4 || lines[0][0] != ' ' || lines[1][0] != '*' || lines[2][0] != ' ' {
		t.Errorf("got %q", lines)
	}
	for _, want := range []string{"vgg19", "80 MB", "to relu5_4", "sha256 0123456789ab..."} {
		if !strings.Contains(lines[1], want) {
			t.Errorf("%q does not say %q", lines[1], want)
		}
	}
	if strings.Contains(l.String(), "\x1b") {
		t.Error("a control character of the source reached the terminal")
	}
}

func TestDownloadLine(t *testing.T) {
	var b strings.Builder
	report := downloadLine(&b, false)
	for done := int64(0); done <= 1000; done += 50 {
		report(vgg.Progress{File: "w.pth", Done: done, Total: 1000})
	}
	if got := strings.Count(b.String(), "\n"); got != 11 { // 0 %, 10 %, ..., 100 %
		t.Errorf("%d lines: %q", got, b.String())
	}
	b.Reset()
	report = downloadLine(&b, true)
	report(vgg.Progress{File: "w.pth", Done: 1, Total: 2})
	report(vgg.Progress{File: "w.pth", Done: 2, Total: 2})
	if got := b.String(); strings.Count(got, "\r") != 2 || !strings.HasSuffix(got, "100 %\n") {
		t.Errorf("on a terminal: %q", got)
	}
}
