package style

import "github.com/impasto/impasto/gpu"

// stripValues bounds what is held of an image outside the backend at a time.
const stripValues = 1 << 20

// strips cuts rows of so many values into strips of rows and calls do for each.
func strips(rows, rowValues int, do func(y, n int)) {
	most := max(1, stripValues/rowValues)
	for y := 0; y < rows; y += most {
		do(y, min(most, rows-y))
	}
}

// upload fills image x with what fill writes for rows y to y+n.
func upload(b gpu.Backend, x *gpu.Array, fill func(dst []float32, y, n int)) {
	s := x.Shape
	b.Fill(x, 0)
	strips(s.H, s.W*s.C, func(y, n int) {
		strip := b.NewArray(gpu.Shape{H: n, W: s.W, C: s.C})
		values := make([]float32, strip.Shape.Len())
		fill(values, y, n)
		b.Upload(strip, values)
		b.AddWindow(x, strip, y, 0)
		b.Free(strip)
	})
}

// download hands the rows of image x to take, from the top.
func download(b gpu.Backend, x *gpu.Array, take func(values []float32, y, n int) error) error {
	s := x.Shape
	var err error
	strips(s.H, s.W*s.C, func(y, n int) {
		if err != nil {
			return
		}
		strip := b.NewArray(gpu.Shape{H: n, W: s.W, C: s.C})
		b.CopyWindow(strip, x, y, 0)
		values := make([]float32, strip.Shape.Len())
		b.Download(values, strip)
		b.Free(strip)
		err = take(values, y, n)
	})
	return err
}
