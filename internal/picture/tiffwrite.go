package picture

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"io"
	"os"
)

// encodeTIFF writes strips of rows, deflated after taking each sample's difference
// from its left neighbour, and then the directory with their positions. It holds
// one strip at a time. The header must contain the directory's position. If w
// cannot seek back to it, the file is assembled in memory.
func encodeTIFF(w io.Writer, p *Picture, o WriteOptions) error {
	at, ok := w.(*os.File)
	if ok {
		st, err := at.Stat()
		ok = err == nil && st.Mode().IsRegular()
	}
	if !ok {
		var file bytes.Buffer
		header := []byte("II*\x00\x00\x00\x00\x00")
		file.Write(header)
		directory, err := tiffBody(&file, p, o)
		if err != nil {
			return err
		}
		binary.LittleEndian.PutUint32(file.Bytes()[4:], directory)
		return writeAll(w, file.Bytes())
	}
	if err := writeAll(w, []byte("II*\x00\x00\x00\x00\x00")); err != nil {
		return err
	}
	directory, err := tiffBody(w, p, o)
	if err != nil {
		return err
	}
	_, err = at.WriteAt(binary.LittleEndian.AppendUint32(nil, directory), 4)
	return err
}

// stripBytes is about the size of a strip before compression.
const stripBytes = 1 << 20

// tiffBody writes everything after the eight bytes of the header and returns the
// position of the directory.
func tiffBody(w io.Writer, p *Picture, o WriteOptions) (directory uint32, err error) {
	rows := newRowWriter(p, cmp.Or(o.Depth, 16))
	rows.little = true
	perStrip := min(p.H, max(1, stripBytes/rows.size()))
	var offsets, counts []uint32
	place := uint32(8)
	raw, packed := make([]byte, rows.size()), bytes.Buffer{}
	z := zlib.NewWriter(&packed)
	for y := range p.H {
		rows.row(raw, y)
		differences(raw, rows.channels, rows.depth)
		if _, err := z.Write(raw); err != nil {
			return 0, err
		}
		if (y+1)%perStrip != 0 && y+1 != p.H {
			continue
		}
		if err := z.Close(); err != nil {
			return 0, err
		}
		if packed.Len()%2 == 1 {
			packed.WriteByte(0) // the next part begins at an even offset
		}
		if _, err := w.Write(packed.Bytes()); err != nil {
			return 0, err
		}
		offsets, counts = append(offsets, place), append(counts, uint32(packed.Len()))
		place += uint32(packed.Len())
		packed.Reset()
		z.Reset(&packed)
		o.report(y+1, p.H)
	}
	return place, writeAll(w, tiffDirectory(place, rows, perStrip, offsets, counts))
}

// differences replaces every sample of a row by its difference from the same
// channel of the pixel to its left (TIFF's predictor 2).
func differences(row []byte, channels, depth int) {
	if depth == 8 {
		for i := len(row) - 1; i >= channels; i-- {
			row[i] -= row[i-channels]
		}
		return
	}
	for i := len(row) - 2; i >= 2*channels; i -= 2 {
		v := binary.LittleEndian.Uint16(row[i:]) - binary.LittleEndian.Uint16(row[i-2*channels:])
		binary.LittleEndian.PutUint16(row[i:], v)
	}
}

// tiffDirectory returns the single directory, which is written at place, and the
// arrays that it points to.
func tiffDirectory(place uint32, r rowWriter, perStrip int, offsets, counts []uint32) []byte {
	const short, long, rational = 3, 4, 5
	type field struct {
		tag, kind uint16
		values    []uint32
	}
	depths := make([]uint32, r.channels)
	for i := range depths {
		depths[i] = uint32(r.depth)
	}
	fields := []field{ // by tag
		{256, long, []uint32{uint32(r.p.W)}},
		{257, long, []uint32{uint32(r.p.H)}},
		{258, short, depths},
		{259, short, []uint32{8}}, // deflate
		{262, short, []uint32{2}}, // RGB
		{273, long, offsets},
		{277, short, []uint32{uint32(r.channels)}},
		{278, long, []uint32{uint32(perStrip)}},
		{279, long, counts},
		{282, rational, []uint32{72, 1}},
		{283, rational, []uint32{72, 1}},
		{296, short, []uint32{2}}, // dots an inch
		{317, short, []uint32{2}}, // differences along rows
	}
	if r.channels == 4 {
		fields = append(fields, field{338, short, []uint32{2}}) // alpha, not multiplied in
	}
	le := binary.LittleEndian
	dir := le.AppendUint16(nil, uint16(len(fields)))
	beyond := place + uint32(2+12*len(fields)+4)
	var arrays []byte
	for _, f := range fields {
		var data []byte
		for _, v := range f.values {
			if f.kind == short {
				data = le.AppendUint16(data, uint16(v))
			} else {
				data = le.AppendUint32(data, v)
			}
		}
		n := len(f.values)
		if f.kind == rational {
			n /= 2
		}
		dir = le.AppendUint32(le.AppendUint16(le.AppendUint16(dir, f.tag), f.kind), uint32(n))
		if len(data) <= 4 {
			dir = append(dir, append(data, 0, 0, 0, 0)[:4]...)
			continue
		}
		dir = le.AppendUint32(dir, beyond+uint32(len(arrays)))
		arrays = append(arrays, data...)
	}
	return append(le.AppendUint32(dir, 0), arrays...)
}
