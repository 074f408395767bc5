package emu

import (
	"bytes"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/ptx"
)

// These constants divide the address space. Device addresses are never host
// addresses, because an overrun must reach a gap and not another Go value. Generic
// addresses of shared and local memory lie in windows of their own.
const (
	sharedWindow = uint64(1) << 40
	localWindow  = uint64(1) << 41
	globalBase   = uint64(1) << 44
	guard        = 1 << 20 // bytes between two allocations, at least
	alignment    = 256
)

// poison is the content of memory until it is written. As a float it is a
// signalling NaN, and as a pointer an address far outside everything.
const poison = 0x7fa5a5a5

var poisonBytes = bytes.Repeat([]byte{0xa5, 0xa5, 0xa5, 0x7f}, 1024)

func fillPoison(b []byte) {
	for len(b) > 0 {
		b = b[copy(b, poisonBytes):]
	}
}

// These are the states of one byte of memory.
const (
	unwritten = 0
	written   = 1
	pending   = 2 // target of an asynchronous copy that no thread has waited for yet

	written4 = 0x01010101
	written8 = 0x0101010101010101
	pending8 = 0x0202020202020202
)

// region is a piece of memory with bounds: an allocation, a variable, the shared
// memory of a block or the local memory of a thread.
type region struct {
	space      ptx.Space
	base, size uint64
	data       []byte
	state      []byte // per byte: unwritten, written or pending
	name       string
	readOnly   bool
	freed      bool
	// tags record who last accessed each granule, for the race rules (see race.go).
	tags atomic.Pointer[[]uint64]
}

// limit returns the number of offsets at which n bytes fit.
func (r *region) limit(n uint64) uint64 {
	if r.size < n {
		return 0
	}
	return r.size - n + 1
}

// memory is all global memory. Allocations are sorted by address. They are kept
// after they are freed, so that a late use can be reported.
type memory struct {
	regions []*region
	next    uint64
	count   int
	atomics sync.Mutex // makes atom and red one step
	stores  sync.Mutex // makes a store and its tags one step
}

func newMemory() *memory { return &memory{next: globalBase} }

func (m *memory) alloc(size int64, name string, poisoned bool) *region {
	r := &region{space: ptx.Global, base: m.next, size: uint64(size), name: name,
		data: make([]byte, size), state: make([]byte, size)}
	if name == "" {
		m.count++
		r.name = fmt.Sprintf("allocation %d", m.count)
	}
	if poisoned {
		fillPoison(r.data)
	}
	m.next += (uint64(size) + guard + alignment - 1) &^ (alignment - 1)
	m.regions = append(m.regions, r)
	return r
}

// free marks the region that starts at p as freed and drops its content.
func (m *memory) free(p cuda.Ptr) (*region, error) {
	r := m.find(uint64(p))
	switch {
	case r == nil || r.base != uint64(p) || r.space != ptx.Global || r.readOnly:
		return nil, cuda.Errorf(cuda.InvalidValue, "free", "%#x is not the start of an allocation; %s", uint64(p), m.near(uint64(p)))
	case r.freed:
		return nil, cuda.Errorf(cuda.InvalidValue, "free", "%s at %#x was freed before", r.name, uint64(p))
	}
	r.freed, r.data, r.state = true, nil, nil
	r.tags.Store(nil)
	return r, nil
}

// find returns the region that contains addr, or nil if there is none.
func (m *memory) find(addr uint64) *region {
	i := sort.Search(len(m.regions), func(i int) bool { return m.regions[i].base > addr }) - 1
	if i < 0 {
		return nil
	}
	if r := m.regions[i]; addr-r.base < r.size || r.size == 0 && addr == r.base {
		return r
	}
	return nil
}

// near describes where addr lies: in, before or after which allocation.
func (m *memory) near(addr uint64) string {
	if addr < 4096 {
		return "a null pointer"
	}
	if addr>>32 == poison || uint32(addr) == poison {
		return "an address made of memory never written"
	}
	i := sort.Search(len(m.regions), func(i int) bool { return m.regions[i].base > addr }) - 1
	if i >= 0 {
		r := m.regions[i]
		past := addr - r.base - r.size
		if addr-r.base < r.size {
			return fmt.Sprintf("byte %d of %s of %d bytes at %#x", addr-r.base, r.name, r.size, r.base)
		}
		if i+1 == len(m.regions) || past <= m.regions[i+1].base-addr {
			return fmt.Sprintf("%d bytes past the end of %s of %d bytes at %#x", past, r.name, r.size, r.base)
		}
	}
	if i+1 < len(m.regions) {
		r := m.regions[i+1]
		return fmt.Sprintf("%d bytes before %s of %d bytes at %#x", r.base-addr, r.name, r.size, r.base)
	}
	return "no allocation anywhere"
}

// span returns the region and offset of n bytes at p for a host call.
func (m *memory) span(call string, p cuda.Ptr, n int64) (*region, uint64, error) {
	r := m.find(uint64(p))
	if r == nil && n == 0 {
		return &region{}, 0, nil
	}
	if r == nil || uint64(p)-r.base+uint64(n) > r.size || n < 0 {
		return nil, 0, cuda.Errorf(cuda.InvalidValue, call, "%d bytes at %#x are not inside one allocation: %s", n, uint64(p), m.near(uint64(p)))
	}
	if r.freed {
		return nil, 0, cuda.Errorf(cuda.InvalidValue, call, "%s at %#x was freed", r.name, r.base)
	}
	return r, uint64(p) - r.base, nil
}
