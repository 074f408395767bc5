package gpu

import "fmt"

// TVKind is a form of total variation, the smoothness term of an image.
type TVKind int

// With dx, dy the differences to the right and lower neighbour per channel (zero past
// the border), the following is summed over positions and channels:
//
//	TVL1       |dx| + |dy|                                  neural-style-pt
//	TVL2       dx^2 + dy^2        coef 1/2: neural-style; coef 1/(H*W*C): the mean
//	TVPower    (dx^2 + dy^2)^1.25                           neural-doodle, image-analogies
//	TVInner    the same where both neighbours exist         exactly as in those two
//	TVStencil  nine points: 2/3 (dx^2 + dy^2), and 1/6 of the squared diagonal
//	           differences of the image padded by repeating its border,
//	           these times H*W/((H+1)*(W+1)); with coef 1/(H*W*C) it is
//	           style-transfer-pytorch's, which takes a mean of each sum
const (
	TVL1 TVKind = iota
	TVL2
	TVPower
	TVInner
	TVStencil
)

func (k TVKind) String() string {
	switch k {
	case TVL1:
		return "l1"
	case TVL2:
		return "l2"
	case TVPower:
		return "power"
	case TVInner:
		return "inner"
	case TVStencil:
		return "stencil"
	}
	return fmt.Sprintf("TVKind(%d)", int(k))
}

// tvPower is the exponent of TVPower and TVInner.
const tvPower = 1.25

// TV writes coef times the total variation of image x to slot and adds its
// gradient to dx, which may be nil. L1 takes the subgradient 0 at 0. weight
// (H, W, 1) multiplies the term of each pixel, that of its differences to the
// right and below; nil: 1. The stencil takes none.

func checkTV(dx, x, weight *Array, kind TVKind, slot int) {
	if dx != nil {
		sameShape("TV", dx, x)
	}
	if weight != nil && kind == TVStencil {
		fail("TV", "the stencil takes no weights")
	}
	if s := x.Shape; weight != nil && (weight.Shape != Shape{s.H, s.W, 1}) {
		fail("TV", "weight is %v, x is %v", weight.Shape, s)
	}
	checkSlot("TV", slot)
}
