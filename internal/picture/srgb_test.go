package picture

import (
	"math"
	"testing"
)

// TestTransferTables compares the tables with the formula of the standard,
// written out here once more, between the steps as well as on them.
func TestTransferTables(t *testing.T) {
	for i := range 1_000_003 {
		v := float64(float32(i) / 1_000_002)
		lin := v / 12.92
		if v > 0.04045 {
			lin = math.Pow((v+0.055)/1.055, 2.4)
		}
		enc := 12.92 * v
		if v > 0.0031308 {
			enc = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		if d := math.Abs(float64(decode(float32(v))) - lin); d > 1e-7 {
			t.Fatalf("decode(%v) off by %.3g", v, d)
		}
		if d := math.Abs(float64(encode(float32(v))) - enc); d > 5e-7 {
			t.Fatalf("encode(%v) off by %.3g", v, d)
		}
	}
	for k := range 65536 { // there and back to the same 16-bit code
		v := float32(k) / 65535
		if got := int(encode(decode(v))*65535 + 0.5); got != k {
			t.Fatalf("code %d comes back as %d", k, got)
		}
	}
	for _, v := range []float32{-1, 2, float32(math.NaN()), float32(math.Inf(1))} {
		if d, e := decode(v), encode(v); !(d >= 0 && d <= 1 && e >= 0 && e <= 1) {
			t.Errorf("%v: decode %v, encode %v", v, d, e)
		}
	}
}
