//go:build cuda && linux && cgo

package main

import (
	"github.com/impasto/impasto/cuda/cu"
)

func init() { listDevices, openDriver = cu.List, cu.Open }
