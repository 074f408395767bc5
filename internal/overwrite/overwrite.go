package overwrite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// Set is all that one run reads and writes.
type Set struct {
	Rule picture.Overwrite // for files that exist
	Ask  bool              // existing files are asked about and then replaced

	Existing []string // files to ask about
	names    *index
	files    []file
}

type file struct {
	what  string // "the content image", "the report"
	input bool
}

// New returns an empty set. rule holds for files that exist.
func New(rule picture.Overwrite, ask bool) *Set {
	return &Set{Rule: rule, Ask: ask, names: newIndex()}
}

// Reads notes an input.
func (s *Set) Reads(what, path string) {
	s.names.add(path, len(s.files))
	s.files = append(s.files, file{what, true})
}

// Holds notes a file that is open already and written to: a stream of the process.
func (s *Set) Holds(what string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return nil
	}
	if i, ok := s.names.findInfo(info); ok {
		return ui.NewFault(ui.ExitOutput, "same_file", fmt.Sprintf("%s goes to the file that is also %s", what, s.files[i].what))
	}
	s.names.addInfo(info, len(s.files))
	s.files = append(s.files, file{what: what})
	return nil
}

// Writes notes an output and refuses one that is an input or another output,
// whatever the rule for files that exist. flag is the one that named it.
func (s *Set) Writes(what, flag, path string) error {
	if i, ok := s.names.find(path); ok {
		is := "is also " + s.files[i].what
		if !s.files[i].input {
			is = "is where " + s.files[i].what + " is written"
		}
		return ui.NewFault(ui.ExitOutput, "same_file", fmt.Sprintf("%s %q %s", what, path, is), flag+" "+ui.ShellQuote(s.Free(path)))
	}
	s.names.add(path, len(s.files))
	s.files = append(s.files, file{what: what})
	return nil
}

// Choose notes an output as Writes does, and applies the rule for files that
// exist: the file to write is path or a numbered one beside it; skip says that
// it is to be left alone. It also tries whether a file can be made there.
func (s *Set) Choose(what, flag, path string) (chosen string, skip bool, err error) {
	if err := s.Writes(what, flag, path); err != nil {
		return path, false, err
	}
	rule := s.Rule
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && s.Ask {
		s.Existing = append(s.Existing, path)
		rule = picture.Replace
	}
	chosen, skip, err = picture.Destination(path, rule)
	var refused *picture.Error
	if errors.As(err, &refused) && refused.Code == "exists" {
		err = ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("%s %q exists", what, path), "-y   (replaces it)", flag+" "+ui.ShellQuote(s.Free(path)))
	}
	if err != nil || skip {
		return path, skip, err
	}
	if chosen != path {
		return chosen, false, s.Writes(what, flag, chosen)
	}
	return chosen, false, nil
}

// Free is a name like path that nothing of the run has and that no file has.
func (s *Set) Free(path string) string {
	ext := filepath.Ext(path)
	stem := strings.TrimSuffix(path, ext)
	for n := 2; ; n++ {
		next := fmt.Sprintf("%s-%d%s", stem, n, ext)
		if _, taken := s.names.find(next); taken {
			continue
		}
		if _, err := os.Lstat(next); errors.Is(err, fs.ErrNotExist) {
			return next
		}
	}
}
