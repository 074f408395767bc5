// Package cu is cuda.Driver over gorgonia.org/cu, which it alone imports, and a
// small sidecar (sidecar.go) for the calls that library lacks: stream capture and
// graphs, larger shared memory, page-locked memory and error texts.
//
// It is built with the tag cuda, by cgo, against cuda.h of CUDA 11 or 12; CUDA 13
// changed calls that gorgonia.org/cu makes. No driver is needed to build or start:
// see package libcuda. It imports cuda and cuda/libcuda. Without the tag it is
// empty.
package cu
