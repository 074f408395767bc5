package main

import (
	"context"
	"errors"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// What errors of the packages below may say of themselves.
type (
	hinter interface{ Try() []string }
	exiter interface{ ExitCode() int }
	coder  interface{ Code() string }
)

// classify gives an error of a package below its exit code and hints.
func classify(err error) *fault {
	var lost *fault
	if errors.As(deviceFault(err), &lost) {
		return lost
	}
	f := newFault(exitFailure, "failure", err.Error())
	var h hinter
	if errors.As(err, &h) {
		f.Try = h.Try()
	}
	var c coder
	if errors.As(err, &c) {
		f.Code = c.Code()
	}
	var x exiter
	var pe *picture.Error
	var ce *config.Error
	switch {
	case errors.As(err, &x):
		f.Exit = x.ExitCode()
	case errors.As(err, &pe):
		f.Code, f.Exit = pe.Code, exitInput
		if pe.Kind == picture.Output {
			f.Exit = exitOutput
		}
	case errors.As(err, &ce):
		f.Code, f.Exit = "config", exitUsage
	case errors.Is(err, context.Canceled):
		f.Code, f.Exit, f.Message = "interrupted", exitInterrupted, "interrupted"
	}
	return f
}

// optionFaults brings style's problems into the form that is told.
func optionFaults(err error) faults {
	var problems style.Problems
	if !errors.As(err, &problems) {
		if err == nil {
			return nil
		}
		return toFaults(err)
	}
	var all faults
	for _, p := range problems {
		all = append(all, newFault(exitUsage, "bad_option", p.Message, p.Try...))
	}
	return all
}
