// Package vgg holds the network whose features are used for painting: VGG19's sixteen
// convolutions (K. Simonyan and A. Zisserman, arXiv:1409.1556), and smaller networks of
// the same five-block shape.
//
// Weights come in many formats and conventions. While they are read, they are converted
// to the one convention that the rest of the program uses: cross-correlation kernels
// (K, C, 3, 3), input planes in RGB order, 0..255 minus the network's mean. No other
// package handles BGR, standard deviations or flipped kernels.
//
// It imports package gpu, which runs the network. Sub-package dense gives the weights
// to other programs as tensors.
package vgg
