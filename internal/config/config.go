// Package config reads the two configuration files of Impasto, the user's and
// the project's, and knows where they are. A file is a flat YAML mapping from
// the long name of a flag to its value. Which names exist is told by the
// caller; the package imports nothing of Impasto.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ProjectFile is looked for in the working directory.
const ProjectFile = ".impasto.yaml"

// maxBytes bounds what is parsed: a configuration is a screenful, and YAML
// that refers to itself can grow without bound.
const maxBytes = 1 << 20

// UserFile returns the path of the user's configuration, which need not exist.
func UserFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("there is no directory for configuration: neither $XDG_CONFIG_HOME nor $HOME is set")
	}
	return filepath.Join(dir, "impasto", "config.yaml"), nil
}

// Entry is one line of a file: a flag's name and its value as the flag would
// be given it.
type Entry struct {
	Key, Value string
	Line, Col  int // of the key, from 1
}

// Error is one fault of a file.
type Error struct {
	File      string
	Line, Col int
	Msg       string
	Source    string // the lines around it, the faulty one with a caret below
}

func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col)
	}
	s += ": " + e.Msg
	if e.Source != "" {
		s += "\n" + e.Source
	}
	return s
}

// Load reads a file. known reports whether a key exists and, if not, the one
// that was perhaps meant. All faults are returned together. A file that does
// not exist has no entries.
func Load(path string, known func(key string) (near string, ok bool)) ([]Entry, []error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{&Error{File: path, Msg: "cannot be read: " + reason(err)}}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, []error{&Error{File: path, Msg: "cannot be read: " + reason(err)}}
	}
	if len(data) > maxBytes {
		return nil, []error{&Error{File: path, Msg: "is over 1 MiB; a configuration is a few lines"}}
	}
	return Parse(path, data, known)
}

// Parse reads the text of a file.
func Parse(path string, data []byte, known func(key string) (near string, ok bool)) (entries []Entry, faults []error) {
	data = Text(data)
	source := strings.Split(string(data), "\n")
	fault := func(line, col int, format string, a ...any) {
		faults = append(faults, &Error{File: path, Line: line, Col: col,
			Msg: fmt.Sprintf(format, a...), Source: Caret(source, line, col)})
	}
	// Older releases of the parser panicked on hostile text.
	defer func() {
		if recover() != nil {
			entries = nil
			faults = []error{&Error{File: path, Msg: "is not YAML that can be read"}}
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, col, msg := SyntaxError(err)
		fault(line, col, "%s", msg)
		return nil, faults
	}
	seen := map[string]int{}
	for _, doc := range file.Docs {
		for _, pair := range pairs(doc.Body) {
			if pair == nil {
				p := doc.Body.GetToken().Position
				fault(p.Line, p.Column, `expected "flag: value" lines`)
				break
			}
			at := pair.Key.GetToken().Position
			key := pair.Key.GetToken().Value
			if first, twice := seen[key]; twice {
				fault(at.Line, at.Column, "key %q is already set in line %d", key, first)
				continue
			}
			seen[key] = at.Line
			if near, ok := known(key); !ok {
				msg := fmt.Sprintf("unknown key %q", key)
				if near != "" {
					msg += fmt.Sprintf(" (did you mean %q?)", near)
				}
				fault(at.Line, at.Column, "%s", msg)
				continue
			}
			value, ok := text(pair.Value)
			if !ok {
				fault(at.Line, at.Column, "key %q needs a value or a list of values", key)
				continue
			}
			entries = append(entries, Entry{key, value, at.Line, at.Column})
		}
	}
	return entries, faults
}

// pairs returns the lines of a mapping; a nil pair stands for anything else.
func pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode:
		return nil
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return []*ast.MappingValueNode{nil}
}

// text returns a value as a flag would be given it; a list is joined by commas.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.SequenceNode:
		items := make([]string, 0, len(n.Values))
		for _, v := range n.Values {
			if _, nested := v.(*ast.SequenceNode); nested {
				return "", false
			}
			s, ok := text(v)
			if !ok {
				return "", false
			}
			items = append(items, s)
		}
		return strings.Join(items, ","), true
	}
	return "", false
}

// SyntaxError takes the position out of the YAML parser's "[line:col] message".
func SyntaxError(err error) (line, col int, msg string) {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if n, _ := fmt.Sscanf(first, "[%d:%d]", &line, &col); n == 2 {
		_, first, _ = strings.Cut(first, "] ")
	}
	return line, col, first
}

// shownColumns is how much of a line is shown: a file may be one line.
const shownColumns = 200

// Caret returns the line before, the faulty line and a caret below it, the first
// shownColumns of each; line and col count from 1.
func Caret(source []string, line, col int) string {
	if line < 1 || line > len(source) {
		return ""
	}
	var b strings.Builder
	for i := max(1, line-1); i <= line; i++ {
		text := strings.TrimRight(source[i-1], "\r")
		fmt.Fprintf(&b, "  %3d | %s\n", i, strings.ToValidUTF8(text[:min(len(text), shownColumns)], ""))
	}
	fmt.Fprintf(&b, "      | %s^", strings.Repeat(" ", max(0, min(col, shownColumns)-1)))
	return b.String()
}

func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
