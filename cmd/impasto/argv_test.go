package main

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/foreign"
	"github.com/impasto/impasto/internal/ui"
)

func testApp() *cli.App {
	return newApp(&session{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard})
}

// shown writes what was read as one line.
func shown(l line) string {
	words := append(append([]string{}, l.path...), l.flags...)
	if len(l.args) > 0 {
		words = append(append(words, "|"), l.args...)
	}
	return strings.Join(words, " ")
}

func TestReadLine(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		// flags anywhere
		{"art a.png b.jpg --size 512", "art --size=512 | a.png b.jpg"},
		{"art --size 512 a.png b.jpg", "art --size=512 | a.png b.jpg"},
		{"art a.png --size 512 b.jpg", "art --size=512 | a.png b.jpg"},
		{"--size 512 art a.png b.jpg", "art --size=512 | a.png b.jpg"},
		{"--json art a.png b.jpg", "art --json | a.png b.jpg"},
		{"art a.png b.jpg --json", "art --json | a.png b.jpg"},
		{"-q weights -v ls", "weights ls --quiet --verbose"},
		{"weights --json get vgg19", "weights get --json | vgg19"},
		// spellings
		{"art a b -size 512", "art --size=512 | a b"},
		{"art a b --style_weight 5", "art --style-weight=5 | a b"},
		{"art a b -style_weight=5", "art --style-weight=5 | a b"},
		{"art a b --alpha 3 --beta 4", "art --content-weight=3 --style-weight=4 | a b"},
		{"art a b -w 5 -s 512 -o x.png", "art --style-weight=5 --size=512 --output=x.png | a b"},
		{"art a b -s512", "art --size=512 | a b"},
		{"transfer a b", "art | a b"},
		// values
		{"art a b --tv-weight -1", "art --tv-weight=-1 | a b"},
		{"art a b --tv-weight -.5e3", "art --tv-weight=-.5e3 | a b"},
		{"art a b --output=--odd.png", "art --output=--odd.png | a b"},
		{"art a b --output -odd.png", "art --output=-odd.png | a b"},
		{"art a b --output=", "art --output= | a b"},
		{"art a b --output=x=y.png", "art --output=x=y.png | a b"},
		{"art - b -o -", "art --output=- | - b"},
		{"art a --style b --style c", "art --style=b --style=c | a"},
		// switches
		{"art a b --dry-run --no-recipe", "art --dry-run --no-recipe | a b"},
		{"art a b --box=false", "art --box=false | a b"},
		{"art a b --no-box", "art --box=false | a b"},
		{"art a b -vv", "art --verbose --verbose | a b"},
		{"art a b -y", "art --y | a b"},
		// -n is ffmpeg's refusal or --iterations
		{"art a b -n", "art --overwrite=fail | a b"},
		{"art a b -n 500", "art --iterations=500 | a b"},
		{"art -n 500,200 a b", "art --iterations=500,200 | a b"},
		{"art a b -n500", "art --iterations=500 | a b"},
		{"-n 500 art a b", "art --iterations=500 | a b"},
		{"art -n a b", "art --overwrite=fail | a b"},
		// the end of flags
		{"art -- -a.png --b.jpg", "art | -a.png --b.jpg"},
		{"art a -- --size 512", "art | a --size 512"},
		{"weights get -- vgg19", "weights get | vgg19"},
		// other programs
		{"art -content_image a -style_image b,c -num_iterations 7", "art --content=a --style=b --style=c --iterations=7"},
		{"art -image_size 300 -init random a b", "art --size=300 --init=noise | a b"},
		{"art a b -init image", "art --init=content | a b"},
		{"art a b -gpu -1", "art --device=cpu | a b"},
		{"art a b -gpu 0,1", "art --device=cuda:0,1 | a b"},
		{"art a b -original_colors 1", "art --color=content | a b"},
		{"art a b -backend cudnn -model_file x.caffemodel", "art --weights=x.caffemodel | a b"},
		{"art a b --seed noise", "art --init=noise | a b"},
		{"art a b --seed 7", "art --seed=7 | a b"},
		{"art a b --smoothness 2 --phases 3 --output-size 300x400", "art --tv-weight=2 --scales=3 --size=400x300 | a b"},
		{"art a b -cw 1 -tw 2 -sw 3,4", "art --content-weight=1 --tv-weight=2 --style-weights=3,4 | a b"},
		{"art a b -i 500 -ii 1000", "art --iterations=1000,500 | a b"},
		{"art a b -r 5 -t 2", "art --seed=5 --threads=2 | a b"},
		{"art a b --width 30 --height 20", "art --size=30x20 | a b"},
	} {
		l, bad := readLine(testApp(), strings.Fields(c.typed))
		if len(bad) > 0 {
			t.Errorf("%s: %v", c.typed, bad)
			continue
		}
		if got := shown(l); got != c.want {
			t.Errorf("%s\n got  %s\n want %s", c.typed, got, c.want)
		}
	}
}

