package selftest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/kernels"
)

// Device compares each operation of a device with the CPU's, in each form that
// has a kernel of its own. It finds a driver that compiles the kernels wrongly
// and a device that computes wrongly. name is the device's for --device. In half
// precision it says nothing of the device itself.
func Device(name string, d cuda.Driver, p gpu.Precision) []Finding {
	return WithOptions(name, d, gpu.DeviceOptions{Precision: p})
}

// WithOptions is Device with either form of half's convolutions.
func WithOptions(name string, d cuda.Driver, o gpu.DeviceOptions) []Finding {
	i, driver := d.Info(), &launchLog{d, map[string]bool{}}
	o.Name = name
	b := gpu.NewDevice(driver, o)
	defer b.Close()
	if err := b.Err(); err != nil {
		return []Finding{{State: Problem, What: "device", Text: ui.FaultsOf(err)[0].Message}}
	}
	if o.Precision == gpu.Half { // the check in single precision describes the device
		return checkKernels(b, driver)
	}
	all := []Finding{
		{State: OK, What: "device", Text: fmt.Sprintf("%s: %s, sm_%d%d, %s, driver API %d.%d",
			b.Name(), i.Name, i.Major, i.Minor, progress.Bytes(i.Memory), i.Driver/1000, i.Driver%1000/10)},
		{State: OK, What: "ptx", Text: fmt.Sprintf("%s: kernels for compute_%d of %s", b.Name(), b.Target(), targets())},
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
func checkKernels(b *gpu.Device, log *launchLog) []Finding {
	cpu := gpu.NewCPU(gpu.CPUOptions{})
	defer cpu.Close()
	var all []Finding
	allowed, few := tolerance, 0.0
	if b.Precision() == gpu.Half {
		allowed, few = halfTolerance, halfFew
	}
	for _, c := range deviceChecks {
		if c.half && b.Precision() != gpu.Half {
			continue
		}
		worst := c.worst(b, cpu, log.Info().SMs, few)
		if err := b.Err(); err != nil {
			return append(all, Finding{State: Problem, What: "self-test", Text: c.name + ": " + ui.FaultsOf(err)[0].Message})
		}
		if !(worst <= allowed) {
			all = append(all, Finding{State: Problem, What: "self-test", Fix: "--device cpu",
				Text: fmt.Sprintf("%s on %s is off by %.2g of its largest value", c.name, b.Name(), worst)})
		}
	}
	if len(all) > 0 {
		return all
	}
	total, missing, err := log.missing(b)
	if err != nil {
		return []Finding{{State: Problem, What: "ptx", Text: err.Error()}}
	}
	f := Finding{State: OK, What: "self-test", Text: fmt.Sprintf("%s: %d of %d kernels agree with the CPU in %s precision", b.Name(), total-len(missing), total, b.Precision())}
	if len(missing) > 0 {
		slices.Sort(missing)
		f.State = Note
		f.Text = fmt.Sprintf("%s, the others were not run: %s", f.Text, strings.Join(missing, ", "))
	}
	return []Finding{f}
}

// missing counts the kernels there are for b and names those that were not
// launched. In half precision that is those that no other precision has, without
// the convolutions of the form that b does not use.
func (l *launchLog) missing(b *gpu.Device) (total int, names []string, err error) {
	for _, t := range kernels.Targets {
		if t > b.Target() {
			break
		}
		for _, module := range kernels.Names(t) {
			text, err := kernels.PTX(module, t)
			if err != nil {
				return 0, nil, err
			}
			signatures, err := cuda.Signatures(text)
			if err != nil {
				return 0, nil, err
			}
			for name := range signatures {
				if inHalf := t > kernels.Targets[0] || strings.Contains(name, "half") || name == "gradient_scale" || name == "to_single"; inHalf != (b.Precision() == gpu.Half) {
					continue
				}
				if strings.HasPrefix(name, "conv_half") && strings.HasSuffix(name, "_two") != (b.Stages() == 2) {
					continue
				}
				total++
				if !l.launched[name] {
					names = append(names, name)
				}
			}
		}
	}
	return total, names, nil
}
