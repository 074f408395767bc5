package style

import (
	"errors"
	"fmt"
	"sort"

	"github.com/impasto/impasto/gpu"
)

// What a run holds at a time, worked out before it starts. The most is held in
// the iterations of the last scale:
//
//	the network's weights, as read and as the backend lays them out
//	one tile's pass through it, and what tiles need to be put together
//	the photograph's features, the paintings' statistics
//	the image, its gradient, and the optimiser's copies of both
//	the pictures that the caller holds, and the program itself
//
// Where that is more than there is, the image is cut into the tiles that cost
// the least time and fit.

// chooseTile decides how the image is cut and what that takes.
func (p *Plan) chooseTile(env Env) error {
	text := p.Options.Tile
	if c := env.Resume; c != nil { // another cut would round otherwise
		if text = c.Options.Tile; text == "" {
			text = tileOff
		}
	}
	size, auto, err := parseTile(text)
	if err != nil {
		return err
	}
	whole, err := p.bytes(env, TileSize{}, false)
	if err != nil {
		return err
	}
	p.Tile, p.PeakBytes = size, whole
	limit := env.MaxBytes
	switch {
	case size != TileSize{}:
		if p.PeakBytes, err = p.bytes(env, size, false); err != nil {
			return err
		}
		if limit > 0 && p.PeakBytes > limit {
			p.Recompute = p.Options.ContentWeight > 0
			if p.PeakBytes, err = p.bytes(env, size, p.Recompute); err != nil {
				return err
			}
		}
	case auto && limit > 0 && whole > limit && p.Options.cuttable():
		if err := p.findTile(env, limit); err != nil {
			return err
		}
	}
	if p.Tile.W >= p.W() && p.Tile.H >= p.H() {
		p.Tile, p.Recompute = TileSize{}, false
	}
	p.Options.Tile = ""
	if p.Tile != (TileSize{}) {
		p.Options.Tile = p.Tile.String()
	}
	if p.Memory, err = p.account(env, p.Tile, p.Recompute); err != nil {
		return err
	}
	if limit > 0 && p.PeakBytes > limit {
		e := &MemoryError{W: p.W(), H: p.H(), Need: whole, Have: limit}
		if p.Tile != (TileSize{}) {
			e.Tiled = p.PeakBytes
		}
		return e
	}
	return nil
}

