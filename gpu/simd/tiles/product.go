package tiles

import (
	"encoding/binary"
	"math"
)

// product runs TDPBF16PS: C (m x n float32) += A (m x k pairs) * B (k x n pairs). For
// each element the first and the second of the pairs are summed separately over k, from
// zero, by fused multiply-adds. Then the two sums are added, and their sum is added to
// C.
func product(c, a, b *tile, m, k, n int) {
	var factors [maxRows][rowBytes / 2]float64
	for i := range k {
		for j := range 2 * n {
			factors[i][j] = bfloat16(&b[i], j)
		}
	}
	for i := range m {
		var sum [rowBytes / 2]float32
		for p := range k {
			x := [2]float64{bfloat16(&a[i], 2*p), bfloat16(&a[i], 2*p+1)}
			for j := range 2 * n {
				sum[j] = multiplyAdd(sum[j], x[j%2], factors[p][j])
			}
		}
		row := [rowBytes]byte{}
		for j := range n {
			old := math.Float32frombits(binary.LittleEndian.Uint32(c[i][4*j:]))
			s := add(flush(float64(old)), add(sum[2*j], sum[2*j+1]))
			binary.LittleEndian.PutUint32(row[4*j:], math.Float32bits(s))
		}
		c[i] = row
	}
	for i := m; i < maxRows; i++ {
		c[i] = [rowBytes]byte{}
	}
}

// bfloat16 returns a factor, with numbers below 2^-126 taken as zero.
func bfloat16(row *[rowBytes]byte, i int) float64 {
	x := math.Float32frombits(uint32(binary.LittleEndian.Uint16(row[2*i:])) << 16)
	return float64(flush(float64(x)))
}

// multiplyAdd returns s + x*y, rounded once. The product of two bfloat16 is exact in
// float64. A sum of two numbers of 24 bits that is rounded to 53 bits and then to 24 is
// as if rounded at once, because 53 is at least 2*24 + 2 (Figueroa 1995).
func multiplyAdd(s float32, x, y float64) float32 { return flush(float64(s) + x*y) }

func add(x, y float32) float32 { return flush(float64(x) + float64(y)) }

// flush rounds to float32; what is below 2^-126 when rounded to 24 bits becomes a zero of its sign.
func flush(x float64) float32 {
	const least = 0x1p-126 - 0x1p-151 // it rounds to 2^-126
	if x < least && x > -least {
		return float32(math.Copysign(0, x))
	}
	return float32(x)
}
