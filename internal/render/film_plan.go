package render

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// FilmPlan says what Run of a film will do.
type FilmPlan struct {
	Plan           // of the first frame of a shot, except Seconds: of the whole film
	Input          film.Info
	Start          float64 // of the first frame, in seconds into the film
	Rate           film.Rate
	Shots          []film.Shot
	Painted        int     // frames that are painted already
	Folder         string  // of painted frames
	NextIterations int     // of each later frame of a shot
	FirstSeconds   float64 // of the first frame of a shot
	NextSeconds    float64 // of a later one
	Flow           style.Flow
}

// Plan returns what Run will do.
func (v *Film) Plan() FilmPlan {
	p := FilmPlan{Plan: v.Prepared.Plan(), Input: v.input, Start: v.start, Rate: v.rate, Shots: v.shots, Painted: v.done(), Folder: filepath.Dir(v.frames),
		NextIterations: v.sequence.Options().NextIterations, FirstSeconds: v.plan.Seconds, NextSeconds: v.next.Seconds, Flow: v.sequence.Options().Flow}
	p.Mode, p.Content, p.Output, p.Seconds, p.Recipe = settings.ModeVideo, v.input.Path, v.out.path, v.seconds(), v.order.hash()
	p.Header = v.header()
	return p
}

// Facts returns the plan as named values, for programs.
func (p FilmPlan) Facts() map[string]any {
	facts := p.Plan.Facts()
	facts["frames"], facts["shots"], facts["done"] = p.Input.Frames, p.Shots, p.Painted
	facts["fps"], facts["next_iterations"], facts["flow"] = p.Rate.String(), p.NextIterations, p.Flow
	return facts
}

// header says in one line what was chosen and why.
func (v *Film) header() string {
	parts := []string{v.device.String(), fmt.Sprintf("%dx%d", v.plan.W(), v.plan.H()),
		ui.Count(v.input.Frames, "frame") + " in " + ui.Count(len(v.shots), "shot")}
	if s := v.seconds(); s > 0 {
		parts = append(parts, "~"+progress.Span(time.Duration(s*float64(time.Second))))
	}
	if v.plan.PeakBytes > 0 {
		parts = append(parts, progress.Bytes(v.plan.PeakBytes))
	}
	return strings.Join(append(parts, "weights "+v.network.Name), " · ")
}

// seconds estimates the time to paint the missing frames.
func (v *Film) seconds() float64 {
	// A painted frame is saved, read again and encoded.
	total, kept := startSeconds+v.took.Seconds(), 3*writeSeconds(v.plan.W(), v.plan.H())
	for _, s := range v.shots {
		for i := s.First; i <= s.Last; i++ {
			switch {
			case v.has(i):
			case i == s.First:
				total += kept + v.plan.Seconds
			default:
				total += kept + v.next.Seconds
			}
		}
	}
	return total
}
