package ptx

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const header = ".version 6.3\n.target sm_75\n.address_size 64\n"

// kernelOf wraps instructions; the first is on line 7.
func kernelOf(body string) string {
	return header + ".visible .entry k(.param .u64 p)\n{\n.reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .f64 %fd<9>;\n" + body + "\n}\n"
}

func TestParseKernel(t *testing.T) {
	m, err := Parse(header + `
.visible .const .align 4 .b8 tab[16] = {0, 0, 128, 63};
.global .align 8 .u32 counter = 7;
.global .f32 grid[2][3] = {{0f3F800000, 2.0, 0f00000000}, {-1.5}};
.extern .shared .align 16 .b8 dyn[];
.shared .align 8 .b8 other[24];
.visible .entry conv(
	.param .u64 .ptr .global .align 16 conv_param_0,
	.param .u32 conv_param_1, .param .align 8 .b8 conv_param_2[12]
)
.maxntid 256, 1, 1
.minnctapersm 2
{
	.shared .align 4 .b8 tile[1024];
	.local .align 16 .b8 depot[32];
	.reg .b32 %r<3>; .reg .pred %p, %q;
	.loc 1 5 3
	ld.param.u32 %r1, [conv_param_1];
	{ .reg .b32 %r1; mov.u32 %r1, %tid.x; mov.b32 %r0, dyn; }
	@!%p bra OUT; // comment
	/* another */ mov.b32 %r2, -4;
OUT: ret;
}
.visible .entry small() .reqntid 32, 2 { ret; }
.section .debug_str { .b8 1, 2 }
`)
	if err != nil {
		t.Fatal(err)
	}
	k := m.Kernel("conv")
	if k == nil || k.MaxNTid != [3]int{256, 1, 1} || k.MinNCTA != 2 || len(k.Params) != 3 || len(k.Body) != 6 {
		t.Fatalf("conv is %+v", k)
	}
	if p := k.Params[2]; p.Size != 12 || p.Align != 8 || p.Offset != 16 {
		t.Errorf("parameter 2 is %+v", p)
	}
	if a, b := k.Body[0].Args[0].Reg, k.Body[1].Args[0].Reg; a == b || k.Regs[a].Name != "%r1" || k.Regs[b].Name != "%r1" {
		t.Errorf("registers of nested scopes: %d, %d", a, b)
	}
	if in := k.Body[3]; in.Guard < 0 || !in.Neg || in.Args[0].Target != 5 || k.Branches[3].Meet != 5 {
		t.Errorf("branch is %+v, %+v", in, k.Branches[3])
	}
	if v := k.Body[4].Args[1].Imm; v != 0xfffffffc {
		t.Errorf("-4 is %#x", v)
	}
	if k := m.Kernel("small"); k == nil || k.ReqNTid != [3]int{32, 2, 1} {
		t.Errorf("small is %+v", k)
	}
	var shared []string
	for _, v := range m.SharedVars(k) {
		shared = append(shared, v.Name)
	}
	if offsets, total := Layout(m.SharedVars(k)); !slices.Equal(shared, []string{"dyn", "tile"}) || total != 1024 || offsets["dyn"] != 1024 {
		t.Errorf("shared variables %v at %v, %d bytes", shared, offsets, total)
	}
	if g := m.Vars[2]; g.Size() != 24 || string(g.Init[4:8]) != "\x00\x00\x00\x40" || string(g.Init[12:]) != "\x00\x00\xc0\xbf" {
		t.Errorf("grid is %+v", g)
	}
}

