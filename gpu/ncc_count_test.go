package gpu

import (
	"testing"

	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/internal/testutil"
)

// marched counts the multiply-adds of the march over a canvas of (h, w) and a
// painting of (hs, ws) with c channels, patches of 3x3: row pairs times the columns
// of the tiles that are computed.
func marched(p Precision, h, w, hs, ws, c int) float64 {
	rows := 0
	for delta := -(h - 1); delta < hs; delta++ {
		for first := 0; first < h; first += matchRows {
			if r := min(first+matchRows+2, h, hs-delta) - max(first, -delta); r >= 3 {
				rows += r
			}
		}
	}
	// columns counts the columns computed for a picture w wide. Strips are strip wide, and
	// tiles says how many columns a strip computes if so many are left.
	columns := func(w, strip int, tiles func(left int) int) (sum int) {
		for at := 0; at < w-2; at += strip - 2 {
			sum += tiles(min(strip, w-at))
		}
		return sum
	}
	whole := func(tile int) func(left int) int { return func(left int) int { return chunks(left, tile) * tile } }
	canvas, style := columns(w, 64, whole(32)), columns(ws, 64, whole(32))
	if p == Half {
		// 16 canvas columns of a warp's 64 are two of every 8, as far as there are any.
		canvas = columns(w, 128, func(left int) (sum int) {
			for ; left > 0; left -= 64 {
				sum += 16 * min(chunks(left, 2), 4)
			}
			return sum
		})
		style = columns(ws, 64, whole(16))
	}
	return float64(rows) * float64(canvas) * float64(style) * float64(c)
}

// TestMatchOperations counts the multiply-adds of the march on the software device and
// compares them with the formula, exactly. By the formula, at the shapes that VGG19
// has, it takes 7 times fewer in half precision than the convolution of the canvas
// with all patches of the painting would: 9 C for each pair of patches.
func TestMatchOperations(t *testing.T) {
	testutil.NeedDevices(t)
	for _, p := range []Precision{Half, Single} {
		for _, s := range [][4]int{{9, 70, 5, 131}, {7, 64, 6, 66}, {matchRows + 5, 5, 4, 9}} {
			dev := emu.Open(emu.Options{Traffic: true})
			b := NewDevice(testutil.Driver(dev), DeviceOptions{Name: "emu", Precision: p})
			const c = 32
			canvas, painting := Shape{s[0], s[1], c}, Shape{s[2], s[3], c}
			bank := b.NewBank(upload(b, painting, random(1, painting.Len(), 1)), BankOptions{})
			m := b.NewMatches(bank.MatchGrid(canvas, 1))
			b.Match(m, upload(b, canvas, random(2, canvas.Len(), 1)), bank, MatchOptions{})
			b.Sync()
			if err := b.Err(); err != nil {
				t.Fatal(err)
			}
			got := 0.0
			for _, k := range dev.Counters() {
				if k.Launches == 0 {
					continue
				}
				switch k.Kernel {
				case "ncc_half_match3":
					got = 16 * 8 * 16 * float64(k.Class(emu.ClassTensor).Issued)
				case "ncc_match3":
					got = 32 * float64(k.Class(emu.ClassFMA).Issued) // a warp's, idle lanes included
				}
			}
			if want := marched(p, s[0], s[1], s[2], s[3], c); got != want {
				t.Errorf("%s, %v in %v: %g multiply-adds, want %g", p, canvas, painting, got, want)
			}
			b.Close()
		}
		for _, c := range []struct {
			layer      string
			side, n, c int
			half, less float64 // the convolution's multiply-adds over the march's, at least
		}{
			{"relu3_1", 512, 128, 256, 7, 4.5}, {"relu4_1", 512, 64, 512, 7, 7}, {"relu3_1", 1024, 256, 256, 7, 6.5},
			{"relu4_1", 1024, 128, 512, 7, 4.5}, {"relu3_1", 2048, 512, 256, 7, 7}, {"relu4_1", 2048, 256, 512, 7, 6.5},
		} {
			patches := float64((c.n - 2) * (c.n - 2))
			times := 9 * float64(c.c) * patches * patches / marched(p, c.n, c.n, c.n, c.n, c.c)
			least := c.less
			if p == Half {
				least = c.half
			}
			t.Logf("%s, %s of %d px: %.2f times fewer multiply-adds than the convolution", p, c.layer, c.side, times)
			if times < least {
				t.Errorf("%s, %s of %d px: %.2f times fewer multiply-adds than the convolution, want %g", p, c.layer, c.side, times, least)
			}
		}
	}
}
