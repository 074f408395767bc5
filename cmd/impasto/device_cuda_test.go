//go:build cuda && linux && cgo

package main

import (
	"debug/elf"
	"os"
	"strings"
	"testing"
)

// TestCUDAScripts runs the scripts of a build with the tag cuda.
func TestCUDAScripts(t *testing.T) { runScripts(t, "testdata/cuda") }

// TestNoDriverNeeded: this very program is linked with gorgonia.org/cu, and asks
// the system's loader for no CUDA library, nor shows it symbols of one.
func TestNoDriverNeeded(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil || len(libraries) == 0 {
		t.Fatal(libraries, err)
	}
	for _, l := range libraries {
		if strings.Contains(l, "cuda") {
			t.Errorf("the program needs %s", l)
		}
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if strings.HasPrefix(s.Name, "cuInit") || strings.HasPrefix(s.Name, "cuMem") {
			t.Errorf("the program shows or wants %s", s.Name)
		}
	}
}
