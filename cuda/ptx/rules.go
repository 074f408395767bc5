package ptx

import (
	"fmt"
	"strings"
)

// A rule describes one instruction in the manual's notation:
//
//	add.rnd{.ftz}{.sat}.f32  d, a, b ; .rnd = rn rz rm rp
//
// A modifier is literal, or a class when the rule defines one after ";"; braces
// make it optional. Operands are separated by commas:
//
//	d, a      register (a source may be an immediate) of the class .type
//	a:u32     of that type; a:dtype of the type matched by class .dtype
//	d:2type   of twice the size
//	p:pred    predicate
//	d|p       pair; the second predicate may be left out
//	a#4:b32   vector of 4; a* a vector of .vec elements
//	[a]       address
//	n:imm     immediate only
//	x:sym     anything mov can take: register, immediate, variable, special register
//	l:label   branch target
//	c?        may be left out
//
// Names that begin with d, p or q are written, the others read. With a ~ before
// the type (a:~type) the register may be wider than the type, as in ld, st and
// cvt.
type rule struct {
	text  string
	op    string
	slots []slot
	args  []argRule
}

type slot struct {
	name     string // class, or the literal itself
	choices  []string
	optional bool
}

type argRule struct {
	name     string
	typ      string // type name or class name
	wide     bool   // twice the size of typ
	relaxed  bool
	addr     bool
	vec      int // elements; 0: a scalar, -1: as .vec says
	pair     bool
	optional bool
	dest     bool
}

// Specials are the special registers that mov can read, with their bytes.
var Specials = map[string]int{
	"%tid.x": 4, "%tid.y": 4, "%tid.z": 4, "%ntid.x": 4, "%ntid.y": 4, "%ntid.z": 4,
	"%ctaid.x": 4, "%ctaid.y": 4, "%ctaid.z": 4, "%nctaid.x": 4, "%nctaid.y": 4, "%nctaid.z": 4,
	"%laneid": 4, "%warpid": 4, "%nwarpid": 4, "%smid": 4, "%nsmid": 4,
	"%lanemask_eq": 4, "%lanemask_le": 4, "%lanemask_lt": 4, "%lanemask_ge": 4, "%lanemask_gt": 4,
	"%dynamic_smem_size": 4, "%total_smem_size": 4, "%clock": 4, "%clock64": 8,
}

var rules = map[string][]*rule{}

// commonClasses are the classes every rule may use without defining them.
var commonClasses = map[string]string{
	"space": "global shared local const param",
	"vec":   "v2 v4",
	"sem":   "relaxed acquire release acq_rel sc weak",
	"scope": "cta gpu sys",
}

// grammar adds rules, one on each line.
func grammar(text string) {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			r := newRule(line)
			rules[r.op] = append(rules[r.op], r)
		}
	}
}

func newRule(line string) *rule {
	r := &rule{text: line}
	head, defs, _ := strings.Cut(line, ";")
	classes := map[string][]string{}
	for name, list := range commonClasses {
		classes[name] = strings.Fields(list)
	}
	for _, def := range strings.Split(defs, ";") {
		if name, list, ok := strings.Cut(def, "="); ok {
			classes[strings.TrimPrefix(strings.TrimSpace(name), ".")] = strings.Fields(list)
		}
	}
	opcode, operands, _ := strings.Cut(strings.TrimSpace(head), " ")
	opcode = strings.ReplaceAll(opcode, "{.", ".?")
	opcode = strings.ReplaceAll(opcode, "}", "")
	for i, part := range strings.Split(opcode, ".") {
		if i == 0 {
			r.op = part
			continue
		}
		s := slot{name: strings.TrimPrefix(part, "?"), optional: part[0] == '?'}
		if s.choices = classes[s.name]; s.choices == nil {
			s.choices = []string{s.name}
		}
		r.slots = append(r.slots, s)
	}
	for _, text := range strings.Split(operands, ",") {
		if text = strings.TrimSpace(text); text != "" {
			r.args = append(r.args, newArgRule(text))
		}
	}
	return r
}

