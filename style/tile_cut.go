package style

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// cutter chooses how an image is cut, which trades time against memory. Fewer stages
// need fewer checkpoints. Wider tiles spend less work on halos. cutter looks for the
// cut that fits into memory with the least work.
type cutter struct {
	Plan
	env     Env
	w, h    int
	limit   int64
	grain   int // what convolutions round by, in units; 1 with near halos
	choices map[vgg.Stage][]choice
}

// choice is one way to cut a stage into tiles.
type choice struct {
	size  TileSize
	own   TileSize // the largest tile's own part
	work  float64  // multiplications of an iteration
	bytes int64    // of the stage's passes alone, with their windows
	masks int64    // the part of bytes that no other stage can use
	laid  stage
}

// chooseCuts chooses the cut of the image at every scale and estimates its memory.
func (p *Plan) chooseCuts(env Env) error {
	text := p.Options.Tile
	anyCut := env.Backend.ConvTile() > 1 // every exact cut paints the same picture
	if c := env.Resume; c != nil {
		if text = c.Options.Tile; text == "" && !anyCut {
			text = tileOff
		}
	}
	asked, err := parseTile(text)
	if err != nil {
		return err
	}
	if !p.Options.cuttable() {
		asked = tileChoice{}
	}
	if err := p.checkUncut(env, asked.auto || asked.size != TileSize{}); err != nil {
		return err
	}
	last := len(p.Scales) - 1
	for i := last; i >= 0; i-- {
		s := &p.Scales[i]
		k := cutter{Plan: *p, env: env, limit: env.MaxBytes}
		k.w, k.h = p.Options.seen(env.Network, s.W, s.H)
		var bytes int64
		if s.cut, s.recompute, bytes, err = k.choose(asked); err != nil {
			return err
		}
		if i < last {
			continue
		}
		p.Cut, p.Tile, p.Recompute, p.PeakBytes = s.cut, s.cut.tile(0), s.recompute, bytes
		exact := anyCut && !s.cut.Near
		p.Options.Tile = s.cut.text(exact)
		if c := env.Resume; c != nil && exact && !strings.HasPrefix(c.Options.Tile, "~") {
			p.Options.Tile = c.Options.Tile // there may be less memory now than then
		}
		if !exact && len(s.cut.Tiles) > 0 { // one cut is recorded, for all scales
			asked = tileChoice{size: p.Tile, cut: &p.Cut}
		}
	}
	w, h := p.Canvas()
	w, h = p.Options.seen(env.Network, w, h)
	if p.Memory, err = p.account(env, w, h, p.Cut, p.Recompute); err != nil {
		return err
	}
	if env.MaxBytes > 0 && p.PeakBytes > env.MaxBytes {
		whole, err := p.bytes(env, w, h, Cut{}, false)
		if err != nil {
			return err
		}
		e := &MemoryError{W: p.W(), H: p.H(), Need: whole, Have: env.MaxBytes}
		if asked.auto || p.Tile != (TileSize{}) {
			e.Tiled = p.PeakBytes
		}
		return e
	}
	return nil
}

// choose returns the cut that fits with the least work. If no cut fits, it returns the
// one that needs the least memory.
func (k *cutter) choose(asked tileChoice) (best Cut, recompute bool, bytes int64, err error) {
	if asked.cut != nil {
		return k.asked(*asked.cut)
	}
	size, auto := asked.size, asked.auto
	if size.W >= k.w && size.H >= k.h {
		size, auto = TileSize{}, auto || size != TileSize{}
	}
	whole, err := k.bytes(k.env, k.w, k.h, Cut{}, false)
	if err != nil {
		return Cut{}, false, 0, err
	}
	k.grain = 1
	one, err := k.cutting(vgg.Stage{First: 1}, TileSize{})
	if err != nil {
		return Cut{}, false, 0, err
	}
	if n := 1 + len(k.env.Others); auto && n > 1 && k.h >= n*leastShare {
		size = TileSize{W: k.w, H: (k.h + n - 1) / n} // one for each backend
	}
	fits := (k.limit == 0 || whole <= k.limit) && one.bytes < math.MaxInt64
	if size == (TileSize{}) && !auto && one.bytes == math.MaxInt64 {
		return Cut{}, false, 0, k.uncountable()
	}
	if size == (TileSize{}) && (fits || !auto) {
		return Cut{}, false, whole, nil
	}
	var work float64
	if best, recompute, work, err = k.search(size, k.env.Backend.ConvTile()); err != nil {
		return Cut{}, false, 0, err
	}
	if k.env.Backend.ConvTile() > 1 {
		near, anew, less, err := k.search(size, 1)
		if err != nil {
			return Cut{}, false, 0, err
		}
		if work == 0 || less > 0 && work > exactCost*less {
			best, recompute = near, anew
		}
	}
	bytes, err = k.bytes(k.env, k.w, k.h, best, recompute)
	return best, recompute, bytes, err
}

