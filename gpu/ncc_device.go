package gpu

import (
	"encoding/binary"

	"github.com/impasto/impasto/cuda"
)

// matchRows is how many rows of patches one block of kernels/ncc.cu computes, from the
// top down.
const matchRows = 128

// deviceBank is a bank's features with their channels filled up to a multiple of
// four, or in half precision of eight, (H, W, channels), and 1/|Q| by corner, (H, W), 0 for NoNorm.
type deviceBank struct {
	features, inv cuda.Ptr
	channels      int
}

// deviceMatches are index and score, (rows, cols).
type deviceMatches struct{ index, score cuda.Ptr }

func (b *Device) NewBank(f *Array, o BankOptions) *Bank {
	b.outside("NewBank")
	o = o.withDefaults()
	checkBank(f, o)
	bank := &Bank{Shape: f.Shape, BankOptions: o}
	bank.device.channels = b.matchChannels(f.Shape.C)
	bank.device.features = b.alloc(b.matchWidth() * int64(f.Shape.Pixels()*bank.device.channels))
	if o.Norm == PatchNorm {
		bank.device.inv = b.alloc(4 * int64(f.Shape.Pixels()))
	}
	b.FillBank(bank, f)
	return bank
}

func (b *Device) FillBank(bank *Bank, f *Array) {
	if f.Shape != bank.Shape {
		fail("FillBank", "features %v for a bank of %v", f.Shape, bank.Shape)
	}
	s, d := bank.Shape, bank.device
	b.joined(d.features, d.channels, b.half, f, nil, 1, false)
	if d.inv != 0 {
		launch := kernelFor(b.half, b.launchPatchNorm, b.launchPatchNormHalf)
		launch(blocksFor(s.Pixels(), 4), d.inv, d.features, s.H, s.W, d.channels, bank.Size)
	}
}

func (b *Device) FreeBanks(banks ...*Bank) {
	b.outside("FreeBanks")
	for _, bank := range banks {
		if bank != nil {
			b.free(bank.device.features, bank.device.inv)
			bank.device = deviceBank{}
		}
	}
}

func (b *Device) NewMatches(s Shape) *Matches {
	b.outside("NewMatches")
	m := &Matches{Shape: s}
	m.device = deviceMatches{b.alloc(4 * int64(s.Len())), b.alloc(4 * int64(s.Len()))}
	b.do(func() error { return b.d.Fill(m.device.index, 0, int64(s.Len())) })
	b.do(func() error { return b.d.Fill(m.device.score, 0, int64(s.Len())) })
	return m
}

func (b *Device) FreeMatches(all ...*Matches) {
	b.outside("FreeMatches")
	for _, m := range all {
		if m != nil {
			b.free(m.device.index, m.device.score)
			m.device = deviceMatches{}
		}
	}
}

func (b *Device) UploadMatches(m *Matches, index []int32, score []float32) {
	b.outside("UploadMatches")
	raw, _ := binary.Append(nil, binary.LittleEndian, index)
	b.upload(m.device.index, raw)
	b.upload(m.device.score, floatBytes(score))
}

func (b *Device) DownloadMatches(index []int32, score []float32, m *Matches) {
	b.outside("DownloadMatches")
	raw := make([]byte, 4*m.Shape.Len())
	b.download(raw, m.device.index)
	_, _ = binary.Decode(raw, binary.LittleEndian, index) // raw has the length of each
	b.download(raw, m.device.score)
	_, _ = binary.Decode(raw, binary.LittleEndian, score)
}

// NewPruning leaves nothing out, since a device compares all pairs.
func (b *Device) NewPruning(x *Array, banks []*Bank, stride int, slack float64) []*Pruning {
	checkPruning(x, banks, max(1, stride))
	return make([]*Pruning, len(banks))
}

// march launches a kernel of ncc.cu; marchHalf launches one of ncc_mma.cu, which
// multiplies products by gain.
type (
	march     func(grid cuda.Dim3, F, S, inv, bias, best cuda.Ptr, H, W, Hs, Ws, C, rows, stride, styleStride int)
	marchHalf func(grid cuda.Dim3, F, S, inv, bias, best cuda.Ptr, H, W, Hs, Ws, C, rows, stride, styleStride int, gain float32)
)

