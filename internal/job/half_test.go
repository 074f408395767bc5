package job

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/render"
)

// withoutHalf makes this a machine whose processor has no half precision.
func withoutHalf(t *testing.T) {
	for _, name := range []string{"avx2", "neon"} {
		t.Setenv("IMPASTO_SIMD", name)
		if device.Check("cpu") == nil && len(device.Precisions("cpu")) == 1 {
			return
		}
	}
	t.Skip("SKIPPED: this processor has only plain Go, which has half precision")
}

// TestHalfOnWorkers: a job that asks for half precision is painted in single by a worker
// that has no instructions for it. Its outcome and the recipe say so. A worker that has
// them does not go on from the other's checkpoint.
func TestHalfOnWorkers(t *testing.T) {
	const step = "art --weights=mini --size=32 --scales=1 --iterations=8 --checkpoint=1ms --precision=half --output=DIR/x.png -- IN IN"
	withoutHalf(t)
	job := task(t, step)
	ctx, stop := context.WithCancel(context.Background())
	job.Checkpointed = func(string) { stop() }
	if err := (&Runner{Device: "cpu", Env: NewEnv("test")}).Do(ctx, job); err != context.Canceled {
		t.Fatalf("stopped with %v", err)
	}
	checkpoint := filepath.Join(job.Dir, "x.png.checkpoint")
	begun, err := os.ReadFile(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	job.Checkpointed = nil

	// The checkpoint of another job is no reason to begin again: it stays.
	t.Setenv("IMPASTO_SIMD", "generic")
	other := task(t, strings.Replace(step, "--iterations=8", "--iterations=9", 1))
	theirs := filepath.Join(other.Dir, "x.png.checkpoint")
	if err := os.WriteFile(theirs, begun, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := (&Runner{Device: "cpu", Env: NewEnv("test")}).Do(context.Background(), other); err == nil {
		t.Error("a job painted over the checkpoint of another one")
	}
	if got, err := os.ReadFile(theirs); err != nil || !bytes.Equal(got, begun) {
		t.Errorf("the checkpoint of another job is gone, %v", err)
	}
	withoutHalf(t)

	for _, c := range []struct{ simd, precision, device string }{
		{os.Getenv("IMPASTO_SIMD"), "f32", "cpu"},
		{"generic", "bf16", "cpu generic, edition 3"},
	} {
		t.Setenv("IMPASTO_SIMD", c.simd)
		if err := os.WriteFile(checkpoint, begun, 0o666); err != nil {
			t.Fatal(err)
		}
		var notes []string
		watch := func(e render.Event) {
			if e, ok := e.(render.Warning); ok {
				notes = append(notes, e.Text)
			}
		}
		if err := (&Runner{Device: "cpu", Env: NewEnv("test"), Watch: watch}).Do(context.Background(), job); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"f32": "going on at scale 1", "bf16": "painting from the beginning"}[c.precision]
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("in %s the notes lack %q: %q", c.precision, want, notes)
		}
		var outcome struct{ Device, Precision string }
		if err := json.Unmarshal(job.Outcome, &outcome); err != nil || outcome.Precision != c.precision || outcome.Device != c.device {
			t.Errorf("want %v, the outcome is %s, %v", c, job.Outcome, err)
		}
		text, err := picture.ReadRecipe(filepath.Join(job.Dir, "x.png"))
		if err != nil {
			t.Fatal(err)
		}
		if rec, err := recipe.Parse(text); err != nil || rec.Precision != c.precision || rec.Device != c.device {
			t.Errorf("want %v, the recipe has %s on %s, %v", c, rec.Precision, rec.Device, err)
		}
	}
}
