package gpu

import (
	"math"
	"runtime"
	"runtime/debug"

	"github.com/impasto/impasto/gpu/simd"
)

// chunkLen is how many elements of a vector one chunk holds. Reductions keep a
// float64 partial sum per chunk and add them in order.
const chunkLen = 4096

// CPUOptions configure NewCPU.
type CPUOptions struct {
	Threads   int       // 0: one per processor Go may use
	Precision Precision // Auto is Single
}

// CPU is the backend in Go: arrays are (H, W, C) row-major float32, or in half
// precision bfloat16.
type CPU struct {
	workers *workers
	kernels *simd.Kernels
	bf16    *simd.BF16Kernels // nil in single precision
	err     error             // set if IMPASTO_SIMD names what this machine lacks
	status  Status
	work
}

// work is memory that operations keep from one call to the next, so that they do not
// allocate. It holds no results and may be dropped between operations.
type work struct {
	scratch        [][]float32 // per worker, grown to the largest need
	wide           []buffers   // per worker, of rows in half precision
	partial        []float64   // per chunk of the running reduction
	winoU          []float32   // transformed filters and patches that the workers share
	winoV          []float32
	packed         []float32 // panels of a product
	projections    []float32 // of features along directions
	sorts          []sorter  // per worker
	partialMoments []float32
	gramSums       Sums

	// One task per operation; see parallel.go.
	winograd   winogradTask
	firstGrad  firstGradTask
	halfConv   halfConvTask
	halfStyle  halfStyleTask
	product    productTask
	momentum   momentTask
	conv       convTask
	convGrad   convGradTask
	pool       poolTask
	poolGrad   poolGradTask
	gate       gateTask
	match      matchTask
	bank       bankTask
	join       joinTask
	patch      patchTask
	mean       meanTask
	second     secondTask
	covariance covarianceTask
	moments    momentsTask
	content    contentTask
	selfSim    selfSimTask
	places     placesTask
	sliced     slicedTask
	tv         tvTask
	vector     vectorTask
	window     windowTask
	resize     resizeTask
	cosine     cosineTask
	sample     sampleTask
	channels   channelTask
}

var _ Backend = (*CPU)(nil)

// NewCPU returns a backend that computes on the processor.
func NewCPU(o CPUOptions) *CPU {
	n := o.Threads
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	b := &CPU{workers: newWorkers(n)}
	b.clearWork()
	b.kernels, b.err = simd.Best()
	if o.Precision == Half {
		b.bf16, b.err = simd.BestBF16()
	}
	// The workers do not refer to b, so a backend that is dropped without Close still
	// frees its threads.
	runtime.AddCleanup(b, func(w *workers) { w.close() }, b.workers)
	return b
}

// CheckCPU returns an error if this machine cannot run the instructions that
// IMPASTO_SIMD names. NewCPU's backend has the same error.
func CheckCPU() error {
	_, err := simd.Best()
	return err
}

// Name returns "cpu".
func (b *CPU) Name() string { return "cpu" }

// NewArray makes an array of zeros.
func (b *CPU) NewArray(s Shape) *Array {
	if !s.valid() {
		fail("NewArray", "shape %v", s)
	}
	n := s.Len()
	// A single position may be memory for views, which are counted in float32.
	if b.halves(s) && s.Pixels() > 1 {
		n /= 2
	}
	return b.placed(s, simd.Floats(n))
}

// View returns an array of shape s inside a's memory. It begins at bytes from the start
// of a, a multiple of 64.
func (b *CPU) View(a *Array, at int64, s Shape) *Array {
	if !s.valid() || at < 0 || at%64 != 0 || at+b.size(s) > 4*int64(len(a.memory)) {
		fail("View", "shape %v at byte %d does not fit in %v", s, at, a.Shape)
	}
	from := int(at / 4)
	to := from + int((b.size(s)+3)/4)
	return b.placed(s, a.memory[from:to:to])
}

// Bytes rounds up to a cache line, so that neighbouring arrays share none.
func (b *CPU) Bytes(s Shape) int64 { return (b.size(s) + 63) &^ 63 }

// MaxLen returns the largest int, since only memory is a limit.
func (b *CPU) MaxLen() int { return math.MaxInt }

// NewMask allocates the signs of activations of shape s and, for max pooling, the
// places of the largest elements.
func (b *CPU) NewMask(s Shape, p Pool) *Mask {
	if p.Kind != NoPool && p.size() != 2 {
		fail("NewMask", "masks are for 2x2 pooling, not %d", p.size())
	}
	m := &Mask{Shape: s, Pool: p, sign: make([]byte, s.Pixels()*signBytes(s.C))}
	if p.Kind == MaxPool {
		m.arg = make([]byte, p.Out(s).Pixels()*2*signBytes(s.C))
	}
	return m
}

