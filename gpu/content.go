package gpu

// ContentLoss is the content term of Gatys et al. (2016), with f and target
// (H, W, C) the features of the canvas and of the photograph:
//
//	slot = coef * sum (f - target)^2      dx += 2 * coef * (f - target)
//
// coef 1/2 is the paper's; 1/(H*W*C) the mean that most programs use.

func checkContent(dx, f, target *Array, slot int) {
	sameShape("ContentLoss", f, target)
	if dx != nil {
		sameShape("ContentLoss", dx, f)
	}
	checkSlot("ContentLoss", slot)
}

func checkSlot(op string, slot int) {
	if slot < 0 || slot >= Slots {
		fail(op, "slot %d is not in 0..%d", slot, Slots-1)
	}
}
