package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// runner compiles mutants and runs the tests on them.
type runner struct {
	results string
	pkg     string
	tests   string
	timeout time.Duration

	folder   string // the sources, then PTX in mutant, and the tests' binary
	verdicts map[string]verdict
	sound    map[string]bool // tests that pass on the kernels as they are
}

// verdict is what the tests said of a mutant.
type verdict struct {
	hash   string // of the mutant's source
	caught bool
	by     string // the test and what it said
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
	r.verdicts, r.sound = map[string]verdict{}, map[string]bool{}
	text, err := os.ReadFile(r.results)
	if errors.Is(err, os.ErrNotExist) {
		return os.MkdirAll(filepath.Dir(r.results), 0o755)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.SplitN(strings.TrimSpace(line), "\t", 4); len(f) == 4 {
			r.verdicts[f[2]] = verdict{f[0], f[1] == "caught", f[3]}
		}
	}
	return err
}

func (r *runner) close() { os.RemoveAll(r.folder) }

// judge compiles m and runs its tests, unless an earlier run saw it caught.
func (r *runner) judge(m *mutant) error {
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(m.source)))[:12]
	if v := r.verdicts[m.String()]; v.caught && v.hash == hash {
		return nil
	}
	start := time.Now()
	planted := filepath.Join(r.folder, "mutant")
	if err := r.trust(m); err != nil {
		return err
	}
	path := filepath.Join(r.folder, "kernels", m.file)
	sane, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(m.source), 0o644); err != nil {
		return err
	}
	changed, err := r.compile(m.modules, planted)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, sane, 0o644); err != nil {
		return err
	}
	v := verdict{hash: hash, by: "compiles to the same PTX"}
	if changed {
		out, err := r.test(m, planted)
		v.caught, v.by = err != nil, strings.Join(strings.Fields(firstWords(out)), " ")
	}
	r.verdicts[m.String()] = v
	word := "survived"
	if v.caught {
		word = "caught"
	}
	fmt.Printf("%-8s %5.1f s  %v: %s\n", word, time.Since(start).Seconds(), m, v.by)
	f, err := os.OpenFile(r.results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "%s\t%s\t%v\t%s\n", hash, word, m, v.by)
	return f.Close()
}

// trust sees to it, once for each set of tests, that kernels without a fault
// compile to the committed PTX and that the tests pass on them.
func (r *runner) trust(m *mutant) error {
	key := strings.Join(m.modules, " ") + m.tests
	if r.sound[key] {
		return nil
	}
	folder := filepath.Join(r.folder, "sound")
	changed, err := r.compile(m.modules, folder)
	if err != nil {
		return err
	}
	if changed {
		return fmt.Errorf("kernels/ptx is not what the sources compile to: run `cmake --build build --target ptx`")
	}
	out, err := r.test(m, folder)
	if err != nil {
		return fmt.Errorf("tests fail without any fault:\n%s", out)
	}
	if !bytes.Contains(out, []byte("\n    --- PASS")) {
		return fmt.Errorf("no test matches %q", m.tests)
	}
	r.sound[key] = true
	return nil
}

// compile makes the PTX of modules in folder, as CMakeLists.txt does, and says
// whether any differs from the committed one.
func (r *runner) compile(modules []string, folder string) (changed bool, err error) {
	if err := os.RemoveAll(folder); err != nil {
		return false, err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return false, err
	}
	for _, name := range modules {
		source := filepath.Join(r.folder, "kernels", name+".cu")
		target, version := "75", "63"
		if strings.HasSuffix(name, "_mma") {
			target, version = "80", "70"
		}
		raw, err := exec.Command("clang++-19", "-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "--cuda-gpu-arch=sm_"+target,
			"--cuda-feature=+ptx"+version, "-O3", "-ffp-contract=off", "-std=c++17", "-w", "-S", source, "-o", "-").Output()
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
		committed, err := os.ReadFile(filepath.Join("kernels/ptx/compute_"+target, name+".ptx"))
		if err != nil {
			return false, err
		}
		changed = changed || ptx.String() != string(committed)
		if err := os.WriteFile(filepath.Join(folder, name+".ptx"), []byte(ptx.String()), 0o644); err != nil {
			return false, err
		}
	}
	return changed, nil
}

// test runs m's tests on the software device, with the modules in folder instead
// of the embedded ones, up to the first failure.
func (r *runner) test(m *mutant, folder string) ([]byte, error) {
	tests := m.tests
	if r.tests != "" {
		tests = r.tests
	}
	if !strings.Contains(tests, "/") {
		tests = "(" + tests + ")/emu"
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(r.folder, "tests"), "-test.v", "-test.failfast", "-test.run", tests)
	cmd.Dir = r.pkg
	cmd.Env = append(os.Environ(), "IMPASTO_PTX="+folder)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		out = append(out, fmt.Sprintf("\nx_test.go: still running after %v\n", r.timeout)...)
	}
	return out, err
}

var complaint = regexp.MustCompile(`(?m)^ *\w+_test\.go.*|^panic: .*`)

// firstWords is the first thing a failed test said.
func firstWords(out []byte) string {
	words := complaint.Find(out)
	if len(words) == 0 {
		words = bytes.TrimSpace(out)
	}
	return string(words[:min(len(words), 200)])
}
