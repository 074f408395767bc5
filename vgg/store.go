package vgg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Installed is one entry of a store's index.
type Installed struct {
	Name         string    `json:"name"`
	File         string    `json:"file"` // beside index.json
	Bytes        int64     `json:"bytes"`
	SHA256       string    `json:"sha256"`
	Last         string    `json:"last"` // the deepest layer, "relu5_4"
	Source       string    `json:"source"`
	SourceSHA256 string    `json:"source_sha256"`
	Layout       Layout    `json:"layout"` // of the source
	Licence      string    `json:"licence,omitempty"`
	Time         time.Time `json:"time"`
}

// index is the content of index.json.
type index struct {
	Version int         `json:"version"`
	Weights []Installed `json:"weights"`
}

const (
	indexName    = "index.json"
	indexVersion = 1
	maxIndex     = 1 << 20
)

// List returns the installed weights by name. A store that does not exist is
// empty.
func (s *Store) List() ([]Installed, error) {
	path := filepath.Join(s.Dir, indexName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, s.broken("cannot be read: %v", cause(err))
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxIndex+1))
	if err != nil {
		return nil, s.broken("cannot be read: %v", cause(err))
	}
	list, err := parseIndex(raw)
	if err != nil {
		return nil, s.broken("%v", err)
	}
	return list, nil
}

// parseIndex reads index.json strictly. It refuses fields that it does not know, and
// file names outside the store.
func parseIndex(raw []byte) ([]Installed, error) {
	if len(raw) > maxIndex {
		return nil, fmt.Errorf("is larger than %d bytes", maxIndex)
	}
	var ix index
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ix); err != nil {
		return nil, fmt.Errorf("is not a valid index: %v", err)
	}
	if dec.More() {
		return nil, fmt.Errorf("is not a valid index: something follows it")
	}
	if ix.Version != indexVersion {
		return nil, fmt.Errorf("is in version %d, version %d is read", ix.Version, indexVersion)
	}
	seen := map[string]bool{}
	for _, w := range ix.Weights {
		switch {
		case !validName(w.Name) || seen[w.Name]:
			return nil, fmt.Errorf("lists %q, which is no valid name or occurs twice", clip(w.Name))
		case w.File != w.Name+".safetensors":
			return nil, fmt.Errorf("lists %q as the file of %q", clip(w.File), w.Name)
		case !validSum(w.SHA256) || w.Bytes < 0:
			return nil, fmt.Errorf("lists %q without a valid checksum and size", w.Name)
		}
		seen[w.Name] = true
	}
	slices.SortFunc(ix.Weights, func(a, b Installed) int { return strings.Compare(a.Name, b.Name) })
	return ix.Weights, nil
}

func validSum(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// installed resolves an installed name, or a file of that name without an
// extension.
func (s *Store) installed(name, why string) (Source, error) {
	list, err := s.List()
	if err != nil {
		return Source{}, err
	}
	for _, w := range list {
		if w.Name == name {
			return Source{Name: name, Path: filepath.Join(s.Dir, w.File), SHA256: w.SHA256, Why: why}, nil
		}
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return Source{Path: name, Why: why}, nil
	}
	return Source{}, s.missing(name, list)
}

// missing returns the error for weights that are not installed.
func (s *Store) missing(name string, list []Installed) error {
	title := fmt.Sprintf("weights %q", name)
	if name == "vgg19" {
		title = "VGG-19 weights"
	}
	hints := []string{
		"impasto weights get vgg19   (548 MB, of which 80 MB are kept)",
		"impasto weights import --help   (of a file you have: .pth .caffemodel .safetensors .onnx .mat)",
		"--weights mini   (a small network, part of the program)",
	}
	if len(list) > 0 {
		hints[2] = "--weights " + list[0].Name + "   (installed)"
	}
	return &Error{Kind: KindMissing, Hints: hints, Msg: fmt.Sprintf("%s are not installed (looked in %s, $%s)", title, s.Dir, Environment)}
}

// Verify compares installed weights with the checksum that was recorded when
// they were installed; the error says how they differ.
func (s *Store) Verify(ctx context.Context, name string) error {
	src, err := s.installed(name, "asked for")
	if err != nil {
		return err
	}
	f, size, err := openWeights(src.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum, err := hashSource(ctx, &source{name: filepath.Base(src.Path), ReaderAt: f, size: size})
	if err != nil {
		return wrap(filepath.Base(src.Path), err)
	}
	if src.SHA256 != "" && sum != src.SHA256 {
		return checksumError(src.Path, sum, src.SHA256, s.again(name))
	}
	return nil
}

// again returns the hints that say how to replace damaged weights.
func (s *Store) again(name string) []string {
	for _, o := range originals {
		if o.Name == name {
			return []string{"impasto weights get " + name + " --force"}
		}
	}
	return []string{"impasto weights import --help   (again, with --name " + name + ")"}
}

func (s *Store) broken(format string, args ...any) error {
	return &Error{Kind: KindStore, Msg: fmt.Sprintf("index of weights %q %s", filepath.Join(s.Dir, indexName), fmt.Sprintf(format, args...)),
		Hints: []string{"move the directory away and install the weights again"}}
}
