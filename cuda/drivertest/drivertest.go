// Package drivertest tests that a cuda.Driver keeps the contract. Call Run from a
// test of the driver. The package imports cuda.
package drivertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
)

// module has one kernel for each property of a launch that is tested.
const module = `.version 6.3
.target sm_75
.address_size 64
.visible .global .align 4 .u32 counter[3] = {7, 8, 9};

// y[i] = a*x[i] + y[i] for i < n
.visible .entry axpy(.param .u64 y, .param .u64 x, .param .f32 a, .param .u32 n)
.maxntid 64, 1, 1
{
	.reg .pred %p; .reg .b32 %r<5>; .reg .f32 %f<4>; .reg .b64 %rd<4>;
	mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;
	mad.lo.u32 %r1, %r1, %r2, %r3;
	ld.param.u32 %r2, [n]; setp.ge.u32 %p, %r1, %r2; @%p ret;
	ld.param.u64 %rd1, [x]; mad.wide.u32 %rd1, %r1, 4, %rd1;
	ld.param.u64 %rd2, [y]; mad.wide.u32 %rd2, %r1, 4, %rd2;
	ld.global.f32 %f1, [%rd1]; ld.global.f32 %f2, [%rd2]; ld.param.f32 %f3, [a];
	fma.rn.f32 %f2, %f1, %f3, %f2; st.global.f32 [%rd2], %f2;
	ret;
}

// x[i] of one block of n threads, back to front, through n words of shared memory
.extern .shared .align 4 .b8 room[];
.visible .entry turn(.param .u64 x, .param .u32 at)
.maxntid 64, 1, 1
{
	.reg .b32 %r<6>; .reg .b64 %rd<4>;
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ntid.x; ld.param.u32 %r5, [at];
	ld.param.u64 %rd1, [x]; mad.wide.u32 %rd2, %r1, 4, %rd1; ld.global.u32 %r3, [%rd2];
	mov.u32 %r4, room; add.u32 %r4, %r4, %r5; mad.lo.u32 %r5, %r1, 4, %r4; st.shared.u32 [%r5], %r3;
	bar.sync 0;
	sub.u32 %r1, %r2, %r1; sub.u32 %r1, %r1, 1; mad.lo.u32 %r5, %r1, 4, %r4; ld.shared.u32 %r3, [%r5];
	st.global.u32 [%rd2], %r3;
	ret;
}

// where[0] = where the block is: 100 x + 10 y + z of the last block
.visible .entry place(.param .u64 where)
.reqntid 2, 3, 1
{
	.reg .b32 %r<5>; .reg .b64 %rd; .reg .pred %p;
	mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ctaid.y; mov.u32 %r3, %ctaid.z;
	mad.lo.u32 %r4, %r1, 10, %r2; mad.lo.u32 %r4, %r4, 10, %r3;
	mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; add.u32 %r1, %r1, %r2; setp.ne.u32 %p, %r1, 0; @%p ret;
	ld.param.u64 %rd, [where]; atom.global.max.u32 %r1, [%rd], %r4;
	ret;
}

.visible .entry crash()
.maxntid 1, 1, 1
{
	.reg .b64 %rd;
	mov.u64 %rd, 64; st.global.u32 [%rd], 1;
	ret;
}
`

// Run tests a driver against the contract of cuda.Driver. open returns a new
// driver, which Run closes.
func Run(t *testing.T, open func(t *testing.T) cuda.Driver) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, d *device)
	}{
		{"info", info}, {"memory", memory}, {"copies", copies}, {"modules", modules}, {"launches", launches},
		{"shared", shared}, {"arguments", arguments}, {"grids", grids}, {"record", record}, {"record refuses", recordRefuses},
		{"order", order}, {"threads", threads}, {"counts", counts}, {"attributes", attributes}, {"fault", fault}, {"close", closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t)
			t.Cleanup(func() { d.Close() })
			c.test(t, &device{d, t})
		})
	}
	t.Run("two at once", func(t *testing.T) {
		a, b := &device{open(t), t}, &device{open(t), t}
		defer a.Close()
		defer b.Close()
		k, args := a.kernel("crash"), new(cuda.Args)
		b.fails(cuda.InvalidValue, b.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, args))
		b.must(b.Close())
		p := a.alloc(4)
		a.must(a.Fill(p, 5, 1))
		a.holds(p, 5)
	})
}

