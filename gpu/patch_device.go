package gpu

import (
	"encoding/binary"

	"github.com/impasto/impasto/cuda"
)

func (b *Device) PatchLoss(dx, f *Array, m *Matches, from []PatchSource, o PatchOptions, coef float64, slot int) {
	o = o.withDefaults()
	checkPatches("PatchLoss", f, m, from, o)
	if dx != nil {
		sameShape("PatchLoss", dx, f)
	}
	checkSlot("PatchLoss", slot)
	n := f.Shape.Pixels()
	part := b.scratch(8 * int64(n))
	if b.halves(f.Shape) {
		b.launchPatchLossHalf(cuda.Dim3{X: n}, at(dx), f.at, part, m.device.index, m.device.score, b.sources(from, o.Size), len(from),
			f.Shape.W, f.Shape.C, m.Shape.H, m.Shape.W, o.Size, o.Stride, float32(o.Least), flag(o.Average), float32(coef)*halfUnit*halfUnit, b.scale())
	} else {
		b.launchPatchLoss(cuda.Dim3{X: n}, at(dx), f.at, part, m.device.index, m.device.score, b.sources(from, o.Size), len(from),
			f.Shape.W, f.Shape.C, m.Shape.H, m.Shape.W, o.Size, o.Stride, float32(o.Least), flag(o.Average), float32(coef))
	}
	b.sumInto(b.slot(slot), part, n)
}

func (b *Device) Vote(dst *Array, m *Matches, from []PatchSource, o PatchOptions) {
	o = o.withDefaults()
	checkPatches("Vote", dst, m, from, o)
	launch := kernelFor(b.halves(dst.Shape), b.launchPatchVote, b.launchPatchVoteHalf)
	launch(cuda.Dim3{X: dst.Shape.Pixels()}, dst.at, m.device.index, m.device.score, b.sources(from, o.Size), len(from),
		dst.Shape.W, dst.Shape.C, m.Shape.H, m.Shape.W, o.Size, o.Stride, float32(o.Least))
}

// sources returns the device's list of the paintings, as struct Source of patch.cu. A
// list is uploaded once, in a recording's first pass, and kept.
func (b *Device) sources(from []PatchSource, size int) cuda.Ptr {
	var raw []byte
	for _, s := range from {
		stride := max(1, s.Stride)
		raw = binary.LittleEndian.AppendUint64(raw, uint64(s.F.at))
		for _, v := range []int{s.First, (s.F.Shape.W-size)/stride + 1, s.F.Shape.W, stride} {
			raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
		}
	}
	p := b.lists[string(raw)]
	if p == 0 && b.err == nil {
		p = b.alloc(int64(len(raw)))
		b.note(b.d.Upload(p, raw))
		b.lists[string(raw)] = p
	}
	return p
}
