package vgg

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestParseLayer(t *testing.T) {
	for in, want := range map[string]string{
		"relu4_2": "relu4_2", "conv4_2": "relu4_2", "4_2": "relu4_2", "Relu1_1": "relu1_1", " 5_4 ": "relu5_4",
	} {
		if got, err := ParseLayer(in); err != nil || got != want {
			t.Errorf("ParseLayer(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "relu6_1", "relu1_3", "pool4_2", "relu4-2", "4_2_1", "relu04_2", "relu99999999999999999999_1"} {
		_, err := ParseLayer(in)
		if err == nil {
			t.Errorf("ParseLayer(%q) is accepted", in)
			continue
		}
		if !strings.Contains(err.Error(), "VGG-19 has relu1_1 … relu5_4") {
			t.Errorf("ParseLayer(%q): %v", in, err)
		}
		var e *Error
		if !errors.As(err, &e) || e.ExitCode() != 2 || len(e.Try()) != 1 {
			t.Errorf("ParseLayer(%q): exit status or hints are wrong", in)
		}
	}
}

// TestTopology compares the sixteen convolutions with the paper's table 1
// (configuration E), written out.
func TestTopology(t *testing.T) {
	want := "conv1_1 3 64, conv1_2 64 64, conv2_1 64 128, conv2_2 128 128, " +
		"conv3_1 128 256, conv3_2 256 256, conv3_3 256 256, conv3_4 256 256, " +
		"conv4_1 256 512, conv4_2 512 512, conv4_3 512 512, conv4_4 512 512, " +
		"conv5_1 512 512, conv5_2 512 512, conv5_3 512 512, conv5_4 512 512"
	var got []string
	for _, s := range vgg19 {
		got = append(got, strings.Join([]string{s.conv(), strconv.Itoa(s.in), strconv.Itoa(s.out)}, " "))
	}
	if g := strings.Join(got, ", "); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}

func TestDepthAndTaps(t *testing.T) {
	n := &Network{Name: "mini"}
	for _, s := range topology([]int{2, 2, 2, 2, 1}, []int{16, 48, 64, 128, 128}) {
		n.Layers = append(n.Layers, Layer{Name: s.conv(), Block: s.block, Index: s.index, In: s.in, Out: s.out})
	}
	if d, err := n.Depth("conv4_2"); err != nil || d != 8 {
		t.Errorf("Depth(conv4_2) = %d, %v; want 8", d, err)
	}
	if _, err := n.Depth("relu3_3"); err == nil ||
		err.Error() != `unknown layer "relu3_3"; mini has relu1_1 … relu5_1` ||
		err.(*Error).Hints[0] != "layers: relu1_1-2, relu2_1-2, relu3_1-2, relu4_1-2, relu5_1" {
		t.Errorf("Depth(relu3_3): %v", err)
	}
	if taps := n.Taps(); len(taps) != 9 || taps[8] != "relu5_1" {
		t.Errorf("Taps() = %v", taps)
	}
	if _, err := new(Network).ParseLayer("relu1_1"); err == nil {
		t.Error("an empty network has relu1_1")
	}
}
