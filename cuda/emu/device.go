// Package emu is a CUDA device in software: it runs PTX on the CPU, checks
// every access, and counts what it does.
//
// A warp of 32 threads is the unit of execution. Kernels are decoded once, when
// loaded; each instruction is a Go function over the 32 lanes of its registers.
// Lanes that branch apart are run one path after the other and join at the
// branch's immediate post-dominator. Blocks run on all cores, or one after
// another in Serial mode. The result of a correct kernel does not depend on
// Options.Schedule; a kernel with a missing barrier is caught by the race rules,
// or gives itself away under another schedule.
//
// It is for proving kernels at toy sizes, not for users. Arithmetic is that of
// the PTX manual, rounded as written; the approximations (ex2, lg2, sin, cos,
// rcp, rsqrt, div.approx and the like) are computed in float64 and rounded once,
// so real devices differ by the few ulp the manual allows.
//
// The package is pure Go and imports cuda and cuda/ptx.
package emu

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/ptx"
)

// Schedule is the order in which the warps of a block, and the blocks, run.
type Schedule int

const (
	// Forward runs each warp to its next barrier, first warp first.
	Forward Schedule = iota
	// Reverse does the same, last warp and last block first.
	Reverse
	// Random also switches warps after accesses to memory, and shuffles blocks,
	// with the seed Options.Seed.
	Random
)

func (s Schedule) String() string { return [...]string{"forward", "reverse", "random"}[s] }

// Options of a device. The zero value runs on all cores in Forward order.
type Options struct {
	Schedule Schedule
	Seed     uint64
	// Serial runs one block at a time, in order, so that atomics on floats give the
	// same result every time.
	Serial bool
	// Workers is the number of goroutines that run blocks, 0 for all cores.
	Workers int
	// Budget is the most warp instructions one block may run, 0 for 2^28.
	Budget int64
	// Traffic counts sectors and wavefronts of every access.
	Traffic bool
	// Sample, if positive, is how many blocks of a launch are run, one from each of
	// as many equal parts of the grid. This is enough for counting at sizes that
	// would take too long to compute. All memory then counts as written, and races
	// between blocks are not checked.
	Sample int
	// Memory is the device memory in bytes, 0 for 1 GiB.
	Memory int64
	// SharedBlock is the most shared memory of a block, 0 for 48 KiB.
	SharedBlock int
	// Capability is the compute capability, 75 for 7.5; 0 for 80. PTX for a higher
	// one is refused.
	Capability int
}

// Device is the software device; it implements cuda.Driver.
type Device struct {
	options Options
	info    cuda.Info
	memory  *memory
	modules []*module
	calls   cuda.Calls
	record  *graph // being recorded
	lost    error  // the fault that poisoned the device
	epoch   uint64 // of launches, for the race rules
}

// Open returns a new device.
func Open(o Options) *Device {
	if o.Budget == 0 {
		o.Budget = 1 << 28
	}
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	if o.SharedBlock == 0 {
		o.SharedBlock = 48 << 10
	}
	if o.Capability == 0 {
		o.Capability = 80
	}
	return &Device{
		options: o,
		memory:  newMemory(),
		info: cuda.Info{Name: "software device", Major: o.Capability / 10, Minor: o.Capability % 10, Memory: o.Memory, SMs: 1,
			SharedBlock: o.SharedBlock, Driver: 11080},
	}
}

// Software marks the device as a software device.
func (d *Device) Software() {}

func (d *Device) Info() cuda.Info   { return d.info }
func (d *Device) Calls() cuda.Calls { return d.calls }

// FreeMemory returns the memory that is not allocated.
func (d *Device) FreeMemory() (int64, error) { return d.info.Memory - d.calls.Live, nil }

var errClosed = &cuda.Error{Call: "call after close", Code: cuda.Deinitialised}

// enter refuses calls after a fault, and while recording unless they can be
// recorded.
func (d *Device) enter(call string, recordable bool) error {
	if d.lost != nil {
		return d.lost
	}
	if d.record != nil && !recordable {
		d.record.broken = cuda.Errorf(cuda.CaptureUnsupported, call, "")
		return d.record.broken
	}
	return nil
}

func (d *Device) Alloc(bytes int64) (cuda.Ptr, error) {
	if err := d.enter("alloc", false); err != nil {
		return 0, err
	}
	if bytes <= 0 {
		return 0, cuda.Errorf(cuda.InvalidValue, "alloc", "%d bytes", bytes)
	}
	if d.calls.Live+bytes > d.info.Memory {
		return 0, cuda.Errorf(cuda.OutOfMemory, "alloc", "%d bytes asked, %d of %d are free", bytes, d.info.Memory-d.calls.Live, d.info.Memory)
	}
	d.calls.Allocs++
	d.calls.Live += bytes
	d.calls.Peak = max(d.calls.Peak, d.calls.Live)
	r := d.memory.alloc(bytes, "", d.options.Sample == 0)
	if d.options.Sample > 0 {
		setState(r.state, written)
	}
	return cuda.Ptr(r.base), nil
}

