package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/impasto/impasto/internal/ui"
)

// plain writes one line every few iterations, with a time and no escapes, so
// that a log file stays readable.
type plain struct {
	w     io.Writer
	every int
	now   func() time.Time
	last  Update // written last
}

func (p *plain) line(format string, a ...any) {
	fmt.Fprintf(p.w, "%s %s\n", p.now().Format("15:04:05"), ui.Printable(fmt.Sprintf(format, a...)))
}

func (p *plain) Start(header string, _ map[string]any) { fmt.Fprintln(p.w, ui.Printable(header)) }

func (p *plain) Update(u Update) {
	// Updates may skip iterations: a line is due when one of every was passed.
	if u.Scale != p.last.Scale {
		p.last.Iter = 0
	}
	if u.Iter/p.every == p.last.Iter/p.every && u.Iter != u.Iters {
		return
	}
	p.last = u
	memory := ""
	if u.Memory > 0 {
		memory = "  " + Bytes(u.Memory)
	}
	p.line("%s %d/%d  %dx%d  %d/%d  %s  %s  %s%s",
		u.what(), u.Scale, u.Scales, u.W, u.H, u.Iter, u.Iters, rate(u.ItsPerSecond), losses(u), eta(u.ETA), memory)
}

func (p *plain) Event(kind, message string, _ map[string]any) {
	if kind == "warning" {
		fmt.Fprintf(p.w, "impasto: %s\n", ui.Printable(message))
		return
	}
	p.line("%s: %s", kind, message)
}

func (p *plain) Result(message string, _ map[string]any) { p.line("%s", message) }
func (p *plain) Close()                                  {}
