package compare

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// gray writes a picture of one value and returns its path.
func gray(t *testing.T, dir, name string, w, h int, v float32) string {
	p := picture.New(w, h)
	for i := range p.Pix {
		p.Pix[i] = v
	}
	path := filepath.Join(dir, name)
	if err := picture.Save(path, p, picture.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	a, b := gray(t, dir, "a.png", 16, 12, 100./255), gray(t, dir, "b.png", 16, 12, 110./255)
	diff := filepath.Join(dir, "diff.png")
	r, err := Run(Request{A: a, B: b, Diff: diff})
	// Ten codes apart everywhere: 20 log10(255/10).
	if want := 20 * math.Log10(25.5); err != nil || math.Abs(r.PSNR-want) > 1e-3 || r.W != 16 || r.H != 12 {
		t.Errorf("got %+v, %v; want a PSNR of %g", r, err, want)
	}
	d, _, err := picture.Read(diff, picture.ReadOptions{})
	if err != nil || math.Abs(float64(d.Pix[0])-80./255) > 1e-6 {
		t.Errorf("the difference of ten codes, times eight, is %v (%v)", d, err)
	}
	if _, err := Run(Request{A: a, B: b, Diff: diff}); err == nil {
		t.Error("the difference picture was replaced without being asked")
	}
	if _, err := Run(Request{A: a, B: b, Diff: diff, Replace: true}); err != nil {
		t.Error(err)
	}
	if _, err := Run(Request{A: a, B: b, Diff: a, Replace: true}); err == nil {
		t.Error("a picture that is compared was replaced")
	}
	if text, err := os.ReadFile(a); err != nil || len(text) == 0 {
		t.Error("the picture is gone")
	}
}

func TestEqualPictures(t *testing.T) {
	a := gray(t, t.TempDir(), "a.png", 16, 12, 0.5)
	r, err := Run(Request{A: a, B: a, MinPSNR: "90", MinSSIM: "0.99"})
	if err != nil || r.String() != "PSNR equal  SSIM 1.0000  16x12" {
		t.Errorf("%v, %v", r, err)
	}
	text, err := json.Marshal(r)
	if want := `{"diff":"","equal":true,"height":12,"psnr_db":null,"ssim":1,"type":"result","width":16}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestFaultsTogether(t *testing.T) {
	dir := t.TempDir()
	a, b := gray(t, dir, "a.png", 16, 12, 0.5), gray(t, dir, "b.png", 16, 12, 0.6)
	_, err := Run(Request{A: a, B: filepath.Join(dir, "none.png"), Diff: filepath.Join(dir, "d.xyz"), MinPSNR: "x", MinSSIM: "NaN"})
	if got := ui.FaultsOf(err); len(got) != 4 {
		t.Errorf("%d faults: %v", len(got), err)
	}
	_, err = Run(Request{A: a, B: b, MinPSNR: "90", MinSSIM: "1"})
	if got := ui.FaultsOf(err); len(got) != 2 || got[0].Exit != ui.ExitMismatch || !strings.Contains(got[0].Message, "at least 90 was asked for") {
		t.Errorf("got %v", err)
	}
	if _, err := Run(Request{A: a, B: gray(t, dir, "c.png", 8, 8, 0.5)}); err == nil || !strings.Contains(err.Error(), "differ in size") {
		t.Errorf("got %v", err)
	}
}
