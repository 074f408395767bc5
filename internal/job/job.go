// Package job runs the jobs of a queue. A job is stored as command lines that can
// be pasted into a shell. Each is parsed once, where the job is taken, into a
// Step: a picture or a film to paint, or a tool that works on maps. No other
// command runs, and a step reads and writes only the files of its job.
package job

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/maptool"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// A Step is one command line of a job, parsed.
type Step struct {
	command string // "art", "map derive"
	given   settings.Given
	args    []string

	// One of these.
	picture *render.Request
	film    *render.Request
	tool    *maptool.Tool

	settings ui.Faults // what is wrong with settings alone
}

// Parse reads the words of a command line after the program's name. Settings
// come from the words alone. Faults of settings are returned by Plan, with those
// of files.
func Parse(words []string) (*Step, error) {
	switch {
	case len(words) == 0:
		return nil, ui.UsageFault("the job has a step without words")
	case slices.Contains(settings.Commands(), words[0]):
		return parsePaint(words)
	case words[0] == "map" && len(words) > 1:
		if tool, ok := maptool.Find(words[1]); ok {
			return parseTool(tool, words[2:])
		}
	}
	return nil, ui.NewFault(ui.ExitUsage, "job_command", fmt.Sprintf("jobs do not run %q; they paint pictures and films, and make maps", strings.Join(words[:min(2, len(words))], " ")))
}

func parsePaint(words []string) (*Step, error) {
	mode, given, args, err := settings.ParseWords(words)
	if err != nil {
		return nil, err
	}
	values, bad := settings.Resolve(mode, given)
	r := render.NewRequest(values, bad, args...) // its faults are returned with those of its files
	s := &Step{command: words[0], given: given, args: args, settings: slices.Clone(bad)}
	if mode == settings.ModeVideo {
		s.film = &r
	} else {
		s.picture = &r
	}
	return s, nil
}

func parseTool(tool maptool.Tool, words []string) (*Step, error) {
	given, args, err := tool.Parse(words)
	return &Step{command: "map " + tool.Name, given: given, args: args, tool: &tool}, err
}

// request returns what a step paints, nil for a tool.
func (s *Step) request() *render.Request {
	if s.film != nil {
		return s.film
	}
	return s.picture
}

// Output returns the file or folder a step writes, "" where it names none.
func (s *Step) Output() string { return s.given.Last("output") }

// setDefault gives a setting a value where the command line has none.
func (s *Step) setDefault(name, value string) {
	if r := s.request(); r != nil && r.Values.Text(name) == "" {
		r.Values.SetText(name, value, "worker")
	}
}

// paintOn gives a step without a device of its own the worker's, and the
// defaults that fit it.
func (s *Step) paintOn(device string) {
	if r := s.request(); r != nil && r.Values.Text("device") == "" {
		r.Values.PaintOn(device, "worker")
	}
}

// boundMemory lowers a step's limit to what this machine has: a record could ask
// for more, and end the worker.
func (s *Step) boundMemory(most int64) {
	r := s.request()
	if r == nil || most <= 0 {
		return
	}
	if n, ok := ui.ParseBytes(r.Values.Text("max-memory")); ok && n > most && !strings.HasPrefix(r.Values.Text("device"), "cuda") {
		r.Values.SetText("max-memory", fmt.Sprint(most), "worker")
	}
}

// Plan reads a step's files and returns what it would do, or all that is wrong
// with it. The plan of a tool is empty. Files that exist are no fault here: some
// may be results of the same job.
func (s *Step) Plan(ctx context.Context, env render.Env) (render.Plan, error) {
	if s.tool != nil {
		return render.Plan{}, nil
	}
	r := *s.request()
	r.Output.Overwrite = "replace"
	env.DryRun = true
	if s.film != nil {
		f, err := render.PrepareFilm(ctx, r, env)
		if err != nil {
			return render.Plan{}, err
		}
		return f.Plan().Plan, nil
	}
	p, err := render.Prepare(ctx, r, env)
	if err != nil {
		return render.Plan{}, err
	}
	return p.Plan(), nil
}

// CheckSettings returns what is wrong with the settings of a step, without its
// files.
func (s *Step) CheckSettings() error { return s.settings.Err() }

// OnGPU reports whether a step would paint on a GPU of this machine.
func (s *Step) OnGPU() bool {
	r := s.request()
	return r != nil && device.Kind(r.Values.Text("device")) == "cuda"
}

// run does a step and returns its facts as JSON, nil where it has none.
func (s *Step) run(ctx context.Context, env render.Env, files Files, watch render.Observer) (json.RawMessage, error) {
	var result any
	var err error
	switch {
	case s.tool != nil:
		var out *maptool.Result
		out, err = s.tool.Run(ctx, maptool.Input{Given: s.given, Args: s.args, Env: env, OnlyNamed: true})
		if out.Facts["type"] == "result" {
			result = out.Facts
		}
	case s.film != nil:
		var f *render.Film
		if f, err = render.PrepareFilm(ctx, *s.film, env); err == nil {
			if err = files.checkOutput("output", f.Path()); err == nil {
				result, err = f.Run(ctx, watch)
			}
		}
	default:
		var p *render.Prepared
		if err = s.ownMap(ctx, env, files); err != nil {
			break
		}
		if p, err = render.Prepare(ctx, *s.picture, env); err == nil {
			if err = files.checkOutput("output", p.Path()); err == nil {
				result, err = p.Run(ctx, watch)
			}
		}
	}
	if err != nil || result == nil {
		return nil, err
	}
	return withoutPaths(result), nil
}

// withoutPaths returns the facts of a result without paths: those are the
// worker's own.
func withoutPaths(result any) json.RawMessage {
	text, err := json.Marshal(result)
	var facts map[string]any
	if err != nil || json.Unmarshal(text, &facts) != nil {
		return nil
	}
	for _, key := range []string{"type", "output", "report", "explain"} {
		delete(facts, key)
	}
	text, _ = json.Marshal(facts)
	return text
}

// ownMapRegions is how many regions the map of a painting has that is derived
// because an analogy names none.
const ownMapRegions = 6

// ownMap derives the map A of the painting, in the job's folder, for an analogy
// that names none. Render would look for one beside the painting, and write it
// there.
func (s *Step) ownMap(ctx context.Context, env render.Env, files Files) error {
	r := s.picture
	if r.Mode != style.ModeAnalogy || r.Inputs.A != "" {
		return nil
	}
	painting, _, err := env.Library.Read(r.Inputs.Styles[0], picture.ReadOptions{Role: "style image"})
	if err != nil {
		return err
	}
	maker, err := render.NewMapMaker(ctx, env.Library, r.Values.Text("weights"), r.Values.Number("threads", 0))
	if err != nil {
		return err
	}
	m, err := maker.Derive(painting, ownMapRegions)
	if err != nil {
		return err
	}
	r.Inputs.A = filepath.Join(files.Dir, "own_sem.png")
	return m.Save(r.Inputs.A)
}
