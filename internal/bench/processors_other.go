//go:build !linux

package bench

// Other systems do not provide these values without a library.

type processors struct{ busy, own, count float64 }

func readProcessors() processors { return processors{} }
func loadAverage() float64       { return 0 }
func totalMemory() int64         { return 0 }
func osRelease() string          { return "" }
