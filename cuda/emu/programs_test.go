package emu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/internal/testutil"
)

// words32 encodes words as device memory.
func words32(v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

// runProgram runs program(body) of 128 threads a block with in at p0 and out
// words, first 0, at p1.
func runProgram(t *testing.T, o Options, body string, blocks int, in []byte, out int) ([]uint32, *Device, error) {
	t.Helper()
	d := open(t, o)
	m, err := d.Load(program(body))
	if err != nil {
		t.Fatal(err)
	}
	k, _ := m.Kernel("k")
	x := upload(t, d, in)
	y := alloc(t, d, 4*out)
	if err := d.Fill(y, 0, int64(out)); err != nil {
		t.Fatal(err)
	}
	if err := d.Launch(k, cuda.Dim3{X: blocks}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(y)); err != nil {
		return nil, d, err
	}
	got := make([]byte, 4*out)
	if err := d.Download(got, y); err != nil {
		return nil, d, err
	}
	words := make([]uint32, out)
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(got[4*i:])
	}
	return words, d, nil
}

// checkProgram runs body under every schedule, and compares word i of the output
// with want(i).
func checkProgram(t *testing.T, name, body string, blocks int, in []byte, out int, want func(i int) uint32) {
	t.Helper()
	for _, o := range schedules {
		got, _, err := runProgram(t, o, body, blocks, in, out)
		if err != nil {
			t.Errorf("%s, schedule %v: %v", name, o.Schedule, err)
			continue
		}
		for i := range got {
			if got[i] != want(i) {
				t.Errorf("%s, schedule %v: word %d is %#x, want %#x", name, o.Schedule, i, got[i], want(i))
				break
			}
		}
	}
}

const (
	// ownWord leaves the address of thread t's word of p1 in %rd2.
	ownWord = "mul.wide.u32 %rd2, %r0, 4; add.s64 %rd2, %rd2, %rd1;\n"
	// ownShared leaves the address of its word of sh in %rd3, and in %r3 as 32 bits.
	ownShared = "mul.wide.u32 %rd3, %r0, 4; mov.u64 %rd4, sh; add.s64 %rd3, %rd3, %rd4; cvt.u32.u64 %r3, %rd3;\n"
)

