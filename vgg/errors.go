package vgg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
)

// Kind is the kind of an Error. The command maps it to its exit status (usage 2,
// everything about weights 10).
type Kind string

const (
	KindUsage     Kind = "usage"             // the request makes no sense
	KindMissing   Kind = "weights_missing"   // no such weights are installed
	KindDamaged   Kind = "weights_damaged"   // the file is not what it claims to be
	KindRefused   Kind = "weights_refused"   // a file that is not read; the hints say what to do
	KindAmbiguous Kind = "weights_ambiguous" // the file does not say its channel order
	KindDownload  Kind = "weights_download"  // the network or the server failed
	KindStore     Kind = "weights_store"     // the directory of weights cannot be used
	KindCancelled Kind = "weights_cancelled" // the context was cancelled
)

// Error is a message for the user, with hints on what to try next.
type Error struct {
	Kind  Kind
	Msg   string
	Hints []string
	Err   error // the cause, if another error is behind it
}

func (e *Error) Error() string { return e.Msg }

// Try returns up to three hints, each a command or a flag with a remark.
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

func refusedf(hints []string, format string, args ...any) error {
	return &Error{Kind: KindRefused, Hints: hints, Msg: fmt.Sprintf(format, args...)}
}

func checksumError(path, got, want string, hints []string) error {
	return &Error{Kind: KindDamaged, Hints: hints, Msg: fmt.Sprintf("weights %q: checksum is %s…, expected %s…; the file is incomplete or altered",
		filepath.Base(path), got[:min(8, len(got))], want[:min(8, len(want))])}
}

// A parseFault carries an error from any depth of a file's reader up to caught.
type parseFault struct{ error }

// fail stops the reader of a file with err, failf with a message. caught, deferred in
// the reader, makes that its error.
func fail(err error)                   { panic(parseFault{err}) }
func failf(format string, args ...any) { fail(fmt.Errorf(format, args...)) }

func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case parseFault:
		*err = r.error
	default:
		panic(r)
	}
}

// must returns a value that a reader needs. It fails the reader if there is an error.
func must[T any](v T, err error) T {
	if err != nil {
		fail(err)
	}
	return v
}

// predicate matches messages that continue a sentence which begins with the file's
// name, such as "is empty". The others begin with a part of the file, such as "tensor
// …".
var predicate = regexp.MustCompile(`^(is|was|has|holds|claims|ends|lists|keeps|uses|asks|makes|nests|unpacks|cannot|does|do) `)

// wrap puts the file's name in front of an error from inside the file, and makes it an
// Error.
func wrap(file string, err error) error {
	colon := ":"
	if predicate.MatchString(err.Error()) {
		colon = ""
	}
	out := &Error{Kind: KindDamaged, Msg: fmt.Sprintf("weights %q%s %v", file, colon, err), Err: err}
	var inner *Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		out.Kind, out.Msg = KindCancelled, fmt.Sprintf("stopped while weights %q were being read", file)
	case errors.As(err, &inner):
		out.Kind, out.Hints = inner.Kind, inner.Hints
	default:
		out.Hints = getVGG19 // it is incomplete or not what its name says
	}
	return out
}

// cause removes the operation and the path that package os puts before an error, since
// the messages of this package name the file themselves.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

var errNotAFile = errors.New("it is not a file")

// fileError returns the error for a file of weights that cannot be opened.
func fileError(path string, err error) error {
	e := &Error{Kind: KindRefused, Msg: fmt.Sprintf("weights %q cannot be read: %v", path, cause(err)), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Kind, e.Msg = KindMissing, fmt.Sprintf("weights %q do not exist", path)
		e.Hints = []string{"impasto weights ls   (what is installed)"}
	}
	return e
}
