package timemodel

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
)

// Launch is one launch of a kernel: with what, and what it did.
type Launch struct {
	Kernel string
	Grid   cuda.Dim3
	Ints   []int    // its integer arguments, in order
	Ptrs   []uint64 // its pointers, in order
	Count  Count

	// What it takes to launch it again.
	K      cuda.Kernel
	Block  cuda.Dim3
	Shared int
	Args   *cuda.Args
}

// Key is the same for launches that do the same work.
func (l *Launch) Key() string {
	key := l.Kernel + " " + l.Grid.String()
	for _, v := range l.Ints {
		key += " " + strconv.Itoa(v)
	}
	for _, p := range l.Ptrs {
		key += map[bool]string{true: " -", false: " p"}[p == 0]
	}
	return key
}

// Count is what all blocks of a launch do together: instructions of warps, by
// unit, and accesses to memory.
type Count struct {
	Float, Int, Double, Special, Issued float64
	MACs                                float64 // of tensor instructions
	Wavefronts                          float64 // of shared memory
	Requested                           float64 // sectors of global memory
	Sectors                             float64 // those that a block asks for first
}

// add adds what the counters gained since before, share-fold.
func (c *Count) add(now, before *emu.Counters, share float64) {
	for i := range now.Lines {
		l := now.Lines[i]
		issued := share * float64(l.Issued-before.Lines[i].Issued)
		if l.Class != emu.ClassMove { // the assembler folds most of them away
			c.Issued += issued
		}
		switch l.Class {
		case emu.ClassFMA, emu.ClassFloat:
			c.Float += issued
		case emu.ClassInt:
			c.Int += issued
		case emu.ClassDouble:
			c.Double += issued
		case emu.ClassSpecial:
			c.Special += issued
		case emu.ClassTensor:
			c.MACs += issued * macs(l.Inst)
		case emu.ClassShared:
			c.Wavefronts += share * float64(l.Units-before.Lines[i].Units)
		case emu.ClassGlobal:
			c.Requested += share * float64(l.Units-before.Lines[i].Units)
		}
		c.Sectors += share * float64(l.Sectors-before.Lines[i].Sectors)
	}
}

// macs is the multiply-adds of an mma instruction.
func macs(inst string) float64 {
	for shape, n := range map[string]float64{"m16n8k16": 16 * 8 * 16, "m16n8k8": 16 * 8 * 8} {
		if strings.Contains(inst, shape) {
			return n
		}
	}
	return 0
}

// Recorder is a driver that keeps what is recorded on it as a list of launches.
// The driver behind does the work.
type Recorder struct {
	cuda.Driver
	Launches []*Launch // of the last recording
	Filled   int64     // bytes that it fills
	Copied   int64     // bytes that it copies, read and written
}

// Unwrap lets cuda.As find the powers of the driver behind.
func (r *Recorder) Unwrap() cuda.Driver { return r.Driver }

func (r *Recorder) note(k cuda.Kernel, grid, block cuda.Dim3, shared int, args *cuda.Args) *Launch {
	l := &Launch{Kernel: k.Signature().Name, Grid: grid.Norm(), K: k, Block: block, Shared: shared, Args: args}
	for i, p := range k.Signature().Params {
		switch c := args.Cells()[i]; p.Type {
		case "u64", "s64", "b64":
			l.Ptrs = append(l.Ptrs, c)
		case "u32", "s32", "b32":
			l.Ints = append(l.Ints, int(int32(c)))
		}
	}
	r.Launches = append(r.Launches, l)
	return l
}

// Launch keeps the launch, and makes it.
func (r *Recorder) Launch(k cuda.Kernel, grid, block cuda.Dim3, shared int, args *cuda.Args) error {
	r.note(k, grid, block, shared, args)
	return r.Driver.Launch(k, grid, block, shared, args)
}

// Fill keeps how much is filled, and fills it.
func (r *Recorder) Fill(dst cuda.Ptr, v uint32, words int64) error {
	r.Filled += 4 * words
	return r.Driver.Fill(dst, v, words)
}

// Copy keeps how much is copied, and copies it.
func (r *Recorder) Copy(dst, src cuda.Ptr, bytes int64) error {
	r.Copied += 2 * bytes
	return r.Driver.Copy(dst, src, bytes)
}

