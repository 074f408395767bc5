//go:build cuda && linux && cgo

package gpu

import (
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/cu"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/cuda/libcuda"
	"github.com/impasto/impasto/internal/testutil"
)

// With the tag cuda every operation also runs through gorgonia.org/cu: over the
// software device, or over this machine's driver, see testutil.RealDriver.
func init() {
	if !testutil.RealDriver() {
		libcuda.Emulate(emu.Options{})
	}
	drivers["cu"] = func(t testing.TB) cuda.Driver {
		d, err := cu.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}

// TestRecordThroughCUDA replays a recorded iteration, one graph launch each, and
// expects the bytes that the calls give one by one.
func TestRecordThroughCUDA(t *testing.T) {
	d := drivers["cu"](t)
	b := NewDevice(d, DeviceOptions{Name: "cu", Precision: Single})
	defer b.Close()
	s := Shape{9, 7, 8}
	feat, want := upload(b, s, random(1, s.Len(), 1)), upload(b, s, random(2, s.Len(), 1))
	dx, g := b.NewArray(s), b.NewArray(Matrix(s.C))
	iteration := func() {
		b.Fill(dx, 0)
		b.ContentLoss(dx, feat, want, 0.5, 1)
		b.Gram(g, feat, 1)
	}
	iteration()
	dxBefore, gBefore := download(b, dx), download(b, g)
	b.Fill(dx, 7)
	b.Fill(g, 7)
	p := b.Record(iteration)
	meter, ok := cuda.As[cuda.Meter](d)
	if !ok {
		t.Fatal("the driver does not count its calls")
	}
	before := meter.Calls()
	for range 3 {
		p.Run()
	}
	if c := meter.Calls().Sub(before); c != (cuda.Calls{GraphLaunches: 3, Live: c.Live, Peak: c.Peak}) {
		t.Errorf("three replays made the calls %+v", c)
	}
	for i, v := range download(b, dx) {
		if v != dxBefore[i] {
			t.Fatalf("gradient %d is %g, want %g", i, v, dxBefore[i])
		}
	}
	for i, v := range download(b, g) {
		if v != gBefore[i] {
			t.Fatalf("Gram value %d is %g, want %g", i, v, gBefore[i])
		}
	}
	if err := b.Err(); err != nil {
		t.Error(err)
	}
}
