package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// runner compiles mutants and runs the tests on them.
type runner struct {
	results string
	pkg     string
	tests   string
	timeout time.Duration
	jobs    int

	folder string // has the sources, the tests' binary, and a folder for each job

	mu       sync.Mutex
	verdicts map[string]verdict
	catches  map[string]int          // faults caught, by file and test
	done     map[string]func() error // calls of once, by key
}

// verdict is the result of the tests with a mutant.
type verdict struct {
	hash   string // of the mutant's source
	caught bool
	by     string // the test that caught it, and its message
}

// prepare copies the sources, builds the tests and reads earlier verdicts.
func (r *runner) prepare() (err error) {
	if r.folder, err = os.MkdirTemp("", "mutants"); err != nil {
		return err
	}
	if err = os.CopyFS(filepath.Join(r.folder, "kernels"), os.DirFS("kernels")); err != nil {
		return err
	}
	if out, err := exec.Command("go", "test", "-c", "-o", filepath.Join(r.folder, "tests"), r.pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("building the tests of %s: %v\n%s", r.pkg, err, out)
	}
	r.verdicts, r.catches, r.done = map[string]verdict{}, map[string]int{}, map[string]func() error{}
	text, err := os.ReadFile(r.results)
	if errors.Is(err, os.ErrNotExist) {
		return os.MkdirAll(filepath.Dir(r.results), 0o755)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.SplitN(strings.TrimSpace(line), "\t", 4); len(f) == 4 {
			r.verdicts[f[2]] = verdict{f[0], f[1] == "caught", f[3]}
			if test, _, named := strings.Cut(f[3], ": "); named && f[1] == "caught" {
				file, _, _ := strings.Cut(f[2], ": ")
				r.catches[file+test]++
			}
		}
	}
	return err
}

func (r *runner) close() { os.RemoveAll(r.folder) }

