package ptx

import (
	"strings"
)

// entry reads
//
//	.entry name {(params)} {.maxntid x{, y{, z}}} {.reqntid ...} {.minnctapersm n} {.maxnreg n} { body }
func (p *parser) entry() {
	k := &Kernel{Line: p.peek().line, Symbols: map[string]bool{}}
	k.Name = p.name()
	if p.module.Kernel(k.Name) != nil {
		p.failf("kernel %q is declared twice", k.Name)
	}
	if p.accept("(") {
		p.params(k)
	}
	for p.peek().text != "{" {
		switch t := p.next(); t.text {
		case ".maxntid":
			p.extent(&k.MaxNTid)
		case ".reqntid":
			p.extent(&k.ReqNTid)
		case ".minnctapersm":
			k.MinNCTA = p.integer(1)
		case ".maxnreg":
			p.integer(1)
		case ".pragma":
			p.skipLine()
		default:
			p.pos--
			p.failf("unknown performance directive %v", t)
		}
	}
	if p.headers {
		p.skimBody(k)
	} else {
		p.body(k)
	}
	p.module.Kernels = append(p.module.Kernels, k)
}

// params reads .param {.align N} .type {.ptr {.space} {.align N}} name{[n]} , ...
func (p *parser) params(k *Kernel) {
	if p.accept(")") {
		return
	}
	offset := 0
	for {
		p.expect(".param")
		a := Param{}
		if p.accept(".align") {
			a.Align = p.integer(1)
		}
		if a.Type = typeOf(strings.TrimPrefix(p.peek().text, ".")); a.Type == NoType || a.Type == Pred {
			p.failf("expected a type, found %v", p.peek())
		}
		p.pos++
		if p.accept(".ptr") {
			for strings.HasPrefix(p.peek().text, ".") {
				if p.next().text == ".align" {
					p.integer(1)
				}
			}
		}
		a.Name = p.name()
		a.Size = a.Type.Size()
		if p.accept("[") {
			n := p.integer(1)
			if n > 4096 {
				p.failf("parameter %q is larger than 4096 bytes", a.Name)
			}
			a.Size *= n
			p.expect("]")
		}
		a.Align = max(a.Align, a.Type.Size())
		if a.Align&(a.Align-1) != 0 {
			p.failf("alignment %d is not a power of two", a.Align)
		}
		a.Offset = (offset + a.Align - 1) &^ (a.Align - 1)
		offset = a.Offset + a.Size
		k.Params = append(k.Params, a)
		if p.accept(")") {
			return
		}
		p.expect(",")
	}
}

func (p *parser) extent(d *[3]int) {
	*d = [3]int{1, 1, 1}
	for i := range d {
		d[i] = p.integer(1)
		if !p.accept(",") {
			break
		}
	}
}

// skimBody skips a body, but keeps its .shared variables and the words that may
// name file-scope variables.
func (p *parser) skimBody(k *Kernel) {
	depth := 0
	for {
		switch t := p.peek(); {
		case t.kind == eof:
			p.failf("body of %q is not closed", k.Name)
		case t.text == ".shared":
			k.Vars = append(k.Vars, p.variables(false)...)
			continue
		case t.kind == punct && t.text == "{":
			depth++
		case t.kind == punct && t.text == "}":
			if depth--; depth == 0 {
				p.pos++
				return
			}
		case t.kind == word:
			k.Symbols[t.text] = true
		}
		p.pos++
	}
}

// SharedVars returns the shared variables that k uses, in order of declaration: its
// own, and those of the file that it names.
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

// Layout gives each variable its offset, in order of declaration. Extern arrays
// come last and all have the same offset. total is the number of bytes before them.
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
