package batch

import "testing"

// TestMoneyText: amounts have no exponent, and none that was spent reads as nothing.
func TestMoneyText(t *testing.T) {
	for amount, want := range map[float64]string{
		0: "0", 12: "12.00", 1.2345: "1.23", 0.01: "0.01", 0.00999: "0.01", 0.00316: "0.0032", 2.41e-6: "0.0000024",
	} {
		if got := MoneyText(amount); got != want {
			t.Errorf("%g: %q, want %q", amount, got, want)
		}
	}
}
