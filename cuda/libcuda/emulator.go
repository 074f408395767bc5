//go:build cuda && linux

package libcuda

import (
	"sync"
	"syscall"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
)

import "C"

// The function emuX answers cuX when the symbols are bound to the emulator. Every
// context is a software device of its own. Streams have no effect, because the
// software device does everything at once and in order. Handles are numbers, never
// Go pointers.

const (
	success       C.int     = 0
	unknown       C.int     = 999
	badContext    cuda.Code = 201
	badHandle     cuda.Code = 400
	handleBase              = 1 << 16 // above anything taken for a small integer
	handleSpacing           = 16
)

// lock guards everything below. Software devices are also used only while it is
// held.
var (
	lock    sync.Mutex
	options emu.Options
	fault   error
	handles         = map[uintptr]any{}
	next    uintptr = handleBase
	// stacks holds the contexts of each thread of the process, the current one
	// last.
	stacks = map[int][]*context{}
)

// context is a CUcontext.
type context struct {
	handle  uintptr
	device  *emu.Device
	flags   uint32
	sizes   map[cuda.Ptr]int64 // of allocations
	limits  map[int]uint64
	cache   int
	banks   int
	capture *stream // that is recording
}

// stream is a CUstream. The null stream has no handle.
type stream struct{ flags, priority int }

func newHandle(v any) uintptr {
	next += handleSpacing
	handles[next] = v
	return next
}

// of returns the object of a handle.
func of[T any](call string, handle C.size_t) (T, error) {
	v, ok := handles[uintptr(handle)].(T)
	if !ok {
		return v, cuda.Errorf(badHandle, call, "handle %#x is of nothing or of something else", uint64(handle))
	}
	return v, nil
}

// current returns the context of the calling thread, or nil if it has none.
func current() *context {
	stack := stacks[syscall.Gettid()]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// setCurrent replaces the context on top of the calling thread's stack.
func setCurrent(c *context) {
	id := syscall.Gettid()
	stack := stacks[id]
	if n := len(stack); n > 0 {
		stack = stack[:n-1]
	}
	if c != nil {
		stack = append(stack, c)
	}
	if stacks[id] = stack; len(stack) == 0 {
		delete(stacks, id)
	}
}

// answer runs f and converts its error to a CUresult. It stores the error for
// Fault.
func answer(f func() error) C.int {
	lock.Lock()
	defer lock.Unlock()
	err := f()
	if err == nil {
		return success
	}
	fault = err
	if c := cuda.CodeOf(err); c != 0 {
		return C.int(c)
	}
	return unknown
}

// with is like answer, for calls on the object of a handle.
func with[T any](call string, handle C.size_t, f func(v T) error) C.int {
	return answer(func() error {
		v, err := of[T](call, handle)
		if err != nil {
			return err
		}
		return f(v)
	})
}

// within is like answer, for calls that need a current context.
func within(call string, f func(c *context) error) C.int {
	return answer(func() error {
		c := current()
		if c == nil {
			return cuda.Errorf(badContext, call, "this thread has no current context")
		}
		return f(c)
	})
}
