// Package libcuda is our own libcuda: it defines the cu* symbols that
// gorgonia.org/cu and the sidecar in cuda/cu refer to, and decides only at run
// time what answers them. So one binary, built with the tag cuda, starts on every
// machine:
//
//	libcuda.so.1, where there is a driver and a device
//	cuda/emu, the software device, where $IMPASTO_CUDA is emu or the program calls Emulate
//	nothing: there are no devices, and Reason says why
//
// gorgonia.org/cu calls cuInit in its init and ends the process if that fails.
// Our cuInit therefore always succeeds; Bound and Reason say what it found.
//
// symbols.h is the table of symbols, written by `go generate`. Each is one jump
// (stubs.S) through one pointer (bind.c). link/libcuda.a is an archive with
// nothing in it, which lets -lcuda of gorgonia.org/cu resolve where no driver is
// installed. The symbols are hidden, so the real library never binds to ours.
//
// The package needs cgo but no CUDA header, on Linux for amd64 and arm64. It
// imports cuda and cuda/emu. Without the tag it is empty.
package libcuda
