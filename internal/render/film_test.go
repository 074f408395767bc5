package render

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/settings"
)

// TestDifferenceOfOrders names options and inputs alike.
func TestDifferenceOfOrders(t *testing.T) {
	a := filmOrder{Options: settings.Defaults(settings.ModeVideo, "mini", ""), Flow: "dense", Frames: strings.Repeat("a", 64), Every: 1}
	a.Options.TemporalWeight = 1
	if d := difference(a, a); d != nil {
		t.Errorf("an order differs from itself: %v", d)
	}
	b := a
	b.Every, b.Frames, b.Options.TemporalWeight = 2, strings.Repeat("b", 64), 0
	got := strings.Join(difference(a, b), "; ")
	if want := "every is 1 there and 2 here; input differs; temporal-weight is 1 there and not set here"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if a.hash() == b.hash() {
		t.Error("two orders have one hash")
	}
}
