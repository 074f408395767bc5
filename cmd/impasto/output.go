package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// target is where a picture goes.
type target struct {
	path   string
	format picture.Format
	skip   bool // it exists and is to be left alone
	ask    bool // it exists and the user is to be asked before the work starts
}

// chooseTarget decides on the file to write and finds out that it can be
// written. fill returns the values of the fields.
func (s *session) chooseTarget(template, rule string, values map[string]string) (target, error) {
	template = ui.Home(template)
	if template == ui.Stdout {
		if ui.IsTerminal(s.stdout) {
			return target{}, ui.NewFault(ui.ExitOutput, "terminal", "standard output is a terminal; a picture would not be readable there",
				"-o - > out.png", "-o out.png")
		}
		return target{path: template, format: picture.PNG}, nil
	}
	if ui.IsFolder(template) {
		template = filepath.Join(template, values["default"])
	}
	if strings.Contains(template, "{n}") {
		return s.numberedTarget(template, values)
	}
	path, err := ui.Expand(template, values)
	if err != nil {
		return target{}, err
	}
	t := target{path: path}
	var bad ui.Faults
	t.format, err = picture.FormatOf(path)
	bad.Add(err)
	_, statErr := os.Stat(path)
	exists := statErr == nil
	if rule == "" || rule == "ask" {
		rule = "fail"
		if exists && ui.IsTerminal(s.stdin) && ui.IsTerminal(s.stderr) && !s.json {
			rule, t.ask = "replace", true
		}
	}
	how, err := picture.ParseOverwrite(rule)
	bad.Add(err)
	if err == nil {
		var chosen string
		chosen, t.skip, err = picture.Destination(path, how)
		bad.Add(err)
		if !t.skip {
			t.path = chosen
		}
	}
	return t, bad.Err()
}

// numberedTarget takes the first free number for {n}.
func (s *session) numberedTarget(template string, values map[string]string) (target, error) {
	for n := 1; ; n++ {
		values["n"] = fmt.Sprintf("%04d", n)
		path, err := ui.Expand(template, values)
		if err != nil {
			return target{}, err
		}
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		f, err := picture.FormatOf(path)
		if err != nil {
			return target{}, err
		}
		path, _, err = picture.Destination(path, picture.Fail)
		return target{path: path, format: f}, err
	}
}

// confirm asks whether an existing file is to be replaced.
func (s *session) confirm(path string) error {
	fmt.Fprintf(s.stderr, "%q exists; replace it? [y/N] ", path)
	answer, _ := bufio.NewReader(s.stdin).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("%q exists", path), "-y   (replaces it)", "--overwrite number   (keeps both)")
}

// write saves p, to standard output where the target is that.
func (s *session) write(t target, p *picture.Picture, o picture.WriteOptions) error {
	if t.path == ui.Stdout {
		err := picture.Encode(s.stdout, p, t.format, o)
		if out, ok := s.stdout.(*ui.Output); ok && err != nil {
			if f := out.Fault(); f != nil {
				return f
			}
		}
		return err
	}
	return picture.Save(t.path, p, o)
}
