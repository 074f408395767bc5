package style

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/impasto/impasto/gpu"
)

// TestCacheChangesNothing: the same picture byte for byte with an empty cache, a
// full one and none, for both losses, several paintings and other settings in
// between; and a painting is measured once for each of them.
func TestCacheChangesNothing(t *testing.T) {
	n := tinyNetwork(7)
	content, first, second := smoothPicture(41, 33, 1), smoothPicture(37, 45, 2), smoothPicture(29, 31, 3)
	var cache Cache
	paint := func(o Options, c *Cache, styles ...*Picture) []byte {
		t.Helper()
		env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 2}), Network: n, Cache: c}
		r, err := Art(context.Background(), Inputs{Content: content, Styles: styles}, o, env)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := binary.Write(&b, binary.LittleEndian, r.Picture.Pix); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	gram := tinyOptions(ModeArt)
	gram.Scales, gram.Iterations = 1, []int{8}
	w2 := gram
	w2.StyleLoss = LossW2
	most := gram
	most.Pooling = PoolMax
	for round := range 2 {
		for name, c := range map[string]struct {
			o      Options
			styles []*Picture
		}{
			"gram": {gram, []*Picture{first}}, "w2": {w2, []*Picture{first}}, "max pooling": {most, []*Picture{first}},
			"two paintings": {gram, []*Picture{first, second}}, "the other": {gram, []*Picture{second}},
		} {
			if !bytes.Equal(paint(c.o, nil, c.styles...), paint(c.o, &cache, c.styles...)) {
				t.Errorf("round %d, %s: another picture with the cache", round, name)
			}
		}
	}
	if got, want := len(cache.entries), 4; got != want { // gram twice, w2, max pooling
		t.Errorf("%d measurements were kept, want %d", got, want)
	}
	held := int64(0)
	for _, e := range cache.entries {
		held += e.bytes
	}
	if held != cache.Bytes() || held == 0 {
		t.Errorf("it holds %d bytes and says %d", held, cache.Bytes())
	}
	one := cache.entries[0].bytes
	if cache.Drop(); cache.Bytes() != 0 || len(cache.entries) != 0 {
		t.Errorf("dropped, it holds %d bytes", cache.Bytes())
	}
	small := Cache{MaxBytes: one}
	paint(gram, &small, first, second)
	if len(small.entries) != 1 || small.Bytes() > small.MaxBytes {
		t.Errorf("a small cache holds %d measurements in %d bytes", len(small.entries), small.Bytes())
	}
}
