// Package kernels holds Impasto's CUDA kernels: their sources (*.cu), and the
// PTX they compile to, embedded, so that a program needs neither compiler nor
// toolkit to run them. It imports nothing.
//
//	conv        3x3 convolution forward and backward, ReLU, masks, fused pooling
//	conv_first  the same for the image's three channels
//	pool        max, average and L2 pooling and their gradients
//	gram        Gram matrices, means, and the gradient of losses on them
//	loss        content loss and total variation
//	w2          the small matrices of the Wasserstein-2 style loss
//	covariance  the style loss on means and covariances without a matrix root
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
// on its own capability and on every higher one.
var Targets = []int{75}

// Names lists the modules, sorted.
func Names() []string {
	var names []string
	entries, err := files.ReadDir("ptx/compute_75")
	if err != nil {
		panic("kernels: " + err.Error()) // embedded: cannot fail
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".ptx"))
	}
	slices.Sort(names)
	return names
}

// PTX returns a module's text for a target of Targets.
func PTX(name string, target int) (string, error) {
	text, err := files.ReadFile(path.Join("ptx", fmt.Sprintf("compute_%d", target), name+".ptx"))
	if err != nil {
		return "", fmt.Errorf("no PTX of kernel module %q for compute_%d", name, target)
	}
	return string(text), nil
}
