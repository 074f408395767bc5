package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// painters are what the renders of jobs in one process share.
type painters struct {
	library *render.Library
	devices *render.Devices

	packEvery time.Duration // as of render.Env
}

func newPainters() *painters {
	sums := &farm.Sums{}
	l := &render.Library{Sum: sums.Of}
	return &painters{library: l, devices: render.NewDevices(l)}
}

// Env returns what a job finds around it.
func (p *painters) Env() render.Env {
	return render.Env{Library: p.library, Devices: p.devices, Stdin: strings.NewReader(""), Stdout: io.Discard, Job: true, PackEvery: p.packEvery, Program: shortVersion()}
}

// stepDoer runs the steps of jobs.
type stepDoer struct {
	at   workplace
	jobs *painters
}

// newDoer returns what does the jobs of a workplace, and what lets go of it. Two
// places share the library but no device.
func newDoer(at workplace, shared *painters) (farm.Doer, func()) {
	own := &painters{library: shared.library, devices: render.NewDevices(shared.library), packEvery: shared.packEvery}
	return &stepDoer{at, own}, own.devices.Release
}

// Do implements farm.Doer.
func (d *stepDoer) Do(ctx context.Context, t *farm.Task) error {
	for i, step := range t.Steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.step(ctx, t, i, step); err != nil {
			if len(t.Steps) > 1 && ctx.Err() == nil {
				text := fmt.Errorf("step %d of %d: %w", i+1, len(t.Steps), err)
				if farm.IsPermanent(err) {
					return farm.Permanent(text)
				}
				return text
			}
			return err
		}
	}
	return nil
}

// step does one step: it paints, or runs a command that makes a map.
func (d *stepDoer) step(ctx context.Context, t *farm.Task, nth int, step []string) error {
	var err error
	if len(step) > 0 && isPaint(step[0]) {
		err = d.paint(ctx, t, nth, step)
	} else {
		var stdout, stderr bytes.Buffer
		s := &session{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, args: append([]string{"impasto", "-q"}, step...), jobs: d.jobs}
		if code := s.run(); code != ui.ExitOK {
			text := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "impasto: ")
			err = ui.NewFault(code, "failure", either(text, fmt.Sprintf("the step ended with exit code %d", code)))
		}
	}
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	faults := ui.FaultsOf(err)
	err = errors.New(faults.Error())
	// What a command line or its files say does not change by itself; a full
	// disk or a lost device may be other the next time.
	switch faults[0].Exit {
	case ui.ExitUsage, ui.ExitInput, ui.ExitWeights, ui.ExitMemory, ui.ExitDiverged, ui.ExitMismatch:
		return farm.Permanent(err)
	}
	return err
}

// paint paints a step.
func (d *stepDoer) paint(ctx context.Context, t *farm.Task, nth int, step []string) error {
	req, err := render.ParseCommandLine(step)
	if err != nil {
		return err
	}
	// The job's own word on the device counts, if it has one.
	if req.Values.Text("device") == "" {
		req.Values.SetText("device", d.at.device, "worker")
	}
	if req.Values.Text("threads") == "" && d.at.threads > 0 {
		req.Values.SetText("threads", fmt.Sprint(d.at.threads), "worker")
	}
	output := req.Output.Name
	if _, err := os.Stat(render.CheckpointOf(output)); output != "" && err == nil {
		req.Output.Resume = true
	} else if strings.HasPrefix(output, t.Dir+string(os.PathSeparator)) {
		_ = os.Remove(output) // of an attempt that was stopped
	}
	saved, stop := keepCheckpoints(t, output)
	defer stop()
	watch := func(e render.Event) {
		switch e := e.(type) {
		case render.Progress:
			reportStep(t, nth, "scale", e.Scale, e.Scales, e.Iteration, e.Iterations)
		case render.FrameProgress:
			reportStep(t, nth, "frame", e.Frame, e.Frames, e.Done, e.Planned)
		case render.CheckpointSaved:
			saved()
		}
	}
	if req.Mode == settings.ModeVideo {
		f, err := render.PrepareFilm(ctx, req, d.jobs.Env())
		if err != nil {
			return err
		}
		result, err := f.Run(ctx, watch)
		if err == nil {
			t.Outcome = outcomeOf(result)
		}
		return err
	}
	p, err := render.Prepare(ctx, req, d.jobs.Env())
	if err != nil {
		return err
	}
	result, err := p.Run(ctx, watch)
	if err == nil {
		t.Outcome = outcomeOf(result)
	}
	return err
}

// reportStep reports how far the job is: iteration of iterations, in a part of
// the step.
func reportStep(t *farm.Task, nth int, what string, part, parts, iteration, iterations int) {
	if parts == 0 || iterations == 0 || t.Progress == nil {
		return
	}
	here := (float64(part-1) + float64(iteration)/float64(iterations)) / float64(parts)
	t.Progress((float64(nth)+here)/float64(len(t.Steps)), fmt.Sprintf("%s %d/%d, %d/%d", what, part, parts, iteration, iterations))
}

// keepCheckpoints hands the checkpoints of an output to the task while painting
// goes on. saved says that there is a new one; stop waits for the last.
func keepCheckpoints(t *farm.Task, output string) (saved, stop func()) {
	if t.Checkpointed == nil {
		return func() {}, func() {}
	}
	fresh, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for range fresh {
			t.Checkpointed(output)
		}
	}()
	saved = func() {
		select {
		case fresh <- struct{}{}:
		default: // the one that waits is replaced
		}
	}
	return saved, func() {
		close(fresh)
		<-ended
	}
}

// outcomeOf is a result without the paths of the worker's own.
func outcomeOf(result any) json.RawMessage {
	text, err := json.Marshal(result)
	var facts map[string]json.RawMessage
	if err != nil || json.Unmarshal(text, &facts) != nil {
		return nil
	}
	delete(facts, "output")
	delete(facts, "report")
	text, _ = json.Marshal(facts)
	return text
}

// outputOf is the value of a step's --output, "" if it has none.
func outputOf(step []string) string {
	for i, w := range step {
		if w == "--" {
			break
		}
		if v, ok := strings.CutPrefix(w, "--output="); ok {
			return v
		}
		if (w == "--output" || w == "-o") && i+1 < len(step) {
			return step[i+1]
		}
	}
	return ""
}
