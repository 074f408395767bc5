package style

import "time"

// Losses are the terms of the objective at one evaluation, weights included:
// Total = Content + Style + Patch + Temporal + TV (without TV if tv-in-loss is false).
// Normalising gradients does not change these values.
type Losses struct {
	Content  float64     `json:"content"`
	Style    float64     `json:"style"`
	Patch    float64     `json:"patch,omitempty"`    // patches and analogy
	Temporal float64     `json:"temporal,omitempty"` // distance from the frame before
	TV       float64     `json:"tv"`
	Total    float64     `json:"total"`
	Layers   []LayerLoss `json:"layers,omitempty"`
}

// LayerLoss is one layer's part of Content, Style or Patch.
type LayerLoss struct {
	Term  string  `json:"term"` // "content", "style", "patch" or "analogy"
	Layer string  `json:"layer"`
	Loss  float64 `json:"loss"`
}

// Event reports the progress of a run. Progress functions are called from the loop
// that paints, at most ten times a second; painting waits while they run.
type Event struct {
	Scale, Scales         int // from 1
	W, H                  int // of this scale, in pixels
	Iteration, Iterations int // done and planned, in this scale
	Done, Planned         int // the same over all scales
	Losses                Losses
	PerSecond             float64       // iterations a second, at this scale
	ETA                   time.Duration // to the end of the run; 0 while unknown
	Elapsed               time.Duration
	Bytes                 int64  // memory held for this scale
	Notice                string // something unusual that the run did, such as going back after a NaN; "" otherwise

	// Snapshot copies the picture as it is now. It may be called only until the
	// progress function returns.
	Snapshot func() *Picture
}

// Sample is a point of the history: the losses at an iteration of a scale.
type Sample struct {
	Scale     int     `json:"scale"`
	Iteration int     `json:"iteration"`
	Seconds   float64 `json:"seconds"` // since the start
	Losses    Losses  `json:"losses"`
}

// Result is a finished picture, or the unfinished one of a run that was
// cancelled or diverged.
type Result struct {
	Picture    *Picture
	Options    Options // with every automatic value made concrete, so that they repeat the run
	Plan       Plan
	Iterations int // done, over all scales
	Losses     Losses
	History    []Sample // for each scale the first iteration, about every tenth, and the last
	Rollbacks  int      // evaluations thrown away because they were not finite
	Elapsed    time.Duration
	Iterating  time.Duration    // time in the iterations of this process, without the work before and between scales
	Patches    []Correspondence // where patches came from, by layer; none without patches
}
