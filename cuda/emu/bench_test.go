package emu

import (
	"fmt"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
)

// program wraps instructions into a kernel k(p0, p1) of 128 threads with
// registers of every kind, 4 KiB of shared memory "sh", %rd0 and %rd1 loaded with
// the parameters and %r0 with %tid.x.
func program(body string) string {
	return `.version 7.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 p0, .param .u64 p1)
.maxntid 128, 1, 1
{
	.reg .pred %p<20>;
	.reg .b16 %h<20>;
	.reg .b32 %r<100>;
	.reg .f32 %f<100>;
	.reg .b64 %rd<20>;
	.reg .f64 %fd<20>;
	.shared .align 16 .b8 sh[4096];
	ld.param.u64 %rd0, [p0];
	ld.param.u64 %rd1, [p1];
	mov.u32 %r0, %tid.x;
` + body + "\n}\n"
}

// BenchmarkLanes states the speed of the device in lane operations a second of
// processor time, on one goroutine, for loops dominated by what the name says.
func BenchmarkLanes(b *testing.B) {
	var conv strings.Builder
	for i := range 4 {
		fmt.Fprintf(&conv, "ld.shared.v4.f32 {%%f%d, %%f%d, %%f%d, %%f%d}, [%%rd3+%d];\n", 70+4*i, 71+4*i, 72+4*i, 73+4*i, 16*i)
	}
	for i := range 64 {
		fmt.Fprintf(&conv, "fma.rn.f32 %%f%d, %%f%d, %%f%d, %%f%d;\n", i, 70+i%8, 78+i/8, i)
	}
	init := "and.b32 %r1, %r0, 31;\nmul.wide.u32 %rd3, %r1, 16;\nmov.u64 %rd4, sh;\nadd.s64 %rd3, %rd3, %rd4;\n"
	for i := range 100 {
		init += fmt.Sprintf("mov.f32 %%f%d, 0f3f8%05x;\n", i, 977*i)
	}
	fill := "mul.wide.u32 %rd5, %r0, 32;\nadd.s64 %rd5, %rd5, %rd4;\n"
	for i := range 8 {
		fill += fmt.Sprintf("st.shared.f32 [%%rd5+%d], %%f1;\n", 4*i)
	}
	fill += "bar.sync 0;\n"
	cases := []struct{ name, body string }{
		{"fma", strings.Repeat("fma.rn.f32 %f1, %f2, %f3, %f1;\nfma.rn.f32 %f4, %f2, %f3, %f4;\n", 16)},
		{"conv", conv.String()},
		{"integer", strings.Repeat("mad.lo.s32 %r3, %r0, 7, %r1;\nadd.s32 %r4, %r3, %r0;\nand.b32 %r5, %r4, 255;\nmul.wide.s32 %rd6, %r5, 4;\nadd.s64 %rd7, %rd6, %rd0;\nsetp.lt.s32 %p2, %r5, 9;\n", 5)},
		{"elementwise", strings.Repeat("add.rn.f32 %f1, %f2, %f3;\nmul.rn.f32 %f4, %f1, %f3;\nmax.f32 %f5, %f4, %f1;\n", 10)},
		{"global", "shl.b32 %r6, %r0, 2;\ncvt.u64.u32 %rd8, %r6;\nadd.s64 %rd8, %rd8, %rd0;\n" + strings.Repeat("ld.global.f32 %f1, [%rd8];\nst.global.f32 [%rd8], %f1;\n", 8)},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			d := Open(Options{Serial: true, Budget: 1 << 40})
			m, err := d.Load(program(init + fill + "cvt.u32.u64 %r50, %rd1;\nmov.b32 %r2, 0;\nLOOP:\n" + c.body +
				"add.s32 %r2, %r2, 1;\nsetp.lt.s32 %p1, %r2, %r50;\n@%p1 bra LOOP;\nret;\n"))
			if err != nil {
				b.Fatal(err)
			}
			k, _ := m.Kernel("k")
			x, _ := d.Alloc(4096)
			d.Fill(x, 0x3f800000, 1024)
			b.ResetTimer()
			start := cpuSeconds()
			if err := d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Long(int64(b.N))); err != nil {
				b.Fatal(err)
			}
			total := d.Counters()[0].Total()
			b.ReportMetric(float64(total.Lanes)/(cpuSeconds()-start)/1e9, "Glane/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