// asked returns the cut that the options give in full. It keeps the photograph's
// features if they fit.
func (k *cutter) asked(c Cut) (Cut, bool, int64, error) {
	_, block, err := k.Options.deepest(k.env.Network)
	if err != nil {
		return Cut{}, false, 0, err
	}
	if n := len(c.Ends); n > 0 && c.Ends[n-1] >= block {
		return Cut{}, false, 0, Problems{{Option: "tile", Value: k.Options.Tile, Reason: fmt.Sprintf("no layer with a weight lies below pooling %d", c.Ends[n-1])}}
	}
	bytes, err := k.bytes(k.env, k.w, k.h, c, false)
	if err != nil || k.limit == 0 || bytes <= k.limit || !k.forgetful(c.Ends) {
		return c, false, bytes, err
	}
	bytes, err = k.bytes(k.env, k.w, k.h, c, true)
	return c, true, bytes, err
}

// exactCost is the most work that an exact cut may take, relative to the best cut whose
// halos are near. An exact cut gives the same result to the last bit, the other one
// rounds differently.
const exactCost = 1.5

// leastShare is the least number of rows of pixels for which another backend is used.
const leastShare = 512

// search tries all ways to divide the network into stages, where convolutions round by
// tiles of grain. It returns the cut that fits with the least work. If no cut fits, it
// returns the one that needs the least memory, and 0 as its work.
func (k *cutter) search(size TileSize, grain int) (best Cut, recompute bool, least float64, err error) {
	k.grain, k.choices = grain, map[vgg.Stage][]choice{}
	_, block, err := k.Options.deepest(k.env.Network)
	if err != nil {
		return Cut{}, false, 0, err
	}
	bytes := int64(0)
	for set := range 1 << (block - 1) {
		var ends []int
		for b := 1; b < block; b++ {
			if set>>(b-1)&1 == 1 {
				ends = append(ends, b)
			}
		}
		for _, anew := range []bool{false, true} {
			if anew && !k.forgetful(ends) {
				continue
			}
			c, work, n, err := k.fit(ends, size, anew)
			if err != nil {
				return Cut{}, false, 0, err
			}
			fits := k.limit == 0 || n <= k.limit
			switch {
			case c.Tiles == nil:
			case fits && (least == 0 || work < least):
				best, recompute, least = c, anew, work
			case !fits && least == 0 && (bytes == 0 || n < bytes):
				best, recompute, bytes = c, anew, n
			}
		}
	}
	return best, recompute, least, nil
}

// forgetful reports whether the photograph's features can be computed again for each
// tile. They can if they lie in the first stage.
func (k *cutter) forgetful(ends []int) bool {
	if k.Options.ContentWeight == 0 || k.Options.ContentLoss == ContentSelfSim {
		return false
	}
	for _, l := range k.Options.ContentLayers {
		if len(ends) > 0 && l.Weight > 0 && k.Options.block(k.env.Network, l.Layer) > ends[0] {
			return false
		}
	}
	return true
}

