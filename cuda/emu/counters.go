package emu

import (
	"math/bits"

	"github.com/impasto/impasto/cuda/ptx"
)

// Class groups instructions for statistics.
type Class uint8

const (
	ClassFMA     Class = iota // fma.f32
	ClassFloat                // other f32 arithmetic
	ClassDouble               // f64
	ClassSpecial              // approximations, division, square roots
	ClassInt                  // integers, logic, comparisons, selection
	ClassMove                 // moves, conversions, parameters
	ClassGlobal               // ld, st, red, atom of global and constant memory
	ClassShared               // of shared memory, ldmatrix, cp.async
	ClassLocal                // of local memory: spills and arrays
	ClassWarp                 // shuffles and votes
	ClassTensor               // mma
	ClassBarrier              // barriers and fences
	ClassControl              // branches and exits
	numClasses
)

var classNames = [numClasses]string{"fma", "float", "double", "special", "int", "move", "global", "shared", "local", "warp", "tensor", "barrier", "control"}

func (c Class) String() string { return classNames[c] }

// Stat counts what one instruction did.
type Stat struct {
	Issued   int64 // by warps
	Lanes    int64 // active lanes over all issues
	Diverged int64 // branches at which a warp split
	Bytes    int64 // moved by loads, stores and atomics
	// These count memory requests, with Options.Traffic. For global memory, Units
	// are 32-byte sectors, and for shared memory they are wavefronts. Ideal is the
	// least number that could carry the same bytes. Conflicts are the additional
	// wavefronts due to bank conflicts.
	Requests, Units, Ideal, Conflicts int64
	// Sectors counts the sectors of global memory that a block accesses, each once
	// for the block, with Options.Sample.
	Sectors int64
}

func (s *Stat) add(o *Stat) {
	s.Issued += o.Issued
	s.Lanes += o.Lanes
	s.Diverged += o.Diverged
	s.Bytes += o.Bytes
	s.Requests += o.Requests
	s.Units += o.Units
	s.Ideal += o.Ideal
	s.Conflicts += o.Conflicts
	s.Sectors += o.Sectors
}

// Line holds the counts of one instruction of a kernel.
type Line struct {
	Line  int    // of the PTX
	Inst  string // the opcode
	Class Class
	Stat
}

// Counters holds the counts of a kernel over all its launches.
type Counters struct {
	Kernel   string
	Launches int64
	Blocks   int64
	Barriers int64 // arrivals of warps
	Lines    []Line
}

// Class returns the sum of the lines of one class.
func (c *Counters) Class(class Class) Stat {
	var s Stat
	for i := range c.Lines {
		if c.Lines[i].Class == class {
			s.add(&c.Lines[i].Stat)
		}
	}
	return s
}

// Total returns the sum of all lines.
func (c *Counters) Total() Stat {
	var s Stat
	for i := range c.Lines {
		s.add(&c.Lines[i].Stat)
	}
	return s
}

// countTraffic adds the accesses of n bytes at w.addr by each lane of m.
func (w *warp) countTraffic(o *op, s *Stat, space ptx.Space, m uint32, n uint64) {
	if space == ptx.Local {
		return
	}
	s.Requests++
	total := int64(bits.OnesCount32(m)) * int64(n)
	if space == ptx.Shared {
		w.countWavefronts(s, m, n)
		s.Ideal += (int64(w.distinctBytes(m, n)) + 127) / 128
		return
	}
	s.Units += int64(w.sectors(m, n))
	w.noteSectors(s, &w.addr, m, n)
	s.Ideal += (min(total, int64(w.distinctBytes(m, n))) + 31) / 32
}

// noteSectors adds the sectors of an access that its block had not accessed before.
func (w *warp) noteSectors(s *Stat, addr *wide, m uint32, n uint64) {
	seen := w.block.seen
	if seen == nil {
		return
	}
	for ; m != 0; m &= m - 1 {
		a := addr[bits.TrailingZeros32(m)&31]
		for sector := a >> 5; sector <= (a+n-1)>>5; sector++ {
			if _, ok := seen[sector]; !ok {
				seen[sector] = struct{}{}
				s.Sectors++
			}
		}
	}
}

// sectors returns the number of 32-byte sectors that are accessed.
func (w *warp) sectors(m uint32, n uint64) int {
	var seen [64]uint64
	count := 0
	for ; m != 0; m &= m - 1 {
		a := w.addr[bits.TrailingZeros32(m)&31]
	next:
		for s := a >> 5; s <= (a+n-1)>>5; s++ {
			for i := count - 1; i >= 0; i-- {
				if seen[i] == s {
					continue next
				}
			}
			seen[count] = s
			count++
		}
	}
	return count
}

// distinctBytes returns the number of different bytes that the lanes access.
func (w *warp) distinctBytes(m uint32, n uint64) uint64 {
	var seen [32]uint64
	count := 0
next:
	for ; m != 0; m &= m - 1 {
		a := w.addr[bits.TrailingZeros32(m)&31]
		for i := count - 1; i >= 0; i-- {
			if seen[i] == a {
				continue next
			}
		}
		seen[count] = a
		count++
	}
	return uint64(count) * n
}

// countWavefronts adds the passes that shared memory needs. It has 32 banks of
// 4-byte words. A pass serves 32 lanes of up to 4 bytes, 16 of 8, or 8 of 16. The
// number of passes is the largest number of distinct words that one bank must
// deliver.
func (w *warp) countWavefronts(s *Stat, m uint32, n uint64) {
	group := 32
	if n > 4 {
		group = 128 / int(n)
	}
	for first := 0; first < 32; first += group {
		part := m >> first << first
		if first+group < 32 {
			part &= 1<<(first+group) - 1
		}
		if part != 0 {
			passes := int64(w.passes(part, n))
			s.Units += passes
			s.Conflicts += passes - 1
		}
	}
}

func (w *warp) passes(m uint32, n uint64) int {
	var words [32]uint64 // distinct words so far, chained by bank
	var next [32]int8
	var head [32]int8
	var depth [32]int8
	count, worst := int8(0), int8(0)
	for ; m != 0; m &= m - 1 {
		a := w.addr[bits.TrailingZeros32(m)&31]
	word:
		for word := a >> 2; word <= (a+n-1)>>2; word++ {
			bank := word & 31
			for i := head[bank]; i != 0; i = next[i-1] {
				if words[i-1] == word {
					continue word
				}
			}
			words[count], next[count] = word, head[bank]
			count++
			head[bank] = count
			depth[bank]++
			worst = max(worst, depth[bank])
		}
	}
	return int(worst)
}
