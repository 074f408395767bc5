// Package compare measures how alike two pictures are, for the command compare.
package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// diffGain makes a difference of one code in 8 bits visible.
const diffGain = 8

// Request names what is compared. All values are texts as they were typed.
type Request struct {
	A, B             string // pictures
	Diff             string // file for the differences; "" for none
	Replace          bool   // Diff may exist
	MinPSNR, MinSSIM string // the least that is accepted; "" for anything
	Stdin            io.Reader
	Software         string // what Diff says it was made by
}

// Result is how alike two pictures are.
type Result struct {
	PSNR float64 // in decibels; infinite where all codes are equal
	SSIM float64
	W, H int
	Diff string // the file that was written
}

// Run compares two pictures. Of pictures that are less alike than asked for it
// returns the result and a fault.
func Run(r Request) (Result, error) {
	least, bad := r.least()
	var both [2]*picture.Picture
	for i, path := range []string{r.A, r.B} {
		p, _, err := picture.Read(path, picture.ReadOptions{Role: "picture", Stdin: r.Stdin})
		bad.Add(err)
		both[i] = p
	}
	diff := ""
	if r.Diff != "" {
		var err error
		diff, err = r.destination()
		bad.Add(err)
	}
	if len(bad) > 0 {
		return Result{}, bad
	}
	got := Result{W: both[0].W, H: both[0].H, Diff: diff}
	var err error
	if got.PSNR, err = picture.PSNR(both[0], both[1]); err != nil {
		return Result{}, err
	}
	if got.SSIM, err = picture.SSIM(both[0], both[1]); err != nil {
		return Result{}, err
	}
	if diff != "" {
		d, err := picture.Difference(both[0], both[1], diffGain)
		if err != nil {
			return Result{}, err
		}
		if err := picture.Save(diff, d, picture.WriteOptions{Software: r.Software}); err != nil {
			return Result{}, err
		}
	}
	for i, v := range []float64{got.PSNR, got.SSIM} {
		if v < least[i] {
			bad.Add(ui.NewFault(ui.ExitMismatch, "mismatch", fmt.Sprintf("%q and %q differ: %s is %s, at least %s was asked for",
				r.A, r.B, []string{"psnr", "ssim"}[i], short(v), short(least[i]))))
		}
	}
	return got, bad.Err()
}

// least reads the bounds of PSNR and SSIM.
func (r Request) least() (bounds [2]float64, bad ui.Faults) {
	for i, text := range []string{r.MinPSNR, r.MinSSIM} {
		bounds[i] = math.Inf(-1)
		if text == "" {
			continue
		}
		v, ok := settings.ParseNumber(text)
		if !ok || math.IsNaN(v) {
			bad.Add(settings.BadValue([]string{"min-psnr", "min-ssim"}[i], text, "a number"))
		}
		bounds[i] = v
	}
	return bounds, bad
}

// destination chooses the file of the differences.
func (r Request) destination() (string, error) {
	rule := picture.Fail
	if r.Replace {
		rule = picture.Replace
	}
	var bad ui.Faults
	path, _, err := picture.Destination(r.Diff, rule)
	bad.Add(err)
	bad.Add(overwrite.Apart(path, r.A, r.B))
	if path != "" {
		_, err := picture.FormatOf(path)
		bad.Add(ui.WithFlag("--diff", err))
	}
	return path, bad.Err()
}

// String is the result in a line.
func (r Result) String() string {
	psnr := "equal"
	if !r.equal() {
		psnr = fmt.Sprintf("%.2f dB", r.PSNR)
	}
	return fmt.Sprintf("PSNR %s  SSIM %.4f  %dx%d", psnr, r.SSIM, r.W, r.H)
}

func (r Result) equal() bool { return math.IsInf(r.PSNR, 1) }

// MarshalJSON writes null for the PSNR of equal pictures.
func (r Result) MarshalJSON() ([]byte, error) {
	values := map[string]any{"type": "result", "psnr_db": r.PSNR, "ssim": r.SSIM, "equal": r.equal(), "width": r.W, "height": r.H, "diff": r.Diff}
	if r.equal() {
		values["psnr_db"] = nil
	}
	return json.Marshal(values)
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 5, 64) }
