package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
)

// TestThroughput measures one image of each kind, tiny and with the small
// network: that the numbers hang together, not how large they are.
func TestThroughput(t *testing.T) {
	r := &Report{Version: Version}
	told := 0
	o := ThroughputOptions{
		Presets: []string{"jj"}, Sides: []int{48, 8}, Iterations: 9, Sample: 3, Rounds: 2,
		Backends: []gpu.Backend{gpu.NewCPU(gpu.CPUOptions{Threads: 2})}, OnProgress: func(string) { told++ },
	}
	err := r.Throughput(context.Background(), o)
	var bad style.Problems
	if !errors.As(err, &bad) || told > 0 || len(r.Images) > 0 {
		t.Fatalf("8 pixels: %v, told %d times, %d images", err, told, len(r.Images))
	}
	o.Sides = []int{48, 67}
	if err := r.Throughput(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if len(r.Images) != 4 || told < 4+8 || r.Machine.Weights != "random:1" {
		t.Fatalf("%d images, told %d times, weights %q", len(r.Images), told, r.Machine.Weights)
	}
	for i, x := range r.Images {
		side := []int{48, 48, 67, 67}[i]
		if x.Name != []string{"jj, L-BFGS", "jj, Adam"}[i%2] || x.Side != side || !slices.Equal(x.Scales, []Scale{{W: side, H: side, Iterations: 9}}) {
			t.Errorf("image %d is %s, %v", i, x.Name, x.Scales)
		}
		if x.Iterations != 9 || x.Measured != warmup+3 || !x.Extrapolated || len(x.Rounds) != 2 {
			t.Errorf("%s: %d iterations, %d measured in %d rounds", x.Name, x.Iterations, x.Measured, len(x.Rounds))
		}
		if s := x.Seconds; s != rangeOf(x.Rounds) || !near(x.PerHour, 3600/s.Median) || !(x.Iteration.Min > 0) || !(x.Overhead >= 0 && x.Overhead <= s.Max) {
			t.Errorf("%+v", x)
		}
		if !(x.PerSecond > 0) || x.Planned <= 0 || x.PeakRSS <= 0 || x.Held <= 0 || x.Others < 0 || x.Others > 1 || x.Processor < 0 {
			t.Errorf("%+v", x)
		}
	}
	roundTrip(t, r)
}

// roundTrip writes r as JSON and reads it again.
func roundTrip(t *testing.T, r *Report) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, r) {
		t.Errorf("read back\n%+v\nof\n%+v", got, r)
	}
}

