package vgg

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Environment is the variable that names the default weights (a name, a file), or the
// directory in which weights are installed.
const Environment = "IMPASTO_WEIGHTS"

// Store is a directory of installed weights: one NAME.safetensors each, and
// index.json.
type Store struct{ Dir string }

// DefaultStore is $IMPASTO_WEIGHTS if that is a directory or may become one, else
// the directory impasto/weights under $XDG_DATA_HOME or the system's place for
// such data.
func DefaultStore() *Store {
	if dir := os.Getenv(Environment); dir != "" {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || missingFolder(dir) {
			return &Store{Dir: dir}
		}
	}
	return &Store{Dir: filepath.Join(dataHome(), "impasto", "weights")}
}

// missingFolder reports whether a value of $IMPASTO_WEIGHTS names a directory that does
// not exist. By its form the value is no file's path. The directory is made when
// weights are installed.
func missingFolder(path string) bool {
	if _, err := os.Stat(path); err == nil || validName(path) || strings.HasPrefix(path, "random:") {
		return false
	}
	ext := strings.ToLower(filepath.Ext(path))
	return !slices.Contains([]string{".safetensors", ".pth", ".pt", ".caffemodel", ".onnx", ".mat", ".bz2", ".pkl", ".bin", ".h5", ".npz", ".npy", ".t7", ".ckpt"}, ext)
}

func dataHome() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return os.TempDir()
	}
	switch runtime.GOOS {
	case "windows":
		if dir := os.Getenv("LOCALAPPDATA"); dir != "" {
			return dir
		}
	case "darwin":
		return filepath.Join(home, "Library", "Application Support")
	}
	return filepath.Join(home, ".local", "share")
}

// Source says which weights a name stands for, and why.
type Source struct {
	Name    string // "vgg19", "mini", "mini:2", "random:1"; "" for a bare file
	Path    string // of the file; "" for weights inside the program
	SHA256  string // that was recorded when they were installed; "" if none was
	Builtin string // "mini", "random" or ""
	Seed    uint64 // of random weights
	Why     string // "asked for", "$IMPASTO_WEIGHTS", "installed", "no other weights are installed"
}

// Resolve finds what Load(name) would read. For "" that is $IMPASTO_WEIGHTS,
// else installed vgg19 weights, else mini, which is part of the program.
func Resolve(name string) (Source, error) { return DefaultStore().Resolve(name) }

// Resolve does what the function Resolve does, for this store.
func (s *Store) Resolve(name string) (Source, error) {
	if name != "" {
		return s.lookUp(name, "asked for")
	}
	if v := os.Getenv(Environment); v != "" {
		if missingFolder(v) {
			return Source{}, &Error{Kind: KindMissing, Msg: fmt.Sprintf("the directory of weights %q, named by $%s, does not exist", v, Environment),
				Hints: []string{"--weights mini   (part of the program)", "impasto weights get vgg19   (makes the directory)", "unset " + Environment}}
		}
		if info, err := os.Stat(v); err != nil || !info.IsDir() {
			return s.lookUp(v, "$"+Environment)
		}
	}
	list, err := s.List()
	if err != nil {
		return Source{}, err
	}
	for _, name := range Available() { // vgg19 first
		if at := slices.IndexFunc(list, func(w Installed) bool { return w.Name == name }); at >= 0 {
			return s.lookUp(name, "installed")
		}
	}
	return Source{Name: "mini", Builtin: "mini", Why: "no other weights are installed"}, nil
}

// lookUp resolves a name or a path. A name with a separator or an extension is
// a path; installed names have neither.
func (s *Store) lookUp(name, why string) (Source, error) {
	if minis[name] != nil {
		return Source{Name: name, Builtin: "mini", Why: why}, nil
	}
	if text, ok := strings.CutPrefix(name, "random"); ok && (text == "" || text[0] == ':') {
		seed := uint64(1)
		if text != "" {
			var err error
			if seed, err = strconv.ParseUint(text[1:], 10, 64); err != nil {
				return Source{}, usageErrorf([]string{"--weights random:1"}, "random weights need a whole number as seed, not %q", text[1:])
			}
		}
		return Source{Name: "random:" + strconv.FormatUint(seed, 10), Builtin: "random", Seed: seed, Why: why}, nil
	}
	if validName(name) {
		return s.installed(name, why)
	}
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			name = filepath.Join(home, rest)
		}
	}
	if info, err := os.Stat(name); err != nil {
		return Source{}, fileError(name, err)
	} else if !info.Mode().IsRegular() {
		return Source{}, fileError(name, errNotAFile)
	}
	return Source{Path: name, Why: why}, nil
}

// validName reports whether name may name installed weights. It consists of letters,
// digits, "-" and "_", so it is never a path with a directory or an extension.
func validName(name string) bool { return nameForm.MatchString(name) }

var nameForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
