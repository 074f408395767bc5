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
	"github.com/impasto/impasto/internal/ui"
)

// surroundings are what renders of this session find around them. The fault is
// that of a file descriptor that is not open.
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
		s.noteSkipped(p.Path())
	}
	if err := s.confirm(p.Replaces()); err != nil {
		return err
	}
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	w := s.newWatcher(p.Request.Values, p.PreviewFile(), env.Streams, signals)
	defer w.close()
	result, err := p.Run(ctx, w.observe)
	w.close()
	if err != nil {
		return bySignal(signals, err)
	}
	if !s.quiet && !s.json {
		for _, line := range result.Explanation {
			fmt.Fprintln(s.stderr, ui.Printable(line))
		}
	}
	return s.printResult(result.Output, result)
}

// bySignal gives an interrupted run the exit code of the signal.
func bySignal(signals *ui.Signals, err error) error {
	var f *ui.Fault
	if errors.As(err, &f) && f.Code == "interrupted" {
		try := f.Try
		f = signals.Fault(f.Message)
		f.Try = try
		return f
	}
	return err
}

func (s *session) noteSkipped(path string) {
	if !s.quiet && !s.json {
		fmt.Fprintf(s.stderr, "impasto: %q exists and is left alone\n", path)
	}
}

// confirm asks whether existing files are to be replaced.
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

// printResult writes the result on standard output: the path, or JSON.
func (s *session) printResult(path string, result any) error {
	if !s.json || path == ui.Stdout {
		return ui.PrintResult(s.stdout, path)
	}
	return writeTyped(s.stdout, "result", result)
}

// writeTyped writes a struct as one line of JSON with a type before its fields.
func writeTyped(w io.Writer, kind string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "{\"type\":%q,%s\n", kind, text[1:])
	return err
}

// writeJSON writes one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printPlan prints what would be done to a picture.
func (s *session) printPlan(p render.Plan) error {
	if s.json {
		facts := p.Facts()
		facts["type"], facts["options"], facts["files"] = "plan", p.Options, p.Files
		return writeJSON(s.stdout, facts)
	}
	s.printNotes(p.Notes)
	w := s.stdout
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

// printNotes prints what the user should know of files that were read.
func (s *session) printNotes(notes []string) {
	for _, n := range notes {
		fmt.Fprintln(s.stderr, "impasto: "+ui.Printable(n))
	}
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
