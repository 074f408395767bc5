package emu_test

import (
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/drivertest"
	"github.com/impasto/impasto/cuda/emu"
)

func TestDriver(t *testing.T) {
	drivertest.Run(t, func(*testing.T) cuda.Driver { return emu.Open(emu.Options{}) })
}