func (d *Device) Free(p cuda.Ptr) error {
	if err := d.enter("free", false); err != nil {
		return err
	}
	r, err := d.memory.free(p)
	if err != nil {
		return err
	}
	d.calls.Frees++
	d.calls.Live -= int64(r.size)
	return nil
}

func (d *Device) Upload(dst cuda.Ptr, src []byte) error {
	if err := d.enter("upload", false); err != nil {
		return err
	}
	r, off, err := d.memory.span("upload", dst, int64(len(src)))
	if err != nil {
		return err
	}
	copy(r.data[off:], src)
	setState(r.state[off:off+uint64(len(src))], written)
	d.calls.Uploads++
	d.calls.UploadBytes += int64(len(src))
	return nil
}

func setState(s []byte, v byte) {
	for i := range s {
		s[i] = v
	}
}

// Download fails if it would copy bytes that were never written.
func (d *Device) Download(dst []byte, src cuda.Ptr) error {
	if err := d.enter("download", false); err != nil {
		return err
	}
	r, off, err := d.memory.span("download", src, int64(len(dst)))
	if err != nil {
		return err
	}
	for i, s := range r.state[off : off+uint64(len(dst))] {
		if s != written {
			return cuda.Errorf(cuda.InvalidValue, "download", "byte %d of %s was never written", off+uint64(i), r.name)
		}
	}
	copy(dst, r.data[off:])
	d.calls.Downloads++
	d.calls.DownloadBytes += int64(len(dst))
	return nil
}

func (d *Device) Copy(dst, src cuda.Ptr, bytes int64) error {
	if err := d.enter("copy", true); err != nil {
		return err
	}
	to, at, err := d.memory.span("copy", dst, bytes)
	if err != nil {
		return err
	}
	from, off, err := d.memory.span("copy", src, bytes)
	if err != nil {
		return err
	}
	if to == from && at < off+uint64(bytes) && off < at+uint64(bytes) {
		return cuda.Errorf(cuda.InvalidValue, "copy", "%d bytes overlap in %s", bytes, to.name)
	}
	return d.queue(func() error {
		d.calls.Copies++
		if to.freed || from.freed {
			return cuda.Errorf(cuda.IllegalAddress, "copy", "recorded memory was freed")
		}
		copy(to.data[at:], from.data[off:off+uint64(bytes)])
		copy(to.state[at:], from.state[off:off+uint64(bytes)])
		return nil
	})
}

func (d *Device) Fill(dst cuda.Ptr, v uint32, words int64) error {
	if err := d.enter("fill", true); err != nil {
		return err
	}
	r, off, err := d.memory.span("fill", dst, 4*words)
	if err != nil {
		return err
	}
	if off%4 != 0 {
		return cuda.Errorf(cuda.InvalidValue, "fill", "address %#x is not a multiple of 4", uint64(dst))
	}
	return d.queue(func() error {
		d.calls.Fills++
		if r.freed {
			return cuda.Errorf(cuda.IllegalAddress, "fill", "recorded memory was freed")
		}
		for i := off; i < off+uint64(4*words); i += 4 {
			put32(r.data, i, v)
			put32(r.state, i, written4)
		}
		return nil
	})
}

// queue runs f now, or stores it while recording.
func (d *Device) queue(f func() error) error {
	if d.record != nil {
		d.record.calls = append(d.record.calls, f)
		return nil
	}
	return f()
}

func (d *Device) Sync() error {
	if err := d.enter("sync", false); err != nil {
		return err
	}
	d.calls.Syncs++
	return nil
}

// Close releases everything. Later calls fail.
func (d *Device) Close() error {
	d.memory, d.modules, d.record = newMemory(), nil, nil
	if errors.Is(d.lost, errClosed) {
		return nil
	}
	d.lost = errClosed
	return nil
}

