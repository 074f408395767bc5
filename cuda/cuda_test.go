package cuda_test

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/kernels"
)

const twice = `.version 6.3
.target sm_75
.address_size 64
.visible .entry twice(.param .u64 x, .param .u32 n, .param .f32 f, .param .f64 g)
.maxntid 64, 1, 1
{
	.shared .align 4 .b8 s[256];
	.reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .pred %p;
	mov.u32 %r1, %tid.x; ld.param.u32 %r2, [n]; setp.ge.u32 %p, %r1, %r2; @%p ret;
	ld.param.u64 %rd1, [x]; mad.wide.u32 %rd1, %r1, 4, %rd1;
	ld.global.u32 %r3, [%rd1]; add.u32 %r3, %r3, %r3; st.global.u32 [%rd1], %r3; ret;
}
.visible .entry fixed() .reqntid 8, 4 { ret; }
.visible .entry whole(.param .align 8 .b8 s[16]) { ret; }
`

func TestSignature(t *testing.T) {
	all, err := cuda.Signatures(twice)
	if err != nil {
		t.Fatal(err)
	}
	s := all["twice"]
	if s.Block != (cuda.Dim3{X: 64, Y: 1, Z: 1}) || s.Exact || s.Shared != 256 || len(s.Params) != 4 || s.Params[3] != (cuda.Param{Name: "g", Type: "f64", Size: 8}) {
		t.Errorf("%+v", s)
	}
	good := func() *cuda.Args { return new(cuda.Args).Ptr(1).Uint(5).Float(1).Double(2) }
	if b, err := s.Check(cuda.Dim3{}, good()); err != nil || b.X != 64 {
		t.Error(b, err)
	}
	for _, n := range []int{-1 << 31, -1, 0, 1<<31 - 1} {
		args := new(cuda.Args).Ptr(1).Count(n).Float(1).Double(2)
		if _, err := s.Check(cuda.Dim3{}, args); err != nil || args.Cells()[1] != uint64(uint32(n)) {
			t.Error(n, err, args.Cells())
		}
	}
	if _, err := s.Check(cuda.Dim3{X: 8, Y: 8}, cuda.RawArgs([]uint64{1, 2, 3, 4})); err != nil {
		t.Error(err)
	}
	for want, check := range map[string]func() error{
		"3 arguments given, kernel has 4 parameters": func() error { _, err := s.Check(cuda.Dim3{}, new(cuda.Args).Ptr(1).Int(5).Float(1)); return err },
		"argument 2 is a 32-bit integer, parameter is .f32": func() error {
			_, err := s.Check(cuda.Dim3{}, new(cuda.Args).Ptr(1).Int(5).Int(1).Double(1))
			return err
		},
		"argument 1 is a 64-bit integer, parameter is .u32": func() error {
			_, err := s.Check(cuda.Dim3{}, new(cuda.Args).Ptr(1).Long(5).Float(1).Double(1))
			return err
		},
		"argument 1 is 2147483648, more than a 32-bit parameter holds": func() error {
			_, err := s.Check(cuda.Dim3{}, new(cuda.Args).Ptr(1).Count(1<<31).Float(1).Double(1))
			return err
		},
		"has 65 threads, kernel was compiled for at most 64":   func() error { _, err := s.Check(cuda.Dim3{X: 65}, good()); return err },
		"block (8, 2, 1), kernel was compiled for (8, 4, 1)":   func() error { _, err := all["fixed"].Check(cuda.Dim3{X: 8, Y: 2}, nil); return err },
		"block (-1, 1, 1) is not within":                       func() error { _, err := s.Check(cuda.Dim3{X: -1}, good()); return err },
		"neither .reqntid nor .maxntid":                        func() error { _, err := (&cuda.Signature{}).Check(cuda.Dim3{}, nil); return err },
		"parameter 0 is a structure of 16 bytes; pass a point": func() error { _, err := all["whole"].Check(cuda.Dim3{X: 1}, new(cuda.Args).Ulong(1)); return err },
	} {
		if err := check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	// The kernels that ship say their block size, so no launcher repeats it.
	for _, target := range kernels.Targets {
		for _, name := range kernels.Names(target) {
			src, err := kernels.PTX(name, target)
			if err != nil {
				t.Fatal(err)
			}
			all, err := cuda.Signatures(src)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if s.Block == (cuda.Dim3{}) {
					t.Errorf("kernel %s of module %s has no launch bounds", s.Name, name)
				}
			}
		}
	}
}
