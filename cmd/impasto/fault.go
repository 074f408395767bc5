package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// How Impasto speaks when something is wrong:
//
//   - "impasto: what is wrong, with the name and the number", then up to three
//     "  try: ..." lines. Lower case, no full stop, quotes round user text.
//   - No Go types, no stack, no "failed to".
//   - All faults of the input are told at once, before anything slow starts.
//   - With --json the same facts are one object per line on stdout.

// Exit codes. They are part of the interface: only ever added to.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitSomeFailed  = 3
	exitInput       = 4
	exitOutput      = 5
	exitWeights     = 10
	exitQueue       = 11
	exitDevice      = 12
	exitMemory      = 13
	exitDiverged    = 14
	exitMismatch    = 15
	exitInterrupted = 130
	exitTerminated  = 143
)

// exitTable is printed by help and by docs/cli.md's test.
var exitTable = []struct {
	code int
	what string
}{
	{exitOK, "done"},
	{exitFailure, "failure of another kind"},
	{exitUsage, "the command line or the configuration is wrong"},
	{exitSomeFailed, "a batch has ended and some of its jobs failed"},
	{exitInput, "an input is unreadable or inconsistent"},
	{exitOutput, "the output is refused or cannot be written"},
	{exitWeights, "weights are missing or bad"},
	{exitQueue, "the queue is in use or cannot be reached"},
	{exitDevice, "the device is not available"},
	{exitMemory, "there is not enough memory"},
	{exitDiverged, "the optimisation diverged"},
	{exitMismatch, "a comparison or a verification did not match"},
	{exitInterrupted, "interrupted; the work so far was saved"},
	{exitTerminated, "terminated; the work so far was saved"},
}

// fault is one thing that is wrong, told to the user.
type fault struct {
	Code    string   `json:"code"`
	Exit    int      `json:"exit"`
	Message string   `json:"message"`
	Try     []string `json:"try,omitempty"`
	silent  bool     // already told; only the exit code matters
}

func (f *fault) Error() string { return f.Message }

// newFault makes a fault; tries are ways out, most likely first.
func newFault(exit int, code, message string, tries ...string) *fault {
	return &fault{Code: code, Exit: exit, Message: message, Try: tries}
}

// usageFault is a fault of the command line.
func usageFault(message string, tries ...string) *fault {
	return newFault(exitUsage, "usage", message, tries...)
}

// faults are told together. The first one decides the exit code.
type faults []*fault

func (fs faults) Error() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.Message
	}
	return strings.Join(texts, "; ")
}

// add appends err, whatever its kind, if there is one.
func (fs *faults) add(err error) {
	if err != nil {
		*fs = append(*fs, toFaults(err)...)
	}
}

// err returns nil when there is nothing wrong.
func (fs faults) err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// toFaults brings any error into the form that is told. Errors of the
// packages below are given their exit codes in classify.
func toFaults(err error) faults {
	var many faults
	if errors.As(err, &many) {
		return many
	}
	var one *fault
	if errors.As(err, &one) {
		return faults{one}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all faults
		for _, e := range joined.Unwrap() {
			all = append(all, toFaults(e)...)
		}
		return all
	}
	return faults{classify(err)}
}

// tell writes the faults of err and returns the exit code of the process.
func tell(stdout, stderr io.Writer, asJSON bool, err error) int {
	if err == nil {
		return exitOK
	}
	all := toFaults(err)
	for _, f := range all {
		if f.silent {
			continue
		}
		if asJSON {
			line, _ := json.Marshal(struct {
				Type string `json:"type"`
				*fault
			}{"error", f})
			fmt.Fprintf(stdout, "%s\n", line)
			continue
		}
		fmt.Fprintf(stderr, "impasto: %s\n", f.Message)
		for _, t := range f.Try {
			fmt.Fprintf(stderr, "  try: %s\n", t)
		}
	}
	return all[0].Exit
}

// reasons lists the messages of an error and of those behind it, for -vv.
func reasons(err error) []string {
	var list []string
	for err != nil {
		if text := err.Error(); len(list) == 0 || list[len(list)-1] != text {
			list = append(list, text)
		}
		err = errors.Unwrap(err)
	}
	return list
}
