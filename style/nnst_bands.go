package style

import "github.com/impasto/impasto/gpu"

// laplacian is an image (H, W, 3) as a sum of bands. Each band has half the sides of
// the one before and is enlarged bilinearly. An optimiser that changes bands moves
// large shapes as fast as single pixels.
type laplacian struct {
	b        gpu.Backend
	z, d     *gpu.Array   // all bands in one array, and their gradient
	zs, ds   []*gpu.Array // views of each, the finest first
	enlarged []*gpu.Array // sums of the bands from the second on, at the size of each
	up       []*gpu.Resizer
}

// There are at most mostBands bands, and the shorter side of each has at least
// leastBand pixels.
const (
	mostBands = 6
	leastBand = 4
)

// bandShapes returns the shapes of the bands of an image of shape s, the finest first.
func bandShapes(s gpu.Shape) []gpu.Shape {
	list := []gpu.Shape{s}
	for len(list) < mostBands {
		s = gpu.Shape{H: (s.H + 1) / 2, W: (s.W + 1) / 2, C: 3}
		if min(s.H, s.W) < leastBand {
			break
		}
		list = append(list, s)
	}
	return list
}

// bandsShape returns the shape of an array that holds all bands.
func bandsShape(b gpu.Backend, shapes []gpu.Shape) gpu.Shape {
	bytes := int64(0)
	for _, s := range shapes {
		bytes += b.Bytes(s)
	}
	return gpu.Shape{H: 2, W: int(bytes+23) / 24, C: 3} // colours of three channels are float32 on any backend
}

func newLaplacian(b gpu.Backend, s gpu.Shape) *laplacian {
	l := &laplacian{b: b}
	shapes := bandShapes(s)
	all := bandsShape(b, shapes)
	l.z, l.d = b.NewArray(all), b.NewArray(all)
	at := int64(0)
	for i, s := range shapes {
		l.zs, l.ds = append(l.zs, b.View(l.z, at, s)), append(l.ds, b.View(l.d, at, s))
		at += b.Bytes(s)
		if i > 0 {
			l.enlarged = append(l.enlarged, b.NewArray(s))
			l.up = append(l.up, b.NewResizer(shapes[i-1], s, gpu.Bilinear))
		}
	}
	return l
}

// split computes the bands of image x.
func (l *laplacian) split(x *gpu.Array) {
	l.b.Copy(l.zs[0], x)
	for i, up := range l.up {
		l.b.Resample(l.zs[i+1], l.zs[i], gpu.Bilinear)
		l.b.Resize(l.zs[i], l.zs[i+1], up, gpu.ResizeOptions{Scale: -1, Add: true})
	}
}

// compose writes to x the image whose bands are in zs.
func (l *laplacian) compose(x *gpu.Array, zs []*gpu.Array) {
	for i := len(zs) - 1; i >= 0; i-- {
		dst := x
		if i > 0 {
			dst = l.enlarged[i-1]
		}
		l.b.Copy(dst, zs[i])
		if i+1 < len(zs) {
			l.b.Resize(dst, l.enlarged[i], l.up[i], gpu.ResizeOptions{Add: true})
		}
	}
}

// gradient writes to d the gradient with respect to the bands, given the gradient g
// with respect to the image.
func (l *laplacian) gradient(g *gpu.Array) {
	l.b.Copy(l.ds[0], g)
	for i, up := range l.up {
		l.b.Resize(l.ds[i+1], l.ds[i], up.Back(), gpu.ResizeOptions{})
	}
}

// show writes to x the image that the optimiser would return. It uses the gradient's
// array, which is free between iterations.
func (l *laplacian) show(x *gpu.Array, optimizer gpu.Optimizer) {
	l.b.Copy(l.d, l.z)
	optimizer.Result(l.d)
	l.compose(x, l.ds)
}

func (l *laplacian) bytes() int64 {
	total := 2 * l.b.Bytes(l.z.Shape)
	for _, a := range l.enlarged {
		total += l.b.Bytes(a.Shape)
	}
	return total
}

func (l *laplacian) free() {
	l.b.Free(append(l.enlarged, l.z, l.d)...)
	l.b.FreeResizers(l.up...)
}
