// Package timemodel estimates how long the kernels take on real devices, from
// what the software device counts. It is a model: it knows the throughput of
// each unit of a multiprocessor and of the memories, and assumes that all but
// the busiest hide behind it. It knows nothing of latency, clocks that fall
// under load, or what the driver's compiler makes of the PTX.
package timemodel

import (
	"math"
	"strconv"
	"strings"

	"github.com/impasto/impasto/cuda"
)

// Machine is what the model knows of a device: throughputs as its vendor prints
// them, for dense operands and boost clock. L2 is a measured order of magnitude
// that circulates for each; treat what it decides with care.
type Machine struct {
	Name       string
	Capability int
	SMs        int
	Clock      float64 // Hz

	// Lanes a clock and multiprocessor.
	Float, Int, Double, Special float64
	// IntWithFloat: integers take half of the lanes of floats instead of their own.
	IntWithFloat bool
	// Tensor is multiply-adds of binary16 with float32 sums, a clock and
	// multiprocessor; mma.sync reaches the share MMA of them.
	Tensor, MMA float64

	L2, DRAM float64 // bytes a second
}

// Machines are the devices of the tables.
var Machines = []Machine{
	{Name: "T4", Capability: 75, SMs: 40, Clock: 1.59e9, Float: 64, Int: 64, Double: 2, Special: 16, Tensor: 512, MMA: 1, L2: 1.3e12, DRAM: 320e9},
	{Name: "RTX 4090", Capability: 89, SMs: 128, Clock: 2.52e9, Float: 128, Int: 64, Double: 2, Special: 16, IntWithFloat: true, Tensor: 256, MMA: 1, L2: 5.2e12, DRAM: 1008e9},
	{Name: "A100", Capability: 80, SMs: 108, Clock: 1.41e9, Float: 64, Int: 64, Double: 32, Special: 16, Tensor: 1024, MMA: 1, L2: 5.1e12, DRAM: 2039e9},
	{Name: "H100", Capability: 90, SMs: 132, Clock: 1.98e9, Float: 128, Int: 64, Double: 64, Special: 16, Tensor: 1893, MMA: 0.62, L2: 5.5e12, DRAM: 3352e9},
	{Name: "H200", Capability: 90, SMs: 132, Clock: 1.98e9, Float: 128, Int: 64, Double: 64, Special: 16, Tensor: 1893, MMA: 0.62, L2: 5.5e12, DRAM: 4800e9},
}

// sms is multiprocessor clocks a second.
func (m Machine) sms() float64 { return float64(m.SMs) * m.Clock }

// Times are the seconds that a launch keeps each unit busy.
type Times struct {
	Tensor, Float, Int, Double, Special float64
	Issue                               float64 // four instructions a clock
	Shared                              float64 // and the first-level cache: 128 bytes a clock
	L2, DRAM                            float64
}

// Longest is the modelled time, and the unit that decides it.
func (t Times) Longest() (seconds float64, unit string) {
	for _, u := range []struct {
		name string
		t    float64
	}{{"tensor", t.Tensor}, {"fma", t.Float}, {"int", t.Int}, {"double", t.Double}, {"special", t.Special},
		{"issue", t.Issue}, {"shared", t.Shared}, {"L2", t.L2}, {"DRAM", t.DRAM}} {
		if u.t > seconds {
			seconds, unit = u.t, u.name
		}
	}
	return seconds, unit
}

// Times of one launch on m. The multiprocessor with the most blocks decides how
// long its units take, so a grid of 1.1 blocks a multiprocessor takes as long as
// one of 2.
func (m Machine) Times(l *Launch) Times {
	blocks := float64(l.Grid.Count())
	uneven := math.Ceil(blocks/float64(m.SMs)) * float64(m.SMs) / blocks
	busy := func(warps, lanes float64) float64 { return uneven * warps * 32 / lanes / m.sms() }
	c, w := l.Count, l.Work()
	t := Times{
		Tensor:  uneven * c.MACs / (m.Tensor * m.MMA) / m.sms(),
		Float:   busy(c.Float, m.Float),
		Int:     busy(c.Int, m.Int),
		Double:  busy(c.Double, m.Double),
		Special: busy(c.Special, m.Special),
		Issue:   busy(c.Issued, 4*32),
		Shared:  uneven * (c.Wavefronts + c.Requested/4) / m.sms(),
		L2:      32 * c.Sectors / m.L2,
		DRAM:    w.Bytes / m.DRAM,
	}
	if m.IntWithFloat {
		t.Float = max(t.Float, busy(c.Float+c.Int, m.Float))
	}
	return t
}

// Floor is the least time that the work of a launch takes on m, whatever the
// kernel: its arithmetic at the device's peak (of tensor cores, that of mma.sync),
// its operands and results once over the memory, or what has to come from the
// second-level cache again and again.
func (m Machine) Floor(w Work) float64 {
	peak := 2 * m.Float * m.sms()
	if w.Tensor {
		peak = 2 * m.Tensor * m.MMA * m.sms()
	}
	return max(w.Flop/peak, w.Bytes/m.DRAM, w.L2/m.L2)
}

// Like is the machine of the tables that a device is, or the one of its kind with
// its number of multiprocessors.
func Like(i cuda.Info) Machine {
	capability := i.Major*10 + i.Minor
	like := Machines[0]
	for _, m := range Machines {
		if strings.Contains(i.Name, strings.TrimPrefix(m.Name, "RTX ")) {
			return m
		}
		if m.Capability <= capability {
			like = m
		}
	}
	if capability >= 80 && capability < 90 && capability != 80 {
		like = Machines[1]
	}
	share := float64(i.SMs) / float64(like.SMs)
	like.Name, like.SMs = like.Name+", its multiprocessors "+strconv.Itoa(i.SMs), i.SMs
	like.L2, like.DRAM = like.L2*share, like.DRAM*share
	return like
}
