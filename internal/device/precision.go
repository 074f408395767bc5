package device

import (
	"fmt"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/kernels"
	"github.com/impasto/impasto/vgg"
)

// Precision and these are the precisions, for callers that do not import package gpu.
type Precision = gpu.Precision

const (
	Auto   = gpu.Auto
	Half   = gpu.Half
	Single = gpu.Single
)

// Precisions returns the precisions that the device name has.
func Precisions(name string) []gpu.Precision {
	if _, note := Settle(name, Half); note != "" || CheckPrecision(name, Half) != nil {
		return []gpu.Precision{Single}
	}
	return []gpu.Precision{Single, Half}
}

// Usual returns the precision of the device name for Auto.
func Usual(name string) gpu.Precision {
	if Kind(name) == "cuda" && len(Precisions(name)) > 1 {
		return Half
	}
	return Single
}

// halfFrom is the lowest compute capability with tensor cores for half precision.
const halfFrom = 80

func capability(i cuda.Info) int { return i.Major*10 + i.Minor }

// firstUsable returns the index of the first device that can run the kernels, or -1
// if there is none.
func firstUsable(list []cuda.Info) int {
	for n, i := range list {
		if capability(i) >= kernels.Targets[0] && i.Driver >= leastDriver {
			return n
		}
	}
	return -1
}

// leastDriver is the lowest version of CUDA that a driver must support, in the form
// of Info.Driver. CUDA 11.4 has all the calls that launch recorded programs. The
// PTX versions, 6.3 and 7.0, need only CUDA 10.0 and 11.0.
const leastDriver = 11040

func oldDriver(n int, i cuda.Info) *ui.Fault {
	return ui.NewFault(ui.ExitDevice, "no_device",
		fmt.Sprintf("the NVIDIA driver of cuda:%d, %s, supports CUDA %s; Impasto needs a driver that supports CUDA %s or newer",
			n, i.Name, cudaVersion(i.Driver), cudaVersion(leastDriver)),
		"an NVIDIA driver of version 470 or newer", "--device cpu")
}

// cudaVersion writes 11040 as "11.4".
func cudaVersion(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

func tooOld(n int, i cuda.Info) *ui.Fault {
	least := kernels.Targets[0]
	return ui.NewFault(ui.ExitDevice, "no_device",
		fmt.Sprintf("cuda:%d, %s, has compute capability %d.%d; Impasto needs %d.%d (Turing) or newer", n, i.Name, i.Major, i.Minor, least/10, least%10),
		"--device cpu", "impasto devices")
}

// Kind returns the kind of device for which defaults are chosen: "cuda" for a GPU,
// and "cpu" otherwise. name is a value of --device. The first device of a list
// decides.
func Kind(name string) string {
	name = names(name)[0]
	if name == "" || name == "auto" {
		if list, _ := ListCUDA(); firstUsable(list) >= 0 {
			return "cuda"
		}
	}
	if _, ok := CUDAIndex(name); ok {
		return "cuda"
	}
	return "cpu"
}

// ParsePrecision reads the text of --precision; "" is Auto.
func ParsePrecision(text string) (p gpu.Precision, err error) {
	if text != "" {
		err = p.UnmarshalText([]byte(text))
	}
	return p, err
}

// chosen returns the device that a name in a list means. auto means the first CUDA
// device that can run the kernels, or the processor if there is none.
func chosen(name string) string {
	if name != "" && name != "auto" {
		return name
	}
	devices, _ := ListCUDA()
	if n := firstUsable(devices); n >= 0 {
		return fmt.Sprintf("cuda:%d", n)
	}
	return "cpu"
}

// cpuHalf is replaced by tests of machines that refuse AMX.
var cpuHalf = gpu.CPUHalf

// Settle returns the precision that the devices of a list use if p is requested. A
// processor without instructions for bfloat16, or on a system that refuses them, uses
// single precision even if half is requested. The note then says so and why, and is ""
// otherwise.
func Settle(list string, p gpu.Precision) (settled gpu.Precision, note string) {
	if p == gpu.Half && chosen(names(list)[0]) == "cpu" {
		if name, without := cpuHalf(); name == "" {
			return gpu.Single, fmt.Sprintf("--precision half: AMX is not used, because %v; without AMX or AVX512-BF16 the picture is painted in single precision (float32)", without)
		}
	}
	return p, ""
}

// Format returns the number format of features on the first device of a list in a
// precision: "f32", "f16" or "bf16".
func Format(list string, p gpu.Precision) string {
	switch {
	case p != gpu.Half:
		return "f32"
	case chosen(names(list)[0]) == "cpu":
		return "bf16"
	}
	return "f16"
}

// Measured returns the precisions that bench measures on a device, by the text of its
// --precision: auto, single, half or both. A processor without instructions for bfloat16
// has no half precision to measure.
func Measured(text, name string) ([]gpu.Precision, error) {
	all := []gpu.Precision{Single, Half}
	if text != "both" {
		p, err := ParsePrecision(text)
		if err != nil || p != Half {
			return []gpu.Precision{p}, err
		}
		all = all[1:]
	}
	if _, note := Settle(name, Half); note != "" {
		return nil, ui.NewFault(ui.ExitDevice, "no_device",
			fmt.Sprintf("--precision %s: this processor has no instructions for bfloat16 (AMX or AVX512-BF16), so there is no half precision to measure", text),
			"--precision single", "impasto doctor")
	}
	return all, CheckPrecision(name, Half)
}

// CheckHalf checks that a network can be painted with in half precision.
func CheckHalf(n *vgg.Network) error {
	_, err := For(n, Half)
	return err
}

// CheckPrecision checks that the CUDA devices of a list, which Check has accepted,
// support a precision.
func CheckPrecision(list string, p gpu.Precision) error {
	if p != gpu.Half {
		return nil
	}
	var bad ui.Faults
	for _, name := range names(list) {
		n, isCUDA := CUDAIndex(chosen(name))
		if !isCUDA {
			continue
		}
		devices, _ := ListCUDA()
		if i := devices[n]; capability(i) < halfFrom {
			bad.Add(ui.NewFault(ui.ExitDevice, "no_device",
				fmt.Sprintf("--precision half needs the tensor cores of compute capability 8.0 or newer; cuda:%d, %s, has %d.%d", n, i.Name, i.Major, i.Minor),
				"--precision single"))
		}
	}
	return bad.Err()
}

// For returns the precision of a network if p is requested. Half precision needs
// channel counts that are multiples of eight. For other networks, Auto means
// single, and Half is a fault.
func For(n *vgg.Network, p gpu.Precision) (gpu.Precision, error) {
	for _, l := range n.Layers {
		if l.Out%8 == 0 || p == gpu.Single {
			continue
		}
		if p == gpu.Auto {
			return gpu.Single, nil
		}
		return p, ui.NewFault(ui.ExitUsage, "usage",
			fmt.Sprintf("--precision half needs layers of a multiple of 8 channels; %s of these weights has %d", l.Name, l.Out), "--precision single")
	}
	return p, nil
}