// ViewMask returns a mask of a smaller shape in m's memory.
func (b *CPU) ViewMask(m *Mask, s Shape) *Mask {
	v := &Mask{Shape: s, Pool: m.Pool}
	sign, arg := s.Pixels()*signBytes(s.C), 0
	if m.Pool.Kind == MaxPool {
		arg = m.Pool.Out(s).Pixels() * 2 * signBytes(s.C)
	}
	if !s.valid() || sign > len(m.sign) || arg > len(m.arg) {
		fail("ViewMask", "shape %v does not fit in %v", s, m.Shape)
	}
	v.sign, v.arg = m.sign[:sign], m.arg[:arg]
	return v
}

// MaskBytes returns the memory of a mask.
func (b *CPU) MaskBytes(s Shape, p Pool) int64 {
	n := s.Pixels() * signBytes(s.C)
	if p.Kind == MaxPool {
		n += p.Out(s).Pixels() * 2 * signBytes(s.C)
	}
	return int64(n)
}

// signBytes returns the bytes of one bit plane over c channels.
func signBytes(c int) int { return (c + 7) / 8 }

// Free forgets the elements; the arrays must not be used again.
func (b *CPU) Free(arrays ...*Array) {
	var bytes int64
	for _, a := range arrays {
		if a != nil {
			bytes += 4 * int64(len(a.memory))
			a.data, a.half, a.memory = nil, nil, nil
		}
	}
	b.returnMemory(bytes)
}

// returnMemory returns memory to the system at once if much was freed, so that the
// arena of one scale does not stay in memory, as garbage, beside that of the next. It
// clears the tasks, which would keep the arena alive because they point at their last
// arguments.
func (b *CPU) returnMemory(freed int64) {
	if freed >= 16<<20 {
		b.clearWork()
		debug.FreeOSMemory()
	}
}

func (b *CPU) clearWork() {
	b.work = work{scratch: make([][]float32, b.workers.n), wide: make([]buffers, b.workers.n)}
}

// FreeMasks frees masks; nil is ignored.
func (b *CPU) FreeMasks(masks ...*Mask) {
	for _, m := range masks {
		if m != nil {
			m.sign, m.arg = nil, nil
		}
	}
}

// Upload copies src, in (H, W, C) order, to dst.
func (b *CPU) Upload(dst *Array, src []float32) {
	if len(src) != dst.Shape.Len() {
		fail("Upload", "%d values for %v", len(src), dst.Shape)
	}
	copy(dst.data, src)
	b.keep(dst, 0, src)
}

// Download copies src to dst, in (H, W, C) order.
func (b *CPU) Download(dst []float32, src *Array) {
	if len(dst) != src.Shape.Len() {
		fail("Download", "%d values for %v", len(dst), src.Shape)
	}
	copy(dst, src.data)
	b.widen(dst, src.half)
}

// cpuProgram replays a function by calling it. On the CPU there is nothing to record.
type cpuProgram struct{ f func() }

func (p cpuProgram) Run() { p.f() }
func (cpuProgram) Close() {}

// Record keeps f, which Program.Run calls.
func (b *CPU) Record(f func()) Program { return cpuProgram{f} }

// Status returns the status block as it is.
func (b *CPU) Status() Status { return b.status }

// ResetStatus clears every slot and counter.
func (b *CPU) ResetStatus() { b.status = Status{} }

// Sync does nothing: operations have ended when they return.
func (b *CPU) Sync() {}

// Err returns the first failure, or nil.
func (b *CPU) Err() error { return b.err }

// Close does nothing; devices need it. Memory and threads are freed with the last
// reference to the backend.
func (b *CPU) Close() {}

// scratchFor returns n floats that belong to worker, with arbitrary values. Only the
// worker itself may call it.
func (b *CPU) scratchFor(worker, n int) []float32 {
	if len(b.scratch[worker]) < n {
		b.scratch[worker] = simd.Floats(n)
	}
	return b.scratch[worker][:n]
}

// partials returns n float64 for a reduction by chunks.
func (b *CPU) partials(n int) []float64 {
	if len(b.partial) < n {
		b.partial = make([]float64, n)
	}
	return b.partial[:n]
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

func chunks(n, size int) int { return (n + size - 1) / size }
