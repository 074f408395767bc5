// Package impasto is the root of a program and library that turns pictures
// into paintings by optimisation on VGG19.
//
// The command is cmd/impasto. From Go, start at package style (the recipes),
// vgg (the network and its weights), gpu (arrays and operations on the CPU or
// on a CUDA device) or cuda (the driver seam and the PTX emulator).
package impasto
