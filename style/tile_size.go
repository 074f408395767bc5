package style

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

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

// less reports whether a tile of size t is narrower or lower than another.
func (t TileSize) less(other TileSize) bool {
	return t != TileSize{} && (t.W < other.W || t.H < other.H)
}

const (
	tileOff   = "off"
	leastTile = 64 // pixels; smaller tiles are nearly all halo
)

// cuttable reports whether the losses can be computed in tiles. Normalised gradients
// need one layer of the whole image at a time, and nearest neighbours need all layers.
func (o Options) cuttable() bool { return o.Normalize == NormalizeOff && o.Method != MethodNNST }

// Cut says how an image is computed in parts. Ends are the blocks that stages end with,
// without the last stage's. Tiles is the largest tile of each stage in pixels. Near
// saves memory by narrower halos, with which the result is right except for rounding,
// but not to the last bit.
type Cut struct {
	Ends  []int
	Tiles []TileSize
	Near  bool
}

// tile returns the largest tile of stage i, or zero if the stage is not cut.
func (c Cut) tile(i int) TileSize {
	if i < len(c.Tiles) {
		return c.Tiles[i]
	}
	return TileSize{}
}

func (c Cut) String() string {
	var parts []string
	for _, e := range c.Ends {
		parts = append(parts, fmt.Sprintf("pool%d", e))
	}
	text := strings.Join(parts, ", ")
	if text != "" {
		text = "checkpoints at " + text
	}
	if c.tile(0) != (TileSize{}) {
		if text != "" {
			text = ", " + text
		}
		text = "tiles of " + c.tile(0).String() + text
	}
	if c.Near && text != "" {
		text += ", which changes rounding"
	}
	return text
}

// text returns the cut as a value of Options.Tile. "1024" stands for any exact cut with
// tiles of that size, since all such cuts paint the same picture. Any other cut has its
// own rounding and is written in full, as "~1024/3:2048x1024/4:off". That lists the
// tiles of each stage, after the number of the pooling that the stage begins with.
func (c Cut) text(exact bool) string {
	if len(c.Tiles) == 0 {
		return ""
	}
	if exact {
		if c.tile(0) == (TileSize{}) {
			return ""
		}
		return c.tile(0).String()
	}
	text := "~" + c.tile(0).String()
	for i, e := range c.Ends {
		text += fmt.Sprintf("/%d:%v", e, c.tile(i+1))
	}
	return text
}

// tileChoice is the parsed value of Options.Tile.
type tileChoice struct {
	size TileSize // of the first stage
	auto bool     // the plan chooses
	cut  *Cut     // the whole cut, if it is given in full
}

// parseTile reads Options.Tile.
func parseTile(text string) (c tileChoice, err error) {
	if rest, near := strings.CutPrefix(text, "~"); near {
		cut := &Cut{Near: true}
		for i, part := range strings.Split(rest, "/") {
			if i > 0 {
				number, size, _ := strings.Cut(part, ":")
				end, err := strconv.Atoi(number)
				if err != nil || end < 1 || end > 4 || len(cut.Ends) > 0 && end <= slices.Max(cut.Ends) {
					return c, fmt.Errorf("tile %q names no pooling from 1 to 4 in %q", text, part)
				}
				cut.Ends = append(cut.Ends, end)
				part = size
			}
			size, err := parseTileSize(part)
			if err != nil {
				return c, err
			}
			cut.Tiles = append(cut.Tiles, size)
		}
		return tileChoice{size: cut.Tiles[0], cut: cut}, nil
	}
	if text == "" || text == "auto" {
		return tileChoice{auto: true}, nil
	}
	c.size, err = parseTileSize(text)
	return c, err
}

// parseTileSize reads "1024", "4096x512" and "off".
func parseTileSize(text string) (size TileSize, err error) {
	if text == tileOff {
		return TileSize{}, nil
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
		return TileSize{}, fmt.Errorf("tile %q is not a number of pixels from %d, such as 1024 or 4096x512", text, leastTile)
	}
	return size, nil
}