func TestLoadsAndStores(t *testing.T) {
	testutil.Numerics(t)
	in := make([]byte, 256)
	for i := range in {
		in[i] = byte(i*37 + 200)
	}
	types := map[string]int{"b8": 1, "u8": 1, "s8": 1, "b16": 2, "u16": 2, "s16": 2, "b32": 4, "u32": 4, "s32": 4, "f32": 4, "b64": 8, "u64": 8, "s64": 8, "f64": 8}
	loads := []string{"ld.global%s.%s", "ld.volatile.global%s.%s", "ld.global.nc%s.%s", "ld%s.%s", "ld.const%s.%s", "ld.relaxed.gpu.global%s.%s", "ld.global.cg.L1::no_allocate%s.%s"}
	stores := []string{"st.global%s.%s", "st%s.%s", "st.volatile.global%s.%s", "st.relaxed.gpu.global%s.%s", "st.global.cs%s.%s"}
	for typ, size := range types {
		reg := map[int]string{1: "%h", 2: "%h", 4: "%r5", 8: "%rd1"}[size]
		for vec := 1; vec <= 4; vec *= 2 {
			if vec*size > 16 {
				continue
			}
			suffix, regs := "", reg+"0"
			if vec > 1 {
				suffix = fmt.Sprintf(".v%d", vec)
				var list []string
				for i := range vec {
					list = append(list, fmt.Sprintf("%s%d", reg, i))
				}
				regs = "{" + strings.Join(list, ", ") + "}"
			}
			for i, load := range loads {
				st := fmt.Sprintf(stores[i%len(stores)], suffix, typ)
				body := fmt.Sprintf(`setp.ne.s32 %%p1, %%r0, 0; @%%p1 ret;
%s %s, [%%rd0+16]; %s [%%rd1], %s;
st.shared%s.%s [sh+32], %s; ld.shared%s.%s %s, [sh+32]; st.global%s.%s [%%rd1+16], %s;`,
					fmt.Sprintf(load, suffix, typ), regs, st, regs, suffix, typ, regs, suffix, typ, regs, suffix, typ, regs)
				checkProgram(t, load+" "+typ, body, 1, in, 8, func(i int) uint32 {
					var w [16]byte
					copy(w[:], in[16:16+vec*size])
					return binary.LittleEndian.Uint32(w[4*(i%4):])
				})
			}
		}
	}
	// Narrow loads extend to the register; narrow stores take its low bits.
	body := `setp.ne.s32 %p1, %r0, 0; @%p1 ret;
ld.global.s8 %r1, [%rd0]; ld.global.u8 %r2, [%rd0]; ld.global.s16 %rd5, [%rd0]; ld.global.u16 %rd6, [%rd0];
st.global.u32 [%rd1], %r1; st.global.u32 [%rd1+4], %r2; st.global.u64 [%rd1+8], %rd5; st.global.u64 [%rd1+16], %rd6;
mov.b32 %r4, 0x12345678; st.global.u8 [%rd1+24], %r4; st.global.u16 [%rd1+26], %r4; mov.u64 %rd7, 0x1122334455667788; st.global.u8 [%rd1+28], %rd7;
ld.global.s8 %h1, [%rd0]; cvt.u32.u16 %r7, %h1; st.global.u32 [%rd1+32], %r7;`
	want := []uint32{0xfffffff0, 0xf0, 0xffff81f0, 0xffffffff, 0x81f0, 0, 0x56780078, 0x88, 0xfff0}
	checkProgram(t, "extension", body, 1, []byte{0xf0, 0x81}, 9, func(i int) uint32 { return want[i] })
}

func TestLocalAndGeneric(t *testing.T) {
	body := ownWord + `.local .align 8 .b8 depot[64];
mov.u64 %rd5, depot; cvta.local.u64 %rd6, %rd5;
st.local.u32 [%rd5+8], %r0; st.u8 [%rd6+12], %r0; st.local.v2.f32 [depot+16], {%f1, %f2}; st.local.f64 [depot+32], %fd1; st.local.u64 [depot+40], %rd0;
ld.local.f64 %fd2, [depot+32]; ld.local.u64 %rd9, [depot+40];
ld.u32 %r1, [%rd6+8]; ld.local.u8 %r2, [%rd5+12]; add.s32 %r1, %r1, %r2;
` + ownShared + `cvta.shared.u64 %rd7, %rd3; st.u32 [%rd7], %r1; ld.shared.u32 %r4, [%r3]; cvta.to.shared.u64 %rd8, %rd7; ld.shared.u32 %r5, [%rd8];
cvta.to.local.u64 %rd10, %rd6; ld.local.u32 %r6, [%rd10+8]; cvta.global.u64 %rd2, %rd2; cvta.to.global.u64 %rd2, %rd2;
add.s32 %r4, %r4, %r5; add.s32 %r4, %r4, %r6; st.u32 [%rd2], %r4;`
	checkProgram(t, "local", body, 1, words32(0), 128, func(i int) uint32 { return uint32(2*(2*i) + i) })
}