// findTile takes the cut of least work that fits, or if none does the one that
// needs the least memory.
func (p *Plan) findTile(env Env, limit int64) error {
	_, step, err := p.Options.halo(env.Network)
	if err != nil {
		return err
	}
	counts := []int{1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64}
	side := func(n, parts int) int { return max(leastTile, ((n+parts-1)/parts+step-1)/step*step) }
	best, least, seen := 0.0, int64(0), map[TileSize]bool{}
	consider := func(size TileSize, recompute bool) error {
		bytes, err := p.bytes(env, size, recompute)
		if err != nil {
			return err
		}
		tiles, err := p.Options.cutTiles(env.Network, p.H(), p.W(), size)
		if err != nil {
			return err
		}
		work := tileWork(tiles, p.W(), p.H(), recompute)
		switch fits := bytes <= limit; {
		case fits && (best == 0 || work < best):
			best = work
		case !fits && best == 0 && (least == 0 || bytes < least):
			least = bytes
		default:
			return nil
		}
		p.Tile, p.Recompute, p.PeakBytes = size, recompute, bytes
		return nil
	}
	for _, rows := range counts {
		for _, cols := range counts {
			size := TileSize{W: side(p.W(), cols), H: side(p.H(), rows)}
			if seen[size] {
				continue
			}
			seen[size] = true
			if err := consider(size, false); err != nil {
				return err
			}
			if p.Options.ContentWeight > 0 {
				if err := consider(size, true); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tileWork is the arithmetic of an iteration in tiles over that without: the
// halos, and the second way forward of all tiles but one; or, where the
// photograph's features are computed anew, a second and a third of all. The way
// back takes as long as the way forward.
func tileWork(tiles []tile, w, h int, recompute bool) float64 {
	if len(tiles) == 1 {
		return 1
	}
	pixels := 0
	for _, t := range tiles {
		pixels += t.window.w * t.window.h
	}
	if recompute {
		return 2 * float64(pixels) / float64(w*h)
	}
	last := tiles[len(tiles)-1].window
	return (1.5*float64(pixels) - 0.5*float64(last.w*last.h)) / float64(w*h)
}

// What the program takes beside what it holds for a picture: code, the runtime
// and threads, and for each channel of the widest layer the operations' work
// space.
const (
	programBytes = 36 << 20
	workBytes    = 48 << 10
)

// MemoryPart is one line of the account.
type MemoryPart struct {
	What  string `json:"what"`
	Bytes int64  `json:"bytes"`
}

// bytes is what a run with such tiles holds at most.
func (p Plan) bytes(env Env, size TileSize, recompute bool) (int64, error) {
	parts, err := p.account(env, size, recompute)
	total := int64(0)
	for _, part := range parts {
		total += part.Bytes
	}
	return total, err
}

// account lists what a run with such tiles holds.
func (p Plan) account(env Env, size TileSize, recompute bool) ([]MemoryPart, error) {
	o, b := p.Options, env.Backend
	tiles, err := o.cutTiles(env.Network, p.H(), p.W(), size)
	if err != nil {
		return nil, err
	}
	shapes := windowShapes(tiles)
	pass, err := env.Network.PassesBytes(b, shapes, o.passOptions(true))
	if err != nil {
		return nil, err
	}
	taps, err := env.Network.TapShapes(b, p.H(), p.W(), o.passOptions(true))
	if err != nil {
		return nil, err
	}
	what := "the network's activations"
	if len(tiles) > 1 {
		largest := 0
		for _, s := range shapes {
			largest = max(largest, s.Len())
		}
		pass += b.Bytes(gpu.Shape{H: 1, W: 1, C: 2 * largest}) + stripBuffers*b.Bytes(gpu.Shape{H: 1, W: 1, C: stripLen(taps)})
		what += fmt.Sprintf(" for one of %d tiles", len(tiles))
	}
	var content, style int64
	for _, l := range o.ContentLayers {
		if o.ContentWeight*l.Weight > 0 {
			content += b.Bytes(taps[l.Layer])
		}
	}
	for _, l := range o.StyleLayers {
		if o.StyleWeight*l.Weight > 0 {
			style += o.styleBytes(b, taps[l.Layer], len(tiles) > 1)
		}
	}
	var patches int64
	for _, l := range o.PatchLayers {
		if (o.PatchWeight+o.AnalogyWeight)*l.Weight > 0 {
			patches += o.patchBytes(b, taps[l.Layer])
		}
	}
	image := b.Bytes(gpu.Shape{H: p.H(), W: p.W(), C: 3})
	features := "the photograph's features"
	if recompute && len(tiles) > 1 {
		features = "the photograph, its features computed anew for each tile"
		content = image + content/int64(p.W()*p.H())*int64(tiles[0].own.w*tiles[0].own.h)
	}
	return []MemoryPart{
		{what, pass},
		{features, content},
		{"statistics of style", style},
		{"the paintings' patches", patches},
		{"the image and its gradient", 2 * image},
		{"the frame before", o.temporalBytes(b, gpu.Shape{H: p.H(), W: p.W(), C: 3})},
		{fmt.Sprintf("the optimiser's %d images", o.optimizerImages()), int64(o.optimizerImages()) * image},
		{"the network's weights", p.weightBytes(env)},
		{"input pictures", env.Pictures},
		{"the program", programBytes + workBytes*int64(p.widest(env))},
	}, nil
}

// optimizerImages is how many copies of the image the optimiser holds.
func (o Options) optimizerImages() int {
	n := 3 // Adam: the last good image and two moments
	if o.Optimizer == OptimizerLBFGS {
		n = 2 + 2*(o.History+1) // the last good image, its gradient, and pairs
	}
	if o.Average > 0 {
		n++
	}
	return n
}

// styleBytes is what the style loss at a layer with features f takes.
func (o Options) styleBytes(b gpu.Backend, f gpu.Shape, cut bool) int64 {
	matrices, styles := int64(2), int64(1) // the canvas's moments and a painting's
	if o.StyleBlend == BlendLosses {
		styles = int64(max(1, len(o.StyleWeights)))
	}
	matrices += styles
	if o.StyleLoss == LossW2 {
		matrices += 1 + 7*styles // gradient; covariance, root and work space of each painting
	}
	if cut {
		matrices += 2
	}
	total := matrices * b.Bytes(gpu.Matrix(f.C))
	if o.Normalize != NormalizeOff {
		total += b.Bytes(f)
	}
	return total
}

// weightBytes is the network's weights as they were read, and those in use as
// the backend lays them out for the way forward and the way back.
func (p Plan) weightBytes(env Env) int64 {
	depth, _, err := p.Options.deepest(env.Network)
	if err != nil {
		return 0
	}
	floats := 0
	for i, l := range env.Network.Layers {
		floats += len(l.Weight)
		if i < depth {
			floats += 2 * len(l.Weight)
		}
	}
	return 4 * int64(floats)
}

// widest is the most channels that a layer in use has.
func (p Plan) widest(env Env) int {
	depth, _, _ := p.Options.deepest(env.Network)
	widest := 0
	for _, l := range env.Network.Layers[:depth] {
		widest = max(widest, l.Out)
	}
	return widest
}

// largest plans the biggest canvas of the proportions w x h that MaxBytes allows.
func largest(w, h int, o Options, env Env) (Plan, error) {
	if env.MaxBytes <= 0 {
		return Plan{}, Problems{{Option: "size", Message: "size \"max\" needs a memory limit", Try: []string{"--max-memory 4G"}}}
	}
	const step, longest = 32, 1 << 15
	try := func(long int) (Plan, error) {
		ratio := float64(long) / float64(max(w, h))
		return planFor(atLeastOne(float64(w)*ratio), atLeastOne(float64(h)*ratio), o, env)
	}
	n := sort.Search(longest/step, func(i int) bool {
		_, err := try((i + 1) * step)
		var memory *MemoryError
		return errors.As(err, &memory)
	})
	return try(max(n, 1) * step)
}

// MemoryError says that a plan does not fit.
type MemoryError struct {
	W, H       int
	Need, Have int64  // as a whole, and the limit
	Tiled      int64  // in the smallest tiles; 0: not tried
	Fits       string // the largest size that would fit, "" if none

	hints []string
}

func (e *MemoryError) Error() string {
	need := gigabytes(e.Need) + " of memory"
	if e.Tiled > 0 {
		need += " untiled and " + gigabytes(e.Tiled) + " tiled"
	}
	return fmt.Sprintf("%dx%d needs %s; the limit is %s", e.W, e.H, need, gigabytes(e.Have))
}

// advise works out what would fit.
func (e *MemoryError) advise(w, h int, o Options, env Env) {
	if p, err := largest(w, h, o, env); err == nil {
		e.Fits = fmt.Sprintf("%dx%d", p.W(), p.H())
	}
	other := func(hint string, change func(*Options)) {
		change(&o)
		if p, err := planFor(e.W, e.H, o, env); err == nil {
			e.hints = append(e.hints, fmt.Sprintf("%s   (%s)", hint, gigabytes(p.PeakBytes)))
		}
	}
	if o.Tile == tileOff {
		other("--tile auto", func(o *Options) { o.Tile = "" })
	}
	if o.Optimizer == OptimizerLBFGS {
		if o.History > 5 {
			other("--history 5", func(o *Options) { o.History = 5 })
		}
		other("--optimizer adam", func(o *Options) { o.Optimizer = OptimizerAdam })
	}
}

func gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Try returns what may help.
func (e *MemoryError) Try() []string {
	var hints []string
	if e.Fits != "" {
		hints = append(hints, "--size max   ("+e.Fits+" here)")
	}
	return append(hints, e.hints...)
}

// ExitCode returns the command's exit status for this error.
func (e *MemoryError) ExitCode() int { return 13 }

// Code returns the stable word for this error in machine-readable output.
func (e *MemoryError) Code() string { return "out_of_memory" }
