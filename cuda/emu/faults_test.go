package emu

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/internal/testutil"
)

// TestFaults runs the gallery of faulty kernels under every schedule: each must
// be caught with the right message, and its cured twin must not.
func TestFaults(t *testing.T) {
	text, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(text), "\n-- ")[1:]
	if len(cases) < 30 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		head, rest, _ := strings.Cut(c, " --\n")
		count, name, _ := strings.Cut(head, " ")
		blocks, err := strconv.Atoi(count)
		if err != nil {
			t.Fatalf("case %q: %v", head, err)
		}
		want, rest, _ := strings.Cut(strings.TrimPrefix(rest, "want: "), "\n")
		fix, body, _ := strings.Cut(strings.TrimPrefix(rest, "fix: "), "\n")
		old, cure, ok := strings.Cut(fix, " => ")
		if !ok || !strings.Contains(body, old) {
			t.Fatalf("case %q: fix %q does not apply", name, fix)
		}
		t.Run(name, func(t *testing.T) {
			for _, o := range append(schedules, Options{Schedule: Random, Seed: 7, Workers: 4}) {
				o.Budget = 1 << 18
				faulty := o
				if testutil.Race {
					// Blocks that race are goroutines that race; on one worker
					// only the emulator's own rules can catch them.
					faulty.Workers = 1
				}
				f := runFaulty(t, faulty, body, blocks)
				if f == nil {
					t.Fatalf("schedule %v: not caught", o.Schedule)
				}
				for _, part := range strings.Split(want, " | ") {
					// Which thread is caught, and by what, may hang on the order.
					if !strings.Contains(f.Error(), part) && (o.Schedule == Forward || part == want || strings.HasPrefix(want, part+" |")) {
						t.Errorf("schedule %v: %q does not contain %q", o.Schedule, f, part)
					}
				}
				if f.Line < 18 {
					t.Errorf("schedule %v: fault at line %d, in the prelude", o.Schedule, f.Line)
				}
				if f := runFaulty(t, o, strings.ReplaceAll(body, old, cure), blocks); f != nil {
					t.Errorf("schedule %v, cured: %v", o.Schedule, f)
				}
			}
		})
	}
}

// runFaulty runs body and returns its fault; the device must stay lost after it.
func runFaulty(t *testing.T, o Options, body string, blocks int) *Fault {
	t.Helper()
	d := open(t, o)
	src := strings.Replace(program(body), ".visible .entry", ".const .align 4 .u32 limits[2] = {1, 2};\n.visible .entry", 1)
	m, err := d.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := m.Kernel("k")
	x, y := upload(t, d, make([]byte, 512)), upload(t, d, make([]byte, 512))
	err = d.Launch(k, cuda.Dim3{X: blocks}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(y))
	if err == nil {
		return nil
	}
	f, ok := errors.AsType[*Fault](err)
	if !ok {
		t.Fatal(err)
	}
	if again := d.Upload(x, nil); again != err {
		t.Errorf("after a fault, upload says %v", again)
	}
	if cuda.CodeOf(err) < 700 {
		t.Errorf("fault %q has code %d", f.Kind, cuda.CodeOf(err))
	}
	return f
}

// TestUseAfterFree launches with a pointer to memory that was freed.
func TestUseAfterFree(t *testing.T) {
	d := open(t, Options{})
	m, err := d.Load(program("ld.global.u32 %r1, [%rd0];"))
	if err != nil {
		t.Fatal(err)
	}
	k, _ := m.Kernel("k")
	x := upload(t, d, make([]byte, 512))
	args := new(cuda.Args).Ptr(x).Ptr(x)
	if err := d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, args); err != nil {
		t.Fatal(err)
	}
	if err := d.Free(x); err != nil {
		t.Fatal(err)
	}
	err = d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, args)
	if f, ok := errors.AsType[*Fault](err); !ok || f.Kind != UseAfterFree || !strings.Contains(f.Detail, "allocation 1") {
		t.Error(err)
	}
}

// TestUnwrittenGlobal reads device memory that nothing wrote.
func TestUnwrittenGlobal(t *testing.T) {
	d := open(t, Options{})
	m, err := d.Load(program("ld.global.u32 %r1, [%rd0];"))
	if err != nil {
		t.Fatal(err)
	}
	k, _ := m.Kernel("k")
	x := alloc(t, d, 512)
	err = d.Launch(k, cuda.Dim3{X: 1}, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(x))
	if f, ok := errors.AsType[*Fault](err); !ok || f.Kind != Unwritten {
		t.Error(err)
	}
}

// TestLastBlock runs the idiom in which the last of several blocks to arrive
// reads what the others wrote: right with fence and atomic, a race without.
func TestLastBlock(t *testing.T) {
	body := `mov.u32 %r1, %ctaid.x; mul.wide.u32 %rd2, %r1, 4; add.s64 %rd2, %rd2, %rd1;
setp.ne.u32 %p1, %r0, 0; @%p1 ret; add.s32 %r2, %r1, 10; st.global.u32 [%rd2], %r2;
membar.gl; atom.global.add.u32 %r3, [%rd0], 1; setp.ne.u32 %p2, %r3, 3; @%p2 ret;
ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%rd1]; add.s32 %r4, %r4, %r5; add.s32 %r6, %r6, %r7; add.s32 %r4, %r4, %r6; st.global.u32 [%rd1+16], %r4;`
	checkProgram(t, "last block", body, 4, words32(0), 5, func(i int) uint32 { return [5]uint32{10, 11, 12, 13, 46}[i] })
	_, _, err := runProgram(t, Options{}, strings.Replace(body, "membar.gl;", "", 1), 4, words32(0), 5)
	if f, ok := errors.AsType[*Fault](err); !ok || f.Kind != GlobalRace {
		t.Errorf("without the fence: %v", err)
	}
}

// FuzzLaunch runs hostile kernels: they may be refused or faulty, but must not
// crash the device.
func FuzzLaunch(f *testing.F) {
	text, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range strings.Split(string(text), "\n-- ")[1:] {
		if _, body, ok := strings.Cut(c, "\nfix: "); ok {
			f.Add(body[strings.Index(body, "\n")+1:])
		}
	}
	for op := range decoders {
		f.Add(op + ".b32 %r1, %r2, %r3, %r4;")
	}
	f.Add("mov.b64 {%h1, %h2, %h3, %h4}, %rd1; bar.red.popc.u32 %r1, 0, %p1; vote.sync.ballot.b32 %r1, %p1, -1;")
	f.Add("setp.lt.and.ftz.f32 %p1|_, %f1, 0f00000000, !%p2; shfl.sync.up.b32 %r1|%p1, %r2, %r3, %r4, -1; cvt.rn.f16x2.f32 %r1, %f1, %f2;")
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > 4096 {
			return
		}
		d := Open(Options{Serial: true, Budget: 1, SharedBlock: 8192, Traffic: true})
		m, err := d.Load(program(body))
		if err != nil {
			return
		}
		k, err := m.Kernel("k")
		if err != nil {
			return
		}
		x := upload(t, d, make([]byte, 512))
		d.Launch(k, cuda.Dim3{X: 2}, cuda.Dim3{X: 64}, 0, new(cuda.Args).Ptr(x).Ptr(x))
	})
}