func newArgRule(text string) argRule {
	a := argRule{typ: "type"}
	text, typ, typed := strings.Cut(text, ":")
	if typed {
		typ, a.relaxed = strings.CutPrefix(typ, "~")
		typ, a.wide = strings.CutPrefix(typ, "2")
		a.typ = typ
	}
	text, a.optional = strings.CutSuffix(text, "?")
	if strings.HasPrefix(text, "[") {
		a.addr, text = true, strings.Trim(text, "[]")
	}
	if name, n, ok := strings.Cut(text, "#"); ok {
		text, a.vec = name, int(n[0]-'0')
	}
	if name, ok := strings.CutSuffix(text, "*"); ok {
		text, a.vec = name, -1
	}
	if name, _, ok := strings.Cut(text, "|"); ok {
		text, a.pair = name, true
	}
	a.name = text
	a.dest = strings.IndexByte("dpq", text[0]) >= 0 && !a.addr
	return a
}

// match returns the modifiers by class if parts fit the slots of the rule. parts
// are the opcode's modifiers in order.
func (r *rule) match(parts []string) (map[string]string, bool) {
	mods := map[string]string{}
	if !matchSlots(r.slots, parts, mods) {
		return nil, false
	}
	return mods, true
}

func matchSlots(slots []slot, parts []string, mods map[string]string) bool {
	if len(slots) == 0 {
		return len(parts) == 0
	}
	s := slots[0]
	if len(parts) > 0 {
		for _, c := range s.choices {
			if c == parts[0] {
				mods[s.name] = c
				if matchSlots(slots[1:], parts[1:], mods) {
					return true
				}
				delete(mods, s.name)
				break
			}
		}
	}
	return s.optional && matchSlots(slots[1:], parts, mods)
}

// resolve finds the rule of an instruction and sets the types of its operands.
func (in *Inst) resolve(regs []Reg) error {
	parts := strings.Split(in.Text, ".")
	in.Op = parts[0]
	var fault error
	for _, r := range rules[in.Op] {
		mods, ok := r.match(parts[1:])
		if !ok {
			continue
		}
		in.Mods = mods
		if fault = r.operands(in, regs); fault == nil {
			return nil
		}
	}
	switch {
	case fault != nil:
		return fault
	case isBare(parts):
		return fmt.Errorf("%s has no rounding: the assembler may fuse it; compile with contraction off (--fmad=false, -ffp-contract=off)", in.Text)
	}
	return fmt.Errorf("unknown instruction %s", in.Text)
}

// isBare reports whether an instruction is add, sub or mul on floats without .rn.
// ptxas may contract those into fma, so that one PTX text would have two meanings.
func isBare(parts []string) bool {
	if parts[0] != "add" && parts[0] != "sub" && parts[0] != "mul" {
		return false
	}
	for _, m := range parts[1:] {
		if m == "rn" || m == "rz" || m == "rm" || m == "rp" {
			return false
		}
	}
	last := parts[len(parts)-1]
	return last == "f32" || last == "f64"
}

func (r *rule) operands(in *Inst, regs []Reg) error {
	args := in.Args
	for i := range r.args {
		a := &r.args[i]
		if len(args) == 0 {
			if a.optional {
				continue
			}
			return fmt.Errorf("%s: operand %s is missing", in.Text, a.name)
		}
		if err := a.check(in, &args[0], regs); err != nil {
			return fmt.Errorf("%s: operand %s: %w", in.Text, a.name, err)
		}
		args = args[1:]
	}
	if len(args) > 0 {
		return fmt.Errorf("%s: %d operands too many", in.Text, len(args))
	}
	return nil
}

