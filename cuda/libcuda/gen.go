//go:build ignore

// Writes symbols.h: every cu* symbol that gorgonia.org/cu and cuda/cu leave
// undefined when compiled against the CUDA header that is installed, and the
// function of this package that answers it in the emulator. CUDA 11 and 12 give
// some calls different names (cuGraphAddKernelNode, ..._v2), so names that the
// table holds already are kept.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const file = "symbols.h"

func main() {
	log.SetFlags(0)
	names := map[string]bool{}
	if old, err := os.ReadFile(file); err == nil {
		for _, m := range regexp.MustCompile(`SYMBOL\((cu\w+),`).FindAllStringSubmatch(string(old), -1) {
			names[m[1]] = true
		}
	}
	needed := undefined("gorgonia.org/cu", "github.com/impasto/impasto/cuda/cu")
	for _, n := range needed {
		names[n] = true
	}
	delete(names, "cuInit") // written by hand in bind.c

	all := make([]string, 0, len(names))
	for n := range names {
		all = append(all, n)
	}
	slices.Sort(all)
	answers := exported()
	var b strings.Builder
	fmt.Fprintf(&b, "// Written by gen.go; do not edit. %d symbols, and what answers them in the emulator.\n#define SYMBOLS \\\n", len(all))
	count := 0
	for _, n := range all {
		answer := answerOf(n, answers)
		if answer != "not_supported" {
			count++
		}
		fmt.Fprintf(&b, "\tSYMBOL(%s, %s) \\\n", n, answer)
	}
	b.WriteString("\n")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		log.Fatal(err)
	}
	log.Printf("%d symbols and cuInit; %d needed with this header; %d answered by the emulator", len(all), len(needed), count)
}

// undefined returns the cu* symbols the packages refer to and do not define.
func undefined(packages ...string) []string {
	out := run("go", append([]string{"list", "-tags", "cuda", "-export", "-f", "{{.Export}}"}, packages...)...)
	used, defined := map[string]bool{}, map[string]bool{}
	symbol := regexp.MustCompile(`(?m) ([A-Za-z]) (cu[A-Z]\w*)$`)
	for _, archive := range strings.Fields(out) {
		for _, m := range symbol.FindAllStringSubmatch(run("nm", archive), -1) {
			if m[1] == "U" {
				used[m[2]] = true
			} else {
				defined[m[2]] = true
			}
		}
	}
	var names []string
	for n := range used {
		if !defined[n] {
			names = append(names, n)
		}
	}
	return names
}

// exported returns the functions of this package that C can call.
func exported() map[string]bool {
	files, _ := filepath.Glob("*.go")
	all := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			log.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^//export (\w+)$`).FindAllStringSubmatch(string(text), -1) {
			all[m[1]] = true
		}
	}
	return all
}

// answerOf returns the function that answers a symbol: emuMemAlloc for
// cuMemAlloc_v2. The software device does everything at once, so emuMemcpyHtoD
// also answers cuMemcpyHtoDAsync_v2, whose stream is one more argument.
func answerOf(symbol string, exported map[string]bool) string {
	name := "emu" + regexp.MustCompile(`_v\d$`).ReplaceAllString(strings.TrimPrefix(symbol, "cu"), "")
	for _, n := range []string{name, strings.TrimSuffix(name, "Async")} {
		if exported[n] {
			return n
		}
	}
	return "not_supported"
}

func run(name string, args ...string) string {
	c := exec.Command(name, args...)
	if name != "nm" { // which says of every file that is not its own that it is not
		c.Stderr = os.Stderr
	}
	out, err := c.Output()
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return string(out)
}
