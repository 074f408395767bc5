package manifest

import (
	"path/filepath"
	"strings"
	"testing"
)

// needsOf parses a file and returns its jobs in their order, each with those that
// it needs, and what the last one reads.
func needsOf(t *testing.T, dir, text string) (jobs string, inputs []string, err error) {
	t.Helper()
	file, err := Read(filepath.Join(dir, "jobs.yaml"), []byte(text), words())
	var parts []string
	for i, e := range file.Entries {
		var needs []string
		for _, k := range e.Needs {
			if k >= i {
				t.Errorf("%s comes before %s, which it needs", e.Name, file.Entries[k].Name)
			}
			needs = append(needs, file.Entries[k].Name)
		}
		parts = append(parts, strings.TrimSuffix(e.Name+"<"+strings.Join(needs, "+"), "<"))
		inputs = nil
		for _, path := range e.Steps[len(e.Steps)-1].Inputs {
			relative, _ := filepath.Rel(dir, path)
			inputs = append(inputs, filepath.ToSlash(relative))
		}
	}
	return strings.Join(parts, " "), inputs, err
}

// TestNeeds: jobs that need others come after them, and read what they write
// though it is not there yet.
func TestNeeds(t *testing.T) {
	dir := folder(t, "a.png", "b.png", "style.png")
	for _, c := range []struct{ name, text, jobs, inputs string }{
		{"a map and doodles, the other way round", `
jobs:
  - {name: "d{seed}", mode: doodle, style: style.png, style-map: a.png, map: work/map.png, matrix: {seed: [1, 2]}, output: "d{seed}.png", needs: map}
  - {name: map, command: map derive, args: [style.png], output: work/map.png}
`, "map d1<map d2<map", "style.png a.png work/map.png"},
		{"the fields of a job name the one it needs", `
jobs:
  - {name: "first-{content}", content: [a.png, b.png], style: style.png, output: "w/{content}.png"}
  - {name: "then-{content}", content: [a.png, b.png], style: style.png, init: "w/{content}.png", output: "o/{content}.png", needs: ["first-{content}"]}
`, "first-a first-b then-a<first-a then-b<first-b", "b.png w/b.png style.png"},
		{"an entry's name means all its jobs", `
jobs:
  - {name: "shot-{seed}", content: a.png, style: style.png, matrix: {seed: [1, 2]}, output: "w/{seed}.png"}
  - {name: cut, content: w/1.png, style: w/2.png, output: cut.png, needs: "shot-{seed}"}
`, "shot-1 shot-2 cut<shot-1+shot-2", "w/1.png w/2.png"},
		{"only an order", `
jobs:
  - {name: a, content: a.png, style: style.png, output: a1.png, needs: [b]}
  - {name: b, content: b.png, style: style.png, output: b1.png}
`, "b a<b", "a.png style.png"},
	} {
		t.Run(c.name, func(t *testing.T) {
			jobs, inputs, err := needsOf(t, dir, c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(inputs, " "); jobs != c.jobs || !sameWords(got, c.inputs) {
				t.Errorf("got %s, the last reads %s", jobs, got)
			}
		})
	}
}

func sameWords(a, b string) bool {
	count := map[string]int{}
	for _, w := range strings.Fields(a) {
		count[w]++
	}
	for _, w := range strings.Fields(b) {
		count[w]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestFaultsOfNeeds(t *testing.T) {
	dir := folder(t, "a.png", "style.png")
	job := func(name, more string) string {
		return "  - {name: " + name + ", content: a.png, style: style.png, output: o-" + name + ".png" + more + "}\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"an unknown job", job("a", ", needs: the_map") + job("the-map", ""), `jobs.yaml:2:73: unknown job "the_map" (did you mean "the-map"?)`},
		{"itself", job("a", ", needs: [a]"), `job "a" needs itself`},
		{"a cycle", job("x", ", needs: a") + job("a", ", needs: b") + job("b", ", needs: c") + job("c", ", needs: a"), `jobs need each other: "a" needs "b", "b" needs "c", "c" needs "a"`},
		{"what is read is not what is needed", job("a", ", needs: b, init: x.png") + job("b", "") + "  - {name: r, args: [], content: o-a.png, style: style.png, output: r.png}\n", `"o-a.png" does not exist`},
		{"no name", job("a", ", needs: {b: c}"), "expected one value"},
		{"in defaults", "defaults: {needs: a}\njobs:\n" + job("a", ""), `"needs" belongs to a job`},
	} {
		text := c.text
		if !strings.Contains(text, "jobs:") {
			text = "jobs:\n" + text
		}
		_, _, err := needsOf(t, dir, text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}