// device is a driver whose errors end the test.
type device struct {
	cuda.Driver
	t *testing.T
}

func (d *device) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// fails expects an error of package cuda whose code is want.
func (d *device) fails(want cuda.Code, err error) {
	d.t.Helper()
	e, ok := errors.AsType[*cuda.Error](err)
	if !ok {
		d.t.Errorf("got %v, want a driver's error with code %d", err, want)
		return
	}
	if e.Code != want {
		d.t.Errorf("got code %d (%v), want %d", e.Code, err, want)
	}
	if e.Call == "" {
		d.t.Errorf("error %v does not name its call", err)
	}
}

func (d *device) alloc(bytes int64) cuda.Ptr {
	d.t.Helper()
	p, err := d.Alloc(bytes)
	d.must(err)
	return p
}

func (d *device) kernel(name string) cuda.Kernel {
	d.t.Helper()
	m, err := d.Load(module)
	d.must(err)
	k, err := m.Kernel(name)
	d.must(err)
	return k
}

// words uploads words to a new allocation.
func (d *device) words(v ...uint32) cuda.Ptr {
	d.t.Helper()
	b := make([]byte, 0, 4*len(v))
	for _, w := range v {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	p := d.alloc(int64(len(b)))
	d.must(d.Upload(p, b))
	return p
}

// holds expects these words at p.
func (d *device) holds(p cuda.Ptr, want ...uint32) {
	d.t.Helper()
	b := make([]byte, 4*len(want))
	d.must(d.Download(b, p))
	for i, w := range want {
		if got := binary.LittleEndian.Uint32(b[4*i:]); got != w {
			d.t.Errorf("word %d is %#x, want %#x", i, got, w)
		}
	}
}

func info(t *testing.T, d *device) {
	i := d.Info()
	if i.Name == "" || i.Major < 5 || i.Minor < 0 || i.Memory <= 0 || i.SMs < 1 || i.SharedBlock < 48<<10 || i.Driver < 11000 {
		t.Errorf("%+v", i)
	}
}

func memory(t *testing.T, d *device) {
	a, b := d.alloc(1), d.alloc(1000)
	if a == 0 || b == 0 || a%256 != 0 || b%256 != 0 || a == b {
		t.Errorf("allocations at %#x and %#x", uint64(a), uint64(b))
	}
	d.must(d.Free(a))
	d.must(d.Free(b))
	d.fails(cuda.InvalidValue, d.Free(b))
	d.fails(cuda.InvalidValue, d.Free(12345))
	_, err := d.Alloc(0)
	d.fails(cuda.InvalidValue, err)
	_, err = d.Alloc(-1)
	d.fails(cuda.InvalidValue, err)
	_, err = d.Alloc(1 << 50)
	d.fails(cuda.OutOfMemory, err)
	d.must(d.Free(d.alloc(16)))
}

func copies(t *testing.T, d *device) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 3, 255, 4096 + 7, 4<<20 - 1, 4<<20 + 5, 9<<20 + 3} {
		src := make([]byte, n)
		for i := 0; i < n; i += 1 + n/1000 {
			src[i] = byte(random.Uint32())
		}
		p, q := d.alloc(int64(n)+2), d.alloc(int64(n))
		d.must(d.Upload(p+1, src))
		d.must(d.Copy(q, p+1, int64(n)))
		got := make([]byte, n)
		d.must(d.Download(got, q))
		if !bytes.Equal(got, src) {
			t.Errorf("%d bytes do not come back", n)
		}
		d.must(d.Free(p))
		d.must(d.Free(q))
	}
	p := d.words(1, 2, 3, 4, 5)
	d.must(d.Fill(p+4, 0xdeadbeef, 2))
	d.must(d.Copy(p+16, p, 4))
	d.holds(p, 1, 0xdeadbeef, 0xdeadbeef, 4, 1)
	d.must(d.Upload(p, nil))
	d.must(d.Download(nil, p))
	d.fails(cuda.InvalidValue, d.Copy(p+4, p, 8))
	d.fails(cuda.InvalidValue, d.Upload(64, []byte{1}))
	d.fails(cuda.InvalidValue, d.Download(make([]byte, 1), 64))
}