func (launch marchHalf) by(gain float32) march {
	return func(grid cuda.Dim3, F, S, inv, bias, best cuda.Ptr, H, W, Hs, Ws, C, rows, stride, styleStride int) {
		launch(grid, F, S, inv, bias, best, H, W, Hs, Ws, C, rows, stride, styleStride, gain)
	}
}

// Match writes a key for each corner of the canvas to scratch. match_finish converts
// the keys into indices and scores.
func (b *Device) Match(m *Matches, x *Array, bank *Bank, o MatchOptions) {
	o.Stride = max(1, o.Stride)
	checkMatch(m, x, bank, o)
	s, f, d, k := x.Shape, bank.Shape, bank.device, bank.Size
	keys := (8*int64(s.Pixels()) + deviceAlign - 1) / deviceAlign * deviceAlign
	best := b.scratch(keys + b.matchWidth()*int64(s.Pixels()*d.channels))
	canvas := x.at
	if s.C != d.channels {
		canvas = best + cuda.Ptr(keys)
		b.joined(canvas, d.channels, b.half, x, nil, 1, false)
	}
	b.do(func() error { return b.d.Fill(best, 0, 2*int64(s.Pixels())) })
	g := bank.Grid()
	switch k {
	case 1, 3:
		diagonals, segments := s.H+f.H-1, chunks(s.H, matchRows)
		inner := 65 - k // patches of a strip of 64 columns
		blocks := cuda.Dim3{X: diagonals * segments, Y: chunks(s.W-k+1, inner), Z: chunks(f.W-k+1, inner)}
		launch := map[int]march{1: b.launchNccMatch1, 3: b.launchNccMatch3}[k]
		if b.half { // two diagonals a block, 128 columns of the canvas
			blocks.X, blocks.Y = chunks(diagonals, 2)*segments, chunks(s.W-k+1, inner+64)
			launch = map[int]marchHalf{1: b.launchNccHalfMatch1, 3: b.launchNccHalfMatch3}[k].by(b.matchGain(bank.Norm))
		}
		launch(blocks, canvas, d.features, d.inv, at(o.Bias), best, s.H, s.W, f.H, f.W, d.channels, matchRows, o.Stride, bank.Stride)
	default:
		grid := cuda.Dim3{X: m.Shape.W, Y: m.Shape.H}
		if b.half {
			b.launchNccMatchAnyHalf(grid, canvas, d.features, d.inv, at(o.Bias), best, s.W, f.H, f.W, d.channels, k, o.Stride, bank.Stride, b.matchGain(bank.Norm))
		} else {
			b.launchNccMatchAny(grid, canvas, d.features, d.inv, at(o.Bias), best, s.W, f.H, f.W, d.channels, k, o.Stride, bank.Stride)
		}
	}
	b.launchMatchFinish(blocksFor(m.Shape.Len(), 128), m.device.index, m.device.score, best,
		m.Shape.H, m.Shape.W, s.W, f.W, o.Stride, bank.Stride, g.W, o.First, flag(o.Add))
}

func (b *Device) Cosines(m *Matches, x *Array, size, stride int) {
	stride = max(1, stride)
	checkCosines(m, x, size, stride)
	grid, c := blocksFor(m.Shape.Len(), 4), x.Shape.C
	if b.halves(x.Shape) {
		b.launchMatchCosinesHalf(grid, m.device.score, x.at, m.Shape.H, m.Shape.W, x.Shape.W, c, size, stride, halfUnit)
	} else {
		b.launchMatchCosines(grid, m.device.score, x.at, m.Shape.H, m.Shape.W, x.Shape.W, c, size, stride)
	}
}

func (b *Device) MatchBias(bias *Array, m *Matches, scale float64) {
	checkMatchBias(bias, m)
	n := m.Shape.Len()
	b.launchMatchBias(blocksFor(n, 128), bias.at, m.device.score, float32(scale), n)
}
