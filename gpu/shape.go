package gpu

import "fmt"

// Shape is the size of an array: height, width, channels. A C x C matrix is (C, C, 1)
// and a vector of one value per channel is (1, C, 1), since only features have many
// channels.
type Shape struct{ H, W, C int }

// Matrix returns the shape of a square matrix over c channels.
func Matrix(c int) Shape { return Shape{c, c, 1} }

// Vector returns the shape of one value per channel.
func Vector(c int) Shape { return Shape{1, c, 1} }

// Len returns the number of elements.
func (s Shape) Len() int { return s.H * s.W * s.C }

// Pixels returns the number of positions, H*W.
func (s Shape) Pixels() int { return s.H * s.W }

func (s Shape) String() string { return fmt.Sprintf("(%d, %d, %d)", s.H, s.W, s.C) }

// valid reports whether every side is at least one.
func (s Shape) valid() bool { return s.H > 0 && s.W > 0 && s.C > 0 }
