// Package ptx reads NVIDIA's PTX assembly, as clang and nvcc print it, into a
// checked form: variables, kernels, instructions with typed operands, and the
// control flow graph with its immediate post-dominators.
//
// The grammar of each instruction is a line in the manual's own notation, kept
// per family in the ops_*.go files; an instruction no line describes is refused.
// The package is pure Go and imports nothing of Impasto.
//
// Reference: NVIDIA, "Parallel Thread Execution ISA".
package ptx

import "fmt"

// Type is a fundamental type of PTX.
type Type uint8

const (
	NoType Type = iota
	Pred
	B8
	B16
	B32
	B64
	U8
	U16
	U32
	U64
	S8
	S16
	S32
	S64
	F16
	BF16
	TF32
	F32
	F64
	F16x2
	BF16x2
)

var typeNames = [...]string{"", "pred", "b8", "b16", "b32", "b64", "u8", "u16", "u32", "u64",
	"s8", "s16", "s32", "s64", "f16", "bf16", "tf32", "f32", "f64", "f16x2", "bf16x2"}

var typeSizes = [...]int{0, 0, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 4, 8, 4, 4}

func (t Type) String() string { return typeNames[t] }

// Size returns the bytes of a value of type t, or 0 for a predicate.
func (t Type) Size() int { return typeSizes[t] }

// Signed reports whether t is a signed integer. Float reports whether it is a
// single floating-point number.
func (t Type) Signed() bool { return S8 <= t && t <= S64 }
func (t Type) Float() bool  { return F16 <= t && t <= F64 }

func typeOf(name string) Type {
	for i, n := range typeNames {
		if n == name && i > 0 {
			return Type(i)
		}
	}
	return NoType
}

// Space is a state space.
type Space uint8

const (
	Generic Space = iota
	Global
	Shared
	Local
	Const
	ParamSpace
	RegSpace
)

var spaceNames = [...]string{"generic", "global", "shared", "local", "const", "param", "reg"}

func (s Space) String() string { return spaceNames[s] }

func spaceOf(name string) (Space, bool) {
	for i, n := range spaceNames {
		if n == name && i > 0 {
			return Space(i), true
		}
	}
	return Generic, false
}

// Module is a file of PTX.
type Module struct {
	Version     string // "6.3"
	Target      string // "sm_75"
	AddressSize int    // bits
	Vars        []*Var // at file scope
	Kernels     []*Kernel
}

// Kernel returns the entry with this name, or nil if there is none.
func (m *Module) Kernel(name string) *Kernel {
	for _, k := range m.Kernels {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Var is a variable of a state space, an array of Len elements. An extern shared
// array has Len 0.
type Var struct {
	Name   string
	Space  Space
	Type   Type
	Align  int // bytes
	Len    int
	Extern bool
	Init   []byte // initial bytes; the rest are zero
	Line   int
}

// Size returns the bytes of v.
func (v *Var) Size() int { return v.Type.Size() * v.Len }

// Param is a kernel parameter.
type Param struct {
	Name  string
	Type  Type
	Size  int // bytes
	Align int // bytes
	// Offset is the parameter's offset in the block of all parameters.
	Offset int
}

// Kernel is a .entry.
type Kernel struct {
	Name     string
	Line     int
	Params   []Param
	MaxNTid  [3]int // .maxntid, zero when absent
	ReqNTid  [3]int // .reqntid, zero when absent
	MinNCTA  int    // .minnctapersm
	Vars     []*Var // .shared and .local of the body
	Regs     []Reg
	Body     []Inst
	Branches []Flow          // parallel to Body; filled for branches only
	Symbols  map[string]bool // words of the body that may name file-scope variables
}

// Reg is a virtual register.
type Reg struct {
	Name string
	Type Type
}

// OperandKind is the kind of an operand.
type OperandKind uint8

const (
	RegOp     OperandKind = iota // Reg
	ImmOp                        // Imm: integer, or the bits of a float of the type wanted
	SpecialOp                    // Name: special register such as %tid.x
	SymOp                        // Name + Imm: address of a variable
	AddrOp                       // [Reg + Imm], [Name + Imm] or [Imm]
	VecOp                        // Elems
	LabelOp                      // Target: index into the body
	SinkOp                       // _: the result is not wanted
	PairOp                       // Elems: d|p
)

// Operand is one operand of an instruction. Reg is the index of the base register
// of an address, or -1 without one.
type Operand struct {
	Kind   OperandKind
	Reg    int
	Not    bool // !p
	Imm    uint64
	Float  int // written as a float: 32 or 64 bits
	Name   string
	Elems  []Operand
	Target int
}

// Inst is one instruction. Text is the opcode as written ("ld.global.v4.f32");
// Op is the base opcode, Mods the modifiers that the grammar matched by class
// name ("rnd" -> "rn"), with flags such as "ftz" mapped to themselves.
type Inst struct {
	Line  int
	Text  string
	Op    string
	Mods  map[string]string
	Guard int // predicate register of @p, -1 without
	Neg   bool
	Args  []Operand
}

// Has reports whether modifier or class name is present.
func (in *Inst) Has(name string) bool { _, ok := in.Mods[name]; return ok }

// Type returns the type modifier in class ("type", "dtype", "atype").
func (in *Inst) Type(class string) Type { return typeOf(in.Mods[class]) }

// Space returns the state space of a memory instruction.
func (in *Inst) Space() Space { s, _ := spaceOf(in.Mods["space"]); return s }

// Vec returns the number of elements of a vector access: 1, 2 or 4.
func (in *Inst) Vec() int {
	switch in.Mods["vec"] {
	case "v2":
		return 2
	case "v4":
		return 4
	}
	return 1
}

// Flow says where control may go after a branch, and where its paths meet again.
type Flow struct {
	// Meet is the instruction at which the paths reconverge, the branch's immediate
	// post-dominator. It is len(Body) if they meet only at the exit.
	Meet int
}

// Refused lists every instruction of a module that matches no grammar rule.
type Refused []Error

func (r Refused) Error() string {
	s := fmt.Sprintf("ptx: %d instructions refused", len(r))
	if len(r) == 1 {
		s = "ptx: 1 instruction refused"
	}
	for _, e := range r {
		s += fmt.Sprintf("\n  line %d: %s", e.Line, e.Text)
	}
	return s
}
