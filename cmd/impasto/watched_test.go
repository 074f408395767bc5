package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/impasto/impasto/internal/ui"
)

// Every command line of every script is watched: after one that fails, each file
// that was there before is there and has the same bytes. What breaks this is
// written to the file that spoiledEnv names, which a script must not have at its end.

// spoiledEnv names the file, outside of the script's directory.
const spoiledEnv = "IMPASTO_TEST_SPOILED"

// watchedMain is the command in scripts and in other tests.
func watchedMain() {
	endWithParent()
	spoiled, dir := os.Getenv(spoiledEnv), os.Getenv("WORK")
	os.Unsetenv(spoiledEnv)
	if spoiled == "" || dir == "" {
		main()
	}
	before := filesOf(dir)
	heard := &overheard{to: os.Stderr}
	code := run(os.Args, os.Stdin, os.Stdout, heard)
	if mayReplace(code) {
		os.Exit(code)
	}
	var wrong []string
	for path, sum := range before {
		if now := sumOfFile(filepath.Join(dir, path)); now != sum {
			wrong = append(wrong, fmt.Sprintf("%q failed with %d and changed %s", strings.Join(os.Args[1:], " "), code, path))
		}
	}
	wrong = append(wrong, pasteHints(dir, os.Args[1:], heard.text.String())...)
	if len(wrong) > 0 {
		f, err := os.OpenFile(spoiled, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(f, strings.Join(wrong, "\n"))
		f.Close()
	}
	os.Exit(code)
}

// endWithParent ends this process when the test that started it is gone. A test
// binary that is over its time limit, or killed, runs no cleanup: its servers and
// workers would go on, and slow down whatever is tested next.
func endWithParent() {
	parent := os.Getppid()
	go func() {
		for os.Getppid() == parent {
			time.Sleep(time.Second)
		}
		os.Exit(1)
	}()
}

// overheard keeps what is written to standard error.
type overheard struct {
	to   *os.File
	mu   sync.Mutex
	text strings.Builder
}

func (o *overheard) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	return o.to.Write(p)
}

// mayReplace reports whether a command that ends with code has done what it was
// asked to, to files too: an interrupted or diverged render saves its picture, a
// batch of which some jobs failed its report.
func mayReplace(code int) bool {
	switch code {
	case ui.ExitOK, ui.ExitSomeFailed, ui.ExitDiverged, ui.ExitHungUp, ui.ExitInterrupted, ui.ExitTerminated:
		return true
	}
	return false
}

// filesOf are the sums of the files under dir, but for what runs beside the
// script: the queue's store, and what test commands write while they run.
func filesOf(dir string) map[string]string {
	sums := map[string]string{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil {
			return nil // it went away meanwhile
		}
		if d.IsDir() && (name == "home" || name == ".tmp") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			sums[name] = sumOfFile(path)
		}
		return nil
	})
	return sums
}

func sumOfFile(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

// watchFiles makes a script fail if one of its commands spoiled a file.
func watchFiles(env *testscript.Env) {
	f, err := os.CreateTemp("", "impasto-spoiled-")
	if err != nil {
		env.T().Fatal(err)
	}
	f.Close()
	os.Remove(f.Name())
	env.Setenv(spoiledEnv, f.Name())
	env.Defer(func() {
		defer os.Remove(f.Name())
		if text, err := os.ReadFile(f.Name()); err == nil {
			env.T().Fatal(string(text))
		}
	})
}
