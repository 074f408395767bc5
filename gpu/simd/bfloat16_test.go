package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// bfloat16 rounds to the nearest number with 8 bits of mantissa, ties to even.
func bfloat16(x float32) float32 {
	u := math.Float32bits(x)
	return math.Float32frombits((u + 0x7fff + u>>16&1) &^ 0xffff)
}

func roundAll(v []float32) {
	for i, x := range v {
		v[i] = bfloat16(x)
	}
}

// TestBFloat16Convolutions measures the error of a convolution whose factors are rounded
// to bfloat16 and whose sums are exact. docs/performance.md has the figures, which are why
// Winograd's products use no matrix instructions. Inputs are as after ReLU, filters have
// He's distribution, and errors are relative root mean squares.
func TestBFloat16Convolutions(t *testing.T) {
	const nr, tiles = 16, 12
	for _, c := range []int{64, 256} {
		r := rand.New(rand.NewPCG(5, uint64(c)))
		taps, rounded := make([]float32, c*9*nr), make([]float32, c*9*nr)
		for i := range taps {
			taps[i] = float32(r.NormFloat64() * math.Sqrt(2/float64(9*c)))
			rounded[i] = bfloat16(taps[i])
		}
		u := make([]float32, 36*c*nr)
		for row := range 6 {
			generic.WinoFilter(&taps[0], &u[row*6*c*nr], c*nr, c, row)
		}
		roundAll(u)
		var norm, direct, winograd float64
		for range tiles {
			data := make([]float32, 36*c)
			var px [36]*float32
			for i := range data {
				data[i] = float32(max(0, r.NormFloat64()))
			}
			for i := range px {
				px[i] = &data[i*c]
			}
			v := make([]float32, 36*c)
			generic.WinoIn(&px, 0, &v[0], c, c)
			roundAll(v)
			got := winogradTile64(v, u, c, nr)
			want := directTile64(data, taps, c, nr)
			roundAll(data)
			for i, d := range directTile64(data, rounded, c, nr) {
				norm += want[i] * want[i]
				direct += (d - want[i]) * (d - want[i])
				winograd += (got[i] - want[i]) * (got[i] - want[i])
			}
		}
		direct, winograd = math.Sqrt(direct/norm), math.Sqrt(winograd/norm)
		t.Logf("%d channels: direct %.1e, F(4x4, 3x3) %.1e", c, direct, winograd)
		if direct > 3e-3 {
			t.Errorf("%d channels: the direct form is off by %.1e", c, direct)
		}
		if winograd < 3e-3 {
			t.Errorf("%d channels: F(4x4, 3x3) is off by only %.1e: bfloat16 is good enough for it", c, winograd)
		}
	}
}

// directTile64 computes a 4x4 tile's outputs (16, nr) from a patch (36, c) in float64.
func directTile64(patch, taps []float32, c, nr int) []float64 {
	out := make([]float64, 16*nr)
	for p := range 16 {
		for j := range c {
			for tap := range 9 {
				x := float64(patch[((p/4+tap/3)*6+p%4+tap%3)*c+j])
				for k := range nr {
					out[p*nr+k] += x * float64(taps[(j*9+tap)*nr+k])
				}
			}
		}
	}
	return out
}

// winogradTile64 does so from a transformed patch (36, c) and filters (36, c, nr).
func winogradTile64(v, u []float32, c, nr int) []float64 {
	at := winoMatrix(4) // A; the transform uses its transpose
	out := make([]float64, 16*nr)
	for i := range 36 {
		for k := range nr {
			sum := 0.0
			for j := range c {
				sum += float64(v[i*c+j]) * float64(u[(i*c+j)*nr+k])
			}
			for p := range 16 {
				out[p*nr+k] += at[i/6][p/4] * at[i%6][p%4] * sum
			}
		}
	}
	return out
}
