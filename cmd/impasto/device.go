package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

// device is what pictures are painted on.
type device struct {
	backend gpu.Backend
	others  []gpu.Backend // of the same kind, which share the tiles of a large picture
	info    *cuda.Info    // nil for the processor
	class   string        // for recipes: devices of one class give the same picture
	threads int           // of the processor; 0 where they do not matter
	reason  string        // why it was chosen
}

func (d device) String() string {
	what := d.backend.Name()
	for _, o := range d.others {
		what += "+" + o.Name()
	}
	if i := d.info; i != nil && d.threads == 0 {
		what += fmt.Sprintf(" %s, sm_%d%d, %s", i.Name, i.Major, i.Minor, progress.Bytes(i.Memory))
	}
	if d.threads > 0 {
		what += ", " + ui.Count(d.threads, "thread")
	}
	return fmt.Sprintf("%s (%s)", what, d.reason)
}

// memory is how many bytes can be had there, 0 where nobody says.
func (d device) memory() int64 {
	if d.info != nil {
		return d.info.Memory
	}
	return freeMemory()
}

// cudaDevices is how this program reaches CUDA devices. device_cuda.go sets it in
// builds with the tag cuda.
var cudaDevices *struct {
	list func() ([]cuda.Info, error) // the error says why there are none
	open func(n int) (cuda.Driver, error)
}

// listCUDA returns the CUDA devices, or says in a few words why there are none.
func listCUDA() ([]cuda.Info, string) {
	if cudaDevices == nil {
		return nil, "no CUDA in this build"
	}
	list, err := cudaDevices.list()
	switch {
	case err != nil:
		return nil, err.Error()
	case len(list) == 0:
		return nil, "no CUDA device found"
	}
	return list, ""
}

// cudaIndex is the N of "cuda:N", 0 for "cuda".
func cudaIndex(name string) (n int, ok bool) {
	text, ok := strings.CutPrefix(name, "cuda")
	if !ok || text == "" {
		return 0, ok
	}
	if text, ok = strings.CutPrefix(text, ":"); !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

// deviceNames are the devices of a list: "cuda:0,1" and "cuda:0,cuda:1" are two.
func deviceNames(list string) []string {
	names := strings.Split(list, ",")
	for i, n := range names[1:] {
		if _, err := strconv.Atoi(n); err == nil {
			names[i+1] = "cuda:" + n
		}
	}
	return names
}

// checkDevice finds out whether the devices that were asked for exist.
func checkDevice(list string) error {
	names := deviceNames(list)
	var bad ui.Faults
	for i, n := range names {
		if err := checkOneDevice(n); err != nil {
			return err
		}
		_, isCUDA := cudaIndex(n)
		_, first := cudaIndex(names[0])
		if len(names) > 1 && (isCUDA != first || !isCUDA && n != "emu") {
			bad.Add(ui.UsageFault(fmt.Sprintf("--device %s: several devices are CUDA devices", list), "--device cuda:0,1"))
			break
		}
		if isCUDA && slices.Contains(names[:i], n) {
			bad.Add(ui.UsageFault(fmt.Sprintf("--device %s names %s twice", list, n)))
		}
	}
	return bad.Err()
}

func checkOneDevice(name string) error {
	if n, ok := cudaIndex(name); ok {
		list, why := listCUDA()
		switch {
		case cudaDevices == nil:
			return ui.NewFault(ui.ExitDevice, "no_device", "no CUDA device: this build has no CUDA", "--device cpu", "impasto doctor")
		case why != "":
			return ui.NewFault(ui.ExitDevice, "no_device", "no CUDA device: "+why, "--device cpu", "impasto doctor")
		case n >= len(list):
			return ui.NewFault(ui.ExitDevice, "no_device", fmt.Sprintf("no device cuda:%d; there is %s", n, ui.Count(len(list), "CUDA device")), "--device cuda:0", "impasto devices")
		}
		return nil
	}
	switch name {
	case "", "auto", "cpu", "emu":
		return nil
	}
	f := ui.UsageFault(fmt.Sprintf("unknown device %q; there are auto, cpu, cuda, cuda:N and emu", name), "--device auto")
	if near := ui.Nearest(name, []string{"auto", "cpu", "cuda", "emu"}); near != "" {
		f.Try = []string{"--device " + near}
	}
	return f
}

// openDevice opens the devices of a list that checkDevice has passed; the first
// is where the picture lies.
func openDevice(list string, threads int) (device, error) {
	names := deviceNames(list)
	d, err := openOneDevice(names[0], threads)
	for _, n := range names[1:] {
		if err != nil {
			break
		}
		var other device
		if other, err = openOneDevice(n, threads); err == nil {
			d.others = append(d.others, other.backend)
		}
	}
	return d, err
}

// openOneDevice opens one. auto is the first CUDA device, or where there is
// none the processor.
func openOneDevice(name string, threads int) (device, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	reason := "asked for"
	if name == "" || name == "auto" {
		var list []cuda.Info
		name = "cpu"
		if list, reason = listCUDA(); len(list) > 0 {
			name, reason = "cuda:0", "the first CUDA device"
		}
	}
	if name == "cpu" {
		return device{backend: gpu.NewCPU(gpu.CPUOptions{Threads: threads}), class: "cpu", threads: threads, reason: reason}, nil
	}
	driver, err := openDriver(name, threads)
	if err != nil {
		return device{}, err
	}
	i := driver.Info()
	d := device{info: &i, class: fmt.Sprintf("cuda sm_%d%d", i.Major, i.Minor), reason: reason}
	if n, ok := cudaIndex(name); ok {
		name = fmt.Sprintf("cuda:%d", n)
	} else {
		d.class, d.threads, d.reason = "emu", threads, "asked for; a GPU in software, far slower than cpu"
	}
	d.backend = gpu.NewDevice(driver, gpu.DeviceOptions{Name: name})
	return d, deviceFault(d.backend.Err())
}

// openDriver opens emu or a CUDA device.
func openDriver(name string, threads int) (cuda.Driver, error) {
	n, ok := cudaIndex(name)
	if !ok {
		return emu.Open(emu.Options{Workers: threads}), nil
	}
	driver, err := cudaDevices.open(n)
	return driver, deviceFault(err)
}

// deviceFault gives a driver's error the form that is told; nil stays nil.
func deviceFault(err error) error {
	var e *cuda.Error
	if !errors.As(err, &e) {
		return err
	}
	f := ui.NewFault(ui.ExitDevice, "device_failed", e.Error(), "--device cpu", "impasto doctor")
	if e.Code == cuda.OutOfMemory {
		f.Code, f.Exit, f.Try = "out_of_memory", ui.ExitMemory, []string{"--size 256", "--history 5", "--device cpu"}
	}
	if e.Hint != "" {
		f.Try = append([]string{e.Hint}, f.Try[:2]...)
	}
	return f
}

// freeMemory is how many bytes can be had without swapping, 0 where the system
// does not say.
func freeMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				return kb * 1024
			}
		}
	}
	return 0
}
