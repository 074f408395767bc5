// Package manifest reads the file of a batch. The file lists jobs, each one or more
// command lines, as YAML, JSON, JSON Lines or CSV. The package multiplies them out
// over lists, globs and a matrix. It knows no command and no flag: the caller passes
// a Vocabulary, so that every flag can be a key. It imports internal/config for the
// form of its faults.
//
// docs/batches.md describes the file for its users.
package manifest

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/config"
)

// Version is the form of the file that this package reads.
const Version = 1

const (
	maxBytes  = 1 << 20 // of a file
	maxFaults = 100     // that are reported
	maxJobs   = 100000  // after multiplying out
	maxDepth  = 20      // of lists in mappings in lists
	maxWait   = time.Hour * 24 * 30
)

// Kind says what a flag's value is, as far as a manifest needs to know.
type Kind int

const (
	Text   Kind = iota
	Switch      // yes or no
	Input       // a file that is read
	Named       // a file that is read, or a word of the flag's own such as "noise"
	Output      // a file or folder that is written
)

// Flag describes a flag.
type Flag struct {
	Kind  Kind
	Many  bool   // may be given several times
	Usage string // one line, for the schema
}

// Command describes a command.
type Command struct {
	Flags  map[string]Flag // by long name
	Inputs bool            // its arguments are files that are read
}

// Vocabulary describes the commands that jobs can use.
type Vocabulary struct {
	Commands map[string]Command // by path: "art", "map derive"
	Default  string             // the command of a job that names none
	Classes  []string           // of workers, which prices may be given for
	Near     func(word string, words []string) string
	// Plain reports whether an input names no file, such as a sample picture.
	Plain func(path string) bool
}

// Entry is one job after expansion.
type Entry struct {
	Name     string
	Steps    []Step
	Priority int // 0..9, higher first
	Timeout  time.Duration
	Retries  int
	Line     int // where it came from, from 1
	// Values distinguish the jobs of one entry in the file: the choices made from
	// each list, in the order of the file.
	Values []Value
	// Needs holds the indices, among the entries, of the jobs that must be done
	// before this one. They all come before it.
	Needs []int

	Nth   int    // of the entry in the file that it comes from, from 0
	Group string // the name that the file gives all jobs of that entry, "" for none

	needs []need
}

// Value is a key and the value chosen for it.
type Value struct{ Key, Text string }

// Step is one command line.
type Step struct {
	Command string // "art", "map derive"
	Flags   []Value
	Args    []string
	Inputs  []string // the files among them that are read
	Outputs []string // and those that are written
}

// Words returns the step as a user would type it after the program's name.
func (s Step) Words() []string {
	words := strings.Fields(s.Command)
	for _, f := range s.Flags {
		words = append(words, "--"+f.Key+"="+f.Text)
	}
	if len(s.Args) > 0 {
		words = append(append(words, "--"), s.Args...)
	}
	return words
}

// Faults holds everything that is wrong with a file.
type Faults []*config.Error

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Read reads a manifest and expands its jobs. path gives the format (.yaml, .yml,
// .json, .jsonl, .ndjson, .csv; otherwise the content decides) and the folder that
// relative paths start from. The error, if any, is of type Faults: everything that
// is wrong, in the order of the file.
func Read(path string, data []byte, v Vocabulary) (File, error) {
	data = config.Text(data)
	r := &reader{path: path, dir: filepath.Dir(path), vocabulary: v, source: strings.Split(string(data), "\n")}
	if path == "-" {
		r.dir = "."
	}
	r.file.Entries = r.read(data)
	if len(r.faults) > 0 {
		return File{}, r.faults
	}
	return r.file, nil
}

// reader reads one file and makes its entries.
type reader struct {
	path, dir  string
	vocabulary Vocabulary
	source     []string
	faults     Faults
	file       File

	guessing bool              // files may be missing: they may be what other jobs write
	unsure   bool              // what other jobs write is not known, for they have faults
	promised []map[string]bool // by job: what the jobs that it needs write
}

func (r *reader) fault(n *node, format string, a ...any) {
	if r.full() {
		return
	}
	if len(r.faults) == maxFaults {
		n, format, a = nil, "has more faults than these %d", []any{maxFaults}
	}
	line, col := 0, 0
	if n != nil {
		line, col = n.line, n.col
	}
	r.faults = append(r.faults, &config.Error{File: r.path, Line: line, Col: col,
		Msg: fmt.Sprintf(format, a...), Source: config.Caret(r.source, line, col)})
}

// full reports whether no more faults will be reported, so that the search for them
// can stop.
func (r *reader) full() bool { return len(r.faults) > maxFaults }

func (r *reader) read(data []byte) []Entry {
	if len(data) > maxBytes {
		r.fault(nil, "is over 1 MiB; use globs and a matrix instead of listing every job")
		return nil
	}
	var top *node
	switch r.format(data) {
	case "csv":
		top = r.csv(data)
	case "jsonl":
		top = r.lines(data)
	default:
		top = r.yaml(data, 0)
	}
	if top == nil || len(r.faults) > 0 {
		return nil
	}
	return r.manifest(top)
}

// format finds the format from the name, or from the text if the name does not show
// it.
func (r *reader) format(data []byte) string {
	switch strings.ToLower(filepath.Ext(r.path)) {
	case ".csv", ".tsv":
		return "csv"
	case ".jsonl", ".ndjson":
		return "jsonl"
	case ".yaml", ".yml", ".json":
		return "yaml"
	}
	first, _, more := strings.Cut(strings.TrimSpace(string(data)), "\n")
	switch {
	case strings.HasPrefix(first, "{") && strings.HasSuffix(strings.TrimSpace(first), "}") && more:
		return "jsonl"
	case !strings.ContainsAny(first, ":{[#") && strings.ContainsAny(first, ",\t"):
		return "csv"
	}
	return "yaml"
}