func TestVariables(t *testing.T) {
	src := `.version 7.0
.target sm_80
.address_size 64
.visible .const .align 4 .b8 tab[8] = {1, 0, 0, 0, 2, 1};
.visible .global .align 8 .u32 hits[3] = {5, 6};
.global .align 4 .f32 scale = 0f40000000;
.extern .shared .align 16 .b8 dyn[];
.visible .entry k(.param .u64 out, .param .u32 n, .param .f32 f) .maxntid 32, 1, 1
{
	.reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<4>;
	.shared .align 4 .b8 own[12];
	ld.param.u64 %rd1, [out]; ld.param.u32 %r1, [n]; ld.param.f32 %f1, [f];
	mov.u64 %rd2, tab; ld.const.u32 %r2, [%rd2+4]; ld.global.u32 %r3, [hits+4]; ld.global.f32 %f2, [scale];
	mul.rn.f32 %f1, %f1, %f2;
	mov.u32 %r4, dyn; mov.u32 %r5, own; sub.s32 %r6, %r4, %r5;
	st.shared.u32 [dyn+60], %r1; ld.shared.u32 %r7, [%r4+60]; mov.u32 %r8, %dynamic_smem_size;
	st.global.u32 [%rd1], %r1; st.global.u32 [%rd1+4], %r2; st.global.u32 [%rd1+8], %r3; st.global.f32 [%rd1+12], %f1;
	st.global.u32 [%rd1+16], %r6; st.global.u32 [%rd1+20], %r7; st.global.u32 [%rd1+24], %r8; st.global.u32 [hits+8], %r2;
}`
	d := open(t, Options{})
	m, err := d.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := m.Kernel("k")
	y := alloc(t, d, 28)
	if err := d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 1}, 64, new(cuda.Args).Ptr(y).Int(77).Float(1.5)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 28)
	if err := d.Download(got, y); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{77, 0x102, 6, math.Float32bits(3), 16, 77, 64} {
		if g := binary.LittleEndian.Uint32(got[4*i:]); g != want {
			t.Errorf("word %d is %d, want %d", i, g, want)
		}
	}
	p, n, err := m.Global("hits")
	if err != nil || n != 12 {
		t.Fatal(n, err)
	}
	if err := d.Download(got[:12], p); err != nil || binary.LittleEndian.Uint32(got[8:]) != 0x102 {
		t.Error("variable hits was not written", err)
	}
	if _, _, err := m.Global("misses"); cuda.CodeOf(err) != cuda.NotFound {
		t.Error(err)
	}
}

// TestSignedParameter: a 32-bit parameter read into a wider register keeps its sign.
func TestSignedParameter(t *testing.T) {
	d := open(t, Options{})
	m, err := d.Load(`.version 7.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out, .param .u32 n) .maxntid 32, 1, 1
{
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [out]; ld.param.s32 %rd2, [n]; st.global.u64 [%rd1], %rd2;
}`)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := m.Kernel("k")
	y := alloc(t, d, 8)
	if err := d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 1}, 0, new(cuda.Args).Ptr(y).Int(-5)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if err := d.Download(got, y); err != nil {
		t.Fatal(err)
	}
	if v := int64(binary.LittleEndian.Uint64(got)); v != -5 {
		t.Errorf("parameter -5 was read as %d", v)
	}
}

