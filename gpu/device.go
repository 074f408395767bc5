package gpu

import (
	"encoding/binary"
	"slices"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/kernels"
)

// DeviceOptions configure NewDevice.
type DeviceOptions struct {
	Name      string    // the result of Backend.Name: "cuda:0", "emu"
	Precision Precision // Auto is Single on devices in software

	// Stages is how many taps of weights a convolution in half precision keeps in
	// shared memory: 2, 3, or 0 for the best known value.
	Stages int
}

// Device is the backend over a cuda.Driver. Arrays are in device memory, and operations
// are kernels on its one in-order stream. An array is row-major (H, W, C) as on the
// CPU. Features have a multiple of four channels, which kernels move four at a time.
// The image has three channels, matrices and maps have any number.
//
// No operation waits for the host. The memory that an operation needs in addition to
// its arguments lies in one scratch block. Operations run one after another, so the
// next one may overwrite it.
type Device struct {
	d       cuda.Driver
	name    string
	target  int  // of kernels.Targets, the highest the device runs
	half    bool // features are stored as binary16, see half_device.go
	stages  int  // of weights in its convolutions
	modules map[string]cuda.Module
	kernels map[string]cuda.Kernel
	err     error

	status   cuda.Ptr // struct Status of kernels/optimizer.cuh
	work     cuda.Ptr
	workSize int64
	retired  []cuda.Ptr          // outgrown scratch blocks, see trim
	lists    map[string]cuda.Ptr // tables that kernels read, by content
	strip    *Array              // room for a part of features, see AddSums
	aside    *Array              // room for an array in float32, see inSingle
	gradient cuda.Ptr            // struct GradientScale of kernels/common.cuh

	planning bool // Record's first pass: launches are prepared, not made
	settling bool // evaluations that only find the scale of gradients
	scaled   bool // losses began gradients that have not reached the image
	rescaled bool // gradients reached the image
	programs []*deviceProgram
}

var _ Backend = (*Device)(nil)

// NewDevice returns a backend on d, which Close closes. Err returns failures.
func NewDevice(d cuda.Driver, o DeviceOptions) *Device {
	b := &Device{d: d, name: o.Name, modules: map[string]cuda.Module{}, kernels: map[string]cuda.Kernel{}, lists: map[string]cuda.Ptr{}}
	i := d.Info()
	for _, t := range kernels.Targets {
		if t <= i.Major*10+i.Minor {
			b.target = t
		}
	}
	if b.target == 0 {
		b.note(cuda.Errorf(cuda.InvalidPTX, "open", "%s is of compute capability %d.%d, the kernels need %d or more", i.Name, i.Major, i.Minor, kernels.Targets[0]))
	}
	b.openHalf(o.Precision, o.Stages)
	b.status = b.alloc(statusBytes)
	b.ResetStatus()
	return b
}

func (b *Device) Name() string { return b.name }

// Target returns the compute capability for which the newest kernels that it runs were
// compiled.
func (b *Device) Target() int { return b.target }

func (b *Device) Err() error { return b.err }
func (b *Device) Sync()      { b.do(func() error { return b.d.Sync() }) }

// Close frees all memory and closes the driver.
func (b *Device) Close() {
	for _, p := range slices.Clone(b.programs) {
		p.Close()
	}
	b.note(b.d.Close())
}

// note keeps the first failure.
func (b *Device) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// do makes a driver call unless something failed before. In the first pass of a
// recording it makes none, since f is called again in the second.
func (b *Device) do(f func() error) {
	if b.err == nil && !b.planning {
		b.note(f())
	}
}

// outside panics while a program is recorded. Calls that cannot be part of one use it.
func (b *Device) outside(op string) {
	if b.planning {
		fail(op, "cannot be recorded")
	}
}

//go:generate go run ./internal/launchgen

// launch runs a kernel of a module on grid blocks of the size it was compiled
// for, with shared bytes for its extern shared array. The functions of
// launch_gen.go, which have the types of each kernel's parameters, call it.
func (b *Device) launch(module, kernel string, grid cuda.Dim3, shared int, args *cuda.Args) {
	k := b.kernel(module, kernel)
	b.do(func() error { return b.d.Launch(k, grid, cuda.Dim3{}, shared, args) })
}

// kernel loads the module at the first use of one of its kernels.
func (b *Device) kernel(module, name string) cuda.Kernel {
	k := b.kernels[module+"."+name]
	if k != nil || b.err != nil {
		return k
	}
	m := b.modules[module]
	if m == nil {
		text, _, err := kernels.Best(module, b.target)
		if err == nil {
			m, err = b.d.Load(text)
		}
		if err != nil {
			b.note(err)
			return nil
		}
		b.modules[module] = m
	}
	k, err := m.Kernel(name)
	b.note(err)
	b.kernels[module+"."+name] = k
	return k
}

