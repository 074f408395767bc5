package ptx

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// body is the state of reading the instructions of one kernel.
type body struct {
	p      *parser
	k      *Kernel
	scopes []map[string]int // register name -> index, innermost last
	labels map[string]int
}

// maxRegs is the most registers of one kernel, because hostile text can declare
// billions.
const maxRegs = 1 << 16

// body reads { declarations, labels, instructions }.
func (p *parser) body(k *Kernel) {
	outer := maps.Clone(p.vars)
	defer func() { p.vars = outer }()
	b := &body{p: p, k: k, labels: map[string]int{}}
	if p.peek().text != "{" {
		p.expect("{")
	}
	for {
		t := p.next()
		switch {
		case t.kind == eof:
			p.failf("body of %q is not closed", k.Name)
		case t.text == "{" && t.kind == punct:
			b.scopes = append(b.scopes, map[string]int{})
		case t.text == "}" && t.kind == punct:
			if b.scopes = b.scopes[:len(b.scopes)-1]; len(b.scopes) == 0 {
				b.finish()
				return
			}
		case t.text == "@" || t.kind == word:
			p.pos--
			b.statement()
		case t.text == ";":
		default:
			p.pos--
			p.failf("expected an instruction, found %v", t)
		}
	}
}

func (b *body) statement() {
	p := b.p
	switch t := p.peek(); t.text {
	case ".reg":
		p.pos++
		b.registers()
	case ".shared", ".local":
		b.k.Vars = append(b.k.Vars, p.variables(false)...)
	case ".loc", ".file", ".pragma":
		p.pos++
		p.skipLine()
	default:
		if strings.HasPrefix(t.text, ".") {
			p.failf("unknown directive %v", t)
		}
		if n := p.tokens[p.pos+1]; n.kind == punct && n.text == ":" {
			if _, ok := b.labels[t.text]; ok {
				p.failf("label %q is placed twice", t.text)
			}
			b.labels[t.text] = len(b.k.Body)
			p.pos += 2
			return
		}
		b.instruction()
	}
}

// registers reads .reg .type name{<n>} {, name{<n>}};
func (b *body) registers() {
	p := b.p
	typ := typeOf(strings.TrimPrefix(p.peek().text, "."))
	if typ == NoType {
		p.failf("expected a type, found %v", p.peek())
	}
	p.pos++
	for {
		name := p.name()
		n := -1
		if p.accept("<") {
			n = p.integer(1)
			p.expect(">")
		}
		if len(b.k.Regs)+max(n, 1) > maxRegs {
			p.failf("more than %d registers", maxRegs)
		}
		scope := b.scopes[len(b.scopes)-1]
		declare := func(name string) {
			scope[name] = len(b.k.Regs)
			b.k.Regs = append(b.k.Regs, Reg{name, typ})
		}
		if n < 0 {
			declare(name)
		}
		for i := range max(n, 0) {
			declare(name + strconv.Itoa(i))
		}
		if !p.accept(",") {
			p.expect(";")
			return
		}
	}
}

func (b *body) register(name string) (int, bool) {
	for _, scope := range slices.Backward(b.scopes) {
		if r, ok := scope[name]; ok {
			return r, true
		}
	}
	return 0, false
}

// instruction reads {@{!}p} opcode {operand {, operand}};
func (b *body) instruction() {
	p := b.p
	in := Inst{Line: p.peek().line, Guard: -1}
	if p.accept("@") {
		in.Neg = p.accept("!")
		name := p.name()
		r, ok := b.register(name)
		if !ok || b.k.Regs[r].Type != Pred {
			p.failf("guard %q is not a predicate register", name)
		}
		in.Guard = r
	}
	in.Text = p.name()
	for p.peek().text != ";" {
		in.Args = append(in.Args, b.operand())
		if p.peek().text != ";" {
			p.expect(",")
		}
	}
	p.pos++
	if err := in.resolve(b.k.Regs); err != nil {
		p.refused = append(p.refused, Error{in.Line, err.Error()})
	}
	b.k.Body = append(b.k.Body, in)
}