func TestAtomics(t *testing.T) {
	// 128 threads of 3 blocks act on one word; the order does not matter to the end.
	ops := map[string]struct {
		start, operand string
		want           uint64
	}{
		"add.u32": {"7", "2", 7 + 2*384}, "add.s32": {"7", "-1", 0xfffffe87}, "add.u64": {"7", "3", 7 + 3*384}, "add.s64": {"7", "3", 7 + 3*384},
		"min.u32": {"300", "%r0", 0}, "min.s32": {"-5", "%r0", 0xfffffffb}, "max.u32": {"5", "%r0", 127}, "max.s32": {"-5", "%r0", 127},
		"min.u64": {"300", "%rd5", 0}, "min.s64": {"-5", "%rd5", ^uint64(4)}, "max.u64": {"5", "%rd5", 127}, "max.s64": {"-5", "%rd5", 127},
		"and.b32": {"0xff", "%r0", 0}, "or.b32": {"256", "%r0", 256 + 127}, "xor.b32": {"9", "1", 9}, "exch.b32": {"9", "4", 4},
		"and.b64": {"0xff", "%rd5", 0}, "or.b64": {"256", "%rd5", 256 + 127}, "xor.b64": {"9", "1", 9}, "exch.b64": {"9", "4", 4},
		"inc.u32": {"0", "9", 384 % 10}, "dec.u32": {"0", "9", 6},
		"add.f32": {"0f40000000", "0f3f800000", fbits(2 + 384)}, "add.f64": {"0d4000000000000000", "0d3ff0000000000000", math.Float64bits(386)},
		"cas.b32": {"9", "9, 4", 4}, "cas.b64": {"9", "9, 4", 4},
	}
	for name, op := range ops {
		typ := name[len(name)-3:]
		reg := map[string]string{"32": "%r7", "64": "%rd7"}[typ[1:]]
		if typ[0] == 'f' {
			reg = map[string]string{"32": "%f7", "64": "%fd7"}[typ[1:]]
		}
		body := fmt.Sprintf(`cvt.u64.u32 %%rd5, %%r0; setp.eq.s32 %%p1, %%r0, 0; mov.u32 %%r9, %%ctaid.x; setp.eq.and.s32 %%p2, %%r9, 0, %%p1;
@%%p2 st.volatile.global.%s [%%rd1+8], 0; atom.global.%s %s, [%%rd0], %s;`, "u32", name, reg, op.operand)
		if !strings.HasPrefix(name, "exch") && !strings.HasPrefix(name, "cas") {
			body += fmt.Sprintf("\nmov.%s %s, %s; setp.ne.s32 %%p3, %%r0, %%r0; @%%p3 red.global.%s [%%rd0], %s;", typ, reg, map[bool]string{true: op.start, false: "1"}[typ[0] == 'f'], name, reg)
		}
		for _, o := range schedules {
			d := open(t, o)
			m, err := d.Load(program(body))
			if err != nil {
				t.Fatal(name, err)
			}
			k, _ := m.Kernel("k")
			var start [8]byte
			rows := runForm(t, "mov."+typ+" o0, "+op.start, []string{"b" + typ[1:]}, []string{"b32"}, [][]uint64{{0}})
			binary.LittleEndian.PutUint64(start[:], rows[0][0])
			x, y := upload(t, d, start[:]), alloc(t, d, 64)
			if err := d.Launch(k, cuda.Dim3{X: 3}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(y)); err != nil {
				t.Fatal(name, err)
			}
			if err := d.Download(start[:], x); err != nil {
				t.Fatal(err)
			}
			if got := binary.LittleEndian.Uint64(start[:]); got != op.want {
				t.Errorf("%s, schedule %v: %#x, want %#x", name, o.Schedule, got, op.want)
			}
		}
	}
	// Each thread gets another old value, and red on shared memory.
	body := `setp.ne.s32 %p1, %r0, 0; @!%p1 st.shared.u32 [sh], 0; bar.sync 0; atom.shared.add.u32 %r1, [sh], 1; red.shared.add.u32 [sh], 0;
mul.wide.u32 %rd2, %r1, 4; add.s64 %rd2, %rd2, %rd1; st.global.u32 [%rd2], 1;`
	checkProgram(t, "atom.shared", body, 1, words32(0), 128, func(int) uint32 { return 1 })
	red := `red.global.add.u32 [%rd1], 1; red.global.max.u64 [%rd1+8], 5; red.relaxed.gpu.global.or.b32 [%rd1+4], 3; red.global.max.u32 [%rd1+16], %r0;`
	checkProgram(t, "red", red, 2, words32(0), 5, func(i int) uint32 { return [5]uint32{256, 3, 5, 0, 127}[i] })
}

