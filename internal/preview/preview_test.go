package preview

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sixel"
)

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		env   string
		sixel bool
		want  Protocol
	}{
		{"TERM=xterm-kitty", false, Kitty},
		{"TERM=xterm-256color KITTY_WINDOW_ID=1", false, Kitty},
		{"TERM=xterm-256color TERM_PROGRAM=ghostty", false, Kitty},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app", false, ITerm},
		{"TERM=xterm-256color TERM_PROGRAM=WezTerm", true, ITerm},
		{"TERM=xterm-256color", true, Sixel},
		{"TERM=xterm-256color COLORTERM=truecolor", true, Sixel},
		{"TERM=xterm-256color COLORTERM=truecolor", false, Blocks},
		{"TERM=xterm-256color COLORTERM=truecolor NO_COLOR=1", false, None},
		{"TERM=xterm-256color", false, None},
		{"TERM=tmux-256color TMUX=/tmp/x KITTY_WINDOW_ID=1 COLORTERM=truecolor", true, Blocks},
		{"TERM=screen", true, None},
		{"TERM=dumb COLORTERM=truecolor", true, None},
		{"", true, None},
		{"TERM=xterm-kitty CI=true", false, None},
	} {
		env := map[string]string{}
		for _, kv := range strings.Fields(c.env) {
			k, v, _ := strings.Cut(kv, "=")
			env[k] = v
		}
		if got := Detect(func(k string) string { return env[k] }, func() bool { return c.sixel }); got != c.want {
			t.Errorf("%s, sixel %v: got %s, want %s", c.env, c.sixel, got, c.want)
		}
	}
}

func gradient(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), 128, 255})
		}
	}
	return img
}

// The picture's cells and what each protocol carries must be the same picture.
func TestProtocolsCarryThePicture(t *testing.T) {
	img := gradient(40, 30)
	for _, p := range []Protocol{Kitty, ITerm, Sixel, Blocks} {
		var b bytes.Buffer
		if err := encode(&b, p, img, 20, 8); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		var got image.Image
		text := b.String()
		switch p {
		case Kitty:
			var data strings.Builder
			for _, m := range regexp.MustCompile("\x1b_G[^;]*;([^\x1b]*)\x1b").FindAllStringSubmatch(text, -1) {
				if len(m[1]) > 4096 {
					t.Errorf("kitty: chunk of %d bytes", len(m[1]))
				}
				data.WriteString(m[1])
			}
			got = decodePNG(t, data.String())
		case ITerm:
			_, data, _ := strings.Cut(strings.TrimSuffix(text, "\a"), ":")
			got = decodePNG(t, data)
		case Sixel:
			if err := sixel.NewDecoder(&b).Decode(&got); err != nil {
				t.Fatal(err)
			}
		case Blocks:
			if n := strings.Count(text, "▀"); n != 20*8 {
				t.Errorf("blocks: %d cells, want 160", n)
			}
			continue
		}
		size := got.Bounds().Size()
		if ratio := float64(size.X) / float64(size.Y); ratio < 1.25 || ratio > 1.42 {
			t.Errorf("%s: %v is not 4:3", p, size)
		}
		r, g, _, _ := got.At(got.Bounds().Min.X+size.X*3/4, got.Bounds().Min.Y+size.Y/4).RGBA()
		if r>>8 < 160 || r>>8 > 220 || g>>8 < 30 || g>>8 > 100 {
			t.Errorf("%s: at 3/4, 1/4 red is %d and green %d, want about 191 and 64", p, r>>8, g>>8)
		}
	}
}

func decodePNG(t *testing.T, text string) image.Image {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestScreenRedrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	s := NewScreen(&out, Blocks, 80, 24)
	fmt.Fprintln(s, "header")
	s.Reserve(400, 300)
	rows := s.areaRows
	if rows < 8 || rows > 16 {
		t.Fatalf("%d rows reserved of 24", rows)
	}
	show := func() int {
		t.Helper()
		out.Reset()
		if err := s.Show(gradient(40, 30)); err != nil {
			t.Fatal(err)
		}
		var up int
		if out.Len() > 0 {
			if _, err := fmt.Sscanf(out.String(), "\x1b7\x1b[%dA", &up); err != nil {
				t.Fatalf("%q: %v", out.String()[:20], err)
			}
		}
		return up
	}
	if up := show(); up != rows {
		t.Errorf("first picture goes up %d, want %d", up, rows)
	}
	fmt.Fprint(s, "bar\n")
	if up := show(); up != rows+1 {
		t.Errorf("below one line it goes up %d, want %d", up, rows+1)
	}
	fmt.Fprint(s, "\x1b[1A\x1b[Jwarning\nbar\n") // how the bar redraws itself under a new line
	if up := show(); up != rows+2 {
		t.Errorf("below two lines it goes up %d, want %d", up, rows+2)
	}
	fmt.Fprint(s, strings.Repeat("\n", 24))
	if up := show(); up != 0 {
		t.Errorf("out of reach it still goes up %d", up)
	}
}

func TestPaceCostsAtMostOneHundredth(t *testing.T) {
	var p Pace
	now := time.Unix(0, 0)
	if !p.Due(now) {
		t.Error("the first preview is due at once")
	}
	p.Took(now, time.Millisecond)
	if p.Due(now.Add(1900*time.Millisecond)) || !p.Due(now.Add(2*time.Second)) {
		t.Error("a cheap preview is due after two seconds")
	}
	p.Took(now, 100*time.Millisecond)
	if p.Due(now.Add(9800*time.Millisecond)) || !p.Due(now.Add(9900*time.Millisecond)) {
		t.Error("a preview of 0.1 s is due after 9.9 s")
	}
}
