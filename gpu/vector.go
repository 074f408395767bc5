package gpu

import "fmt"

// Fill sets every element to v. Copy copies. Axpy adds a*x to dst. Dot is the sum of
// products, in float64 over fixed chunks of elements.
//
// AddNormalized adds a * x / (|x|_1 + 1e-8) to dst: the gradient normalisation of
// neural-style's -normalize_gradients, per layer.
//
// Weigh multiplies the channels of each pixel of dst (H, W, C) by w (H, W, 1).
//
// Resample resizes src (h, w, C) to dst's size (H, W, C), separably, with pixel centres
// at half integers. When shrinking, the kernel is widened, so that nothing aliases. Its
// weights over the picture's pixels sum to one.

// ResampleFilter is the kernel of Resample.
type ResampleFilter int

const (
	Bilinear ResampleFilter = iota // triangle, radius 1; keeps the sign, so fit for second moments
	Bicubic                        // Catmull-Rom (Keys, a = -1/2), radius 2
	Lanczos                        // Lanczos, radius 3
)

func (f ResampleFilter) String() string {
	switch f {
	case Bilinear:
		return "bilinear"
	case Bicubic:
		return "bicubic"
	case Lanczos:
		return "lanczos"
	}
	return fmt.Sprintf("ResampleFilter(%d)", int(f))
}

func checkWeigh(dst, w *Array) {
	if w.Shape != (Shape{dst.Shape.H, dst.Shape.W, 1}) {
		fail("Weigh", "weights %v for %v", w.Shape, dst.Shape)
	}
}

func checkResample(dst, src *Array) {
	if dst.Shape.C != src.Shape.C {
		fail("Resample", "%d and %d channels", dst.Shape.C, src.Shape.C)
	}
}
