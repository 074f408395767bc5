// Package dense lends a network's weights as gorgonia.org/tensor tensors, the
// form in which they cross to other Go programs. It is apart from vgg because
// that library is large: the command, which does not need it, builds in half
// the time and starts sooner. It imports vgg and gorgonia.org/tensor.
package dense

import (
	"github.com/impasto/impasto/vgg"
	"gorgonia.org/tensor"
)

// Weight returns a layer's filters, folded to the convention of package vgg, as
// a dense tensor (K, C, 3, 3) that shares their memory.
func Weight(l *vgg.Layer) *tensor.Dense {
	return tensor.New(tensor.WithShape(l.Out, l.In, 3, 3), tensor.WithBacking(l.Weight))
}

// Bias returns a layer's biases as a dense tensor (K) that shares their memory.
func Bias(l *vgg.Layer) *tensor.Dense {
	return tensor.New(tensor.WithShape(l.Out), tensor.WithBacking(l.Bias))
}
