package device

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/kernels"
)

// messages are those of an error's faults.
func messages(err error) (all []string) {
	if err != nil {
		for _, f := range ui.FaultsOf(err) {
			all = append(all, f.Message)
		}
	}
	return all
}

// TestEveryFaultOfAListIsTold: a list of devices with several faults reports each of
// them once, and which device it is of.
func TestEveryFaultOfAListIsTold(t *testing.T) {
	outdated := turing
	outdated.Driver = 10020
	with(t, pascal, turing, ampere, outdated)
	for list, want := range map[string][]string{
		"cuda:1,2":          nil,
		"cuda:0,3":          {"cuda:0, GTX 1080, has compute capability 6.1", "driver of cuda:3, T4, supports CUDA 10.2; Impasto needs a driver that supports CUDA 11.4"},
		"cuda:9,0":          {"no device cuda:9; there are 4 CUDA devices", "cuda:0, GTX 1080"},
		"cuda:2,2":          {"names cuda:2 twice"},
		"cuda:2,tpu,cuda:8": {`unknown device "tpu"`, "several devices are CUDA devices", "no device cuda:8"},
		"cuda:3,3":          {"driver of cuda:3", "names cuda:3 twice"},
	} {
		got := messages(Check(list))
		if len(got) != len(want) {
			t.Errorf("%s: %q, want %d faults", list, got, len(want))
			continue
		}
		for _, w := range want {
			if !strings.Contains(strings.Join(got, "\n"), w) {
				t.Errorf("%s: %q, want %q", list, got, w)
			}
		}
	}
	if got := messages(CheckPrecision("cuda:1,3,2", gpu.Half)); len(got) != 2 || !strings.Contains(got[0], "cuda:1, T4, has 7.5") || !strings.Contains(got[1], "cuda:3, T4") {
		t.Errorf("half on two devices without the tensor cores: %q", got)
	}
	if _, err := ParsePrecision("double"); err == nil || err.Error() != `precision "double": there are auto, half and single` {
		t.Errorf("an unknown precision: %v", err)
	}
	cudaDevices = nil
	if got := messages(Check("cuda:0,1")); len(got) != 1 {
		t.Errorf("a build without CUDA says %q", got)
	}
}

// TestOldDrivers: auto passes over a device whose driver is too old, and says why.
func TestOldDrivers(t *testing.T) {
	outdated := ampere
	outdated.Driver = 11030
	with(t, outdated)
	if Kind("auto") != "cpu" {
		t.Error("defaults are for a device that cannot be used")
	}
	d, err := Open("auto", 1, gpu.Auto)
	if err != nil || d.Backend.Name() != "cpu" || !strings.Contains(d.Reason, "the driver of A100 is older than CUDA 11.4") {
		t.Errorf("auto is %v, %v", d, err)
	}
}

// TestLeastDriverReadsThePTX: the least driver knows the version of each module. A
// version of PTX came with a version of CUDA.
func TestLeastDriverReadsThePTX(t *testing.T) {
	cudaOf := map[string]int{"6.3": 10000, "6.4": 10010, "6.5": 10020, "7.0": 11000, "7.1": 11010, "7.2": 11020, "7.3": 11030, "7.4": 11040}
	for _, target := range kernels.Targets {
		for _, module := range kernels.Names(target) {
			text, err := kernels.PTX(module, target)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(text, ".version ")
			version, _, _ := strings.Cut(rest, "\n")
			if needs, ok := cudaOf[version]; !ok || needs > leastDriver {
				t.Errorf("%s is PTX %s, which CUDA %s does not know", module, version, cudaVersion(leastDriver))
			}
		}
	}
}

// shared is a device that other programs hold memory of.
type shared struct {
	cuda.Driver
	others int64
}

func (s shared) Unwrap() cuda.Driver { return s.Driver }

func (s shared) FreeMemory() (int64, error) {
	reporter, _ := cuda.As[cuda.MemoryReporter](s.Driver)
	free, err := reporter.FreeMemory()
	return free - s.others, err
}

// TestMemoryIsWhatIsFree: what other programs hold cannot be had, what this one holds
// can, and of several devices the fullest counts.
func TestMemoryIsWhatIsFree(t *testing.T) {
	const all = 1 << 30
	with(t, ampere, ampere)
	others := []int64{700 << 20, 0}
	cudaDevices.open = func(n int) (cuda.Driver, error) {
		return shared{emu.Open(emu.Options{Memory: all}), others[n]}, nil
	}
	for list, want := range map[string]int64{"cuda:0": all - others[0], "cuda:1": all, "cuda:1,0": all - others[0]} {
		d, err := Open(list, 1, gpu.Single)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Memory(); got != want {
			t.Errorf("%s: %d bytes, want %d", list, got, want)
		}
		d.Backend.NewArray(gpu.Shape{H: 512, W: 512, C: 64}) // 64 MB of its own
		if got := d.Memory(); got != want {
			t.Errorf("%s: %d bytes beside its own, want %d", list, got, want)
		}
		if text := fmt.Sprintf("%.0f MB of the 1.1 GB of cuda:%s are free", math.Floor(float64(want)/1e6+0.5), list[5:6]); list == "cuda:0" && d.MemoryText() != text {
			t.Errorf("%s: %q, want %q", list, d.MemoryText(), text)
		}
		d.Backend.Close()
		for _, o := range d.Others {
			o.Close()
		}
	}
}
