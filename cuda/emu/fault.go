package emu

import (
	"fmt"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/ptx"
)

// Kind is what a kernel did wrong.
type Kind string

const (
	OutOfBounds       Kind = "out of bounds"
	UseAfterFree      Kind = "use after free"
	Misaligned        Kind = "misaligned"
	Unwritten         Kind = "read of memory never written"
	ReadOnly          Kind = "write to constant memory"
	SharedRace        Kind = "race in shared memory"
	GlobalRace        Kind = "race between blocks in global memory"
	BarrierDivergence Kind = "barrier divergence"
	BadMask           Kind = "bad lane mask"
	BadShuffle        Kind = "shuffle from an inactive lane"
	UnwaitedCopy      Kind = "asynchronous copy not waited for"
	Deadlock          Kind = "deadlock"
	OverBudget        Kind = "instruction budget exceeded"
	Trap              Kind = "trap"
	Overlap           Kind = "overlapping matrix rows"
)

// codes are the driver's codes for faults. All other faults are LaunchFailed.
var codes = map[Kind]cuda.Code{
	OutOfBounds: cuda.IllegalAddress, UseAfterFree: cuda.IllegalAddress, Misaligned: cuda.MisalignedAddress,
	OverBudget: cuda.LaunchTimeout, Deadlock: cuda.LaunchTimeout, Trap: cuda.IllegalInstruction,
}

// Fault is one fault of a kernel: what happened, where in the PTX, in which thread,
// and at which address.
type Fault struct {
	Kind   Kind
	Kernel string
	Line   int    // of the PTX
	Inst   string // the instruction's opcode
	Block  cuda.Dim3
	Thread cuda.Dim3
	Space  ptx.Space
	Addr   uint64 // 0 where no address is involved
	Detail string // what was accessed, and the nearest allocation
}

func (f *Fault) Error() string {
	s := fmt.Sprintf("%s: kernel %s, PTX line %d (%s), block (%d, %d, %d), thread (%d, %d, %d)",
		f.Kind, f.Kernel, f.Line, f.Inst, f.Block.X, f.Block.Y, f.Block.Z, f.Thread.X, f.Thread.Y, f.Thread.Z)
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	return s
}

// fail stops the block with a fault of a lane at instruction o.
func (w *warp) fail(o *op, lane int, kind Kind, format string, a ...any) {
	panic(w.fault(o, lane, kind, format, a...))
}

func (w *warp) fault(o *op, lane int, kind Kind, format string, a ...any) *Fault {
	return &Fault{
		Kind: kind, Kernel: w.block.kernel.sig.Name, Line: o.line, Inst: o.text,
		Block: w.block.at, Thread: w.thread(lane), Space: o.space,
		Detail: fmt.Sprintf(format, a...),
	}
}

// failAt is like fail, for an access of n bytes at addr.
func (w *warp) failAt(o *op, lane int, kind Kind, addr, n uint64, write bool, near string) {
	verb := "read"
	if write {
		verb = "write"
	}
	f := w.fault(o, lane, kind, "%s of %d bytes at %s address %#x, %s", verb, n, o.space, addr, near)
	f.Addr = addr
	panic(f)
}

// thread returns the coordinates of a lane's thread in its block.
func (w *warp) thread(lane int) cuda.Dim3 {
	t, d := w.id*32+lane, w.block.dim
	return cuda.Dim3{X: t % d.X, Y: t / d.X % d.Y, Z: t / (d.X * d.Y)}
}
