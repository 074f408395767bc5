package progress

import (
	"fmt"
	"strings"
	"time"
)

// Batch is how the jobs of a batch stand together.
type Batch struct {
	Total, Done, Failed, Running int
	Fraction                     float64       // of all the work, 0..1, with what runs counted in part
	ETA                          time.Duration // negative while unknown
	Text                         string        // what runs, in a few words
}

// counts renders "12/48 done  1 failed".
func (b Batch) counts() string {
	s := fmt.Sprintf("%d/%d done", b.Done, b.Total)
	if b.Failed > 0 {
		s += fmt.Sprintf("  %d failed", b.Failed)
	}
	return s
}

func (b Batch) line() string { return b.with(b.Text) }

// with renders the counts, the time left and a text.
func (b Batch) with(text string) string { return b.counts() + "  " + eta(b.ETA) + "  " + text }

func (b Batch) object() (kind string, facts map[string]any) {
	facts = map[string]any{"total": b.Total, "done": b.Done, "failed": b.Failed, "running": b.Running, "fraction": finite(b.Fraction)}
	if b.ETA >= 0 {
		facts["eta_s"] = b.ETA.Seconds()
	}
	return "batch", facts
}

// batchSteps is how finely the bar moves.
const batchSteps = 1000

// place is one below the end at most: the bar comes to be full only when all is told.
func (b Batch) place() (at, of int64) {
	return min(int64(b.Fraction*batchSteps), batchSteps-1), batchSteps
}

func (b Batch) beside(width int) (left, right string) { return "", b.tail(width - 24) }

// tail is what stands right of the bar; the text is cut to the room there is.
func (b Batch) tail(room int) string {
	s := " " + b.counts() + "  " + eta(b.ETA)
	if room -= len(s) + 2; room > 8 && b.Text != "" {
		text := []rune(strings.TrimSpace(b.Text))
		if len(text) > room {
			text = append(text[:room-1], '…')
		}
		s += "  " + string(text)
	}
	return s
}
