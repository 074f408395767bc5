package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLaunchersAreFresh: what is committed is what the committed PTX gives.
func TestLaunchersAreFresh(t *testing.T) {
	want, err := generate("../../../kernels")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../launch_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("gpu/launch_gen.go is not what the PTX gives: run go generate ./gpu")
	}
}

const header = ".version 6.3\n.target sm_75\n.address_size 64\n"

// module writes a module of a kernels folder.
func module(t *testing.T, folder, target, name, entry string) {
	t.Helper()
	file := filepath.Join(folder, "ptx", target, name+".ptx")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(header+entry), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestGenerate(t *testing.T) {
	folder := t.TempDir()
	text := `
#define MATCH(name, R) \
	KERNEL __launch_bounds__(THREADS, 2) name(const float* __restrict__ F, \
		unsigned long long* best, long long count, int type) { body(R); }
MATCH(match_1, 1)
MATCH(match_3, 3)
KERNEL __launch_bounds__(32)
    scale(double* x, float a, double b) {}
`
	if err := os.WriteFile(filepath.Join(folder, "m.cu"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	match := func(name string) string {
		return ".visible .entry " + name + "(.param .u64 a, .param .u64 b, .param .u64 c, .param .u32 d) .maxntid 64, 1, 1 { ret; }\n"
	}
	entries := match("match_1") + match("match_3") + `.extern .shared .align 4 .b8 room[];
.visible .entry scale(.param .u64 a, .param .f32 b, .param .f64 c) .maxntid 32, 1, 1 { mov.u32 %r1, room; ret; }
.visible .entry unknown(.param .u64 a, .param .u32 b) .reqntid 32 { ret; }`
	module(t, folder, "compute_75", "m", entries)
	module(t, folder, "compute_80", "m", match("match_1"))
	got, err := generate(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"launchMatch1(grid cuda.Dim3, F, best cuda.Ptr, count int64, type_ int)",
		`dev.launch("m", "match_3", grid, 0, new(cuda.Args).Ptr(F).Ptr(best).Long(count).Count(type_))`,
		"(compute_75, compute_80)",
		"launchScale(grid cuda.Dim3, shared int, x cuda.Ptr, a float32, b float64)",
		`dev.launch("m", "scale", grid, shared, new(cuda.Args).Ptr(x).Float(a).Double(b))`,
		"launchUnknown(grid cuda.Dim3, p0 cuda.Ptr, p1 int)",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for want, entry := range map[string]string{
		"match_1 has other parameters than in compute_75": ".visible .entry match_1(.param .u64 a, .param .u64 b, .param .u64 c, .param .f32 d) .maxntid 64, 1, 1 { ret; }",
		"match_1 has 1 parameters, its source 4":          ".visible .entry match_1(.param .u64 a) .maxntid 64, 1, 1 { ret; }",
		"new has no __launch_bounds__":                    ".visible .entry new() { ret; }",
		"parameter 0 is of type .b8 (16 bytes)":           ".visible .entry new(.param .align 8 .b8 s[16]) .maxntid 64, 1, 1 { ret; }",
	} {
		module(t, folder, "compute_80", "m", entry)
		if _, err := generate(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}
