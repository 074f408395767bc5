package main

import (
	"slices"
	"strings"
	"testing"
)

// TestNeuralStyleFlagsThatDoNothing: its documented command lines are accepted.
func TestNeuralStyleFlagsThatDoNothing(t *testing.T) {
	l, bad := readLine(testApp(), strings.Fields("art -content_image a.png -style_image b.png -normalize_gradients -cudnn_autotune -multidevice_strategy 3,6 -save_iter 0 -print_iter 0 -seed -1"))
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	if want := []string{"--content=a.png", "--style=b.png", "--seed=0"}; !slices.Equal(l.flags, want) || len(l.args) > 0 {
		t.Errorf("flags %q, arguments %q", l.flags, l.args)
	}
	if notes := strings.Join(l.notes, " "); !strings.Contains(notes, "-cudnn_autotune has no effect here") {
		t.Errorf("%q", notes)
	}
}

// TestNormalizeGradientsIsOursWithAValue: one name, a switch there and a flag
// with a value here.
func TestNormalizeGradientsIsOursWithAValue(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"art a b --normalize-gradients l1", "art --normalize-gradients=l1 | a b"},
		{"art a b --normalize-gradients=mean", "art --normalize-gradients=mean | a b"},
		{"art -normalize_gradients off a b", "art --normalize-gradients=off | a b"},
		{"art a b --normalize-gradients l2", "art --normalize-gradients=l2 | a b"}, // refused later, by its value
		{"art -normalize_gradients a b", "art | a b"},
		{"art a b --normalize-gradients", "art | a b"},
		{"art a b -normalize_gradients --size 64", "art --size=64 | a b"},
	} {
		l, bad := readLine(testApp(), strings.Fields(c.typed))
		if len(bad) > 0 || shown(l) != c.want {
			t.Errorf("%s: got %s %v, want %s", c.typed, shown(l), bad, c.want)
		}
	}
}

func TestNumbersAfterN(t *testing.T) {
	for _, word := range []string{"2.5", "nan", "-2", "1,2,x"} {
		_, bad := readLine(testApp(), []string{"art", "a.png", "b.png", "-n", word})
		if len(bad) != 1 || !strings.Contains(bad[0].Message, "-n "+word+": iterations are a whole number") {
			t.Errorf("-n %s: %v", word, bad)
		}
	}
	if l, bad := readLine(testApp(), []string{"art", "-n", "1photo.png", "b.png"}); len(bad) > 0 || len(l.args) != 2 {
		t.Errorf("a file after -n: %v %v", l.args, bad)
	}
}
