package gpu

import "github.com/impasto/impasto/gpu/simd"

// halfStyleRows is how many positions of a StyleGrad are a chunk.
const halfStyleRows = 128

// halfStyleTask computes StyleGrad of stored features.
type halfStyleTask struct {
	dx, f   []uint16
	shift   []float32
	workers []halfStyleWorker
	matrixPanels
}

type halfStyleWorker struct {
	pixels []uint16
	rows   []uint16 // of 32 outputs
	sums   []float32
}

func (t *halfStyleTask) run(b *CPU, dx, f []uint16, d, shift []float32, c int) {
	t.dx, t.f, t.shift = dx, f, shift
	for len(t.workers) < b.workers.n {
		t.workers = append(t.workers, halfStyleWorker{rows: bf16s(halfStyleRows * halfOutputs), sums: simd.Floats(halfStyleRows * halfOutputs)})
	}
	for i := range t.workers {
		if n := halfStyleRows * halfPixel(c); len(t.workers[i].pixels) < n {
			t.workers[i].pixels = bf16s(n)
		}
	}
	t.matrixPanels.set(b, d, c)
	b.workers.run(chunks(len(f)/c, halfStyleRows), t)
}

func (t *halfStyleTask) chunk(worker, i int) {
	w, c := &t.workers[worker], t.c
	from := i * halfStyleRows
	n := min(halfStyleRows, len(t.f)/c-from)
	pixel := halfPixel(c)
	copyPixels(w.pixels, pixel, t.f[from*c:(from+n)*c], c)
	sums, rows := w.sums[:n*halfOutputs], w.rows[:n*halfOutputs]
	for first := 0; first < c; first += halfOutputs {
		cols := min(halfOutputs, c-first)
		dx := t.dx[from*c+first:]
		for r := range n {
			copy(rows[r*halfOutputs:][:cols], dx[r*c:])
		}
		t.b.widen(sums, rows)
		if t.shift != nil {
			t.b.addRow(sums, t.shift[first:first+cols])
		}
		t.multiply(w.pixels, pixel, first/halfOutputs, sums)
		t.b.round(rows, sums)
		for r := range n {
			copy(dx[r*c:][:cols], rows[r*halfOutputs:])
		}
	}
}
