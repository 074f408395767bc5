// Package progress reports the progress of a render to a person or a program.
//
// One interface has four implementations: a bar for terminals, plain lines for
// logs, JSON lines for programs, and none. The package knows only the numbers in
// Update (a render) and Batch. It writes no control characters from names and
// messages.
package progress

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/impasto/impasto/internal/ui"
)

// Update is the state of a render after one iteration.
type Update struct {
	What          string // that is counted by Scale: "" is "scale"
	Scale, Scales int    // from 1
	W, H          int    // pixels of this scale
	Iter, Iters   int    // from 1, of this scale
	ItsPerSecond  float64
	ETA           time.Duration // of the whole render; negative while unknown
	Loss          float64
	Terms         []Term // parts of Loss, in a fixed order
	Memory        int64  // bytes held, 0 when unknown
}

// what returns the word for what Scale counts.
func (u Update) what() string { return cmp.Or(u.What, "scale") }

// Term is one named part of a loss.
type Term struct {
	Name  string
	Value float64
}

// State is the progress of a render or a batch: an Update or a Batch.
type State interface {
	line() string                                // in one line of a log
	beside(width int) (left, right string)       // what stands beside a bar, on a terminal of that width
	place() (at, of int64)                       // of the bar
	object() (kind string, facts map[string]any) // for programs
}

// These are the events at the beginning and end of a report, and that of a job that
// has ended.
const (
	Start  = "start"
	Job    = "job"
	Result = "result"
)

// Reporter shows what happens during one render or one batch. Its methods are
// called from one goroutine.
type Reporter interface {
	// Event shows something other than the state: Start, Job, Result, "checkpoint",
	// "preview" or "warning". The message is one line. facts has the same
	// information as named values, for programs.
	Event(kind, message string, facts map[string]any)
	// Update is called after every iteration. Writers decide what to show.
	Update(State)
	// Close ends the report and restores the terminal.
	Close()
}

// Options say how progress is written.
type Options struct {
	Kind       string // "auto", "bar", "plain", "json", "none"
	PrintEvery int    // plain: iterations between two lines; 0 means 50
	Quiet      bool   // no header and no iterations
	Terminal   bool   // whether the writer is a terminal
	Width      int    // columns of the terminal
}

// Kinds are the values of Options.Kind.
var Kinds = []string{"auto", "bar", "plain", "json", "none"}

// New returns the reporter that o asks for. "auto" means a bar on a terminal and
// plain lines elsewhere.
func New(w io.Writer, o Options) Reporter {
	auto := o.Kind == "auto" || o.Kind == ""
	switch {
	case o.Kind == "json":
		return &jsonLines{w: w, now: time.Now}
	case o.Quiet || o.Kind == "none":
		return none{w: w}
	case o.Kind == "bar" || auto && o.Terminal:
		return &bar{w: w, width: cmp.Or(max(o.Width, 0), 80)}
	}
	return &plain{w: w, every: cmp.Or(max(o.PrintEvery, 0), 50), now: time.Now}
}

// none writes only warnings, because errors must never be hidden.
type none struct{ w io.Writer }

func (n none) Event(kind, message string, _ map[string]any) {
	if kind == "warning" {
		fmt.Fprintf(n.w, "impasto: %s\n", ui.Printable(message))
	}
}
func (none) Update(State) {}
func (none) Close()       {}

// losses renders "loss 1.83e+04 (style 1.2e+04 content 5.9e+03)".
func losses(u Update) string {
	var b strings.Builder
	fmt.Fprintf(&b, "loss %s", Number(u.Loss))
	if len(u.Terms) > 1 {
		b.WriteString(" (")
		for i, t := range u.Terms {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%s %s", t.Name, Number(t.Value))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// rate renders iterations per second, or seconds per iteration when slow.
func rate(its float64) string {
	switch {
	case its <= 0:
		return "- it/s"
	case its < 0.5:
		return fmt.Sprintf("%.1f s/it", 1/its)
	}
	return fmt.Sprintf("%.1f it/s", its)
}

// eta renders the time left as m:ss or h:mm:ss, "-" while unknown.
func eta(d time.Duration) string {
	if d < 0 {
		return "eta -"
	}
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("eta %d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("eta %d:%02d", s/60, s%60)
}

// Number renders a loss with three digits: 0.0123, 4.56, 789, 1.23e+04.
func Number(v float64) string { return fmt.Sprintf("%.3g", v) }

// Bytes renders a size: 210 MB, 3.1 GB.
func Bytes(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// Span renders a duration for people: 0.4 s, 38 s, 5 min, 2 h 10 min.
func Span(d time.Duration) string {
	s := d.Seconds()
	switch {
	case s < 10:
		return fmt.Sprintf("%.1f s", s)
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	case s < 3600:
		return fmt.Sprintf("%.0f min", s/60)
	}
	m := int(s/60 + 0.5)
	return fmt.Sprintf("%d h %d min", m/60, m%60)
}

// Seconds renders a number of seconds as Span does.
func Seconds(n float64) string { return Span(time.Duration(n * float64(time.Second))) }

// Both reports to a and b.
func Both(a, b Reporter) Reporter { return both{a, b} }

type both struct{ a, b Reporter }

func (r both) Event(kind, message string, facts map[string]any) {
	r.a.Event(kind, message, facts)
	r.b.Event(kind, message, facts)
}

func (r both) Update(s State) {
	r.a.Update(s)
	r.b.Update(s)
}

func (r both) Close() {
	r.a.Close()
	r.b.Close()
}
