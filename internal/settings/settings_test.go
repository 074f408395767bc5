package settings

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// TestEveryOptionIsASettingAndComesBack: an option without a row could be set by
// nobody; and the text of a value is read as the same value.
func TestEveryOptionIsASettingAndComesBack(t *testing.T) {
	o := style.DefaultOptions(style.ModeArt, "cpu", "vgg19")
	o.StyleWeights = []float64{3, 0.5}
	for _, name := range optionNames() {
		if _, ok := Find(name, ""); name != "mode" && !ok {
			t.Errorf("option %s has no row in the table", name)
		}
		text := OptionText(&o, name)
		back := style.DefaultOptions(style.ModeTexture, "cuda", "mini")
		if err := SetOption(&back, name, text); err != nil {
			t.Errorf("%s: its own text %q is refused: %v", name, text, err)
		}
		if got := OptionText(&back, name); got != text {
			t.Errorf("%s: %q came back as %q", name, text, got)
		}
	}
}

func TestRows(t *testing.T) {
	modes := []style.Mode{style.ModeArt, style.ModePatch, style.ModeDoodle, style.ModeAnalogy, style.ModeTexture, ModeVideo}
	for _, mode := range modes {
		seen := map[string]string{}
		for _, s := range For(mode) {
			for _, n := range s.Names() {
				if of := seen[n]; of != "" {
					t.Errorf("%s: --%s is both %s and %s", mode, n, of, s.Name)
				}
				seen[n] = s.Name
			}
		}
	}
	riddle := regexp.MustCompile(`^(of|its|their|them|that|this|such|those|it|and) |[.]$|^[A-Z]|\bsaid\b|\btold\b`)
	for _, s := range table {
		help := s.HelpFor("")
		if riddle.MatchString(s.Help) || len(strings.Fields(s.Help)) < 3 {
			t.Errorf("--%s: help %q is not understood alone", s.Name, help)
		}
		if s.TakesValue() == (s.Value == "") {
			t.Errorf("--%s: kind and placeholder %q do not agree", s.Name, s.Value)
		}
		if !slices.Contains(Groups, s.Group) {
			t.Errorf("--%s: unknown group %q", s.Name, s.Group)
		}
		if s.Name == "size" || s.Name == "codec" || s.Name == "preset" { // examples; named by the mode
			continue
		}
		for _, c := range s.Choices {
			if !regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(c) + `(\W|$)`).MatchString(help) {
				t.Errorf("--%s: help %q does not name %q", s.Name, help, c)
			}
		}
	}
}

// TestChoicesAreStyles: style accepts what completion offers.
func TestChoicesAreStyles(t *testing.T) {
	for _, s := range table {
		if !s.Option() || s.Name == "preset" || len(s.Choices) == 0 {
			continue
		}
		for _, c := range s.Choices {
			o := style.DefaultOptions(style.ModePatch, "cpu", "vgg19")
			if err := SetOption(&o, s.Name, c); err != nil {
				t.Errorf("--%s %s: %v", s.Name, c, err)
			} else if err := o.Validate(); err != nil && strings.Contains(err.Error(), "not one of") {
				t.Errorf("--%s %s: %v", s.Name, c, err)
			}
		}
	}
	for _, mode := range []style.Mode{style.ModeArt, style.ModePatch, style.ModeDoodle, style.ModeAnalogy} {
		s, _ := Find("preset", mode)
		if got := s.ChoicesFor(mode); !reflect.DeepEqual(got, style.PresetsFor(mode)) {
			t.Errorf("presets of %s: %q", mode, got)
		}
	}
}

// TestSettingsAreListedHereAlone finds lists of setting names elsewhere: list
// literals, keys of maps and cases of switches.
func TestSettingsAreListedHereAlone(t *testing.T) {
	known := map[string]bool{}
	for _, s := range table {
		known[s.Name] = true
	}
	check := func(where token.Position, list []ast.Expr) {
		count := 0
		for _, e := range list {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Key
			}
			if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, _ := strconv.Unquote(lit.Value); known[text] {
					count++
				}
			}
		}
		if count > 4 && count*10 > 7*len(list) {
			t.Errorf("%s lists %d names of settings", where, count)
		}
	}
	files := 0
	for _, root := range []string{"../../cmd", "../../internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && d.Name() == "settings" {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			files++
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					check(set.Position(n.Pos()), n.Elts)
				case *ast.CaseClause:
					check(set.Position(n.Pos()), n.List)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 50 {
		t.Errorf("only %d files were read", files)
	}
}

