package gpu

import "github.com/impasto/impasto/gpu/simd"

// Products of features in half precision and a matrix.

// addRow adds a row of at most 32 values to each row of 32 sums.
func (b *CPU) addRow(sums, row []float32) {
	var v [halfOutputs]float32
	copy(v[:], row)
	for i := 0; i < len(sums); i += halfOutputs {
		to := (*[halfOutputs]float32)(sums[i:])
		for j, x := range v {
			to[j] += x
		}
	}
}

// halfPixel is the distance of pixels of c channels that are copied for products: whole
// steps, and no power of two, because such pixels would share few sets of the cache.
func halfPixel(c int) int {
	n := chunks(c, halfOutputs) * halfOutputs
	if n%512 == 0 {
		n += halfOutputs
	}
	return n
}

// copyPixels copies pixels of c channels to dst, where they are pixel apart, and fills
// them up with zeros.
func copyPixels(dst []uint16, pixel int, src []uint16, c int) {
	if pixel == c {
		copy(dst, src)
		return
	}
	for x := range len(src) / c {
		px := dst[x*pixel:][:pixel]
		copy(px, src[x*c:][:c])
		clear(px[c:])
	}
}

// matrixPanels are a symmetric matrix (C, C) as the right-hand factor of products of
// bfloat16: (C/32 outputs; 2 terms, C/32 inputs; 32, 32). An element is the sum of two
// terms, itself rounded and the rounding error. Beside features of eight bits that is as
// good as float32.
type matrixPanels struct {
	b       *CPU
	matrix  []float32
	c, side int // side is c, filled up to whole steps
	terms   [2][]uint16
	panels  []uint16
	offsets []int // of each step in a pixel
}

// set lays the matrix out.
func (p *matrixPanels) set(b *CPU, matrix []float32, c int) {
	p.b, p.matrix, p.c = b, matrix, c
	p.side = chunks(c, halfOutputs) * halfOutputs
	size := p.side * p.side
	if len(p.panels) < 2*size {
		p.panels, p.terms = bf16s(2*size), [2][]uint16{bf16s(size), bf16s(size)}
	}
	p.offsets = p.offsets[:0]
	for range p.terms {
		for k := 0; k < c; k += halfOutputs {
			p.offsets = append(p.offsets, k)
		}
	}
	b.workers.run(p.side/halfOutputs, p)
}

// chunk lays out the steps of 32 rows, which are inputs. Beyond the matrix are zeros.
func (p *matrixPanels) chunk(_, i int) {
	k, steps := i*halfOutputs, p.side/halfOutputs
	hi, lo := p.terms[0][k*p.side:][:halfOutputs*p.side], p.terms[1][k*p.side:][:halfOutputs*p.side]
	for r := range halfOutputs {
		hi, lo := hi[r*p.side:][:p.side], lo[r*p.side:][:p.side]
		clear(hi)
		clear(lo)
		if k+r < p.c {
			row := p.matrix[(k+r)*p.c:][:p.c]
			p.b.round(hi[:p.c], row)
			p.b.residue(lo[:p.c], row, hi[:p.c])
		}
	}
	for j := range steps {
		p.b.bf16.Pack(&p.panels[(2*j*steps+i)*simd.BF16Step], &hi[j*halfOutputs], p.side)
		p.b.bf16.Pack(&p.panels[((2*j+1)*steps+i)*simd.BF16Step], &lo[j*halfOutputs], p.side)
	}
}

// multiply adds to sums (n, 32) the products of n pixels and output panel j.
func (p *matrixPanels) multiply(pixels []uint16, pixel, j int, sums []float32) {
	p.b.bf16.Mul(len(sums)/halfOutputs, &pixels[0], pixel, &p.offsets[0], len(p.offsets),
		&p.panels[j*len(p.offsets)*simd.BF16Step], &sums[0], halfOutputs, true)
}
