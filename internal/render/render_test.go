package render

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// quick is a command line that paints in a moment.
func quick(more ...string) []string {
	return append([]string{"art", "sample:lighthouse", "sample:woodblock", "--weights=mini", "--size=40", "--optimizer=adam", "--plateau=0"}, more...)
}

func request(t *testing.T, words []string) Request {
	t.Helper()
	req, err := ParseCommandLine(words)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// library keeps the samples drawn from one test to the next.
var library = &Library{}

func TestEventsOfARender(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "{style}.png")
	p, err := Prepare(context.Background(), request(t, quick("--iterations=20", "--save-every=8", "--checkpoint=1ns", "-o", out)), Env{Library: library})
	if err != nil {
		t.Fatal(err)
	}
	plan := p.Plan()
	out = filepath.Join(dir, "woodblock.png")
	if plan.Output != out || plan.W != 40 || plan.H != 27 || plan.Iterations != 20 || plan.PeakBytes == 0 || len(plan.Files) != 2 {
		t.Errorf("plan %+v", plan)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("Prepare left %v", entries)
	}
	var kinds, saved []string
	done := 0
	result, err := p.Run(context.Background(), func(e Event) {
		kind := strings.TrimPrefix(fmt.Sprintf("%T", e), "render.")
		if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
			kinds = append(kinds, kind)
		}
		switch e := e.(type) {
		case Progress:
			if done = e.Done; e.Snapshot().W != e.W || e.Planned != 20 || len(e.Terms) != 3 {
				t.Errorf("progress %+v", e)
			}
		case FrameSaved:
			if e.Err != nil {
				t.Error(e.Err)
			}
			saved = append(saved, filepath.Base(e.Path))
		case CheckpointSaved:
			if _, err := style.LoadCheckpoint(e.Path); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if kinds[0] != "Started" || kinds[len(kinds)-1] != "Finished" || !slices.Contains(kinds, "CheckpointSaved") || done != 20 {
		t.Errorf("events %v, %d iterations", kinds, done)
	}
	if want := []string{"woodblock_00008.png", "woodblock_00016.png"}; !slices.Equal(saved, want) {
		t.Errorf("saved %v, want %v", saved, want)
	}
	painted, _, err := picture.Read(out, picture.ReadOptions{})
	if err != nil || painted.W != result.W || result.Iterations != 20 || result.Stopped != "" {
		t.Errorf("result %+v, %v", result, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.checkpoint*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestFaultsComeTogether: what is wrong with settings, inputs, device and output
// is returned at once, the first with the exit code of the process.
func TestFaultsComeTogether(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.png")
	if err := os.WriteFile(there, []byte("a picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	req := request(t, []string{"art", filepath.Join(dir, "none.png"), "sample:woodblock", "--weights=mini", "--lr=fast", "--style-weight=-1", "--device=gpu", "--init=noize", "-o", there})
	_, err := Prepare(context.Background(), req, Env{Library: library})
	var bad ui.Faults
	if !errors.As(err, &bad) {
		t.Fatalf("%T: %v", err, err)
	}
	for _, want := range []string{"--lr takes a number", "noize", "none.png", `unknown device "gpu"`, "style-weight is -1", `there.png" exists`} {
		if !slices.ContainsFunc(bad, func(f *ui.Fault) bool { return strings.Contains(f.Message, want) }) {
			t.Errorf("nothing says %q:\n%v", want, bad)
		}
	}
	if bad[0].Exit != ui.ExitUsage || bad[len(bad)-1].Exit != ui.ExitOutput {
		t.Errorf("exit codes of %v", bad)
	}
	if data, _ := os.ReadFile(there); string(data) != "a picture" {
		t.Error("the output was touched")
	}
}

// TestCancelledRenderIsResumed: a cancelled render keeps its picture and a
// checkpoint, and resumed it ends in the picture of one that nothing disturbed.
func TestCancelledRenderIsResumed(t *testing.T) {
	dir := t.TempDir()
	paint := func(ctx context.Context, watch Observer, more ...string) (*Result, error) {
		p, err := Prepare(ctx, request(t, quick(append(more, "--iterations=12")...)), Env{Library: library})
		if err != nil {
			t.Fatal(err)
		}
		return p.Run(ctx, watch)
	}
	whole, err := paint(context.Background(), nil, "-o", filepath.Join(dir, "whole.png"))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.png")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopped, err := paint(ctx, func(e Event) {
		if _, ok := e.(Progress); ok {
			cancel()
		}
	}, "-o", out)
	var f *ui.Fault
	if !errors.As(err, &f) || f.Code != "interrupted" || stopped == nil || stopped.Stopped != "interrupted" || stopped.Iterations >= 12 || f.Try != nil {
		t.Fatalf("%v, %+v", err, stopped)
	}
	resumed, err := paint(context.Background(), nil, "-o", out, "--resume")
	if err != nil {
		t.Fatal(err)
	}
	if resumed.Iterations != 12 || !slices.Equal(resumed.Picture.Pix, whole.Picture.Pix) {
		t.Errorf("the resumed picture of %d iterations differs", resumed.Iterations)
	}
}

// TestEveryModeIsARequest: the pictures of a command line find their places.
func TestEveryModeIsARequest(t *testing.T) {
	for line, want := range map[string]Inputs{
		"art a.png b.png c.png":                         {Content: "a.png", Styles: []string{"b.png", "c.png"}},
		"art b.png --content a.png --protect m.png":     {Content: "a.png", Styles: []string{"b.png"}, Protect: "m.png"},
		"patch a.png --style=b.png --init start.png":    {Content: "a.png", Styles: []string{"b.png"}, Init: "start.png"},
		"texture a.png b.png":                           {Styles: []string{"a.png", "b.png"}},
		"doodle b.png --map m.png --style-map n.png":    {Styles: []string{"b.png"}, Maps: []string{"m.png"}, StyleMaps: []string{"n.png"}},
		"doodle sample:strokes --map sample:valley_sem": {Styles: []string{"sample:strokes"}, Maps: []string{"sample:valley_sem"}, StyleMaps: []string{"sample:strokes_sem"}},
		"analogy a.png p.png b.png":                     {A: "a.png", Styles: []string{"p.png"}, B: "b.png"},
		"analogy --edit e.png p.png":                    {Styles: []string{"p.png"}, B: "e.png"},
		"video f.mp4 b.png":                             {Content: "f.mp4", Styles: []string{"b.png"}},
	} {
		req := request(t, strings.Fields(line))
		if len(req.Faults) > 0 || !reflect.DeepEqual(req.Inputs, want) {
			t.Errorf("%s: %+v, %v; want %+v", line, req.Inputs, req.Faults, want)
		}
	}
	for line, want := range map[string]string{
		"art": "got 0", "art a.png": "got 1", "texture": "at least one style image", "doodle": "at least one style image", "video a.mp4": "a film or frames",
		"analogy a.png b.png": "got 2 pictures", "analogy --edit e.png": "got 0 pictures", "patch a.png b.png --threads=0": "--threads takes a whole number from 1",
	} {
		req := request(t, strings.Fields(line))
		if _, err := Prepare(context.Background(), req, Env{Library: library}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	if _, err := ParseCommandLine([]string{"queue", "serve"}); err == nil {
		t.Error("queue serve is a request")
	}
}

// TestOutputsOfARequest: settings become typed choices.
func TestOutputsOfARequest(t *testing.T) {
	got := request(t, quick("-o", "x.tif", "--depth=8", "--save-every=5", "--frames=dir", "--report=r.html", "--preview=p.png", "--checkpoint=off", "--no-recipe", "-y")).Output
	want := Output{Name: "x.tif", Overwrite: "replace", Depth: 8, NoRecipe: true, SaveEvery: 5, Frames: "dir", Report: "r.html", Preview: "p.png", Checkpoint: Checkpoints{Off: true}}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if p := request(t, quick("--preview=blocks")).Output.Preview; p != "" {
		t.Errorf("--preview blocks is file %q", p)
	}
}

// TestReplayIsVerified: what a render wrote is proved by painting it again, and
// a change is found.
func TestReplayIsVerified(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.png")
	env := Env{Library: library, Program: "test"}
	p, err := Prepare(context.Background(), request(t, quick("--iterations=3", "-o", out)), env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	text, err := picture.ReadRecipe(out)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := recipe.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	verify := func() Verified {
		t.Helper()
		v, _ := settings.Resolve(rec.Mode, nil)
		again, err := Replay{Original: out, Verify: true, Values: v, Recipe: rec}.Prepare(context.Background(), env)
		if err != nil {
			t.Fatal(err)
		}
		found, err := again.Verify(context.Background(), rec, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if v := verify(); !v.Pixels || !v.File || v.Err() != nil {
		t.Errorf("the same picture: %+v", v)
	}
	data, err := os.ReadFile(out)
	if err == nil {
		err = os.WriteFile(out, append(data, 0), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	if v := verify(); !v.Pixels || v.File || v.Err() == nil {
		t.Errorf("a changed file: %+v", v)
	}
}
