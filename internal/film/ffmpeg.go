package film

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Tools holds the paths of the programs, "" for one that was not found.
type Tools struct{ FFmpeg, FFprobe string }

// Environment is the variable that names the folder of the programs, if they are
// not on the PATH.
const Environment = "IMPASTO_FFMPEG"

// Find looks for the programs in the folder that Environment names, or else on the
// PATH.
func Find() Tools {
	dir := os.Getenv(Environment)
	path := func(name string) string {
		if dir != "" {
			name = filepath.Join(dir, name)
		}
		found, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return found
	}
	return Tools{path("ffmpeg"), path("ffprobe")}
}

// OK reports whether both programs were found.
func (t Tools) OK() bool { return t.FFmpeg != "" && t.FFprobe != "" }

// Missing says why the programs were not found.
func (t Tools) Missing() string {
	dir := os.Getenv(Environment)
	switch {
	case dir == "":
		return "ffmpeg is not installed"
	case t.FFmpeg == "":
		return fmt.Sprintf("%s=%q: no ffmpeg is in that folder", Environment, dir)
	}
	return fmt.Sprintf("%s=%q: no ffprobe is in that folder", Environment, dir)
}

// Remedy returns a command after which the programs can be found.
func (t Tools) Remedy() string {
	if os.Getenv(Environment) != "" {
		return "unset " + Environment
	}
	return "apt install ffmpeg   (or brew, winget)"
}

// quiet are the flags of every call: ask no questions, print no banner, report only
// errors.
var quiet = []string{"-nostdin", "-hide_banner", "-loglevel", "error"}

// tailBytes is how many bytes of a program's standard error are kept.
const tailBytes = 4 << 10

// tail keeps the end of what is written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > tailBytes {
		t.b = append(t.b[:0], t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

// text returns the last three lines, joined by semicolons.
func (t *tail) text() string {
	lines := strings.FieldsFunc(string(t.b), func(r rune) bool { return r == '\n' || r == '\r' })
	lines = lines[max(0, len(lines)-3):]
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Join(lines, "; ")
}

// process is a running program in a process group of its own. Ctrl-C at the
// terminal does not reach it, and processes that it starts end with it.
type process struct {
	cmd    *exec.Cmd
	stderr tail
	in     io.WriteCloser
	out    io.ReadCloser
}

// start runs a program until it ends or ctx is cancelled. feed connects a pipe to
// its standard input, and fetch connects one to its standard output.
func start(ctx context.Context, path string, args []string, feed, fetch bool) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, path, args...)}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = 5 * time.Second // then its pipes are closed, even if a child process holds them
	ownGroup(p.cmd)
	p.cmd.Cancel = func() error { return killGroup(p.cmd) }
	var err error
	if feed {
		if p.in, err = p.cmd.StdinPipe(); err != nil {
			return nil, err
		}
	}
	if fetch {
		if p.out, err = p.cmd.StdoutPipe(); err != nil {
			return nil, err
		}
	}
	return p, p.cmd.Start()
}

// wait returns how the program ended. For a cancelled program, it returns the error
// of the context.
func (p *process) wait(ctx context.Context) error {
	err := p.cmd.Wait()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	output := p.stderr.text()
	if output == "" {
		output = "it printed nothing"
	}
	return fmt.Errorf("%s ended with %s: %s", program(p.cmd.Path), exit.ProcessState, output)
}

// program returns the last part of a path of any operating system.
func program(path string) string {
	return strings.TrimSuffix(path[strings.LastIndexAny(path, `/\`)+1:], ".exe")
}

// output runs a program to its end and returns what it wrote.
func output(ctx context.Context, path string, args ...string) ([]byte, error) {
	p, err := start(ctx, path, args, false, true)
	if err != nil {
		return nil, err
	}
	b, readErr := io.ReadAll(p.out)
	return b, errors.Join(p.wait(ctx), readErr)
}
