package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/config"
)

// words is a vocabulary of three commands.
func words() Vocabulary {
	paint := map[string]Flag{
		"content": {Kind: Input}, "style": {Kind: Input, Many: true}, "output": {Kind: Output}, "size": {}, "seed": {}, "color": {},
		"style-weight": {}, "scales": {}, "init": {Kind: Named}, "draft": {Kind: Switch}, "style-layers": {}, "overwrite": {},
	}
	doodle := map[string]Flag{"map": {Kind: Input, Many: true}, "style-map": {Kind: Input, Many: true}}
	for k, f := range paint {
		doodle[k] = f
	}
	texture := map[string]Flag{"style": {Kind: Input, Many: true}, "output": {Kind: Output}, "size": {}}
	return Vocabulary{
		Default: "art",
		Commands: map[string]Command{
			"art": {Flags: paint, Inputs: true}, "doodle": {Flags: doodle, Inputs: true}, "texture": {Flags: texture, Inputs: true},
			"analogy":    {Flags: paint, Inputs: true},
			"map derive": {Flags: map[string]Flag{"output": {Kind: Output}, "regions": {}}, Inputs: true},
		},
		Near: func(word string, known []string) string {
			for _, k := range known {
				if strings.ReplaceAll(word, "_", "-") == k {
					return k
				}
			}
			return ""
		},
		Plain: func(path string) bool { return strings.HasPrefix(path, "sample:") },
	}
}

// folder makes empty files and returns their folder.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lines are the entries as command lines, with the folder's path taken out.
func lines(dir string, entries []Entry) []string {
	var all []string
	for _, e := range entries {
		var steps []string
		for _, s := range e.Steps {
			steps = append(steps, strings.Join(s.Words(), " "))
		}
		all = append(all, strings.ReplaceAll(strings.Join(steps, " ; "), dir+"/", ""))
	}
	return all
}

