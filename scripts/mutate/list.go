package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A mutant is one fault planted in one source file.
type mutant struct {
	file    string
	modules []string // compiled from the file
	tests   string   // pattern of the tests that run it
	name    string
	source  string // the file with the fault in it
	excuse  string // why no test can see it; empty: one must
}

func (m *mutant) String() string { return m.file + ": " + m.name }

func (m *mutant) hash() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(m.source)))[:12] }

// readList reads kernels/mutants.txt, whose head says what it looks like, and
// plants each fault in the text of the sources under folder.
func readList(path, folder string) ([]*mutant, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []*mutant
	var head *mutant
	var source string
	var strays []error
	for i, line := range strings.Split(string(text), "\n") {
		bad := func(format string, a ...any) error {
			return fmt.Errorf("%s line %d: %s", path, i+1, fmt.Sprintf(format, a...))
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "== "); ok {
			parts := strings.SplitN(rest, " | ", 3)
			if len(parts) != 3 {
				return nil, bad("want file | modules | tests")
			}
			head = &mutant{file: parts[0], modules: strings.Fields(parts[1]), tests: parts[2]}
			if _, err := regexp.Compile(head.tests); err != nil {
				return nil, bad("%v", err)
			}
			b, err := os.ReadFile(filepath.Join(folder, head.file))
			if err != nil {
				return nil, bad("%v", err)
			}
			source = string(b)
			continue
		}
		if rest, ok := strings.CutPrefix(line, "survives: "); ok && len(list) > 0 {
			list[len(list)-1].excuse = rest
			continue
		}
		name, rule, ok := strings.Cut(line, ": ")
		was, now, arrow := strings.Cut(rule+" ", " => ")
		if !ok || !arrow || head == nil {
			return nil, bad("want name: old => new")
		}
		m := *head
		m.name = name
		if m.source, err = plant(source, was, strings.TrimSpace(now)); err != nil {
			strays = append(strays, bad("%s: %v", name, err))
		}
		list = append(list, &m)
	}
	return list, errors.Join(strays...)
}

// plant replaces was, any white space in it alike, by now in source.
func plant(source, was, now string) (string, error) {
	words := strings.Fields(was)
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	at := regexp.MustCompile(strings.Join(words, `\s+`)).FindAllStringIndex(source, -1)
	if len(words) == 0 || len(at) != 1 {
		return "", fmt.Errorf("%q stands %d times in the file, not once", was, len(at))
	}
	return source[:at[0][0]] + now + source[at[0][1]:], nil
}
