package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/impasto/impasto/internal/ui"
)

// bar is one line that is redrawn in place:
//
//	scale 3/4  512x384  ██████░░░░  212/300  6.4 it/s  loss 1.83 (style 1.2 content 0.59)  eta 0:14
//
// This is the only file that knows mpb.
type bar struct {
	w       io.Writer
	options Options
	group   *mpb.Progress
	line    *mpb.Bar

	mu   sync.Mutex // guards last: mpb draws from its own goroutine
	last Update
}

func newBar(w io.Writer, o Options) *bar { return &bar{w: w, options: o} }

func (b *bar) Start(header string, _ map[string]any) { fmt.Fprintln(b.w, ui.Printable(header)) }

func (b *bar) open(u Update) {
	width := b.options.Width
	if width <= 0 {
		width = 80
	}
	// The width is given and the refresh forced because w is a writer that
	// shares the terminal with the preview, not the terminal itself.
	b.group = mpb.New(mpb.WithOutput(b.w), mpb.WithAutoRefresh(), mpb.WithWidth(width),
		mpb.WithRefreshRate(200*time.Millisecond))
	text := func(f func(Update) string) decor.Decorator {
		return decor.Any(func(decor.Statistics) string {
			b.mu.Lock()
			defer b.mu.Unlock()
			return f(b.last)
		})
	}
	style := mpb.BarStyle().Lbound(" ").Filler("█").Tip("█").Padding("░").Rbound(" ")
	if width < 60 {
		style = mpb.BarStyle().Lbound("").Filler("").Tip("").Padding("").Rbound("")
	}
	b.line = b.group.New(0, style,
		mpb.BarWidth(22),
		mpb.PrependDecorators(text(func(u Update) string {
			return fmt.Sprintf("%s %d/%d  %dx%d ", u.what(), u.Scale, u.Scales, u.W, u.H)
		})),
		mpb.AppendDecorators(text(func(u Update) string { return tail(u, width) })))
	b.line.SetTotal(int64(u.Iters), false)
}

// tail is what stands right of the bar; parts are left out on narrow terminals.
func tail(u Update, width int) string {
	s := fmt.Sprintf(" %d/%d  %s", u.Iter, u.Iters, rate(u.ItsPerSecond))
	room := width - 48 - len(s)
	left := "  " + eta(u.ETA)
	room -= len(left)
	if l := losses(u); len(l)+2 <= room {
		s += "  " + l
		room -= len(l) + 2
	} else if l := "loss " + Number(u.Loss); len(l)+2 <= room {
		s += "  " + l
		room -= len(l) + 2
	}
	s += left
	if m := Bytes(u.Memory); u.Memory > 0 && len(m)+2 <= room {
		s += "  " + m
	}
	return s
}

func (b *bar) Update(u Update) {
	b.mu.Lock()
	newScale := u.Scale != b.last.Scale
	b.last = u
	b.mu.Unlock()
	if b.group == nil {
		b.open(u)
	} else if newScale {
		b.line.SetTotal(int64(u.Iters), false)
	}
	b.line.SetCurrent(int64(u.Iter))
}

func (b *bar) say(format string, a ...any) {
	text := ui.Printable(fmt.Sprintf(format, a...)) + "\n"
	if b.group != nil {
		// Through mpb, so that the line appears above the bar.
		if _, err := b.group.Write([]byte(text)); err == nil {
			return
		}
	}
	io.WriteString(b.w, text)
}

func (b *bar) Event(kind, message string, _ map[string]any) {
	switch kind {
	case "warning":
		b.say("impasto: %s", message)
	case "checkpoint", "writing":
		b.say("%s: %s", kind, message)
	}
}

func (b *bar) Result(message string, _ map[string]any) {
	b.stop()
	b.say("%s", message)
}

func (b *bar) Close() { b.stop() }

// stop leaves the bar as it last was and gives the terminal back.
func (b *bar) stop() {
	if b.group == nil {
		return
	}
	b.line.Abort(false)
	b.group.Wait()
	b.group = nil
}
