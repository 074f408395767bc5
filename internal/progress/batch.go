package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Batch is how the jobs of a batch stand together.
type Batch struct {
	Total, Done, Failed, Running int
	Fraction                     float64       // of all the work, 0..1, with what runs counted in part
	ETA                          time.Duration // negative while unknown
	Text                         string        // what runs, in a few words
}

// BatchReporter receives what happens during a batch, from one goroutine.
type BatchReporter interface {
	Start(header string, facts map[string]any)
	Update(Batch)
	// Job tells that a job has ended; facts are the same by name.
	Job(message string, facts map[string]any)
	Event(kind, message string, facts map[string]any)
	Result(message string, facts map[string]any)
	Close()
}

// NewBatch returns the reporter that o asks for. Its kinds are those of New.
func NewBatch(w io.Writer, o Options) BatchReporter {
	kind := o.Kind
	if kind == "auto" || kind == "" {
		kind = "plain"
		if o.Terminal {
			kind = "bar"
		}
	}
	switch {
	case kind == "json":
		return batchJSON{&jsonLines{w: w, now: time.Now}}
	case o.Quiet || kind == "none":
		return batchNone{none{w: w}}
	case kind == "bar":
		return &batchBar{bar: *newBar(w, o)}
	}
	return &batchPlain{plain: plain{w: w, now: time.Now}}
}

// counts renders "12/48 done  1 failed".
func (b Batch) counts() string {
	s := fmt.Sprintf("%d/%d done", b.Done, b.Total)
	if b.Failed > 0 {
		s += fmt.Sprintf("  %d failed", b.Failed)
	}
	return s
}

type batchNone struct{ none }

func (batchNone) Update(Batch)               {}
func (batchNone) Job(string, map[string]any) {}

// batchJSON adds the types "batch" and "job" to those of a render.
type batchJSON struct{ *jsonLines }

func (j batchJSON) Update(b Batch) {
	object := map[string]any{"total": b.Total, "done": b.Done, "failed": b.Failed, "running": b.Running, "fraction": finite(b.Fraction)}
	if b.ETA >= 0 {
		object["eta_s"] = b.ETA.Seconds()
	}
	j.write("batch", object, nil)
}

func (j batchJSON) Job(message string, facts map[string]any) {
	j.write("job", facts, map[string]any{"message": message})
}

// batchPlain writes a line for each job that ends, and one every half minute
// in between.
type batchPlain struct {
	plain
	told time.Time
	last Batch
}

const batchEvery = 30 * time.Second

func (p *batchPlain) Update(b Batch) {
	p.last = b
	if now := p.now(); p.told.IsZero() {
		p.told = now
	} else if now.Sub(p.told) >= batchEvery {
		p.told = now
		p.line("%s  %s  %s", b.counts(), eta(b.ETA), b.Text)
	}
}

func (p *batchPlain) Job(message string, _ map[string]any) {
	p.told = p.now()
	p.line("%s  %s  %s", p.last.counts(), eta(p.last.ETA), message)
}

// batchBar is one line that is redrawn in place:
//
//	██████░░░░░░░░  12/48 done  1 failed  eta 4:10  coast 45 %
type batchBar struct {
	bar
	mu   sync.Mutex // guards now: mpb draws from its own goroutine
	now  Batch
	line *mpb.Bar
}

// batchSteps is how finely the bar moves.
const batchSteps = 1000

func (b *batchBar) open() {
	width := b.options.Width
	if width <= 0 {
		width = 80
	}
	b.group = mpb.New(mpb.WithOutput(b.w), mpb.WithAutoRefresh(), mpb.WithWidth(width), mpb.WithRefreshRate(200*time.Millisecond))
	style := mpb.BarStyle().Lbound(" ").Filler("█").Tip("█").Padding("░").Rbound(" ")
	b.line = b.group.New(batchSteps, style, mpb.BarWidth(22), mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now.tail(width - 24)
	})))
	b.bar.line = b.line
}

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

func (b *batchBar) Update(u Batch) {
	b.mu.Lock()
	b.now = u
	b.mu.Unlock()
	if b.group == nil {
		b.open()
	}
	// One below the end: a bar that is full is closed, and comes to be full
	// only when all is told.
	b.line.SetCurrent(min(int64(u.Fraction*batchSteps), batchSteps-1))
}

// Job prints a line above the bar only if a person must know.
func (b *batchBar) Job(message string, facts map[string]any) {
	if facts["state"] != "done" {
		b.say("%s", message)
	}
}
