package vgg

import (
	"slices"
	"sync"

	"github.com/impasto/impasto/gpu"
)

// filterSet holds what networks of the same weights share, whatever their depth: the
// layers, and the filters that backends made of them.
type filterSet struct {
	mu       sync.Mutex
	layers   []Layer                       // of the deepest network
	prepared map[gpu.Backend][]*gpu.Filter // by NewPass
}

// set returns the network's filterSet. It is made at the first call.
func (n *Network) set() *filterSet {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.filterSet == nil {
		n.filterSet = &filterSet{layers: n.Layers, prepared: map[gpu.Backend][]*gpu.Filter{}}
	}
	return n.filterSet
}

// Share makes n use the weights and the prepared filters of other, so that both are
// in memory once. The two may end at different layers. If a layer that both have
// differs, Share changes nothing and returns false. Call it before the first pass
// of n is made.
func (n *Network) Share(other *Network) bool {
	s := other.set()
	s.mu.Lock()
	defer s.mu.Unlock()
	both := min(len(n.Layers), len(s.layers))
	if !slices.EqualFunc(n.Layers[:both], s.layers[:both], sameLayer) {
		return false
	}
	if len(n.Layers) > both {
		s.layers = slices.Concat(s.layers, n.Layers[both:])
	}
	n.Layers = s.layers[:len(n.Layers):len(n.Layers)]
	n.mu.Lock()
	n.filterSet = s
	n.mu.Unlock()
	return true
}

func sameLayer(a, b Layer) bool {
	return a.Block == b.Block && a.Index == b.Index && a.In == b.In && a.Out == b.Out &&
		slices.Equal(a.Weight, b.Weight) && slices.Equal(a.Bias, b.Bias)
}

// filters returns the filters of the first depth layers on b. They are prepared once
// per backend and kept until Forget.
func (n *Network) filters(b gpu.Backend, depth int) []*gpu.Filter {
	s := n.set()
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.prepared[b]
	for i := len(have); i < depth; i++ {
		l := &s.layers[i]
		have = append(have, b.NewFilter(l.Weight, l.Bias, l.In, l.Out))
	}
	s.prepared[b] = have
	return have[:depth]
}

// Forget drops the filters that NewPass prepared for backend b, also for networks that
// share them. Passes made of them must not be used again.
func (n *Network) Forget(b gpu.Backend) {
	s := n.set()
	s.mu.Lock()
	defer s.mu.Unlock()
	b.FreeFilters(s.prepared[b]...)
	delete(s.prepared, b)
}
