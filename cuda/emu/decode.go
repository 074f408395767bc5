package emu

import (
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/ptx"
)

// kernel is a .entry decoded for execution. The register file of a warp has three
// arrays, of 32-bit, 64-bit and predicate registers. In each array the kernel's
// registers come first (n32, n64, np of them), then constants and special
// registers.
type kernel struct {
	module *module
	sig    *cuda.Signature
	code   []op

	n32, n64, np             int
	slots32, slots64, slotsP int
	const32                  map[uint32]int32
	const64                  map[uint64]int32
	constP                   map[bool]int32
	special                  map[string]int32

	shared        int // static bytes, up to the extern array
	local         int // bytes per thread
	paramBytes    int
	sharedGranule uint // log2 of the smallest access, see race.go
	globalGranule uint

	total                      []Stat // over all launches
	launches, blocks, barriers int64
	pool                       []*block
}

// memop holds the operands of an access: the base register (its slot, or -1 without
// one; wide says its class), the offset, the bytes per element, and the elements
// and their slots.
type memop struct {
	space  ptx.Space
	base   int32
	wide   bool
	offset uint64
	size   uint64  // of one element
	bytes  uint64  // of the whole access
	vec    []int32 // data registers; -1 discards
	signed bool    // sub-word loads extend the sign
	weak   bool    // ordinary access, subject to the race rules
	mem64  bool    // data registers are 64-bit
	quad   bool    // four words, all of them used
	keep   uint32  // the bits a data register narrower than its slot has
}

// decoding is the state of converting one ptx.Inst to an op.
type decoding struct {
	k         *kernel
	src       *ptx.Kernel
	in        *ptx.Inst
	o         *op
	slot      []int32           // register index -> slot
	offsets   map[string]int    // shared and local variables
	addresses map[string]uint64 // global and const variables
}

// decoders maps base opcodes to the functions that decode them.
var decoders = map[string]func(d *decoding) run{}

// run executes an instruction for the lanes m.
type run = func(w *warp, o *op, m uint32)

func decode(m *module, src *ptx.Kernel) (*kernel, error) {
	k := &kernel{module: m, sig: cuda.SignatureOf(m.ptx, src),
		const32: map[uint32]int32{}, const64: map[uint64]int32{}, constP: map[bool]int32{}, special: map[string]int32{},
		sharedGranule: 4, globalGranule: 4}
	d := &decoding{k: k, src: src, slot: make([]int32, len(src.Regs)), addresses: m.addresses}
	for i, r := range src.Regs {
		n := &k.n32
		switch {
		case r.Type == ptx.Pred:
			n = &k.np
		case r.Type.Size() == 8:
			n = &k.n64
		}
		d.slot[i] = int32(*n)
		*n++
	}
	k.slots32, k.slots64, k.slotsP = k.n32, k.n64, k.np
	var local []*ptx.Var
	for _, v := range src.Vars {
		if v.Space == ptx.Local {
			local = append(local, v)
		}
	}
	d.offsets, k.shared = ptx.Layout(m.ptx.SharedVars(src))
	if max := m.device.info.SharedBlock; k.shared > max {
		return nil, cuda.Errorf(cuda.InvalidPTX, "load of "+src.Name, "%d bytes of static shared memory, the device has %d", k.shared, max)
	}
	at, n := ptx.Layout(local)
	maps.Copy(d.offsets, at)
	k.local = n
	for _, p := range src.Params {
		k.paramBytes = p.Offset + p.Size
	}
	for i := range src.Body {
		k.code = append(k.code, op{})
		if err := d.instruction(&src.Body[i], &k.code[i], src.Branches[i]); err != nil {
			return nil, fmt.Errorf("kernel %s, line %d: %s: %w", src.Name, src.Body[i].Line, src.Body[i].Text, err)
		}
	}
	last := op{kind: leave, guard: -1, text: "end of kernel", class: ClassControl}
	if n := len(src.Body); n > 0 {
		last.line = src.Body[n-1].Line
	}
	k.code = append(k.code, last)
	k.total = make([]Stat, len(k.code))
	return k, nil
}

