package style

import (
	"slices"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// An image that is too large for one pass through the network is computed in parts. The
// result is the same to the last bit. The work is divided in two ways, which are used
// together.
//
// The network is computed in stages, which begin and end at poolings. The values
// between two stages, a checkpoint, are kept for the whole image: 32 bytes a pixel
// after the second block, 8 after the fourth. All other values are computed stage by
// stage, and a second time for the backward pass.
//
// A stage's input is cut into tiles. A tile owns a part of it and sees a window, which
// is its own part and a halo. The window is cut off at the image's borders, so that
// padding lies where it would without tiles.
//
//	pass 1  forward, first stage first; each tile keeps its own units of the
//	        stage's output, and adds its own to the sums that losses are made of
//	between the losses and their gradient, as without tiles
//	pass 2  backward, last stage first; each tile computes its window again and
//	        keeps the gradient of its own part of the stage's input
//
// A tile computes everything that its own part of the gradient depends on. The halo is
// so wide that all units which see the own part are computed correctly. Only the sums
// are added up across tiles, and they are made in cells that no tile cuts. Windows
// begin where tiles of Winograd's convolution begin in every layer, and halos hold
// whole tiles, so every product is rounded as without tiles.
//
// Because stages are short, their halos are narrow: 40 pixels for the first two blocks
// together, where the whole network down to relu5_1 would need 576.

// stage is a stage of the network and the tiles of its input.
type stage struct {
	vgg.Stage
	vgg.Extent
	shape gpu.Shape      // shape of the whole input
	unit  map[string]int // distance of a tap's or the output's units, in units of the input
	tiles []tile
	x, g  *gpu.Array // the input and its gradient; nil for the first stage
}

// tile is a part of a stage's input that is computed separately.
type tile struct {
	own    gpu.Rect // in units of the stage's input
	ahead  window   // of pass 1
	window window   // of pass 2
}

// window is the part of a stage's input that a tile sees, and the pass over it.
type window struct {
	gpu.Rect
	pass *vgg.Pass
}

// tiling holds the stages, tiles and passes by which an image is computed.
type tiling struct {
	b      gpu.Backend
	shape  gpu.Shape // of the image
	whole  map[string]gpu.Shape
	pixels map[string]int // distance of a tap's units
	stages []stage
	passes []*vgg.Pass

	windows *gpu.Array   // memory of a window of a stage's input, and of its gradient
	strips  []*gpu.Array // memory of parts of features, see part
}

// division divides one side of a rectangle: it lists where parts begin, and the end.
type division []int

// cutInto divides n units into parts of at most size. All parts begin at multiples of
// step and are as equal as that allows.
func cutInto(n, size, step int) division {
	if size >= n {
		return division{0, n}
	}
	parts := (n + size - 1) / size
	each := (n + parts - 1) / parts
	each = min(roundUp(each, step), max(step, size/step*step))
	d := division{0}
	for at := each; at < n; at += each {
		d = append(d, at)
	}
	return append(d, n)
}

func roundUp(n, step int) int { return (n + step - 1) / step * step }

// tileRects lists the own parts and windows of an input (h, w) in tiles of at most (th,
// tw). Own parts begin at multiples of step. The windows of the two passes extend
// beyond them by ahead and by halo units.
func tileRects(h, w, th, tw, step, ahead, halo int) []tile {
	rows, cols := cutInto(h, th, step), cutInto(w, tw, step)
	list := make([]tile, 0, (len(rows)-1)*(len(cols)-1))
	for i := range len(rows) - 1 {
		for j := range len(cols) - 1 {
			around := func(halo int) gpu.Rect {
				y0, y1 := max(0, rows[i]-halo), min(h, rows[i+1]+halo)
				x0, x1 := max(0, cols[j]-halo), min(w, cols[j+1]+halo)
				return gpu.Rect{Y: y0, X: x0, H: y1 - y0, W: x1 - x0}
			}
			list = append(list, tile{own: around(0), ahead: window{Rect: around(ahead)}, window: window{Rect: around(halo)}})
		}
	}
	return list
}

// Windows begin at multiples of windowStep, in units of the deepest layer in them. On
// every backend, tiles of a convolution begin there.
const windowStep = 4

// Sums over a layer are made in cells whose side is cellPixels, and at least cellUnits
// units of the layer. Products of fewer units would be mostly overhead.
const (
	cellPixels = 64
	cellUnits  = 16
)

// cell returns the side of a cell in a layer whose units are that many pixels apart.
func cell(pixels int) int { return max(cellUnits, cellPixels/pixels) }

// layout lists the stages of an image (h, w) and their tiles. It makes no passes.
func (o Options) layout(b gpu.Backend, n *vgg.Network, h, w int, c Cut, grad bool) ([]stage, error) {
	grain := b.ConvTile()
	if c.Near {
		grain = 1
	}
	var list []stage
	for i, part := range stagesOf(c.Ends) {
		s := stage{Stage: part}
		if err := o.layStage(&s, n, h, w, c.tile(i), grain, grad); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// stagesOf lists the stages that end with these blocks, and the last one.
func stagesOf(ends []int) []vgg.Stage {
	list := []vgg.Stage{{First: 1}}
	for i, end := range ends {
		list[i].Last = end
		list = append(list, vgg.Stage{First: end + 1})
	}
	return list
}

// layStage lays out a stage of an image (h, w) in tiles of that many pixels.
func (o Options) layStage(s *stage, n *vgg.Network, h, w int, size TileSize, grain int, grad bool) (err error) {
	p := o.passOptions(grad)
	if s.Extent, err = n.Extent(s.Stage, p, grain); err != nil {
		return err
	}
	if s.shape, err = n.Input(s.Stage, h, w, p); err != nil {
		return err
	}
	step := windowStep * s.Deepest
	ahead, halo := roundUp(s.Ahead, step), roundUp(s.Margin, step)
	if !grad {
		halo = ahead
	}
	s.unit = map[string]int{s.Output(): s.OutStride}
	for _, tap := range o.taps() {
		_, pixels, err := n.Reach(tap)
		if err != nil {
			return err
		}
		if pixels >= s.Stride && pixels <= s.Stride*s.Deepest {
			s.unit[tap] = pixels / s.Stride
			step = max(step, cell(pixels)*pixels/s.Stride)
		}
	}
	if size == (TileSize{}) {
		size = TileSize{W: w, H: h}
	}
	th, tw := roundUp(size.H, s.Stride)/s.Stride, roundUp(size.W, s.Stride)/s.Stride
	s.tiles = tileRects(s.shape.H, s.shape.W, th, tw, step, ahead, halo)
	return nil
}

// windows lists the sizes of the tiles' windows, each once.
func (s *stage) windows() []vgg.Window {
	var list []vgg.Window // of few sizes
	for _, t := range s.tiles {
		for _, r := range []gpu.Rect{t.ahead.Rect, t.window.Rect} {
			if w := s.sized(r); !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// sized returns a window of this stage with the size of r.
func (s *stage) sized(r gpu.Rect) vgg.Window { return vgg.Window{H: r.H, W: r.W, Stage: s.Stage} }

// cut reports whether the stage has more than one tile.
func (s *stage) cut() bool { return len(s.tiles) > 1 }

// allWindows lists the windows of all stages.
func allWindows(stages []stage) []vgg.Window {
	var list []vgg.Window
	for i := range stages {
		list = append(list, stages[i].windows()...)
	}
	return list
}

// windowLen returns the length of the largest window of the stages that are cut, or 0
// if none is.
func windowLen(stages []stage) int {
	largest := 0
	for i := range stages {
		if s := &stages[i]; s.cut() {
			for _, w := range s.windows() {
				largest = max(largest, w.H*w.W*s.shape.C)
			}
		}
	}
	return largest
}

// newTiling prepares the passes of an image (h, w, 3) with this cut.
func (o Options) newTiling(b gpu.Backend, n *vgg.Network, h, w int, c Cut, grad bool) (*tiling, error) {
	t := &tiling{b: b, shape: gpu.Shape{H: h, W: w, C: 3}, pixels: map[string]int{}}
	var err error
	if t.whole, err = n.TapShapes(b, h, w, o.passOptions(grad)); err != nil {
		return nil, err
	}
	for tap := range t.whole {
		if _, t.pixels[tap], err = n.Reach(tap); err != nil {
			return nil, err
		}
	}
	if t.stages, err = o.layout(b, n, h, w, c, grad); err != nil {
		return nil, err
	}
	windows := allWindows(t.stages)
	if t.passes, err = n.NewPasses(b, windows, o.passOptions(grad)); err != nil {
		return nil, err
	}
	t.setPasses(windows)
	for i := range t.stages[1:] {
		s := &t.stages[i+1]
		s.x = b.NewArray(s.shape)
		if grad {
			s.g = b.NewArray(s.shape)
		}
	}
	if t.cut() {
		if n := windowLen(t.stages); n > 0 {
			t.windows = b.NewArray(gpu.Shape{H: 1, W: 1, C: 2 * (n + windowAlign)})
		}
	}
	if t.cut() || grad && o.Tileable {
		for range stripBuffers {
			t.strips = append(t.strips, b.NewArray(gpu.Shape{H: 1, W: 1, C: stripLen(t.whole, t.stages)}))
		}
	}
	return t, b.Err()
}

// setPasses gives each tile the pass of its window.
func (t *tiling) setPasses(windows []vgg.Window) {
	for i := range t.stages {
		s := &t.stages[i]
		for j := range s.tiles {
			for _, w := range []*window{&s.tiles[j].ahead, &s.tiles[j].window} {
				w.pass = t.passes[slices.Index(windows, s.sized(w.Rect))]
			}
		}
	}
}

// cut reports whether there is more than one pass through the network.
func (t *tiling) cut() bool { return len(t.stages) > 1 || t.stages[0].cut() }

// bytes returns the memory of the passes and buffers.
func (t *tiling) bytes() int64 {
	total := t.passes[0].Bytes()
	for _, a := range t.buffers() {
		total += t.b.Bytes(a.Shape)
	}
	return total
}

// buffers lists all arrays except those of the passes.
func (t *tiling) buffers() []*gpu.Array {
	list := append([]*gpu.Array{}, t.strips...)
	if t.windows != nil {
		list = append(list, t.windows)
	}
	for _, s := range t.stages[1:] {
		list = append(list, s.x)
		if s.g != nil {
			list = append(list, s.g)
		}
	}
	return list
}

func (t *tiling) free() {
	for i := len(t.passes) - 1; i >= 0; i-- {
		t.passes[i].Free() // the first one owns the memory of all
	}
	t.b.Free(t.buffers()...)
}

// windowAlign is the alignment of arrays on every backend, in floats.
const windowAlign = 128

// room returns an array of a window's size, in memory that all windows share. There are
// two such arrays, for the stage's input and for its gradient.
func (t *tiling) room(s *stage, w *window, second bool) *gpu.Array {
	at := int64(0)
	if second {
		at = t.b.Bytes(gpu.Shape{H: 1, W: 1, C: t.windows.Shape.C / 2 / windowAlign * windowAlign})
	}
	return t.b.View(t.windows, at, gpu.Shape{H: w.H, W: w.W, C: s.shape.C})
}

// sweep computes all stages of image x. visit gets each tap's features tile by tile,
// and own, which of them belong to the tile.
func (t *tiling) sweep(x *gpu.Array, visit func(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect)) {
	for k := range t.stages {
		t.beginAhead(k)
		for i := range t.stages[k].tiles {
			t.forward(k, i, x, true, visit)
		}
	}
}

// beginAhead clears the array that the tiles of stage k will fill.
func (t *tiling) beginAhead(k int) {
	if k+1 < len(t.stages) {
		t.b.Fill(t.stages[k+1].x, 0)
	}
}

// stageOf returns the stage that computes a tap.
func (t *tiling) stageOf(tap string) *stage {
	for i := range t.stages {
		if t.stages[i].unit[tap] > 0 {
			return &t.stages[i]
		}
	}
	panic("style: no stage has " + tap) // taps and stages are made from the same options
}

// forward computes the features of a tile of stage k. x is the image. ahead says that
// this is pass 1; otherwise a backward pass follows. In pass 1 the tile's own part of
// the output is added to the next stage's input, which must hold zeros there. visit may
// be nil.
func (t *tiling) forward(k, i int, x *gpu.Array, ahead bool, visit func(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect)) {
	s := &t.stages[k]
	tile := &s.tiles[i]
	if k > 0 {
		x = s.x
	}
	w := &tile.window
	if ahead {
		w = &tile.ahead
	}
	if s.cut() {
		part := t.room(s, w, false)
		t.b.CopyWindow(part, x, w.Y, w.X)
		x = part
	}
	w.pass.Forward(x, func(tap string, f *gpu.Array) {
		own := s.own(tile, w, tap, f.Shape)
		switch {
		case tap != s.Output():
			if visit != nil {
				visit(s, i, tap, f, own)
			}
		case ahead:
			t.move(t.stages[k+1].x, f, own, tile.own.Y/s.OutStride, tile.own.X/s.OutStride)
		}
	})
}

// backward computes the gradient of the losses with respect to a tile's own part of the
// input of stage k. In the first stage the gradient goes into g. visit adds the
// gradient at a tap's features to grad.
func (t *tiling) backward(k, i int, g *gpu.Array, visit func(s *stage, i int, tap string, f *gpu.Array, grad *vgg.Gradient, own gpu.Rect)) {
	s := &t.stages[k]
	tile := &s.tiles[i]
	if k > 0 {
		g = s.g
	}
	dx := g
	if s.cut() {
		dx = t.room(s, &tile.window, true)
	}
	tile.window.pass.Backward(dx, func(tap string, f *gpu.Array, grad *vgg.Gradient) {
		if tap == s.Output() {
			t.b.CopyWindow(grad.Array(), t.stages[k+1].g, tile.window.Y/s.OutStride, tile.window.X/s.OutStride)
			return
		}
		visit(s, i, tap, f, grad, s.own(tile, &tile.window, tap, f.Shape))
	})
	if s.cut() {
		own := gpu.Rect{Y: tile.own.Y - tile.window.Y, X: tile.own.X - tile.window.X, H: tile.own.H, W: tile.own.W}
		t.move(g, dx, own, tile.own.Y, tile.own.X)
	}
}

// move adds part r of src to dst, at row y and column x.
func (t *tiling) move(dst, src *gpu.Array, r gpu.Rect, y, x int) {
	if r == src.Shape.Whole() {
		t.b.AddWindow(dst, src, y, x)
		return
	}
	t.eachStrip(r, src.Shape.C, func(strip gpu.Rect) {
		part := t.part(0, strip, src.Shape.C)
		t.b.CopyWindow(part, src, strip.Y, strip.X)
		t.b.AddWindow(dst, part, y+strip.Y-r.Y, x+strip.X-r.X)
	})
}

// put adds a tile's own features at a tap to those of the whole image.
func (t *tiling) put(whole *gpu.Array, s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
	n := s.unit[tap]
	t.move(whole, f, own, s.tiles[i].own.Y/n, s.tiles[i].own.X/n)
}

// own returns the part of a tap's features, or of the output, that is the tile's own in
// a window. A tile at the lower or right border of the image owns all that is left,
// including the unit that pooling makes of an odd row or column.
func (s *stage) own(tile *tile, w *window, tap string, f gpu.Shape) gpu.Rect {
	n := max(1, s.unit[tap])
	r := gpu.Rect{Y: (tile.own.Y - w.Y) / n, X: (tile.own.X - w.X) / n, H: tile.own.H / n, W: tile.own.W / n}
	if tile.own.Y+tile.own.H == s.shape.H {
		r.H = f.H - r.Y
	}
	if tile.own.X+tile.own.W == s.shape.W {
		r.W = f.W - r.X
	}
	return r
}

// stripBuffers is the number of parts of features that are held at a time: the
// canvas's, its gradient, and the photograph's.
const stripBuffers = 3

// stripLen returns the length of a strip buffer: at most stripValues, and at least a
// row.
func stripLen(taps map[string]gpu.Shape, stages []stage) int {
	longest, most := 1, 1
	see := func(s gpu.Shape) {
		longest = max(longest, s.W*s.C)
		most = max(most, s.Len())
	}
	for _, s := range taps {
		see(s)
	}
	for i := range stages {
		see(stages[i].shape)
	}
	return max(longest, min(stripValues, most))
}

// eachStrip divides a rectangle of features with c channels into strips of rows that
// fit into a strip buffer. It calls do for each.
func (t *tiling) eachStrip(r gpu.Rect, c int, do func(r gpu.Rect)) {
	if r.H <= 0 || r.W <= 0 {
		return
	}
	most := max(1, t.strips[0].Shape.C/(r.W*c))
	for y := 0; y < r.H; y += most {
		do(gpu.Rect{Y: r.Y + y, X: r.X, H: min(most, r.H-y), W: r.W})
	}
}

// part returns an array of r's size with c channels in one of the strip buffers.
func (t *tiling) part(buffer int, r gpu.Rect, c int) *gpu.Array {
	return t.b.View(t.strips[buffer], 0, gpu.Shape{H: r.H, W: r.W, C: c})
}