func modules(t *testing.T, d *device) {
	m, err := d.Load(module)
	d.must(err)
	p, n, err := m.Global("counter")
	d.must(err)
	if n != 12 {
		t.Errorf("counter has %d bytes, want 12", n)
	}
	d.holds(p, 7, 8, 9)
	d.must(d.Fill(p, 1, 1))
	d.holds(p, 1, 8, 9)
	_, _, err = m.Global("nothing")
	d.fails(cuda.NotFound, err)
	_, err = m.Kernel("nothing")
	d.fails(cuda.NotFound, err)
	k, err := m.Kernel("axpy")
	d.must(err)
	if s := k.Signature(); s.Name != "axpy" || len(s.Params) != 4 || s.Block.X != 64 {
		t.Errorf("%+v", s)
	}
	d.must(m.Unload())
	for _, bad := range []string{"", "no PTX", strings.Replace(module, "fma.rn", "fmo.rn", 1), strings.Replace(module, "sm_75", "sm_999", 1)} {
		_, err := d.Load(bad)
		d.fails(cuda.InvalidPTX, err)
	}
}

// These are the bits of the arguments of 1.5 x 2 + 3 = 6.
const (
	two, three, six = 0x40000000, 0x40400000, 0x40c00000
	onePointFive    = 1.5
)

func launches(t *testing.T, d *device) {
	k := d.kernel("axpy")
	for _, n := range []int{1, 63, 64, 65, 1000} {
		x, y := d.alloc(int64(4*n)), d.alloc(int64(4*n+4))
		d.must(d.Fill(x, two, int64(n)))
		d.must(d.Fill(y, three, int64(n)+1))
		args := func() *cuda.Args { return new(cuda.Args).Ptr(y).Ptr(x).Float(onePointFive).Int(int32(n)) }
		d.must(d.Launch(k, cuda.Dim3{X: (n + 63) / 64}, cuda.Dim3{}, 0, args()))
		want := make([]uint32, n+1)
		for i := range n {
			want[i] = six
		}
		want[n] = three
		d.holds(y, want...)
		d.must(d.Launch(k, cuda.Dim3{X: (n + 6) / 7}, cuda.Dim3{X: 7}, 0, args()))
		d.holds(y, 0x41100000) // 1.5 x 2 + 6 = 9
	}
}

// shared uses dynamic shared memory, more than 48 KiB of it if the device allows
// it.
func shared(t *testing.T, d *device) {
	k := d.kernel("turn")
	p := d.words(1, 2, 3, 4, 5)
	d.must(d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 5}, 20, new(cuda.Args).Ptr(p).Uint(0)))
	d.holds(p, 5, 4, 3, 2, 1)
	most := d.Info().SharedBlock
	d.must(d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 5}, most, new(cuda.Args).Ptr(p).Uint(uint32(most-20))))
	d.holds(p, 1, 2, 3, 4, 5)
	d.fails(cuda.InvalidValue, d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 5}, most+1, new(cuda.Args).Ptr(p).Uint(0)))
	d.fails(cuda.InvalidValue, d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 5}, -1, new(cuda.Args).Ptr(p).Uint(0)))
}