func TestBarriers(t *testing.T) {
	reverse := ownWord + ownShared + `st.shared.u32 [%r3], %r0; bar.sync 0; sub.s32 %r4, 508, %r3; ld.shared.u32 %r5, [%r4]; st.global.u32 [%rd2], %r5;`
	checkProgram(t, "reverse", reverse, 1, words32(0), 128, func(i int) uint32 { return uint32(127 - i) })
	for _, inst := range []string{"barrier.sync 0", "bar.sync 3, 128", "barrier.cta.sync.aligned 1"} {
		checkProgram(t, inst, strings.Replace(reverse, "bar.sync 0", inst, 1), 1, words32(0), 128, func(i int) uint32 { return uint32(127 - i) })
	}
	votes := ownWord + `setp.lt.u32 %p1, %r0, 5; bar.red.popc.u32 %r1, 0, %p1; bar.red.and.pred %p2, 0, %p1; bar.red.or.pred %p3, 0, %p1; bar.red.and.pred %p4, 0, !%p5;
barrier.red.popc.u32 %r4, 0, !%p1;
selp.b32 %r2, 1, 0, %p2; selp.b32 %r3, 2, 0, %p3; add.s32 %r2, %r2, %r3; shl.b32 %r1, %r1, 8; add.s32 %r1, %r1, %r2; add.s32 %r1, %r1, %r4; st.global.u32 [%rd2], %r1;`
	checkProgram(t, "bar.red", votes, 1, words32(0), 128, func(int) uint32 { return 5<<8 + 2 + 123 })
	// Two halves of the block wait for themselves; threads that left count as arrived.
	early := ownWord + ownShared + `setp.ge.u32 %p1, %r0, 100; @%p1 ret; st.shared.u32 [%r3], %r0; bar.sync 0;
xor.b32 %r4, %r3, 4; ld.shared.u32 %r5, [%r4]; membar.gl; fence.acq_rel.gpu; st.global.u32 [%rd2], %r5;`
	checkProgram(t, "early exit", early, 1, words32(0), 100, func(i int) uint32 { return uint32(i ^ 1) })
	// Inside a warp bar.warp.sync is enough.
	warp := strings.Replace(reverse, "bar.sync 0", "bar.warp.sync -1", 1)
	warp = strings.Replace(warp, "sub.s32 %r4, 508, %r3", "xor.b32 %r4, %r3, 124", 1)
	checkProgram(t, "bar.warp.sync", warp, 1, words32(0), 128, func(i int) uint32 { return uint32(i ^ 31) })
}

