//go:build !race

package emu

// raceDetector reports whether Go's race detector watches this test.
const raceDetector = false