func TestResolveTakesTheNearest(t *testing.T) {
	env := map[string]string{"IMPASTO_TV_WEIGHT": "9", "IMPASTO_SEED": "", "IMPASTO_RESUME": "yes", "IMPASTO_WEIGHTS": "/weights"}
	layers := []Layer{Environment(func(name string) (string, bool) { v, ok := env[name]; return v, ok }),
		Fixed("file:1", map[string]string{"tv-weight": "3", "size": "100", "preset": "jj", "history": "50"})}
	v, bad := Resolve(style.ModeArt, Given{"size": {"200", "300"}, "style": {"a.png", "b.png"}}, layers...)
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	for name, want := range map[string][2]string{
		"tv-weight": {"9", "IMPASTO_TV_WEIGHT"}, "size": {"300", OriginFlag}, "history": {"50", "file:1"}, "optimizer": {"lbfgs", OriginDefault},
		"normalize-gradients": {"off", OriginDefault}, "seed": {"1", OriginDefault}, "resume": {"", OriginDefault},
	} {
		s, _ := Find(name, "")
		if got := v.Show(s); got != want[0] || v.Origin(name) != want[1] {
			t.Errorf("%s is %q from %q, want %q", name, got, v.Origin(name), want)
		}
	}
	if v.Origin("style-weight") != "preset jj" || !slices.Equal(v.List("style"), []string{"a.png", "b.png"}) {
		t.Errorf("style-weight is from %q, styles are %q", v.Origin("style-weight"), v.List("style"))
	}
	_, bad = Resolve(style.ModeArt, Given{"lr": {"fast"}, "threads": {"0"}}, Fixed("x.yaml:3", map[string]string{"scales": "many"}))
	want := "x.yaml:3: scales takes a whole number, got \"many\""
	if len(bad) != 3 || !strings.Contains(bad.Error(), want) || !strings.Contains(bad.Error(), "--threads takes a whole number from 1") {
		t.Errorf("got %v", bad)
	}
}

// A style loss brings its weights wherever it is set; what is set beside it and
// presets of other systems stay.
func TestStyleLossBringsItsWeights(t *testing.T) {
	moments := style.DefaultOptions(style.ModeArt, "cpu", "vgg19")
	gram := moments
	gram.UseStyleLoss(style.LossGram, "vgg19")
	mini := moments
	mini.UseStyleLoss(style.LossGram, "mini")
	jj, err := style.Preset("jj", style.ModeArt)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		mode  style.Mode
		given Given
		want  style.Options
	}{
		{"nothing", style.ModeArt, Given{}, moments},
		{"the default", style.ModeArt, Given{"style-loss": {"moments"}}, moments},
		{"another", style.ModeArt, Given{"style-loss": {"gram"}}, gram},
		{"another, of a film", ModeVideo, Given{"style-loss": {"gram"}}, gram},
		{"another with mini", style.ModeArt, Given{"style-loss": {"gram"}, "weights": {"mini"}}, mini},
		{"another with best", style.ModeArt, Given{"style-loss": {"gram"}, "preset": {"best"}}, gram},
		{"another with jj", style.ModeArt, Given{"style-loss": {"w2"}, "preset": {"jj"}}, jj},
	} {
		for _, set := range []bool{false, true} {
			want := c.want
			if set {
				c.given["content-weight"], want.ContentWeight = []string{"3"}, 3
			}
			if c.given["weights"] == nil {
				c.given["weights"] = []string{"vgg19"}
			}
			v, bad := Resolve(c.mode, c.given)
			if len(bad) > 0 {
				t.Fatal(c.name, bad)
			}
			v.PaintOn("emulated", "a worker")
			got := v.Options
			if got.ContentWeight != want.ContentWeight || got.TVWeight != want.TVWeight || got.TVSpare != want.TVSpare {
				t.Errorf("%s, set %t: content-weight %g, tv-weight %g, tv-spare %g; want %g, %g, %g", c.name, set,
					got.ContentWeight, got.TVWeight, got.TVSpare, want.ContentWeight, want.TVWeight, want.TVSpare)
			}
			if from := v.Origin("tv-weight"); (from == OriginDefault) != (got.Preset != "jj") {
				t.Errorf("%s: tv-weight is from %q", c.name, from)
			}
		}
	}
}

