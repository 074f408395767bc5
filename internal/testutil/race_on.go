//go:build race

package testutil

// Race reports whether Go's race detector watches this test.
const Race = true
