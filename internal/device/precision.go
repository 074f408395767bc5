package device

import (
	"fmt"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/kernels"
	"github.com/impasto/impasto/vgg"
)

// The precisions, for callers that know no backends.
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

// halfFrom is the compute capability whose tensor cores half precision needs.
const halfFrom = 80

func capability(i cuda.Info) int { return i.Major*10 + i.Minor }

// firstUsable is the first device that runs the kernels, -1 if there is none.
func firstUsable(list []cuda.Info) int {
	for n, i := range list {
		if capability(i) >= kernels.Targets[0] && i.Driver >= leastDriver {
			return n
		}
	}
	return -1
}

// leastDriver is the version of CUDA that a driver must support, as Info.Driver has
// it: CUDA 11.4 has all the calls that recorded programs are launched by. The PTX's
// own versions, 6.3 and 7.0, need only CUDA 10.0 and 11.0.
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

// Kind is the kind of device that defaults are chosen for: "cuda" for a GPU, else
// "cpu". name is one that --device takes; the first of a list decides.
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

// chosen is the device that a name of a list stands for: auto is the first CUDA
// device that runs the kernels, or where there is none the processor.
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

// Settle returns the precision for the devices of a list if p is asked for. A processor
// without instructions for bfloat16 paints in single precision even if half is asked
// for; the note says so then, and is else empty.
func Settle(list string, p gpu.Precision) (settled gpu.Precision, note string) {
	if p == gpu.Half && chosen(names(list)[0]) == "cpu" && gpu.CPUHalf() == "" {
		return gpu.Single, "--precision half: this processor has no instructions for bfloat16 (AMX or AVX512-BF16), so it paints in single precision (float32)"
	}
	return p, ""
}

// Format is the name of the numbers that features are stored as on the first device of a
// list in a precision: "f32", "f16" or "bf16".
func Format(list string, p gpu.Precision) string {
	switch {
	case p != gpu.Half:
		return "f32"
	case chosen(names(list)[0]) == "cpu":
		return "bf16"
	}
	return "f16"
}

// CheckPrecision finds out whether the CUDA devices of a list, which Check has
// passed, have a precision.
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

// For returns the precision of a network if p is asked for. Half precision needs
// channels in multiples of eight. For a network with other channels, Auto is single
// and Half is a fault.
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
