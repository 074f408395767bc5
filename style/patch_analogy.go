package style

import (
	"github.com/impasto/impasto/gpu"
)

// setAnalogies adds the analogy loss of awentzonline/image-analogies. Where A looks
// like B, B should change as A changed into A'. The matches are found once per scale:
// at every patch layer B is matched to A, and the matched patches of A' are averaged
// into the target.
func (r *run) setAnalogies(ob *objective, canvas int, cut Cut) error {
	if r.o.AnalogyWeight == 0 {
		return nil
	}
	b, prime := r.env.Backend, r.styles[0]
	w, h := r.o.styleSize(prime, canvas)
	features := map[string][3]*gpu.Array{} // of A, A' and B
	for i, p := range []*Picture{r.before.Resize(w, h), prime.Resize(w, h),
		r.after.Resize(ob.x.Shape.W, ob.x.Shape.H)} {
		all, err := r.features(p, cut)
		if err != nil {
			return err
		}
		for tap, f := range all {
			three := features[tap]
			three[i] = f
			features[tap] = three
		}
	}
	for i, l := range r.o.PatchLayers {
		if l.Weight > 0 {
			ob.addAnalogy(l, i, features[l.Layer])
		}
	}
	for _, all := range features {
		b.Free(all[:]...)
	}
	return b.Err()
}

// addAnalogy adds the analogy loss of a layer, with features F and target T:
//
//	relative  sum (F-T)^2 / sum T^2
//	mean      sum (F-T)^2 / (C H W)
//	else      sum (F-T)^2              image-analogies
func (ob *objective) addAnalogy(l LayerWeight, number int, f [3]*gpu.Array) {
	b, k := ob.b, ob.o.PatchSize
	stride, own := nth(ob.o.PatchStride, number), nth(ob.o.StyleStride, number)
	bank := b.NewBank(f[0], gpu.BankOptions{Size: k, Stride: own})
	m := b.NewMatches(bank.MatchGrid(f[2].Shape, stride))
	b.Match(m, f[2], bank, gpu.MatchOptions{Stride: stride})
	t := contentTerm{layer: l.Layer, target: &target{f: b.NewArray(f[2].Shape)}, slot: ob.newSlot("analogy", l.Layer)}
	b.Vote(t.target.f, m, []gpu.PatchSource{{F: f[1], Stride: own}}, gpu.PatchOptions{Size: k, Stride: stride})
	b.FreeBanks(bank)
	b.FreeMatches(m)
	t.coef = ob.o.AnalogyWeight * ob.share(l, ob.o.PatchLayers) * ob.unit
	switch ob.o.LossScale {
	case ScaleMean:
		t.coef /= float64(t.target.f.Shape.Len())
	case ScaleRelative:
		t.coef *= contentBalance / positive(b.Dot(t.target.f, t.target.f))
	}
	ob.analogies = append(ob.analogies, t)
}