func (d *decoding) instruction(in *ptx.Inst, o *op, flow ptx.Flow) (err error) {
	d.in, d.o = in, o
	*o = op{guard: -1, pc: int32(len(d.k.code) - 1), line: in.Line, text: in.Text, neg: in.Neg, class: classOf(in)}
	if in.Guard >= 0 {
		o.guard = d.slot[in.Guard]
	}
	switch in.Op {
	case "bra":
		o.kind, o.target, o.meet = branch, int32(in.Args[0].Target), int32(flow.Meet)
		return nil
	case "ret", "exit":
		o.kind = leave
		return nil
	}
	dec, ok := decoders[in.Op]
	if !ok {
		return fmt.Errorf("the software device has no %s", in.Op)
	}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(decodeError)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	if o.run = dec(d); o.run == nil {
		return fmt.Errorf("the software device has no such form")
	}
	return nil
}

type decodeError struct{ error }

func (d *decoding) fail(format string, a ...any) {
	panic(decodeError{fmt.Errorf(format, a...)})
}

// typ returns the instruction's .type modifier, or its last modifier in forms that
// write out their type.
func (d *decoding) typ() ptx.Type {
	if t := d.in.Type("type"); t != ptx.NoType {
		return t
	}
	parts := strings.Split(d.in.Text, ".")
	return d.in.Type(parts[len(parts)-1])
}

// srcs sets a, b and c to the operands from first on.
func (d *decoding) srcs(first int) {
	for i, p := range []*int32{&d.o.a, &d.o.b, &d.o.c} {
		if first+i < len(d.in.Args) {
			*p = d.source(first+i, d.typ())
		}
	}
}

// reg returns the slot of a destination register. Unused results go to a scratch
// slot.
func (d *decoding) reg(o *ptx.Operand, t ptx.Type) int32 {
	switch o.Kind {
	case ptx.RegOp:
		return d.slot[o.Reg]
	case ptx.SinkOp:
		return d.named("_", t)
	}
	d.fail("operand is not a register")
	return 0
}

// dest returns the slot of operand i, which is the destination.
func (d *decoding) dest(i int) int32 { return d.reg(&d.in.Args[i], d.typ()) }

func (d *decoding) source(i int, t ptx.Type) int32 { return d.sourceOp(&d.in.Args[i], t) }

// sourceOp returns the slot of a source operand of type t. Constants have the width
// of t.
func (d *decoding) sourceOp(o *ptx.Operand, t ptx.Type) int32 {
	switch o.Kind {
	case ptx.RegOp:
		return d.slot[o.Reg]
	case ptx.ImmOp:
		return d.constant(o.Imm, t)
	case ptx.SpecialOp:
		return d.named(o.Name, t)
	case ptx.SymOp:
		return d.constant(d.symbol(o.Name)+o.Imm, t)
	case ptx.SinkOp:
		return -1
	}
	d.fail("operand is not a register or constant")
	return 0
}

// flip returns the value to xor with operand i, a predicate: all lanes if it is !p,
// and otherwise 0.
func (d *decoding) flip(i int) uint32 {
	if d.in.Args[i].Not {
		return full
	}
	return 0
}

// pair returns the destination of an instruction that may have a second one, d
// p, and the slot of the second, or -1 without one.
func (d *decoding) pair() (dest *ptx.Operand, second int32) {
	dest = &d.in.Args[0]
	if dest.Kind != ptx.PairOp {
		return dest, -1
	}
	if p := &dest.Elems[1]; p.Kind != ptx.SinkOp {
		return &dest.Elems[0], d.reg(p, ptx.Pred)
	}
	return &dest.Elems[0], -1
}

func (d *decoding) constant(v uint64, t ptx.Type) int32 {
	k := d.k
	switch {
	case t == ptx.Pred:
		return intern(k.constP, v != 0, &k.slotsP)
	case t.Size() == 8:
		return intern(k.const64, v, &k.slots64)
	}
	return intern(k.const32, uint32(v), &k.slots32)
}

// named returns the slot of a special register. There is one for each width.
func (d *decoding) named(name string, t ptx.Type) int32 {
	k := d.k
	switch {
	case t == ptx.Pred:
		return intern(k.special, name+":p", &k.slotsP)
	case t.Size() == 8:
		return intern(k.special, name+":64", &k.slots64)
	}
	return intern(k.special, name, &k.slots32)
}

func intern[K comparable](m map[K]int32, key K, next *int) int32 {
	if s, ok := m[key]; ok {
		return s
	}
	m[key] = int32(*next)
	*next++
	return m[key]
}

