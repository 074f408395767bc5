package vgg

import "fmt"

// Kind says which sort of trouble an Error is; the command maps it to its exit
// status (usage 2, everything about weights 10).
type Kind string

const (
	KindUsage     Kind = "usage"             // the request makes no sense
	KindMissing   Kind = "weights_missing"   // no such weights are installed
	KindDamaged   Kind = "weights_damaged"   // the file is not what it claims to be
	KindRefused   Kind = "weights_refused"   // a file we do not read, with a way out
	KindAmbiguous Kind = "weights_ambiguous" // the file does not say its channel order
	KindDownload  Kind = "weights_download"  // the network or the server failed
	KindStore     Kind = "weights_store"     // the directory of weights cannot be used
	KindCancelled Kind = "weights_cancelled" // the context was cancelled
)

// Error is a message for the person at the keyboard and what to try next.
type Error struct {
	Kind  Kind
	Msg   string
	Hints []string
	Err   error // the cause, if another error is behind it
}

func (e *Error) Error() string { return e.Msg }

// Try returns up to three ways out, each a command or a flag with a remark.
func (e *Error) Try() []string { return e.Hints }

func (e *Error) Unwrap() error { return e.Err }

// ExitCode returns the command's exit status for this error.
func (e *Error) ExitCode() int {
	switch e.Kind {
	case KindUsage:
		return 2
	case KindCancelled:
		return 130
	}
	return 10
}

// Code returns the stable word for this error in machine-readable output.
func (e *Error) Code() string { return string(e.Kind) }

func usageErrorf(hints []string, format string, args ...any) error {
	return &Error{Kind: KindUsage, Hints: hints, Msg: fmt.Sprintf(format, args...)}
}