func TestWarpFunctions(t *testing.T) {
	shfl := func(mode, b, c string) string {
		return ownWord + "mul.lo.s32 %r1, %r0, 10; and.b32 %r6, %r0, 31; shfl.sync." + mode + ".b32 %r2|%p1, %r1, " + b + ", " + c +
			", -1; selp.b32 %r3, 100000, 0, %p1; add.s32 %r2, %r2, %r3; st.global.u32 [%rd2], %r2;"
	}
	value := func(i, from int, ok bool) uint32 {
		if !ok {
			return uint32(10 * i)
		}
		return uint32(10*(i&^31+from) + 100000)
	}
	checkProgram(t, "bfly", shfl("bfly", "5", "31"), 1, words32(0), 128, func(i int) uint32 { return value(i, i%32^5, true) })
	checkProgram(t, "up", shfl("up", "3", "0"), 1, words32(0), 128, func(i int) uint32 { return value(i, i%32-3, i%32 >= 3) })
	checkProgram(t, "down", shfl("down", "3", "31"), 1, words32(0), 128, func(i int) uint32 { return value(i, i%32+3, i%32 < 29) })
	checkProgram(t, "idx", shfl("idx", "%r6", "31"), 1, words32(0), 128, func(i int) uint32 { return value(i, i%32, true) })
	// Segments of 8 lanes: c = clamp 7 or 31 with mask 0x18 in bits 8-12.
	checkProgram(t, "idx width 8", shfl("idx", "2", "6175"), 1, words32(0), 128, func(i int) uint32 { return value(i, i%32&^7+2, true) })
	checkProgram(t, "down width 8", shfl("down", "2", "6175"), 1, words32(0), 128, func(i int) uint32 { return value(i, i%32+2, i%8 < 6) })
	checkProgram(t, "up width 8", shfl("up", "2", "6144"), 1, words32(0), 128, func(i int) uint32 { return value(i, i%32-2, i%8 >= 2) })

	votes := ownWord + `setp.lt.u32 %p1, %r0, 40; vote.sync.all.pred %p2, %p1, -1; vote.sync.any.pred %p3, %p1, -1; vote.sync.uni.pred %p4, %p1, -1; vote.sync.ballot.b32 %r1, %p1, -1;
vote.sync.all.pred %p5, !%p1, -1; selp.b32 %r2, 1, 0, %p2; selp.b32 %r3, 2, 0, %p3; selp.b32 %r4, 4, 0, %p4; selp.b32 %r5, 8, 0, %p5; or.b32 %r2, %r2, %r3; or.b32 %r4, %r4, %r5; or.b32 %r2, %r2, %r4;
popc.b32 %r1, %r1; shl.b32 %r1, %r1, 8; or.b32 %r1, %r1, %r2; st.global.u32 [%rd2], %r1;`
	checkProgram(t, "vote", votes, 1, words32(0), 128, func(i int) uint32 {
		switch i / 32 {
		case 0:
			return 32<<8 | 1 | 2 | 4
		case 1:
			return 8<<8 | 2
		}
		return 4 | 8
	})
	masks := ownWord + `and.b32 %r1, %r0, 3; setp.eq.s32 %p1, %r1, 2; mov.b32 %r2, 0; @%p1 bra IN; bra.uni OUT;
IN: activemask.b32 %r2; bar.warp.sync 0x44444444;
OUT: match.any.sync.b32 %r4, %r1, -1; cvt.u64.u32 %rd6, %r1; match.any.sync.b64 %r5, %rd6, -1; xor.b32 %r4, %r4, %r5; add.s32 %r2, %r2, %r4; and.b32 %r5, %r5, 15; shl.b32 %r5, %r5, 1; xor.b32 %r2, %r2, %r5; st.global.u32 [%rd2], %r2;`
	checkProgram(t, "activemask", masks, 1, words32(0), 128, func(i int) uint32 {
		if i%4 == 2 {
			return 0x44444444 ^ 8
		}
		return 2 << (i % 4)
	})
}

// TestDivergence nests branches and loops of different length per lane.
func TestDivergence(t *testing.T) {
	// Collatz steps of tid+1, with a break and a continue.
	body := ownWord + `add.s32 %r1, %r0, 1; mov.b32 %r2, 0;
LOOP: setp.eq.s32 %p1, %r1, 1; @%p1 bra DONE;
add.s32 %r2, %r2, 1; setp.gt.s32 %p4, %r2, 100; @%p4 bra DONE;
and.b32 %r3, %r1, 1; setp.eq.s32 %p2, %r3, 0; @%p2 bra EVEN;
mad.lo.s32 %r1, %r1, 3, 1; bra.uni LOOP;
EVEN: shr.u32 %r1, %r1, 1; bra LOOP;
DONE: setp.ne.s32 %p3, %r2, 0; vote.sync.any.pred %p3, %p3, -1; @!%p3 trap; st.global.u32 [%rd2], %r2; exit;`
	want := func(i int) uint32 {
		n, steps := i+1, uint32(0)
		for n != 1 && steps <= 100 {
			if steps++; steps > 100 {
				break
			}
			if n%2 == 0 {
				n /= 2
			} else {
				n = 3*n + 1
			}
		}
		return steps
	}
	checkProgram(t, "collatz", body, 1, words32(0), 128, want)
	_, d, err := runProgram(t, Options{}, body, 1, words32(0), 128)
	if err != nil {
		t.Fatal(err)
	}
	if total := d.Counters()[0].Total(); total.Diverged == 0 || total.Lanes >= 32*total.Issued {
		t.Errorf("no divergence was counted: %+v", total)
	}
}

