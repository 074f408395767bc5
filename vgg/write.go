package vgg

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/impasto/impasto/internal/binary16"
	"github.com/impasto/impasto/internal/replace"
)

// Write stores the network's convolutions as one safetensors file. It writes the file
// beside path, renames it to path, and returns its SHA-256 and size. Values are
// float32, or float16 if half is set or float16 holds all values exactly. The same
// network gives the same bytes.
func (n *Network) Write(path string, half bool) (sum string, size int64, err error) {
	dtype, width := "F32", 4
	if half || n.fitsHalf() {
		dtype, width = "F16", 2
	}
	head, data, err := n.header(dtype, width)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	err = replace.File(path, 0o666, func(f io.Writer) error {
		w := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<16)
		w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head))))
		w.Write(head)
		for _, l := range n.Layers {
			for _, values := range [][]float32{l.Weight, l.Bias} {
				if err := writeFloats(w, values, dtype); err != nil {
					return fmt.Errorf("%s %w", l.Name, err)
				}
			}
		}
		return w.Flush()
	})
	if err != nil {
		return "", 0, &Error{Kind: KindStore, Msg: fmt.Sprintf("weights %q cannot be written: %v", path, cause(err)), Err: err}
	}
	return hex.EncodeToString(h.Sum(nil)), int64(8 + len(head) + data), nil
}

// header builds the JSON header, padded with spaces so that values are aligned, and
// counts the bytes of the values.
func (n *Network) header(dtype string, width int) (head []byte, data int, err error) {
	meta := map[string]string{
		"impasto.format":  "1",
		"impasto.name":    n.Name,
		"impasto.layout":  string(LayoutRGB),
		"impasto.mean":    fmt.Sprintf("%v %v %v", n.Mean[0], n.Mean[1], n.Mean[2]),
		"impasto.pooling": string(n.Pool),
		"impasto.source":  n.Meta.Source,
		"licence":         n.Meta.Licence,
	}
	if n.Meta.SHA256 != "" {
		meta["impasto.source_sha256"] = n.Meta.SHA256
	}
	text, err := json.Marshal(meta) // keys are sorted
	if err != nil {
		return nil, 0, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `{"__metadata__":%s`, text)
	put := func(name string, count int, shape string) {
		fmt.Fprintf(&b, `,"%s":{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, name, dtype, shape, data, data+count*width)
		data += count * width
	}
	for _, l := range n.Layers {
		put(l.Name+".weight", len(l.Weight), fmt.Sprintf("[%d,%d,3,3]", l.Out, l.In))
		put(l.Name+".bias", len(l.Bias), fmt.Sprintf("[%d]", l.Out))
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return []byte(b.String()), data, nil
}

// fitsHalf reports whether float16 holds every value exactly.
func (n *Network) fitsHalf() bool {
	for _, l := range n.Layers {
		for _, values := range [][]float32{l.Weight, l.Bias} {
			for _, v := range values {
				if binary16.Widen(binary16.Round(v)) != v {
					return false
				}
			}
		}
	}
	return true
}

func writeFloats(w io.Writer, values []float32, dtype string) error {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		if dtype == "F32" {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
			continue
		}
		h := binary16.Round(v)
		if h&0x7fff >= 0x7c00 {
			return fmt.Errorf("holds %g, which half precision cannot", v)
		}
		raw = binary.LittleEndian.AppendUint16(raw, h)
	}
	_, err := w.Write(raw)
	return err
}