// TestRefusals lists what must be refused, and how it is told.
func TestRefusals(t *testing.T) {
	for src, want := range map[string]string{
		"":                                                          ".version is missing",
		header + "foo":                                              `line 4: unknown directive "foo"`,
		header + ".func f() { ret; }":                               "every device function must be inlined",
		strings.Replace(header, "64", "32", 1):                      ".address_size is 32, want 64",
		kernelOf("frobnicate.u32 %r1, %r2;"):                        "line 7: unknown instruction frobnicate.u32",
		kernelOf("add.f32 %f1, %f2, %f3;"):                          "add.f32 has no rounding",
		kernelOf("mul.ftz.f32 %f1, %f2, %f3;"):                      "mul.ftz.f32 has no rounding",
		kernelOf("add.rn.s32 %r1, %r2, %r3;"):                       "unknown instruction add.rn.s32",
		kernelOf("add.s32 %r1, %r2;"):                               "operand b is missing",
		kernelOf("add.s32 %r1, %r2, %r3, %r4;"):                     "1 operands too many",
		kernelOf("add.s32 %rd1, %r2, %r3;"):                         "register %rd1 is .b64, want 4 bytes",
		kernelOf("add.s32 5, %r2, %r3;"):                            "operand d: is not a register",
		kernelOf("add.s32 %r1, %p1, %r3;"):                          "register %p1 is .pred, want .s32",
		kernelOf("add.rn.f32 %f1, %f2, 3;"):                         "an integer constant cannot be a .f32",
		kernelOf("add.s32 %r1, %r2, 1.5;"):                          "a float constant cannot be a .s32",
		kernelOf("ld.global.v4.f32 {%f1, %f2}, [%rd1];"):            "has 2 elements, want 4",
		kernelOf("ld.global.v4.f32 %f1, [%rd1];"):                   "must be a vector of 4",
		kernelOf("ld.global.f32 %f1, %rd1;"):                        "must be an address in brackets",
		kernelOf("ld.global.f32 %f1, [%f2];"):                       "address register %f2 is .f32",
		kernelOf("mov.u32 %r1, %tid.w;"):                            "unknown special register %tid.w",
		kernelOf("mov.u64 %rd1, %tid.x;"):                           "special register %tid.x has 4 bytes, want 8",
		kernelOf("mov.u64 %rd1, nothing;"):                          `name "nothing" is not declared`,
		kernelOf("bra;"):                                            "bra: operand l is missing",
		kernelOf("bra NOWHERE;"):                                    `label "NOWHERE" is not in kernel "k"`,
		kernelOf("L: L: ret;"):                                      `label "L" is placed twice`,
		kernelOf("@%r1 ret;"):                                       `guard "%r1" is not a predicate`,
		kernelOf("mov.b32 %r1, {%h1, %r2};"):                        "elements have 6 bytes, want 4",
		kernelOf("mov.b32 %r1 %r2;"):                                `expected ",", found "%r2"`,
		kernelOf("ret"):                                             `expected an operand, found "}"`,
		kernelOf(".reg .b32 %x<99999999>;"):                         "more than 65536 registers",
		kernelOf(".shared .b8 big[2000000000];"):                    "larger than 1 GiB",
		kernelOf(".local .b8 x[4] = {1};"):                          "a .local variable has no initialiser",
		kernelOf("lop3.b32 %r1, %r2, %r3, %r4, %r5;"):               "must be a whole number",
		kernelOf("setp.lt.s32 %p1, %r2, !%r3;"):                     "only a predicate can be negated",
		kernelOf("cvt.f32.s32 %f1, %r1;"):                           "unknown instruction cvt.f32.s32",
		header + ".global .align 3 .b8 x;":                          "alignment 3 is not a power of two",
		header + ".global .b8 x[2] = {1, 2, 3};":                    "3 bytes of initial values, room for 2",
		header + ".global .b8 x[];":                                 "has no length",
		header + ".global .b8 x; .global .b8 x;":                    "declared twice",
		header + ".visible .entry k() {":                            "body of \"k\" is not closed",
		header + ".visible .entry k() .turbo 1 { ret; }":            "unknown performance directive",
		header + ".visible .entry k() { ret; } .entry k() { ret; }": `kernel "k" is declared twice`,
		header + "/* open":                                          "comment is not closed",
		header + ".file 1 \"open":                                   "string is not closed",
		header + "\x01":                                             "unexpected character",
	} {
		_, err := Parse(src)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", src, err, want)
		}
	}
	// All refused instructions are listed at once.
	_, err := Parse(kernelOf("frob.u32 %r1;\nret;\nadd.f32 %f1, %f1, %f1;\nwibble;"))
	if refused, ok := errors.AsType[Refused](err); !ok || len(refused) != 3 || refused[0].Line != 7 || refused[1].Line != 9 || refused[2].Line != 10 {
		t.Errorf("refused: %v", err)
	}
}

