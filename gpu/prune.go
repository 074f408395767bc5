package gpu

// Pruning says which pairs of a canvas tile and a tile of one bank can hold a
// winner. What a tile is, is the backend's own business.
type Pruning struct {
	Skipped float64 // share of the products of pixels that need not be computed

	canvas, style Shape // (H, W, 0)
	// CPU backend: see prune_cpu.go.
	live []uint64
	rows []bool
}

// NewPruning looks at the maps alone, without the features they are joined to.
// x and the banks (one for each bank that will be searched, NoNorm, of the same
// sizes and strides) hold the channels that Join appends, so that
//
//	score(P, Q) = features(P, Q) + map(P, Q)
//
// If features(P, Q), bias included, can only vary by slack (mean cosines of
// features that are not negative lie in 0..1), then a pair with
// map(P, Q) + slack < max over Q' of map(P, Q') cannot win. A pair of tiles is
// left out when a bound over both of them says so for every pair in them, hence
// the result of Match does not change.
//
// Where nothing could be saved, or where the tiles would be too many to note,
// an entry is nil.

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