// Record starts the list anew.
func (r *Recorder) Record(f func() error) (cuda.Graph, error) {
	r.Launches, r.Filled, r.Copied = nil, 0, 0
	return r.Driver.Record(f)
}

// Sampler is a driver for counting at real sizes: a software device that runs a
// few blocks of each launch, in memory that nothing is moved in or out of.
// Launches whose kernel, grid and integers were seen before are not run again.
type Sampler struct {
	Recorder
	device *emu.Device
	seen   map[string]*Launch
}

// NewSampler returns a device of a compute capability, such as 75, that runs so
// many blocks of a launch.
func NewSampler(capability, blocks int) *Sampler {
	d := emu.Open(emu.Options{Sample: blocks, Traffic: true, Memory: 1 << 44, SharedBlock: 99 << 10, Capability: capability})
	return &Sampler{Recorder: Recorder{Driver: d}, device: d, seen: map[string]*Launch{}}
}

// Info is the software device's, but for the multiprocessors that grids go by.
func (s *Sampler) Info() cuda.Info {
	i := s.Driver.Info()
	i.SMs = 128
	return i
}

// small is what is moved after all: tables and the blocks of scalars.
const small = 1 << 16

func (s *Sampler) Upload(dst cuda.Ptr, src []byte) error {
	if len(src) > small {
		return nil
	}
	return s.Driver.Upload(dst, src)
}

func (s *Sampler) Fill(_ cuda.Ptr, _ uint32, words int64) error {
	s.Filled += 4 * words
	return nil
}

func (s *Sampler) Copy(_, _ cuda.Ptr, bytes int64) error {
	s.Copied += 2 * bytes
	return nil
}

// recording is a graph that has been run already.
type recording struct{}

func (recording) Launch() error { return nil }
func (recording) Close() error  { return nil }

// Record runs f.
func (s *Sampler) Record(f func() error) (cuda.Graph, error) {
	s.Launches, s.Filled, s.Copied = nil, 0, 0
	return recording{}, f()
}

func (s *Sampler) Launch(k cuda.Kernel, grid, block cuda.Dim3, shared int, args *cuda.Args) error {
	l := s.note(k, grid, block, shared, args)
	key := l.Key()
	if same := s.seen[key]; same != nil {
		l.Count = same.Count
		return nil
	}
	s.seen[key] = l
	if err := s.fillHistory(l); err != nil {
		return err
	}
	before := s.counters(l.Kernel)
	if err := s.Driver.Launch(k, grid, block, shared, args); err != nil {
		return err
	}
	now := s.counters(l.Kernel)
	l.Count.add(now, before, float64(grid.Count())/float64(now.Blocks-before.Blocks))
	return nil
}

func (s *Sampler) counters(kernel string) *emu.Counters {
	for _, c := range s.device.Counters() {
		if c.Kernel == kernel {
			return &c
		}
	}
	return nil
}

// fillHistory gives L-BFGS the pairs that it has in the middle of a run, before
// a kernel that reads them: see struct Memory of kernels/lbfgs.cu, whose cells
// are K, count, free, nine more, four lists and the order; and Track.has.
func (s *Sampler) fillHistory(l *Launch) error {
	memory, track := 0, 1
	switch l.Kernel {
	case "lbfgs_dots", "lbfgs_move":
	case "lbfgs_solve":
		memory, track = 2, 1
	default:
		return nil
	}
	cell := make([]byte, 8)
	if err := s.Driver.Download(cell, cuda.Ptr(l.Ptrs[memory])); err != nil {
		return err
	}
	k := binary.LittleEndian.Uint64(cell)
	n := 2*k + 1
	cells := map[uint64]uint64{1: k - 1, 2: k - 1, 9: 1, 10: 0, 11: 0} // all slots but the last; good, a new step
	for i := range k - 1 {
		cells[12+n*n+(3*n+3)+n+k+i] = i
	}
	put := func(at, v uint64) error {
		return s.Driver.Upload(cuda.Ptr(at), binary.LittleEndian.AppendUint64(nil, v))
	}
	for at, v := range cells {
		if err := put(l.Ptrs[memory]+8*at, v); err != nil {
			return err
		}
	}
	return put(l.Ptrs[track]+8*3, 1)
}
