package ptx

import (
	"fmt"
	"strings"
)

// Parse reads a module. It fails on the first fault of syntax; instructions
// outside the grammar are gathered and returned together as Refused.
func Parse(src string) (*Module, error) { return parse(src, false) }

// Headers reads only variables and kernel headers (names, parameters, launch
// bounds, shared variables) and looks at no instruction, so that signatures can
// be read from PTX newer than the grammar.
func Headers(src string) (*Module, error) { return parse(src, true) }

func parse(src string, headers bool) (*Module, error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, headers: headers, module: &Module{}, vars: map[string]*Var{}}
	if err := p.file(); err != nil {
		return nil, err
	}
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

// accept takes the next token if it reads text.
func (p *parser) accept(text string) bool {
	t := p.peek()
	if t.text == text && (t.kind == punct || t.kind == word) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.errorf("expected %q, found %v", text, p.peek())
	}
	return nil
}

func (p *parser) errorf(format string, a ...any) error {
	return &Error{Line: p.peek().line, Text: fmt.Sprintf(format, a...)}
}

func (p *parser) name() (string, error) {
	if t := p.peek(); t.kind != word || t.text[0] == '.' {
		return "", p.errorf("expected a name, found %v", t)
	}
	return p.next().text, nil
}

// integer reads a whole number that fits an int and is at least low.
func (p *parser) integer(low int) (int, error) {
	t := p.peek()
	if t.kind != number {
		return 0, p.errorf("expected a number, found %v", t)
	}
	v, fl, err := parseNumber(t.text)
	if err != nil || fl != 0 || v > 1<<31-1 || int(v) < low {
		return 0, p.errorf("%v is not a whole number from %d to %d", t, low, 1<<31-1)
	}
	p.pos++
	return int(v), nil
}

// skipLine drops the tokens left on the line of the token before.
func (p *parser) skipLine() {
	for line := p.tokens[p.pos-1].line; p.peek().kind != eof && p.peek().line == line; p.pos++ {
	}
}

// skipBraces drops { ... } with everything nested in it.
func (p *parser) skipBraces() error {
	if err := p.expect("{"); err != nil {
		return err
	}
	for depth := 1; depth > 0; {
		switch t := p.next(); {
		case t.kind == eof:
			return p.errorf("braces are not closed")
		case t.kind == punct && t.text == "{":
			depth++
		case t.kind == punct && t.text == "}":
			depth--
		}
	}
	return nil
}

// file reads
//
//	.version major.minor  .target sm_NN  .address_size 64
//	{variables | entries}
func (p *parser) file() error {
	for {
		t := p.next()
		if t.kind == eof {
			break
		}
		if t.kind != word {
			p.pos--
			return p.errorf("expected a directive, found %v", t)
		}
		switch t.text {
		case ".version":
			p.module.Version = p.next().text
		case ".target":
			p.module.Target = p.next().text
			p.skipLine()
		case ".address_size":
			n, err := p.integer(32)
			if err != nil {
				return err
			}
			p.module.AddressSize = n
		case ".file", ".pragma", ".loc":
			p.skipLine()
		case ".section":
			if _, err := p.sectionName(); err != nil {
				return err
			}
		case ".visible", ".weak", ".extern", ".common":
			if p.peek().text == ".func" {
				return p.errorf(".func is not supported: every device function must be inlined")
			}
			if t.text == ".extern" {
				if err := p.fileVar(true); err != nil {
					return err
				}
			}
		case ".func":
			p.pos--
			return p.errorf(".func is not supported: every device function must be inlined")
		case ".entry":
			if err := p.entry(); err != nil {
				return err
			}
		case ".global", ".const", ".shared":
			p.pos--
			if err := p.fileVar(false); err != nil {
				return err
			}
		default:
			p.pos--
			return p.errorf("unknown directive %v", t)
		}
	}
	switch m := p.module; {
	case m.Version == "":
		return p.errorf(".version is missing")
	case m.Target == "":
		return p.errorf(".target is missing")
	case m.AddressSize != 64:
		return p.errorf(".address_size is %d, want 64", m.AddressSize)
	}
	return nil
}

func (p *parser) sectionName() (string, error) {
	t := p.next()
	return t.text, p.skipBraces()
}

func (p *parser) fileVar(extern bool) error {
	vs, err := p.variables(extern)
	if err != nil {
		return err
	}
	p.module.Vars = append(p.module.Vars, vs...)
	return nil
}

// variables reads a declaration with its state space:
//
//	.space {.align N} .type name{[len]}{ = init} {, name ...};
func (p *parser) variables(extern bool) ([]*Var, error) {
	space, ok := spaceOf(strings.TrimPrefix(p.peek().text, "."))
	if !ok || space == RegSpace || space == ParamSpace {
		return nil, p.errorf("expected a state space, found %v", p.peek())
	}
	p.pos++
	align := 0
	if p.accept(".align") {
		var err error
		if align, err = p.integer(1); err != nil {
			return nil, err
		}
		if align&(align-1) != 0 || align > 4096 {
			return nil, p.errorf("alignment %d is not a power of two up to 4096", align)
		}
	}
	typ := typeOf(strings.TrimPrefix(p.peek().text, "."))
	if typ == NoType || typ == Pred {
		return nil, p.errorf("expected a type, found %v", p.peek())
	}
	p.pos++
	var vs []*Var
	for {
		v := &Var{Space: space, Type: typ, Align: max(align, typ.Size()), Len: 1, Extern: extern, Line: p.peek().line}
		var err error
		if v.Name, err = p.name(); err != nil {
			return nil, err
		}
		if err := p.dimensions(v); err != nil {
			return nil, err
		}
		if p.accept("=") {
			if err := p.initialiser(v); err != nil {
				return nil, err
			}
		}
		if p.vars[v.Name] != nil && v.Space != Local && v.Space != Shared {
			return nil, p.errorf("variable %q is declared twice", v.Name)
		}
		p.vars[v.Name] = v
		vs = append(vs, v)
		if !p.accept(",") {
			return vs, p.expect(";")
		}
	}
}

// dimensions reads [n][m]...; [] is an extern array of unknown length.
func (p *parser) dimensions(v *Var) error {
	for p.accept("[") {
		if p.accept("]") {
			if !v.Extern || v.Space != Shared {
				return p.errorf("array %q has no length", v.Name)
			}
			v.Len = 0
			continue
		}
		n, err := p.integer(0)
		if err != nil {
			return err
		}
		if v.Len *= n; v.Len*v.Type.Size() > 1<<30 {
			return p.errorf("array %q is larger than 1 GiB", v.Name)
		}
		if err := p.expect("]"); err != nil {
			return err
		}
	}
	return nil
}

// initialiser reads a number or a list {a, b, {c, d}} of numbers.
func (p *parser) initialiser(v *Var) error {
	if v.Space != Global && v.Space != Const {
		return p.errorf("a .%v variable has no initialiser", v.Space)
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
			t := p.peek()
			if t.kind != number {
				return p.errorf("expected a number, found %v", t)
			}
			bits, fl, err := parseNumber(t.text)
			if err != nil {
				return p.errorf("%v", err)
			}
			p.pos++
			if bits, err = immediate(bits, fl, neg, v.Type); err != nil {
				return p.errorf("%v", err)
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
		if err := p.expect(","); err != nil {
			return err
		}
	}
	if len(v.Init) > v.Size() {
		return p.errorf("%q has %d bytes of initial values, room for %d", v.Name, len(v.Init), v.Size())
	}
	return nil
}
