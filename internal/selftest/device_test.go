package selftest

import (
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
)

// idle is a driver on which one kernel does nothing.
type idle struct {
	cuda.Driver
	kernel string
}

func (d idle) Launch(k cuda.Kernel, grid, block cuda.Dim3, shared int, args *cuda.Args) error {
	if k.Signature().Name == d.kernel {
		return nil
	}
	return d.Driver.Launch(k, grid, block, shared, args)
}

// TestABrokenKernelIsNamed: what does not compute is named.
func TestABrokenKernelIsNamed(t *testing.T) {
	for kernel, check := range map[string]string{"adam_move": "Adam", "weigh": "vectors"} {
		log := &launchLog{idle{emu.Open(emu.Options{}), kernel}, map[string]bool{}}
		b := gpu.NewDevice(log, gpu.DeviceOptions{Name: "emu"})
		found := checkKernels(b, log)
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.State == Problem && strings.HasPrefix(f.Text, check) }) {
			t.Errorf("without %s the doctor finds %v", kernel, found)
		}
		b.Close()
	}
}

// TestKernelsAgreeInHalf: what half precision rounds is no fault, a kernel that
// does nothing is one.
func TestKernelsAgreeInHalf(t *testing.T) {
	for _, f := range Device("emu", emu.Open(emu.Options{SharedBlock: 99 << 10}), gpu.Half) {
		if f.State != OK { // a kernel that is not run is a note
			t.Errorf("%s: %s", f.What, f.Text)
		}
	}
	found := Device("emu", idle{emu.Open(emu.Options{SharedBlock: 99 << 10}), "conv_half_fwd_64"}, gpu.Half)
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.State == Problem && strings.HasPrefix(f.Text, "convolution") }) {
		t.Errorf("without a convolution the doctor finds %v", found)
	}
	old := emu.Open(emu.Options{Capability: 75})
	if found := Device("emu", old, gpu.Half); len(found) != 1 || !strings.Contains(found[0].Text, "8.0") {
		t.Errorf("a device without tensor cores for it: %v", found)
	}
}

// deaf is a backend whose Gram matrices stay as they are.
type deaf struct{ gpu.Backend }

func (deaf) Gram(g, f *gpu.Array, norm float64) {}

// TestHalfOfTheProcessor: what half precision rounds on a processor is no fault, an
// operation that does nothing is one, and a processor without it says why.
func TestHalfOfTheProcessor(t *testing.T) {
	t.Setenv("IMPASTO_SIMD", "generic")
	found := Half()
	if len(found) != 2 || found[0].State != Note || found[0].What != "half" || !strings.Contains(found[0].Text, "plain Go") || found[1].State != OK {
		t.Errorf("in plain Go: %+v", found)
	}
	b := gpu.NewCPU(gpu.CPUOptions{Precision: gpu.Half})
	defer b.Close()
	if found := operations(deaf{b}, "cpu in half precision", halfCPUTolerance); found[0].State != Problem || !strings.HasPrefix(found[0].Text, "Gram matrix on cpu in half precision") {
		t.Errorf("without Gram matrices: %+v", found)
	}
	for _, other := range []string{"avx2", "neon"} {
		t.Setenv("IMPASTO_SIMD", other)
		if gpu.CheckCPU() != nil {
			continue
		}
		if found := Half(); len(found) != 1 || found[0].State != Note || !strings.Contains(found[0].Text, "IMPASTO_SIMD="+other+" chooses") {
			t.Errorf("by %s: %+v", other, found)
		}
	}
	t.Setenv("IMPASTO_SIMD", "")
	found = Half()
	name, _ := gpu.CPUHalf()
	if available := name != ""; available != (found[0].State == OK) || available != (len(found) == 2) || !available && !strings.Contains(found[0].Text, "AVX512-BF16") {
		t.Errorf("on this processor: %+v", found)
	}
}
