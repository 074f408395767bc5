package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Fault is one thing that is wrong, as the user reads it:
//
//	impasto: what is wrong, with the name and the number
//	  try: a way out, at most three of them
//
// Messages are lower case without a full stop, with quotes round the user's own
// text. They hold no Go types and no "failed to". With --json the same facts
// are one object per line on standard output. All faults of the input are
// printed together, before anything slow starts.
type Fault struct {
	Code    string   `json:"code"` // stable, for programs: "unknown_flag", "exists"
	Exit    int      `json:"exit"` // exit code of the process
	Message string   `json:"message"`
	Try     []string `json:"try,omitempty"`
	Silent  bool     `json:"-"` // was printed before; only the exit code counts
}

func (f *Fault) Error() string { return f.Message }

// NewFault returns a fault. tries are things to try, the most likely first.
func NewFault(exit int, code, message string, tries ...string) *Fault {
	return &Fault{Code: code, Exit: exit, Message: message, Try: tries}
}

// UsageFault returns a fault of the command line.
func UsageFault(message string, tries ...string) *Fault {
	return NewFault(ExitUsage, "usage", message, tries...)
}

// Faults are faults that are printed together. The first one decides the exit code.
type Faults []*Fault

func (fs Faults) Error() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.Message
	}
	return strings.Join(texts, "; ")
}

// Add appends the faults of err, if err is not nil.
func (fs *Faults) Add(err error) {
	if err != nil {
		*fs = append(*fs, FaultsOf(err)...)
	}
}

// Err returns fs as an error, or nil if there are no faults.
func (fs Faults) Err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

var classifiers []func(error) *Fault

// RegisterErrors adds a function that turns the errors of some packages into
// faults. It returns nil for an error that it does not know. RegisterErrors is
// called from init functions.
func RegisterErrors(classify func(error) *Fault) { classifiers = append(classifiers, classify) }

// FaultsOf returns the faults of an error. Errors joined by errors.Join give
// one fault each. An error that is no Fault becomes one through the registered
// functions or, where none of them knows it, through its own methods Try, Code
// and ExitCode, each optional.
func FaultsOf(err error) Faults {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all Faults
		for _, e := range joined.Unwrap() {
			all = append(all, FaultsOf(e)...)
		}
		return all
	}
	if many, ok := errors.AsType[Faults](err); ok {
		return many
	}
	if one, ok := errors.AsType[*Fault](err); ok {
		return Faults{one}
	}
	for _, classify := range classifiers {
		if f := classify(err); f != nil {
			return Faults{f}
		}
	}
	return Faults{selfDescribed(err)}
}

// selfDescribed makes a fault of the hints, code and exit code that an error itself
// returns.
func selfDescribed(err error) *Fault {
	if errors.Is(err, context.Canceled) {
		return NewFault(ExitInterrupted, "interrupted", "interrupted")
	}
	f := NewFault(ExitFailure, "failure", err.Error())
	var hinter interface{ Try() []string }
	if errors.As(err, &hinter) {
		f.Try = hinter.Try()
	}
	var coder interface{ Code() string }
	if errors.As(err, &coder) {
		f.Code = coder.Code()
	}
	var exiter interface{ ExitCode() int }
	if errors.As(err, &exiter) {
		f.Exit = exiter.ExitCode()
	}
	return f
}

// WithFlag changes the names that an error proposes into values of the flag that
// named the file.
func WithFlag(flag string, err error) error {
	if err == nil {
		return nil
	}
	all := FaultsOf(err)
	for _, f := range all {
		for i, name := range f.Try {
			if f.Code == "format" {
				f.Try[i] = flag + " " + ShellQuote(name)
			}
		}
	}
	return all
}

// Report prints the faults of err and returns the exit code of the process: to
// stderr as text or, with asJSON, to stdout as JSON lines.
func Report(stdout, stderr io.Writer, asJSON bool, err error) int {
	if err == nil {
		return ExitOK
	}
	all := FaultsOf(err)
	for _, f := range all {
		if f.Silent {
			continue
		}
		if asJSON {
			line, _ := json.Marshal(struct {
				Type string `json:"type"`
				*Fault
			}{"error", f})
			fmt.Fprintf(stdout, "%s\n", line)
			continue
		}
		fmt.Fprintf(stderr, "impasto: %s\n", Printable(f.Message))
		for _, t := range f.Try {
			fmt.Fprintf(stderr, "  try: %s\n", Printable(t))
		}
	}
	return all[0].Exit
}

// Reasons lists the message of an error and those of the errors it wraps, the
// outermost first, without repetitions.
func Reasons(err error) []string {
	var list []string
	for err != nil {
		if text := err.Error(); len(list) == 0 || list[len(list)-1] != text {
			list = append(list, text)
		}
		err = errors.Unwrap(err)
	}
	return list
}