// An interrupt keeps the rounds that are whole.
func TestThroughputInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Report{}
	err := r.Throughput(ctx, ThroughputOptions{
		Presets: []string{"gatys"}, Sides: []int{48}, Iterations: 3, Sample: 3, Rounds: 3, Backends: []gpu.Backend{gpu.NewCPU(gpu.CPUOptions{Threads: 2})},
		OnProgress: func(text string) {
			if strings.HasPrefix(text, "round 2") {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	for _, x := range r.Images {
		if len(x.Rounds) != 1 || x.Extrapolated {
			t.Errorf("%s: %d rounds, extrapolated %t", x.Name, len(x.Rounds), x.Extrapolated)
		}
	}
	if len(r.Images) != 2 {
		t.Errorf("%d images", len(r.Images))
	}
}

func TestCases(t *testing.T) {
	all, err := Cases(ThroughputPresets(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Case{}
	for _, c := range all {
		byName[c.Name] = c
		if err := c.Options.Validate(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if c.Options.Plateau != 0 || c.Options.LineSearch || c.Options.Rematch > 1 {
			t.Errorf("%s: how long it takes depends on the picture", c.Name)
		}
	}
	for _, preset := range []string{"default", "gatys", "jj", "pt", "cp"} {
		for _, optimizer := range []string{", L-BFGS", ", Adam"} {
			c, ok := byName[preset+optimizer]
			if o := c.Options; !ok || c.Side != 512 || o.Size != "512x512" || o.Scales != 1 || !slices.Equal(o.Iterations, []int{500}) {
				t.Errorf("%s%s: %+v", preset, optimizer, o)
			}
		}
	}
	// The schedules that their figures were published for.
	for name, side := range map[string]int{"cnnmrf-trans, L-BFGS": 384, "nd, L-BFGS": 512, "ia, L-BFGS": 512} {
		if c := byName[name]; c.Side != side || c.Options.Scales != 3 || !slices.Equal(c.Options.Iterations, []int{100}) {
			t.Errorf("%s: %d pixels, %+v", name, c.Side, c.Options)
		}
	}
	c := byName["jj, Adam"]
	if o := c.atMost(10); o.Iterations[0] != 10 || c.Options.Iterations[0] != 500 {
		t.Errorf("cut to %v, and the case itself to %v", o.Iterations, c.Options.Iterations)
	}
	if o := c.atMost(0); o.Iterations[0] != 500 {
		t.Errorf("all are %v", o.Iterations)
	}
	if _, err := Cases([]string{"jjj"}, 0, 0); err == nil {
		t.Error("a preset that is none passed")
	}
}

// known is a report with figures to reckon with.
func known(name string, rounds ...float64) *Report {
	x := Image{Name: name, Preset: name, Layers: "style relu1_1", Side: 64, Scales: []Scale{{W: 64, H: 64, Iterations: 10}}, Iterations: 10, Rounds: rounds, Seconds: rangeOf(rounds)}
	x.PerHour, x.PerSecond, x.Planned, x.PeakRSS = 3600/x.Seconds.Median, 10/x.Seconds.Median, 5e9, 4e9
	return &Report{Version: Version, Machine: Machine{OS: "linux", Arch: "amd64", Processor: "A <chip>", Threads: 2, Kernels: "avx2"}, Images: []Image{x}}
}

func TestCompareImages(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, now []float64
		want     Range
		verdict  string
	}{
		{"faster", []float64{10, 11, 12}, []float64{4, 5, 5.5}, Range{10 / 5.5, 2.2, 3}, "faster"},
		{"slower", []float64{4, 5, 5.5}, []float64{10, 11, 12}, Range{4. / 12, 5. / 11, 0.55}, "slower"},
		{"noise", []float64{10, 10, 20}, []float64{11, 12, 13}, Range{10. / 13, 10. / 12, 20. / 11}, "within the spread"},
		{"touching", []float64{10, 11, 12}, []float64{8, 9, 10}, Range{1, 11. / 9, 1.5}, "within the spread"},
		{"few", []float64{10, 11}, []float64{1, 1.1, 1.2}, Range{10 / 1.2, 10.5 / 1.1, 11}, "fewer than 3 rounds"},
	} {
		all := known("x", c.now...).CompareImages(known("x", c.old...))
		if len(all) != 1 {
			t.Fatalf("%s: %d pairs", c.name, len(all))
		}
		got := all[0]
		if !near(got.Ratio.Min, c.want.Min) || !near(got.Ratio.Median, c.want.Median) || !near(got.Ratio.Max, c.want.Max) || got.verdict() != c.verdict {
			t.Errorf("%s: %+v %q, want %+v %q", c.name, got.Ratio, got.verdict(), c.want, c.verdict)
		}
	}
	// On a busy machine a change is told, but not as one of the program.
	hot := known("x", 1, 1, 1)
	hot.Images[0].Others = 0.5
	for _, c := range append(known("x", 2, 2, 2).CompareImages(hot), hot.CompareImages(known("x", 2, 2, 2))...) {
		if c.Clear || c.verdict() != "busy machine" {
			t.Errorf("%+v %q", c, c.verdict())
		}
	}
	// Another schedule is other work.
	old := known("x", 1, 2, 3)
	old.Images[0].Scales[0].Iterations = 11
	if all := known("x", 1, 2, 3).CompareImages(old); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	old = known("x", 1, 1, 1)
	old.Machine.Threads = 8
	var b bytes.Buffer
	if err := known("x", 1, 1, 1).WriteImageChanges(&b, old); err != nil || !strings.Contains(b.String(), "not the same number of threads: 8, then 2") {
		t.Errorf("%v\n%s", err, &b)
	}
}

func TestNotes(t *testing.T) {
	r := known("jj, Adam", 10, 11, 12)
	if n := r.notes(); len(n) != 0 {
		t.Errorf("%q", n)
	}
	r.Images[0].Extrapolated, r.Images[0].Measured, r.Images[0].Others = true, 4, 0.37
	n := strings.Join(r.notes(), "\n")
	for _, want := range []string{"Extrapolated: 1 image of 1", "4 of 10 for jj, Adam", "took 37 % of its processors"} {
		if !strings.Contains(n, want) {
			t.Errorf("%q is not in\n%s", want, n)
		}
	}
}

func TestLoadRefusesImages(t *testing.T) {
	for text, want := range map[string]string{
		`{"version":2,"images":[{"seconds":{"min":1,"median":1,"max":1}}]}`:            "version 2",
		`{"version":1,"images":[{"name":"x","seconds":{"min":0,"median":1,"max":1}}]}`: `seconds of "x"`,
		`{"version":1,"images":[{"name":"x","seconds":{"min":3,"median":2,"max":4}}]}`: `seconds of "x"`,
		`{"version":1,"images":[{"name":"x"}]}`:                                        `seconds of "x"`,
		`{"version":1,"images":{}}`:                                                    "no report",
	} {
		file := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Every field of the JSON form is in the reference, under the name it has there.
func TestDocsNameEveryField(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "bench.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{Report{}, Machine{}, Device{}, Result{}, Image{}, Scale{}, Range{}} {
		for f := range reflect.TypeOf(v).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("docs/bench.md does not name %q", name)
			}
		}
	}
}

func TestPage(t *testing.T) {
	page := func(all ...Named) string {
		t.Helper()
		var b bytes.Buffer
		if err := Page(&b, all, "Impasto <test>"); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if m := regexp.MustCompile(`(src|href|url|@import)\s*[=(]?\s*["']?(https?:|//)|<link|<script`).FindString(text); m != "" {
			t.Errorf("the page loads something: %s", m)
		}
		for _, bad := range []string{"NaN", "Inf", "A <chip>", "%!"} {
			if strings.Contains(text, bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
		return text
	}
	has := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("the page does not hold %q", w)
			}
		}
	}
	a, b := Named{"laptop", known("jj, Adam", 10, 11, 12)}, Named{"server", known("jj, Adam", 1, 1.1, 1.2)}
	b.Images[0].Extrapolated = true
	b.Images = append(b.Images, known("cp, Adam", 7).Images...)
	b.Results = []Result{{Name: "art", Side: 256, Median: 0.1, Min: 0.09, Flops: 1e11}}
	has(page(a), "327", "A &lt;chip&gt;", "Impasto &lt;test&gt;", "5.0 GB", "<svg", "10.0")
	has(page(a, b), "laptop", "server", "server against laptop", "10.00x", "faster", "server: Extrapolated", "cp, Adam", "art, 256 px")
	has(page(b, a), "laptop against server", "slower")
	has(page(a, b, Named{"third", known("jj, Adam", 5)}), "third against laptop", "fewer than 3 rounds")
	old := Named{"old", &Report{Results: []Result{{Name: "art", Side: 256, Median: 0.2, Min: 0.2, Spread: math.SmallestNonzeroFloat64}}}}
	has(page(old, b), "Works: server against old", "2.00x")
	page(Named{"empty", &Report{}})
	page()
}
