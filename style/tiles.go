package style

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// An image too large for one pass through the network goes through it in tiles,
// and what comes out is the same. A tile owns a part of the image and sees a
// window: its own part and a halo as wide as its deepest units reach, cut off
// at the image's borders, so that padding lies where it would without tiles.
// Units near the window's inner borders are wrong; they are nobody's own and
// nothing is asked of them.
//
//	pass 1  forward; each tile adds its own units' products to the Gram matrices
//	between the matrices' losses and gradients, as without tiles
//	pass 2  forward again; the gradient of the losses at own units is sent back
//	        through the window and added to the image's, halo included
//
// The gradient is linear in what is sent back, so the sum over tiles is exact.
// The last tile of pass 1 is the first of pass 2 and need not be computed twice.

// rect is a part of an array: rows y to y+h, columns x to x+w.
type rect struct{ y, x, h, w int }

// tile is a part of an image that is computed by itself.
type tile struct {
	own, window rect // in pixels
	pass        *vgg.Pass
}

// tiling is how an image is cut.
type tiling struct {
	b      gpu.Backend
	shape  gpu.Shape // of the image
	whole  map[string]gpu.Shape
	stride map[string]int // pixels between a tap's units
	tiles  []tile
	passes []*vgg.Pass // by the size of the window

	windows *gpu.Array   // memory of a window of the image
	strips  []*gpu.Array // memory of parts of features, see part
}

// cut is a rectangle's division along one side: where parts begin, and the end.
type cut []int

// cutInto divides n pixels into parts of at most size, all beginning at
// multiples of step and as equal as that allows.
func cutInto(n, size, step int) cut {
	if size >= n {
		return cut{0, n}
	}
	parts := (n + size - 1) / size
	each := (n + parts - 1) / parts
	each = min(max(step, (each+step-1)/step*step), max(step, size/step*step))
	c := cut{0}
	for at := each; at < n; at += each {
		c = append(c, at)
	}
	return append(c, n)
}

// tileRects lists own parts and windows of an image (h, w) in tiles of at most
// size (th, tw). step is the deepest units' stride, halo a multiple of it.
func tileRects(h, w, th, tw, step, halo int) []tile {
	rows, cols := cutInto(h, th, step), cutInto(w, tw, step)
	var list []tile
	for i := range len(rows) - 1 {
		for j := range len(cols) - 1 {
			y0, y1 := max(0, rows[i]-halo), min(h, rows[i+1]+halo)
			x0, x1 := max(0, cols[j]-halo), min(w, cols[j+1]+halo)
			list = append(list, tile{
				own:    rect{rows[i], cols[j], rows[i+1] - rows[i], cols[j+1] - cols[j]},
				window: rect{y0, x0, y1 - y0, x1 - x0},
			})
		}
	}
	return list
}

// halo is how far the deepest of the taps reaches, in whole strides of it.
func (o Options) halo(n *vgg.Network) (halo, step int, err error) {
	step = 1
	for _, tap := range o.taps() {
		reach, stride, err := n.Reach(tap)
		if err != nil {
			return 0, 0, err
		}
		halo, step = max(halo, reach), max(step, stride)
	}
	return (halo + step - 1) / step * step, step, nil
}

// cutTiles lists the tiles of an image (h, w); one where it is not cut.
func (o Options) cutTiles(n *vgg.Network, h, w int, t TileSize) ([]tile, error) {
	halo, step, err := o.halo(n)
	if err != nil {
		return nil, err
	}
	if t == (TileSize{}) {
		t = TileSize{W: w, H: h}
	}
	return tileRects(h, w, t.H, t.W, step, halo), nil
}

// windowShapes lists the sizes of the tiles' windows, each once.
func windowShapes(tiles []tile) []gpu.Shape {
	var shapes []gpu.Shape
	seen := map[gpu.Shape]bool{}
	for _, t := range tiles {
		s := gpu.Shape{H: t.window.h, W: t.window.w, C: 3}
		if !seen[s] {
			seen[s] = true
			shapes = append(shapes, s)
		}
	}
	return shapes
}

// newTiling prepares the passes of an image (h, w, 3) in such tiles.
func (o Options) newTiling(b gpu.Backend, n *vgg.Network, h, w int, size TileSize, grad bool) (*tiling, error) {
	t := &tiling{b: b, shape: gpu.Shape{H: h, W: w, C: 3}, stride: map[string]int{}}
	var err error
	if t.whole, err = n.TapShapes(b, h, w, o.passOptions(grad)); err != nil {
		return nil, err
	}
	for tap := range t.whole {
		if _, t.stride[tap], err = n.Reach(tap); err != nil {
			return nil, err
		}
	}
	if t.tiles, err = o.cutTiles(n, h, w, size); err != nil {
		return nil, err
	}
	shapes := windowShapes(t.tiles)
	if t.passes, err = n.NewPasses(b, shapes, o.passOptions(grad)); err != nil {
		return nil, err
	}
	for i := range t.tiles {
		for j, s := range shapes {
			if t.tiles[i].window.h == s.H && t.tiles[i].window.w == s.W {
				t.tiles[i].pass = t.passes[j]
			}
		}
	}
	if t.cut() {
		largest := 0
		for _, s := range shapes {
			largest = max(largest, s.Len())
		}
		t.windows = b.NewArray(gpu.Shape{H: 1, W: 1, C: 2 * (largest + windowAlign)})
		for range stripBuffers {
			t.strips = append(t.strips, b.NewArray(gpu.Shape{H: 1, W: 1, C: stripLen(t.whole)}))
		}
	}
	return t, b.Err()
}

// cut says whether there is more than one tile.
func (t *tiling) cut() bool { return len(t.tiles) > 1 }

