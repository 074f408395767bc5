package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
)

// Runner runs the steps of jobs on one device. It implements farm.Doer.
type Runner struct {
	Device  string // for steps that name none
	Threads int    // 0 for all
	Env     render.Env

	// Change may change the request of a picture before it is prepared, except in
	// what determines the picture. If it is nil, nothing changes.
	Change func(*render.Request)
	Watch  render.Observer // sees what happens, beside the queue; may be nil
}

// Do implements farm.Doer.
func (r *Runner) Do(ctx context.Context, t *farm.Task) error {
	for i, words := range t.Steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := r.step(ctx, t, i, words)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			return attemptError(err, i, len(t.Steps))
		}
	}
	return nil
}

// attemptError converts the faults of a step to the error of the attempt. If there
// are several steps, it adds the number of the step.
func attemptError(err error, nth, steps int) error {
	faults := ui.FaultsOf(err)
	text := errors.New(shortened(faults.Error()))
	if steps > 1 {
		text = fmt.Errorf("step %d of %d: %w", nth+1, steps, text)
	}
	// A fault in a command line or its files occurs again in another attempt. A
	// full disk or a lost device may be different the next time.
	switch faults[0].Exit {
	case ui.ExitUsage, ui.ExitInput, ui.ExitWeights, ui.ExitMemory, ui.ExitDiverged, ui.ExitMismatch:
		return farm.Permanent(text)
	}
	return text
}

// longestError is the most of an error that a status keeps, in bytes. A record may
// have words of any length, which messages repeat.
const longestError = 4 << 10

func shortened(text string) string {
	if len(text) <= longestError {
		return text
	}
	return strings.ToValidUTF8(text[:longestError], "") + " ..."
}

func (r *Runner) step(ctx context.Context, t *farm.Task, nth int, words []string) error {
	s, err := Parse(words)
	if err != nil {
		return err
	}
	files := Files{Dir: t.Dir, Inputs: t.Inputs}
	if err := files.Check(s); err != nil {
		return err
	}
	if s.request != nil {
		s.paintOn(r.Device, r.Threads, device.FreeMemory()/10*9)
		s.continueFrom(s.Output())
		if r.Change != nil {
			r.Change(s.request)
		}
	}
	keep := keepCheckpoints(t)
	outcome, err := s.run(ctx, r.Env, files, func(e render.Event) {
		if r.Watch != nil {
			r.Watch(e)
		}
		switch e := e.(type) {
		case render.CheckpointSaved:
			keep.saved(strings.TrimSuffix(e.Path, checkpointSuffix))
		case render.Progress:
			reportProgress(t, nth, "scale", e.Scale, e.Scales, e.Iteration, e.Iterations)
		case render.FrameProgress:
			reportProgress(t, nth, "frame", e.Frame, e.Frames, e.Done, e.Planned)
		}
	})
	keep.wait()
	if err == nil && outcome != nil {
		t.Outcome = outcome
	}
	return err
}

// checkpointSuffix is added to the name of an output to name its checkpoint.
const checkpointSuffix = ".checkpoint"

// continueFrom makes a step continue from the checkpoint of its output. It removes
// the files of an attempt that was stopped before it had a checkpoint.
func (s *Step) continueFrom(output string) {
	if output == "" || ui.IsFolder(output) {
		return
	}
	if _, err := os.Stat(output + checkpointSuffix); err == nil {
		s.request.Output.Resume = true
		return
	}
	_ = os.Remove(output)
}

// reportProgress tells the queue the progress of a step. part is the scale or the
// frame that is being painted.
func reportProgress(t *farm.Task, nth int, what string, part, parts, iteration, iterations int) {
	if parts == 0 || iterations == 0 || t.Progress == nil {
		return
	}
	here := (float64(part-1) + float64(iteration)/float64(iterations)) / float64(parts)
	t.Progress((float64(nth)+here)/float64(len(t.Steps)), fmt.Sprintf("%s %d/%d, %d/%d", what, part, parts, iteration, iterations))
}

// keeper sends checkpoints to the queue while painting continues. If several are
// saved during one transfer, only the last of them is sent.
type keeper struct {
	task   *farm.Task
	latest chan string
	done   chan struct{}
}

func keepCheckpoints(t *farm.Task) *keeper {
	k := &keeper{t, make(chan string, 1), make(chan struct{})}
	go func() {
		defer close(k.done)
		for output := range k.latest {
			if t.Checkpointed != nil {
				t.Checkpointed(output)
			}
		}
	}()
	return k
}

// saved records that the checkpoint of an output is complete.
func (k *keeper) saved(output string) {
	select {
	case <-k.latest: // an earlier one that was not sent yet
	default:
	}
	k.latest <- output
}

// wait returns when the last checkpoint has been sent.
func (k *keeper) wait() {
	close(k.latest)
	<-k.done
}
