package emu_test

import (
	"bytes"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/drivertest"
	"github.com/impasto/impasto/cuda/emu"
)

func TestDriver(t *testing.T) {
	drivertest.Run(t, func(*testing.T) cuda.Driver { return emu.Open(emu.Options{}) })
}

// TestDriverWithDebug holds the decorator to the same contract.
func TestDriverWithDebug(t *testing.T) {
	drivertest.Run(t, func(*testing.T) cuda.Driver { return cuda.Debug(emu.Open(emu.Options{}), new(bytes.Buffer)) })
}