func (a *argRule) check(in *Inst, o *Operand, regs []Reg) error {
	switch {
	case a.addr:
		if o.Kind != AddrOp {
			return fmt.Errorf("must be an address in brackets")
		}
		if o.Reg >= 0 {
			if t := regs[o.Reg].Type; t.Size() != 8 && t.Size() != 4 || t.Float() {
				return fmt.Errorf("address register %s is .%v", regs[o.Reg].Name, t)
			}
		}
		return nil
	case a.typ == "label":
		if o.Kind != SymOp {
			return fmt.Errorf("must be a label")
		}
		o.Kind = LabelOp
		return nil
	case a.typ == "imm":
		if o.Kind != ImmOp || o.Float != 0 {
			return fmt.Errorf("must be a whole number")
		}
		return nil
	}
	t := typeOf(a.typ)
	if m, ok := in.Mods[a.typ]; ok {
		t = typeOf(m)
	} else if a.typ == "sym" {
		t = in.Type("type")
	}
	if t == NoType {
		return fmt.Errorf("has no type in rule %q", a.typ)
	}
	n := a.vec
	if n < 0 {
		n = in.Vec()
	}
	switch {
	case o.Kind == VecOp && n > 0:
		if len(o.Elems) != n {
			return fmt.Errorf("has %d elements, want %d", len(o.Elems), n)
		}
		for i := range o.Elems {
			if err := a.scalar(&o.Elems[i], t, regs); err != nil {
				return err
			}
		}
		return nil
	case n > 1:
		return fmt.Errorf("must be a vector of %d", n)
	case a.pair && o.Kind == PairOp:
		if err := a.scalar(&o.Elems[0], t, regs); err != nil {
			return err
		}
		return a.scalar(&o.Elems[1], Pred, regs)
	case a.typ == "sym" && o.Kind == SymOp:
		if t.Size() != 8 && t.Size() != 4 {
			return fmt.Errorf("an address is not a .%v", t)
		}
		return nil
	case a.typ == "sym" && o.Kind == VecOp:
		return a.pack(o, t, regs)
	}
	return a.scalar(o, t, regs)
}

// pack checks the {lo, hi} of a mov that packs or unpacks t.
func (a *argRule) pack(o *Operand, t Type, regs []Reg) error {
	size := 0
	for i := range o.Elems {
		e := &o.Elems[i]
		switch e.Kind {
		case RegOp:
			size += regs[e.Reg].Type.Size()
		case SinkOp:
			size += t.Size() / len(o.Elems)
		default:
			return fmt.Errorf("elements must be registers")
		}
	}
	if size != t.Size() {
		return fmt.Errorf("elements have %d bytes, want %d", size, t.Size())
	}
	return nil
}

func (a *argRule) scalar(o *Operand, t Type, regs []Reg) error {
	size := t.Size()
	if a.wide {
		size *= 2
	}
	switch o.Kind {
	case RegOp:
		r := regs[o.Reg].Type
		switch {
		case (r == Pred) != (t == Pred):
			return fmt.Errorf("register %s is .%v, want .%v", regs[o.Reg].Name, r, t)
		case o.Not && r != Pred:
			return fmt.Errorf("only a predicate can be negated")
		case a.relaxed && r.Size() >= size:
		case r.Size() != size:
			return fmt.Errorf("register %s is .%v, want %d bytes", regs[o.Reg].Name, r, size)
		}
		return nil
	case SinkOp:
		if a.dest {
			return nil
		}
	case SpecialOp:
		if a.typ != "sym" || a.dest {
			break
		}
		if s, ok := Specials[o.Name]; !ok {
			return fmt.Errorf("unknown special register %s", o.Name)
		} else if s != size {
			return fmt.Errorf("special register %s has %d bytes, want %d", o.Name, s, size)
		}
		return nil
	case ImmOp:
		if a.dest {
			break
		}
		if a.wide {
			t = map[int]Type{2: B16, 4: B32, 8: B64}[size]
		}
		bits, err := immediate(o.Imm, o.Float, false, t)
		o.Imm, o.Float = bits, 0
		return err
	}
	return fmt.Errorf("is not %s", map[bool]string{true: "a register", false: "a register or constant"}[a.dest])
}