// storedWords writes a command line as jobs store it, for ParseWords to read.
func storedWords(command string, given Given, args []string) []string {
	words := []string{command}
	mode, _ := CommandMode(command)
	for _, s := range For(mode) {
		for _, value := range given[s.Name] {
			words = append(words, "--"+s.Name+"="+value)
		}
	}
	if len(args) > 0 {
		words = append(append(words, "--"), args...)
	}
	return words
}

func TestParseWords(t *testing.T) {
	for typed, want := range map[string]string{
		"art a.png b.png --size=64 -o out.png":      "art --output=out.png --size=64 -- a.png b.png",
		"transfer -s 64 a.png --beta 5 -- -odd.png": "art --style-weight=5 --size=64 -- a.png -odd.png",
		"patch - b --no-box --patch_weight -1":      "patch --patch-weight=-1 --box=false -- - b",
		"video f.mp4 p.png --every=2":               "video --every=2 -- f.mp4 p.png",
		"doodle --style=a --style=b --map m":        "doodle --style=a --style=b --map=m",
		"art a b --no-recipe":                       "art --no-recipe=true -- a b",
	} {
		mode, given, args, err := ParseWords(strings.Fields(typed))
		if err != nil {
			t.Errorf("%s: %v", typed, err)
			continue
		}
		words := storedWords(string(mode), given, args)
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s: got %s, want %s", typed, got, want)
		}
		if again, _, _, err := ParseWords(words); err != nil || again != mode {
			t.Errorf("%s: %v", want, err)
		}
	}
	for typed, want := range map[string]string{
		"": "is empty", "queue serve": "no command that paints", "art a b --sise 3": "unknown flag --sise", "art a b --size": "needs a value",
		"art --edit x": "unknown flag --edit", "texture --protect=m --edit=x": "unknown flag --protect=m; unknown flag --edit=x",
	} {
		if _, _, _, err := ParseWords(strings.Fields(typed)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", typed, err, want)
		}
	}
}

func FuzzParseWords(f *testing.F) {
	for _, s := range []string{"art a b -s 3", "doodle --map=x -- -y", "video - --", "patch --no-", "art --=", "analogy ---"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mode, given, args, err := ParseWords(strings.Split(text, " "))
		if err != nil {
			return
		}
		again, given2, args2, err := ParseWords(storedWords(string(mode), given, args))
		if err != nil || again != mode || !slices.Equal(args, args2) || !reflect.DeepEqual(given, given2) {
			t.Errorf("%q: %v %v %v, then %v %v %v (%v)", text, mode, given, args, again, given2, args2, err)
		}
		Resolve(mode, given)
	})
}

func TestMoments(t *testing.T) {
	rate := film.Rate{Num: 30000, Den: 1001}
	for text, want := range map[string]int{
		"0": 0, "1": 29, "1.001": 30, "300f": 300, "1:00": 1798, "0:01:00.06": 1800, "1:0:0": 107892,
		"": -1, "f": -1, "-1": -1, "-3f": -1, "1:60": -1, "1:2:3:4": -1, "NaN": -1, "1e99": -1, "Inf": -1, "x": -1, "1.5f": -1,
	} {
		m, ok := ParseMoment(text)
		if got := m.Frame(rate); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is frame %d (%v), want %d", text, got, ok, want)
		}
	}
	for text, want := range map[string]bool{"0": true, "1": true, "0.5": true, "off": true, "1.1": false, "-0.1": false, "NaN": false, "": false} {
		if _, ok := ParseThreshold(text); ok != want {
			t.Errorf("threshold %q: %v", text, ok)
		}
	}
}

