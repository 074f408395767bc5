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
	args := new(cuda.Args).Ptr(at(dx)).Ptr(f.at).Ptr(part)
	b.launch("patch", "patch_loss", cuda.Dim3{X: n}, b.patches(args, f.Shape, m, from, o).Int(flag(o.Average)).Float(float32(coef)))
	b.sumInto(b.slot(slot), part, n)
}

func (b *Device) Vote(dst *Array, m *Matches, from []PatchSource, o PatchOptions) {
	o = o.withDefaults()
	checkPatches("Vote", dst, m, from, o)
	b.launch("patch", "patch_vote", cuda.Dim3{X: dst.Shape.Pixels()}, b.patches(new(cuda.Args).Ptr(dst.at), dst.Shape, m, from, o))
}

// patches appends what the kernels of patch.cu share.
func (b *Device) patches(args *cuda.Args, s Shape, m *Matches, from []PatchSource, o PatchOptions) *cuda.Args {
	return args.Ptr(m.device.index).Ptr(m.device.score).Ptr(b.sources(from, o.Size)).Int(int32(len(from))).Int(int32(s.W)).Int(int32(s.C)).
		Int(int32(m.Shape.H)).Int(int32(m.Shape.W)).Int(int32(o.Size)).Int(int32(o.Stride)).Float(float32(o.Least))
}

// sources is where the paintings are listed on the device, as struct Source of
// patch.cu. A list is uploaded once, in a recording's first pass, and kept.
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
