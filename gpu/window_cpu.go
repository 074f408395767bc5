package gpu

// windowRows is how many rows of a window a chunk moves.
const windowRows = 16

type windowTask struct {
	large, small []float32
	to           Shape // of large
	of           Shape // of small
	y, x         int
	add          bool
}

// CopyWindow copies to dst the part of src of its size that begins at row y and
// column x.
func (b *CPU) CopyWindow(dst, src *Array, y, x int) {
	checkWindow("CopyWindow", src.Shape, dst.Shape, y, x)
	b.runWindow(windowTask{large: src.data, small: dst.data, to: src.Shape, of: dst.Shape, y: y, x: x})
}

// AddWindow adds src to the part of dst of its size that begins at row y and
// column x.
func (b *CPU) AddWindow(dst, src *Array, y, x int) {
	checkWindow("AddWindow", dst.Shape, src.Shape, y, x)
	b.runWindow(windowTask{large: dst.data, small: src.data, to: dst.Shape, of: src.Shape, y: y, x: x, add: true})
}

func (b *CPU) runWindow(t windowTask) {
	b.window = t
	b.workers.run(chunks(t.of.H, windowRows), &b.window)
}

func (t *windowTask) chunk(_, i int) {
	row := t.of.W * t.of.C
	for y := i * windowRows; y < min(t.of.H, (i+1)*windowRows); y++ {
		large := t.large[((t.y+y)*t.to.W+t.x)*t.to.C:][:row]
		small := t.small[y*row:][:row]
		if !t.add {
			copy(small, large)
			continue
		}
		for j, v := range small {
			large[j] += v
		}
	}
}

// MoveLoss adds the loss in slot from to that in slot into.
func (b *CPU) MoveLoss(into, from int) {
	checkMoveLoss(into, from)
	b.status.Loss[into] += b.status.Loss[from]
	b.status.Loss[from] = 0
}

// Loss is the value in a slot.
func (b *CPU) Loss(slot int) float64 {
	checkSlot("Loss", slot)
	return b.status.Loss[slot]
}

// AddLoss adds v to the value in a slot.
func (b *CPU) AddLoss(slot int, v float64) {
	checkSlot("AddLoss", slot)
	b.status.Loss[slot] += v
}
