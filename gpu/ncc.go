package gpu

import "math"

// MatchNorm is the norm by which a patch correlation is divided.
type MatchNorm int

const (
	// PatchNorm divides by the style patch's Euclidean norm. The result is the
	// normalised cross-correlation times the canvas patch's norm, which does not change
	// which patch is best (Li & Wand 2016, CNNMRF).
	PatchNorm MatchNorm = iota
	// NoNorm divides by nothing. It is for features whose pixels have unit length
	// already (Champandard 2016, neural-doodle).
	NoNorm
)

// BankOptions say which patches a style bank has.
//
//	Size   side of the square patches, 1 to 5; 0 means 3
//	Stride distance of neighbouring patches, 0 means 1
type BankOptions struct {
	Size, Stride int
	Norm         MatchNorm
}

// Bank is a painting's features (H, W, C), prepared for the search.
type Bank struct {
	Shape Shape // of the features
	BankOptions
	cpu    *cpuBank
	device deviceBank
}

// Grid returns the shape of the bank's patches, (rows, columns, 1). A patch's index is
// row * columns + column.
func (b *Bank) Grid() Shape { return grid(b.Shape, b.Size, b.Stride) }

func grid(s Shape, size, stride int) Shape {
	return Shape{(s.H-size)/stride + 1, (s.W-size)/stride + 1, 1}
}

// Matches holds the best style patch for each patch of a canvas, row by row.
type Matches struct {
	Shape Shape   // (rows, columns, 1)
	index []int32 // CPU backend
	score []float32

	device deviceMatches
}

// MatchGrid returns the shape of Matches for a canvas searched at a stride (0 means 1).
func (b *Bank) MatchGrid(canvas Shape, stride int) Shape { return grid(canvas, b.Size, max(1, stride)) }

// MatchOptions say how Match searches a bank.
type MatchOptions struct {
	Stride int      // distance of neighbouring canvas patches; 0 means 1
	Bias   *Array   // added to the scores, of the shape of the bank's grid; nil: none
	First  int      // number of the bank's first patch: several banks are numbered one after another
	Add    bool     // keep the matches in m that are better than this bank's
	Prune  *Pruning // skips pairs that cannot be best; nil: compare all
}

// Match finds for each patch P of x (H, W, C) the style patch Q of the bank
// with the highest score
//
//	<P, Q> / |Q| + bias(Q)    or, with NoNorm,    <P, Q> + bias(Q)
//
// where <P, Q> sums over Size x Size pixels and all channels. Of equal scores
// the lowest index wins, so banks are searched in the order of their numbers; a
// score that is NaN never wins, and where all are NaN the index is First and
// the score minus infinity. A bias raises patches that were used too little.
//
// A product of patches is the sum of Size^2 products of pixels, so each pair of
// pixels is multiplied once, not once per patch, and the matrix of all pairs is
// never stored.
//
// FillBank puts other features of the same shape into a bank.
//
// Cosines divides each score by the norm of its patch of x, which Match leaves
// out because it does not change who wins: after PatchNorm it is the cosine of
// the angle between the patches, 0 for a patch without a direction.
//
// MatchBias writes scale times the scores to bias (m.Shape). With the roles of
// canvas and painting swapped in Match, a score is how much a style patch was
// wanted, and a negative scale makes room for others (neural-doodle's variety).

func (o BankOptions) withDefaults() BankOptions {
	if o.Size == 0 {
		o.Size = 3
	}
	if o.Stride == 0 {
		o.Stride = 1
	}
	return o
}

func checkBank(f *Array, o BankOptions) {
	if o.Size < 1 || o.Size > 5 || o.Stride < 1 {
		fail("NewBank", "patches of side %d at stride %d", o.Size, o.Stride)
	}
	if f.Shape.H < o.Size || f.Shape.W < o.Size {
		fail("NewBank", "features %v have no patch of side %d", f.Shape, o.Size)
	}
}

func checkMatch(m *Matches, x *Array, b *Bank, o MatchOptions) {
	if x.Shape.C != b.Shape.C {
		fail("Match", "x is %v, the bank has %d channels", x.Shape, b.Shape.C)
	}
	if o.Stride < 1 || x.Shape.H < b.Size || x.Shape.W < b.Size {
		fail("Match", "x %v has no patch of side %d at stride %d", x.Shape, b.Size, o.Stride)
	}
	if want := b.MatchGrid(x.Shape, o.Stride); m.Shape != want {
		fail("Match", "matches are %v, want %v", m.Shape, want)
	}
	if g := b.Grid(); o.Bias != nil && o.Bias.Shape != g {
		fail("Match", "the bias is %v for patches %v", o.Bias.Shape, g)
	}
	if p := o.Prune; p != nil && (p.canvas != (Shape{x.Shape.H, x.Shape.W, 0}) || p.style != (Shape{b.Shape.H, b.Shape.W, 0})) {
		fail("Match", "pruned for %v in %v, not for %v in %v", p.canvas, p.style, x.Shape, b.Shape)
	}
}

func checkCosines(m *Matches, x *Array, size, stride int) {
	if want := grid(x.Shape, size, stride); m.Shape != want {
		fail("Cosines", "matches are %v, want %v", m.Shape, want)
	}
}

func checkMatchBias(bias *Array, m *Matches) {
	if bias.Shape != m.Shape {
		fail("MatchBias", "the bias is %v for matches %v", bias.Shape, m.Shape)
	}
}

var minusInfinity = float32(math.Inf(-1))
