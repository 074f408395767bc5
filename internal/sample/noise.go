package sample

import "math"

// hash mixes a lattice point and a seed into 32 random bits (the finaliser of
// MurmurHash3).
func hash(x, y int, seed uint32) uint32 {
	h := uint32(x)*0x9E3779B1 ^ uint32(y)*0x85EBCA77 ^ seed*0xC2B2AE3D
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	return h ^ h>>16
}

// random is hash in 0..1.
func random(x, y int, seed uint32) float64 { return float64(hash(x, y, seed)) / (1 << 32) }

// noise is value noise in -1..1, one bump per unit, interpolated by the
// quintic 6t^5 - 15t^4 + 10t^3 (Perlin 2002), twice differentiable.
func noise(x, y float64, seed uint32) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	tx, ty := x-fx, y-fy
	tx = tx * tx * tx * (tx*(tx*6-15) + 10)
	ty = ty * ty * ty * (ty*(ty*6-15) + 10)
	a, b := random(ix, iy, seed), random(ix+1, iy, seed)
	c, d := random(ix, iy+1, seed), random(ix+1, iy+1, seed)
	a += (b - a) * tx
	c += (d - c) * tx
	return 2*(a+(c-a)*ty) - 1
}

// visible returns how much of a wave remains when pixels are px long: 1 down to
// four pixels a wave, and 0 at two, where it would alias.
func visible(wave, px float64) float64 { return clamp(wave/(2*px) - 1) }

// fbm sums octaves of noise, each twice as fine and gain times as strong,
// within about -1..1; octaves finer than the pixels (px long) fade out.
func fbm(x, y float64, octaves int, gain, px float64, seed uint32) float64 {
	sum, amp, total := 0.0, 1.0, 0.0
	for i := range octaves {
		v := visible(1, px)
		total += amp
		if v <= 0 && i > 0 {
			amp *= gain
			continue
		}
		sum += amp * v * noise(x, y, seed+uint32(i))
		// Octaves are rotated by 37 degrees against each other, because otherwise
		// the lattice would be visible.
		x, y = 2*(0.8*x-0.6*y)+17.3, 2*(0.6*x+0.8*y)-9.1
		px *= 2
		amp *= gain
	}
	return 1.6 * sum / total
}

// ridged is fbm with every octave folded at zero: sharp crests, 0..1.
func ridged(x, y float64, octaves int, px float64, seed uint32) float64 {
	sum, amp, total, weight := 0.0, 1.0, 0.0, 1.0
	for i := range octaves {
		v := visible(1, px)
		n := 1 - math.Abs(noise(x, y, seed+uint32(i)))
		n *= n
		sum += amp * weight * (v*n + (1-v)*0.45)
		total += amp
		weight = clamp(n * 1.6)
		x, y = 2*(0.8*x-0.6*y)+31.7, 2*(0.6*x+0.8*y)+11.9
		px *= 2
		amp *= 0.5
	}
	return sum / total
}

func clamp(t float64) float64 { return math.Max(0, math.Min(1, t)) }

// step rises smoothly from 0 at a to 1 at b. a may be greater than b.
func step(a, b, t float64) float64 {
	t = clamp((t - a) / (b - a))
	return t * t * (3 - 2*t)
}

func mix(a, b, t float64) float64 { return a + (b-a)*t }

func sq(t float64) float64 { return t * t }
