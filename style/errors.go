package style

import (
	"fmt"
	"strings"
)

// OptionError is one fault of an Options, or of an input that an option needs.
type OptionError struct {
	Option string // JSON name of the option, or of the input: "content", "style", "map"
	Value  any    // its value; nil if something is missing
	Reason string // what is wrong, as a complete message
	Try    []Suggestion
}

func (e *OptionError) Error() string { return e.Reason }

// Suggestion is a value of an option that may help.
type Suggestion struct {
	Option string // JSON name
	Value  string // as text
	Note   string // the effect, such as the memory that remains; may be ""
}

func (s Suggestion) String() string {
	text := s.Option + " " + s.Value
	if s.Note != "" {
		text += " (" + s.Note + ")"
	}
	return text
}

// Problems are all the faults that were found, reported at once.
type Problems []*OptionError

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, q := range p {
		lines[i] = q.Reason
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults one by one, for errors.As.
func (p Problems) Unwrap() []error {
	all := make([]error, len(p))
	for i, q := range p {
		all[i] = q
	}
	return all
}

// err returns p as an error, or nil if there is no fault.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// MemoryError says that a plan does not fit.
type MemoryError struct {
	W, H       int
	Need, Have int64  // bytes without tiles, and the limit
	Tiled      int64  // least bytes with tiles; 0: not tried
	Fits       string // the largest size that would fit, "" if none

	Try []Suggestion
}

func (e *MemoryError) Error() string {
	need := gigabytes(e.Need) + " of memory"
	if e.Tiled > 0 {
		need += " untiled and at least " + gigabytes(e.Tiled) + " tiled"
	}
	return fmt.Sprintf("%dx%d needs %s; the limit is %s", e.W, e.H, need, gigabytes(e.Have))
}

// DivergedError says that the loss stopped being finite and going back did not
// help. The Result beside it holds the last good picture.
type DivergedError struct {
	Scale, Iteration int
	Try              []Suggestion
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the loss became NaN at scale %d, iteration %d", e.Scale, e.Iteration)
}
