package vgg

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// GetOptions say how published weights are fetched.
type GetOptions struct {
	From     string         // path of a copy of the published file, instead of a download
	Force    bool           // fetch and install again
	Half     bool           // store as float16
	Client   *http.Client   // nil = one that follows only https
	Progress func(Progress) // called often, from one goroutine; may be nil
}

// Available lists the names that Get knows.
func Available() []string {
	var names []string
	for _, o := range originals {
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	return names
}

// Get fetches published weights ("vgg19", "vgg19-torchvision"), checks and installs
// them. If they are installed already, it does nothing and returns them. A download
// that was interrupted, also by ctx, continues where it stopped.
func (s *Store) Get(ctx context.Context, name string, opts GetOptions) (Installed, error) {
	return s.get(ctx, name, originals, opts)
}

func (s *Store) get(ctx context.Context, name string, published []original, opts GetOptions) (Installed, error) {
	var files []*original
	for i := range published {
		if published[i].Name == name {
			files = append(files, &published[i])
		}
	}
	if len(files) == 0 {
		return Installed{}, usageErrorf([]string{"impasto weights get " + strings.Join(Available(), "|")}, "unknown weights %q", name)
	}
	unlock, err := s.lock(ctx) // a second process waits here and finds them installed
	if err != nil {
		return Installed{}, err
	}
	defer unlock()
	list, err := s.List()
	if err != nil {
		return Installed{}, err
	}
	if at := slices.IndexFunc(list, func(w Installed) bool { return w.Name == name }); at >= 0 && !opts.Force {
		if info, err := os.Stat(filepath.Join(s.Dir, list[at].File)); err == nil && info.Size() == list[at].Bytes {
			return list[at], nil
		}
	}
	if opts.From != "" {
		return s.getFrom(ctx, files, opts)
	}
	var failed *Error
	for _, o := range files {
		d := &download{client: opts.Client, file: o, dir: s.Dir, progress: opts.Progress, idle: time.Minute}
		if d.client == nil {
			d.client = httpsOnly()
		}
		if d.progress == nil {
			d.progress = func(Progress) {}
		}
		had := d.have()
		path, err := d.run(ctx)
		if err == nil {
			var w Installed
			if w, err = s.installFile(ctx, path, o.importOptions(opts.Half)); err == nil {
				os.Remove(path)
				return w, nil
			}
		}
		var e *Error
		if !errors.As(err, &e) {
			return Installed{}, err
		}
		if failed != nil {
			e.Msg, e.Hints = failed.Msg+"; "+e.Msg, failed.Hints
		}
		// A download that has begun is continued later. Another file of the same
		// weights is not worth another half gigabyte.
		if failed = e; ctx.Err() != nil || e.Kind == KindStore || d.have() > had {
			break
		}
	}
	return Installed{}, failed
}

// getFrom installs a copy of one of the published files.
func (s *Store) getFrom(ctx context.Context, files []*original, opts GetOptions) (Installed, error) {
	var err error
	for _, o := range files {
		if err = o.check(ctx, opts.From); err == nil {
			return s.installFile(ctx, opts.From, o.importOptions(opts.Half))
		}
		if ctx.Err() != nil {
			return Installed{}, wrap(filepath.Base(opts.From), err)
		}
	}
	var e *Error
	if errors.As(err, &e) && e.Kind != KindDamaged {
		return Installed{}, err
	}
	names := make([]string, len(files))
	for i, o := range files {
		names[i] = o.File
	}
	return Installed{}, &Error{Kind: KindDamaged, Err: err,
		Msg:   fmt.Sprintf("%q is not a copy of %s: its checksum is another", filepath.Base(opts.From), strings.Join(names, " or ")),
		Hints: []string{"impasto weights import --help   (for other conversions)"}}
}

func (o *original) importOptions(half bool) ImportOptions {
	return ImportOptions{Name: o.Name, Layout: o.Layout, Half: half, Force: true, licence: o.Licence}
}

// check compares a file's checksum and size with what was published.
func (o *original) check(ctx context.Context, path string) error {
	f, size, err := openWeights(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if o.Size > 0 && size != o.Size {
		return &Error{Kind: KindDamaged, Msg: fmt.Sprintf("%s has %d bytes, expected %d; the file is incomplete or altered", o.File, size, o.Size)}
	}
	want, h := o.SHA256, hash.Hash(sha256.New())
	if want == "" {
		want, h = o.SHA1, sha1.New()
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := io.CopyN(h, f, 4<<20)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if sum := hex.EncodeToString(h.Sum(nil)); !strings.HasPrefix(sum, want) {
		return checksumError(o.File, sum, want, nil)
	}
	return nil
}

// httpsOnly returns a client for half a gigabyte from unknown servers. It has no time
// limit on the whole, but one on each answer. It uses only encrypted connections,
// because for some files only a part of the checksum was published.
func httpsOnly() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.URL.Scheme != "https" {
			return fmt.Errorf("was sent on to %s, which is not encrypted", host(req.URL.String()))
		}
		if len(via) > 10 {
			return fmt.Errorf("was sent on more than 10 times")
		}
		return nil
	}}
}
