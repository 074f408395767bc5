package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/impasto/impasto/internal/ui"
)

// plain writes lines with a time and no escapes, so that a log file stays readable.
// For a render it writes a line every few iterations. For a batch it writes a line
// for each job that ends, and one every half minute in between.
type plain struct {
	w       io.Writer
	every   int // iterations
	now     func() time.Time
	last    Update    // written last
	batch   Batch     // the latest
	written time.Time // when a line of the batch was written
}

const batchEvery = 30 * time.Second

func (p *plain) line(text string) {
	fmt.Fprintf(p.w, "%s %s\n", p.now().Format("15:04:05"), ui.Printable(text))
}

func (p *plain) Update(s State) {
	if p.due(s) {
		p.line(s.line())
	}
}

// due reports whether a state must be written now, and records it.
func (p *plain) due(s State) bool {
	switch s := s.(type) {
	case Update:
		// Updates may skip iterations. A line is due when a multiple of every was
		// passed.
		if s.Scale != p.last.Scale {
			p.last.Iter = 0
		}
		if s.Iter/p.every == p.last.Iter/p.every && s.Iter != s.Iters {
			return false
		}
		p.last = s
		return true
	case Batch:
		p.batch = s
		first, now := p.written.IsZero(), p.now()
		if !first && now.Sub(p.written) < batchEvery {
			return false
		}
		p.written = now
		return !first
	}
	return false
}

func (u Update) line() string {
	memory := ""
	if u.Memory > 0 {
		memory = "  " + Bytes(u.Memory)
	}
	return fmt.Sprintf("%s %d/%d  %dx%d  %d/%d  %s  %s  %s%s",
		u.what(), u.Scale, u.Scales, u.W, u.H, u.Iter, u.Iters, rate(u.ItsPerSecond), losses(u), eta(u.ETA), memory)
}

func (p *plain) Event(kind, message string, _ map[string]any) {
	switch kind {
	case Start:
		fmt.Fprintln(p.w, ui.Printable(message))
	case Job:
		p.written = p.now()
		p.line(p.batch.with(message))
	case Result:
		p.line(message)
	case "warning":
		fmt.Fprintf(p.w, "impasto: %s\n", ui.Printable(message))
	default:
		p.line(kind + ": " + message)
	}
}

func (p *plain) Close() {}
