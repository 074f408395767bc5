package gpu

// Pruning says which pairs of a canvas tile and a tile of one bank can hold a best
// match. Each backend defines its own tiles.
type Pruning struct {
	Skipped float64 // share of the products of pixels that need not be computed

	canvas, style Shape // (H, W, 0)
	// CPU backend: see prune_cpu.go.
	live []uint64
	rows []bool
}

// NewPruning uses the maps alone, without the features they are joined to. x and the
// banks (one for each bank that will be searched, NoNorm, of the same sizes and
// strides) hold the channels that Join appends, so that
//
//	score(P, Q) = features(P, Q) + map(P, Q)
//
// If features(P, Q), bias included, can only vary by slack (mean cosines of features
// that are not negative lie in 0..1), then a pair with map(P, Q) + slack < max over Q'
// of map(P, Q') cannot be best. A pair of tiles is left out if a bound over both shows
// this for every pair in them, so the result of Match does not change.
//
// An entry is nil if nothing could be saved, or if there are too many tiles to list.

func checkPruning(x *Array, banks []*Bank, stride int) {
	for i, b := range banks {
		if b.Norm != NoNorm || b.Shape.C != x.Shape.C || b.Size != banks[0].Size {
			fail("NewPruning", "bank %d has %d channels, patches of side %d and norm %d; x is %v", i, b.Shape.C, b.Size, b.Norm, x.Shape)
		}
	}
	if len(banks) == 0 || stride < 1 {
		fail("NewPruning", "%d banks at stride %d", len(banks), stride)
	}
}
