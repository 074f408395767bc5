package vgg

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/impasto/impasto/internal/filelock"
	"github.com/impasto/impasto/internal/replace"
)

// ImportOptions say how a file is installed as weights.
type ImportOptions struct {
	Name   string // "": the name in the file, or vgg19 if the shapes match
	Layout Layout // for files that do not say
	Half   bool   // store float16 even if that rounds values
	Force  bool   // replace weights of that name

	licence string // of a published file, which the file itself may not state
}

// Import converts a file of any of the formats into one conv-only safetensors
// file in the store.
func (s *Store) Import(ctx context.Context, path string, opts ImportOptions) (Installed, error) {
	n, err := readImport(ctx, path, opts) // a file that is refused does not change the store
	if err != nil {
		return Installed{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Installed{}, err
	}
	defer unlock()
	return s.install(ctx, n, filepath.Base(path), opts)
}

// readImport reads the network of a file and sets the name under which it is installed.
func readImport(ctx context.Context, path string, opts ImportOptions) (*Network, error) {
	n, err := LoadFile(ctx, path, LoadOptions{Layout: opts.Layout, name: opts.Name})
	if err != nil {
		return nil, err
	}
	if opts.Name != "" {
		n.Name = opts.Name
	} else if n.Name == "vgg19" && n.Meta.Layout == LayoutTorchvision {
		n.Name = "vgg19-torchvision" // other weights, which loss weights made for the original do not fit
	}
	if !validName(n.Name) || n.Name == "mini" || n.Name == "random" {
		return nil, usageErrorf([]string{"--name NAME   (letters, digits, - and _; not mini or random)"}, "%q cannot be the name of weights", n.Name)
	}
	return n, nil
}

// installFile does what Import does, for a caller that holds the lock.
func (s *Store) installFile(ctx context.Context, path string, opts ImportOptions) (Installed, error) {
	n, err := readImport(ctx, path, opts)
	if err != nil {
		return Installed{}, err
	}
	return s.install(ctx, n, filepath.Base(path), opts)
}

// install writes the network of a file into the store. The caller holds its lock.
func (s *Store) install(ctx context.Context, n *Network, source string, opts ImportOptions) (Installed, error) {
	if n.Meta.Licence == "" {
		n.Meta.Licence = opts.licence
	}
	list, err := s.List()
	if err != nil {
		return Installed{}, err
	}
	at := slices.IndexFunc(list, func(w Installed) bool { return w.Name == n.Name })
	if at >= 0 && !opts.Force {
		return Installed{}, &Error{Kind: KindStore, Msg: fmt.Sprintf("weights %q are already installed", n.Name),
			Hints: []string{"--force to replace them", "--name NAME to keep both"}}
	}
	w := Installed{
		Name: n.Name, File: n.Name + ".safetensors", Last: n.Layers[len(n.Layers)-1].Tap(),
		Source: source, SourceSHA256: n.Meta.SHA256, Layout: n.Meta.Layout, Licence: n.Meta.Licence,
		Time: time.Now().UTC().Truncate(time.Second),
	}
	if err := ctx.Err(); err != nil {
		return Installed{}, wrap(w.Source, err)
	}
	if w.SHA256, w.Bytes, err = n.Write(filepath.Join(s.Dir, w.File), opts.Half); err != nil {
		return Installed{}, err
	}
	if at >= 0 {
		list[at] = w
	} else {
		list = append(list, w)
	}
	return w, s.writeIndex(list)
}

func (s *Store) writeIndex(list []Installed) error {
	raw, err := json.MarshalIndent(index{indexVersion, list}, "", "  ")
	if err == nil {
		err = replace.File(filepath.Join(s.Dir, indexName), 0o666, func(w io.Writer) error {
			_, err := w.Write(append(raw, '\n'))
			return err
		})
	}
	if err != nil {
		return s.broken("cannot be written: %v", cause(err))
	}
	return nil
}

// lock makes the store's directory and waits until no other process changes it. The
// lock is on the file LOCK, which is removed with it. A lock ends with its process.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	fail := func(err error) error {
		return &Error{Kind: KindStore, Msg: fmt.Sprintf("directory of weights %q cannot be used: %v", s.Dir, cause(err)), Err: err,
			Hints: []string{"$" + Environment + " to name another directory"}}
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, fail(err)
	}
	for {
		f, err := os.OpenFile(filepath.Join(s.Dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fail(err)
		}
		ok, err := filelock.Try(f)
		if ok && isAt(f) {
			return func() { dropLock(f) }, nil
		}
		f.Close()
		if err != nil {
			return nil, fail(err)
		}
		select {
		case <-ctx.Done():
			return nil, &Error{Kind: KindCancelled, Msg: fmt.Sprintf("stopped while another process was installing weights in %q", s.Dir), Err: ctx.Err()}
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// isAt reports whether the locked file still has its name. It has not if the previous
// holder of the lock removed it.
func isAt(f *os.File) bool {
	there, err := os.Stat(f.Name())
	if err != nil {
		return !os.IsNotExist(err)
	}
	mine, err := f.Stat()
	return err != nil || os.SameFile(there, mine)
}

// dropLock removes and unlocks a lock file. Windows cannot remove an open file, nor one
// that another process has opened since.
func dropLock(f *os.File) {
	if runtime.GOOS != "windows" {
		os.Remove(f.Name())
		f.Close()
		return
	}
	f.Close()
	os.Remove(f.Name())
}
