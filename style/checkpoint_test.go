package style

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/gpu"
)

// interrupted runs until an event of at least so many iterations and cancels,
// as Ctrl-C does; it returns what was kept.
func interrupted(t *testing.T, o Options, at int, path string) *Checkpoint {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	env := tinyEnv(2)
	env.Every = 1
	env.Saving = Saving{Path: path, Every: time.Hour, Note: "a note"}
	env.Progress = func(e Event) {
		if e.Done >= at {
			cancel()
		}
	}
	if _, err := Art(ctx, tinyInputs(), o, env); !errors.Is(err, context.Canceled) {
		t.Fatalf("the run ended with %v", err)
	}
	c, err := LoadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Done != at || c.Note != "a note" || c.Damaged != nil {
		t.Fatalf("stopped after %d iterations, kept %d with note %q (%v)", at, c.Done, c.Note, c.Damaged)
	}
	return c
}

var resumeOptions = map[string]func(*Options){
	"l-bfgs":   func(*Options) {},
	"gram":     func(o *Options) { o.StyleLoss = LossGram },
	"selfsim":  func(o *Options) { o.ContentLoss = ContentSelfSim },
	"sliced":   func(o *Options) { o.StyleLoss, o.SlicedHold = LossSliced, 5 },
	"adam, w2": func(o *Options) { o.Optimizer, o.Average, o.StyleLoss, o.CarryState = OptimizerAdam, 0.9, LossW2, true },
	"noise":    func(o *Options) { o.Init, o.LineSearch, o.Box = InitNoise, false, false },
}

// TestResumeEndsInTheSameBytes: wherever a run is stopped, and stopped again
// after it was taken up, picture, losses and history are those of one that was
// not.
func TestResumeEndsInTheSameBytes(t *testing.T) {
	for name, change := range resumeOptions {
		o := tinyOptions(ModeArt)
		change(&o)
		want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(1))
		if err != nil {
			t.Fatal(err)
		}
		for at := 1; at <= 20; at += 3 { // of 12 and 8 iterations; 13 is the first of the second scale
			path := filepath.Join(t.TempDir(), "run.checkpoint")
			env := tinyEnv(3)
			env.Resume = interrupted(t, o, at, path)
			got, err := Art(context.Background(), tinyInputs(), o, env)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Picture.Pix, want.Picture.Pix) || got.Losses.Total != want.Losses.Total {
				t.Errorf("%s: resumed after %d iterations, another picture came out", name, at)
			}
			if got.Iterations != want.Iterations || len(got.History) != len(want.History) {
				t.Errorf("%s: resumed after %d: %d iterations and %d samples, want %d and %d", name, at,
					got.Iterations, len(got.History), want.Iterations, len(want.History))
			}
		}
	}
}

// TestCheckpointsByTheClock: with no interruption they are written all the
// same, two are kept, and removing leaves nothing.
func TestCheckpointsByTheClock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.checkpoint")
	o := tinyOptions(ModeArt)
	o.Iterations = []int{1}
	env := tinyEnv(1)
	env.Saving = Saving{Path: path, Every: time.Nanosecond}
	r, err := Art(context.Background(), tinyInputs(), o, env)
	if err != nil || len(r.Plan.Scales) != 2 {
		t.Fatal(err, r.Plan.Scales)
	}
	if _, err := LoadCheckpoint(path); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path+".tmp-killed", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	RemoveCheckpoint(path)
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v stays", left)
	}
	if _, err := LoadCheckpoint(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loading nothing gives %v", err)
	}
}

// TestDamagedCheckpoint: any changed, missing or added byte is noticed, and
// the file before it used.
func TestDamagedCheckpoint(t *testing.T) {
	o := tinyOptions(ModeArt)
	path := filepath.Join(t.TempDir(), "run.checkpoint")
	interrupted(t, o, 3, path)
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	interrupted(t, o, 9, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(path + ".before"); err != nil || !slices.Equal(kept, older) {
		t.Fatal("the checkpoint before was not kept", err)
	}
	spoil := func(what string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := LoadCheckpoint(path)
		if err != nil || c.Damaged == nil || c.Done != 3 || !strings.Contains(c.Damaged.Error(), "damaged") {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
	for i := 0; i < len(whole); i += 1 + len(whole)/40 {
		b := slices.Clone(whole)
		b[i] ^= 4
		spoil("a bit of byte "+string(rune('0'+i%10)), b)
	}
	spoil("cut", whole[:len(whole)-1])
	spoil("half", whole[:len(whole)/2])
	spoil("empty", nil)
	spoil("longer", append(slices.Clone(whole), 0))
	if err := os.WriteFile(path+".before", whole[:100], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCheckpoint(path); err == nil {
		t.Error("two damaged files were taken")
	}
}

// TestCheckpointOfAnotherRun: other options are refused.
func TestCheckpointOfAnotherRun(t *testing.T) {
	o := tinyOptions(ModeArt)
	env := tinyEnv(1)
	env.Resume = interrupted(t, o, 3, filepath.Join(t.TempDir(), "run.checkpoint"))
	o.StyleWeight = 2
	if _, err := Art(context.Background(), tinyInputs(), o, env); err == nil || !strings.Contains(err.Error(), "other options") {
		t.Errorf("another run was taken up: %v", err)
	}
}

// TestUnwritableCheckpoint: the render goes on, and says why there is none.
func TestUnwritableCheckpoint(t *testing.T) {
	env := tinyEnv(1)
	env.Every = 1
	env.Saving = Saving{Path: filepath.Join(t.TempDir(), "nowhere", "run.checkpoint"), Every: time.Nanosecond}
	notice := ""
	env.Progress = func(e Event) { notice += e.Notice }
	if _, err := Art(context.Background(), tinyInputs(), tinyOptions(ModeArt), env); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(notice, "no checkpoint") {
		t.Errorf("notices: %q", notice)
	}
}

// BenchmarkCheckpoint is what keeping a run of 1024x1024 with a full history of
// L-BFGS takes. The program spends at most a hundredth of its time on it, since it
// waits a hundred times as long as the last one took.
func BenchmarkCheckpoint(b *testing.B) {
	back := gpu.NewCPU(gpu.CPUOptions{})
	s := gpu.Shape{H: 1024, W: 1024, C: 3}
	x, g := back.NewArray(s), back.NewArray(s)
	back.Fill(x, 1)
	optimizer := back.NewLBFGS(s, gpu.LBFGSOptions{History: 10, LearningRate: 1})
	for i := range 12 {
		back.Fill(g, float32(i+1))
		optimizer.Step(x, g)
	}
	path := filepath.Join(b.TempDir(), "checkpoint")
	for b.Loop() {
		c := &Checkpoint{W: s.W, H: s.H}
		if err := c.write(path, back, []*gpu.Array{x}, optimizer); err != nil {
			b.Fatal(err)
		}
	}
}
