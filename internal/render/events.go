package render

import (
	"strings"
	"time"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/style"
)

// Observer receives events while a picture is painted. The painting loop calls it
// and waits for it to return. A nil Observer receives nothing.
type Observer func(Event)

// Event is one of the types below.
type Event interface{ event() }

// Started is sent once, before the first iteration.
type Started struct{ Plan Plan }

// Warning is something that the user should know. The render continues.
type Warning struct {
	Text string
	// Repeats marks a warning of the optimisation that may be repeated at every
	// iteration.
	Repeats bool
}

// Progress is sent after iterations, at most about ten times a second. Snapshot
// returns the current picture. It may be called until the observer returns.
type Progress struct {
	style.Event
	Terms  []progress.Term
	Output string
	// Save writes the current picture to the output, with its recipe.
	Save func() error
}

// FrameSaved is sent for each picture of --save-every. An error such as a full disk
// does not end the render, and Err holds it.
type FrameSaved struct {
	Path string
	Err  error
}

// CheckpointSaved is sent when a checkpoint is completely written to the disk.
type CheckpointSaved struct{ Path string }

// Writing is sent while a picture is written, if that takes long. It is also sent
// while a film is made of its frames, without a number of rows.
type Writing struct {
	Path     string
	Rows, Of int
}

// Finished is sent when the picture and all that belongs to it are written, even if
// the render ended early.
type Finished struct{ Result *Result }

// FilmStarted is sent once, before the first frame is painted.
type FilmStarted struct{ Plan FilmPlan }

// FrameProgress is sent after iterations of a frame of a film.
type FrameProgress struct {
	style.Event
	Frame, Frames int           // from 1
	ETA           time.Duration // of the film; negative while unknown
	Terms         []progress.Term
}

// FramePainted is sent when a frame is painted and saved.
type FramePainted struct {
	Frame   int // from 1
	Path    string
	Took    time.Duration
	Flicker float64 // distance from the previous frame, in levels of 255; NaN for the first of a shot
}

// FilmFinished is sent once the film is written.
type FilmFinished struct{ Result *FilmResult }

func (FilmStarted) event()     {}
func (FrameProgress) event()   {}
func (FramePainted) event()    {}
func (FilmFinished) event()    {}
func (Started) event()         {}
func (Warning) event()         {}
func (Progress) event()        {}
func (FrameSaved) event()      {}
func (CheckpointSaved) event() {}
func (Writing) event()         {}
func (Finished) event()        {}

func (o Observer) send(e Event) {
	if o != nil {
		o(e)
	}
}

// Result is the outcome of a render. Its JSON form is the result that commands
// print and jobs store.
type Result struct {
	Output     string       `json:"output"`
	W          int          `json:"width"`
	H          int          `json:"height"`
	Iterations int          `json:"iterations"`
	Seconds    float64      `json:"seconds"`
	Iterating  float64      `json:"iterating"` // seconds of Seconds spent in iterations
	Losses     style.Losses `json:"losses"`
	Weights    string       `json:"weights"`
	Device     string       `json:"device"`    // its class
	Precision  string       `json:"precision"` // of features: "f32", "f16" or "bf16"
	Seed       uint64       `json:"seed"`
	Recipe     string       `json:"recipe"` // its hash
	Report     string       `json:"report,omitempty"`
	Explain    string       `json:"explain,omitempty"` // directory
	Stopped    string       `json:"stopped,omitempty"` // why it ended early

	Picture     *style.Picture `json:"-"`
	Explanation []string       `json:"-"` // sentences about where patches came from
}

// lossTerms lists the terms of the loss of a render.
func lossTerms(l style.Losses) []progress.Term {
	list := []progress.Term{{Name: "style", Value: l.Style}, {Name: "content", Value: l.Content}, {Name: "tv", Value: l.TV}}
	if l.Temporal > 0 {
		list = append(list, progress.Term{Name: "temporal", Value: l.Temporal})
	}
	if l.Patch > 0 {
		list = append([]progress.Term{{Name: "patch", Value: l.Patch}}, list...)
	}
	return list
}

// LossText writes the terms of a loss with their names.
func LossText(l style.Losses, separator string) string {
	var words []string
	for _, t := range lossTerms(l) {
		words = append(words, t.Name+" "+progress.Number(t.Value))
	}
	return strings.Join(words, separator)
}

// finiteLosses replaces values that JSON cannot express by 0. The exit code says
// that a run diverged.
func finiteLosses(l style.Losses) style.Losses {
	for _, v := range []*float64{&l.Content, &l.Style, &l.Patch, &l.Temporal, &l.TV, &l.Total} {
		if recipe.Finite(*v) == nil {
			*v = 0
		}
	}
	layers := make([]style.LayerLoss, len(l.Layers))
	for i, v := range l.Layers {
		if recipe.Finite(v.Loss) == nil {
			v.Loss = 0
		}
		layers[i] = v
	}
	l.Layers = layers
	return l
}
