package vgg

import (
	"math"
	"strings"
)

// original is a published file of weights that is known by its checksum.
type original struct {
	Name    string // of the network it makes, for "weights get"
	File    string
	Size    int64  // 0 if it is not known
	SHA256  string // or the first digits of it, which the authors put into the name
	SHA1    string // where only that was published
	Layout  Layout
	Licence string
	URLs    []string // mirrors of the same bytes, best first
}

const (
	oxfordLicence = "CC BY 4.0, Visual Geometry Group, University of Oxford (K. Simonyan, A. Zisserman), https://www.robots.ox.ac.uk/~vgg/research/very_deep/"
	torchLicence  = "BSD-3-Clause, torchvision, https://github.com/pytorch/vision"
)

// originals lists the published files. Files of one name hold the same weights in
// different formats. If the first cannot be fetched, the next is used.
var originals = []original{
	{
		Name: "vgg19", File: "vgg19-d01eb7cb.pth", SHA256: "d01eb7cb", Layout: LayoutCaffe, Licence: oxfordLicence,
		URLs: []string{
			"https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth",
			"https://s3-us-west-2.amazonaws.com/jcjohns-models/vgg19-d01eb7cb.pth",
		},
	},
	{
		Name: "vgg19", File: "VGG_ILSVRC_19_layers.caffemodel", Size: 574671192, SHA1: "239785e7862442717d831f682bb824055e51e9ba",
		Layout: LayoutCaffe, Licence: oxfordLicence,
		URLs: []string{"https://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/VGG_ILSVRC_19_layers.caffemodel"},
	},
	{
		Name: "vgg19-torchvision", File: "vgg19-dcbb9e9d.pth", Size: 574673361,
		SHA256: "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44", Layout: LayoutTorchvision, Licence: torchLicence,
		URLs: []string{"https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"},
	},
}

// originalBySum returns the published file with this SHA-256, or nil.
func originalBySum(sum string) *original {
	for i := range originals {
		if o := &originals[i]; o.SHA256 != "" && strings.HasPrefix(sum, o.SHA256) {
			return o
		}
	}
	return nil
}

// originalPlanes is the sum of |w| over the 64 filters of the original VGG19's conv1_1,
// for its inputs R, G and B. By it those weights and their channel order are
// recognised, even if they were converted, renamed or saved in half precision.
var originalPlanes = [3]float64{90.867, 99.449, 80.120}

// recognise returns the layout of the original's weights from conv1_1
// (64, 3, 3, 3), or "" for the weights of any other network.
func recognise(w []float32) Layout {
	if len(w) != 64*3*9 {
		return ""
	}
	var sum [3]float64
	for i, v := range w {
		sum[i/9%3] += math.Abs(float64(v))
	}
	near := func(r, g, b int) bool {
		ok := true
		for i, at := range []int{r, g, b} {
			ok = ok && math.Abs(sum[at]/originalPlanes[i]-1) < 5e-4 // float16 rounds by less
		}
		return ok
	}
	switch {
	case near(2, 1, 0):
		return LayoutCaffe
	case near(0, 1, 2):
		return LayoutRGB
	}
	return ""
}
