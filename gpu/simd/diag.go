package simd

import "math"

func diag3Generic(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int) {
	for i := range count {
		best := float32(math.Inf(-1))
		for u := range n {
			if v := Diag3At(s, i*step+u, ld, *at(inv, u), *at(bias, u)); v > best {
				best = v
			}
		}
		*at(out, i) = best
	}
}

// Diag3At computes one term of Kernels.Diag3, by the same operations in the same order.
func Diag3At(s *[3]*float32, o, ld int, inv, bias float32) float32 {
	sum := func(p *float32) float32 { return *at(p, o) + *at(p, o+ld+1) + *at(p, o+2*ld+2) }
	// The conversion keeps the product from being fused with the sum.
	return float32((sum(s[0])+sum(s[1])+sum(s[2]))*inv) + bias
}