func arguments(t *testing.T, d *device) {
	k := d.kernel("axpy")
	p := d.words(three)
	for _, bad := range []*cuda.Args{
		nil,
		new(cuda.Args).Ptr(p).Ptr(p).Float(1),
		new(cuda.Args).Ptr(p).Ptr(p).Float(1).Int(0).Int(0),
		new(cuda.Args).Ptr(p).Ptr(p).Int(1).Int(0),
		new(cuda.Args).Ptr(p).Ptr(p).Float(1).Long(0),
		new(cuda.Args).Int(1).Ptr(p).Float(1).Int(0),
	} {
		d.fails(cuda.InvalidValue, d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, bad))
	}
	good := new(cuda.Args).Ptr(p).Ptr(p).Float(1).Int(0)
	d.fails(cuda.LaunchResources, d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 65}, 0, good))
	d.fails(cuda.InvalidValue, d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 2000}, 0, good))
	d.must(d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, good))
	d.holds(p, three)
}

func grids(t *testing.T, d *device) {
	k := d.kernel("place")
	p := d.words(0)
	args := new(cuda.Args).Ptr(p)
	d.must(d.Launch(k, cuda.Dim3{X: 4, Y: 3, Z: 2}, cuda.Dim3{}, 0, args))
	d.holds(p, 321)
	d.fails(cuda.InvalidValue, d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 6}, 0, args))
	for _, bad := range []cuda.Dim3{{}, {X: -1}, {X: 1, Y: 65536}, {X: 1, Y: 1, Z: 65536}} {
		d.fails(cuda.InvalidValue, d.Launch(k, bad, cuda.Dim3{}, 0, args))
	}
	d.holds(p, 321)
}

func record(t *testing.T, d *device) {
	k := d.kernel("axpy")
	x, y, z := d.words(two), d.words(three), d.words(1, 1)
	a := new(cuda.Args).Ptr(y).Ptr(x).Float(onePointFive).Int(1)
	g, err := d.Record(func() error {
		if err := d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, a); err != nil {
			return err
		}
		if err := d.Copy(z, y, 4); err != nil {
			return err
		}
		return d.Fill(y, two, 1)
	})
	d.must(err)
	d.holds(y, three)
	d.holds(z, 1, 1)
	d.must(g.Launch())
	d.holds(y, two)
	d.holds(z, six, 1)
	// Three in a row: 1.5 x 2 + 2 = 5 each time.
	for range 3 {
		d.must(g.Launch())
	}
	d.must(d.Sync())
	d.holds(z, 0x40a00000, 1)
	empty, err := d.Record(func() error { return nil })
	d.must(err)
	d.must(empty.Launch())
	d.must(empty.Close())
	d.must(g.Close())
	d.fails(cuda.InvalidValue, g.Launch())
	d.holds(y, two)
}

func recordRefuses(t *testing.T, d *device) {
	p := d.words(1)
	graph, err := d.Record(func() error { return d.Fill(p, 9, 1) })
	d.must(err)
	for name, call := range map[string]func() error{
		"alloc":        func() error { _, err := d.Alloc(4); return err },
		"free":         func() error { return d.Free(p) },
		"upload":       func() error { return d.Upload(p, []byte{1, 2, 3, 4}) },
		"download":     func() error { return d.Download(make([]byte, 4), p) },
		"sync":         d.Sync,
		"load":         func() error { _, err := d.Load(module); return err },
		"graph launch": graph.Launch,
		"record":       func() error { _, err := d.Record(func() error { return nil }); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var inside error
			g, err := d.Record(func() error { inside = call(); return nil })
			if g != nil {
				t.Error("there is a graph")
			}
			d.fails(cuda.CaptureUnsupported, inside)
			d.fails(cuda.CaptureUnsupported, err)
			d.must(d.Fill(p, 3, 1)) // the device still works
			d.holds(p, 3)
		})
	}
	own := errors.New("ours")
	if _, err := d.Record(func() error { return own }); !errors.Is(err, own) {
		t.Errorf("got %v, want the function's own error", err)
	}
	d.must(graph.Launch())
	d.holds(p, 9)
}

