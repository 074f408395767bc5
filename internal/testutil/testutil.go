// Package testutil holds what tests of several packages share: comparing
// numbers with a stated tolerance, and finding the pictures and weights that
// are kept beside the repository. It imports nothing of Impasto.
package testutil

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// Close fails t unless |got-want| <= abs + rel*|want| for every element.
// It prints the first five faults and how many there were.
func Close[A, B ~float32 | ~float64](t testing.TB, what string, got []A, want []B, abs, rel float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d values, want %d", what, len(got), len(want))
	}
	faults := 0
	for i := range got {
		g, w := float64(got[i]), float64(want[i])
		if d := math.Abs(g - w); !(d <= abs+rel*math.Abs(w)) {
			if faults < 5 {
				t.Errorf("%s[%d]: got %.9g, want %.9g (off by %.3g)", what, i, g, w, d)
			}
			faults++
		}
	}
	if faults > 5 {
		t.Errorf("%s: %d of %d values are off", what, faults, len(got))
	}
}

// RelL2 returns |got-want|2 / |want|2, the relative error used for whole
// activations, where single values near zero carry no information.
func RelL2[A, B ~float32 | ~float64](got []A, want []B) float64 {
	var num, den float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		num += d * d
		den += float64(want[i]) * float64(want[i])
	}
	if den == 0 {
		return math.Sqrt(num)
	}
	return math.Sqrt(num / den)
}

// SharedDir returns the directory of the real VGG19 weights, photographs and
// paintings: $IMPASTO_SHARED, or "shared" beside the repository. They are not
// part of the repository; a test that needs them is skipped, loudly, without.
func SharedDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("IMPASTO_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = parent
	}
	shared := filepath.Join(filepath.Dir(dir), "shared")
	if _, err := os.Stat(filepath.Join(shared, "models")); err != nil {
		t.Skipf("SKIPPED: needs real weights and pictures in %s (set IMPASTO_SHARED)", shared)
	}
	return shared
}
