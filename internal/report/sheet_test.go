package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

func TestSheet(t *testing.T) {
	p := picture.New(640, 320)
	for i := range p.Pix {
		p.Pix[i] = float32(i%7) / 7
	}
	cells := []Cell{
		{Name: "coast <1>", State: "done", Picture: p, Link: "out dir/a#1.png",
			Choices: []Row{{"style", `"wave" & sea`}}, Facts: []Row{{"size", "640x320"}}},
		{Name: "gone", State: "failed", Fault: "no <such> file"},
		{Name: "stopped", State: "cancelled"},
	}
	var b bytes.Buffer
	err := WriteSheet(&b, Sheet{Title: "jobs & more", Lead: "3 jobs", Program: "impasto", Cells: len(cells),
		Cell: func(i int) Cell { return cells[i] }})
	if err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if names := regexp.MustCompile(`<h2>(.*?)</h2>`).FindAllString(page, -1); fmt.Sprint(names) != "[<h2>coast &lt;1&gt;</h2> <h2>gone</h2> <h2>stopped</h2>]" {
		t.Errorf("the cells are %v", names)
	}
	for _, want := range []string{
		"<title>jobs &amp; more</title>", "<h2>coast &lt;1&gt;</h2>", `<a href="./out%20dir/a%231.png">`, `width="288" height="144"`,
		"<dt>style</dt><dd>&#34;wave&#34; &amp; sea</dd>", `<article class="failed">`, "failed: no &lt;such&gt; file",
		`<p class="fault">cancelled</p>`, "<footer>impasto</footer>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the sheet has no %q", want)
		}
	}
	if n := strings.Count(page, "<img "); n != 1 {
		t.Errorf("%d thumbnails, want 1", n)
	}
	if outside := regexp.MustCompile(`(src|href)="(https?:)?//`).FindString(page); outside != "" {
		t.Errorf("the sheet needs %s", outside)
	}
	b.Reset()
	if err := WriteSheet(&b, Sheet{Title: "none"}); err != nil || !strings.Contains(b.String(), "</html>") {
		t.Errorf("a sheet of nothing: %v", err)
	}
}