// bytes is the memory of passes and buffers.
func (t *tiling) bytes() int64 {
	total := t.passes[0].Bytes()
	if t.cut() {
		total += t.b.Bytes(t.windows.Shape) + stripBuffers*t.b.Bytes(t.strips[0].Shape)
	}
	return total
}

func (t *tiling) free() {
	for i := len(t.passes) - 1; i >= 0; i-- {
		t.passes[i].Free() // the first has the memory of all
	}
	t.b.Free(t.windows)
	t.b.Free(t.strips...)
}

// windowAlign is what arrays of any backend are aligned to, in floats.
const windowAlign = 128

// window is an array of the tile's window in memory that all windows share;
// there are two, for the image and for its gradient.
func (t *tiling) window(tile *tile, second bool) *gpu.Array {
	at := int64(0)
	if second {
		at = t.b.Bytes(gpu.Shape{H: 1, W: 1, C: t.windows.Shape.C / 2 / windowAlign * windowAlign})
	}
	return t.b.View(t.windows, at, gpu.Shape{H: tile.window.h, W: tile.window.w, C: 3})
}

// forward computes the features of a tile of image x. visit, which may be nil,
// sees each tap's, and which of them are the tile's own.
func (t *tiling) forward(i int, x *gpu.Array, visit func(tap string, f *gpu.Array, own rect)) {
	tile := &t.tiles[i]
	if t.cut() {
		window := t.window(tile, false)
		t.b.CopyWindow(window, x, tile.window.y, tile.window.x)
		x = window
	}
	if visit == nil {
		tile.pass.Forward(x, nil)
		return
	}
	tile.pass.Forward(x, func(tap string, f *gpu.Array) { visit(tap, f, t.own(tile, tap, f.Shape)) })
}

// backward adds to g the gradient of the losses at the tile's own units, which
// visit adds to grad.
func (t *tiling) backward(i int, g *gpu.Array, visit func(tap string, f, grad *gpu.Array, own rect)) {
	tile := &t.tiles[i]
	dx := g
	if t.cut() {
		dx = t.window(tile, true)
	}
	tile.pass.Backward(dx, func(tap string, f, grad *gpu.Array) { visit(tap, f, grad, t.own(tile, tap, f.Shape)) })
	if t.cut() {
		t.b.AddWindow(g, dx, tile.window.y, tile.window.x)
	}
}

// own is the part of a tap's features in the window that is the tile's own. A
// tile at the image's lower or right border owns all that is left, also the
// unit that pooling makes of an odd row.
func (t *tiling) own(tile *tile, tap string, f gpu.Shape) rect {
	s := t.stride[tap]
	r := rect{y: (tile.own.y - tile.window.y) / s, x: (tile.own.x - tile.window.x) / s, h: tile.own.h / s, w: tile.own.w / s}
	if tile.own.y+tile.own.h == t.shape.H {
		r.h = f.H - r.y
	}
	if tile.own.x+tile.own.w == t.shape.W {
		r.w = f.W - r.x
	}
	return r
}

// stripBuffers is how many parts of features are worked on at a time:
// the canvas's, its gradient, and the photograph's.
const stripBuffers = 3

// stripLen is the length of the parts: at most stripValues, and at least a row.
func stripLen(taps map[string]gpu.Shape) int {
	longest, most := 1, 1
	for _, s := range taps {
		longest = max(longest, s.W*s.C)
		most = max(most, s.Len())
	}
	return max(longest, min(stripValues, most))
}

// eachStrip calls do for strips of rows of a rectangle of features with c
// channels, such that each fits into a strip buffer.
func (t *tiling) eachStrip(r rect, c int, do func(r rect)) {
	if r.h <= 0 || r.w <= 0 {
		return
	}
	most := max(1, t.strips[0].Shape.C/(r.w*c))
	for y := 0; y < r.h; y += most {
		do(rect{r.y + y, r.x, min(most, r.h-y), r.w})
	}
}

// part is an array (r.h, r.w, c) in one of the strip buffers.
func (t *tiling) part(buffer int, r rect, c int) *gpu.Array {
	return t.b.View(t.strips[buffer], 0, gpu.Shape{H: r.h, W: r.w, C: c})
}

// TileSize is the largest tile in pixels; zero means the image is not cut.
type TileSize struct{ W, H int }

func (t TileSize) String() string {
	switch {
	case t == TileSize{}:
		return tileOff
	case t.W == t.H:
		return fmt.Sprint(t.W)
	}
	return fmt.Sprintf("%dx%d", t.W, t.H)
}

const (
	tileOff   = "off"
	leastTile = 64 // pixels: smaller ones are nearly all halo
)

// cuttable says whether the losses can be computed in tiles: those that need
// a layer of the whole image at once cannot.
func (o Options) cuttable() bool {
	return o.Normalize == NormalizeOff && o.PatchWeight+o.AnalogyWeight == 0
}

// parseTile reads Options.Tile. auto: it is for the plan to choose.
func parseTile(text string) (size TileSize, auto bool, err error) {
	switch text {
	case "", "auto":
		return TileSize{}, true, nil
	case tileOff:
		return TileSize{}, false, nil
	}
	w, h, rectangle := strings.Cut(text, "x")
	if !rectangle {
		h = w
	}
	size.W, err = strconv.Atoi(w)
	if err == nil {
		size.H, err = strconv.Atoi(h)
	}
	if err != nil || min(size.W, size.H) < leastTile {
		return TileSize{}, false, fmt.Errorf("tile %q is not a number of pixels from %d, such as 1024 or 4096x512", text, leastTile)
	}
	return size, false, nil
}
