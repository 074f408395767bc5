package gpu

import (
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
)

// TestRecord replays a program whose scratch grows while it is recorded, and
// counts what a replay asks of the driver: one graph launch.
func TestRecord(t *testing.T) {
	d := emu.Open(emu.Options{})
	b := NewDevice(d, DeviceOptions{Name: "emu"})
	defer b.Close()
	s := Shape{9, 7, 8}
	f, target := random(1, s.Len(), 1), random(2, s.Len(), 1)
	feat, want := upload(b, s, f), upload(b, s, target)
	dx, g := b.NewArray(s), b.NewArray(Matrix(s.C))
	p := b.Record(func() {
		b.Fill(dx, 0)
		b.ContentLoss(dx, feat, want, 0.5, 1)
		b.Gram(g, feat, 1)
	})
	before := d.Calls()
	for range 3 {
		p.Run()
	}
	b.Sync()
	calls := d.Calls().Sub(before)
	if calls.GraphLaunches != 3 || calls.Allocs+calls.Frees+calls.Uploads+calls.Downloads+calls.Loads != 0 {
		t.Errorf("three replays made the calls %+v", calls)
	}
	loss, grad := 0.0, make([]float64, s.Len())
	for i := range f {
		grad[i] = float64(f[i]) - float64(target[i])
		loss += 0.5 * grad[i] * grad[i]
	}
	near(t, b, "gradient", download(b, dx), grad, 1e-6, 1e-6)
	near(t, b, "loss", []float64{lossOf(b, 1)}, []float64{loss}, 1e-9, 1e-6)
	near(t, b, "Gram matrix", download(b, g), refGram(wide(f), s.C, 1), 1e-5, 1e-5)
	if err := b.Err(); err != nil {
		t.Error(err)
	}
}

// TestDeviceKeepsItsFirstError: after a failure every operation does nothing.
func TestDeviceKeepsItsFirstError(t *testing.T) {
	b := NewDevice(emu.Open(emu.Options{Memory: 1 << 20}), DeviceOptions{Name: "emu"})
	defer b.Close()
	a := b.NewArray(Shape{1000, 1000, 1})
	if cuda.CodeOf(b.Err()) != cuda.OutOfMemory {
		t.Fatalf("4 MB in a device of 1 MB: %v", b.Err())
	}
	first := b.Err()
	b.Fill(a, 1)
	b.Record(func() { b.Fill(a, 2) }).Run()
	b.Sync()
	if b.Err() != first {
		t.Errorf("the error became %v", b.Err())
	}
}

// TestDeviceRefusesShapes that its kernels cannot compute: an error, as for the
// picture or the weights that ask for them, and no memory taken.
func TestDeviceRefusesShapes(t *testing.T) {
	for want, ask := range map[string]func(b *Device){
		"5 channels":          func(b *Device) { b.NewFilter(make([]float32, 5*27), make([]float32, 5), 3, 5) },
		"6 channels":          func(b *Device) { b.NewFilter(make([]float32, 6*8*9), make([]float32, 8), 6, 8) },
		"7 channels":          func(b *Device) { b.NewMask(Shape{4, 4, 7}, Pool{}) },
		"9 channels":          func(b *Device) { b.Gram(b.NewArray(Matrix(9)), b.NewArray(Shape{2, 2, 9}), 1) },
		"3221225472 elements": func(b *Device) { b.NewArray(Shape{1 << 14, 1 << 12, 48}) },
		"4294967296 elements": func(b *Device) { b.NewMask(Shape{1 << 13, 1 << 13, 64}, Pool{}) },
	} {
		b := NewDevice(emu.Open(emu.Options{}), DeviceOptions{Name: "emu"})
		ask(b)
		if b.Err() == nil || !strings.Contains(b.Err().Error(), want) || cuda.CodeOf(b.Err()) != 0 {
			t.Errorf("%s: the error is %v", want, b.Err())
		}
		b.Close()
	}
}

// TestProgramsAreGivenBack: a closed program leaves no graph, no list of sources
// and no scratch block but the one in use, and does not disturb the others.
func TestProgramsAreGivenBack(t *testing.T) {
	d := emu.Open(emu.Options{})
	b := NewDevice(d, DeviceOptions{Name: "emu"})
	defer b.Close()
	small, large := Shape{40, 40, 8}, Shape{400, 70, 8}
	f, g := upload(b, small, random(1, small.Len(), 1)), b.NewArray(Matrix(8))
	wide := b.NewArray(large)
	first := b.Record(func() { b.Gram(g, f, 1) })
	first.Run()
	want := download(b, g)
	live := d.Calls().Live
	second := b.Record(func() { b.ContentLoss(nil, wide, wide, 1, 0); b.Gram(g, wide, 1) })
	second.Run()
	first.Run() // in its own, outgrown scratch
	if got := download(b, g); !slices.Equal(got, want) {
		t.Error("a program recorded before another has other results")
	}
	first.Close()
	second.Close()
	second.Close()
	c := d.Calls()
	if c.Records != 2 || c.GraphCloses != 2 {
		t.Errorf("%d graphs were made and %d closed", c.Records, c.GraphCloses)
	}
	if len(b.retired) != 0 || c.Live > live+b.workSize {
		t.Errorf("%d scratch blocks are kept, %d bytes more than before", len(b.retired), c.Live-live)
	}
	if err := b.Err(); err != nil {
		t.Error(err)
	}
}

// TestHistoryMayBeLong: the history of L-BFGS may have more elements than 32 bits
// count. Here only the device's memory ends it.
func TestHistoryMayBeLong(t *testing.T) {
	b := NewDevice(emu.Open(emu.Options{Memory: 1 << 26}), DeviceOptions{Name: "emu"})
	defer b.Close()
	b.NewLBFGS(Shape{1024, 1024, 3}, LBFGSOptions{History: 700})
	if err := b.Err(); cuda.CodeOf(err) != cuda.OutOfMemory {
		t.Errorf("the error is %v", err)
	}
}
