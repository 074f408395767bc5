package studio

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/style"
)

// TestHalfPrecision: the page offers half precision where this machine or the workers of
// another queue may have it, paints in it, and takes it from a recipe.
func TestHalfPrecision(t *testing.T) {
	painter := NewPainter(job.NewEnv("test"), job.Place{Device: "cpu", Class: farm.ClassCPU, Threads: 2})
	defer painter.Release()
	offered := func(from *recipe.Recipe) *Setting {
		list := painter.Settings(style.ModeTexture, from)
		if i := slices.IndexFunc(list, func(s Setting) bool { return s.Name == "precision" }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	for _, name := range []string{"avx2", "neon"} {
		t.Setenv("IMPASTO_SIMD", name)
		if device.Check("cpu") != nil {
			continue
		}
		if offered(nil) != nil {
			t.Errorf("by %s half precision is offered", name)
		}
		painter.Elsewhere = true
		if offered(nil) == nil {
			t.Error("half precision is not offered for workers elsewhere")
		}
		painter.Elsewhere = false
	}
	t.Setenv("IMPASTO_SIMD", "generic")
	if s := offered(nil); s == nil || !slices.Contains(s.Choices, "half") || s.Text != "" {
		t.Fatalf("in plain Go there is %+v", s)
	}
	s := serverOf(t, painter)
	var made struct{ Job jobView }
	s.post(t, "/api/jobs", order{Mode: style.ModeTexture, Styles: []string{"sample:mosaic"},
		Settings: map[string]string{"size": "32", "iterations": "2", "scales": "1", "weights": "mini", "precision": "half"}}, &made)
	done := s.waitJob(t, made.Job.ID, "done")
	text, err := picture.ReadRecipe(filepath.Join(s.folder, done.Output))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := recipe.Parse(text)
	if err != nil || rec.Precision != "bf16" {
		t.Fatalf("it painted in %q, %v", rec.Precision, err)
	}
	if s := offered(&rec); s == nil || s.Text != "half" {
		t.Errorf("from its recipe: %+v", s)
	}
	if rec.Precision = "f32"; offered(&rec).Text != "" {
		t.Error("single precision is not the usual")
	}
}
