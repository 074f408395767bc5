package emu

import (
	"strconv"
	"sync/atomic"
)

// Race rules.
//
// Shared memory: a byte written by one thread may be touched by another only
// after a barrier of the block, or, between lanes of one warp, after
// bar.warp.sync. Each granule of shared memory has a tag
//
//	epoch(20) | writer phase(10) | reader phase(10) | writer(11) | readers(13)
//
// that counts only while its epoch is the block's, which every barrier advances;
// phase is the warp's count of bar.warp.sync. Lock-step execution of a warp is
// not relied on, as on every device since Volta.
//
// Global memory: within one launch nothing orders two blocks, so what one block
// writes no other may touch, except by atomics and volatile accesses, and except
// by a block that has fenced and then done an atomic, the idiom of the last
// block that reduces what the others wrote. To store the value that is there
// already is forgiven. Tags there are
//
//	launch(20) | writer block + 1(22) | reader block + 1(22)
const (
	epochMask = 1<<20 - 1
	phaseMask = 1<<10 - 1

	sharedReaderBits = 13
	readersWarp      = 1 << 11 // several lanes of one warp; the warp in the low bits
	readersMany      = 1 << 12 // lanes of several warps

	blockMask = 1<<22 - 1 // as reader: several blocks
)

// Masks of the fields of a shared tag.
const (
	tagEpoch   = epochMask << 44
	tagRPhase  = phaseMask << 24
	tagWriter  = (1<<11 - 1) << 13
	tagReaders = 1<<sharedReaderBits - 1
)

// settled describes the tags that a read by this warp would not change, and the
// tags of first reads.
type settled struct {
	epoch          uint64
	maskMany, many uint64 // several warps have read
	maskWarp, own  uint64 // several lanes of this warp have
	first          uint64 // read first by lane 0 of this warp; add the lane
}

func (w *warp) settled() settled {
	epoch := w.block.epoch << 44
	phase := epoch | uint64(w.phase&phaseMask)<<24
	return settled{
		epoch:    epoch,
		maskMany: tagEpoch | tagWriter | tagReaders, many: epoch | readersMany,
		maskWarp: tagEpoch | tagWriter | tagReaders | tagRPhase, own: phase | readersWarp | uint64(w.id),
		first: phase | uint64(w.id*32+1),
	}
}

// touchShared applies the rule for an access of n bytes at offset off of the
// block's shared memory by a lane. same says that a write stores the value that is
// there already, which is allowed.
func (w *warp) touchShared(o *op, lane int, off, n uint64, write, same bool) {
	b := w.block
	shift := b.kernel.sharedGranule
	me := uint64(w.id*32 + lane + 1)
	mine := uint64(w.id)
	phase := uint64(w.phase & phaseMask)
	for g := off >> shift; g <= (off+n-1)>>shift; g++ {
		tag := b.tags[g]
		if tag>>44 != b.epoch {
			tag = b.epoch << 44
		}
		writer := tag >> 13 & (1<<11 - 1)
		readers := tag & (1<<sharedReaderBits - 1)
		wphase, rphase := tag>>34&phaseMask, tag>>24&phaseMask
		if writer != 0 && writer != me && !(write && same) &&
			((writer-1)/32 != mine || wphase == phase) {
			w.raceShared(o, lane, g<<shift, write, "written by thread", int(writer-1))
		}
		if !write {
			switch {
			case readers == 0 || rphase != phase && ofWarp(readers, mine):
				// Reads of this warp before its last bar.warp.sync are ordered.
				readers = me
			case readers == me || readers == readersMany || readers == readersWarp|mine:
			case readers < readersWarp && (readers-1)/32 == mine:
				readers = readersWarp | mine
			default:
				readers = readersMany
			}
			b.tags[g] = b.epoch<<44 | wphase<<34 | phase<<24 | writer<<13 | readers
			continue
		}
		if readers != 0 && readers != me && !same {
			switch {
			case readers == readersMany:
				w.raceShared(o, lane, g<<shift, write, "read by threads of several warps", -1)
			case readers >= readersWarp && (readers&^readersWarp != mine || rphase == phase):
				w.raceShared(o, lane, g<<shift, write, "read by threads of warp", int(readers&^readersWarp))
			case readers < readersWarp && ((readers-1)/32 != mine || rphase == phase):
				w.raceShared(o, lane, g<<shift, write, "read by thread", int(readers-1))
			}
		}
		b.tags[g] = b.epoch<<44 | phase<<34 | rphase<<24 | me<<13
	}
}

// ofWarp reports whether the readers of a tag are all lanes of warp id.
func ofWarp(readers, id uint64) bool {
	return readers == readersWarp|id || readers < readersWarp && (readers-1)/32 == id
}

func (w *warp) raceShared(o *op, lane int, off uint64, write bool, who string, id int) {
	verb := "reads"
	if write {
		verb = "writes"
	}
	if id >= 0 {
		who += " " + strconv.Itoa(id)
	}
	f := w.fault(o, lane, SharedRace, "%s shared address %#x, %s, with no barrier between", verb, off, who)
	f.Addr = off
	panic(f)
}

// touchGlobal applies the rule for global memory.
func (w *warp) touchGlobal(o *op, lane int, r *region, off, n uint64, write bool) {
	b := w.block
	if b.ordered {
		return
	}
	shift := b.kernel.globalGranule
	tags := r.granules(shift)
	me := b.number + 1
	for g := off >> shift; g <= (off+n-1)>>shift; g++ {
		for {
			old := atomic.LoadUint64(&tags[g])
			tag := old
			if tag>>44 != b.epochOfLaunch {
				tag = b.epochOfLaunch << 44
			}
			writer, reader := tag>>22&blockMask, tag&blockMask
			if write && (writer != 0 && writer != me || reader != 0 && reader != me) && w.holds(o, lane, r, off) {
				break // it stores the value that is there already
			}
			if writer != 0 && writer != me {
				w.raceGlobal(o, lane, r, off, n, write, "written by block", writer-1)
			}
			if write {
				if reader != 0 && reader != me {
					w.raceGlobal(o, lane, r, off, n, write, "read by block", reader-1)
				}
				tag = tag&^(blockMask<<22) | me<<22
			} else if reader != me {
				if reader == 0 {
					tag |= me
				} else {
					tag |= blockMask
				}
			}
			if tag == old {
				break
			}
			if b.alone {
				tags[g] = tag
				break
			}
			if atomic.CompareAndSwapUint64(&tags[g], old, tag) {
				break
			}
		}
	}
}

func (w *warp) raceGlobal(o *op, lane int, r *region, off, n uint64, write bool, who string, id uint64) {
	verb := "reads"
	if write {
		verb = "writes"
	}
	name := "another block"
	if id != blockMask-1 {
		name = strconv.Itoa(int(id))
	}
	f := w.fault(o, lane, GlobalRace, "%s %d bytes at byte %d of %s, %s %s of the same launch", verb, n, off, r.name, who, name)
	f.Addr = r.base + off
	panic(f)
}

// granules returns the tags of r for granules of 1<<shift bytes. It makes them, or
// divides them further if a kernel has smaller accesses.
func (r *region) granules(shift uint) []uint64 {
	need := int(r.size>>shift) + 1
	for {
		p := r.tags.Load()
		if p != nil && len(*p) >= need {
			return *p
		}
		t := make([]uint64, need)
		if r.tags.CompareAndSwap(p, &t) {
			return t
		}
	}
}
