package cuda

import (
	"fmt"
	"math"

	"github.com/impasto/impasto/cuda/ptx"
)

// Param is a kernel parameter: its PTX type ("u64", "f32") and bytes.
type Param struct {
	Name string
	Type string
	Size int
}

// Signature is what the header of a .entry declares about a kernel.
type Signature struct {
	Name   string
	Params []Param
	// Block is the block size that the kernel was compiled for. If Exact is set, no
	// other size is allowed (.reqntid). Otherwise Block is an upper bound
	// (.maxntid). It is zero if the header has neither.
	Block Dim3
	Exact bool
	// Shared is the static shared memory in bytes.
	Shared int
}

// Signatures reads the headers of all kernels of a PTX module.
func Signatures(src string) (map[string]*Signature, error) {
	m, err := ptx.Headers(src)
	if err != nil {
		return nil, err
	}
	out := map[string]*Signature{}
	for _, k := range m.Kernels {
		out[k.Name] = SignatureOf(m, k)
	}
	return out, nil
}

// SignatureOf returns the signature of kernel k of module m.
func SignatureOf(m *ptx.Module, k *ptx.Kernel) *Signature {
	s := &Signature{Name: k.Name}
	for _, p := range k.Params {
		s.Params = append(s.Params, Param{p.Name, p.Type.String(), p.Size})
	}
	if d := k.ReqNTid; d[0] > 0 {
		s.Block, s.Exact = Dim3{d[0], d[1], d[2]}, true
	} else if d := k.MaxNTid; d[0] > 0 {
		s.Block = Dim3{d[0], d[1], d[2]}
	}
	_, s.Shared = ptx.Layout(m.SharedVars(k))
	return s
}

// Args holds the arguments of a launch, one 8-byte cell each, in order. Its
// methods return it, so calls chain:
//
//	new(cuda.Args).Ptr(dst).Ptr(src).Int(n).Float(scale)
type Args struct {
	cells []uint64
	types []argType
}

type argType struct {
	size  int
	float bool
	wide  bool // a count that its 32 bits do not hold
}

func (a *Args) add(v uint64, size int, float bool) *Args {
	a.cells = append(a.cells, v)
	a.types = append(a.types, argType{size: size, float: float})
	return a
}

// Count appends a 32-bit integer. A launch is refused if v does not fit in 32 bits.
func (a *Args) Count(v int) *Args {
	a.add(uint64(uint32(v)), 4, false)
	if v != int(int32(v)) {
		a.cells[len(a.cells)-1], a.types[len(a.types)-1].wide = uint64(v), true
	}
	return a
}

// Ptr appends a device address. Int and Uint append 32-bit integers, Long and Ulong
// 64-bit integers, and Float and Double floating-point numbers.
func (a *Args) Ptr(p Ptr) *Args        { return a.add(uint64(p), 8, false) }
func (a *Args) Int(v int32) *Args      { return a.add(uint64(uint32(v)), 4, false) }
func (a *Args) Uint(v uint32) *Args    { return a.add(uint64(v), 4, false) }
func (a *Args) Long(v int64) *Args     { return a.add(uint64(v), 8, false) }
func (a *Args) Ulong(v uint64) *Args   { return a.add(v, 8, false) }
func (a *Args) Float(v float32) *Args  { return a.add(uint64(math.Float32bits(v)), 4, true) }
func (a *Args) Double(v float64) *Args { return a.add(math.Float64bits(v), 8, true) }

// Cells returns the arguments as 8-byte cells, little end first.
func (a *Args) Cells() []uint64 {
	if a == nil {
		return nil
	}
	return a.cells
}

// RawArgs returns arguments whose types are unknown, as a C caller passes them.
func RawArgs(cells []uint64) *Args { return &Args{cells: cells} }

// Check checks whether a launch fits the signature: the number, size and kind of
// the arguments, and the block size. It returns the block size, with zero replaced.
func (s *Signature) Check(block Dim3, args *Args) (Dim3, error) {
	call := "launch of " + s.Name
	cells := args.Cells()
	if len(cells) != len(s.Params) {
		return block, Errorf(InvalidValue, call, "%d arguments given, kernel has %d parameters", len(cells), len(s.Params))
	}
	for i, p := range s.Params {
		if p.Size > 8 {
			return block, Errorf(InvalidValue, call, "parameter %d is a structure of %d bytes; pass a pointer", i, p.Size)
		}
		if len(args.types) == 0 {
			continue
		}
		t := args.types[i]
		if t.wide {
			return block, Errorf(InvalidValue, call, "argument %d is %d, more than a 32-bit parameter holds", i, int64(cells[i]))
		}
		float := p.Type == "f32" || p.Type == "f64"
		if t.size != p.Size || (t.float != float && p.Type[0] != 'b') {
			return block, Errorf(InvalidValue, call, "argument %d is %s, parameter is .%s", i, t, p.Type)
		}
	}
	if block == (Dim3{}) {
		if s.Block == (Dim3{}) {
			return block, Errorf(InvalidValue, call, "block size is zero and the kernel has neither .reqntid nor .maxntid")
		}
		block = s.Block
	}
	block = block.Norm()
	limit := s.Block.Count()
	switch {
	case block.X <= 0 || block.Count() > 1024 || block.Z > 64:
		return block, Errorf(InvalidValue, call, "block %v is not within 1 to 1024 threads", block)
	case s.Exact && block != s.Block.Norm():
		return block, Errorf(InvalidValue, call, "block %v, kernel was compiled for %v", block, s.Block)
	case s.Block != (Dim3{}) && block.Count() > limit:
		return block, Errorf(LaunchResources, call, "block %v has %d threads, kernel was compiled for at most %d", block, block.Count(), limit)
	}
	return block, nil
}

func (t argType) String() string {
	if t.float {
		return fmt.Sprintf("a %d-bit float", 8*t.size)
	}
	return fmt.Sprintf("a %d-bit integer", 8*t.size)
}
