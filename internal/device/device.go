// Package device opens the devices that paint pictures: the processor, CUDA devices
// and the CUDA emulator, by the names that --device takes. Only this package knows
// which devices a build supports.
package device

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
	"github.com/impasto/impasto/kernels"
)

// Device is a device, or several of a kind, that paints pictures.
type Device struct {
	Backend gpu.Backend
	Others  []gpu.Backend // of the same kind, which share the tiles of a large picture
	Info    *cuda.Info    // nil for the processor
	Class   string        // for recipes: devices of one class give the same picture
	Threads int           // of the processor; 0 where they do not matter
	Reason  string        // why it was chosen

	Precision gpu.Precision // Half or Single

	drivers      []cuda.Driver // of the backend and the others; none for the processor
	instructions string        // of the processor in half precision
	without      error         // why they are not AMX
}

// String describes the device in a line, with the reason for its choice.
func (d Device) String() string {
	what := d.Backend.Name()
	for _, o := range d.Others {
		what += "+" + o.Name()
	}
	if i := d.Info; i != nil && d.Threads == 0 {
		what += fmt.Sprintf(" %s, sm_%d%d, %s", i.Name, i.Major, i.Minor, progress.Bytes(i.Memory))
	}
	if d.Precision == gpu.Half {
		what += ", half precision"
		if d.instructions != "" {
			what += " (bfloat16 by " + d.instructions + ")"
		}
	}
	if d.Threads > 0 {
		what += ", " + ui.Count(d.Threads, "thread")
	}
	return fmt.Sprintf("%s (%s)", what, d.Reason)
}

// Cost says what half precision does on a processor that does not use AMX, and why it
// does not; else "".
func (d Device) Cost() string {
	if d.instructions == "" || d.without == nil {
		return ""
	}
	return fmt.Sprintf("half precision without AMX saves memory, not time; AMX is not used, because %v", d.without)
}

// Memory returns how many bytes can be used on the device, or 0 if that is unknown.
// For a CUDA device it is what its driver reports as free, plus what this program
// already holds. For several devices it is the smallest value.
func (d Device) Memory() int64 {
	if d.Info == nil {
		return FreeMemory()
	}
	least := int64(0)
	for i, driver := range d.drivers {
		if n := obtainable(driver); i == 0 || n < least {
			least = n
		}
	}
	return least
}

// obtainable returns the memory of a device that this program holds or could
// allocate.
func obtainable(d cuda.Driver) int64 {
	all := d.Info().Memory
	reporter, ok := cuda.As[cuda.MemoryReporter](d)
	if !ok {
		return all
	}
	free, err := reporter.FreeMemory()
	if err != nil {
		return all
	}
	if meter, ok := cuda.As[cuda.Meter](d); ok {
		free += meter.Calls().Live
	}
	return min(free, all)
}

// MemoryText says how much memory of each device can be used. It returns "" for the
// processor.
func (d Device) MemoryText() string {
	var all []string
	for i, driver := range d.drivers {
		name := d.Backend.Name()
		if i > 0 {
			name = d.Others[i-1].Name()
		}
		all = append(all, fmt.Sprintf("%s of the %s of %s are free", progress.Bytes(obtainable(driver)), progress.Bytes(driver.Info().Memory), name))
	}
	return strings.Join(all, ", ")
}

// cudaDevices gives access to CUDA devices. cuda.go sets it in builds with the tag
// cuda.
var cudaDevices *struct {
	list func() ([]cuda.Info, error) // the error says why there are none
	open func(n int) (cuda.Driver, error)
}

