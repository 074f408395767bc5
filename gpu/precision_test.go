package gpu

import "testing"

func TestPrecisionText(t *testing.T) {
	for _, p := range []Precision{Auto, Half, Single} {
		text, err := p.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		back := Precision(-1)
		if err := back.UnmarshalText(text); err != nil || back != p {
			t.Errorf("%s is read as %v, %v", text, back, err)
		}
	}
	p := Single
	if err := p.UnmarshalText([]byte("double")); err == nil || p != Single {
		t.Errorf("an unknown precision gave %v, %v", p, err)
	}
	if got := Precision(7).String(); got != "Precision(7)" {
		t.Errorf("Precision(7) prints as %q", got)
	}
}
