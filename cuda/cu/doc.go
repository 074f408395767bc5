// Package cu implements cuda.Driver with gorgonia.org/cu, which no other package
// imports. A small sidecar (sidecar.go) makes the calls that the library lacks:
// stream capture and graphs, larger shared memory, page-locked memory and error
// texts.
//
// It is built with the tag cuda, by cgo, against cuda.h of CUDA 11 or 12. CUDA 13
// changed calls that gorgonia.org/cu makes. It builds and starts without a driver
// (see package libcuda). It imports cuda and cuda/libcuda. Without the tag it is
// empty.
package cu
