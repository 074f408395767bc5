package gpu

// CosineLoss compares the directions of features x and t (H, W, C) at each
// position p (Kolkin et al., "Neural Neighbor Style Transfer", 2022):
//
//	slot = coef * sum over p of (1 - cos(x_p, t_p))
//	dx_p = coef * (cos(x_p, t_p) x_p / |x_p| - t_p / |t_p|) / |x_p|
//
// dx is overwritten and may be x itself; nil: the value alone. A position where
// x or t is zero has the cosine 0 and no gradient.

func checkCosineLoss(dx, x, t *Array, slot int) {
	sameShape("CosineLoss", x, t)
	if dx != nil {
		sameShape("CosineLoss", dx, x)
	}
	checkSlot("CosineLoss", slot)
}
