// Package overwrite keeps a run from writing over files that it reads. Before any
// work it compares each output with every input and every other output, however
// their paths are spelled. It also decides what happens to files that exist.
package overwrite

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// index finds files again under any of their names: by another spelling,
// through symbolic links, as hard links, and in other letters where the file
// system does not tell them apart.
type index struct {
	dirs  map[string]string // directory as given -> without links
	folds map[string]bool   // directory -> whether case is not told apart there
	paths map[string]int    // key -> number of the file
	stats map[stamp][]entry // candidates for hard links
}

// stamp is what hard links have in common. Whether files that share it are one
// is for os.SameFile to say.
type stamp struct {
	size int64
	time time.Time
}

type entry struct {
	info   fs.FileInfo
	number int
}

func newIndex() *index {
	return &index{dirs: map[string]string{}, folds: map[string]bool{}, paths: map[string]int{}, stats: map[stamp][]entry{}}
}

// find returns the number of the file that path names, if it was added.
func (x *index) find(path string) (int, bool) {
	if i, ok := x.paths[x.key(path)]; ok {
		return i, true
	}
	if info, err := os.Stat(path); err == nil {
		return x.findInfo(info)
	}
	return 0, false
}

func (x *index) findInfo(info fs.FileInfo) (int, bool) {
	for _, e := range x.stats[stamp{info.Size(), info.ModTime()}] {
		if os.SameFile(e.info, info) {
			return e.number, true
		}
	}
	return 0, false
}

// add gives a file a number. The first one stays.
func (x *index) add(path string, number int) {
	key := x.key(path)
	if _, ok := x.paths[key]; !ok {
		x.paths[key] = number
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		x.addInfo(info, number)
	}
}

func (x *index) addInfo(info fs.FileInfo, number int) {
	at := stamp{info.Size(), info.ModTime()}
	x.stats[at] = append(x.stats[at], entry{info, number})
}

// key is one name of a file, whether it exists or not.
func (x *index) key(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for range 40 { // a link to a file that does not exist yet is written through
		dir := x.realDir(filepath.Dir(abs))
		abs = filepath.Join(dir, filepath.Base(abs))
		to, err := os.Readlink(abs)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		abs = to
	}
	if x.foldsCase(filepath.Dir(abs)) {
		return strings.ToLower(abs)
	}
	return abs
}

// realDir is a directory without links; of one that does not exist, as much as does.
func (x *index) realDir(dir string) string {
	if real, ok := x.dirs[dir]; ok {
		return real
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		real = dir
		if up := filepath.Dir(dir); up != dir {
			real = filepath.Join(x.realDir(up), filepath.Base(dir))
		}
	}
	x.dirs[dir] = real
	return real
}

// foldsCase reports whether a directory takes "A.png" and "a.png" for one file.
// It is found out with a name that is there: its own, or that of a directory above.
func (x *index) foldsCase(dir string) bool {
	if folds, ok := x.folds[dir]; ok {
		return folds
	}
	folds := false
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		here, err := os.Stat(at)
		other := filepath.Join(filepath.Dir(at), swapCase(filepath.Base(at)))
		if err != nil || other == at {
			continue
		}
		there, err := os.Stat(other)
		folds = err == nil && os.SameFile(here, there)
		break
	}
	x.folds[dir] = folds
	return folds
}

func swapCase(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, name)
}