func TestReadLineFaults(t *testing.T) {
	for _, c := range []struct{ typed, message, try string }{
		{"art a b --style-wieght 5", "unknown flag --style-wieght", "--style-weight"},
		{"art a b -style_wieght=5", "unknown flag -style_wieght", "--style-weight"},
		{"art a b --size", "--size needs a value", "--size SIZE"},
		{"art a b --size --json", "--size needs a value", ""},
		{"art a b --json=5", "--json is a switch and takes no value", ""},
		{"art a b -5", "unknown flag -5", "./-5"},
		{"art -a.png b", "unknown flag -a.png", "./-a.png"},
		{"art a b ---", "unknown flag ---", ""},
		{"art a b -=5", "unknown flag -", ""},
		{"art a b -gpu x", "-gpu is a number", "--device auto"},
		{"ort a b", `unknown command "ort"`, "impasto art"},
		{"cat.png b.jpg", `unknown command "cat.png"`, "impasto art cat.png"},
		{"weights got vgg19", `unknown command "got"`, "impasto weights get"},
		{"--frobnicate", "unknown flag --frobnicate before a command", "impasto --help"},
		{"weights ls --size 5", "unknown flag --size", ""},
	} {
		_, bad := readLine(testApp(), strings.Fields(c.typed))
		if len(bad) == 0 {
			t.Errorf("%s: no fault", c.typed)
			continue
		}
		if !strings.HasPrefix(bad[0].Message, c.message) {
			t.Errorf("%s: got %q, want %q", c.typed, bad[0].Message, c.message)
		}
		if c.try != "" && !strings.Contains(strings.Join(bad[0].Try, "\n"), c.try) {
			t.Errorf("%s: got hints %q, want %q", c.typed, bad[0].Try, c.try)
		}
		if bad[0].Exit != ui.ExitUsage {
			t.Errorf("%s: exit %d", c.typed, bad[0].Exit)
		}
	}
}

// TestNoCommandIsToldOnce: flags and pictures without a command are one fault,
// with the command that was probably meant.
func TestNoCommandIsToldOnce(t *testing.T) {
	for typed, try := range map[string]string{
		"--size 300": "impasto --help", "-s 300 cat.png b.jpg": "impasto art -s 300 cat.png b.jpg", "cat.png b.jpg -s 300": "impasto art cat.png b.jpg -s 300",
		"--size=300 --seed=4": "impasto --help", "ort a --size 5": "impasto art",
	} {
		_, bad := readLine(testApp(), strings.Fields(typed))
		if len(bad) != 1 || bad[0].Try[0] != try {
			t.Errorf("%s: %d faults: %v, hints %q, want %q", typed, len(bad), bad, bad[0].Try, try)
		}
	}
}

func TestReadLineTellsAllFaults(t *testing.T) {
	_, bad := readLine(testApp(), strings.Fields("art a --sise 5 b --sede 4 --json=x"))
	if len(bad) != 3 {
		t.Errorf("got %d faults, want 3: %v", len(bad), bad)
	}
}

func TestLegacyNotes(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"art a b -style_weight 100", "-style_weight: weights are on Impasto's scale (1 = balanced); add --preset jj for that of neural-style"},
		{"art a b -style_weight 100 --preset jj", ""},
		{"art a b --style-weight 2", ""},
		{"art a b -image_size 3", "-image_size is --size here"},
		{"art a b --output-size 300x400", "--output-size counts rows first: 300x400 is 400x300"},
		{"art a b -cw 3", "add --preset cp for that of style-transfer-pytorch"},
		{"art a b --smoothness 3", "-weight is on Impasto's scale"},
	} {
		l, bad := readLine(testApp(), strings.Fields(c.typed))
		if len(bad) > 0 {
			t.Errorf("%s: %v", c.typed, bad)
		}
		got := strings.Join(l.notes, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, strings.TrimPrefix(c.want, "-weight is")) {
			t.Errorf("%s: got notes %q, want %q", c.typed, got, c.want)
		}
	}
}

