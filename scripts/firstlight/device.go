package main

import (
	"errors"
	"os"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/timemodel"
	"github.com/impasto/impasto/vgg"
)

// errNoCUDA is what a program says that was built without the tag cuda.
var errNoCUDA = errors.New("this program was built without the tag cuda")

// listDevices and openDriver reach the CUDA devices; device_cuda.go sets them.
var (
	listDevices = func() ([]cuda.Info, error) { return nil, errNoCUDA }
	openDriver  = func(int) (cuda.Driver, error) { return nil, errNoCUDA }
)

// open returns the first CUDA device as a backend, under wrap.
func open(o gpu.DeviceOptions, wrap func(cuda.Driver) cuda.Driver) (*gpu.Device, error) {
	d, err := openDriver(0)
	if err != nil {
		return nil, err
	}
	if wrap != nil {
		d = wrap(d)
	}
	o.Name = "cuda:0"
	b := gpu.NewDevice(d, o)
	return b, b.Err()
}

// openRecorded is open with a log of what is launched.
func openRecorded(o gpu.DeviceOptions) (*gpu.Device, *timemodel.Recorder, error) {
	var log *timemodel.Recorder
	b, err := open(o, func(d cuda.Driver) cuda.Driver {
		log = &timemodel.Recorder{Driver: d}
		return log
	})
	return b, log, err
}

// withArt calls do with an iteration of bench.Art on the first device, and the log of
// what it launches.
func (c *child) withArt(side int, o gpu.DeviceOptions, do func(b *gpu.Device, log *timemodel.Recorder, work *bench.Work) error) error {
	network, err := c.network()
	if err != nil {
		return err
	}
	b, log, err := openRecorded(o)
	if err != nil {
		return err
	}
	defer b.Close()
	work, err := bench.Art(b, network, side)
	if err != nil {
		return err
	}
	return do(b, log, work)
}

// weightsFile is VGG19's where the folder has it.
const weightsFile = "weights/vgg19.safetensors"

// weightsName is what --weights takes.
func (c *child) weightsName() string {
	if _, err := os.Stat(weightsFile); err == nil && !c.toy {
		return weightsFile
	}
	return "mini"
}

// network is VGG19 with random weights, which take the same time; mini for toys.
func (c *child) network() (*vgg.Network, error) {
	if c.toy {
		return vgg.Mini()
	}
	return vgg.Random(1, "relu5_1")
}
