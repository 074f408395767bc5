package vgg

import (
	"slices"
	"testing"

	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/gpu"
)

func randomUpTo(t *testing.T, seed uint64, layer string) *Network {
	t.Helper()
	n, err := Random(seed, layer)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestShare: networks of several depths hold the same arrays, whichever was read
// first, and each stays as deep as it was.
func TestShare(t *testing.T) {
	middle, deep, shallow := randomUpTo(t, 7, "relu2_1"), randomUpTo(t, 7, "relu2_2"), randomUpTo(t, 7, "relu1_2")
	sums := []string{middle.Meta.SHA256, deep.Meta.SHA256, shallow.Meta.SHA256}
	if !deep.Share(middle) || !shallow.Share(middle) {
		t.Fatal("the same weights are not shared")
	}
	for i, n := range []*Network{middle, deep, shallow} {
		if len(n.Layers) != []int{3, 4, 2}[i] || n.Meta.SHA256 != sums[i] {
			t.Errorf("network %d has %d layers and another checksum", i, len(n.Layers))
		}
		for j, l := range n.Layers {
			if &l.Weight[0] != &deep.Layers[j].Weight[0] || &l.Bias[0] != &deep.Layers[j].Bias[0] {
				t.Errorf("network %d holds its own copy of %s", i, l.Name)
			}
		}
	}
}

// TestShareOtherWeights: weights that differ in a layer that both have stay
// apart, also where they agree with the shallow network that brought them
// together.
func TestShareOtherWeights(t *testing.T) {
	shallow, deep, other := randomUpTo(t, 7, "relu1_2"), randomUpTo(t, 7, "relu2_1"), randomUpTo(t, 7, "relu2_1")
	other.Layers[2].Weight = slices.Clone(other.Layers[2].Weight)
	other.Layers[2].Weight[5]++
	if !deep.Share(shallow) {
		t.Fatal("the same weights are not shared")
	}
	if other.Share(shallow) || other.Share(deep) || deep.Layers[2].Weight[5] == other.Layers[2].Weight[5] {
		t.Error("other weights are taken for the same")
	}
}

// TestSharedFilters: a backend lays the filters out once for all depths. On a
// device a pass of another depth uploads nothing that is there already.
func TestSharedFilters(t *testing.T) {
	d := emu.Open(emu.Options{})
	device := gpu.NewDevice(d, gpu.DeviceOptions{Name: "emu"})
	defer device.Close()
	cpu := gpu.NewCPU(gpu.CPUOptions{Threads: 1})
	defer cpu.Close()
	middle, deep, shallow := randomUpTo(t, 7, "relu2_1"), randomUpTo(t, 7, "relu2_2"), randomUpTo(t, 7, "relu1_2")
	alone := randomUpTo(t, 7, "relu2_2")
	alone.filters(device, 4)
	once := d.Calls().Live
	alone.Forget(device)
	own := d.Calls().Live // what the device keeps for itself

	deep.Share(middle)
	shallow.Share(deep)
	for _, b := range []gpu.Backend{cpu, device} {
		want := middle.filters(b, 3)
		all := deep.filters(b, 4)
		if !slices.Equal(all[:3], want) || !slices.Equal(shallow.filters(b, 2), want[:2]) {
			t.Errorf("%s lays filters out once for each depth", b.Name())
		}
	}
	if live := d.Calls().Live; live != once {
		t.Errorf("three depths take %d bytes on the device, the deepest alone %d", live-own, once-own)
	}
	shallow.Forget(device)
	if live := d.Calls().Live; live != own {
		t.Errorf("%d bytes are left of filters that were forgotten", live-own)
	}
}