func TestErrorsOfHostCalls(t *testing.T) {
	d := open(t, Options{Memory: 1 << 20})
	if _, err := d.Alloc(2 << 20); cuda.CodeOf(err) != cuda.OutOfMemory {
		t.Error(err)
	}
	p := alloc(t, d, 100)
	if err := d.Download(make([]byte, 4), p); err == nil || !strings.Contains(err.Error(), "never written") {
		t.Error(err)
	}
	if err := d.Upload(p, make([]byte, 101)); err == nil || !strings.Contains(err.Error(), "not inside one allocation") {
		t.Error(err)
	}
	if err := d.Free(p + 1); err == nil {
		t.Error("free of the middle of an allocation")
	}
	if err := d.Free(p); err != nil {
		t.Error(err)
	}
	if err := d.Free(p); err == nil || !strings.Contains(err.Error(), "freed before") {
		t.Error(err)
	}
	if _, err := d.Load("nonsense"); cuda.CodeOf(err) != cuda.InvalidPTX {
		t.Error(err)
	}
	_, err := d.Load(program("frob.u32 %r1, %r0;\nadd.f32 %f1, %f2, %f3;\nadd.s32 %r1, %f1;"))
	for _, want := range []string{"3 instructions refused", "line 17: unknown instruction frob.u32", "line 18: add.f32 has no rounding", "line 19: add.s32: operand b is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("load says %v, want %q", err, want)
		}
	}
	if _, err := Open(Options{Capability: 75}).Load(program("ret;")); err == nil || !strings.Contains(err.Error(), "PTX is for sm_80, the device is sm_75") {
		t.Error(err)
	}
	m, err := d.Load(program("ret;"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Kernel("none"); cuda.CodeOf(err) != cuda.NotFound {
		t.Error(err)
	}
	k, _ := m.Kernel("k")
	x := alloc(t, d, 4)
	for want, launch := range map[string]func() error{
		"1 arguments given, kernel has 2":         func() error { return d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x)) },
		"argument 1 is a 32-bit integer":          func() error { return d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Int(1)) },
		"argument 1 is a 64-bit float":            func() error { return d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Double(1)) },
		"grid (0, 1, 1)":                          func() error { return d.Launch(k, cuda.Dim3{}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(x)) },
		"compiled for at most 128":                func() error { return d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{X: 129}, 0, new(cuda.Args).Ptr(x).Ptr(x)) },
		"4096 bytes of static and 45057 of dynam": func() error { return d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 45057, new(cuda.Args).Ptr(x).Ptr(x)) },
	} {
		if err := launch(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestGraph(t *testing.T) {
	d := open(t, Options{})
	m, err := d.Load(program(ownWord + "ld.global.u32 %r1, [%rd2]; add.s32 %r1, %r1, 1; st.global.u32 [%rd2], %r1;"))
	if err != nil {
		t.Fatal(err)
	}
	k, _ := m.Kernel("k")
	x, y := alloc(t, d, 512), alloc(t, d, 512)
	g, err := d.Record(func() error {
		if err := d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(x)); err != nil {
			return err
		}
		return d.Copy(y, x, 512)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fill(x, 5, 128); err != nil {
		t.Fatal(err)
	}
	before := d.Calls()
	for range 3 {
		if err := g.Launch(); err != nil {
			t.Fatal(err)
		}
	}
	calls := d.Calls().Sub(before)
	if calls.GraphLaunches != 3 || calls.Launches != 3 || calls.Copies != 3 || calls.Allocs+calls.Uploads+calls.Downloads+calls.Syncs != 0 {
		t.Errorf("three replays made the calls %+v", calls)
	}
	got := make([]byte, 4)
	if err := d.Download(got, y+508); err != nil || got[0] != 8 {
		t.Error(got, err)
	}
	_, err = d.Record(func() error {
		d.Sync()
		return nil
	})
	if cuda.CodeOf(err) != cuda.CaptureUnsupported {
		t.Errorf("sync while recording: %v", err)
	}
	failure := errors.New("no")
	if _, err := d.Record(func() error { return failure }); err != failure {
		t.Error(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := g.Launch(); err == nil {
		t.Error("a closed graph ran")
	}
}
