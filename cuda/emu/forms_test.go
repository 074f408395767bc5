package emu

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/ptx"
	"github.com/impasto/impasto/kernels"
)

// executed holds every opcode, with its modifiers, that a test of this package
// has run.
var (
	executed   = map[string]bool{}
	executedMu sync.Mutex
)

// open returns a device whose executed instructions are counted.
func open(t testing.TB, o Options) *Device {
	d := Open(o)
	t.Cleanup(func() {
		executedMu.Lock()
		defer executedMu.Unlock()
		for _, c := range d.Counters() {
			for _, l := range c.Lines {
				if l.Lanes > 0 {
					executed[l.Inst] = true
				}
			}
		}
		d.Close()
	})
	return d
}

// TestMain proves, after all tests, that they executed every instruction form
// that the shipped PTX uses.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && !testing.Short() {
		missing := shippedForms()
		total := len(missing)
		for text := range executed {
			delete(missing, text)
		}
		if len(missing) > 0 {
			var names []string
			for text := range missing {
				names = append(names, text)
			}
			sort.Strings(names)
			fmt.Printf("of %d instruction forms of the shipped PTX, %d were not executed by the tests:\n\t%s\n", total, len(missing), strings.Join(names, "\n\t"))
			code = 1
		}
	}
	os.Exit(code)
}

func shippedForms() map[string]bool {
	forms := map[string]bool{}
	for _, target := range kernels.Targets {
		for _, name := range kernels.Names(target) {
			src, err := kernels.PTX(name, target)
			if err != nil {
				panic(err)
			}
			m, err := ptx.Parse(src)
			if err != nil {
				panic(err)
			}
			for _, k := range m.Kernels {
				for i := range k.Body {
					forms[k.Body[i].Text] = true
				}
			}
		}
	}
	return forms
}

// schedules are those under which a correct program must give one result.
var schedules = []Options{
	{},
	{Schedule: Reverse},
	{Schedule: Random, Seed: 1},
	{Schedule: Random, Seed: 2, Serial: true, Traffic: true},
}

// runForm executes one instruction for many rows of inputs, one row a thread.
// It names its inputs i0, i1, ... of types in, its outputs o0, ... of types out.
func runForm(t *testing.T, inst string, out, in []string, rows [][]uint64) [][]uint64 {
	t.Helper()
	var s strings.Builder
	s.WriteString(".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 pin, .param .u64 pout, .param .u32 n)\n.reqntid 32, 1, 1\n{\n")
	s.WriteString(".reg .pred past;\n.reg .b32 t, c, rows;\n.reg .b64 x, y;\n")
	declare := func(name string, types []string) {
		for i, typ := range types {
			fmt.Fprintf(&s, ".reg .%s %s%d;\n.reg .b32 %sp%d;\n", typ, name, i, name, i)
		}
	}
	declare("i", in)
	declare("o", out)
	fmt.Fprintf(&s, `mov.u32 t, %%tid.x; mov.u32 c, %%ctaid.x; mad.lo.s32 t, c, 32, t;
ld.param.u32 rows, [n]; setp.ge.u32 past, t, rows; @past ret;
ld.param.u64 x, [pin]; mad.wide.u32 x, t, %d, x;
ld.param.u64 y, [pout]; mad.wide.u32 y, t, %d, y;
`, 8*len(in), 8*len(out))
	for i, typ := range in {
		if typ == "pred" {
			fmt.Fprintf(&s, "ld.global.b32 ip%d, [x+%d]; setp.ne.b32 i%d, ip%d, 0;\n", i, 8*i, i, i)
		} else {
			fmt.Fprintf(&s, "ld.global.%s i%d, [x+%d];\n", typ, i, 8*i)
		}
	}
	s.WriteString(inst + ";\n")
	for i, typ := range out {
		if typ == "pred" {
			fmt.Fprintf(&s, "selp.b32 op%d, 1, 0, o%d; st.global.b32 [y+%d], op%d;\n", i, i, 8*i, i)
		} else {
			fmt.Fprintf(&s, "st.global.%s [y+%d], o%d;\n", typ, 8*i, i)
		}
	}
	s.WriteString("ret;\n}\n")

	d := open(t, Options{})
	m, err := d.Load(s.String())
	if err != nil {
		t.Fatalf("%s: %v", inst, err)
	}
	k, err := m.Kernel("k")
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	for _, row := range rows {
		for _, v := range row {
			data = binary.LittleEndian.AppendUint64(data, v)
		}
	}
	x, y := upload(t, d, data), alloc(t, d, 8*len(out)*len(rows))
	if err := d.Fill(y, 0, int64(2*len(out)*len(rows))); err != nil {
		t.Fatal(err)
	}
	grid := cuda.Dim3{X: (len(rows) + 31) / 32}
	if err := d.Launch(k, grid, cuda.Dim3{}, 0, new(cuda.Args).Ptr(x).Ptr(y).Int(int32(len(rows)))); err != nil {
		t.Fatalf("%s: %v", inst, err)
	}
	got := make([]byte, 8*len(out)*len(rows))
	if err := d.Download(got, y); err != nil {
		t.Fatal(err)
	}
	results := make([][]uint64, len(rows))
	for i := range rows {
		for range out {
			results[i] = append(results[i], binary.LittleEndian.Uint64(got))
			got = got[8:]
		}
	}
	return results
}

func alloc(t testing.TB, d *Device, n int) cuda.Ptr {
	t.Helper()
	p, err := d.Alloc(int64(n))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func upload(t testing.TB, d *Device, data []byte) cuda.Ptr {
	t.Helper()
	p := alloc(t, d, len(data))
	if err := d.Upload(p, data); err != nil {
		t.Fatal(err)
	}
	return p
}

// checkForm runs inst for rows and compares the one output with want, by bits.
func checkForm(t *testing.T, inst, out string, in []string, rows [][]uint64, want func(row []uint64) uint64) {
	t.Helper()
	got := runForm(t, inst, []string{out}, in, rows)
	faults := 0
	for i, row := range rows {
		if w := want(row); got[i][0] != w {
			if faults++; faults <= 3 {
				t.Errorf("%s of %#x = %#x, want %#x", inst, row, got[i][0], w)
			}
		}
	}
}

// cross returns every combination of n of the values, all sharing a size of bits.
func cross(values []uint64, n int) [][]uint64 {
	rows := [][]uint64{nil}
	for range n {
		var longer [][]uint64
		for _, r := range rows {
			for _, v := range values {
				longer = append(longer, append(append([]uint64{}, r...), v))
			}
		}
		rows = longer
	}
	return rows
}
