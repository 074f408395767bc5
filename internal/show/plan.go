package show

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
)

// Plan prints what would be done to a picture.
func Plan(w io.Writer, p render.Plan) error {
	fmt.Fprintln(w, p.Header)
	printFiles(w, p.Files)
	for i, s := range p.Scales {
		fmt.Fprintf(w, "scale %d  %dx%d  %s\n", i+1, s.W, s.H, ui.Count(s.Iterations, "iteration"))
	}
	printMemory(w, p)
	fmt.Fprintf(w, "recipe   %s\n", p.Recipe[:8])
	what := ""
	if p.Skips {
		what = "  (exists, left alone)"
	} else if _, err := os.Stat(p.Output); err == nil && p.Output != ui.Stdout {
		what = "  (exists, replaced)"
	}
	_, err := fmt.Fprintf(w, "output   %s%s\n", p.Output, what)
	return err
}

// FilmPlan prints what would be done to a film.
func FilmPlan(w io.Writer, p render.FilmPlan) error {
	fmt.Fprintln(w, p.Header)
	sound := "no sound"
	if p.Input.Sound != "" {
		sound = "sound " + p.Input.Sound
	}
	if !p.Input.Film {
		sound = "numbered"
	}
	fmt.Fprintf(w, "%-8s %s  %dx%d, %s at %s a second, %s\n", "film", p.Input.Path, p.Input.W, p.Input.H, ui.Count(p.Input.Frames, "frame"), p.Rate, sound)
	printFiles(w, p.Files)
	for i, s := range p.Shots {
		if i == 20 && len(p.Shots) > 24 {
			fmt.Fprintf(w, "and %d more shots\n", len(p.Shots)-i)
			break
		}
		fmt.Fprintf(w, "shot %-3d frames %d to %d  from %s\n", i+1, s.First+1, s.Last+1, clock(p.Start+p.Rate.Seconds(s.First)))
	}
	for i, s := range p.Scales {
		fmt.Fprintf(w, "scale %d  %dx%d  %s of a first frame\n", i+1, s.W, s.H, ui.Count(s.Iterations, "iteration"))
	}
	fmt.Fprintf(w, "then     %s of each frame, ~%s; a first one ~%s\n", ui.Count(p.NextIterations, "iteration"),
		progress.Seconds(p.NextSeconds), progress.Seconds(p.FirstSeconds))
	printMemory(w, p.Plan)
	fmt.Fprintf(w, "painted  %d of %s in %s\n", p.Painted, ui.Count(p.Input.Frames, "frame"), p.Folder)
	_, err := fmt.Fprintf(w, "output   %s\n", p.Output)
	return err
}

// clock writes a time in a film: 1:02.5.
func clock(seconds float64) string {
	m := math.Floor(seconds / 60)
	return fmt.Sprintf("%d:%05.2f", int(m), seconds-60*m)
}

func printFiles(w io.Writer, files []render.FileRead) {
	for _, f := range files {
		fmt.Fprintf(w, "%-8s %s  %dx%d %s\n", f.Role, f.Path, f.W, f.H, f.Format)
	}
}

func printMemory(w io.Writer, p render.Plan) {
	for _, part := range p.Memory {
		if part.Bytes > 0 {
			fmt.Fprintf(w, "memory   %-9s %s\n", progress.Bytes(part.Bytes), part.What)
		}
	}
}
