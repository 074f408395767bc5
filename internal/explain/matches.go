package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// Matches holds the correspondences of a picture as a file stores them, so that
// they can be painted again with another picture in place of the painting.
type Matches struct {
	Version   int        `json:"version"` // 1
	Program   string     `json:"program"`
	Paintings []Painting `json:"paintings"`
	Layers    []Matched  `json:"layers"`
}

// Painting is a painting that patches came from.
type Painting struct {
	Name   string `json:"name"`
	W      int    `json:"width"`
	H      int    `json:"height"`
	SHA256 string `json:"sha256"`
}

// Matched is a style.Correspondence in the form that the file stores.
type Matched struct {
	Layer   string    `json:"layer"`
	W       int       `json:"columns"`
	H       int       `json:"rows"`
	Size    int       `json:"size"`
	Stride  int       `json:"stride"`
	Cell    int       `json:"cell"`
	CanvasW int       `json:"canvas_width"`
	CanvasH int       `json:"canvas_height"`
	Sources []View    `json:"sources"`
	Index   []int32   `json:"index"`
	Score   []float32 `json:"score"`
}

// View is a style.Source in the form that the file stores.
type View struct {
	Style  int     `json:"painting"`
	Angle  float64 `json:"angle"`
	Scale  float64 `json:"scale"`
	W      int     `json:"width"`
	H      int     `json:"height"`
	First  int     `json:"first"`
	Cols   int     `json:"columns"`
	Rows   int     `json:"rows"`
	Stride int     `json:"stride"`
}

// NewMatches makes the content of a file from the matches of a run.
func NewMatches(program string, paintings []Painting, list []style.Correspondence) *Matches {
	m := &Matches{Version: 1, Program: program, Paintings: paintings}
	for _, c := range list {
		l := Matched{Layer: c.Layer, W: c.W, H: c.H, Size: c.Size, Stride: c.Stride, Cell: c.Cell,
			CanvasW: c.CanvasW, CanvasH: c.CanvasH, Index: c.Index, Score: c.Score}
		for _, s := range c.Sources {
			l.Sources = append(l.Sources, View(s))
		}
		m.Layers = append(m.Layers, l)
	}
	return m
}

// mostBytes is the largest size of a file of matches: about two hundred million
// pixels at relu3_1.
const mostBytes = 1 << 28

// mostPixels is the longest side of a canvas or painting in the file.
const mostPixels = 1 << 20

// ReadMatches reads and checks a file.
func ReadMatches(r io.Reader, name string) (*Matches, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return nil, bad("%q cannot be read", name)
	}
	if len(data) > mostBytes {
		return nil, bad("%q is longer than %d MB", name, mostBytes>>20)
	}
	var m Matches
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &m); err != nil || m.Version == 0 {
		return nil, bad("%q holds no matches; --explain DIR writes DIR/matches.json", name)
	}
	if m.Version != 1 {
		return nil, bad("%q is of version %d, and version 1 is known", name, m.Version)
	}
	if len(m.Layers) == 0 || len(m.Paintings) == 0 {
		return nil, bad("%q has %d layers of %d paintings", name, len(m.Layers), len(m.Paintings))
	}
	for _, l := range m.Layers {
		if what := l.check(len(m.Paintings)); what != "" {
			return nil, bad("%q is damaged: layer %q %s", name, l.Layer, what)
		}
	}
	return &m, nil
}

// check returns what is wrong with a layer, or "" if nothing is.
func (l *Matched) check(paintings int) string {
	for _, n := range []int{l.W, l.H, l.Size, l.Stride, l.Cell, l.CanvasW, l.CanvasH} {
		if n < 1 || n > mostPixels {
			return fmt.Sprintf("has a size of %d", n)
		}
	}
	if len(l.Index) != l.W*l.H || len(l.Score) != len(l.Index) {
		return fmt.Sprintf("has %dx%d patches but %d matches", l.W, l.H, len(l.Index))
	}
	if l.CanvasW*l.CanvasH > picture.DefaultMaxPixels {
		return fmt.Sprintf("has a canvas of %dx%d", l.CanvasW, l.CanvasH)
	}
	if l.Size*l.Cell > l.CanvasW+l.Cell || l.Size*l.Cell > l.CanvasH+l.Cell {
		return fmt.Sprintf("has patches larger than its canvas of %dx%d", l.CanvasW, l.CanvasH)
	}
	next := 0
	for _, s := range l.Sources {
		for _, n := range []int{s.W, s.H, s.Cols, s.Rows, s.Stride} {
			if n < 1 || n > mostPixels {
				return fmt.Sprintf("has a source with a size of %d", n)
			}
		}
		if s.W*s.H > picture.DefaultMaxPixels || s.Cols*s.Rows > s.W*s.H {
			return fmt.Sprintf("has a source of %dx%d pixels and %dx%d patches", s.W, s.H, s.Cols, s.Rows)
		}
		if s.First != next || s.Style < 0 || s.Style >= paintings {
			return fmt.Sprintf("has a source of painting %d from patch %d on", s.Style, s.First)
		}
		if !(s.Scale > 0.01 && s.Scale < 100) || math.IsNaN(s.Angle) || math.Abs(s.Angle) > 360 {
			return fmt.Sprintf("has a source at scale %v, turned by %v", s.Scale, s.Angle)
		}
		next += s.Cols * s.Rows
	}
	for _, i := range l.Index {
		if i < 0 || int(i) >= next {
			return fmt.Sprintf("matches patch %d of %d", i, next)
		}
	}
	return ""
}

// Correspondence converts a layer back to a style.Correspondence.
func (l *Matched) Correspondence() *style.Correspondence {
	c := &style.Correspondence{Layer: l.Layer, W: l.W, H: l.H, Size: l.Size, Stride: l.Stride, Cell: l.Cell,
		CanvasW: l.CanvasW, CanvasH: l.CanvasH, Index: l.Index, Score: l.Score}
	for _, s := range l.Sources {
		c.Sources = append(c.Sources, style.Source(s))
	}
	return c
}

func bad(format string, args ...any) error { return picture.InputError("matches", format, args...) }
