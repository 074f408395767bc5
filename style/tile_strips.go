package style

import "github.com/impasto/impasto/gpu"

// stripValues is the largest number of values of an image that are held outside the
// backend at a time.
const stripValues = 1 << 20

// strips cuts image x into strips of rows. It calls do for each strip, with memory for
// it on the backend and on the host.
func strips(b gpu.Backend, x *gpu.Array, do func(strip *gpu.Array, values []float32, y int)) {
	s := x.Shape
	most := min(s.H, max(1, stripValues/(s.W*s.C)))
	all := b.NewArray(gpu.Shape{H: most, W: s.W, C: s.C})
	values := make([]float32, all.Shape.Len())
	for y := 0; y < s.H; y += most {
		strip := b.View(all, 0, gpu.Shape{H: min(most, s.H-y), W: s.W, C: s.C})
		do(strip, values[:strip.Shape.Len()], y)
	}
	b.Free(all)
}

// upload fills image x with the rows that fill writes, a strip at a time. y is the
// first row of a strip.
func upload(b gpu.Backend, x *gpu.Array, fill func(dst []float32, y int)) {
	b.Fill(x, 0)
	strips(b, x, func(strip *gpu.Array, values []float32, y int) {
		fill(values, y)
		b.Upload(strip, values)
		b.AddWindow(x, strip, y, 0)
	})
}

// download calls take with the rows of image x from the top, a strip at a time. It
// stops at the first error.
func download(b gpu.Backend, x *gpu.Array, take func(values []float32, y int) error) (err error) {
	strips(b, x, func(strip *gpu.Array, values []float32, y int) {
		if err == nil {
			b.CopyWindow(strip, x, y, 0)
			b.Download(values, strip)
			err = take(values, y)
		}
	})
	return err
}
