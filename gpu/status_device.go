package gpu

import (
	"bytes"

	"github.com/impasto/impasto/cuda"
)

// Scalars on a device lie in blocks of 8-byte cells, which only kernels change during
// iterations. Between scales the host reads and writes them as structs. The stateIO
// description of such a struct lists the cells in the order of the kernels' struct.

// statusBytes is the size of struct Status of kernels/optimizer.cuh: slots, then sum,
// gradient norm, step size, and five counts.
const statusBytes = 8 * (Slots + 8)

// cellBytes returns the bytes that describe writes.
func cellBytes(describe func(*stateIO)) []byte {
	var buf bytes.Buffer
	describe(&stateIO{w: &buf})
	return buf.Bytes()
}

// newCells allocates a block of cells with the values that describe writes.
func (b *Device) newCells(describe func(*stateIO)) cuda.Ptr {
	text := cellBytes(describe)
	p := b.alloc(int64(len(text)))
	b.upload(p, text)
	return p
}

// writeCells and readCells copy a block between the host and the device. They wait.
func (b *Device) writeCells(p cuda.Ptr, describe func(*stateIO)) { b.upload(p, cellBytes(describe)) }

func (b *Device) readCells(p cuda.Ptr, describe func(*stateIO)) {
	text := make([]byte, len(cellBytes(describe)))
	b.download(text, p)
	if b.err == nil {
		describe(&stateIO{r: bytes.NewReader(text)})
	}
}

// number returns the float64 at p.
func (b *Device) number(p cuda.Ptr) (v float64) {
	b.readCells(p, func(s *stateIO) { s.number(&v) })
	return v
}

// Status waits for all operations launched before.
func (b *Device) Status() (s Status) {
	b.outside("Status")
	b.readCells(b.status, func(io *stateIO) { io.status(&s) })
	return s
}

func (b *Device) ResetStatus() {
	b.outside("ResetStatus")
	b.writeCells(b.status, func(io *stateIO) { io.status(new(Status)) })
}

// MoveLoss runs a kernel of one thread.
func (b *Device) MoveLoss(into, from int) {
	checkMoveLoss(into, from)
	b.launchMoveLoss(cuda.Dim3{X: 1}, b.slot(into), b.slot(from))
}
