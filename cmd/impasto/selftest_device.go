package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/kernels"
)

// The doctor's self-test of a device with kernels: each operation, in each form
// that has a kernel of its own, on the device and on the processor. It finds a
// driver that compiles the kernels wrongly or a device that computes wrongly.

// checkDriver opens the device called name and tests it.
func checkDriver(name string) []finding {
	d, err := openDriver(name, runtime.GOMAXPROCS(0))
	if err != nil {
		f := ui.FaultsOf(err)[0]
		return []finding{{State: "problem", What: "device", Text: name + ": " + f.Message, Fix: strings.Join(f.Try, "; ")}}
	}
	i, driver := d.Info(), &launchLog{d, map[string]bool{}}
	b := gpu.NewDevice(driver, gpu.DeviceOptions{Name: name})
	defer b.Close()
	all := []finding{
		{State: "ok", What: "device", Text: fmt.Sprintf("%s: %s, sm_%d%d, %s, driver API %d.%d",
			b.Name(), i.Name, i.Major, i.Minor, progress.Bytes(i.Memory), i.Driver/1000, i.Driver%1000/10)},
		{State: "ok", What: "ptx", Text: fmt.Sprintf("%s: kernels for compute_%d of %s", b.Name(), b.Target(), targets())},
	}
	return append(all, checkKernels(b, driver)...)
}

// targets names the compute capabilities there is PTX for.
func targets() string {
	var names []string
	for _, t := range kernels.Targets {
		names = append(names, fmt.Sprintf("compute_%d", t))
	}
	return strings.Join(names, ", ")
}

// launchLog is a driver that notes which kernels were launched.
type launchLog struct {
	cuda.Driver
	launched map[string]bool
}

func (l *launchLog) Unwrap() cuda.Driver { return l.Driver }

func (l *launchLog) Launch(k cuda.Kernel, grid, block cuda.Dim3, shared int, args *cuda.Args) error {
	l.launched[k.Signature().Name] = true
	return l.Driver.Launch(k, grid, block, shared, args)
}

// checkKernels runs every check on b and on the processor.
func checkKernels(b *gpu.Device, log *launchLog) []finding {
	cpu := gpu.NewCPU(gpu.CPUOptions{})
	defer cpu.Close()
	var all []finding
	for _, c := range deviceChecks {
		worst := c.worst(b, cpu)
		if err := b.Err(); err != nil {
			return append(all, finding{State: "problem", What: "self-test", Text: c.name + ": " + ui.FaultsOf(err)[0].Message})
		}
		if !(worst <= 1e-4) {
			all = append(all, finding{State: "problem", What: "self-test", Fix: "--device cpu",
				Text: fmt.Sprintf("%s on %s is off by %.2g of its largest value", c.name, b.Name(), worst)})
		}
	}
	if worst, err := checkColours(log, b.Target()); err != nil || !(worst <= 1e-4) {
		all = append(all, finding{State: "problem", What: "self-test", Text: fmt.Sprintf("colour transforms on %s are off by %.2g (%v)", b.Name(), worst, err)})
	}
	total, missing := 0, []string{}
	for _, module := range kernels.Names() {
		text, err := kernels.PTX(module, b.Target())
		if err != nil {
			return append(all, finding{State: "problem", What: "ptx", Text: err.Error()})
		}
		headers, err := cuda.Signatures(text)
		if err != nil {
			return append(all, finding{State: "problem", What: "ptx", Text: err.Error()})
		}
		for name := range headers {
			if total++; !log.launched[name] {
				missing = append(missing, name)
			}
		}
	}
	if len(all) > 0 {
		return all
	}
	f := finding{State: "ok", What: "self-test", Text: fmt.Sprintf("%s: %d of %d kernels agree with the CPU", b.Name(), total-len(missing), total)}
	if len(missing) > 0 {
		slices.Sort(missing)
		f.State = "note"
		f.Text += "; not run: " + strings.Join(missing, ", ")
	}
	return []finding{f}
}

// checkColours runs the colour transforms, which no operation of a backend
// needs, and returns their largest error: b = 2 (a + 3) + 4 by colour_matrix,
// then a's colours with the luma (BT.601) of that by keep_colours.
func checkColours(d cuda.Driver, target int) (worst float64, err error) {
	text, err := kernels.PTX("colour", target)
	if err != nil {
		return 0, err
	}
	m, err := d.Load(text)
	if err != nil {
		return 0, err
	}
	const pixels, image = 300, 4 * 3 * 300 // more than a block; bytes
	a, err := d.Alloc(2*image + 4*15)
	if err != nil {
		return 0, err
	}
	b, params := a+image, a+2*image
	values := make([]float32, 3*pixels)
	for i := range values {
		values[i] = float32(i % 97)
	}
	rawValues, _ := binary.Append(nil, binary.LittleEndian, values)
	rawParams, _ := binary.Append(nil, binary.LittleEndian, []float32{2, 0, 0, 0, 2, 0, 0, 0, 2, 3, 3, 3, 4, 4, 4})
	run := func(name string, args *cuda.Args) error {
		k, err := m.Kernel(name)
		if err != nil {
			return err
		}
		return d.Launch(k, cuda.Dim3{X: (pixels + 255) / 256}, cuda.Dim3{}, 0, args.Int(pixels))
	}
	raw := make([]byte, image)
	err = errors.Join(d.Upload(a, rawValues), d.Upload(params, rawParams),
		run("colour_matrix", new(cuda.Args).Ptr(b).Ptr(a).Ptr(params)),
		run("keep_colours", new(cuda.Args).Ptr(b).Ptr(a)),
		d.Download(raw, b), d.Free(a), m.Unload())
	for i, v := range values {
		rgb := values[i/3*3:]
		want := float64(v) + 10 // the luma of 2 (a + 3) + 4 less that of a is luma(a) + 10
		for c, weight := range []float64{0.299, 0.587, 0.114} {
			want += weight * float64(rgb[c])
		}
		got := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		if e := math.Abs(float64(got)/want - 1); !(e <= worst) {
			worst = e
		}
	}
	return worst, err
}