// alloc returns device memory with arbitrary values, or 0 if there is not enough.
func (b *Device) alloc(bytes int64) (p cuda.Ptr) {
	if b.err == nil {
		var err error
		p, err = b.d.Alloc(bytes)
		b.note(err)
	}
	return p
}

func (b *Device) free(list ...cuda.Ptr) {
	for _, p := range list {
		if p != 0 {
			b.do(func() error { return b.d.Free(p) })
		}
	}
}

// upload and download copy bytes between host and device. They wait.
func (b *Device) upload(dst cuda.Ptr, src []byte) {
	b.do(func() error { return b.d.Upload(dst, src) })
}

func (b *Device) download(dst []byte, src cuda.Ptr) {
	b.do(func() error { return b.d.Download(dst, src) })
}

// scratch returns bytes of device memory that the next operation may overwrite.
func (b *Device) scratch(bytes int64) cuda.Ptr {
	if bytes > b.workSize {
		b.retired = append(b.retired, b.work)
		if !b.planning {
			b.trim()
		}
		b.workSize = max(bytes, 1<<16)
		b.work = b.alloc(b.workSize)
	}
	return b.work
}

// sumInto launches the last step of a reduction: *total = the n float64 at
// partial, added in a fixed order.
func (b *Device) sumInto(total, partial cuda.Ptr, n int) {
	b.launchSumFinish(cuda.Dim3{X: 1}, total, partial, n)
}

// slot returns the address of a loss in the status block.
func (b *Device) slot(i int) cuda.Ptr { return b.status + cuda.Ptr(8*i) }

// at returns an array's address, or 0 for none.
func at(a *Array) cuda.Ptr {
	if a == nil {
		return 0
	}
	return a.at
}

// flag returns a condition as a parameter of a kernel.
func flag(v bool) int {
	if v {
		return 1
	}
	return 0
}

// blocksFor returns a grid of enough blocks of that many threads or elements.
func blocksFor(n, block int) cuda.Dim3 { return cuda.Dim3{X: chunks(n, block)} }

// floatBytes returns values as they lie in device memory.
func floatBytes(v []float32) []byte {
	raw, _ := binary.Append(nil, binary.LittleEndian, v) // it fails for other types only
	return raw
}

// uploaded returns new memory that holds v.
func (b *Device) uploaded(v []float32) cuda.Ptr {
	p := b.alloc(4 * int64(len(v)))
	b.upload(p, floatBytes(v))
	return p
}

// deviceProgram is a recorded graph and the scratch block that it uses.
type deviceProgram struct {
	b    *Device
	g    cuda.Graph
	work cuda.Ptr

	evaluation cuda.Graph // without steps, to run before g first runs; nil: none
}

func (p *deviceProgram) Run() {
	p.settle()
	if p.b.err == nil {
		p.b.note(p.g.Launch())
	}
}

func (p *deviceProgram) Close() {
	if p.g == nil {
		return
	}
	b := p.b
	b.note(p.g.Close())
	p.g = nil
	p.endSettling()
	b.programs = slices.DeleteFunc(b.programs, func(q *deviceProgram) bool { return q == p })
	b.trim()
	if len(b.programs) == 0 {
		for _, list := range b.lists {
			b.free(list)
		}
		clear(b.lists)
	}
}

// trim frees the outgrown scratch blocks that no program uses.
func (b *Device) trim() {
	b.retired = slices.DeleteFunc(b.retired, func(work cuda.Ptr) bool {
		for _, p := range b.programs {
			if p.work == work {
				return false
			}
		}
		b.free(work)
		return true
	})
}

// Record calls f twice. The first call loads its kernels and finds out how much scratch
// it needs, neither of which can be recorded. The second call is recorded.
func (b *Device) Record(f func()) Program {
	b.planning, b.rescaled = true, false
	f()
	b.planning = false
	b.trim()
	p := &deviceProgram{b: b, work: b.work}
	p.prepareSettling(f)
	p.g = b.recorded(f)
	if p.g != nil {
		b.programs = append(b.programs, p)
	}
	return p
}

func (b *Device) recorded(f func()) (g cuda.Graph) {
	b.do(func() (err error) {
		g, err = b.d.Record(func() error { f(); return b.err })
		return err
	})
	return g
}