// ListCUDA returns the CUDA devices, or says in a few words why there are none.
func ListCUDA() ([]cuda.Info, string) {
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

// CUDAIndex returns the N of "cuda:N", which is 0 for "cuda".
func CUDAIndex(name string) (n int, ok bool) {
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

// names returns the devices of a list: both "cuda:0,1" and "cuda:0,cuda:1" are two
// devices.
func names(list string) []string {
	names := strings.Split(list, ",")
	for i, n := range names[1:] {
		if _, err := strconv.Atoi(n); err == nil {
			names[i+1] = "cuda:" + n
		}
	}
	return names
}

// Check checks that the devices of a list exist and can run the kernels. It returns
// all that is wrong with the list.
func Check(list string) error {
	names := names(list)
	var bad ui.Faults
	add := func(f *ui.Fault) {
		if f != nil && !slices.ContainsFunc(bad, func(o *ui.Fault) bool { return o.Message == f.Message }) {
			bad = append(bad, f)
		}
	}
	if err := gpu.CheckCPU(); err != nil {
		add(ui.UsageFault(err.Error(), "unset IMPASTO_SIMD"))
	}
	_, first := CUDAIndex(names[0])
	for i, n := range names {
		add(checkOne(n))
		_, isCUDA := CUDAIndex(n)
		switch {
		case len(names) > 1 && (isCUDA != first || !isCUDA && n != "emu"):
			add(ui.UsageFault(fmt.Sprintf("--device %s: several devices are CUDA devices", list), "--device cuda:0,1"))
		case isCUDA && slices.Contains(names[:i], n):
			add(ui.UsageFault(fmt.Sprintf("--device %s names %s twice", list, n)))
		}
	}
	return bad.Err()
}

// checkOne returns what is wrong with one device of a list, or nil if nothing is.
func checkOne(name string) *ui.Fault {
	if n, ok := CUDAIndex(name); ok {
		list, why := ListCUDA()
		switch {
		case cudaDevices == nil:
			return ui.NewFault(ui.ExitDevice, "no_device", "no CUDA device: this build has no CUDA", "--device cpu", "impasto doctor")
		case why != "":
			return ui.NewFault(ui.ExitDevice, "no_device", "no CUDA device: "+why, "--device cpu", "impasto doctor")
		case n >= len(list):
			are := "is"
			if len(list) > 1 {
				are = "are"
			}
			return ui.NewFault(ui.ExitDevice, "no_device", fmt.Sprintf("no device cuda:%d; there %s %s", n, are, ui.Count(len(list), "CUDA device")), "--device cuda:0", "impasto devices")
		case capability(list[n]) < kernels.Targets[0]:
			return tooOld(n, list[n])
		case list[n].Driver < leastDriver:
			return oldDriver(n, list[n])
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

// Open opens the devices of a list that Check has accepted. The first one holds the
// picture. Precision Auto means half on CUDA devices with tensor cores for it, and
// single otherwise.
func Open(list string, threads int, p gpu.Precision) (Device, error) {
	names := names(list)
	d, err := openOne(names[0], threads, p)
	for _, n := range names[1:] {
		if err != nil {
			break
		}
		var other Device
		if other, err = openOne(n, threads, p); err == nil {
			d.Others, d.drivers = append(d.Others, other.Backend), append(d.drivers, other.drivers...)
		}
	}
	return d, err
}

// openOne opens one device. auto means the first CUDA device, or the processor if
// there is none.
func openOne(name string, threads int, p gpu.Precision) (Device, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	reason := "asked for"
	if name == "" || name == "auto" {
		var list []cuda.Info
		name = "cpu"
		if list, reason = ListCUDA(); len(list) > 0 {
			if n := firstUsable(list); n >= 0 {
				name, reason = fmt.Sprintf("cuda:%d", n), "the first CUDA device"
			} else if capability(list[0]) >= kernels.Targets[0] {
				reason = fmt.Sprintf("the driver of %s is older than CUDA %s", list[0].Name, cudaVersion(leastDriver))
			} else {
				reason = fmt.Sprintf("%s is older than compute capability 7.5", list[0].Name)
			}
		}
	}
	if name == "cpu" {
		return openCPU(threads, p, reason), nil
	}
	driver, err := OpenDriver(name, threads)
	if err != nil {
		return Device{}, err
	}
	i := driver.Info()
	d := Device{Info: &i, Class: fmt.Sprintf("cuda sm_%d%d", i.Major, i.Minor), Reason: reason, drivers: []cuda.Driver{driver}}
	if n, ok := CUDAIndex(name); ok {
		name = fmt.Sprintf("cuda:%d", n)
		if p == gpu.Auto && capability(i) >= halfFrom {
			p = gpu.Half
		}
	} else {
		d.Class, d.Threads, d.Reason = "emu", threads, "asked for; a GPU in software, far slower than cpu"
	}
	if d.Precision = gpu.Single; p == gpu.Half {
		d.Precision = gpu.Half
		d.Class += " half"
	}
	d.Backend = gpu.NewDevice(driver, gpu.DeviceOptions{Name: name, Precision: p})
	return d, Fault(d.Backend.Err())
}

// halfEdition follows the instructions in the class of a processor in half precision.
// It changes when the numbers do: in the first edition, which has no number, pictures
// were rounded more often, and in the second Gram matrices were summed in another order.
const halfEdition = ", edition 3"

func openCPU(threads int, p gpu.Precision, reason string) Device {
	d := Device{Class: "cpu", Threads: threads, Reason: reason, Precision: gpu.Single}
	if p == gpu.Half {
		d.Precision = gpu.Half
		d.instructions, d.without = cpuHalf()
		d.Class += " " + d.instructions + halfEdition // they sum in another order, so the bytes differ
	}
	d.Backend = gpu.NewCPU(gpu.CPUOptions{Threads: threads, Precision: d.Precision})
	return d
}

// OpenDriver opens the emulator or a CUDA device.
func OpenDriver(name string, threads int) (cuda.Driver, error) {
	n, ok := CUDAIndex(name)
	if !ok {
		return emu.Open(emu.Options{Workers: threads, SharedBlock: 99 << 10}), nil
	}
	driver, err := cudaDevices.open(n)
	return driver, Fault(err)
}

func init() {
	ui.RegisterErrors(func(err error) *ui.Fault {
		var f *ui.Fault
		if errors.As(Fault(err), &f) {
			return f
		}
		return nil
	})
}

// Fault converts the error of a driver to a fault. It returns any other error, and
// nil, unchanged.
func Fault(err error) error {
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

// FreeMemory returns how many bytes can be used without swapping, or 0 if the
// system does not say.
func FreeMemory() int64 {
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
