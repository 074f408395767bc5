package main

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
)

// makeMaps writes what the scripts about maps use: paint_sem.png of painting
// paint.png, and the same map spoilt in the ways maps get spoilt.
func makeMaps(dir string) error {
	red, blue, green := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.NRGBA{0, 255, 0, 255}
	// flat is red above blue, 96x64, with a green square and whatever else is drawn.
	flat := func(more ...func(img *image.NRGBA)) *image.NRGBA {
		img := image.NewNRGBA(image.Rect(0, 0, 96, 64))
		fill(img, img.Rect, blue)
		fill(img, image.Rect(0, 0, 96, 32), red)
		fill(img, image.Rect(32, 16, 64, 48), green)
		for _, m := range more {
			m(img)
		}
		return img
	}
	with := func(r image.Rectangle, c color.NRGBA) func(*image.NRGBA) {
		return func(img *image.NRGBA) { fill(img, r, c) }
	}
	sharp, soft := flat(), flat()
	for y := 1; y < 63; y++ {
		for x := 1; x < 95; x++ {
			var sum [3]int
			for v := y - 1; v <= y+1; v++ {
				for u := x - 1; u <= x+1; u++ {
					c := sharp.NRGBAAt(u, v)
					sum[0], sum[1], sum[2] = sum[0]+int(c.R), sum[1]+int(c.G), sum[2]+int(c.B)
				}
			}
			soft.SetNRGBA(x, y, color.NRGBA{uint8(sum[0] / 9), uint8(sum[1] / 9), uint8(sum[2] / 9), 255})
		}
	}
	deep := image.NewNRGBA64(image.Rect(0, 0, 96, 64))
	crowd := image.NewNRGBA(image.Rect(0, 0, 160, 160))
	for y := range 160 {
		for x := range 160 {
			deep.SetNRGBA64(x, y, color.NRGBA64{uint16(x / 32), uint16(x / 32), uint16(x / 32), 65535})
			crowd.SetNRGBA(x, y, color.NRGBA{uint8(60 + x/32*48), uint8(60 + y/32*48), 200, 255})
		}
	}
	files := map[string][]byte{
		"paint.png":       encodePNG(drawing(96, 64, 1)),
		"paint_sem.png":   encodePNG(flat()),
		"canvas_sem.png":  encodePNG(flat(with(image.Rect(0, 40, 96, 64), green))),
		"small_sem.png":   encodePNG(flat().SubImage(image.Rect(0, 0, 48, 32))),
		"offone_sem.png":  encodePNG(flat().SubImage(image.Rect(0, 0, 96, 63))),
		"square_sem.png":  encodePNG(flat().SubImage(image.Rect(16, 0, 80, 64))),
		"soft_sem.png":    encodePNG(soft),
		"jpeg_sem.jpg":    encodeJPEG(soft),
		"worse_sem.jpg":   encodeJPEG(flat(with(image.Rect(0, 0, 5, 5), green), with(image.Rect(0, 40, 96, 64), color.NRGBA{8, 248, 8, 255}))),
		"clear_sem.png":   encodePNG(flat(with(image.Rect(0, 0, 24, 24), color.NRGBA{}))),
		"black_sem.png":   encodePNG(flat(with(image.Rect(0, 0, 32, 64), color.NRGBA{0, 0, 0, 255}))),
		"near_sem.png":    encodePNG(flat(with(image.Rect(0, 0, 96, 10), color.NRGBA{240, 8, 0, 255}))),
		"dark_sem.png":    encodePNG(flat(with(image.Rect(0, 0, 32, 64), color.NRGBA{128, 0, 0, 255}))),
		"extra_sem.png":   encodePNG(flat(with(image.Rect(0, 0, 32, 64), color.NRGBA{255, 255, 0, 255}))),
		"rare_sem.png":    encodePNG(flat(with(image.Rect(32, 16, 64, 48), red), with(image.Rect(32, 32, 64, 48), blue), with(image.Rect(40, 20, 48, 28), green))),
		"alone_sem.png":   encodePNG(flat(with(image.Rect(0, 0, 96, 64), red))),
		"thin_sem.png":    encodePNG(flat(with(image.Rect(0, 10, 96, 12), color.NRGBA{255, 255, 0, 255}))),
		"specks_sem.png":  encodePNG(flat(with(image.Rect(3, 3, 5, 5), blue), with(image.Rect(80, 60, 82, 61), red))),
		"deep_sem.png":    encodePNG(deep),
		"crowd_sem.png":   encodePNG(crowd),
		"legend_sem.png":  encodePNG(flat()),
		"legend_sem.txt":  []byte("#ff0000 sky\nsea\n"),
		"named_sem.png":   encodePNG(flat()),
		"named_sem.txt":   []byte("; the three of them\n#ff0000 sky\n#0000ff sea\ngreen boat\n"),
		"flat_colour.png": encodePNG(flat(with(image.Rect(0, 0, 96, 64), red))),
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func fill(img *image.NRGBA, r image.Rectangle, c color.NRGBA) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			img.SetNRGBA(x, y, c)
		}
	}
}
