package picture

import (
	"math"
	"strconv"
	"strings"
)

// Size is a picture size as the user writes it:
//
//	512       long side in pixels, proportions kept
//	640x480   exactly this
//	2x  50%   a factor of the content's size
//	content   the content's own size
//	512+      the area of a 512 x 512 square, proportions kept: safe for memory
//	          whatever the proportions
//	max       the largest that fits, for the planner to find
type Size struct {
	unit sizeUnit
	a, b float64
}

type sizeUnit int

const (
	ownSize sizeUnit = iota // the zero Size is "content"
	longSide
	exactSize
	factorSize
	percentSize
	areaSize
	maxSize
)

// maxSide is the longest side that is accepted. A longer one is a mistake.
const maxSide = 1 << 20

// ParseSize reads a size in the grammar of Size.
func ParseSize(s string) (Size, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	switch text {
	case "content":
		return Size{unit: ownSize}, nil
	case "max":
		return Size{unit: maxSize}, nil
	}
	if w, h, ok := strings.Cut(text, "x"); ok && h != "" {
		a, okA := pixels(w)
		b, okB := pixels(h)
		if okA && okB {
			return Size{exactSize, a, b}, nil
		}
		return Size{}, badSize(s)
	}
	for _, unit := range []sizeUnit{factorSize, percentSize} {
		if number, ok := strings.CutSuffix(text, suffixes[unit]); ok {
			v, err := strconv.ParseFloat(number, 64)
			if err != nil || !(v > 0) || v > 1e6 || strings.ContainsAny(number, "_ep+") {
				return Size{}, badSize(s)
			}
			return Size{unit: unit, a: v}, nil
		}
	}
	unit := longSide
	number, area := strings.CutSuffix(text, "+")
	if area {
		unit = areaSize
	}
	if v, ok := pixels(number); ok {
		return Size{unit: unit, a: v}, nil
	}
	return Size{}, badSize(s)
}

// pixels reads a whole number of 1..maxSide.
func pixels(s string) (float64, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return float64(n), err == nil && n >= 1 && n <= maxSide
}

func badSize(s string) error {
	return InputError("size", "%q is not a size: 512 (long side), 640x480, 2x, 50%%, content, 512+ (area of 512x512) or max", s).
		Hint("--size 512")
}

// suffixes follow the number of a size.
var suffixes = map[sizeUnit]string{factorSize: "x", percentSize: "%", areaSize: "+"}

// String returns the size in the grammar it was read from.
func (s Size) String() string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch s.unit {
	case ownSize:
		return "content"
	case maxSize:
		return "max"
	case exactSize:
		return number(s.a) + "x" + number(s.b)
	}
	return number(s.a) + suffixes[s.unit]
}

// IsMax reports whether the planner chooses the size.
func (s Size) IsMax() bool { return s.unit == maxSize }

// Resolve returns the size in pixels for a content of w x h, each side rounded
// to the nearest pixel and never 0.
func (s Size) Resolve(w, h int) (int, int, error) {
	if w < 1 || h < 1 {
		return 0, 0, InputError("size", "size %q needs a content of at least 1x1, got %dx%d", s, w, h)
	}
	scale := 1.0
	switch s.unit {
	case exactSize:
		return int(s.a), int(s.b), nil
	case longSide:
		scale = s.a / float64(max(w, h))
	case factorSize:
		scale = s.a
	case percentSize:
		scale = s.a / 100
	case areaSize:
		scale = s.a / math.Sqrt(float64(w)*float64(h))
	case maxSize:
		return 0, 0, InputError("size", "size \"max\" depends on the device's memory")
	}
	rw, rh := math.Round(float64(w)*scale), math.Round(float64(h)*scale)
	if rw > maxSide || rh > maxSide {
		return 0, 0, InputError("size", "size %q of a %dx%d picture is %.0fx%.0f; a side may have %d pixels",
			s, w, h, rw, rh, maxSide)
	}
	return max(int(rw), 1), max(int(rh), 1), nil
}
