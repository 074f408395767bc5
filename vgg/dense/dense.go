// Package dense gives a network's weights to other Go programs as gorgonia.org/tensor
// tensors. It is separate from vgg because that library is large. The command does not
// need it, and without it builds in half the time and starts sooner. It imports vgg and
// gorgonia.org/tensor.
package dense

import (
	"github.com/impasto/impasto/vgg"
	"gorgonia.org/tensor"
)

// Weight returns a layer's filters, in the convention of package vgg, as a dense tensor
// (K, C, 3, 3) that shares their memory.
func Weight(l *vgg.Layer) *tensor.Dense {
	return tensor.New(tensor.WithShape(l.Out, l.In, 3, 3), tensor.WithBacking(l.Weight))
}

// Bias returns a layer's biases as a dense tensor (K) that shares their memory.
func Bias(l *vgg.Layer) *tensor.Dense {
	return tensor.New(tensor.WithShape(l.Out), tensor.WithBacking(l.Bias))
}
