package device

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// with makes the program see these devices while the test runs.
func with(t *testing.T, list ...cuda.Info) {
	before := cudaDevices
	t.Cleanup(func() { cudaDevices = before })
	cudaDevices = &struct {
		list func() ([]cuda.Info, error)
		open func(n int) (cuda.Driver, error)
	}{list: func() ([]cuda.Info, error) { return list, nil }}
}

var (
	pascal = cuda.Info{Name: "GTX 1080", Major: 6, Minor: 1, Driver: 12000}
	turing = cuda.Info{Name: "T4", Major: 7, Minor: 5, Driver: 12000}
	ampere = cuda.Info{Name: "A100", Major: 8, Minor: 0, Driver: 12000}
)

// TestOldDevices: what the kernels do not run on is refused, each with its reason,
// and auto passes over it.
func TestOldDevices(t *testing.T) {
	with(t, pascal, turing, ampere)
	if err := Check("cuda:0"); err == nil || !strings.Contains(err.Error(), "GTX 1080, has compute capability 6.1; Impasto needs 7.5") {
		t.Errorf("cuda:0: %v", err)
	}
	for _, name := range []string{"auto", "cuda:1", "cuda:2", "cuda:1,2", "cpu"} {
		if err := Check(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		device string
		p      gpu.Precision
		want   string
	}{
		{"auto", gpu.Half, "cuda:1, T4, has 7.5"}, {"cuda:1", gpu.Half, "compute capability 8.0 or newer"}, {"cuda:2", gpu.Half, ""},
		{"cuda:2,1", gpu.Half, "cuda:1, T4"}, {"cpu", gpu.Half, ""}, {"emu", gpu.Half, ""},
		{"cpu", gpu.Single, ""}, {"cpu", gpu.Auto, ""}, {"cuda:1", gpu.Auto, ""},
	} {
		err := CheckPrecision(c.device, c.p)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s in %s: %v, want %q", c.device, c.p, err, c.want)
		}
	}
	with(t, pascal)
	if Kind("auto") != "cpu" || Kind("") != "cpu" {
		t.Error("defaults are for a device that cannot be used")
	}
	if d, err := Open("auto", 1, gpu.Auto); err != nil || d.Backend.Name() != "cpu" || !strings.Contains(d.Reason, "GTX 1080 is older") {
		t.Errorf("auto is %v, %v", d, err)
	}
}

// TestKind: what defaults go by.
func TestKind(t *testing.T) {
	with(t, ampere)
	for name, want := range map[string]string{"": "cuda", "auto": "cuda", "cuda": "cuda", "cuda:0": "cuda", "cuda:0,1": "cuda", "cpu": "cpu", "emu": "cpu"} {
		if got := Kind(name); got != want {
			t.Errorf("%q is of kind %s, want %s", name, got, want)
		}
	}
}

// TestPrecisionOfNetworks: half needs channels in eights.
func TestPrecisionOfNetworks(t *testing.T) {
	even := &vgg.Network{Layers: []vgg.Layer{{Name: "conv1_1", In: 3, Out: 64}}}
	odd := &vgg.Network{Layers: []vgg.Layer{{Name: "conv1_1", In: 3, Out: 12}}}
	if p, err := For(odd, gpu.Auto); p != gpu.Single || err != nil {
		t.Errorf("auto is %v, %v", p, err)
	}
	if _, err := For(odd, gpu.Half); err == nil || !strings.Contains(err.Error(), "conv1_1 of these weights has 12") {
		t.Errorf("half is %v", err)
	}
	for _, p := range []gpu.Precision{gpu.Auto, gpu.Half, gpu.Single} {
		if got, err := For(even, p); got != p || err != nil {
			t.Errorf("%v becomes %v, %v", p, got, err)
		}
	}
	if _, err := ParsePrecision("double"); err == nil {
		t.Error("there is no double precision")
	}
}

