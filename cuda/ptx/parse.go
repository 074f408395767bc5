package ptx

import (
	"fmt"
	"strings"
)

// Parse reads a module. It fails at the first syntax error. Instructions outside
// the grammar are collected and returned together as Refused.
func Parse(src string) (*Module, error) { return parse(src, false) }

// Headers reads only variables and kernel headers (names, parameters, launch
// bounds, shared variables). It reads no instructions, so that it can read
// signatures from PTX newer than the grammar.
func Headers(src string) (*Module, error) { return parse(src, true) }

func parse(src string, headers bool) (m *Module, err error) {
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case *Error: // of failf, from any depth
			m, err = nil, fault
		default:
			panic(fault)
		}
	}()
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, headers: headers, module: &Module{}, vars: map[string]*Var{}}
	p.file()
	if len(p.refused) > 0 {
		return nil, p.refused
	}
	return p.module, nil
}

type parser struct {
	tokens  []token
	pos     int
	headers bool
	module  *Module
	vars    map[string]*Var
	refused Refused
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != eof {
		p.pos++
	}
	return t
}

// accept reads the next token if it is text.
func (p *parser) accept(text string) bool {
	t := p.peek()
	if t.text == text && (t.kind == punct || t.kind == word) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.failf("expected %q, found %v", text, p.peek())
	}
}

// failf ends parsing with an error at the next token.
func (p *parser) failf(format string, a ...any) { failf(p.peek().line, format, a...) }

func failf(line int, format string, a ...any) { panic(&Error{line, fmt.Sprintf(format, a...)}) }

func (p *parser) name() string {
	if t := p.peek(); t.kind != word || t.text[0] == '.' {
		p.failf("expected a name, found %v", t)
	}
	return p.next().text
}

// integer reads a whole number that fits an int and is at least low.
func (p *parser) integer(low int) int {
	t := p.peek()
	if t.kind != number {
		p.failf("expected a number, found %v", t)
	}
	v, fl, err := parseNumber(t.text)
	if err != nil || fl != 0 || v > 1<<31-1 || int(v) < low {
		p.failf("%v is not a whole number from %d to %d", t, low, 1<<31-1)
	}
	p.pos++
	return int(v)
}

// number reads the bits of a number; float is 0, 32 or 64.
func (p *parser) number() (bits uint64, float int) {
	t := p.peek()
	if t.kind != number {
		p.failf("expected a number, found %v", t)
	}
	bits, float, err := parseNumber(t.text)
	if err != nil {
		p.failf("%v", err)
	}
	p.pos++
	return bits, float
}

// skipLine skips the remaining tokens on the line of the previous token.
func (p *parser) skipLine() {
	for line := p.tokens[p.pos-1].line; p.peek().kind != eof && p.peek().line == line; p.pos++ {
	}
}

// skipBraces skips { ... } with everything nested in it.
func (p *parser) skipBraces() {
	p.expect("{")
	for depth := 1; depth > 0; {
		switch t := p.next(); {
		case t.kind == eof:
			p.failf("braces are not closed")
		case t.kind == punct && t.text == "{":
			depth++
		case t.kind == punct && t.text == "}":
			depth--
		}
	}
}

// file reads
//
//	.version major.minor  .target sm_NN  .address_size 64
//	{variables | entries}
func (p *parser) file() {
	for {
		t := p.next()
		if t.kind == eof {
			break
		}
		if t.kind != word {
			p.pos--
			p.failf("expected a directive, found %v", t)
		}
		switch t.text {
		case ".version":
			p.module.Version = p.next().text
		case ".target":
			p.module.Target = p.next().text
			p.skipLine()
		case ".address_size":
			p.module.AddressSize = p.integer(32)
		case ".file", ".pragma", ".loc":
			p.skipLine()
		case ".section":
			p.next() // its name
			p.skipBraces()
		case ".visible", ".weak", ".extern", ".common":
			if p.peek().text == ".func" {
				p.failf(".func is not supported: every device function must be inlined")
			}
			if t.text == ".extern" {
				p.module.Vars = append(p.module.Vars, p.variables(true)...)
			}
		case ".func":
			p.pos--
			p.failf(".func is not supported: every device function must be inlined")
		case ".entry":
			p.entry()
		case ".global", ".const", ".shared":
			p.pos--
			p.module.Vars = append(p.module.Vars, p.variables(false)...)
		default:
			p.pos--
			p.failf("unknown directive %v", t)
		}
	}
	switch m := p.module; {
	case m.Version == "":
		p.failf(".version is missing")
	case m.Target == "":
		p.failf(".target is missing")
	case m.AddressSize != 64:
		p.failf(".address_size is %d, want 64", m.AddressSize)
	}
}

// variables reads a declaration with its state space:
//
//	.space {.align N} .type name{[len]}{ = init} {, name ...};
func (p *parser) variables(extern bool) []*Var {
	space, ok := spaceOf(strings.TrimPrefix(p.peek().text, "."))
	if !ok || space == RegSpace || space == ParamSpace {
		p.failf("expected a state space, found %v", p.peek())
	}
	p.pos++
	align := 0
	if p.accept(".align") {
		align = p.integer(1)
		if align&(align-1) != 0 || align > 4096 {
			p.failf("alignment %d is not a power of two up to 4096", align)
		}
	}
	typ := typeOf(strings.TrimPrefix(p.peek().text, "."))
	if typ == NoType || typ == Pred {
		p.failf("expected a type, found %v", p.peek())
	}
	p.pos++
	var vs []*Var
	for {
		v := &Var{Space: space, Type: typ, Align: max(align, typ.Size()), Len: 1, Extern: extern, Line: p.peek().line}
		v.Name = p.name()
		p.dimensions(v)
		if p.accept("=") {
			p.initialiser(v)
		}
		if p.vars[v.Name] != nil && v.Space != Local && v.Space != Shared {
			p.failf("variable %q is declared twice", v.Name)
		}
		p.vars[v.Name] = v
		vs = append(vs, v)
		if !p.accept(",") {
			p.expect(";")
			return vs
		}
	}
}

// dimensions reads [n][m]...; [] is an extern array of unknown length.
func (p *parser) dimensions(v *Var) {
	for p.accept("[") {
		if p.accept("]") {
			if !v.Extern || v.Space != Shared {
				p.failf("array %q has no length", v.Name)
			}
			v.Len = 0
			continue
		}
		n := p.integer(0)
		if v.Len *= n; v.Len*v.Type.Size() > 1<<30 {
			p.failf("array %q is larger than 1 GiB", v.Name)
		}
		p.expect("]")
	}
}

// initialiser reads a number or a list {a, b, {c, d}} of numbers.
func (p *parser) initialiser(v *Var) {
	if v.Space != Global && v.Space != Const {
		p.failf("a .%v variable has no initialiser", v.Space)
	}
	depth := 0
	for {
		switch {
		case p.accept("{"):
			depth++
			continue
		case p.accept("}"):
			depth--
		default:
			neg := p.accept("-")
			bits, float := p.number()
			var err error
			if bits, err = immediate(bits, float, neg, v.Type); err != nil {
				p.failf("%v", err)
			}
			for i := 0; i < v.Type.Size(); i++ {
				v.Init = append(v.Init, byte(bits>>(8*i)))
			}
		}
		for depth > 0 && p.accept("}") {
			depth--
		}
		if depth == 0 {
			break
		}
		p.expect(",")
	}
	if len(v.Init) > v.Size() {
		p.failf("%q has %d bytes of initial values, room for %d", v.Name, len(v.Init), v.Size())
	}
}
