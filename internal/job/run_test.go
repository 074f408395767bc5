package job

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// task is what a worker hands to a Runner.
func task(t *testing.T, steps ...string) *farm.Task {
	dir, in := t.TempDir(), drawing(t)
	task := &farm.Task{Dir: dir, Inputs: []string{in}}
	for _, s := range steps {
		task.Steps = append(task.Steps, strings.Fields(strings.NewReplacer("DIR", dir, "IN", in).Replace(s)))
	}
	return task
}

// drawing writes a picture of three regions and returns its name.
func drawing(t *testing.T) string {
	p := picture.New(64, 48)
	for i := range p.Pix {
		x, y, c := i/3%64, i/3/64, i%3
		p.Pix[i] = float32((x/22+c)%3)/2*0.9 + 0.1*float32((x*y+c)%7)/7
	}
	path := filepath.Join(t.TempDir(), "in.png")
	if err := picture.Save(path, p, picture.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunnerPaintsAndReportsProgress(t *testing.T) {
	r := &Runner{Device: "cpu", Threads: 1, Env: NewEnv("test")}
	job := task(t, "map derive --weights=mini --regions=3 --output=DIR/m.png -- IN",
		"art --weights=mini --size=48 --scales=1 --iterations=3 --output=DIR/x.png -- IN IN")
	var fractions []float64
	var text string
	job.Progress = func(fraction float64, what string) { fractions, text = append(fractions, fraction), what }
	if err := r.Do(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	if p, _, err := picture.Read(filepath.Join(job.Dir, "x.png"), picture.ReadOptions{}); err != nil || p.W != 48 {
		t.Errorf("painted %v, %v", p, err)
	}
	if len(fractions) == 0 || fractions[len(fractions)-1] != 1 || !strings.HasPrefix(text, "scale 1/1, 3/3") {
		t.Errorf("progress ended at %v, %q", fractions, text)
	}
	var outcome struct {
		Width, Iterations int
		Output            string
	}
	if err := json.Unmarshal(job.Outcome, &outcome); err != nil || outcome.Width != 48 || outcome.Iterations != 3 || outcome.Output != "" {
		t.Errorf("outcome is %s, %v", job.Outcome, err)
	}
}

// TestRunnerContinuesFromTheCheckpoint: stopped after a checkpoint, a job
// goes on from there, and the picture is the one of an undisturbed run.
func TestRunnerContinuesFromTheCheckpoint(t *testing.T) {
	const step = "art --weights=mini --size=48 --scales=1 --iterations=40 --checkpoint=1ms --output=DIR/x.png -- IN IN"
	r := &Runner{Device: "cpu", Env: NewEnv("test")}
	whole := task(t, step)
	if err := r.Do(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	job := task(t, step)
	ctx, stop := context.WithCancel(context.Background())
	var kept []string
	job.Checkpointed = func(output string) {
		c, err := style.LoadCheckpoint(output + ".checkpoint")
		if err != nil {
			t.Error(err)
			return
		}
		kept = append(kept, output)
		if c.Done >= 5 { // a slow machine keeps the start as well
			stop()
		}
	}
	if err := r.Do(ctx, job); err != context.Canceled {
		t.Fatalf("stopped with %v", err)
	}
	if len(kept) == 0 || kept[0] != filepath.Join(job.Dir, "x.png") {
		t.Fatalf("kept %v", kept)
	}
	job.Checkpointed = nil
	first := -1.0
	job.Progress = func(fraction float64, _ string) {
		if first < 0 {
			first = fraction
		}
	}
	if err := r.Do(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	if first <= 1.0/40 {
		t.Errorf("went on at %g: from the beginning", first)
	}
	want, _ := os.ReadFile(filepath.Join(whole.Dir, "x.png"))
	got, _ := os.ReadFile(filepath.Join(job.Dir, "x.png"))
	if string(got) != string(want) {
		t.Error("the picture is another than that of one run")
	}
}

func TestWhatCannotChangeIsNotTriedAgain(t *testing.T) {
	r := &Runner{Device: "cpu", Env: NewEnv("test")}
	for step, permanent := range map[string]bool{
		"art --size=48 --weights=mini --output=DIR/x.png -- DIR/none.png IN": true,
		"art --size=48 --weights=none --output=DIR/x.png -- IN IN":           true,
		"art --size=48 --weights=mini --output=DIR/none/x.png -- IN IN":      false, // the folder may come
		"rm -r DIR": true,
	} {
		err := r.Do(context.Background(), task(t, "map view IN", step))
		if err == nil || farm.IsPermanent(err) != permanent || !strings.HasPrefix(err.Error(), "step 2 of 2: ") {
			t.Errorf("%s: got %v, permanent %v", step, err, farm.IsPermanent(err))
		}
	}
}

// TestAnAnalogyDerivesItsMapInTheJobsFolder: nothing is written beside inputs.
func TestAnAnalogyDerivesItsMapInTheJobsFolder(t *testing.T) {
	top := t.TempDir()
	painting, edited := filepath.Join(top, "p.png"), filepath.Join(top, "e.png")
	r := &Runner{Device: "cpu", Env: NewEnv("test")}
	for _, path := range []string{painting, edited} {
		if err := os.Rename(drawing(t), path); err != nil {
			t.Fatal(err)
		}
	}
	job := task(t, "analogy --weights=mini --size=48 --scales=1 --iterations=1 --edit="+edited+" --output=DIR/x.png -- "+painting)
	job.Inputs = []string{painting, edited}
	if err := r.Do(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	if list, _ := os.ReadDir(top); len(list) != 2 {
		t.Errorf("beside the painting lie %v", list)
	}
}
