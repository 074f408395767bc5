package progress

import (
	"fmt"
	"strings"
	"time"
)

// Batch is the progress of the jobs of a batch together.
type Batch struct {
	Total, Done, Failed, Running int
	Fraction                     float64       // of all the work, 0..1, including the done part of running jobs
	ETA                          time.Duration // negative while unknown
	Text                         string        // what is running, in a few words
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

// with returns the counts, the time left and a text.
func (b Batch) with(text string) string { return b.counts() + "  " + eta(b.ETA) + "  " + text }

func (b Batch) object() (kind string, facts map[string]any) {
	facts = map[string]any{"total": b.Total, "done": b.Done, "failed": b.Failed, "running": b.Running, "fraction": finite(b.Fraction)}
	if b.ETA >= 0 {
		facts["eta_s"] = b.ETA.Seconds()
	}
	return "batch", facts
}

// batchSteps is the number of steps of the bar.
const batchSteps = 1000

// place returns a position at least one step below the end, so that the bar is full
// only after the final report.
func (b Batch) place() (at, of int64) {
	return min(int64(b.Fraction*batchSteps), batchSteps-1), batchSteps
}

func (b Batch) beside(width int) (left, right string) { return "", b.tail(width - 24) }

// tail returns the text right of the bar, cut to the available width.
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
