package emu

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// mmaCase is one shape: A (16, K) by rows, B (K, 8), both of small integers and
// halves so that every product and sum is exact.
func TestMma(t *testing.T) {
	for _, c := range []struct {
		inst string
		k    int
		typ  string
	}{
		{"mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", 8, "f16"},
		{"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 16, "f16"},
		{"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16, "bf16"},
		{"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 8, "tf32"},
	} {
		rng := rand.New(rand.NewPCG(1, uint64(c.k)))
		a, b, acc := make([][]float64, 16), make([][]float64, c.k), make([][]float64, 16)
		for i := range a {
			a[i], acc[i] = make([]float64, c.k), make([]float64, 8)
			for j := range a[i] {
				a[i][j] = float64(rng.IntN(33)-16) / 2
			}
			for j := range acc[i] {
				acc[i][j] = float64(rng.IntN(100))
			}
		}
		for i := range b {
			b[i] = make([]float64, 8)
			for j := range b[i] {
				b[i][j] = float64(rng.IntN(33)-16) / 2
			}
		}
		pack := func(v ...float64) uint32 {
			switch c.typ {
			case "tf32":
				return math.Float32bits(float32(v[0])) | 0x1fff // bits below tf32's are ignored
			case "bf16":
				return math.Float32bits(float32(v[0]))>>16 | math.Float32bits(float32(v[1]))&0xffff0000
			}
			return uint32(packHalf(v[0])) | uint32(packHalf(v[1]))<<16
		}
		// Registers per lane, by the manual's figures: 16-bit A has
		// (g, 2m) (g+8, 2m) (g, 2m+8) (g+8, 2m+8), tf32 A (g, m) (g+8, m) (g, m+4) (g+8, m+4).
		var in []byte
		put := func(u uint32) { in = binary.LittleEndian.AppendUint32(in, u) }
		na, nb := 4, 2
		if c.k == 8 && c.typ == "f16" {
			na, nb = 2, 1
		}
		for lane := range 32 {
			g, m := lane/4, lane%4
			for r := range na {
				row := g + 8*(r%2)
				if c.typ == "tf32" {
					put(pack(a[row][m+4*(r/2)]))
				} else {
					col := 2*m + 8*(r/2)
					put(pack(a[row][col], a[row][col+1]))
				}
			}
			for r := range nb {
				if c.typ == "tf32" {
					put(pack(b[m+4*r][g]))
				} else {
					k := 2*m + 8*r
					put(pack(b[k][g], b[k+1][g]))
				}
			}
			for r := range 4 {
				put(math.Float32bits(float32(acc[g+8*(r/2)][2*m+r%2])))
			}
		}
		regs := func(first, n int) string {
			var s []string
			for i := range n {
				s = append(s, fmt.Sprintf("%%r%d", first+i))
			}
			return "{" + strings.Join(s, ", ") + "}"
		}
		n := na + nb + 4
		body := fmt.Sprintf("setp.ge.s32 %%p1, %%r0, 32; @%%p1 ret; mul.wide.u32 %%rd2, %%r0, %d; add.s64 %%rd2, %%rd2, %%rd0;\n", 4*n)
		for i := range n {
			body += fmt.Sprintf("ld.global.u32 %%r%d, [%%rd2+%d];\n", 10+i, 4*i)
		}
		body += fmt.Sprintf("%s %s, %s, %s, %s;\nmul.wide.u32 %%rd3, %%r0, 16; add.s64 %%rd3, %%rd3, %%rd1;\n", c.inst, regs(40, 4), regs(10, na), regs(10+na, nb), regs(10+na+nb, 4))
		body += "st.global.v4.u32 [%rd3], " + regs(40, 4) + ";"
		checkProgram(t, c.inst, body, 1, in, 128, func(i int) uint32 {
			lane, r := i/4, i%4
			row, col := lane/4+8*(r/2), 2*(lane%4)+r%2
			sum := acc[row][col]
			for k := range c.k {
				sum += a[row][k] * b[k][col]
			}
			return math.Float32bits(float32(sum))
		})
	}
}

func TestLdmatrix(t *testing.T) {
	// Shared memory holds 32 rows of 8 halves, half j of row i being 100*i + j.
	fill := `and.b32 %r1, %r0, 31; setp.ge.s32 %p1, %r0, 32; @%p1 ret; mul.lo.s32 %r2, %r1, 16; mov.u32 %r3, sh; add.s32 %r3, %r3, %r2;
mul.lo.s32 %r4, %r1, 100; mul.wide.u32 %rd5, %r1, 16; mov.u64 %rd6, sh; add.s64 %rd6, %rd6, %rd5; cvta.shared.u64 %rd7, %rd6;
`
	for j := range 8 {
		fill += fmt.Sprintf("add.s32 %%r5, %%r4, %d; st.shared.u16 [%%r3+%d], %%r5;\n", j, 2*j)
	}
	for n := 1; n <= 4; n *= 2 {
		for _, trans := range []string{"", ".trans"} {
			for _, space := range []string{".shared", ""} {
				addr := map[string]string{".shared": "%r3", "": "%rd7"}[space]
				regs := "{" + strings.Join([]string{"%r10", "%r11", "%r12", "%r13"}[:n], ", ") + "}"
				inst := fmt.Sprintf("ldmatrix.sync.aligned.m8n8.x%d%s%s.b16 %s, [%s];\n", n, trans, space, regs, addr)
				body := fill + "bar.warp.sync -1;\n" + inst + fmt.Sprintf("mul.wide.u32 %%rd2, %%r0, %d; add.s64 %%rd2, %%rd2, %%rd1;\n", 4*n)
				for i := range n {
					body += fmt.Sprintf("st.global.u32 [%%rd2+%d], %%r%d;\n", 4*i, 10+i)
				}
				checkProgram(t, inst, body, 1, words32(0), 32*n, func(i int) uint32 {
					lane, m := i/n, i%n
					row, col := lane/4, 2*(lane%4)
					at := func(r, c int) uint32 { return uint32(100*(8*m+r) + c) }
					if trans != "" {
						return at(col, row) | at(col+1, row)<<16
					}
					return at(row, col) | at(row, col+1)<<16
				})
			}
		}
	}
}

func TestAsyncCopies(t *testing.T) {
	in := make([]byte, 4096)
	for i := range in {
		in[i] = byte(i * 7 / 3)
	}
	// Each thread copies n bytes in two groups, waits, and after the barrier
	// reads its neighbour's.
	for _, n := range []int{4, 8, 16} {
		for _, filled := range []bool{false, true} {
			cop, size := "ca", ""
			if n == 16 {
				cop = "cg"
			}
			if filled {
				size = ", 4"
			}
			body := fmt.Sprintf(`mul.wide.u32 %%rd5, %%r0, %[1]d; add.s64 %%rd6, %%rd5, %%rd0; mov.u64 %%rd7, sh; add.s64 %%rd7, %%rd7, %%rd5;
cp.async.%[2]s.shared.global [%%rd7], [%%rd6], %[1]d%[3]s; cp.async.commit_group;
cp.async.%[2]s.shared.global [%%rd7+2048], [%%rd6], %[1]d; cp.async.commit_group;
cp.async.wait_group 1; bar.sync 0;
xor.b32 %%r1, %%r0, 1; mul.lo.s32 %%r1, %%r1, %[1]d; mov.u32 %%r2, sh; add.s32 %%r1, %%r1, %%r2;
ld.shared.u32 %%r3, [%%r1]; ld.shared.u32 %%r4, [%%r1+%[4]d];
`, n, cop, size, n-4) + ownWord + "add.s64 %rd2, %rd2, %rd2; sub.s64 %rd2, %rd2, %rd1; st.global.v2.u32 [%rd2], {%r3, %r4}; cp.async.wait_all;"
			if n == 16 {
				body = strings.Replace(body, "cp.async.cg.shared.global", "cp.async.cg.shared.global.L2::128B", 1)
				// 128 threads of 16 bytes fill 2 KiB, the second half of sh holds the second group.
			}
			checkProgram(t, "cp.async", body, 1, in, 256, func(i int) uint32 {
				at := (i/2 ^ 1) * n
				if i%2 == 1 {
					if filled && n > 4 {
						return 0
					}
					at += n - 4
				}
				return binary.LittleEndian.Uint32(in[at:])
			})
		}
	}
}

// TestTraffic states sectors and wavefronts of known patterns.
func TestTraffic(t *testing.T) {
	cases := []struct {
		body         string
		line         string
		units, ideal int64 // per warp
		requests     int64
		conflicts    int64 // per warp
	}{
		{"ld.global.f32 %f1, [%rd2];", "ld.global.f32", 4, 4, 4, 0},
		{"mul.wide.u32 %rd5, %r0, 8; add.s64 %rd5, %rd5, %rd1; ld.global.f32 %f1, [%rd5];", "ld.global.f32", 8, 4, 4, 0},
		{"mul.wide.u32 %rd5, %r0, 16; add.s64 %rd5, %rd5, %rd1; ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd5];", "ld.global.v4.f32", 16, 16, 4, 0},
		{"ld.global.f32 %f1, [%rd1];", "ld.global.f32", 1, 1, 4, 0},
		{"st.shared.u32 [%r3], %r0;", "st.shared.u32", 1, 1, 4, 0},
		{"and.b32 %r5, %r0, 31; mul.wide.u32 %rd5, %r5, 128; add.s64 %rd5, %rd5, %rd4; atom.shared.add.u32 %r6, [%rd5], 0;", "atom.shared.add.u32", 32, 1, 4, 31},
		{"mul.wide.u32 %rd5, %r0, 8; add.s64 %rd5, %rd5, %rd4; st.shared.u32 [%rd5], %r0;", "st.shared.u32", 2, 1, 4, 1},
		{"mul.wide.u32 %rd5, %r0, 16; add.s64 %rd5, %rd5, %rd4; st.shared.v4.u32 [%rd5], {%r0, %r0, %r0, %r0};", "st.shared.v4.u32", 4, 4, 4, 0},
		{"mul.wide.u32 %rd5, %r0, 8; add.s64 %rd5, %rd5, %rd4; st.shared.v2.u32 [%rd5], {%r0, %r0};", "st.shared.v2.u32", 2, 2, 4, 0},
	}
	for _, c := range cases {
		body := ownWord + ownShared + c.body
		if strings.Contains(c.body, "atom") {
			var zero strings.Builder
			for i := range 8 {
				fmt.Fprintf(&zero, "st.shared.u32 [%%r3+%d], 0; ", 512*i)
			}
			body = ownWord + ownShared + zero.String() + "bar.sync 0;" + c.body
		}
		_, d, err := runProgram(t, Options{Traffic: true}, body, 1, words32(0), 1024)
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		lines := d.Counters()[0].Lines
		var l Line
		for i := range lines {
			if lines[i].Inst == c.line {
				l = lines[i]
			}
		}
		if l.Units != 4*c.units || l.Ideal != 4*c.ideal || l.Requests != c.requests || l.Conflicts != 4*c.conflicts {
			t.Errorf("%s: %d units, %d ideal, %d requests, %d conflicts, want %d, %d, %d, %d", c.body, l.Units, l.Ideal, l.Requests, l.Conflicts,
				4*c.units, 4*c.ideal, c.requests, 4*c.conflicts)
		}
	}
}

// TestWorkersAgree runs many blocks on one and on several goroutines.
func TestWorkersAgree(t *testing.T) {
	body := `mov.u32 %r1, %ctaid.x; mad.lo.s32 %r2, %r1, 128, %r0; mul.wide.u32 %rd2, %r2, 4; add.s64 %rd2, %rd2, %rd1;
cvt.rn.f32.u32 %f1, %r2; sqrt.rn.f32 %f1, %f1; st.global.f32 [%rd2], %f1;`
	for _, o := range []Options{{Workers: 1}, {Workers: 7}, {Serial: true}, {Workers: 3, Schedule: Random}} {
		got, d, err := runProgram(t, o, body, 50, words32(0), 6400)
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range got {
			if want := math.Float32bits(float32(math.Sqrt(float64(float32(i))))); g != want {
				t.Fatalf("word %d is %#x, want %#x", i, g, want)
			}
		}
		c := d.Counters()[0]
		if c.Blocks != 50 || c.Launches != 1 || c.Class(ClassGlobal).Lanes != 6400 || c.Class(ClassSpecial).Issued != 200 {
			t.Errorf("counters of %+v: %d blocks, %d launches, %+v", o, c.Blocks, c.Launches, c.Class(ClassGlobal))
		}
	}
	if c := Open(Options{}).Info(); c.SharedBlock != 48<<10 || c.Name == "" {
		t.Error(c)
	}
}
