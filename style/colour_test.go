package style

import (
	"context"
	"slices"
	"testing"
)

// TestColorSpaces: recipes of before there were two mean YUV, both keep and match,
// and the two paint different pictures.
func TestColorSpaces(t *testing.T) {
	for _, from := range []Color{ColorContent, ColorMatch} {
		paint := func(space ColorSpace) []float32 {
			o := tinyOptions(ModeArt)
			o.Color, o.ColorSpace, o.Iterations, o.Scales = from, space, []int{2}, 1
			r, err := Art(context.Background(), tinyInputs(), o, tinyEnv(1))
			if err != nil {
				t.Fatal(err)
			}
			return r.Picture.Pix
		}
		old := paint("")
		if !slices.Equal(old, paint(ColorYUV)) {
			t.Errorf("%s: a recipe without a colour space paints another picture than yuv", from)
		}
		if slices.Equal(old, paint(ColorOklab)) {
			t.Errorf("%s: oklab paints the picture of yuv", from)
		}
	}
	if o := DefaultOptions(ModeArt, "cpu", "vgg19"); o.ColorSpace != ColorOklab {
		t.Errorf("the default is %q", o.ColorSpace)
	}
	if o, err := Preset("jj", ModeArt); err != nil || o.ColorSpace != ColorYUV {
		t.Errorf("neural-style keeps colours in %q (%v)", o.ColorSpace, err)
	}
}
