// Package job runs the jobs of a queue. A job is stored as command lines that can
// be pasted into a shell. Each is parsed once, when the job is taken, into a Step:
// a picture or a film to paint, or a tool that works on maps. No other command
// runs, and a step reads and writes only the files of its job.
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
	request *render.Request // of a picture or a film
	tool    *maptool.Tool

	settings ui.Faults // faults of the settings alone
}

// Parse reads the words of a command line after the program's name. Settings come
// only from the words. Plan returns the faults of settings together with those of
// files.
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
	return &Step{command: words[0], given: given, args: args, request: &r, settings: slices.Clone(bad)}, nil
}

func parseTool(tool maptool.Tool, words []string) (*Step, error) {
	given, args, err := tool.Parse(words)
	return &Step{command: "map " + tool.Name, given: given, args: args, tool: &tool}, err
}

// isFilm reports whether a step paints a film.
func (s *Step) isFilm() bool { return s.request.Values.Mode == settings.ModeVideo }

// Output returns the file or folder that a step writes, or "" if it names none.
func (s *Step) Output() string { return s.given.Last("output") }

// paintOn sets the device and threads (0: all) of a step that names none, and the
// defaults for the device. It lowers the step's limit of memory to most (0:
// unknown), which is what this machine has. Otherwise a record could ask for more
// memory and end the worker.
func (s *Step) paintOn(device string, threads int, most int64) {
	v := s.request.Values
	if v.Text("device") == "" {
		v.PaintOn(device, "worker")
	}
	if threads > 0 && v.Text("threads") == "" {
		v.SetText("threads", fmt.Sprint(threads), "worker")
	}
	if n, ok := ui.ParseBytes(v.Text("max-memory")); ok && most > 0 && n > most && !strings.HasPrefix(v.Text("device"), "cuda") {
		v.SetText("max-memory", fmt.Sprint(most), "worker")
	}
}

// Plan reads a step's files and returns what it would do, or all that is wrong with
// it. The plan of a tool is empty. Existing files are not faults here, because some
// may be results of the same job.
func (s *Step) Plan(ctx context.Context, env render.Env) (render.Plan, error) {
	if s.tool != nil {
		return render.Plan{}, nil
	}
	r := *s.request
	r.Output.Overwrite = "replace"
	env.DryRun = true
	if s.isFilm() {
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
	return s.tool == nil && device.Kind(s.request.Values.Text("device")) == "cuda"
}

// run does a step and returns its facts as JSON, or nil if it has none.
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
	case s.isFilm():
		var f *render.Film
		if f, err = render.PrepareFilm(ctx, *s.request, env); err == nil {
			if err = files.checkOutput("output", f.Path()); err == nil {
				result, err = f.Run(ctx, watch)
			}
		}
	default:
		var p *render.Prepared
		if err = s.ownMap(ctx, env, files); err != nil {
			break
		}
		if p, err = render.Prepare(ctx, *s.request, env); err == nil {
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

// withoutPaths returns the facts of a result without paths, because paths are valid
// only on the worker.
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

// ownMapRegions is the number of regions in the map of a painting that is derived
// because an analogy names none.
const ownMapRegions = 6

// ownMap derives the map A of the painting in the job's folder, for an analogy that
// names none. Package render would look for one beside the painting and write it
// there.
func (s *Step) ownMap(ctx context.Context, env render.Env, files Files) error {
	r := s.request
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
