package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// stepDoer runs the steps of jobs as command lines in this process.
type stepDoer struct {
	at   workplace
	kept *kept
}

// newDoer returns what does the jobs of a workplace, and what lets go of it.
func newDoer(at workplace, k *kept) (farm.Doer, func()) {
	own := k.forWorker()
	return &stepDoer{at, own}, own.release
}

// paintCommands take the flags of a render.
var paintCommands = []string{"art", "transfer", "patch", "doodle", "analogy", "texture", modeVideo}

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

func (d *stepDoer) step(ctx context.Context, t *farm.Task, nth int, step []string) error {
	words := []string{"impasto", "--json"}
	output := outputOf(step)
	if len(step) > 0 && slices.Contains(paintCommands, step[0]) {
		// First, so that what the job itself says comes after and counts.
		words = append(words, "--progress=json", "--device="+d.at.device)
		if d.at.threads > 0 {
			words = append(words, fmt.Sprintf("--threads=%d", d.at.threads))
		}
		if _, err := os.Stat(output + ".checkpoint"); output != "" && err == nil {
			words = append(words, "--resume")
		} else if strings.HasPrefix(output, t.Dir+string(os.PathSeparator)) {
			_ = os.Remove(output) // of an attempt that was stopped
		}
		defer watchCheckpoint(t, output)()
	}
	var stdout bytes.Buffer
	stderr := &eventLines{tell: func(e event) {
		what, part, parts := "scale", e.Scale, e.Scales
		if e.Frames > 0 {
			what, part, parts = "frame", e.Frame, e.Frames
		}
		if e.Type != "progress" || parts == 0 || e.Iters == 0 || t.Progress == nil {
			return
		}
		here := (float64(part-1) + float64(e.Iter)/float64(e.Iters)) / float64(parts)
		t.Progress((float64(nth)+here)/float64(len(t.Steps)), fmt.Sprintf("%s %d/%d, %d/%d", what, part, parts, e.Iter, e.Iters))
	}}
	s := &session{stdin: strings.NewReader(""), stdout: &stdout, stderr: stderr, args: append(words, step...), job: ctx, kept: d.kept}
	code := s.run()
	if code == ui.ExitOK {
		t.Outcome = lastResult(stdout.Bytes(), t.Outcome)
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := errors.New(toldErrors(stdout.Bytes(), code))
	// What a command line or its files say does not change by itself; a full
	// disk or a lost device may be other the next time.
	switch code {
	case ui.ExitUsage, ui.ExitInput, ui.ExitWeights, ui.ExitMemory, ui.ExitDiverged, ui.ExitMismatch:
		return farm.Permanent(err)
	}
	return err
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

// watchCheckpoint tells of every checkpoint saved beside output, the last one
// when the step has ended.
func watchCheckpoint(t *farm.Task, output string) (stop func()) {
	if output == "" || t.Checkpointed == nil {
		return func() {}
	}
	var last time.Time
	look := func() {
		if st, err := os.Stat(output + ".checkpoint"); err == nil && st.ModTime() != last {
			last = st.ModTime()
			t.Checkpointed(output)
		}
	}
	if st, err := os.Stat(output + ".checkpoint"); err == nil {
		last = st.ModTime() // the one it goes on from
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				look()
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		look()
	}
}

// event is a line of progress as JSON.
type event struct {
	Type                                      string
	Scale, Scales, Frame, Frames, Iter, Iters int // Frame of a film, Scale of a picture
}

// eventLines is a stream of such lines.
type eventLines struct {
	rest []byte
	tell func(event)
}

func (l *eventLines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.rest = rest
		var e event
		if json.Unmarshal(line, &e) == nil {
			l.tell(e)
		}
	}
}

// results reads the objects of a command's standard output.
func results(text []byte, each func(kind string, object json.RawMessage)) {
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var raw json.RawMessage
		if err := d.Decode(&raw); err == io.EOF || err != nil {
			return
		}
		var what struct{ Type string }
		_ = json.Unmarshal(raw, &what) // an array has no type
		each(what.Type, raw)
	}
}

// lastResult is what the last command that made something said of it.
func lastResult(text []byte, before json.RawMessage) json.RawMessage {
	results(text, func(kind string, object json.RawMessage) {
		var facts map[string]any
		if kind != "result" || json.Unmarshal(object, &facts) != nil {
			return
		}
		for _, key := range []string{"type", "output", "report"} { // paths of the worker's own
			delete(facts, key)
		}
		before, _ = json.Marshal(facts)
	})
	return before
}

// toldErrors are the messages of a command that failed, in one line.
func toldErrors(text []byte, code int) string {
	var all []string
	results(text, func(kind string, object json.RawMessage) {
		var e struct{ Message string }
		if kind == "error" && json.Unmarshal(object, &e) == nil {
			all = append(all, e.Message)
		}
	})
	if len(all) == 0 {
		return fmt.Sprintf("the step ended with exit code %d", code)
	}
	return strings.Join(all, "; ")
}