// Record returns what f queues as a graph.
func (d *Device) Record(f func() error) (cuda.Graph, error) {
	if err := d.BeginRecord(); err != nil {
		return nil, err
	}
	err := f()
	g, broken := d.EndRecord()
	if err == nil {
		err = broken
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

// BeginRecord and EndRecord do what Record does in two calls, for callers that
// cannot pass a function, such as a C interface.
func (d *Device) BeginRecord() error {
	if err := d.enter("record", false); err != nil {
		return err
	}
	d.record = &graph{device: d}
	return nil
}

func (d *Device) EndRecord() (cuda.Graph, error) {
	g := d.record
	if g == nil {
		return nil, cuda.Errorf(cuda.InvalidValue, "end of record", "nothing is being recorded")
	}
	d.record = nil
	if g.broken != nil {
		return nil, g.broken
	}
	d.calls.Records++
	return g, nil
}

// graph is a recorded sequence of calls.
type graph struct {
	device *Device
	calls  []func() error
	broken error // a call that cannot be recorded was made
	closed bool
}

func (g *graph) Launch() error {
	d := g.device
	if err := d.enter("graph launch", false); err != nil {
		return err
	}
	d.calls.GraphLaunches++
	for _, f := range g.calls {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (g *graph) Close() error {
	if !g.closed {
		g.closed = true
		g.device.calls.GraphCloses++
	}
	g.calls = []func() error{func() error { return cuda.Errorf(cuda.InvalidValue, "graph launch", "graph was closed") }}
	return nil
}

// module is PTX loaded on the device.
type module struct {
	device    *Device
	ptx       *ptx.Module
	kernels   map[string]*kernel
	addresses map[string]uint64 // of .global and .const variables
	regions   map[string]*region
}

func (d *Device) Load(src string) (cuda.Module, error) {
	if err := d.enter("load", false); err != nil {
		return nil, err
	}
	p, err := ptx.Parse(src)
	if err != nil {
		return nil, &cuda.Error{Call: "load", Code: cuda.InvalidPTX, Text: err.Error(), Cause: err}
	}
	if target, err := strconv.Atoi(strings.Trim(p.Target, "sm_a")); err != nil || target > d.options.Capability {
		return nil, cuda.Errorf(cuda.InvalidPTX, "load", "PTX is for %s, the device is sm_%d", p.Target, d.options.Capability)
	}
	m := &module{device: d, ptx: p, kernels: map[string]*kernel{}, addresses: map[string]uint64{}, regions: map[string]*region{}}
	for _, v := range p.Vars {
		if (v.Space != ptx.Global && v.Space != ptx.Const) || v.Extern {
			continue
		}
		r := d.memory.alloc(int64(v.Size()), fmt.Sprintf("variable %s", v.Name), true)
		clear(r.data)
		copy(r.data, v.Init)
		setState(r.state, written)
		r.space, r.readOnly = v.Space, v.Space == ptx.Const
		m.regions[v.Name], m.addresses[v.Name] = r, r.base
	}
	for _, k := range p.Kernels {
		if m.kernels[k.Name], err = decode(m, k); err != nil {
			return nil, &cuda.Error{Call: "load", Code: cuda.InvalidPTX, Text: err.Error(), Cause: err}
		}
	}
	d.modules = append(d.modules, m)
	d.calls.Loads++
	return m, nil
}

func (m *module) Kernel(name string) (cuda.Kernel, error) {
	k, ok := m.kernels[name]
	if !ok {
		return nil, cuda.Errorf(cuda.NotFound, "kernel "+name, "the module has no such .entry")
	}
	return k, nil
}

func (m *module) Global(name string) (cuda.Ptr, int64, error) {
	r, ok := m.regions[name]
	if !ok {
		return 0, 0, cuda.Errorf(cuda.NotFound, "variable "+name, "the module has no such .global or .const")
	}
	return cuda.Ptr(r.base), int64(r.size), nil
}

func (m *module) Unload() error {
	for _, r := range m.regions {
		r.freed, r.data, r.state = true, nil, nil
	}
	m.kernels, m.regions = nil, nil
	return nil
}

func (k *kernel) Signature() *cuda.Signature { return k.sig }

// Attributes implements cuda.Attributer. PTX has no fixed number of registers, so
// Registers is 0.
func (d *Device) Attributes(kernelArg cuda.Kernel) (cuda.Attributes, error) {
	k, ok := kernelArg.(*kernel)
	if !ok {
		return cuda.Attributes{}, cuda.Errorf(cuda.InvalidValue, "attributes", "kernel is not of this device")
	}
	a := cuda.Attributes{Local: k.local, Shared: k.sig.Shared, MaxThreads: 1024}
	if k.sig.Block != (cuda.Dim3{}) {
		a.MaxThreads = k.sig.Block.Count()
	}
	return a, nil
}

// Counters returns what each kernel did so far, sorted by name.
func (d *Device) Counters() []Counters {
	var all []Counters
	for _, m := range d.modules {
		for _, k := range m.kernels {
			c := Counters{Kernel: k.sig.Name, Launches: k.launches, Blocks: k.blocks, Barriers: k.barriers}
			for i := range k.code {
				o := &k.code[i]
				c.Lines = append(c.Lines, Line{o.line, o.text, o.class, k.total[i]})
			}
			all = append(all, c)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Kernel < all[j].Kernel })
	return all
}

var (
	_ cuda.Driver     = (*Device)(nil)
	_ cuda.Meter      = (*Device)(nil)
	_ cuda.Attributer = (*Device)(nil)
)