// TestPlaces pins which settings may be given where, by one example of each.
func TestPlaces(t *testing.T) {
	for name, want := range map[string]string{
		"style-weight": "config manifest job shot", "content": "manifest", "protect": "manifest", "output": "config manifest replay",
		"dry-run": "replay", "progress": "config replay", "device": "config manifest replay", "seed": "config manifest job", "draft": "manifest shot",
		"report": "config manifest job shot replay", "explain": "config", "resume": "replay", "json": "", "codec": "config manifest job",
	} {
		s, ok := Find(name, "")
		if !ok {
			t.Errorf("no setting %s", name)
			continue
		}
		var got []string
		for _, p := range []struct {
			name string
			in   bool
		}{{"config", s.InConfig()}, {"manifest", s.InManifest()}, {"job", s.InJob()}, {"shot", s.InShot()}, {"replay", s.InReplay()}} {
			if p.in {
				got = append(got, p.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestKnownKey(t *testing.T) {
	if near, ok := KnownKey("style_weight"); ok || near != "style-weight" {
		t.Errorf("got %q, %v", near, ok)
	}
	if _, ok := KnownKey("resume"); ok {
		t.Error("resume is a key of a configuration file")
	}
}

// TestDefaultsFitTheDevice: on a GPU pictures are larger and the schedule is
// full, unless something else is asked for; a job takes those of its worker.
func TestDefaultsFitTheDevice(t *testing.T) {
	resolve := func(given Given) *Values {
		v, bad := Resolve(style.ModeArt, given)
		if len(bad) > 0 {
			t.Fatal(bad)
		}
		return v
	}
	for device, want := range map[string]string{"cpu": "384", "emu": "384", "cuda": "1024", "cuda:1": "1024"} {
		v := resolve(Given{"device": {device}})
		if v.Options.Size != want || (v.Options.Iterations[0] == 500) != (want == "1024") {
			t.Errorf("on %s the size is %s, with iterations %v", device, v.Options.Size, v.Options.Iterations)
		}
	}
	v := resolve(Given{"size": {"640"}})
	v.PaintOn("cuda:0", "worker")
	if v.Options.Size != "640" || v.Options.Iterations[0] != 500 || v.Text("device") != "cuda:0" {
		t.Errorf("a job on a GPU is %s px with iterations %v on %s", v.Options.Size, v.Options.Iterations, v.Text("device"))
	}
	v = resolve(Given{"preset": {"jj"}})
	before := v.Options.Iterations
	v.PaintOn("cuda:0", "worker")
	if len(v.Options.Iterations) != len(before) || v.Options.Iterations[0] != before[0] {
		t.Errorf("the preset's iterations %v became %v", before, v.Options.Iterations)
	}
	for _, given := range []Given{{"preset": {"best"}}, {"preset": {"best"}, "method": {"nnst"}}, {"method": {"nnst"}}, {"preset": {"best"}, "iterations": {"7"}}} {
		here := resolve(given)
		here.PaintOn("cuda:0", "worker")
		given["device"] = []string{"cuda:0"}
		if there := resolve(given); fmt.Sprint(here.Options) != fmt.Sprint(there.Options) {
			t.Errorf("%v: a job on a GPU gets\n%+v, with the GPU named\n%+v", given, here.Options, there.Options)
		}
	}
}

// TestTexturesHaveNoPhotograph: a texture offers nothing that it refuses.
func TestTexturesHaveNoPhotograph(t *testing.T) {
	for _, s := range For(style.ModeTexture) {
		if strings.Contains(s.HelpFor(style.ModeTexture), "photograph") {
			t.Errorf("--%s: %s", s.Name, s.HelpFor(style.ModeTexture))
		}
		if !s.Option() || s.Name == "preset" {
			continue
		}
		for _, c := range s.ChoicesFor(style.ModeTexture) {
			if s.Name == "size" {
				continue
			}
			o := style.DefaultOptions(style.ModeTexture, "cpu", "vgg19")
			if err := SetOption(&o, s.Name, c); err != nil {
				t.Errorf("--%s %s: %v", s.Name, c, err)
			} else if err := o.Validate(); err != nil && strings.Contains(err.Error(), "content picture") {
				t.Errorf("--%s %s: %v", s.Name, c, err)
			}
		}
	}
	if s, ok := Find("content-weight", style.ModeTexture); ok {
		t.Errorf("a texture has --%s", s.Name)
	}
}

// TestDefaultsFollowTheNetworkOfAFile: a file with mini's layers gets mini's weights of
// content and smoothness, a file with VGG19's gets VGG19's, and so does one that cannot
// be read.
func TestDefaultsFollowTheNetworkOfAFile(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, n *vgg.Network, err error) string {
		path := filepath.Join(dir, name)
		if err == nil {
			_, _, err = n.Write(path, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	mini, err := vgg.Mini()
	narrow := save("narrow.safetensors", mini, err)
	random, err := vgg.Random(1, "relu2_1")
	wide := save("wide.safetensors", random, err)
	for path, network := range map[string]string{narrow: "mini", wide: "vgg19", filepath.Join(dir, "missing"): "vgg19"} {
		for _, loss := range []style.StyleLoss{style.LossMoments, style.LossCovariance} {
			want := style.DefaultOptions(style.ModeArt, "cpu", network)
			want.UseStyleLoss(loss, network)
			if got := defaultsWith(style.ModeArt, path, "cpu", loss); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: alpha %g and smoothness %g, not %g and %g", path, loss,
					got.ContentWeight, got.TVWeight, want.ContentWeight, want.TVWeight)
			}
		}
	}
}
