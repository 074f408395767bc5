package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/show"
	"github.com/impasto/impasto/internal/ui"
)

// surroundings returns the environment of this session's renders. It returns a
// fault if a file descriptor is not open.
func (s *session) surroundings(v *settings.Values) (render.Env, error) {
	env := render.Env{
		Stdin: s.stdin, Stdout: s.stdout, StdoutTerminal: ui.IsTerminal(s.stdout),
		CanAsk: ui.IsTerminal(s.stdin) && ui.IsTerminal(s.stderr) && !s.json, DryRun: v.On("dry-run"), Program: shortVersion(),
	}
	fd := v.Number("progress-fd", 0)
	if fd == 0 {
		return env, nil
	}
	f := os.NewFile(uintptr(fd), "progress")
	if _, err := f.Stat(); err != nil {
		return env, ui.UsageFault(fmt.Sprintf("--progress-fd %d is not open", fd), fmt.Sprintf("impasto ... --progress-fd %d %d>progress.jsonl", fd, fd))
	}
	env.Streams = []render.Stream{{Name: fmt.Sprintf("--progress-fd %d", fd), File: f}}
	return env, nil
}

// paint prepares, paints and prints the result of one picture.
func (s *session) paint(req render.Request) error {
	req.Again = s.again
	env, err := s.surroundings(req.Values)
	var bad ui.Faults
	bad.Add(err)
	p, err := render.Prepare(context.Background(), req, env)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	return s.paintPrepared(p, env)
}

// paintPrepared paints a prepared picture, or prints its plan.
func (s *session) paintPrepared(p *render.Prepared, env render.Env) error {
	if p.Request.Values.On("dry-run") {
		return s.printPlan(p.Plan())
	}
	if p.Skips() {
		s.note("impasto: %q exists and is left alone", p.Path())
	}
	if err := s.confirm(p.Replaces()); err != nil {
		return err
	}
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	w := s.watch(p.Request.Values, p.PreviewFile(), env.Streams, signals)
	defer w.Close()
	result, err := p.Run(ctx, w.Observe)
	w.Close()
	if err != nil {
		return bySignal(signals, err)
	}
	for _, line := range result.Explanation {
		s.note("%s", ui.Printable(line))
	}
	return s.printResult(result.Output, result)
}

// bySignal sets the exit code of an interrupted run to that of the signal.
func bySignal(signals *ui.Signals, err error) error {
	if f, ok := errors.AsType[*ui.Fault](err); ok && f.Code == "interrupted" {
		try := f.Try
		f = signals.Fault(f.Message)
		f.Try = try
		return f
	}
	return err
}

// confirm asks whether existing files may be replaced.
func (s *session) confirm(paths []string) error {
	for _, path := range paths {
		fmt.Fprintf(s.stderr, "%q exists; replace it? [y/N] ", path)
		answer, _ := bufio.NewReader(s.stdin).ReadString('\n')
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
		default:
			return ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("%q exists", path), "-y   (replaces it)", "--overwrite number   (keeps both)")
		}
	}
	return nil
}

// printResult writes the result to standard output: the path, or JSON.
func (s *session) printResult(path string, result any) error {
	if !s.json || path == ui.Stdout {
		return ui.PrintResult(s.stdout, path)
	}
	return writeTyped(s.stdout, "result", result)
}

// writeTyped writes a struct as one line of JSON, with a type before its fields.
func writeTyped(w io.Writer, kind string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "{\"type\":%q,%s\n", kind, text[1:])
	return err
}

// show prints a result on standard output: as JSON, or as text.
func (s *session) show(facts any, text any) error {
	if s.json {
		return writeJSON(s.stdout, facts)
	}
	_, err := fmt.Fprintln(s.stdout, text)
	return err
}

// facts prints facts for programs on standard output.
func (s *session) facts(facts any) error {
	if !s.json {
		return nil
	}
	return writeJSON(s.stdout, facts)
}

// writeJSON writes a value as one line of JSON.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// progressOptions returns how progress of a kind is written to standard error.
func (s *session) progressOptions(kind string) progress.Options {
	cols, _ := ui.TerminalSize(s.stderr)
	return progress.Options{Kind: kind, Quiet: s.quiet, Terminal: ui.IsTerminal(s.stderr), Width: cols}
}

// printPlan prints the plan of a picture.
func (s *session) printPlan(p render.Plan) error {
	if s.json {
		facts := p.Facts()
		facts["type"], facts["options"], facts["files"] = "plan", p.Options, p.Files
		return writeJSON(s.stdout, facts)
	}
	s.printNotes(p.Notes)
	return show.Plan(s.stdout, p)
}

// watch returns what shows the events of a render.
func (s *session) watch(v *settings.Values, previewFile string, streams []render.Stream, signals *ui.Signals) *show.Watcher {
	o := s.progressOptions(v.Text("progress"))
	o.PrintEvery = v.Number("print-every", 0)
	return show.NewWatcher(s.stderr, show.Options{Progress: o, Preview: v.Text("preview"), File: previewFile, Streams: streams, Signals: signals, Software: software()})
}

// printNotes prints what the user should know about the files that were read.
func (s *session) printNotes(notes []string) {
	for _, n := range notes {
		fmt.Fprintln(s.stderr, "impasto: "+ui.Printable(n))
	}
}
