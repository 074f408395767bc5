// Package kernels holds Impasto's CUDA kernels: their sources (*.cu), and the
// PTX they compile to, embedded, so that a program needs neither compiler nor
// toolkit to run them. It imports nothing.
//
//	conv        3x3 convolution forward and backward, ReLU, masks, fused pooling
//	conv_first  the same for the image's three channels
//	pool        max, average and L2 pooling and their gradients
//	gram        Gram matrices, means, and the gradient of losses on them
//	*_mma       conv, conv_first, gram and ncc on tensor cores, for features in half precision
//	half        changing to half precision and back, the scale of gradients
//	loss        content loss and total variation
//	selfsim     the content loss on how similar features are to each other
//	w2          the small matrices of the Wasserstein-2 style loss
//	covariance  the style loss on means and covariances without a matrix root
//	moments     the style loss on Gram matrices, means and standard deviations
//	sliced      the sliced style loss, and its sort
//	places      features at some positions of a layer
//	ncc         the most similar patch
//	patch       the loss and the vote of matched patches
//	semantic    features joined to semantic maps
//	adam, lbfgs optimisers whose every scalar stays on the device
//	resample    separable resizing between scales
//	vector      element-wise operations and reductions
package kernels

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed ptx
var files embed.FS

// Targets are the compute capabilities there is PTX for, lowest first. PTX runs
// on its own capability and on every higher one. Most modules have PTX for the
// lowest alone, those that use tensor cores (*_mma) for 8.0.
var Targets = []int{75, 80}

func folder(target int) string { return fmt.Sprintf("ptx/compute_%d", target) }

// Names lists the modules that a target has PTX of its own for, sorted.
func Names(target int) []string {
	var names []string
	entries, err := files.ReadDir(folder(target))
	if err != nil {
		panic("kernels: " + err.Error()) // embedded: cannot fail
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".ptx"))
	}
	slices.Sort(names)
	return names
}

// PTX returns the text of a module for a target of Targets.
func PTX(name string, target int) (string, error) {
	text, err := files.ReadFile(path.Join(folder(target), name+".ptx"))
	if err != nil {
		return "", fmt.Errorf("no PTX of kernel module %q for compute_%d", name, target)
	}
	return string(text), nil
}

// Best returns the text of a module for a device of a compute capability, and
// the target it was compiled for: the highest of those that run there.
func Best(name string, capability int) (text string, target int, err error) {
	for _, t := range slices.Backward(Targets) {
		if t <= capability && slices.Contains(Names(t), name) {
			text, err = PTX(name, t)
			return text, t, err
		}
	}
	return "", 0, fmt.Errorf("no PTX of kernel module %q for a device of compute capability %d.%d", name, capability/10, capability%10)
}
