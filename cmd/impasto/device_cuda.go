//go:build cuda && linux && cgo

package main

import (
	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/cu"
)

// CUDA devices are in builds with the tag cuda; such a build starts without a
// driver as well, and then says that there is none.
func init() {
	cudaDevices = &struct {
		list func() ([]cuda.Info, error)
		open func(n int) (cuda.Driver, error)
	}{cu.List, cu.Open}
}
