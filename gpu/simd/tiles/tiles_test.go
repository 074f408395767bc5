package tiles

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// block is the memory from address 1000 on.
type block []byte

func (b block) span(address uint64, n int) ([]byte, error) {
	if address < 1000 || address+uint64(n) > 1000+uint64(len(b)) {
		return nil, errors.New("out of memory")
	}
	return b[address-1000:][:n], nil
}

func (b block) Read(address uint64, p []byte) error {
	s, err := b.span(address, len(p))
	copy(p, s)
	return err
}

func (b block) Write(address uint64, p []byte) error {
	s, err := b.span(address, len(p))
	copy(s, p)
	return err
}

// configuration writes LDTILECFG's operand: pairs of rows and bytes a row.
func configuration(shapes ...[2]int) block {
	b := make(block, 64)
	b[0] = 1
	for i, s := range shapes {
		b[48+i] = byte(s[0])
		binary.LittleEndian.PutUint16(b[16+2*i:], uint16(s[1]))
	}
	return b
}

func configured(t *testing.T, shapes ...[2]int) *Tiles {
	t.Helper()
	var s Tiles
	if err := s.Run(Instruction{Op: LDTILECFG, Address: Address{Base: 0, Index: none}}, &Registers{General: [16]uint64{1000}}, configuration(shapes...)); err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestConfigureRefuses(t *testing.T) {
	for text, change := range map[string]func(b block){
		"palette 2":                       func(b block) { b[0] = 2 },
		"byte 1 of the configuration":     func(b block) { b[1] = 1 },
		"byte 15 of the configuration":    func(b block) { b[15] = 1 },
		"byte 32 of the configuration":    func(b block) { b[32] = 1 },
		"byte 63 of the configuration":    func(b block) { b[63] = 1 },
		"tile 0 of 17 rows":               func(b block) { b[48] = 17 },
		"tile 0 of 16 rows of 65 bytes":   func(b block) { b[16] = 65 },
		"tile 0 of 0 rows of 64 bytes":    func(b block) { b[48] = 0 },
		"tile 7 of 3 rows of 0 bytes":     func(b block) { b[55] = 3 },
		"tile 0 of 16 rows of 4160 bytes": func(b block) { b[17] = 16 },
	} {
		b := configuration([2]int{16, 64})
		change(b)
		var s Tiles
		err := s.configure((*[64]byte)(b))
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
		if s.Configured {
			t.Errorf("%s: tiles are configured nevertheless", text)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	multiply := Instruction{Op: TDPBF16PS, Tile: 0, A: 1, B: 2}
	load := Instruction{Op: TILELOADD, Tile: 1, Address: Address{Base: 0, Index: 1, Scale: 1}}
	good := [][2]int{{5, 64}, {5, 64}, {16, 64}}
	for _, c := range []struct {
		text   string
		in     Instruction
		shapes [][2]int
		stride uint64
	}{
		{"tiles are not configured", multiply, nil, 64},
		{"tiles are not configured", Instruction{Op: TILERELEASE}, nil, 64},
		{"tile 2 of 0 rows", multiply, good[:2], 64},
		{"is no product", multiply, [][2]int{{5, 64}, {6, 64}, {16, 64}}, 64},
		{"is no product", multiply, [][2]int{{5, 64}, {5, 64}, {15, 64}}, 64},
		{"is no product", multiply, [][2]int{{5, 32}, {5, 64}, {16, 64}}, 64},
		{"tile 0 of 5 rows of 30 bytes", multiply, [][2]int{{5, 30}, {5, 64}, {16, 30}}, 64},
		{"tile 1 is not configured", load, good[:1], 64},
		{"row 4 of tile 1", load, good, 65},
		{"configured already", Instruction{Op: LDTILECFG}, good, 64},
	} {
		var s Tiles
		if c.shapes != nil {
			s = *configured(t, c.shapes...)
		}
		err := s.Run(c.in, &Registers{General: [16]uint64{1000, c.stride}}, make(block, 4*64+64))
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v with %v: %v, want %s", c.in.Op, c.shapes, err, c.text)
		}
	}
}

// TestLoadAndStore: rows are a stride apart, and only the bytes that are configured move.
func TestLoadAndStore(t *testing.T) {
	s := configured(t, [2]int{3, 20})
	memory := make(block, 300)
	for i := range memory {
		memory[i] = byte(i + 1)
	}
	regs := &Registers{General: [16]uint64{1000, 40, 1150, 25}}
	if err := s.Run(Instruction{Op: TILELOADD, Address: Address{Base: 0, Index: 1, Scale: 2, Disp: 3}}, regs, memory); err != nil {
		t.Fatal(err)
	}
	want := append(block(nil), memory...)
	for i := range 3 {
		copy(want[150+25*i:][:20], memory[3+80*i:][:20])
	}
	if err := s.Run(Instruction{Op: TILESTORED, Address: Address{Base: 2, Index: 3, Scale: 1}}, regs, memory); err != nil {
		t.Fatal(err)
	}
	if string(memory) != string(want) {
		t.Fatal("other bytes were moved")
	}
	if err := s.Run(Instruction{Op: TILEZERO}, regs, memory); err != nil || s.data[0] != (tile{}) {
		t.Fatalf("not zero: %v", err)
	}
	if err := s.Run(Instruction{Op: TILERELEASE}, regs, memory); err != nil || s.Configured {
		t.Fatalf("not released: %v", err)
	}
}

// exact is s + x*y, or s + x with y 1, as the manual rounds: to 24 bits, ties to even; what is
// below 2^-126 is a zero of its sign.
func exact(s, x, y float64) float32 {
	if math.IsNaN(s) || math.IsInf(s, 0) || math.IsNaN(x*y) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return float32(s + x*y)
	}
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(600).SetFloat64(v) }
	sum := f(0).Add(f(s), f(0).Mul(f(x), f(y)))
	if sum.Sign() == 0 {
		return float32(s + x*y) // the sign of zero
	}
	sum.SetPrec(24).SetMode(big.ToNearestEven)
	if f(0).Abs(sum).Cmp(f(0x1p-126)) < 0 {
		return float32(math.Copysign(0, float64(sum.Sign())))
	}
	r, _ := sum.Float32()
	return r
}

