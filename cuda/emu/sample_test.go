package emu

import (
	"testing"

	"github.com/impasto/impasto/cuda"
)

// TestSample runs 5 of 1000 blocks, which read what nobody wrote, and counts what
// each asks for once: 128 threads that read a word in one sector after another
// and then the same again.
func TestSample(t *testing.T) {
	d := Open(Options{Sample: 5, Traffic: true})
	defer d.Close()
	m, err := d.Load(program(`
	mov.u32 %r1, %ctaid.x;
	mad.lo.u32 %r2, %r1, 128, %r0;
	mad.wide.u32 %rd2, %r2, 32, %rd0;
	ld.global.u32 %r3, [%rd2];
	ld.global.u32 %r4, [%rd2];
	mad.wide.u32 %rd3, %r2, 4, %rd1;
	st.global.u32 [%rd3], %r4;
	ret;`))
	if err != nil {
		t.Fatal(err)
	}
	k, err := m.Kernel("k")
	if err != nil {
		t.Fatal(err)
	}
	const blocks = 1000
	x, err := d.Alloc(blocks * 128 * 32)
	if err != nil {
		t.Fatal(err)
	}
	y, err := d.Alloc(blocks * 128 * 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Launch(k, cuda.Dim3{X: blocks}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(y)); err != nil {
		t.Fatal(err)
	}
	c := d.Counters()[0]
	total := c.Total()
	if c.Blocks != 5 || total.Sectors != 5*(128+16) || total.Units != 5*(2*128+16) {
		t.Errorf("%d blocks ran, with %d sectors of their own and %d in all", c.Blocks, total.Sectors, total.Units)
	}
}
