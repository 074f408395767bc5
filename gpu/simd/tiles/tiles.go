package tiles

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	maxRows  = 16
	rowBytes = 64
)

// Memory is the address space of a program.
type Memory interface {
	Read(address uint64, p []byte) error
	Write(address uint64, p []byte) error
}

// Tiles is the tile state of one thread.
type Tiles struct {
	Configured bool
	config     [64]byte
	rows, cols [8]int // cols in bytes; both 0 where the tile is not used
	data       [8]tile
}

type tile [maxRows][rowBytes]byte

// Registers are the general registers by number, and the address of the next instruction.
type Registers struct {
	General [16]uint64
	Next    uint64
}

func (a *Address) at(r *Registers) (base, stride uint64) {
	base = uint64(a.Disp)
	if a.Base != none {
		base += r.General[a.Base]
	}
	if a.next {
		base += r.Next
	}
	if a.Index != none {
		stride = r.General[a.Index] * a.Scale
	}
	return base, stride
}

// Run executes an instruction. An error is a fault, after which nothing has changed but
// memory that a store had reached.
func (t *Tiles) Run(in Instruction, r *Registers, m Memory) error {
	base, stride := in.Address.at(r)
	switch in.Op {
	case Prefetch:
		return nil
	case LDTILECFG:
		if t.Configured {
			return errors.New("tiles are configured already: a call has not released them")
		}
		var c [64]byte
		if err := m.Read(base+stride, c[:]); err != nil {
			return err
		}
		return t.configure(&c)
	case STTILECFG:
		return m.Write(base+stride, t.config[:])
	}
	if !t.Configured {
		return errors.New("tiles are not configured")
	}
	switch in.Op {
	case TILERELEASE:
		*t = Tiles{}
		return nil
	case TDPBF16PS:
		if err := t.fit(in.Tile, in.A, in.B); err != nil {
			return err
		}
		product(&t.data[in.Tile], &t.data[in.A], &t.data[in.B], t.rows[in.A], t.rows[in.B], t.cols[in.B]/4)
		return nil
	}
	if t.rows[in.Tile] == 0 {
		return fmt.Errorf("tile %d is not configured", in.Tile)
	}
	if t.cols[in.Tile]%4 != 0 && in.Op != TILEZERO {
		return fmt.Errorf("tile %d has rows of %d bytes", in.Tile, t.cols[in.Tile])
	}
	return t.move(in, base, stride, m)
}

// move zeroes, loads or stores a tile.
func (t *Tiles) move(in Instruction, base, stride uint64, m Memory) error {
	var loaded tile
	for i := range t.rows[in.Tile] {
		row := base + uint64(i)*stride
		var err error
		switch in.Op {
		case TILELOADD, TILELOADDT1:
			err = m.Read(row, loaded[i][:t.cols[in.Tile]])
		case TILESTORED:
			err = m.Write(row, t.data[in.Tile][i][:t.cols[in.Tile]])
		}
		if err != nil {
			return fmt.Errorf("row %d of tile %d: %w", i, in.Tile, err)
		}
	}
	if in.Op != TILESTORED {
		t.data[in.Tile] = loaded
	}
	return nil
}

// configure takes LDTILECFG's operand: palette, first row, 16 widths in bytes at byte 16
// and 16 counts of rows at byte 48, of which 8 are used. The rest is zero. The first row
// is that of a load that was interrupted; here none is.
func (t *Tiles) configure(c *[64]byte) error {
	if c[0] == 0 {
		*t = Tiles{}
		return nil
	}
	if c[0] != 1 {
		return fmt.Errorf("palette %d", c[0])
	}
	n := Tiles{Configured: true, config: *c}
	for i, b := range c {
		if b != 0 && (i > 0 && i < 16 || i >= 32 && i < 48 || i >= 56) {
			return fmt.Errorf("byte %d of the configuration is %d, not 0", i, b)
		}
	}
	for i := range n.rows {
		n.cols[i], n.rows[i] = int(binary.LittleEndian.Uint16(c[16+2*i:])), int(c[48+i])
		if n.cols[i] > rowBytes || n.rows[i] > maxRows || (n.cols[i] == 0) != (n.rows[i] == 0) {
			return fmt.Errorf("tile %d of %d rows of %d bytes", i, n.rows[i], n.cols[i])
		}
	}
	*t = n
	return nil
}

// fit checks the shapes of C (m x n float32) += A (m x k pairs) * B (k x n pairs).
func (t *Tiles) fit(c, a, b int) error {
	for _, i := range []int{c, a, b} {
		if t.rows[i] == 0 || t.cols[i]%4 != 0 {
			return fmt.Errorf("tile %d of %d rows of %d bytes", i, t.rows[i], t.cols[i])
		}
	}
	if t.rows[c] != t.rows[a] || t.cols[c] != t.cols[b] || t.cols[a]/4 != t.rows[b] {
		return fmt.Errorf("tile %d (%d x %d bytes) is no product of tile %d (%d x %d) and tile %d (%d x %d)",
			c, t.rows[c], t.cols[c], a, t.rows[a], t.cols[a], b, t.rows[b], t.cols[b])
	}
	return nil
}