// fit chooses the tiles of the stages that end with these blocks. For each stage it
// takes the choice of least work that leaves room for the rest. size is the tile size
// of the first stage, zero for any. The result has nil Tiles if an array would be too
// long for a device.
func (k *cutter) fit(ends []int, size TileSize, anew bool) (c Cut, work float64, bytes int64, err error) {
	c = Cut{Ends: ends, Tiles: make([]TileSize, len(ends)+1), Near: k.grain < k.env.Backend.ConvTile()}
	if can, err := k.countable(c, anew); err != nil || !can {
		return Cut{}, 0, 0, err
	}
	var stages [][]choice
	for i, s := range stagesOf(ends) {
		list, err := k.cuts(s)
		if err != nil {
			return Cut{}, 0, 0, err
		}
		if i == 0 && size != (TileSize{}) {
			only, err := k.cutting(s, size)
			if err != nil {
				return Cut{}, 0, 0, err
			}
			if only.size.less(only.own) { // a cell is larger than such a tile
				return Cut{}, 0, 0, nil
			}
			list = []choice{only}
		}
		stages = append(stages, list)
	}
	room := int64(1) << 62
	switch {
	case size != TileSize{}: // the given tile size bounds the other stages
		through, err := k.throughAll(size)
		if err != nil {
			return Cut{}, 0, 0, err
		}
		room = max(stages[0][0].bytes, through)
	case k.limit > 0:
		room = k.limit
	}
	for range 12 {
		work = 0
		smallest := true
		var laid []stage
		pass, masks := int64(0), int64(0)
		for i, list := range stages {
			at := slices.IndexFunc(list, func(c choice) bool { return c.bytes <= room })
			if at < 0 {
				at = least(list)
			}
			if list[at].bytes == math.MaxInt64 {
				return Cut{}, 0, 0, nil
			}
			smallest = smallest && at == least(list)
			c.Tiles[i] = list[at].size
			work += list[at].work
			laid = append(laid, list[at].laid)
			pass, masks = max(pass, list[at].bytes-list[at].masks), masks+list[at].masks
		}
		parts, err := k.accountOf(k.env, k.w, k.h, c, laid, pass+masks, anew)
		if err != nil {
			return Cut{}, 0, 0, err
		}
		bytes = sumBytes(parts)
		if k.limit == 0 || bytes <= k.limit || smallest {
			break
		}
		room = min(room, k.limit) - (bytes - k.limit)
	}
	if anew {
		work *= 4.0 / 3
	}
	return c, work, bytes, nil
}

// throughAll returns the memory for one tile of the image with its halo, if it went
// through all stages in one pass.
func (k *cutter) throughAll(size TileSize) (int64, error) {
	n, p := k.env.Network, k.Options.passOptions(true)
	e, err := n.Extent(vgg.Stage{}, p, 1)
	if err != nil {
		return 0, err
	}
	w := vgg.Window{H: min(k.h, size.H+2*e.Ahead), W: min(k.w, size.W+2*e.Ahead)}
	bytes, _, err := n.PassesBytes(k.env.Backend, []vgg.Window{w}, p)
	return bytes, err
}

// least returns the index of the choice that needs the least memory.
func least(list []choice) int {
	at := 0
	for i, c := range list {
		if c.bytes < list[at].bytes {
			at = i
		}
	}
	return at
}

// mostTiles is the largest number of tiles in a stage. With more, tiles would be nearly
// all halo.
const mostTiles = 512

// cuts lists the ways to cut a stage, the one of least work first.
func (k *cutter) cuts(s vgg.Stage) ([]choice, error) {
	if list := k.choices[s]; list != nil {
		return list, nil
	}
	counts := []int{1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64}
	var list []choice
	seen := map[TileSize]bool{}
	for _, rows := range counts {
		for _, cols := range counts {
			size := TileSize{W: max(leastTile, (k.w+cols-1)/cols), H: max(leastTile, (k.h+rows-1)/rows)}
			if cols > 2*rows || rows*cols > mostTiles || seen[size] { // rows lie side by side in memory
				continue
			}
			seen[size] = true
			c, err := k.cutting(s, size)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b choice) int { return cmp.Compare(a.work, b.work) })
	k.choices[s] = list
	return list, nil
}

