package gpu

// windowRows is how many rows of a window a chunk moves.
const windowRows = 16

type windowTask struct {
	b            *CPU
	large, small *Array
	y, x         int // of small in large
	add          bool
}

// CopyWindow copies to dst the part of src of its size that begins at row y and
// column x.
func (b *CPU) CopyWindow(dst, src *Array, y, x int) {
	checkWindow("CopyWindow", src.Shape, dst.Shape, y, x)
	b.runWindow(windowTask{b: b, large: src, small: dst, y: y, x: x})
}

// AddWindow adds src to the part of dst of its size that begins at row y and
// column x.
func (b *CPU) AddWindow(dst, src *Array, y, x int) {
	checkWindow("AddWindow", dst.Shape, src.Shape, y, x)
	b.runWindow(windowTask{b: b, large: dst, small: src, y: y, x: x, add: true})
}

func (b *CPU) runWindow(t windowTask) {
	b.window = t
	b.workers.run(chunks(t.small.Shape.H, windowRows), &b.window)
}

func (t *windowTask) chunk(worker, i int) {
	to, of := t.large.Shape, t.small.Shape
	row := of.W * of.C
	for y := i * windowRows; y < min(of.H, (i+1)*windowRows); y++ {
		at := ((t.y+y)*to.W + t.x) * to.C
		switch {
		case !t.add && t.small.half != nil:
			copy(t.small.half[y*row:][:row], t.large.half[at:])
			continue
		case !t.add:
			copy(t.small.data[y*row:][:row], t.large.data[at:])
			continue
		}
		large := t.b.read(worker, 0, t.large, at, row)
		for j, v := range t.b.read(worker, 1, t.small, y*row, row) {
			large[j] += v
		}
		t.b.keep(t.large, at, large)
	}
}

// MoveLoss adds the loss in slot from to that in slot into.
func (b *CPU) MoveLoss(into, from int) {
	checkMoveLoss(into, from)
	b.status.Loss[into] += b.status.Loss[from]
	b.status.Loss[from] = 0
}

// Loss returns the value in a slot.
func (b *CPU) Loss(slot int) float64 {
	checkSlot("Loss", slot)
	return b.status.Loss[slot]
}

// AddLoss adds v to the value in a slot.
func (b *CPU) AddLoss(slot int, v float64) {
	checkSlot("AddLoss", slot)
	b.status.Loss[slot] += v
}
