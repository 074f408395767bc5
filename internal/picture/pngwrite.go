package picture

import (
	"bufio"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// rowWriter converts rows of a picture to codes. 16-bit codes have the most
// significant byte first or last.
type rowWriter struct {
	p        *Picture
	depth    int // 8 or 16
	channels int // 3, or 4 if the picture is not opaque
	little   bool
}

func newRowWriter(p *Picture, depth int) rowWriter {
	r := rowWriter{p: p, depth: depth, channels: 3}
	top := float32(int(1)<<depth - 1)
	for i := range p.Alpha {
		if p.code(i, 3, top) != uint32(top) {
			r.channels = 4
			break
		}
	}
	return r
}

// size returns the number of bytes of a row.
func (r rowWriter) size() int { return r.p.W * r.channels * r.depth / 8 }

// row writes the codes of row y.
func (r rowWriter) row(dst []byte, y int) {
	at := 0
	for i := y * r.p.W; i < (y+1)*r.p.W; i++ {
		for c := range r.channels {
			if r.depth == 8 {
				dst[at] = byte(r.p.code(i, c, 255))
				at++
				continue
			}
			v := uint16(r.p.code(i, c, 65535))
			if r.little {
				binary.LittleEndian.PutUint16(dst[at:], v)
			} else {
				binary.BigEndian.PutUint16(dst[at:], v)
			}
			at += 2
		}
	}
}

// WriteCodes writes the picture's rounded codes row by row, as a lossless file
// holds them: RGBA of 8 bits, or of 16 bits with the most significant byte first.
func (p *Picture) WriteCodes(w io.Writer, depth int) {
	rows := rowWriter{p: p, depth: depth, channels: 4}
	row := make([]byte, rows.size())
	for y := range p.H {
		rows.row(row, y)
		_, _ = w.Write(row) // to a hash, which takes everything
	}
}

// encodePNG writes chunks in this order: IHDR, sRGB, texts, pixels. It holds only
// two rows, because a picture may be larger than the free memory.
func encodePNG(w io.Writer, p *Picture, o WriteOptions) error {
	rows := newRowWriter(p, cmp.Or(o.Depth, 8))
	header := binary.BigEndian.AppendUint32(nil, uint32(p.W))
	header = binary.BigEndian.AppendUint32(header, uint32(p.H))
	colour := byte(2) // RGB
	if rows.channels == 4 {
		colour = 6
	}
	header = append(header, byte(rows.depth), colour, 0, 0, 0)
	head := appendPNGChunk([]byte(pngSignature), "IHDR", header)
	head = appendPNGChunk(head, "sRGB", []byte{0}) // perceptual
	if o.Software != "" {
		head = appendPNGChunk(head, "iTXt", pngText(softwareKey, o.Software))
	}
	if o.Recipe != "" {
		head = appendPNGChunk(head, "iTXt", pngText(recipeKey, o.Recipe))
	}
	if err := writeAll(w, head); err != nil {
		return err
	}
	level := zlib.DefaultCompression
	if o.Fast {
		level = zlib.BestSpeed
	}
	chunks := bufio.NewWriterSize(pixelChunks{w}, 1<<16)
	z, err := zlib.NewWriterLevel(chunks, level)
	if err != nil {
		return err
	}
	f := newPNGFilter(rows)
	for y := range p.H {
		if _, err := z.Write(f.next(y)); err != nil {
			return err
		}
		o.report(y+1, p.H)
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := chunks.Flush(); err != nil {
		return err
	}
	return writeAll(w, appendPNGChunk(nil, "IEND", nil))
}

// pixelChunks writes each Write as one chunk.
type pixelChunks struct{ w io.Writer }

func (c pixelChunks) Write(b []byte) (int, error) {
	if _, err := c.w.Write(appendPNGChunk(nil, "IDAT", b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// pngFilter predicts each byte of a row from its neighbours in the five ways of the
// format. It keeps the result with the least sum of absolute differences.
type pngFilter struct {
	rows       rowWriter
	bpp        int       // bytes a pixel
	row, above []byte    // with bpp zeros before the first pixel
	tries      [5][]byte // filter's number and result
}

func newPNGFilter(rows rowWriter) *pngFilter {
	f := &pngFilter{rows: rows, bpp: rows.channels * rows.depth / 8}
	f.row, f.above = make([]byte, f.bpp+rows.size()), make([]byte, f.bpp+rows.size())
	for i := range f.tries {
		f.tries[i] = make([]byte, 1+rows.size())
		f.tries[i][0] = byte(i)
	}
	return f
}

// next returns row y in the form in which it is compressed. Rows must come in
// order.
func (f *pngFilter) next(y int) []byte {
	f.row, f.above = f.above, f.row
	f.rows.row(f.row[f.bpp:], y)
	none, sub, up, mean, paeth := f.tries[0][1:], f.tries[1][1:], f.tries[2][1:], f.tries[3][1:], f.tries[4][1:]
	copy(none, f.row[f.bpp:])
	var sums [5]int
	cur, above := f.row[f.bpp:], f.above[f.bpp:]
	left, corner := f.row[:len(cur)], f.above[:len(cur)]
	for i, v := range cur {
		a, b, c := left[i], above[i], corner[i]
		sub[i], up[i] = v-a, v-b
		mean[i] = v - byte((int(a)+int(b))/2)
		paeth[i] = v - predictor(a, b, c)
		sums[0] += magnitude(v)
		sums[1] += magnitude(sub[i])
		sums[2] += magnitude(up[i])
		sums[3] += magnitude(mean[i])
		sums[4] += magnitude(paeth[i])
	}
	best := 0
	for i, s := range sums {
		if s < sums[best] {
			best = i
		}
	}
	return f.tries[best]
}

func abs(v int) int { return max(v, -v) }

// magnitude returns the absolute value of a difference modulo 256.
func magnitude(b byte) int { return abs(int(int8(b))) }

// predictor is Paeth's: it returns the neighbour closest to left + above - corner.
func predictor(a, b, c byte) byte {
	pa, pb := int(b)-int(c), int(a)-int(c)
	pc := abs(pa + pb)
	pa, pb = abs(pa), abs(pb)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}