// TestGrammar checks that every rule parses in its longest form and, without
// its optional parts, in its shortest.
func TestGrammar(t *testing.T) {
	for op, list := range rules {
		for _, r := range list {
			for _, long := range []bool{false, true} {
				text := []string{op}
				for _, s := range r.slots {
					if long || !s.optional {
						text = append(text, s.choices[len(s.choices)-1])
					}
				}
				if _, ok := r.match(text[1:]); !ok {
					t.Errorf("rule %q does not match %s", r.text, strings.Join(text, "."))
				}
			}
		}
	}
}

// TestMeet draws control flow as edges and states where branches reconverge.
func TestMeet(t *testing.T) {
	for body, want := range map[string][]int{ // instruction indices of bra -> meet, in order
		"@%p1 bra A; mov.b32 %r1, 0; A: ret;":                                {2},
		"@%p1 bra A; mov.b32 %r1, 0; bra B; A: mov.b32 %r1, 1; B: ret;":      {4, 4},
		"@%p1 bra A; ret; A: mov.b32 %r1, 1; ret;":                           {4},
		"L: @%p1 bra L; ret;":                                                {1},
		"L: @%p1 bra OUT; mov.b32 %r1, 0; @%p2 bra L; OUT: ret;":             {3, 3},
		"@%p1 bra A; @%p2 bra B; A: mov.b32 %r1, 1; B: mov.b32 %r1, 2; ret;": {3, 3},
		"@%p1 ret; @%p2 bra A; mov.b32 %r1, 1; A: ret;":                      {3},
		"L: @%p1 bra M; mov.b32 %r1, 0; M: @%p2 bra L; ret;":                 {2, 3},
		"L: bra L;": {1},
	} {
		m, err := Parse(kernelOf(body))
		if err != nil {
			t.Fatal(err)
		}
		k := m.Kernels[0]
		var got []int
		for i := range k.Body {
			if k.Body[i].Op == "bra" {
				got = append(got, k.Branches[i].Meet)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: branches meet at %v, want %v", body, got, want)
		}
	}
}

func TestHeadersIgnoreBodies(t *testing.T) {
	m, err := Headers(header + ".visible .entry k(.param .u32 n) .maxntid 64, 1, 1 { .shared .align 4 .b8 s[40]; tcgen05.mma {x}, y; ret; }")
	if err != nil {
		t.Fatal(err)
	}
	if _, total := Layout(m.SharedVars(m.Kernels[0])); total != 40 || m.Kernels[0].MaxNTid[0] != 64 {
		t.Errorf("%+v", m.Kernels[0])
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"7": "7 0", "0x1F": "31 0", "017": "15 0", "0b101": "5 0", "12U": "12 0", "0": "0 0",
		"0f3F800000": "1065353216 32", "0d3FF0000000000000": "4607182418800017408 64", "1.5": "4609434218613702656 64", "1.5e-3": fmt.Sprint(math.Float64bits(0.0015), 64),
		"0f3F8": "error", "0d3F": "error", "1x": "error", "0b2": "error", "1_0": "error", "99999999999999999999": "error",
	} {
		bits, float, err := parseNumber(text)
		got := fmt.Sprint(bits, float)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// FuzzParse feeds hostile text: it must be refused or parsed, never crash.
func FuzzParse(f *testing.F) {
	f.Add(kernelOf("ld.global.v2.f32 {%f1, %f2}, [%rd1+-8]; @!%p1 bra L; setp.lt.and.f32 %p1|%p2, %f1, 0f00000000, !%p3; L: ret;"))
	f.Add(header + ".global .align 4 .f32 x[2] = {1.0, {0f3F800000}}; .extern .shared .align 16 .b8 e[];")
	shipped, _ := filepath.Glob("../../kernels/ptx/*/co*.ptx")
	for _, name := range shipped {
		if src, err := os.ReadFile(name); err == nil {
			f.Add(string(src[:min(len(src), 6000)]))
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<16 {
			return
		}
		m, err := Parse(src)
		if err != nil {
			return
		}
		for _, k := range m.Kernels {
			Layout(m.SharedVars(k))
		}
		if _, err := Headers(src); err != nil {
			t.Errorf("parsed, but its headers alone do not: %v", err)
		}
	})
}