// order queues calls without waiting. Every call must see the results of the
// previous one.
func order(t *testing.T, d *device) {
	k := d.kernel("axpy")
	const n = 1000
	x, y, z := d.alloc(4*n), d.alloc(4*n), d.alloc(4*n)
	for range 20 {
		d.must(d.Fill(x, two, n))
		d.must(d.Fill(y, three, n))
		d.must(d.Launch(k, cuda.Dim3{X: (n + 63) / 64}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(y).Ptr(x).Float(onePointFive).Int(n)))
		d.must(d.Copy(z, y, 4*n))
		d.must(d.Fill(y, 0, n))
		d.holds(z+4*(n-1), six)
	}
}

// threads uses the driver from other threads, one at a time, as happens to a
// goroutine that moves between threads.
func threads(t *testing.T, d *device) {
	k := d.kernel("axpy")
	p := d.words(three)
	for range 5 {
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // not unlocked, so that the thread ends with the goroutine
			done <- d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(p).Ptr(p).Float(0).Int(1))
		}()
		d.must(<-done)
	}
	d.holds(p, three)
}

func counts(t *testing.T, d *device) {
	meter, ok := cuda.As[cuda.Meter](d.Driver)
	if !ok {
		t.Skip("SKIPPED: this driver does not count")
	}
	k := d.kernel("crash") // loaded, never launched
	_ = k
	before := meter.Calls()
	p := d.words(1, 2)
	d.must(d.Fill(p, 1, 1))
	d.must(d.Copy(p+4, p, 4))
	g, err := d.Record(func() error { return d.Fill(p, 1, 1) })
	d.must(err)
	d.must(d.Sync())
	d.holds(p, 1, 1)
	c := meter.Calls().Sub(before)
	if c.Allocs != 1 || c.Uploads != 1 || c.UploadBytes != 8 || c.Fills < 1 || c.Copies != 1 || c.Records != 1 || c.Syncs != 1 ||
		c.Downloads != 1 || c.DownloadBytes != 8 || c.GraphLaunches != 0 || c.Live != 8 || c.Peak != 8 {
		t.Errorf("%+v", c)
	}
	before = meter.Calls()
	for range 3 {
		d.must(g.Launch())
	}
	if c := meter.Calls().Sub(before); c.GraphLaunches != 3 || c.Syncs+c.Allocs+c.Uploads+c.Downloads != 0 {
		t.Errorf("%+v", c)
	}
	before = meter.Calls()
	d.must(g.Close())
	d.must(g.Close())
	if c := meter.Calls().Sub(before); c.GraphCloses != 1 {
		t.Errorf("one graph, closed twice, counts as %d", c.GraphCloses)
	}
	d.must(d.Free(p))
	if live := meter.Calls().Live; live != 0 {
		t.Errorf("%d bytes live", live)
	}
}

func attributes(t *testing.T, d *device) {
	power, ok := cuda.As[cuda.Attributer](d.Driver)
	if !ok {
		t.Skip("SKIPPED: this driver has no attributes")
	}
	a, err := power.Attributes(d.kernel("axpy"))
	d.must(err)
	if a.Local != 0 || a.Shared != 0 || a.MaxThreads != 64 || a.Registers < 0 {
		t.Errorf("%+v", a)
	}
}

func fault(t *testing.T, d *device) {
	p := d.words(1)
	err := d.Launch(d.kernel("crash"), cuda.Dim3{X: 1}, cuda.Dim3{}, 0, nil)
	if err == nil {
		err = d.Sync()
	}
	d.fails(cuda.IllegalAddress, err)
	d.fails(cuda.IllegalAddress, d.Sync())
	d.fails(cuda.IllegalAddress, d.Fill(p, 1, 1))
	_, err = d.Alloc(4)
	d.fails(cuda.IllegalAddress, err)
}

func closed(t *testing.T, d *device) {
	p := d.words(1)
	d.must(d.Close())
	d.must(d.Close())
	d.fails(cuda.Deinitialised, d.Sync())
	d.fails(cuda.Deinitialised, d.Free(p))
	_, err := d.Alloc(4)
	d.fails(cuda.Deinitialised, err)
	_, err = d.Load(module)
	d.fails(cuda.Deinitialised, err)
}
