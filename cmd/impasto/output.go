package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/picture"
)

// stdoutName is the output that is standard output, and the input that is
// standard input.
const stdoutName = "-"

// templateFields are what {braces} in an output name may hold.
var templateFields = []string{"content", "style", "mode", "w", "h", "size", "seed", "n", "date", "recipe"}

// expand fills the fields of an output name. {n} is left for numbering.
func expand(template string, values map[string]string) (string, error) {
	var b strings.Builder
	rest := template
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		field, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", usageFault(fmt.Sprintf("output %q has a { without a }", template))
		}
		value, known := values[field]
		if !known {
			f := usageFault(fmt.Sprintf("output %q: unknown field {%s}; there are {%s}", template, field, strings.Join(templateFields, "} {")))
			if near := nearest(field, templateFields); near != "" {
				f.Try = []string{"{" + near + "}"}
			}
			return "", f
		}
		b.WriteString(value)
		rest = tail
	}
}

// stem is the name of a file without directory and extension, fit to be part
// of another name.
func stem(path string) string {
	if path == stdoutName {
		return "stdin"
	}
	path = strings.TrimPrefix(path, samplePrefix)
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// isDirectory reports whether an output names a directory.
func isDirectory(path string) bool {
	if strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator)) {
		return true
	}
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// home replaces a leading ~/ as a shell would have done.
func home(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return filepath.Join(dir, rest)
		}
	}
	return path
}

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
	template = home(template)
	if template == stdoutName {
		if isTerminal(s.stdout) {
			return target{}, newFault(exitOutput, "terminal", "standard output is a terminal; a picture would not be readable there",
				"-o - > out.png", "-o out.png")
		}
		return target{path: template, format: picture.PNG}, nil
	}
	if isDirectory(template) {
		template = filepath.Join(template, values["default"])
	}
	if strings.Contains(template, "{n}") {
		return s.numberedTarget(template, values)
	}
	path, err := expand(template, values)
	if err != nil {
		return target{}, err
	}
	t := target{path: path}
	var bad faults
	t.format, err = picture.FormatOf(path)
	bad.add(err)
	_, statErr := os.Stat(path)
	exists := statErr == nil
	if rule == "" || rule == "ask" {
		rule = "fail"
		if exists && isTerminal(s.stdin) && isTerminal(s.stderr) && !s.json {
			rule, t.ask = "replace", true
		}
	}
	how, err := picture.ParseOverwrite(rule)
	bad.add(err)
	if err == nil {
		var chosen string
		chosen, t.skip, err = picture.Destination(path, how)
		bad.add(err)
		if !t.skip {
			t.path = chosen
		}
	}
	return t, bad.err()
}

// numberedTarget takes the first free number for {n}.
func (s *session) numberedTarget(template string, values map[string]string) (target, error) {
	for n := 1; ; n++ {
		values["n"] = fmt.Sprintf("%04d", n)
		path, err := expand(template, values)
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
	return newFault(exitOutput, "exists", fmt.Sprintf("%q exists", path), "-y   (replaces it)", "--overwrite number   (keeps both)")
}

// write saves p, to standard output where the target is that.
func (s *session) write(t target, p *picture.Picture, o picture.WriteOptions) error {
	if t.path == stdoutName {
		return picture.Encode(s.stdout, p, t.format, o)
	}
	return picture.Save(t.path, p, o)
}

// frameName is out_00100.png for out.png, in dir if that is not "".
func frameName(output, dir string, iteration int) string {
	ext := filepath.Ext(output)
	base := strings.TrimSuffix(output, ext)
	if output == stdoutName {
		base, ext = "out", ".png"
	}
	if dir != "" {
		base = filepath.Join(dir, filepath.Base(base))
	}
	return fmt.Sprintf("%s_%05d%s", base, iteration, ext)
}

// sameFile reports whether two paths are one file.
func sameFile(a, b string) bool {
	sa, errA := os.Stat(a)
	sb, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(sa, sb)
}

// today is {date}.
func today() string { return time.Now().Format("2006-01-02") }

// isTerminal reports whether a stream is one.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && terminal(f)
}

// printResult writes the one thing that belongs on standard output.
func printResult(w io.Writer, path string) error {
	if path == stdoutName {
		return nil
	}
	_, err := fmt.Fprintln(w, path)
	return err
}
