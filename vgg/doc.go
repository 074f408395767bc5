// Package vgg holds the network whose features painting is made of: VGG19's
// sixteen convolutions (K. Simonyan and A. Zisserman, arXiv:1409.1556), and
// smaller networks of the same five-block shape.
//
// Weights come from many formats and conventions. Each is folded, while it is
// read, to the one convention the rest of the program knows: cross-correlation
// kernels (K, C, 3, 3), input planes in RGB order, 0..255 minus the network's
// mean. Nothing outside this package knows of BGR, of standard deviations or
// of flipped kernels.
//
// It imports package gpu, for the executor. Sub-package dense lends the weights
// to other programs as tensors.
package vgg
