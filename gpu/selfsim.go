package gpu

import "github.com/impasto/impasto/cuda"

// SelfSimilarity is the target of SelfSimLoss: how similar a photograph's features at
// some positions are to each other.
type SelfSimilarity struct {
	Features Shape // of the layer
	n        int   // positions

	target *Array // (n, n, 1), the photograph's shares of distances
	shares *Array // (n, n, 1), the canvas's, then their gradient
	both   *Array // CPU backend: (n, n, 1), that gradient plus its transpose
	across *Array // CPU backend: (C, n, 1), unit transposed
	unit   *Array // (n, C, 1), the canvas's features at the positions, of length 1
	slope  *Array // (n, C, 1), the gradient of those
	length *Array // (1, n, 1), the lengths by which the features were divided

	positions []int32  // CPU backend
	device    cuda.Ptr // of the positions
}

// selfSimLeast is the least distance that counts, of vectors a quarter of a degree
// apart. Rounding errors are smaller. Features that are all alike therefore have no
// distances, and no shares of them.
const selfSimLeast = 1e-5

// newSelfSimilarity makes the arrays that every backend needs.
func newSelfSimilarity(b Memory, f Shape, n int) *SelfSimilarity {
	return &SelfSimilarity{
		Features: f, n: n,
		target: b.NewArray(Matrix(n)), shares: b.NewArray(Matrix(n)),
		unit: b.NewArray(Shape{n, f.C, 1}), slope: b.NewArray(Shape{n, f.C, 1}), length: b.NewArray(Vector(n)),
	}
}

// SelfSimilarityBytes returns the most memory that a SelfSimilarity of n positions
// takes at a layer with that many channels.
func SelfSimilarityBytes(b Memory, channels, n int) int64 {
	return 3*b.Bytes(Matrix(n)) + 3*b.Bytes(Shape{n, channels, 1}) + b.Bytes(Vector(n))
}

// NewSelfSimilarity takes a photograph's features f (H, W, C) at different
// positions y*W + x as the target.
//
// SelfSimLoss compares how similar the features of the canvas are to each other
// with how similar the photograph's are (Kolkin et al. 2019, "Style Transfer by
// Relaxed Optimal Transport and Self-Similarity"): colours and strokes may change
// while what looked alike still looks alike. With x_i the features at position i
// of n and u_i = x_i / |x_i| (0 where x_i is 0),
//
//	M_ij = 1 - u_i . u_j          0 below selfSimLeast, and M_ii = 0
//	P_ij = M_ij / sum_k M_ik      0 where that sum is 0
//	slot = coef / n * sum_ij |P_ij - T_ij|
//
// with T the photograph's P. M is symmetric, so rows divided by their sums are
// the paper's columns. With g the slope of the loss by M,
//
//	E_ij = sign(P_ij - T_ij)
//	g_ij = coef / n * (E_ij - sum_k E_ik P_ik) / sum_k M_ik
//	v_i  = -sum_j (g_ij + g_ji) u_j
//	dx_i += (v_i - (v_i . u_i) u_i) / |x_i|

func checkSelfSimilarity(f *Array, positions []int32) {
	seen := map[int32]bool{}
	for _, p := range positions {
		if p < 0 || int(p) >= f.Shape.Pixels() || seen[p] {
			fail("NewSelfSimilarity", "position %d of %v", p, f.Shape)
		}
		seen[p] = true
	}
	if len(positions) == 0 {
		fail("NewSelfSimilarity", "no positions")
	}
}

func checkSelfSim(dx, f *Array, s *SelfSimilarity, slot int) {
	if f.Shape != s.Features {
		fail("SelfSimLoss", "features are %v, those compared with %v", f.Shape, s.Features)
	}
	if dx != nil {
		sameShape("SelfSimLoss", dx, f)
	}
	checkSlot("SelfSimLoss", slot)
}
