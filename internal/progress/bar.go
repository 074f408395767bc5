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
//	██████░░░░░░░░  12/48 done  1 failed  eta 4:10  coast 45 %
//
// This is the only file that knows mpb.
type bar struct {
	w     io.Writer
	width int // columns
	group *mpb.Progress
	line  *mpb.Bar

	mu   sync.Mutex // guards last: mpb draws from its own goroutine
	last State
}

func (b *bar) open(s State) {
	// The width is given and the refresh is forced, because w is not the terminal
	// itself but a writer that shares it with the preview.
	b.group = mpb.New(mpb.WithOutput(b.w), mpb.WithAutoRefresh(), mpb.WithWidth(b.width),
		mpb.WithRefreshRate(200*time.Millisecond))
	beside := func() (left, right string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.last.beside(b.width)
	}
	style := mpb.BarStyle().Lbound(" ").Filler("█").Tip("█").Padding("░").Rbound(" ")
	if _, isRender := s.(Update); isRender && b.width < 60 {
		style = mpb.BarStyle().Lbound("").Filler("").Tip("").Padding("").Rbound("")
	}
	b.line = b.group.New(0, style, mpb.BarWidth(22),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { left, _ := beside(); return left })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { _, right := beside(); return right })))
}

// beside omits parts on narrow terminals.
func (u Update) beside(width int) (left, right string) {
	right = fmt.Sprintf(" %d/%d  %s", u.Iter, u.Iters, rate(u.ItsPerSecond))
	room := width - 48 - len(right)
	end := "  " + eta(u.ETA)
	room -= len(end)
	if l := losses(u); len(l)+2 <= room {
		right += "  " + l
		room -= len(l) + 2
	} else if l := "loss " + Number(u.Loss); len(l)+2 <= room {
		right += "  " + l
		room -= len(l) + 2
	}
	right += end
	if m := Bytes(u.Memory); u.Memory > 0 && len(m)+2 <= room {
		right += "  " + m
	}
	return fmt.Sprintf("%s %d/%d  %dx%d ", u.what(), u.Scale, u.Scales, u.W, u.H), right
}

func (u Update) place() (at, of int64) { return int64(u.Iter), int64(u.Iters) }

func (b *bar) Update(s State) {
	b.mu.Lock()
	b.last = s
	b.mu.Unlock()
	if b.group == nil {
		b.open(s)
	}
	at, of := s.place()
	b.line.SetTotal(of, false)
	b.line.SetCurrent(at)
}

func (b *bar) say(text string) {
	text = ui.Printable(text) + "\n"
	if b.group != nil {
		// The text is written through mpb, so that it appears above the bar.
		if _, err := b.group.Write([]byte(text)); err == nil {
			return
		}
	}
	io.WriteString(b.w, text)
}

func (b *bar) Event(kind, message string, facts map[string]any) {
	switch kind {
	case Start:
		b.say(message)
	case Job: // only if a person must know
		if facts["state"] != "done" {
			b.say(message)
		}
	case Result:
		b.Close()
		b.say(message)
	case "warning":
		b.say("impasto: " + message)
	case "checkpoint", "writing":
		b.say(kind + ": " + message)
	}
}

// Close leaves the bar in its last state and releases the terminal.
func (b *bar) Close() {
	if b.group == nil {
		return
	}
	b.line.Abort(false)
	b.group.Wait()
	b.group = nil
}
