package ptx

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// body is the state of reading one kernel's instructions.
type body struct {
	p      *parser
	k      *Kernel
	scopes []map[string]int // register name -> index, innermost last
	labels map[string]int
}

// maxRegs bounds the registers of one kernel; hostile text can declare billions.
const maxRegs = 1 << 16

// body reads { declarations, labels, instructions }.
func (p *parser) body(k *Kernel) error {
	outer := maps.Clone(p.vars)
	defer func() { p.vars = outer }()
	b := &body{p: p, k: k, labels: map[string]int{}}
	if p.peek().text != "{" {
		return p.expect("{")
	}
	for {
		t := p.next()
		switch {
		case t.kind == eof:
			return p.errorf("body of %q is not closed", k.Name)
		case t.text == "{" && t.kind == punct:
			b.scopes = append(b.scopes, map[string]int{})
		case t.text == "}" && t.kind == punct:
			if b.scopes = b.scopes[:len(b.scopes)-1]; len(b.scopes) == 0 {
				return b.finish()
			}
		case t.text == "@" || t.kind == word:
			p.pos--
			if err := b.statement(); err != nil {
				return err
			}
		case t.text == ";":
		default:
			p.pos--
			return p.errorf("expected an instruction, found %v", t)
		}
	}
}

func (b *body) statement() error {
	p := b.p
	switch t := p.peek(); t.text {
	case ".reg":
		p.pos++
		return b.registers()
	case ".shared", ".local":
		vs, err := p.variables(false)
		b.k.Vars = append(b.k.Vars, vs...)
		return err
	case ".loc", ".file", ".pragma":
		p.pos++
		p.skipLine()
		return nil
	default:
		if strings.HasPrefix(t.text, ".") {
			return p.errorf("unknown directive %v", t)
		}
		if n := p.tokens[p.pos+1]; n.kind == punct && n.text == ":" {
			if _, ok := b.labels[t.text]; ok {
				return p.errorf("label %q is placed twice", t.text)
			}
			b.labels[t.text] = len(b.k.Body)
			p.pos += 2
			return nil
		}
	}
	return b.instruction()
}

// registers reads .reg .type name{<n>} {, name{<n>}};
func (b *body) registers() error {
	p := b.p
	typ := typeOf(strings.TrimPrefix(p.peek().text, "."))
	if typ == NoType {
		return p.errorf("expected a type, found %v", p.peek())
	}
	p.pos++
	for {
		name, err := p.name()
		if err != nil {
			return err
		}
		n := -1
		if p.accept("<") {
			if n, err = p.integer(1); err != nil {
				return err
			}
			if err := p.expect(">"); err != nil {
				return err
			}
		}
		if len(b.k.Regs)+max(n, 1) > maxRegs {
			return p.errorf("more than %d registers", maxRegs)
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
			return p.expect(";")
		}
	}
}

func (b *body) register(name string) (int, bool) {
	for i := len(b.scopes) - 1; i >= 0; i-- {
		if r, ok := b.scopes[i][name]; ok {
			return r, true
		}
	}
	return 0, false
}

// instruction reads {@{!}p} opcode {operand {, operand}};
func (b *body) instruction() error {
	p := b.p
	in := Inst{Line: p.peek().line, Guard: -1}
	if p.accept("@") {
		in.Neg = p.accept("!")
		name, err := p.name()
		if err != nil {
			return err
		}
		r, ok := b.register(name)
		if !ok || b.k.Regs[r].Type != Pred {
			return p.errorf("guard %q is not a predicate register", name)
		}
		in.Guard = r
	}
	op, err := p.name()
	if err != nil {
		return err
	}
	in.Text = op
	for p.peek().text != ";" {
		o, err := b.operand()
		if err != nil {
			return err
		}
		in.Args = append(in.Args, o)
		if p.peek().text != ";" {
			if err := p.expect(","); err != nil {
				return err
			}
		}
	}
	p.pos++
	if err := in.resolve(b.k.Regs); err != nil {
		p.refused = append(p.refused, Error{in.Line, err.Error()})
	}
	b.k.Body = append(b.k.Body, in)
	return nil
}

// operand reads  a | -1 | !p | {a, b} | [a+4] | name{+4} | d|p
func (b *body) operand() (Operand, error) {
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
			o, err := b.operand()
			if err == nil && o.Kind != RegOp {
				err = p.errorf("! stands before %v, not a predicate", p.tokens[p.pos-1])
			}
			o.Not = true
			return o, err
		case "{":
			o := Operand{Kind: VecOp}
			for {
				e, err := b.operand()
				if err != nil {
					return o, err
				}
				o.Elems = append(o.Elems, e)
				if p.accept("}") {
					return o, nil
				}
				if err := p.expect(","); err != nil {
					return o, err
				}
			}
		case "[":
			return b.address()
		}
		p.pos--
	}
	if t.kind != word || t.text[0] == '.' {
		return Operand{}, p.errorf("expected an operand, found %v", t)
	}
	p.pos++
	o := b.word(t.text)
	if o.Kind == SymOp && p.peek().text == "+" {
		p.pos++
		n, err := b.number(p.accept("-"))
		if err != nil {
			return o, err
		}
		o.Imm = n.Imm
	}
	if p.accept("|") {
		name, err := p.name()
		if err != nil {
			return o, err
		}
		second := b.word(name)
		return Operand{Kind: PairOp, Elems: []Operand{o, second}}, nil
	}
	return o, nil
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

func (b *body) number(neg bool) (Operand, error) {
	p := b.p
	t := p.peek()
	if t.kind != number {
		return Operand{}, p.errorf("expected a number, found %v", t)
	}
	bits, float, err := parseNumber(t.text)
	if err != nil {
		return Operand{}, p.errorf("%v", err)
	}
	p.pos++
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
	return Operand{Kind: ImmOp, Imm: bits, Float: float}, nil
}

// address reads the rest of [base{+offset}], base a register, a variable, a
// parameter or a number.
func (b *body) address() (Operand, error) {
	p := b.p
	o := Operand{Kind: AddrOp, Reg: -1}
	if t := p.peek(); t.kind == word {
		switch w := b.word(t.text); w.Kind {
		case RegOp:
			o.Reg = w.Reg
		case SymOp:
			o.Name = w.Name
		default:
			return o, p.errorf("%v is not an address", t)
		}
		p.pos++
	} else {
		n, err := b.number(false)
		if err != nil {
			return o, err
		}
		o.Imm = n.Imm
		return o, p.expect("]")
	}
	if p.peek().text == "+" || p.peek().text == "-" {
		neg := p.next().text == "-"
		if p.accept("-") {
			neg = !neg
		}
		n, err := b.number(neg)
		if err != nil {
			return o, err
		}
		if n.Float != 0 {
			return o, p.errorf("the offset of an address is a whole number")
		}
		o.Imm = n.Imm
	}
	return o, p.expect("]")
}

// finish resolves labels and names, and finds where branches meet.
func (b *body) finish() error {
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
					return &Error{in.Line, fmt.Sprintf("label %q is not in kernel %q", o.Name, k.Name)}
				}
				o.Target = at
				delete(k.Symbols, o.Name)
			case (o.Kind == SymOp || o.Kind == AddrOp) && o.Name != "" && !known(o.Name):
				return &Error{in.Line, fmt.Sprintf("name %q is not declared", o.Name)}
			}
		}
	}
	if len(b.p.refused) == 0 {
		k.flow()
	}
	return nil
}