func TestParse(t *testing.T) {
	dir := folder(t, "photos/b.jpg", "photos/a.jpg", "art/starry.jpg", "art/scream.jpg", "a.png", "ap.png", "b.png", "m.png")
	for _, c := range []struct {
		name, file, text string
		want             []string
	}{
		{"one job", "j.yaml", "version: 1\njobs:\n  - {content: a.png, style: b.png, output: out.png}", []string{
			"art --content=a.png --output=out.png --style=b.png"}},
		{"globs, lists, a matrix and an exclusion", "j.yaml", `
version: 1
output: r/{content}__{style}__{seed}-{style-weight}-{w}.png
defaults: {size: 1024, overwrite: skip}
jobs:
  - content: [photos/*.jpg]
    style: [art/starry.jpg, art/scream.jpg]
    matrix: { style-weight: [0.5, 2], seed: [1, 2] }
    exclude: [{ style: scream.jpg, seed: 2 }, {content: b.jpg}]
`, []string{
			"art --content=photos/a.jpg --output=r/a__starry__1-0.5-{w}.png --overwrite=skip --seed=1 --size=1024 --style=art/starry.jpg --style-weight=0.5",
			"art --content=photos/a.jpg --output=r/a__starry__2-0.5-{w}.png --overwrite=skip --seed=2 --size=1024 --style=art/starry.jpg --style-weight=0.5",
			"art --content=photos/a.jpg --output=r/a__starry__1-2-{w}.png --overwrite=skip --seed=1 --size=1024 --style=art/starry.jpg --style-weight=2",
			"art --content=photos/a.jpg --output=r/a__starry__2-2-{w}.png --overwrite=skip --seed=2 --size=1024 --style=art/starry.jpg --style-weight=2",
			"art --content=photos/a.jpg --output=r/a__scream__1-0.5-{w}.png --overwrite=skip --seed=1 --size=1024 --style=art/scream.jpg --style-weight=0.5",
			"art --content=photos/a.jpg --output=r/a__scream__1-2-{w}.png --overwrite=skip --seed=1 --size=1024 --style=art/scream.jpg --style-weight=2",
		}},
		{"defaults that a command lacks do not apply, steps share the job's flags", "j.yaml", `
version: 1
defaults: {content: a.png, size: 64}
jobs:
  - {mode: texture, style: b.png, output: t.png}
  - name: coast
    style: b.png
    output: big.png
    steps:
      - {command: map derive, args: [$content], output: work/sem.png}
      - {mode: doodle, map: work/sem.png, init: noise, output: '{name}.png'}
      - {mode: art, content: "{name}.png", size: 128}
`, []string{
			"texture --output=t.png --size=64 --style=b.png",
			"map derive --output=work/sem.png -- a.png ; doodle --content=a.png --init=noise --map=work/sem.png --output=coast.png --size=64 --style=b.png" +
				" ; art --content=coast.png --output=big.png --size=128 --style=b.png",
		}},
		{"several paintings in one job, an analogy, a sample, a switch", "j.yaml", `
version: 1
jobs:
  - {content: "sample:lighthouse", style: [[a.png, b.png], ap.png], output: "x{job}.png", draft: yes, style-layers: [relu1_1, "relu2_1:2"]}
  - {analogy: [a.png, ap.png, b.png], output: y.png, init: m.png}
`, []string{
			"art --content=sample:lighthouse --draft=yes --output=x0001.png --style=a.png --style=b.png --style-layers=relu1_1,relu2_1:2",
			"art --content=sample:lighthouse --draft=yes --output=x0002.png --style=ap.png --style-layers=relu1_1,relu2_1:2",
			"analogy --init=m.png --output=y.png -- a.png ap.png b.png",
		}},
		{"JSON Lines", "j.jsonl", "{\"version\": 1, \"defaults\": {\"size\": 64}}\n\n{\"content\": \"a.png\", \"style\": \"b.png\", \"output\": \"o.png\"}\n", []string{
			"art --content=a.png --output=o.png --size=64 --style=b.png"}},
		{"CSV, from a stream", "-", "content,style,output,size\n" + dir + "/a.png," + dir + "/b.png," + dir + "/o.png,\n", []string{
			"art --content=a.png --output=o.png --style=b.png"}},
		{"JSON", "j.json", `{"version": 1, "jobs": [{"mode": "texture", "style": "a.png", "output": "o.png"}]}`, []string{
			"texture --output=o.png --style=a.png"}},
	} {
		path := c.file
		if path != "-" {
			path = filepath.Join(dir, path)
		}
		file, err := Read(path, []byte(c.text), words())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := lines(dir, file.Entries); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestParseKeepsWhatIsNoFlag(t *testing.T) {
	dir := folder(t, "a.png", "b.png", "c.png")
	file, err := Read(filepath.Join(dir, "jobs.yaml"), []byte(`version: 1
jobs:
  - {name: "x {content}", content: [a.png, b.png], style: c.png, output: "{content}.png", priority: 5, timeout: 20m, retries: 2}
  - {content: a.png, style: c.png, output: z.png}
`), words())
	if err != nil {
		t.Fatal(err)
	}
	e := file.Entries[1]
	if e.Name != "x b" || e.Priority != 5 || e.Timeout != 20*time.Minute || e.Retries != 2 || e.Line != 3 {
		t.Errorf("%+v", e)
	}
	if want := []Value{{"content", "b"}}; !reflect.DeepEqual(e.Values, want) {
		t.Errorf("values %v, want %v", e.Values, want)
	}
	s := e.Steps[0]
	if want := []string{dir + "/b.png", dir + "/c.png"}; !reflect.DeepEqual(s.Inputs, want) {
		t.Errorf("inputs %v, want %v", s.Inputs, want)
	}
	if want := []string{dir + "/b.png"}; !reflect.DeepEqual(s.Outputs, want) {
		t.Errorf("outputs %v, want %v", s.Outputs, want)
	}
	if got := file.Entries[2].Name; got != "jobs.yaml:4" {
		t.Errorf("a job without a name is called %q", got)
	}
}

// TestFaults: every fault is found in one reading, with its place.
func TestFaults(t *testing.T) {
	dir := folder(t, "a.png", "b.png")
	for _, c := range []struct {
		text string
		want []string // starts of the faults, after the file's name
	}{
		{"version: 1\njobs:\n  - content: a.png\n    style: b.png\n    style_weight: 2\n    sede: 1\n", []string{
			`:5:5: unknown key "style_weight" (did you mean "style-weight"?)`, `:6:5: unknown key "sede"`}},
		{"version: 2\njobz: []\n", []string{`:1:10: version "2" is not 1`, `:2:1: unknown key "jobz"`, ": has no jobs"}},
		{"version: 1\njobs:\n  - {content: x/*.png, style: gone.png}\n", []string{`:3:15: no file matches "x/*.png"`}},
		{"version: 1\njobs:\n  - {content: a.png, style: gone.png}\n", []string{`:3:29: "gone.png" does not exist`}},
		{"version: 1\njobs:\n  - {mode: texture, content: a.png, style: b.png}\n  - {mode: etch}\n", []string{
			`:3:21: texture has no flag "content"`, `:4:12: unknown mode "etch"`}},
		{"version: 1\njobs:\n  - {content: [a.png, b.png], style: b.png, output: o.png}\n", []string{
			`:3:1: jobs "jobs.yaml:3 #1" and "jobs.yaml:3 #2" would both write "o.png"`}},
		{"version: 1\njobs:\n  - {content: a.png, style: b.png, priority: 11, timeout: soon, retries: -1}\n", []string{
			":3:46: priority takes a whole number from 0 to 9, got \"11\"", ":3:59: timeout takes a time", ":3:74: retries takes"}},
		{"version: 1\njobs:\n  - {content: a.png, style: b.png, matrix: {seed: [1, 2]}, exclude: [{seed: 3}, {size: 4}]}\n", []string{
			`:3:82: unknown choice "size"`}},
		{"version: 1\njobs:\n  - {content: a.png, style: b.png, output: '{seed}', matrix: {seed: [1, 2]}, exclude: [{seed: 3}]}\n", []string{
			":3:89: excludes nothing"}},
		{"version: 1\njobs:\n  - {content: a.png, style: b.png, output: 'x{n}.png'}\n", []string{":3:44: {n} counts files"}},
		{"version: 1\njobs:\n  - {content: a.png, style: b.png, output: '-'}\n", []string{":3:44: a job of a batch has no standard input"}},
		{"version: 1\njobs:\n  - steps: [{mode: art, content: a.png}, {regions: 4, command: map derive, output: x.png}, 7]\n", []string{
			":3:14: step 1 needs an output", ":3:92: a step is a command"}},
		{"version: 1\njobs: [{analogy: [a.png]}]\ndefaults: {matrix: {}, zize: 3}\n", []string{
			`:2:18: an analogy has three pictures`, `:3:12: "matrix" belongs to a job`, `:3:24: unknown key "zize"`}},
		{"version: 1\nversion: 1\njobs: &x [*x]\n", []string{":2:1: key \"version\" is already set in line 1", ":3:7: anchors"}},
		{"jobs: [", []string{":1:"}},
		{"", []string{": is empty"}},
		{"[]", []string{":1:1: has no jobs"}},
	} {
		file, err := Read(filepath.Join(dir, "jobs.yaml"), []byte(c.text), words())
		faults, _ := err.(Faults)
		if file.Entries != nil || len(faults) != len(c.want) {
			t.Errorf("%q: %d entries, faults:\n%v\nwant %d", c.text, len(file.Entries), err, len(c.want))
			continue
		}

		for _, want := range c.want {
			if !slices.ContainsFunc(faults, func(f *config.Error) bool {
				return strings.HasPrefix(strings.TrimPrefix(f.Error(), filepath.Join(dir, "jobs.yaml")), want)
			}) {
				t.Errorf("%q: no fault %q in\n%v", c.text, want, err)
			}
		}
	}
}

// TestFaultShowsTheLine: file, line and column, then the lines with a caret.
func TestFaultShowsTheLine(t *testing.T) {
	dir := folder(t, "a.png", "b.png")
	_, err := Read(filepath.Join(dir, "jobs.yaml"), []byte("version: 1\njobs:\n  - content: a.png\n    style: b.png\n    style_weight: 2\n"), words())
	want := dir + "/jobs.yaml:5:5: unknown key \"style_weight\" (did you mean \"style-weight\"?)\n" +
		"    4 |     style: b.png\n    5 |     style_weight: 2\n      |     ^"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	dir := folder(t, "a.png")
	axis := "[" + strings.TrimSuffix(strings.Repeat("1,", 100), ",") + "]"
	text := "version: 1\njobs:\n  - {content: a.png, style: a.png, output: o, matrix: {seed: " + axis + ", size: " + axis + ", style-weight: " + axis + "}}\n"
	if _, err := Read(filepath.Join(dir, "j.yaml"), []byte(text), words()); err == nil || !strings.Contains(err.Error(), "multiplies out to over 100000") {
		t.Errorf("a million jobs: %v", err)
	}
	if _, err := Read("j.yaml", make([]byte, maxBytes+1), words()); err == nil || !strings.Contains(err.Error(), "over 1 MiB") {
		t.Errorf("a large file: %v", err)
	}
	deep := "version: 1\njobs: " + strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	if _, err := Read("j.yaml", []byte(deep), words()); err == nil {
		t.Error("a thousand nested lists were read")
	}
}

// TestManyFaultsAreFew: a file of one line that is all wrong is answered at
// once, with some of what is wrong and little of the line.
func TestManyFaultsAreFew(t *testing.T) {
	keys := make([]string, 60000)
	for i := range keys {
		keys[i] = fmt.Sprintf("%d: 1", i)
	}
	for name, text := range map[string]string{
		"j.csv": strings.Repeat(",", maxBytes-2) + "\nx", "j.yaml": "jobs: [{" + strings.Join(keys, ", ") + "}]",
		"j.jsonl": strings.Repeat("[]\n", maxBytes/3),
	} {
		_, err := Read(name, []byte(text), words())
		faults, _ := err.(Faults)
		if len(faults) != maxFaults+1 || !strings.Contains(faults[maxFaults].Msg, "more faults than these 100") {
			t.Errorf("%s: %d faults", name, len(faults))
		}
		if n := len(err.Error()); n > maxFaults*1000 {
			t.Errorf("%s: the faults are told in %d bytes", name, n)
		}
	}
}

func fuzz(f *testing.F, name string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	v := words()
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Read(name, []byte(text), v)
		if (err == nil) == (len(file.Entries) == 0) {
			t.Errorf("%d entries and error %v", len(file.Entries), err)
		}
		for _, e := range file.Entries {
			if e.Name == "" || len(e.Steps) == 0 {
				t.Errorf("an entry without a name or steps: %+v", e)
			}
			for _, s := range e.Steps {
				if _, ok := v.Commands[s.Command]; !ok {
					t.Errorf("unknown command %q was let through", s.Command)
				}
			}
		}
	})
}

func FuzzYAML(f *testing.F) {
	fuzz(f, "j.yaml", "version: 1\njobs:\n- {content: 'sample:a', style: 'sample:b', matrix: {seed: [1, 2]}, exclude: [{seed: 1}]}",
		"version: 1\njobs:\n- steps: [{command: map derive, args: ['sample:a'], output: x}]", "jobs: [&a [*a]]", "defaults: {<<: *x}")
}

func FuzzJSONLines(f *testing.F) {
	fuzz(f, "j.jsonl", `{"content": "sample:a", "style": ["sample:b"], "output": "{job}"}`, "{}\n[]\n\"", `{"version": 1}`)
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "j.csv", "content,style\nsample:a,sample:b\n", "a\tb\n\"x", "style,style\n,\n", "#\n")
}
