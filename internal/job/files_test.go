package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/impasto/impasto/internal/ui"
)

// TestStepsTouchOnlyTheirJobsFiles: whoever can write a record chooses the words.
func TestStepsTouchOnlyTheirJobsFiles(t *testing.T) {
	top := t.TempDir()
	dir, outside := filepath.Join(top, "job"), filepath.Join(top, "outside")
	for _, d := range []string{filepath.Join(dir, "out", "0"), outside} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range [][2]string{{outside, filepath.Join(dir, "away")}, {filepath.Join(outside, "new.png"), filepath.Join(dir, "out", "0", "link.png")},
		{filepath.Join(dir, "out"), filepath.Join(dir, "near")}, {dir, filepath.Join(outside, "back")}} {
		if err := os.Symlink(l[0], l[1]); err != nil {
			t.Skip(err)
		}
	}
	in := filepath.Join(top, "photo.png")
	files := Files{Dir: dir, Inputs: []string{in}}
	out := filepath.Join(dir, "out", "0", "x.png")
	for _, c := range []struct{ words, want string }{
		{"art --output=OUT -- IN sample:mosaic", ""},
		{"art -o OUT IN sample:mosaic -s 64 --report=DIR/r.html", ""},
		{"art --output=DIR/near/0/y.png -- IN sample:mosaic", ""},
		{"art --output=TOP/outside/back/y.png -- IN sample:mosaic", ""},
		{"art --output=DIR/out/0/{content}.png -- IN sample:mosaic", ""},
		{"art --output=OUT -- DIR/step1.png IN", ""}, // written by the step before
		{"art --output=OUT --weights=mini -- IN IN", ""},
		{"art --output=OUT --weights=random:7 -- IN IN", ""},
		{"art --output=OUT --init=noise -- IN IN", ""},
		{"map derive --output=OUT -- IN", ""},
		{"map fit --to=64x64 -o OUT IN", ""},
		{"map fit --to=IN -o OUT IN", ""},
		{"map recolor -o OUT IN red=blue", ""},

		{"art --output=TOP/x.png -- IN IN", "outside the folder"},
		{"art --output=DIR/../x.png -- IN IN", "outside the folder"},
		{"art --output=DIR/away/x.png -- IN IN", "outside the folder"},
		{"art --output=DIR/out/0/link.png -- IN IN", "outside the folder"},
		{"art --output=DIR/away/new/deep/x.png -- IN IN", "outside the folder"},
		{"art --output=- -- IN IN", "outside the folder"},
		{"art -- IN IN", "names no output"},
		{"art --output=OUT --report=TOP/r.html -- IN IN", "--report"},
		{"art --output=OUT --report=~/r.html -- IN IN", "--report"},
		{"patch --output=OUT --explain=TOP/e -- IN IN", "no flag --explain"},
		{"art --output=OUT --frames=TOP/f -- IN IN", "no flag --frames"},
		{"art --output=OUT --preview=TOP/p.png -- IN IN", "no flag --preview"},
		{"art --output=OUT --progress-fd=3 -- IN IN", "no flag --progress-fd"},
		{"art --output=OUT --config=TOP/c.yaml -- IN IN", "no flag --config"},
		{"art --output=OUT --resume -- IN IN", "no flag --resume"},
		{"video --output=OUT.mp4 --frames=TOP/f -- IN IN", "--frames"},
		{"art --output=OUT -- /etc/passwd IN", `"/etc/passwd" is not an input`},
		{"art --output=OUT -- IN TOP/other.png", "is not an input"},
		{"art --output=OUT -- IN DIR/away/other.png", "is not an input"},
		{"art --output=OUT -- - IN", "is not an input"},
		{"art --output=OUT --init=TOP/i.png -- IN IN", "is not an input"},
		{"art --output=OUT --protect=TOP/i.png -- IN IN", "is not an input"},
		{"doodle --output=OUT --map=TOP/m.png --style-map=IN -- IN", "is not an input"},
		{"art --output=OUT --weights=TOP/w.safetensors -- IN IN", "is not an input"},
		{"map derive --output=OUT --weights=../w.pth -- IN", "is not an input"},
		{"map derive -- IN", "names no output"},
		{"map recolor IN red=blue", "names no output"},
		{"map view -o OUT --over=TOP/p.png IN", "is not an input"},
		{"map lint TOP/p.png", "is not an input"},
		{"map fit --to=TOP/p.png -o OUT IN", "is not an input"},
		{"map derive -o TOP/x.png IN", "outside the folder"},

		{"", "without words"},
		{"queue serve", `jobs do not run "queue serve"`},
		{"config init", `jobs do not run "config init"`},
		{"map", `jobs do not run "map"`},
		{"map burn", `jobs do not run "map burn"`},
		{"worker", `jobs do not run "worker"`},
		{"replay IN", `jobs do not run "replay`},
		{"art --frobnicate --output=OUT IN IN", "unknown flag --frobnicate"},
		{"map mask --frobnicate IN", "unknown flag --frobnicate"},
	} {
		words := strings.Fields(strings.NewReplacer("OUT", out, "IN", in, "DIR", dir, "TOP", top).Replace(c.words))
		s, err := Parse(words)
		if err == nil {
			err = files.Check(s)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.words, err, c.want)
		}
	}
}

func TestOutputOfAStep(t *testing.T) {
	for words, want := range map[string]string{"art --output=a.png x y": "a.png", "art -o b.png": "b.png", "art --output c.png x": "c.png", "art x -- --output=d.png": "", "art x": "", "map fit -o e.png m.png": "e.png"} {
		s, err := Parse(strings.Fields(words))
		if err != nil || s.Output() != want {
			t.Errorf("%s: got %q, %v, want %q", words, s.Output(), err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("art --output=x.png -- a.png b.png")
	f.Add("map fit --to=64x64 -o x.png m.png")
	f.Add("video --from=1:02.5 --output=x.mp4 film.mp4 b.png")
	files := Files{Dir: f.TempDir(), Inputs: []string{"a.png", "b.png"}}
	f.Fuzz(func(t *testing.T, line string) {
		s, err := Parse(strings.Split(line, " "))
		if err == nil {
			_ = files.Check(s)
		}
	})
}

// TestRecordsDoNotTakeTheMachinesMemory: a record may name any limit, and words of
// any length, which messages repeat.
func TestRecordsDoNotTakeTheMachinesMemory(t *testing.T) {
	for words, want := range map[string]string{
		"art --max-memory=900GB --output=a.png x y":                   "1000000",
		"art --max-memory=900GB --device=cuda:0 --output=a.png x y":   "900GB", // the device's own
		"art --max-memory=900kB --output=a.png x y":                   "900kB",
		"video --max-memory=2TB --output=a.mp4 --frames=d film.mp4 y": "1000000",
		"art --output=a.png x y":                                      "",
	} {
		s, err := Parse(strings.Fields(words))
		if err != nil {
			t.Fatal(err)
		}
		s.paintOn("cpu", 0, 1_000_000)
		if got := s.request.Values.Text("max-memory"); got != want {
			t.Errorf("%s: the limit is %q, want %q", words, got, want)
		}
	}
	err := attemptError(ui.UsageFault(strings.Repeat("ü", 1<<20)), 0, 1)
	if n := len(err.Error()); n > 2*longestError || !utf8.ValidString(err.Error()) {
		t.Errorf("an error of %d bytes is kept", n)
	}
}
