package emu

import (
	"testing"

	"github.com/impasto/impasto/kernels"
)

// TestShippedLoads loads every committed module: the device knows all of their
// instructions.
func TestShippedLoads(t *testing.T) {
	for _, target := range kernels.Targets {
		for _, name := range kernels.Names(target) {
			src, err := kernels.PTX(name, target)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(Options{}).Load(src); err != nil {
				t.Errorf("%s for compute_%d: %v", name, target, err)
			}
		}
	}
}
