package style

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
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
	gram.Scales, gram.Iterations, gram.StyleLoss = 1, []int{8}, LossGram
	w2 := gram
	w2.StyleLoss = LossW2
	most := gram
	most.Pooling = vgg.PoolMax
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

// TestCacheKeepsPatches: the features that patches are taken from are measured
// once for each painting at each scale and view, a picture is the same byte for
// byte with an empty cache, a full one and none, and so it is where the cache is
// too small for them.
func TestCacheKeepsPatches(t *testing.T) {
	photo, painting := smoothPicture(73, 57, 1), noisePicture(70, 50, 2)
	guide := Guide{Canvas: randomMap(73, 57, 2, 1), Styles: []*Map{randomMap(70, 50, 2, 2)}}
	for name, c := range map[string]struct {
		mode  Mode
		paint func(context.Context, Inputs, Options, Env) (*Result, error)
		in    Inputs
		turns int
		kept  int // pictures at two scales
	}{
		"patch":   {ModePatch, Patch, Inputs{Content: photo, Styles: []*Picture{painting}}, 0, 2},
		"turned":  {ModePatch, Patch, Inputs{Content: photo, Styles: []*Picture{painting}}, 1, 6},
		"doodle":  {ModeDoodle, Doodle, Inputs{Content: photo, Styles: []*Picture{painting}, Guides: []Guide{guide}}, 0, 2},
		"analogy": {ModeAnalogy, Analogy, Inputs{A: smoothPicture(70, 50, 5), B: photo, Styles: []*Picture{painting}}, 0, 6},
	} {
		t.Run(name, func(t *testing.T) {
			n := tinyNetwork(7)
			paint := func(cache *Cache) *Result {
				t.Helper()
				o := DefaultOptions(c.mode, "cpu", "vgg19")
				o.Size, o.Scales, o.Iterations, o.StyleRotations = "content", 2, []int{3, 2}, c.turns
				o.PatchLayers = []LayerWeight{{"relu2_1", 1}, {"relu3_1", 1}}
				if c.in.A != nil { // A, A' and B; A' is the painting of the patches as well
					o.AnalogyWeight = 1
				}
				o.StyleLayers, o.ContentLayers = []LayerWeight{{"relu2_1", 1}}, []LayerWeight{{"relu3_1", 1}}
				r, err := c.paint(context.Background(), c.in, o, Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 2}), Network: n, Cache: cache})
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			want := paint(nil)
			full, small := &Cache{}, &Cache{MaxBytes: 1000}
			for _, cache := range []*Cache{full, full, small} {
				if got := paint(cache); !slices.Equal(got.Picture.Pix, want.Picture.Pix) {
					t.Errorf("another picture with a cache of %d bytes", cache.Bytes())
				}
			}
			if got := len(full.entries); got != c.kept {
				t.Errorf("features of %d pictures were kept, want %d", got, c.kept)
			}
			if small.Bytes() != 0 {
				t.Errorf("a cache of 1000 bytes holds %d", small.Bytes())
			}
		})
	}
}
