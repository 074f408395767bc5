package vgg

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
)

// Random returns VGG19 up to a layer ("" = all) with random weights, named
// "random:SEED". They follow He's initialisation: deviation sqrt(2 / (9 C)), biases
// zero (K. He et al., arXiv:1502.01852). Such a network makes plausible textures, but
// it knows no style. The same seed gives the same bits everywhere.
func Random(seed uint64, layer string) (*Network, error) {
	list, err := upTo(vgg19, layer, "VGG-19")
	if err != nil {
		return nil, err
	}
	n := &Network{Name: fmt.Sprintf("random:%d", seed), Pool: PoolAvg}
	n.Meta = Provenance{Source: "random weights, not trained", Format: "random", Layout: LayoutRGB}
	for i, m := range caffeMean {
		n.Mean[i] = float32(m)
	}
	h := sha256.New()
	for i, s := range list {
		l := Layer{Name: s.conv(), Block: s.block, Index: s.index, In: s.in, Out: s.out}
		l.Weight = make([]float32, s.out*s.in*9)
		l.Bias = make([]float32, s.out)
		// One stream per layer, so that a shallow network is a part of the deep one.
		heFill(l.Weight, rand.NewPCG(seed, uint64(i)), s.in)
		raw := make([]byte, 4*len(l.Weight))
		for j, w := range l.Weight {
			binary.LittleEndian.PutUint32(raw[4*j:], math.Float32bits(w))
		}
		h.Write(raw)
		n.Layers = append(n.Layers, l)
	}
	n.Meta.SHA256 = hex.EncodeToString(h.Sum(nil))
	return n, nil
}

// heFill draws weights of deviation sqrt(2/(9 in)). Each is the sum of four
// uniform 16-bit integers, close to normal and, unlike a logarithm or a cosine,
// the same on every machine: variance 4 (2^32 - 1) / 12.
func heFill(w []float32, r rand.Source, in int) {
	unit := math.Sqrt(2/(9*float64(in))) / math.Sqrt(4*(1<<32-1)/12.0)
	for i := range w {
		u := r.Uint64()
		sum := int(u&0xffff) + int(u>>16&0xffff) + int(u>>32&0xffff) + int(u>>48)
		w[i] = float32(float64(sum-2*0xffff) * unit)
	}
}
