package gpu

import (
	"slices"
	"testing"
)

// TestSums holds sums over parts of features against their definition.
func TestSums(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		for _, c := range []int{4, 20, 64, 132} {
			s := Shape{37, 29, c}
			f := random(80, s.Len(), 1)
			x := upload(b, s, f)
			for _, r := range []Rect{s.Whole(), {3, 5, 1, 1}, {16, 0, 21, 29}, {0, 16, 20, 7}} {
				second, mean := make([]float64, c*c), make([]float64, c)
				for y := r.Y; y < r.Y+r.H; y++ {
					for xx := r.X; xx < r.X+r.W; xx++ {
						p := f[(y*s.W+xx)*c:][:c]
						for i, v := range p {
							mean[i] += float64(v) / float64(r.H*r.W)
							for j, w := range p {
								second[i*c+j] += 0.5 * float64(v) * float64(w)
							}
						}
					}
				}
				sums, part := b.NewSums(c, true), b.NewSums(c, true)
				b.AddSums(part, x, r, 16)
				b.JoinSums(sums, part)
				g, m := b.NewArray(Matrix(c)), b.NewArray(Vector(c))
				b.Moments(g, m, sums, 0.5, r.H*r.W)
				near(t, b, "products", download(b, g), second, 1e-3, 1e-4)
				near(t, b, "mean", download(b, m), mean, 1e-5, 1e-5)
				other := b.NewSums(c, true)
				b.WriteSums(other, b.ReadSums(sums))
				if !slices.Equal(b.ReadSums(other), b.ReadSums(sums)) {
					t.Error("sums changed on their way")
				}
				b.ClearSums(sums)
				for _, v := range b.ReadSums(sums) {
					if v != 0 {
						t.Fatal("not cleared")
					}
				}
				b.FreeSums(sums, part, other)
			}
		}
	})
}

// TestSumsOfPartsAreTheWholes: parts that end where cells end have the bits of
// the whole, in any order.
func TestSumsOfPartsAreTheWholes(t *testing.T) {
	for _, c := range []int{16, 64, 144} {
		b := NewCPU(CPUOptions{})
		s := Shape{75, 93, c}
		v := random(81, s.Len(), 1)
		for i := range v {
			v[i] = max(v[i], 0) // as features are
		}
		x := upload(b, s, v)
		whole, parts := b.NewSums(c, true), b.NewSums(c, true)
		b.AddSums(whole, x, s.Whole(), 16)
		for _, r := range []Rect{{32, 48, 43, 45}, {0, 0, 32, 93}, {32, 0, 43, 48}} {
			b.AddSums(parts, x, r, 16)
		}
		got, want := b.NewArray(Matrix(c)), b.NewArray(Matrix(c))
		b.Moments(got, nil, parts, 1.0/7, 1)
		b.Moments(want, nil, whole, 1.0/7, 1)
		if !slices.Equal(download(b, got), download(b, want)) {
			t.Errorf("%d channels: sums of parts round otherwise", c)
		}
	}
}

// TestLossesAcrossBackends: AddLoss adds to what a slot holds.
func TestLossesAcrossBackends(t *testing.T) {
	onEach(t, func(t *testing.T, b Backend) {
		f := upload(b, Shape{1, 1, 2}, []float32{3, 4})
		b.ContentLoss(nil, f, b.NewArray(f.Shape), 1, 5)
		b.AddLoss(5, 0.5)
		if got := b.Loss(5); got != 25.5 {
			t.Errorf("25 and 0.5 are %g", got)
		}
	})
}
