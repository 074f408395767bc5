package main

import (
	"errors"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

func init() { ui.RegisterErrors(classify) }

// classify gives errors of the driver, of pictures and of the configuration
// their codes and exit codes.
func classify(err error) *ui.Fault {
	var device *ui.Fault
	if errors.As(deviceFault(err), &device) {
		return device
	}
	var pe *picture.Error
	if errors.As(err, &pe) {
		exit := ui.ExitInput
		switch pe.Kind {
		case picture.Output:
			exit = ui.ExitOutput
		case picture.Memory:
			exit = ui.ExitMemory
		}
		return ui.NewFault(exit, pe.Code, err.Error(), pe.Try()...)
	}
	var ce *config.Error
	if errors.As(err, &ce) {
		return ui.NewFault(ui.ExitUsage, "config", err.Error())
	}
	return nil
}
