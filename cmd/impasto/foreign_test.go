package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/foreign"
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

// TestStyleWeightOfDoodlesIsTold: the same name, of another loss there.
func TestStyleWeightOfDoodlesIsTold(t *testing.T) {
	l, _ := readLine(testApp(), strings.Fields("doodle a --style-weight 50"))
	if notes := strings.Join(l.notes, " "); !strings.Contains(notes, "neural-doodle's is --patch-weight here") {
		t.Errorf("%q", notes)
	}
	l, _ = readLine(testApp(), strings.Fields("doodle a --phases 2 --style-weight 50"))
	if notes := strings.Join(l.notes, " "); !strings.Contains(notes, "--style-weight is --patch-weight here") || !strings.Contains(notes, "add --preset nd") {
		t.Errorf("%q", notes)
	}
	if l, _ = readLine(testApp(), strings.Fields("art a b --style-weight 50")); len(l.notes) > 0 {
		t.Errorf("%q", l.notes)
	}
}

func TestNumbersAfterN(t *testing.T) {
	for _, word := range []string{"2.5", "nan", "-2", "1,2,x"} {
		_, bad := readLine(testApp(), []string{"art", "a.png", "b.png", "-n", word})
		if len(bad) != 1 || !strings.Contains(bad[0].Message, "-n "+word+": iterations are a whole number from 0") {
			t.Errorf("-n %s: %v", word, bad)
		}
	}
	for _, word := range []string{"0", "500,0"} { // none writes the picture that painting starts from
		if l, bad := readLine(testApp(), []string{"art", "a.png", "b.png", "-n", word}); len(bad) > 0 || len(l.args) != 2 {
			t.Errorf("-n %s: %v %v", word, l.args, bad)
		}
	}
	if l, bad := readLine(testApp(), []string{"art", "-n", "1photo.png", "b.png"}); len(bad) > 0 || len(l.args) != 2 {
		t.Errorf("a file after -n: %v %v", l.args, bad)
	}
}

// TestEveryForeignFlagIsRead: each row is read without a fault by a command
// that paints, to the flag it stands for or with the line that says why not.
func TestEveryForeignFlagIsRead(t *testing.T) {
	values := map[string]string{
		"original-colors": "1", "gpu": "1", "mrf-layers": "{12,21}", "device": "gpu1", "devices": "cuda:0", "seed": "3", "random-seed": "3", "r": "3",
		"init": "random", "i": "5,4",
	}
	for _, f := range foreign.All() {
		name := f.Name
		read := false
		for _, command := range []string{"art", "patch", "doodle", "analogy", "texture"} {
			set := flagSet(testApp().Command(command).Flags)
			if !f.Fits(set.has) {
				continue
			}
			read = true
			words := []string{command, "a", "b", "-" + name}
			if f.Takes != foreign.NoValue {
				value := values[name]
				if value == "" {
					value = "7"
				}
				words = append(words, value)
			}
			l, bad := readLine(testApp(), words)
			if len(bad) > 0 || len(l.args) != 2 {
				t.Errorf("%q: %v, arguments %q", words, bad, l.args)
			}
			if len(l.flags) == 0 && !strings.Contains(strings.Join(l.notes, "\n"), "-"+name+" has no effect here: ") {
				t.Errorf("%q: no flag and no reason: %q", words, l.notes)
			}
			if len(l.flags) > 0 && f.Ours == "" {
				t.Errorf("%q: flags %q of one without effect", words, l.flags)
			}
		}
		if !read {
			t.Errorf("-%s is read by no command", name)
		}
	}
}

func TestForeignValues(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"art a b c -sw 3 7 --devices cuda:0 cuda:1", "art --style-weights=3,7 --device=cuda:0,1 | a b c"},
		{"art --style-weights 3 7 a b c", "art --style-weights=3,7 | a b c"},
		{"-sw 3 7 art a b c", "art --style-weights=3,7 | a b c"},
		{"art a b -ms 64 -es 512+ --avg-decay .99 -ss 0.02 --random-seed 4", "art --min-scale=64 --size=512 --average=.99 --lr=0.02 --seed=4 | a b"},
		{"art a b --iterations 300 --initial-iterations 900", "art --iterations=900,300 | a b"},
		{"art a b -ii 900", "art --iterations=900,500 | a b"},
		{"art a b --pooling average --device gpu0", "art --pooling=avg --device=auto | a b"},
		{"doodle a --layers 4_1 3_1 --variety .2 .1 --shapes 3", "doodle --patch-layers=4_1,3_1 --variety=.2 --patch-size=3 | a"},
		{"doodle a --semantic-weight 10 --style-weight 50 --style-layers 3_1,4_1", "doodle --map-weight=10 --patch-weight=50 --patch-layers=3_1,4_1 | a"},
		{"doodle a --style-weight 50", "doodle --style-weight=50 | a"},
		{"texture a --out-size 500 --out b.png -t 3", "texture --size=500x500 --output=b.png --threads=3 | a"},
		{"doodle a --layers 5 4 3 --iterations 4 4 1 --device=gpu1", "doodle --patch-layers=relu5_1,relu4_1,relu3_1 --iterations=4,4,1 --device=cuda:1 | a"},
		{"patch a b -mrf_layers {12,21} -content_layers 23 -num_iter {100,50} -mrf_weight {1e-4,1e-4}", "patch --patch-layers=relu3_1,relu4_1 --content-layers=relu4_2 --iterations=100,50 --patch-weight=1e-4 | a b"},
		{"patch -content_name potrait1 -style_name data/x.png", "patch --content=data/content/potrait1.jpg --style=data/x.png"},
		{"analogy a b c out/arch --min-scale=0.25 --height 512", "analogy --scale-from=0.25 --size=512 --output=out/arch.png | a b c"},
		{"analogy a b c --mrf-w=0", "analogy --patch-weight=0 --analogy-weight=1 | a b c"},
		{"analogy a b c --mrf-w=0 --preset ia", "analogy --patch-weight=0 --preset=ia | a b c"},
		{"analogy a b c d.png", "analogy | a b c d.png"},
		{"art a b -normalize_gradients --preset jj", "art --preset=jj --normalize-gradients=l1 | a b"},
	} {
		l, bad := readLine(testApp(), strings.Fields(c.typed))
		if len(bad) > 0 || shown(l) != c.want {
			t.Errorf("%s\n got  %s %v\n want %s", c.typed, shown(l), bad, c.want)
		}
	}
	if _, bad := readLine(testApp(), strings.Fields("patch a b -mrf_layers 13")); len(bad) != 1 || !strings.HasPrefix(bad[0].Message, "layer 13 is no rectifier of VGG-19") {
		t.Errorf("-mrf_layers 13: %v", bad)
	}
}