func TestHelpAndVersionAnywhere(t *testing.T) {
	for _, typed := range []string{"--help", "-h", "help", "art --help", "art a.png -h b", "help art", "-h art", "weights --help", "weights get -h", "help weights get", "art --help-all"} {
		l, bad := readLine(testApp(), strings.Fields(typed))
		if len(bad) > 0 || !l.help {
			t.Errorf("%s: help %v, %v", typed, l.help, bad)
		}
		if strings.Contains(typed, "art") && (l.cmd == nil || l.cmd.Name != "art") {
			t.Errorf("%s: no command", typed)
		}
	}
	if l, bad := readLine(testApp(), []string{"--version"}); len(bad) > 0 || !l.version {
		t.Errorf("--version: %v", bad)
	}
}

// firstArgument must know whether a flag takes a value before it knows the
// command, so commands must agree on it, and on what a letter means.
func TestCommandsAgreeOnFlags(t *testing.T) {
	takes, meaning := map[string]bool{}, map[string]string{}
	var walk func(cmds []*cli.Command)
	walk = func(cmds []*cli.Command) {
		for _, c := range cmds {
			set := flagSet(c.Flags)
			for _, f := range c.Flags {
				for _, n := range f.Names() {
					full, _ := set.find(n)
					v := set.takesValue(n)
					if was, seen := takes[n]; seen && (was != v || meaning[n] != full) {
						t.Errorf("command %s: --%s is not what it is elsewhere", c.Name, n)
					}
					takes[n], meaning[n] = v, full
					if f := foreign.Find(n); f != nil && v && f.Ours != n && f.Takes != foreign.NoValue && f.Fits(set.has) {
						t.Errorf("--%s is ours, and a foreign name for --%s", n, f.Ours)
					}
				}
			}
			walk(c.Subcommands)
		}
	}
	walk(testApp().Commands)
	for _, f := range foreign.All() {
		if _, ours := takes[f.Ours]; f.Ours != "" && !ours {
			t.Errorf("foreign name %q stands for --%s, which does not exist", f.Name, f.Ours)
		}
	}
}

func TestHelpFitsAScreen(t *testing.T) {
	var walk func(cmds []*cli.Command, path string)
	app := testApp()
	check := func(typed string) {
		var b bytes.Buffer
		l, bad := readLine(app, strings.Fields(typed))
		if len(bad) > 0 {
			t.Fatalf("%s: %v", typed, bad)
		}
		printHelp(&b, app, l)
		lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
		if len(lines) > 24 && strings.HasSuffix(typed, "--help") {
			t.Errorf("%s has %d lines:\n%s", typed, len(lines), b.String())
		}
		if strings.Count(b.String(), "\n  impasto ") < 2 && strings.Count(b.String(), "\n  source") == 0 && !strings.Contains(typed, " get") {
			if len(strings.Fields(typed)) == 2 && strings.HasSuffix(typed, "--help") {
				t.Errorf("%s has no two examples:\n%s", typed, b.String())
			}
		}
		for _, l := range lines {
			if n := len([]rune(l)); n > 110 {
				t.Errorf("%s: line of %d columns: %s", typed, n, l)
			}
		}
	}
	walk = func(cmds []*cli.Command, path string) {
		for _, c := range cmds {
			check(path + c.Name + " --help")
			check(path + c.Name + " --help-all")
			walk(c.Subcommands, path+c.Name+" ")
		}
	}
	check("--help")
	walk(app.Commands, "")
}

func FuzzReadLine(f *testing.F) {
	for _, s := range []string{
		"art a b --size 512", "-n -n art", "art -- -x", "help help", "weights get -q=", "art -gpu -1 --seed=x -ii", "-", "--", "-=-",
		"art --no-no-recipe", "art --width --height", "completion -h bash", "art -s512 -w-5 -o",
		"art -r n", "art -init_image random",
	} {
		f.Add(s)
	}
	app := testApp()
	f.Fuzz(func(t *testing.T, typed string) {
		words := strings.Fields(typed)
		l, bad := readLine(app, words)
		if len(bad) > 0 || l.cmd == nil || l.help || len(l.cmd.Subcommands) > 0 {
			return
		}
		for _, a := range l.args {
			found := false
			for _, w := range words {
				found = found || w == a
			}
			if !found {
				t.Errorf("argument %q was never typed", a)
			}
		}
		again, bad := readLine(app, l.argv("impasto")[1:])
		if len(bad) > 0 || !reflect.DeepEqual(again.path, l.path) || !reflect.DeepEqual(again.args, l.args) || !reflect.DeepEqual(again.flags, l.flags) {
			t.Errorf("the canonical form %q reads as %q (%v)", shown(l), shown(again), bad)
		}
	})
}
