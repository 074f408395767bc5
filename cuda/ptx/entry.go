package ptx

import (
	"strings"
)

// entry reads
//
//	.entry name {(params)} {.maxntid x{, y{, z}}} {.reqntid ...} {.minnctapersm n} {.maxnreg n} { body }
func (p *parser) entry() error {
	k := &Kernel{Line: p.peek().line, Symbols: map[string]bool{}}
	var err error
	if k.Name, err = p.name(); err != nil {
		return err
	}
	if p.module.Kernel(k.Name) != nil {
		return p.errorf("kernel %q is declared twice", k.Name)
	}
	if p.accept("(") {
		if err := p.params(k); err != nil {
			return err
		}
	}
	for p.peek().text != "{" {
		switch t := p.next(); t.text {
		case ".maxntid":
			err = p.extent(&k.MaxNTid)
		case ".reqntid":
			err = p.extent(&k.ReqNTid)
		case ".minnctapersm":
			k.MinNCTA, err = p.integer(1)
		case ".maxnreg":
			_, err = p.integer(1)
		case ".pragma":
			p.skipLine()
		default:
			p.pos--
			return p.errorf("unknown performance directive %v", t)
		}
		if err != nil {
			return err
		}
	}
	if p.headers {
		err = p.skimBody(k)
	} else {
		err = p.body(k)
	}
	p.module.Kernels = append(p.module.Kernels, k)
	return err
}

// params reads .param {.align N} .type {.ptr {.space} {.align N}} name{[n]} , ...
func (p *parser) params(k *Kernel) error {
	if p.accept(")") {
		return nil
	}
	offset := 0
	for {
		if err := p.expect(".param"); err != nil {
			return err
		}
		a := Param{}
		var err error
		if p.accept(".align") {
			if a.Align, err = p.integer(1); err != nil {
				return err
			}
		}
		if a.Type = typeOf(strings.TrimPrefix(p.peek().text, ".")); a.Type == NoType || a.Type == Pred {
			return p.errorf("expected a type, found %v", p.peek())
		}
		p.pos++
		if p.accept(".ptr") {
			for strings.HasPrefix(p.peek().text, ".") {
				if p.next().text == ".align" {
					if _, err := p.integer(1); err != nil {
						return err
					}
				}
			}
		}
		if a.Name, err = p.name(); err != nil {
			return err
		}
		a.Size = a.Type.Size()
		if p.accept("[") {
			n, err := p.integer(1)
			if err != nil {
				return err
			}
			if n > 4096 {
				return p.errorf("parameter %q is larger than 4096 bytes", a.Name)
			}
			a.Size *= n
			if err := p.expect("]"); err != nil {
				return err
			}
		}
		a.Align = max(a.Align, a.Type.Size())
		if a.Align&(a.Align-1) != 0 {
			return p.errorf("alignment %d is not a power of two", a.Align)
		}
		a.Offset = (offset + a.Align - 1) &^ (a.Align - 1)
		offset = a.Offset + a.Size
		k.Params = append(k.Params, a)
		if p.accept(")") {
			return nil
		}
		if err := p.expect(","); err != nil {
			return err
		}
	}
}

func (p *parser) extent(d *[3]int) error {
	*d = [3]int{1, 1, 1}
	for i := range d {
		n, err := p.integer(1)
		if err != nil {
			return err
		}
		d[i] = n
		if !p.accept(",") {
			break
		}
	}
	return nil
}

// skimBody passes over a body, keeping only its .shared variables and the
// words that may name file-scope variables.
func (p *parser) skimBody(k *Kernel) error {
	depth := 0
	for {
		switch t := p.peek(); {
		case t.kind == eof:
			return p.errorf("body of %q is not closed", k.Name)
		case t.text == ".shared":
			vs, err := p.variables(false)
			if err != nil {
				return err
			}
			k.Vars = append(k.Vars, vs...)
			continue
		case t.kind == punct && t.text == "{":
			depth++
		case t.kind == punct && t.text == "}":
			if depth--; depth == 0 {
				p.pos++
				return nil
			}
		case t.kind == word:
			k.Symbols[t.text] = true
		}
		p.pos++
	}
}

// SharedVars returns the shared variables k uses, in order of declaration:
// those of the file it names and its own.
func (m *Module) SharedVars(k *Kernel) []*Var {
	var vs []*Var
	for _, v := range m.Vars {
		if v.Space == Shared && k.Symbols[v.Name] {
			vs = append(vs, v)
		}
	}
	for _, v := range k.Vars {
		if v.Space == Shared {
			vs = append(vs, v)
		}
	}
	return vs
}

// Layout gives each variable its offset, in order of declaration, extern
// arrays last and all at the same place; total is the bytes before them.
func Layout(vars []*Var) (offset map[string]int, total int) {
	offset = map[string]int{}
	align := 1
	for _, v := range vars {
		if v.Extern {
			align = max(align, v.Align)
			continue
		}
		total = (total + v.Align - 1) &^ (v.Align - 1)
		offset[v.Name] = total
		total += v.Size()
	}
	for _, v := range vars {
		if v.Extern {
			total = (total + align - 1) &^ (align - 1)
			offset[v.Name] = total
		}
	}
	return offset, total
}
