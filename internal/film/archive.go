package film

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// An archive is a plain tar file of numbered pictures. Frames are sent as an
// archive where a folder cannot be sent. The pictures and their order determine its
// bytes.

// IsArchive reports whether a name is that of an archive of frames.
func IsArchive(name string) bool { return strings.EqualFold(filepath.Ext(name), ".tar") }

// OpenArchive opens the pictures in an archive, in the order of the numbers in
// their names. sel.Rate is not used.
func OpenArchive(name string, sel Selection) (Source, error) {
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, inputError("not_found", "archive %q does not exist", name)
	case err != nil:
		return nil, inputError("unreadable", "archive %q cannot be read: %v", name, err)
	}
	defer f.Close()
	var all []frame
	err = entries(f, func(h *tar.Header, _ io.Reader) error {
		at, err := f.Seek(0, io.SeekCurrent) // the tar reader reads nothing beyond a header
		if !strings.HasPrefix(path.Base(h.Name), ".") {
			all = append(all, frame{name: h.Name, archive: name, at: at, size: h.Size})
		}
		return err
	})
	if err == nil && !ends(f) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, inputError("archive_damaged", "%q is no archive of pictures: %v", name, err)
	}
	return choose(name, all, sel)
}

// entries calls visit for each file in a tar.
func entries(r io.Reader, visit func(*tar.Header, io.Reader) error) error {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil && h.Typeflag == tar.TypeReg {
			err = visit(h, t)
		}
		if err != nil {
			return err
		}
	}
}

// ends reports whether an archive has its end marker, two blocks of zeros. Without
// this check, an archive that was cut between two files reads like a shorter one.
func ends(f *os.File) bool {
	var end [1024]byte
	if _, err := f.Seek(-int64(len(end)), io.SeekEnd); err != nil {
		return false
	}
	_, err := io.ReadFull(f, end[:])
	return err == nil && end == [1024]byte{}
}

// Pack writes an archive of files under their base names, with their content
// unchanged.
func Pack(ctx context.Context, archive string, files ...string) error {
	return picture.WriteFile(archive, func(w io.Writer) error {
		t := tar.NewWriter(w)
		for _, name := range files {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := packFile(t, filepath.Base(name), frame{name: name}); err != nil {
				return err
			}
		}
		return t.Close()
	})
}

// PackShot writes an archive of the frames of a shot. It copies numbered pictures
// unchanged. It writes the frames of a film as PNG, which keeps every code.
func PackShot(ctx context.Context, archive string, c *Cursor, shot Shot) error {
	return picture.WriteFile(archive, func(w io.Writer) error {
		t := tar.NewWriter(w)
		for n := shot.First; n <= shot.Last; n++ {
			name := fmt.Sprintf("frame_%05d", n+1)
			var err error
			if s, ok := c.source.(*numbered); ok {
				f := s.frames[n]
				err = errors.Join(ctx.Err(), packFile(t, name+filepath.Ext(f.name), f))
			} else {
				err = c.pack(ctx, t, name+".png", n)
			}
			if err != nil {
				return err
			}
		}
		return t.Close()
	})
}

func (c *Cursor) pack(ctx context.Context, t *tar.Writer, name string, n int) error {
	p, err := c.Frame(ctx, n)
	if err != nil {
		return err
	}
	var file strings.Builder
	if err := picture.Encode(&file, p, picture.PNG, picture.WriteOptions{Depth: 8}); err != nil {
		return err
	}
	return packText(t, name, int64(file.Len()), strings.NewReader(file.String()))
}

func packFile(t *tar.Writer, name string, f frame) error {
	r, size, err := f.open()
	if err != nil {
		return err
	}
	defer r.Close()
	return packText(t, name, size, r)
}

func packText(t *tar.Writer, name string, size int64, r io.Reader) error {
	err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644})
	if err == nil {
		_, err = io.Copy(t, r)
	}
	return err
}

// Unpack writes the files of an archive that want accepts into a folder. Each is
// written completely or not at all. Unpack ignores files in folders of the archive.
func Unpack(ctx context.Context, archive, folder string, want func(name string) bool) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	return entries(f, func(h *tar.Header, r io.Reader) error {
		if h.Name != path.Base(h.Name) || strings.ContainsAny(h.Name, `\:`) || !want(h.Name) {
			return ctx.Err()
		}
		return errors.Join(ctx.Err(), picture.WriteFile(filepath.Join(folder, h.Name), func(w io.Writer) error {
			_, err := io.Copy(w, r)
			return err
		}))
	})
}
