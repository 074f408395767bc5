package vgg

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// passResult is what a pass over an image gives: the taps' features, and the
// image's gradient for a random linear functional of them as the loss.
type passResult struct {
	acts map[string][]float32
	dx   []float32
}

// runPass runs a pass of n on b three times, the last two recorded, with the
// same image and functional for the same seed. d, if not nil, is the device:
// beside what the pass has planned it may hold one scratch block.
func runPass(t *testing.T, n *Network, b gpu.Backend, d cuda.Meter, h, w int, o PassOptions) passResult {
	t.Helper()
	pass, err := n.NewPass(b, h, w, o)
	if err != nil {
		t.Fatal(err)
	}
	defer pass.Free()
	r := rand.New(rand.NewPCG(7, 8))
	upload := func(s gpu.Shape, scale float64) *gpu.Array {
		v := make([]float32, s.Len())
		for i := range v {
			v[i] = float32(scale * r.NormFloat64())
		}
		a := b.NewArray(s)
		b.Upload(a, v)
		return a
	}
	download := func(a *gpu.Array) []float32 {
		v := make([]float32, a.Shape.Len())
		b.Download(v, a)
		return v
	}
	x := upload(gpu.Shape{H: h, W: w, C: 3}, 60)
	dx := b.NewArray(x.Shape)
	functional, kept := map[string]*gpu.Array{}, map[string]*gpu.Array{}
	for _, tap := range pass.Taps() {
		functional[tap], kept[tap] = upload(pass.Shape(tap), 1), b.NewArray(pass.Shape(tap))
	}
	live := int64(0)
	if d != nil {
		live = d.Calls().Live
	}
	once := func() {
		pass.Forward(x, nil)
		pass.Backward(dx, func(tap string, act *gpu.Array, grad *Gradient) {
			b.Copy(kept[tap], act)
			b.Axpy(grad.Array(), 1, functional[tap])
		})
	}
	once()
	first := download(dx)
	b.Fill(dx, 7)
	p := b.Record(once)
	p.Run()
	p.Run()
	res := passResult{map[string][]float32{}, download(dx)}
	for tap, a := range kept {
		res.acts[tap] = download(a)
	}
	testutil.Close(t, "gradient of a replay", res.dx, first, 0, 0)
	if d != nil {
		const scratch = 1 << 16
		if more := d.Calls().Live - live; more > scratch {
			t.Errorf("the pass took %d bytes of the device beside the %d it had planned", more, pass.Bytes())
		}
	}
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return res
}

// TestPassOnDevice holds passes on the software device to those of the
// processor, which the tests above hold to float64. The sums are as long as
// 9 x 128 products, in another order.
func TestPassOnDevice(t *testing.T) {
	testutil.NeedDevices(t)
	mini, err := Load(context.Background(), "mini:1", LoadOptions{}) // the smaller edition
	if err != nil {
		t.Fatal(err)
	}
	small := randomNetwork(4, 8, 12)
	for _, c := range []struct {
		n        *Network
		h, w     int
		schedule emu.Schedule
		o        PassOptions
	}{
		{mini, 32, 48, emu.Reverse, PassOptions{Taps: []string{"1_1", "2_1", "3_1", "4_2"}}},
		{small, 9, 7, emu.Forward, PassOptions{Taps: []string{"1_2", "3_2"}, Pool: PoolMax, Pad: gpu.ReplicatePad}},
		{small, 9, 7, emu.Reverse, PassOptions{Taps: []string{"3_1"}, Pool: PoolMax, Ceil: true}},
		{small, 11, 6, emu.Random, PassOptions{Taps: []string{"1_1", "2_3", "3_2"}, Pool: PoolAvg, Ceil: true, PoolScale: 2}},
		{small, 11, 6, emu.Forward, PassOptions{Taps: []string{"3_2"}, Pool: PoolAvg}},
		{small, 5, 8, emu.Random, PassOptions{Taps: []string{"2_1", "3_2"}, Pool: PoolL2, Ceil: true, PoolScale: 0.78}},
		{small, 1, 1, emu.Reverse, PassOptions{Taps: []string{"1_1", "3_2"}, Pool: PoolMax}},
	} {
		c.o.Grad = true
		t.Run(fmt.Sprintf("%s %dx%d %s ceil %v", c.n.Name, c.h, c.w, c.o.Pool, c.o.Ceil), func(t *testing.T) {
			cpu := gpu.NewCPU(gpu.CPUOptions{Threads: 1})
			defer cpu.Close()
			d := emu.Open(emu.Options{Schedule: c.schedule, Seed: 1})
			device := gpu.NewDevice(testutil.Driver(d), gpu.DeviceOptions{Name: "emu"})
			defer device.Close()
			want := runPass(t, c.n, cpu, nil, c.h, c.w, c.o)
			got := runPass(t, c.n, device, d, c.h, c.w, c.o)
			for tap, v := range want.acts {
				if e := testutil.RelL2(got.acts[tap], v); !(e < 2e-6) {
					t.Errorf("%s is off by %.2g of its norm", tap, e)
				}
			}
			if e := testutil.RelL2(got.dx, want.dx); !(e < 2e-5) {
				t.Errorf("the gradient is off by %.2g of its norm", e)
			}
		})
	}
}

// TestPassRefusedByDevice: a network of odd widths is an error, not a crash.
func TestPassRefusedByDevice(t *testing.T) {
	b := gpu.NewDevice(emu.Open(emu.Options{}), gpu.DeviceOptions{Name: "emu"})
	defer b.Close()
	_, err := smallNetwork().NewPass(b, 9, 7, PassOptions{Taps: []string{"2_1"}, Grad: true})
	if err == nil || !strings.Contains(err.Error(), "5 channels") {
		t.Errorf("a network of 5 channels: %v", err)
	}
}