// operand reads  a | -1 | !p | {a, b} | [a+4] | name{+4} | d|p
func (b *body) operand() Operand {
	p := b.p
	t := p.peek()
	if t.kind == number {
		return b.number(false)
	}
	if t.kind == punct {
		p.pos++
		switch t.text {
		case "-":
			return b.number(true)
		case "!":
			o := b.operand()
			if o.Kind != RegOp {
				p.failf("! stands before %v, not a predicate", p.tokens[p.pos-1])
			}
			o.Not = true
			return o
		case "{":
			o := Operand{Kind: VecOp}
			for {
				o.Elems = append(o.Elems, b.operand())
				if p.accept("}") {
					return o
				}
				p.expect(",")
			}
		case "[":
			return b.address()
		}
		p.pos--
	}
	if t.kind != word || t.text[0] == '.' {
		p.failf("expected an operand, found %v", t)
	}
	p.pos++
	o := b.word(t.text)
	if o.Kind == SymOp && p.peek().text == "+" {
		p.pos++
		o.Imm = b.number(p.accept("-")).Imm
	}
	if p.accept("|") {
		return Operand{Kind: PairOp, Elems: []Operand{o, b.word(p.name())}}
	}
	return o
}

func (b *body) word(name string) Operand {
	if r, ok := b.register(name); ok {
		return Operand{Kind: RegOp, Reg: r}
	}
	switch {
	case name == "_":
		return Operand{Kind: SinkOp}
	case name == "WARP_SZ":
		return Operand{Kind: ImmOp, Imm: 32}
	case strings.HasPrefix(name, "%"):
		return Operand{Kind: SpecialOp, Name: name}
	}
	b.k.Symbols[name] = true
	return Operand{Kind: SymOp, Name: name}
}

func (b *body) number(neg bool) Operand {
	bits, float := b.p.number()
	if neg {
		switch float {
		case 32:
			bits ^= 1 << 31
		case 64:
			bits ^= 1 << 63
		default:
			bits = -bits
		}
	}
	return Operand{Kind: ImmOp, Imm: bits, Float: float}
}

// address reads the rest of [base{+offset}]. base is a register, a variable, a
// parameter or a number.
func (b *body) address() Operand {
	p := b.p
	o := Operand{Kind: AddrOp, Reg: -1}
	if t := p.peek(); t.kind == word {
		switch w := b.word(t.text); w.Kind {
		case RegOp:
			o.Reg = w.Reg
		case SymOp:
			o.Name = w.Name
		default:
			p.failf("%v is not an address", t)
		}
		p.pos++
	} else {
		o.Imm = b.number(false).Imm
		p.expect("]")
		return o
	}
	if p.peek().text == "+" || p.peek().text == "-" {
		neg := p.next().text == "-"
		if p.accept("-") {
			neg = !neg
		}
		n := b.number(neg)
		if n.Float != 0 {
			p.failf("the offset of an address is a whole number")
		}
		o.Imm = n.Imm
	}
	p.expect("]")
	return o
}

// finish resolves labels and names, and finds where the paths of branches meet.
func (b *body) finish() {
	k := b.k
	known := func(name string) bool {
		for _, a := range k.Params {
			if a.Name == name {
				return true
			}
		}
		return b.p.vars[name] != nil
	}
	for i := range k.Body {
		in := &k.Body[i]
		for j := range in.Args {
			o := &in.Args[j]
			switch {
			case o.Kind == LabelOp:
				at, ok := b.labels[o.Name]
				if !ok {
					failf(in.Line, "label %q is not in kernel %q", o.Name, k.Name)
				}
				o.Target = at
				delete(k.Symbols, o.Name)
			case (o.Kind == SymOp || o.Kind == AddrOp) && o.Name != "" && !known(o.Name):
				failf(in.Line, "name %q is not declared", o.Name)
			}
		}
	}
	if len(b.p.refused) == 0 {
		k.flow()
	}
}