// symbol returns the address of a variable in its own space.
func (d *decoding) symbol(name string) uint64 {
	if o, ok := d.offsets[name]; ok {
		return uint64(o)
	}
	if a, ok := d.addresses[name]; ok {
		return a
	}
	for _, p := range d.src.Params {
		if p.Name == name {
			return uint64(p.Offset)
		}
	}
	d.fail("name %q has no address", name)
	return 0
}

// address sets the memop's base and offset from operand i.
func (d *decoding) address(i int) {
	a, o := &d.in.Args[i], d.o
	o.base, o.offset = -1, a.Imm
	switch {
	case a.Reg >= 0:
		o.base, o.wide = d.slot[a.Reg], d.src.Regs[a.Reg].Type.Size() == 8
	case a.Name != "":
		o.offset += d.symbol(a.Name)
	}
}

// granule records the size of an access for the race tags of its space.
func (d *decoding) granule(space ptx.Space, bytes uint64) {
	shift := uint(math.Log2(float64(bytes)))
	if space == ptx.Shared || space == ptx.Generic {
		d.k.sharedGranule = min(d.k.sharedGranule, shift)
	}
	if space == ptx.Global || space == ptx.Generic || space == ptx.Const {
		d.k.globalGranule = min(d.k.globalGranule, shift)
	}
}

// preset sets the slots of constants and of special registers that are the same for
// all blocks of a launch.
func (k *kernel) preset(w *warp, dynamic int) {
	for v, s := range k.const32 {
		for i := range 32 {
			w.r32[s][i] = v
		}
	}
	for v, s := range k.const64 {
		for i := range 32 {
			w.r64[s][i] = v
		}
	}
	for v, s := range k.constP {
		if v {
			w.p[s] = full
		}
	}
	b := w.block
	nw := uint32((b.threads + 31) / 32)
	for name, s := range k.special {
		if strings.Contains(name, ":") {
			continue
		}
		for i := range 32 {
			t := w.thread(i)
			v, ok := map[string]uint32{
				"%tid.x": uint32(t.X), "%tid.y": uint32(t.Y), "%tid.z": uint32(t.Z),
				"%ntid.x": uint32(b.dim.X), "%ntid.y": uint32(b.dim.Y), "%ntid.z": uint32(b.dim.Z),
				"%nctaid.x": uint32(b.grid.X), "%nctaid.y": uint32(b.grid.Y), "%nctaid.z": uint32(b.grid.Z),
				"%laneid": uint32(i), "%warpid": uint32(w.id), "%nwarpid": nw, "%smid": 0, "%nsmid": 1,
				"%lanemask_eq": 1 << i, "%lanemask_lt": 1<<i - 1, "%lanemask_le": 2<<i - 1,
				"%lanemask_gt": ^uint32(2<<i - 1), "%lanemask_ge": ^uint32(1<<i - 1),
				"%dynamic_smem_size": uint32(dynamic), "%total_smem_size": uint32(k.shared + dynamic),
			}[name]
			if ok {
				w.r32[s][i] = v
			}
		}
	}
}

// place sets the special registers that differ between blocks.
func (k *kernel) place(w *warp) {
	for axis, v := range [3]int{w.block.at.X, w.block.at.Y, w.block.at.Z} {
		if s, ok := k.special["%ctaid."+"xyz"[axis:axis+1]]; ok {
			for i := range 32 {
				w.r32[s][i] = uint32(v)
			}
		}
	}
}

func classOf(in *ptx.Inst) Class {
	float := strings.Contains(in.Text, ".f32")
	switch in.Op {
	case "ld", "st", "atom", "red":
		switch in.Space() {
		case ptx.Shared:
			return ClassShared
		case ptx.Local:
			return ClassLocal
		case ptx.ParamSpace:
			return ClassMove
		}
		return ClassGlobal
	case "mov", "cvt", "cvta":
		return ClassMove
	case "ldmatrix", "cp":
		return ClassShared
	case "shfl", "vote", "activemask", "match":
		return ClassWarp
	case "mma":
		return ClassTensor
	case "bar", "barrier", "membar", "fence":
		return ClassBarrier
	case "bra", "ret", "exit", "trap":
		return ClassControl
	case "setp", "selp":
		return ClassInt
	case "div", "rcp", "sqrt", "rsqrt", "sin", "cos", "ex2", "lg2", "tanh":
		if float {
			return ClassSpecial
		}
	case "fma":
		if float {
			return ClassFMA
		}
	}
	switch {
	case strings.HasSuffix(in.Text, ".f64"):
		return ClassDouble
	case float:
		return ClassFloat
	}
	return ClassInt
}