// TestProcessorsWithoutBfloat16: half precision on a processor without instructions for
// it is single, with a note. The device auto is the processor if there is no CUDA device.
func TestProcessorsWithoutBfloat16(t *testing.T) {
	with(t, pascal)
	for _, c := range []struct {
		simd   string
		device string
		p      gpu.Precision
		want   gpu.Precision
		note   bool
	}{
		{"avx2", "cpu", gpu.Half, gpu.Single, true}, {"avx2", "auto", gpu.Half, gpu.Single, true}, {"avx2", "", gpu.Half, gpu.Single, true},
		{"avx2", "emu", gpu.Half, gpu.Half, false}, {"avx2", "cpu", gpu.Auto, gpu.Auto, false}, {"avx2", "cpu", gpu.Single, gpu.Single, false},
		{"generic", "cpu", gpu.Half, gpu.Half, false}, {"generic", "auto", gpu.Half, gpu.Half, false}, {"generic", "cpu", gpu.Auto, gpu.Auto, false},
	} {
		t.Setenv("IMPASTO_SIMD", c.simd)
		if p, note := Settle(c.device, c.p); p != c.want || (note != "") != c.note {
			t.Errorf("%s by %s in %s: %s, %q", c.device, c.simd, c.p, p, note)
		}
	}
	for name, want := range map[string][]gpu.Precision{"avx2": {gpu.Single}, "generic": {gpu.Single, gpu.Half}} {
		t.Setenv("IMPASTO_SIMD", name)
		if got := Precisions("cpu"); !slices.Equal(got, want) {
			t.Errorf("the processor by %s has %v", name, got)
		}
	}
	for name, half := range map[string]bool{"avx2": false, "generic": true} {
		t.Setenv("IMPASTO_SIMD", name)
		for text, want := range map[string][]gpu.Precision{"auto": {gpu.Auto}, "single": {gpu.Single}, "half": {gpu.Half}, "both": {gpu.Single, gpu.Half}} {
			got, err := Measured(text, "cpu")
			if refused := !half && (text == "half" || text == "both"); refused != (err != nil) || !refused && !slices.Equal(got, want) {
				t.Errorf("bench --precision %s by %s measures %v, %v", text, name, got, err)
			}
		}
	}
	if _, err := Measured("both", "cuda:0"); err == nil || !strings.Contains(err.Error(), "8.0") {
		t.Errorf("both precisions of an old device: %v", err)
	}
	if Usual("cpu") != gpu.Single || Usual("cuda:0") != gpu.Single {
		t.Error("half precision is usual on the processor, or on an old device")
	}
	t.Setenv("IMPASTO_SIMD", "generic")
	d, err := Open("cpu", 1, gpu.Half)
	if name := d.Class + ", " + Format("cpu", d.Precision); err != nil || d.Precision != gpu.Half || name != "cpu generic, edition 3, bf16" {
		t.Errorf("half on the processor is %s, %v", name, err)
	}
	for name, want := range map[string]string{"cpu": "bf16", "emu": "f16"} {
		if got := Format(name, gpu.Half); got != want || Format(name, gpu.Single) != "f32" {
			t.Errorf("features on %s are %s in half precision", name, got)
		}
	}
	with(t, ampere)
	if Usual("cuda:0") != gpu.Half {
		t.Error("half precision is not usual on a device that has it")
	}
	if p, note := Settle("auto", gpu.Half); p != gpu.Half || note != "" {
		t.Errorf("auto with a CUDA device: %s, %q", p, note)
	}
}

// TestRefusedAMX: where the system refuses AMX, the line that says what is used instead
// says why.
func TestRefusedAMX(t *testing.T) {
	with(t)
	before := cpuHalf
	t.Cleanup(func() { cpuHalf = before })
	refused := errors.New("the system refuses tile registers (arch_prctl: operation not permitted)")
	for name, c := range map[string]struct {
		err           error
		settled       gpu.Precision
		note, another string
	}{
		"":           {refused, gpu.Single, "AMX is not used, because the system refuses tile registers (arch_prctl: operation not permitted); without AMX or AVX512-BF16 the picture is painted in single", ""},
		"avx512bf16": {refused, gpu.Half, "", "saves memory, not time; AMX is not used, because the system refuses tile registers (arch_prctl: operation not permitted)"},
		"amx":        {nil, gpu.Half, "", ""},
	} {
		cpuHalf = func() (string, error) { return name, c.err }
		p, note := Settle("cpu", gpu.Half)
		d, err := Open("cpu", 1, p)
		if err != nil {
			t.Fatal(err)
		}
		for what, got := range map[string][2]string{"without another path": {note, c.note}, "with one": {d.Cost(), c.another}} {
			if (got[0] == "") != (got[1] == "") || !strings.Contains(got[0], got[1]) || strings.Contains(got[0], "\n") {
				t.Errorf("by %q %s: %q, want %q", name, what, got[0], got[1])
			}
		}
		if p != c.settled || d.Precision != c.settled {
			t.Errorf("by %q: %s, opened in %s", name, p, d.Precision)
		}
	}
}
