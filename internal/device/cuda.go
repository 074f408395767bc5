//go:build cuda && linux && cgo

package device

import (
	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/cu"
)

// A build with the tag cuda supports CUDA devices. It also starts without a driver,
// and then reports that there is none.
func init() {
	cudaDevices = &struct {
		list func() ([]cuda.Info, error)
		open func(n int) (cuda.Driver, error)
	}{cu.List, cu.Open}
}