// cutting returns the choice that cuts the stage into tiles of at most that size.
func (k *cutter) cutting(s vgg.Stage, size TileSize) (choice, error) {
	n, o := k.env.Network, k.Options
	if size.W >= k.w && size.H >= k.h {
		size = TileSize{}
	}
	st := stage{Stage: s}
	if err := o.layStage(&st, n, k.h, k.w, size, k.grain, true); err != nil {
		return choice{}, err
	}
	c := choice{size: size}
	var err error
	if c.work, err = o.stageWork(n, &st); err != nil {
		return choice{}, err
	}
	for _, t := range st.tiles {
		c.own.W, c.own.H = max(c.own.W, t.own.W*st.Stride), max(c.own.H, t.own.H*st.Stride)
	}
	// The largest window is that of an inner tile.
	largest := vgg.Window{Stage: s}
	for _, w := range st.windows() {
		largest.H, largest.W = max(largest.H, w.H), max(largest.W, w.W)
	}
	c.bytes, c.masks, err = n.PassesBytes(k.env.Backend, []vgg.Window{largest}, o.passOptions(true))
	c.laid = st
	widest, wrong := n.Widest(s, o.passOptions(true))
	if wrong != nil {
		return choice{}, wrong
	}
	if widest*float64(largest.H*largest.W) > float64(k.env.Backend.MaxLen()) {
		c.bytes = math.MaxInt64 // it fits into no memory
	}
	return c, err
}

// uncountable returns the error for a picture that is not cut, but has a layer with
// more values than the backend can count.
func (k *cutter) uncountable() error {
	widest, err := k.env.Network.Widest(vgg.Stage{First: 1}, k.Options.passOptions(true))
	if err != nil {
		return err
	}
	fault := &OptionError{Option: "tile", Value: tileOff, Try: []Suggestion{{"tile", "auto", ""}},
		Reason: fmt.Sprintf("%dx%d untiled has %.0f values at one layer; %s counts to %d", k.w, k.h, widest*float64(k.h*k.w),
			k.env.Backend.Name(), k.env.Backend.MaxLen())}
	if !k.Options.cuttable() {
		fault.Try = []Suggestion{{"normalize-gradients", string(NormalizeOff), ""}}
	}
	return Problems{fault}
}

// countable reports whether the backend can count the elements of the arrays that are
// as large as the image: the checkpoints between stages and the features that are kept.
func (k *cutter) countable(c Cut, anew bool) (bool, error) {
	o, most := k.Options, k.env.Backend.MaxLen()
	stages, err := o.layout(k.env.Backend, k.env.Network, k.h, k.w, c, true)
	if err != nil {
		return false, err
	}
	taps, err := k.env.Network.TapShapes(k.env.Backend, k.h, k.w, o.passOptions(true))
	if err != nil {
		return false, err
	}
	for _, s := range stages {
		if s.shape.Len() > most {
			return false, nil
		}
	}
	for _, l := range o.ContentLayers {
		if o.ContentWeight*l.Weight > 0 && !anew && taps[l.Layer].Len() > most {
			return false, nil
		}
	}
	for _, l := range o.PatchLayers {
		if (o.PatchWeight+o.AnalogyWeight)*l.Weight > 0 && taps[l.Layer].Len() > most {
			return false, nil
		}
	}
	return true, nil
}

// stageWork returns the number of multiplications in a stage for one iteration. It
// counts the forward pass, a second forward pass unless the last result is still held,
// and the backward pass, which takes as long as a forward pass.
func (o Options) stageWork(n *vgg.Network, s *stage) (float64, error) {
	each, err := n.Work(s.Stage, o.passOptions(true))
	units := 0
	for _, t := range s.tiles {
		units += t.ahead.H*t.ahead.W + 2*t.window.H*t.window.W
	}
	if s.Last == 0 && !s.cut() {
		units -= s.shape.Pixels()
	}
	return each * float64(units), err
}

// cutWork returns the arithmetic of an iteration on an image (h, w) with this cut,
// divided by that of the image without a cut.
func (o Options) cutWork(b gpu.Backend, n *vgg.Network, h, w int, c Cut, recompute bool) (float64, error) {
	work := func(c Cut) (float64, error) {
		stages, err := o.layout(b, n, h, w, c, true)
		total := 0.0
		for i := range stages {
			one, err := o.stageWork(n, &stages[i])
			if err != nil {
				return 0, err
			}
			total += one
		}
		return total, err
	}
	cut, err := work(c)
	if err != nil {
		return 0, err
	}
	whole, err := work(Cut{})
	if recompute {
		cut *= 4.0 / 3
	}
	return cut / whole, err
}
