package gpu

import (
	"math"
	"testing"
)

func TestDoubleJoin(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{1, 40, 72}
		const scale = float32(0.3)
		f, want := ragged(550, s.Len()), make([]float64, s.Len())
		for p := 0; p < len(f); p += s.C {
			squares := 0.0
			for _, v := range f[p:][:s.C] {
				squares += float64(v) * float64(v)
			}
			k := float32(float64(scale) / math.Sqrt(squares))
			for i, v := range f[p:][:s.C] {
				want[p+i] = float64(k * v)
			}
		}
		dst := b.NewArray(s)
		b.Join(dst, upload(b, s, f), nil, float64(scale), true)
		sameFloats(t, "features", download(b, dst), want)
	})
}

func TestDoubleMatch(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{8, 9, 44}
		for _, size := range []float32{1, 1e-7, 0} { // squares as small as the 1e-12 added to them, and none
			f, grid := ragged(551, s.Len()), Shape{6, 7, 1}
			for i := range f {
				f[i] *= size
			}
			score, index := ragged(552, grid.Len()), make([]int32, grid.Len())
			cosines, norms := make([]float64, grid.Len()), make([]float64, s.Pixels())
			for p := range cosines {
				squares, corner := 0.0, p/grid.W*s.W+p%grid.W
				for y := range 3 {
					for _, v := range f[(corner+y*s.W)*s.C:][:3*s.C] {
						squares += float64(v) * float64(v)
					}
				}
				if squares > 0 {
					cosines[p] = float64(score[p]) / math.Sqrt(squares)
				}
				norms[corner] = 1 / math.Sqrt(squares+1e-12)
			}
			inv := b.NewArray(withChannels(s, 1))
			b.launchPatchNorm(blocksFor(s.Pixels(), 4), inv.at, upload(b, s, f).at, s.H, s.W, s.C, 3)
			sameFloats(t, "norms", download(b, inv), norms)
			m := b.NewMatches(grid)
			b.UploadMatches(m, index, score)
			b.Cosines(m, upload(b, s, f), 3, 1)
			b.DownloadMatches(index, score, m)
			sameFloats(t, "cosines", score, cosines)
		}
	})
}

func TestDoublePatch(t *testing.T) {
	onADevice(t, func(t *testing.T, b *Device) {
		s := Shape{3, 3, 260}
		const coef = 0.375
		f, painting, want := ragged(553, s.Len()), ragged(554, s.Len()), 0.0
		for i, v := range f {
			want += coef * sq(float64(v-painting[i]))
		}
		m := b.NewMatches(Shape{1, 1, 1})
		b.UploadMatches(m, []int32{0}, []float32{1})
		b.PatchLoss(nil, upload(b, s, f), m, []PatchSource{{F: upload(b, s, painting), Stride: 1}}, PatchOptions{}, coef, 4)
		sameDouble(t, "loss", lossOf(b, 4), want)
	})
}
