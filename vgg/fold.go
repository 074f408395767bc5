package vgg

import "strings"

// Layout is the convention for which the weights of a file were trained: the channel
// order and the scale of the pictures. With the wrong convention the same architecture
// still runs and gives muddy results, so the layout is never guessed. It follows from
// the format, the file's checksum or its metadata, or the caller gives it.
type Layout string

const (
	// LayoutRGB is that of Impasto and MatConvNet: RGB, 0..255, minus the mean.
	LayoutRGB Layout = "rgb255"
	// LayoutCaffe is that of the original model, of Keras and of
	// vgg19-d01eb7cb.pth: BGR, 0..255, minus (103.939, 116.779, 123.68).
	LayoutCaffe Layout = "caffe"
	// LayoutTorchvision is that of vgg19-dcbb9e9d.pth: RGB, 0..1, minus the
	// mean (.485, .456, .406), over the deviation (.229, .224, .225). Those are
	// other weights, not the same ones rescaled.
	LayoutTorchvision Layout = "torchvision"
)

// ParseLayout returns the layout called name. "matconvnet" and "keras" are
// accepted for the layouts those systems use.
func ParseLayout(name string) (Layout, error) {
	switch l := Layout(strings.ToLower(name)); l {
	case LayoutRGB, LayoutCaffe, LayoutTorchvision:
		return l, nil
	case "matconvnet", "rgb":
		return LayoutRGB, nil
	case "keras", "bgr":
		return LayoutCaffe, nil
	case "pytorch":
		return LayoutTorchvision, nil
	}
	return "", usageErrorf([]string{"--layout caffe|torchvision|rgb255"}, "unknown layout %q", name)
}

// caffeMean is the mean of ImageNet's training pictures, R, G, B, 0..255.
var caffeMean = [3]float64{123.68, 116.779, 103.939}

// convention is a layout in numbers: the network's input for a pixel p in
// 0..255 is (p - mean) / deviation, in R, G, B order unless bgr is set.
type convention struct {
	bgr       bool
	mean      [3]float64 // R, G, B
	deviation [3]float64 // R, G, B
}

func (l Layout) convention() convention {
	one := [3]float64{1, 1, 1}
	switch l {
	case LayoutCaffe:
		return convention{bgr: true, mean: caffeMean, deviation: one}
	case LayoutTorchvision:
		return convention{
			mean:      [3]float64{255 * 0.485, 255 * 0.456, 255 * 0.406},
			deviation: [3]float64{255 * 0.229, 255 * 0.224, 255 * 0.225},
		}
	}
	return convention{mean: caffeMean, deviation: one}
}

// foldInput converts the weights (K, 3, 3, 3) of the first convolution in place, for
// RGB, 0..255 minus the mean:
//
//	w'[k, c, i, j] = w[k, order(c), i, j] / deviation[c]
//
// The mean is not folded into the bias. Padding zeros come after the subtraction, so
// the results would differ at the border. The result is exact except for one rounding.
func (c convention) foldInput(w []float32) {
	const plane = 9
	for k := 0; k+3*plane <= len(w); k += 3 * plane {
		if c.bgr {
			for i := range plane {
				w[k+i], w[k+2*plane+i] = w[k+2*plane+i], w[k+i]
			}
		}
		for ch, d := range c.deviation {
			if d == 1 {
				continue
			}
			for i := range plane {
				w[k+ch*plane+i] = float32(float64(w[k+ch*plane+i]) / d)
			}
		}
	}
}

// flipKernels turns the kernels of a true convolution (Theano, Lasagne), each
// 3x3 block read backwards, into those of a cross-correlation, in place.
func flipKernels(w []float32) {
	for k := 0; k+9 <= len(w); k += 9 {
		for i := range 4 {
			w[k+i], w[k+8-i] = w[k+8-i], w[k+i]
		}
	}
}
