package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Plan says what Run will do.
type Plan struct {
	Mode          style.Mode
	Header        string // what was chosen and why, in one line
	Device        string // its class
	Threads       int
	Reason        string // why the device was chosen
	W, H          int
	Scales        []style.Scale
	Iterations    int
	Seconds       float64 // from the start of the command to its end; 0 if unknown
	PeakBytes     int64
	Memory        []style.MemoryPart
	Tile          string
	Checkpoints   []int // layers whose activations are kept, for a picture divided by layers
	Weights       string
	WeightsReason string
	Content       string
	Styles        []string
	Files         []FileRead
	Output        string
	Skips         bool   // the output exists and stays as it is
	Recipe        string // its hash
	Options       style.Options
	Notes         []string // what the user should know of the inputs
}

// Facts returns the plan as named values, for programs.
func (p Plan) Facts() map[string]any {
	return map[string]any{
		"mode": p.Mode, "device": p.Device, "threads": p.Threads, "reason": p.Reason,
		"width": p.W, "height": p.H, "scales": p.Scales, "iterations": p.Iterations,
		"seconds": p.Seconds, "peak_bytes": p.PeakBytes, "tile": p.Tile, "checkpoints": p.Checkpoints, "weights": p.Weights,
		"weights_reason": p.WeightsReason, "content": p.Content, "styles": p.Styles, "output": p.Output,
		"recipe": p.Recipe, "seed": p.Options.Seed, "notes": p.Notes,
	}
}

// FileRead is a file that was read.
type FileRead struct {
	Role   string `json:"role"`
	Path   string `json:"path"`
	W, H   int    `json:"-"`
	Format string `json:"-"`
}

// Plan returns what Run will do.
func (r *Prepared) Plan() Plan {
	p := Plan{
		Mode: r.Request.Mode, Device: r.device.Class, Threads: r.device.Threads, Reason: r.device.Reason,
		W: r.plan.W(), H: r.plan.H(), Scales: r.plan.Scales, Iterations: r.plan.Iterations(),
		Seconds: r.seconds(), PeakBytes: r.plan.PeakBytes, Tile: r.plan.Tile.String(), Checkpoints: r.plan.Cut.Ends,
		Weights: r.network.Name, WeightsReason: r.source.Why, Styles: []string{}, Output: r.out.path, Skips: r.out.skip,
		Recipe:  r.recipe.Hash(),
		Options: r.values.Options, Memory: r.plan.Memory, Header: r.header(), Notes: append([]string{}, r.Notes...),
	}
	for _, f := range r.files {
		p.Files = append(p.Files, FileRead{f.role, f.path, f.picture.W, f.picture.H, f.info.Format.String()})
		switch f.role {
		case "style":
			p.Styles = append(p.Styles, f.path)
		case "content":
			p.Content = f.path
		}
	}
	return p
}

// startSeconds is the time in which the program starts, on a Zen 3.
const startSeconds = 0.03

// writeSeconds returns the time to encode and write a picture of w x h pixels as PNG, on
// one thread of a Zen 3.
func writeSeconds(w, h int) float64 { return 150e-9 * float64(w*h) }

// seconds estimates the time from the start of the command to its end. What was
// prepared until now is part of it, and was measured.
func (r *Prepared) seconds() float64 {
	if r.plan.Seconds == 0 {
		return 0
	}
	return startSeconds + r.took.Seconds() + r.plan.Seconds + writeSeconds(r.plan.W(), r.plan.H())
}

// header says in one line what was chosen and why.
func (r *Prepared) header() string {
	size := fmt.Sprintf("%dx%d", r.plan.W(), r.plan.H())
	if w, h := r.plan.Canvas(); w > r.plan.W() || h > r.plan.H() {
		size += fmt.Sprintf(" (painted at %dx%d)", w, h)
	}
	parts := []string{r.device.String(), size, ui.Count(len(r.plan.Scales), "scale")}
	if s := r.seconds(); s > 0 {
		parts = append(parts, "~"+progress.Span(time.Duration(s*float64(time.Second))))
	}
	if cut := r.plan.Cut.String(); cut != "" {
		parts = append(parts, cut)
	}
	if r.plan.PeakBytes > 0 {
		parts = append(parts, progress.Bytes(r.plan.PeakBytes))
	}
	weights := "weights " + r.network.Name
	if r.source.Builtin == "mini" && r.source.Why != "asked for" {
		weights += " (VGG-19 is not installed)"
	}
	return strings.Join(append(parts, weights), " · ")
}