// judgeAll judges the mutants, several at a time.
func (r *runner) judgeAll(list []*mutant) error {
	var todo []*mutant
	for _, m := range list {
		if v := r.verdicts[m.String()]; !v.caught || v.hash != m.hash() {
			todo = append(todo, m)
		}
	}
	var wait sync.WaitGroup
	queue := make(chan *mutant, len(todo))
	for _, m := range todo {
		queue <- m
	}
	close(queue)
	failed := make([]error, r.jobs)
	for i := range failed {
		wait.Go(func() {
			for m := range queue {
				if err := r.judge(m); err != nil {
					failed[i] = fmt.Errorf("%v: %w", m, err)
					return
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(failed...)
}

// judge compiles m and runs its tests.
func (r *runner) judge(m *mutant) error {
	start := time.Now()
	folder, err := os.MkdirTemp(r.folder, "mutant")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := r.trustSources(m); err != nil {
		return err
	}
	v := verdict{hash: m.hash(), by: "compiles to the same PTX"}
	for _, module := range m.modules { // most faults show in the first
		changed, err := r.compile(module, folder, m)
		if err == nil && changed {
			v.caught, v.by, err = r.test(m, folder)
		}
		if err != nil {
			return err
		}
		if v.caught {
			break
		}
	}
	word := "survived"
	if v.caught {
		word = "caught"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdicts[m.String()] = v
	fmt.Printf("%-8s %5.1f s  %v: %s\n", word, time.Since(start).Seconds(), m, v.by)
	f, err := os.OpenFile(r.results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "%s\t%s\t%v\t%s\n", v.hash, word, m, v.by)
	return f.Close()
}

// trustSources checks, once for each set of modules, that the kernels without a fault
// compile to the committed PTX.
func (r *runner) trustSources(m *mutant) error {
	return r.once("modules "+strings.Join(m.modules, " "), func() error {
		folder, err := os.MkdirTemp(r.folder, "sound")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		for _, module := range m.modules {
			changed, err := r.compile(module, folder, nil)
			if err != nil {
				return err
			}
			if changed {
				return fmt.Errorf("kernels/ptx is not what the sources compile to: run `cmake --build build --target ptx`")
			}
		}
		return nil
	})
}

// trustTest checks, once for each test, that the test exists and passes without a
// fault.
func (r *runner) trustTest(test string) error {
	return r.once("test "+test, func() error {
		out, err := r.run(test, "")
		if err != nil {
			return fmt.Errorf("%s fails without any fault:\n%s", test, out)
		}
		if !bytes.Contains(out, []byte("--- PASS")) {
			return fmt.Errorf("no test of %s matches %q", r.pkg, test)
		}
		return nil
	})
}

// once runs f for the first caller with this key; others wait for its result.
func (r *runner) once(key string, f func() error) error {
	r.mu.Lock()
	if r.done[key] == nil {
		r.done[key] = sync.OnceValue(f)
	}
	first := r.done[key]
	r.mu.Unlock()
	return first()
}

// compile makes the PTX of a module in folder, as CMakeLists.txt does, with the
// fault m in it (nil: none), and says whether it differs from the committed one.
func (r *runner) compile(module, folder string, m *mutant) (changed bool, err error) {
	sources := filepath.Join(folder, "sources")
	if err := os.MkdirAll(sources, 0o755); err != nil {
		return false, err
	}
	files, err := filepath.Glob(filepath.Join(r.folder, "kernels", "*.cu*"))
	if err != nil {
		return false, err
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return false, err
		}
		if m != nil && filepath.Base(path) == m.file {
			text = []byte(m.source)
		}
		if err := os.WriteFile(filepath.Join(sources, filepath.Base(path)), text, 0o644); err != nil {
			return false, err
		}
	}
	target, version := "75", "63"
	if strings.HasSuffix(module, "_mma") {
		target, version = "80", "70"
	}
	raw, err := exec.Command("clang++-19", "-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "--cuda-gpu-arch=sm_"+target,
		"--cuda-feature=+ptx"+version, "-O3", "-ffp-contract=off", "-std=c++17", "-w", "-S", filepath.Join(sources, module+".cu"), "-o", "-").Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			return false, fmt.Errorf("does not compile:\n%s", e.Stderr)
		}
		return false, err
	}
	var ptx strings.Builder
	for line := range strings.Lines(string(raw)) {
		if line != "\n" && !strings.HasPrefix(line, "//") {
			ptx.WriteString(line)
		}
	}
	committed, err := os.ReadFile(filepath.Join(r.folder, "kernels/ptx/compute_"+target, module+".ptx"))
	if err != nil {
		return false, err
	}
	return ptx.String() != string(committed), os.WriteFile(filepath.Join(folder, module+".ptx"), []byte(ptx.String()), 0o644)
}

// test runs m's tests one after another up to the first failure. Tests that have caught
// most faults of m's file run first. by is the last test and its first words. A test
// that fails must pass without the fault.
func (r *runner) test(m *mutant, folder string) (caught bool, by string, err error) {
	tests := alternatives(r.testsOf(m))
	r.mu.Lock()
	slices.SortStableFunc(tests, func(a, b string) int { return r.catches[m.file+b] - r.catches[m.file+a] })
	r.mu.Unlock()
	for _, test := range tests {
		out, failed := r.run(test, folder)
		by = test + ": " + strings.Join(strings.Fields(firstWords(out)), " ")
		if failed != nil {
			r.mu.Lock()
			r.catches[m.file+test]++
			r.mu.Unlock()
			return true, by, r.trustTest(test)
		}
	}
	return false, by, nil
}

func (r *runner) testsOf(m *mutant) string {
	if r.tests != "" {
		return r.tests
	}
	return m.tests
}

// alternatives splits a pattern at each | outside brackets. Alternatives that name no
// sub-tests get those of the software device.
func alternatives(pattern string) []string {
	var list []string
	depth, from := 0, 0
	for i, c := range pattern + "|" {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '|':
			if depth == 0 {
				list = append(list, pattern[from:i])
				from = i + 1
			}
		}
	}
	for i, one := range list {
		if !strings.Contains(one, "/") {
			list[i] = "(" + one + ")/emu"
		}
	}
	return list
}

// run runs one of alternatives up to the first failure, with the modules in folder
// instead of the embedded ones.
func (r *runner) run(test, folder string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(r.folder, "tests"), "-test.v", "-test.failfast",
		"-test.run", test)
	cmd.Dir = r.pkg
	cmd.Env = append(os.Environ(), "IMPASTO_PTX="+folder)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		out = append(out, fmt.Sprintf("\nx_test.go: still running after %v\n", r.timeout)...)
	}
	return out, err
}

var complaint = regexp.MustCompile(`(?m)^ *\w+_test\.go.*|^panic: .*`)

// firstWords returns the first message of a failed test.
func firstWords(out []byte) string {
	words := complaint.Find(out)
	if len(words) == 0 {
		words = bytes.TrimSpace(out)
	}
	return string(words[:min(len(words), 200)])
}
