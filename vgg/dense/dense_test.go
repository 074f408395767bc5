package dense

import (
	"testing"

	"github.com/impasto/impasto/vgg"
	"gorgonia.org/tensor"
)

// TestWeight also keeps gorgonia.org/tensor in the module, and with it the pin
// of assume-no-moving-gc without which that package panics at start.
func TestWeight(t *testing.T) {
	l := vgg.Layer{In: 2, Out: 3, Weight: make([]float32, 3*2*9), Bias: []float32{1, 2, 3}}
	l.Weight[(2*2+1)*9+3*1+2] = 7 // k=2, c=1, i=1, j=2
	w, b := Weight(&l), Bias(&l)
	if got := w.Shape(); !got.Eq(tensor.Shape{3, 2, 3, 3}) {
		t.Errorf("shape %v", got)
	}
	if v, err := w.At(2, 1, 1, 2); err != nil || v != float32(7) {
		t.Errorf("At(2,1,1,2) = %v, %v", v, err)
	}
	if v, err := b.At(1); err != nil || v != float32(2) {
		t.Errorf("bias At(1) = %v, %v", v, err)
	}
	l.Weight[0] = 5
	if v, err := w.At(0, 0, 0, 0); err != nil || v != float32(5) {
		t.Errorf("the tensor does not share the weights: %v, %v", v, err)
	}
}
