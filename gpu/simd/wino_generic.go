package simd

import "math"

// Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray 2015) computes a 4x4 tile of a
// 3x3 convolution's output from a 6x6 patch of its input, with 36 multiplications
// instead of 144:
//
//	tile = A^T [ sum over channels (G filter G^T) * (B^T patch B) ] A
//
// with the interpolation points 0, a, -a, b, -b and infinity. Textbooks use the
// rational points 1 and 2. a = sqrt(2), b = sqrt(1/2) cost the same and halve the
// rounding error, because a*b = 1 keeps the transforms balanced.
//
// A transformed patch or filter lies in 36 planes, plane 6*i+j for row point i and
// column point j.
const (
	winoA = math.Sqrt2
	winoB = 1 / math.Sqrt2
	winoN = 1 / (2 * winoA * winoA * (winoA*winoA - winoB*winoB)) // 1/ the product of differences at a
	winoM = 1 / (2 * winoB * winoB * (winoB*winoB - winoA*winoA)) // the same at b
)

// winoConst holds the constants of the assembly: a, b, a2, b2, a2+b2, a3, b3, then the
// filter's weights of taps 0, 2 and 1 at a and at b.
var winoConst = [13]float32{
	winoA, winoB, winoA * winoA, winoB * winoB, winoA*winoA + winoB*winoB,
	winoA * winoA * winoA, winoB * winoB * winoB,
	winoN, winoN * winoA * winoA, winoN * winoA,
	winoM, winoM * winoB * winoB, winoM * winoB,
}

// winoIn1 applies B^T along one dimension.
func winoIn1(d *[6]float32) [6]float32 {
	c := &winoConst
	u, v := d[4]-c[3]*d[2], d[3]-c[3]*d[1]
	s, t := d[4]-c[2]*d[2], d[3]-c[2]*d[1]
	return [6]float32{
		d[4] + d[0] - c[4]*d[2],
		u + c[0]*v, u - c[0]*v,
		s + c[1]*t, s - c[1]*t,
		d[5] + d[1] - c[4]*d[3],
	}
}

// winoOut1 applies A^T along one dimension.
func winoOut1(m *[6]float32) [4]float32 {
	c := &winoConst
	s, d := m[1]+m[2], m[1]-m[2]
	t, e := m[3]+m[4], m[3]-m[4]
	return [4]float32{m[0] + s + t, c[0]*d + c[1]*e, c[2]*s + c[3]*t, m[5] + c[5]*d + c[6]*e}
}

// winoFilter1 applies G along one dimension.
func winoFilter1(g *[3]float32) [6]float32 {
	c := &winoConst
	u, v := c[7]*g[0]+c[8]*g[2], c[9]*g[1]
	s, t := c[10]*g[0]+c[11]*g[2], c[12]*g[1]
	return [6]float32{g[0], u + v, u - v, s + t, s - t, g[2]}
}

func winoInGeneric(px *[36]*float32, off int, dst *float32, plane, n int) {
	for c := range n {
		var row [6][6]float32 // row point, column
		for j := range 6 {
			var d [6]float32
			for i := range 6 {
				d[i] = *at(px[i*6+j], off+c)
			}
			for i, v := range winoIn1(&d) {
				row[i][j] = v
			}
		}
		for i := range 6 {
			for j, v := range winoIn1(&row[i]) {
				*at(dst, (i*6+j)*plane+c) = v
			}
		}
	}
}

// winoTile returns the 16 outputs of channel c.
func winoTile(src *float32, plane, c int) (out [16]float32) {
	var row [4][6]float32
	for j := range 6 {
		var m [6]float32
		for i := range 6 {
			m[i] = *at(src, (i*6+j)*plane+c)
		}
		for i, v := range winoOut1(&m) {
			row[i][j] = v
		}
	}
	for i := range 4 {
		y := winoOut1(&row[i])
		copy(out[i*4:], y[:])
	}
	return out
}

func winoOutGeneric(src *float32, plane int, tile *Tile, off, bits, n int, bias *float32) {
	for c := range n {
		for p, v := range winoTile(src, plane, c) {
			v += *at(bias, c)
			if v < 0 {
				v = 0
			}
			*at(tile.Px[p], off+c) = v
			setBit(tile.Sign[p], bits+c, v > 0)
		}
	}
}

func winoBackGeneric(src *float32, plane int, tile *Tile, off, bits, n int, add, gate bool) {
	for c := range n {
		for p, v := range winoTile(src, plane, c) {
			dst := at(tile.Px[p], off+c)
			if add {
				v += *dst
			}
			if gate && !bit(tile.Sign[p], bits+c) {
				v = 0
			}
			*dst = v
		}
	}
}

// winoRow is G row by row: the weights of three taps at each row point.
var winoRow = [6][3]float32{
	{1, 0, 0},
	{winoConst[7], winoConst[9], winoConst[8]}, {winoConst[7], -winoConst[9], winoConst[8]},
	{winoConst[10], winoConst[12], winoConst[11]}, {winoConst[10], -winoConst[12], winoConst[11]},
	{0, 0, 1},
}

func winoFilterGeneric(src, dst *float32, plane, n, row int) {
	const nr = 16
	w := &winoRow[row]
	for c := range n {
		for k := range nr {
			var g [3]float32
			for j := range 3 {
				for i := range 3 {
					g[j] += w[i] * *at(src, (c*9+i*3+j)*nr+k)
				}
			}
			for j, v := range winoFilter1(&g) {
				*at(dst, j*plane+c*nr+k) = v
			}
		}
	}
}
