package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// dryRun says what run would do.
func (r *render) dryRun() error {
	if r.json {
		facts := r.describe()
		facts["type"] = "plan"
		facts["options"] = r.set.options
		facts["files"] = r.filesRead()
		return writeJSON(r.stdout, facts)
	}
	w := r.stdout
	fmt.Fprintln(w, r.header())
	for _, f := range r.files {
		fmt.Fprintf(w, "%-8s %s  %dx%d %s\n", f.role, f.path, f.picture.W, f.picture.H, f.info.Format)
	}
	for i, s := range r.plan.Scales {
		fmt.Fprintf(w, "scale %d  %dx%d  %s\n", i+1, s.W, s.H, ui.Count(s.Iterations, "iteration"))
	}
	for _, part := range r.plan.Memory {
		if part.Bytes == 0 {
			continue
		}
		fmt.Fprintf(w, "memory   %-9s %s\n", progress.Bytes(part.Bytes), part.What)
	}
	fmt.Fprintf(w, "recipe   %s\n", r.recipe.Hash()[:8])
	what := ""
	if r.out.skip {
		what = "  (exists, left alone)"
	} else if _, err := os.Stat(r.out.path); err == nil && r.out.path != ui.Stdout {
		what = "  (exists, replaced)"
	}
	_, err := fmt.Fprintf(w, "output   %s%s\n", r.out.path, what)
	return err
}

// fileRead is a file that was read, of the dry run's JSON.
type fileRead struct {
	Role string `json:"role"`
	Path string `json:"path"`
}

func (r *render) filesRead() (list []fileRead) {
	for _, f := range r.files {
		list = append(list, fileRead{f.role, f.path})
	}
	return list
}

// writeJSON writes one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// finiteLosses replaces what JSON has no word for by 0; a run that diverged is
// told by its exit code.
func finiteLosses(l style.Losses) style.Losses {
	for _, v := range []*float64{&l.Content, &l.Style, &l.Patch, &l.Temporal, &l.TV, &l.Total} {
		if recipe.Finite(*v) == nil {
			*v = 0
		}
	}
	layers := make([]style.LayerLoss, len(l.Layers))
	for i, v := range l.Layers {
		if recipe.Finite(v.Loss) == nil {
			v.Loss = 0
		}
		layers[i] = v
	}
	l.Layers = layers
	return l
}

// makeDirectory makes a directory for pictures, and those above it.
func makeDirectory(dir string) error {
	if err := os.MkdirAll(filepath.Clean(dir), 0o755); err != nil {
		return ui.NewFault(ui.ExitOutput, "unwritable", fmt.Sprintf("directory %q cannot be made: %s", dir, ui.Reason(err)))
	}
	return nil
}

// pixelHash identifies a picture's codes of 8 or 16 bits a channel.
func pixelHash(p *picture.Picture, depth int) string {
	return recipe.PixelHash(p.W, p.H, func(w io.Writer) { p.WriteCodes(w, depth) })
}