// TestProduct compares with sums of any precision, with numbers of every size.
func TestProduct(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := map[string]func() uint32{
		"usual": func() uint32 { return math.Float32bits(float32(r.NormFloat64())) },
		"every": r.Uint32,
		"small": func() uint32 { return r.Uint32()&0x800fffff | uint32(r.IntN(8))<<20 },
		"roots": func() uint32 { return math.Float32bits(float32(math.Ldexp(r.NormFloat64(), -63-r.IntN(14)))) },
	}
	for name, bits := range draw {
		for range 8 {
			m, k, n := 1+r.IntN(16), 1+r.IntN(16), 1+r.IntN(16)
			s := configured(t, [2]int{m, 4 * n}, [2]int{m, 4 * k}, [2]int{k, 4 * n})
			for i := range s.data {
				for j := range s.rows[i] {
					for q := range s.cols[i] / 2 {
						binary.LittleEndian.PutUint16(s.data[i][j][2*q:], uint16(bits()>>16))
					}
				}
			}
			number := func(tile, row, i int) float64 {
				u := uint32(binary.LittleEndian.Uint16(s.data[tile][row][2*i:])) << 16
				if u&0x7f800000 == 0 {
					u &= 1 << 31
				}
				return float64(math.Float32frombits(u))
			}
			want := map[[2]int]float32{}
			for i := range m {
				for j := range n {
					var sum [2]float32
					for p := range k {
						for h := range sum {
							sum[h] = exact(float64(sum[h]), number(1, i, 2*p+h), number(2, p, 2*j+h))
						}
					}
					old := binary.LittleEndian.Uint32(s.data[0][i][4*j:])
					if old&0x7f800000 == 0 {
						old &= 1 << 31
					}
					both := exact(float64(sum[0]), float64(sum[1]), 1)
					want[[2]int{i, j}] = exact(float64(math.Float32frombits(old)), float64(both), 1)
				}
			}
			if err := s.Run(Instruction{Op: TDPBF16PS, Tile: 0, A: 1, B: 2}, &Registers{}, nil); err != nil {
				t.Fatal(err)
			}
			for at, w := range want {
				got := math.Float32frombits(binary.LittleEndian.Uint32(s.data[0][at[0]][4*at[1]:]))
				if math.Float32bits(got) != math.Float32bits(w) && (got == got || w == w) {
					t.Fatalf("%s numbers, %d x %d x %d: c%v = %g (%#x), want %g (%#x)",
						name, m, k, n, at, got, math.Float32bits(got), w, math.Float32bits(w))
				}
			}
		}
	}
}

// TestFlush: the boundary is where rounding to 24 bits of any size of exponent reaches 2^-126.
func TestFlush(t *testing.T) {
	for _, x := range []float64{0x1p-126, 0x1p-126 - 0x1p-151, 0x1p-126 - 0x1.000002p-151, 0x1p-126 - 0x1p-150, 0x1p-127, 0x1p-149, 0x1p-300, 0} {
		for _, s := range []float64{x, -x} {
			if got, want := flush(s), exact(0, s, 1); math.Float32bits(got) != math.Float32bits(want) && x != 0 {
				t.Errorf("%x became %x, want %x", s, got, want)
			}
		}
	}
}
