package emu

import (
	"encoding/binary"
	"strings"

	"github.com/impasto/impasto/cuda/ptx"
)

// This file has tensor-core instructions. Matrices are distributed over the warp as
// the manual's figures show, with lane = 4*group + member.

// decodeLdmatrix decodes ldmatrix: up to four 8x8 matrices of 16-bit values,
// matrix m's rows at the addresses of lanes 8m..8m+7, 16 bytes each. Lane l gets
// in register m the pair of columns 2*(l%4) of row l/4, or of the transpose.
func decodeLdmatrix(d *decoding) run {
	o := d.o
	for _, e := range d.in.Args[0].Elems {
		o.vec = append(o.vec, d.reg(&e, ptx.B32))
	}
	d.address(1)
	o.space = ptx.Shared
	if !d.in.Has("shared") {
		o.space = ptx.Generic
	}
	o.size, o.bytes = 2, 16
	o.kind = touches
	o.weak = true
	d.granule(ptx.Shared, 16)
	trans := d.in.Has("trans")
	return func(w *warp, o *op, m uint32) {
		w.whole(o, m)
		w.addresses(o)
		var rows [32][8]uint16
		for i := range 8 * len(o.vec) {
			addr := w.addr[i]
			r, off, _ := w.find(o, i, addr, 16, false)
			if r.space != ptx.Shared {
				w.failAt(o, i, OutOfBounds, addr, 16, false, "not in shared memory")
			}
			if !whole16(r.state, off) {
				w.failState(o, i, r, addr, off, 16)
			}
			w.note(o, i, r, off, 16, false, false)
			for k := range rows[i] {
				rows[i][k] = binary.LittleEndian.Uint16(r.data[off+2*uint64(k):])
			}
		}
		for v, s := range o.vec {
			for l := range 32 {
				row, col := l/4, 2*(l%4)
				if trans {
					w.r32[s][l] = uint32(rows[8*v+col][row]) | uint32(rows[8*v+col+1][row])<<16
				} else {
					w.r32[s][l] = uint32(rows[8*v+row][col]) | uint32(rows[8*v+row][col+1])<<16
				}
			}
		}
		s := &w.block.stats[o.pc]
		s.Bytes += 128 * int64(len(o.vec))
		if w.block.traffic {
			// Each matrix is a request of its own: 8 rows of 16 bytes.
			s.Requests++
			for v := range o.vec {
				passes := int64(w.passes(0xff<<(8*v), 16))
				s.Units += passes
				s.Conflicts += passes - 1
			}
			s.Ideal += int64(len(o.vec))
		}
	}
}

// decodeMma decodes mma.m16n8kK: D = A*B + C with A (16, K) by rows, B (K, 8) by
// columns, C and D (16, 8) in float32. Products and sums are made in float64 and
// rounded once; hardware keeps fewer bits, so results agree to about 2^-22 of
// the sum of magnitudes.
func decodeMma(d *decoding) run {
	var v [4][]int32
	kinds := [4]ptx.Type{ptx.F32, ptx.B32, ptx.B32, ptx.F32}
	for i := range v {
		elems := d.in.Args[i].Elems
		for j := range elems {
			v[i] = append(v[i], d.sourceOp(&elems[j], kinds[i]))
		}
	}
	// A 32-bit register holds one tf32 or two 16-bit values.
	table := halves()
	unpack := func(u uint32, e int) float64 { return table[uint16(u>>(16*e))] }
	per := 2
	switch {
	case strings.Contains(d.in.Text, ".bf16."):
		unpack = func(u uint32, e int) float64 { return float64(bfloatToFloat(uint16(u >> (16 * e)))) }
	case strings.Contains(d.in.Text, ".tf32."):
		unpack = func(u uint32, _ int) float64 { return double(u &^ 0x1fff) }
		per = 1
	}
	k := 4 * per * len(v[2])
	return func(w *warp, o *op, m uint32) {
		w.whole(o, m)
		var a [16][16]float64
		var b [8][16]float64 // by columns
		for l := range 32 {
			group, member := l/4, l%4
			for r, s := range v[1] {
				// Registers go down the two halves of the rows, then across.
				for e := range per {
					a[group+8*(r%2)][per*member+e+4*per*(r/2)] = unpack(w.r32[s][l], e)
				}
			}
			for r, s := range v[2] {
				for e := range per {
					b[group][per*member+e+4*per*r] = unpack(w.r32[s][l], e)
				}
			}
		}
		var out [4]lanes
		for l := range 32 {
			for r, s := range v[3] {
				row, col := l/4+8*(r/2), 2*(l%4)+r%2
				sum := double(w.r32[s][l])
				line, column := &a[row], &b[col]
				for j := range k {
					sum += float64(line[j] * column[j])
				}
				out[r][l] = quiet(float32(sum))
			}
		}
		for r, s := range v[0] {
			w.r32[s] = out[r]
		}
	}
}

func init() {
	decoders["ldmatrix"], decoders["mma"] = decodeLdmatrix, decodeMma
}
