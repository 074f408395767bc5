package picture

import "testing"

func TestSize(t *testing.T) {
	for _, c := range []struct {
		text, canonical string
		w, h            int // of the content
		wantW, wantH    int
	}{
		{"512", "512", 1024, 640, 512, 320},
		{"512", "512", 640, 1024, 320, 512},
		{"512", "512", 3, 1000, 2, 512},
		{"512", "512", 1, 5000, 1, 512}, // never 0
		{"640x480", "640x480", 7, 9, 640, 480},
		{" 640X480 ", "640x480", 7, 9, 640, 480},
		{"2x", "2x", 301, 200, 602, 400},
		{"0.5x", "0.5x", 301, 200, 151, 100},
		{"0.001x", "0.001x", 301, 200, 1, 1},
		{"50%", "50%", 301, 200, 151, 100},
		{"12.5%", "12.5%", 800, 80, 100, 10},
		{"content", "content", 301, 200, 301, 200},
		{"512+", "512+", 512, 512, 512, 512},
		{"512+", "512+", 1024, 256, 1024, 256}, // the area is that of 512 x 512
		{"300+", "300+", 1600, 900, 400, 225},
		{"1", "1", 900, 900, 1, 1},
		{"1048576x1", "1048576x1", 9, 9, 1048576, 1},
	} {
		s, err := ParseSize(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if s.String() != c.canonical {
			t.Errorf("%q reads back as %q", c.text, s)
		}
		w, h, err := s.Resolve(c.w, c.h)
		if err != nil || w != c.wantW || h != c.wantH {
			t.Errorf("%q of %dx%d: got %dx%d (%v), want %dx%d", c.text, c.w, c.h, w, h, err, c.wantW, c.wantH)
		}
	}
}

func TestSizeErrors(t *testing.T) {
	for _, text := range []string{
		"", "0", "-5", "0x5", "5x0", "x", "x5", "%", "0%", "-1x", "0x", "5x5x5", "512++", "+", "1e3", "1e3x", "0x10x",
		"nan%", "inf%", "1_0x", "3.5", "3.5x2", "99999999999", "1048577", "big", "512 x 512", "+5%",
	} {
		if s, err := ParseSize(text); err == nil {
			t.Errorf("%q is read as %q", text, s)
		}
	}
	_, err := ParseSize("huge")
	wantError(t, err, Input, "size", `"huge" is not a size: 512 (long side), 640x480, 2x, 50%, content, 512+ (area of 512x512) or max`,
		"--size 512")
	s, err := ParseSize("1000x")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Resolve(2000, 10)
	wantError(t, err, Input, "size", `size "1000x" of a 2000x10 picture is 2000000x10000; a side may have 1048576 pixels`)
	_, _, err = s.Resolve(0, 10)
	wantError(t, err, Input, "size", `size "1000x" needs a content of at least 1x1, got 0x10`)
	s, err = ParseSize("max")
	if err != nil || !s.IsMax() || s.String() != "max" {
		t.Errorf("max: %v %v", s, err)
	}
	if _, _, err := s.Resolve(5, 5); err == nil {
		t.Error("max has a size of its own")
	}
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"512", "640x480", "2x", "50%", "content", "512+", "max", "0.3x", "1x1", "١٢"} {
		f.Add(s, 640, 427)
	}
	f.Fuzz(func(t *testing.T, text string, w, h int) {
		s, err := ParseSize(text)
		if err != nil {
			return
		}
		again, err := ParseSize(s.String())
		if err != nil || again != s {
			t.Fatalf("%q reads as %q, which reads as %q (%v)", text, s, again, err)
		}
		rw, rh, err := s.Resolve(w, h)
		if err == nil && (rw < 1 || rh < 1 || rw > maxSide || rh > maxSide) {
			t.Fatalf("%q of %dx%d is %dx%d", text, w, h, rw, rh)
		}
	})
}
