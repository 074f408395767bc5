package film

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// verb matches the number in a pattern, as ffmpeg writes it: %d, %5d, %05d.
var verb = regexp.MustCompile(`%0?[0-9]*d`)

// IsPattern reports whether a path names many files: frames/%05d.png, frames/*.png.
// If a file with exactly this name exists, the path names that file.
func IsPattern(path string) bool {
	if st, err := os.Stat(path); err == nil && !st.IsDir() {
		return false
	}
	return verb.MatchString(path) || strings.ContainsAny(path, "*?[")
}

// OpenNumbered opens the pictures in a folder, or those that a pattern names, in
// the order of their numbers. sel.Rate is not used.
func OpenNumbered(path string, sel Selection) (Source, error) {
	var names []string
	var err error
	switch {
	case verb.MatchString(filepath.Base(path)):
		names, err = counted(path)
	case IsPattern(path):
		if names, err = filepath.Glob(path); err != nil {
			err = inputError("bad_pattern", "%q is no pattern of file names", path)
		}
	default:
		names, err = inFolder(path)
	}
	if err != nil {
		return nil, err
	}
	var all []frame
	for _, n := range names {
		all = append(all, frame{name: n})
	}
	return choose(path, all, sel)
}

// choose makes a source of the frames that are pictures and are selected.
func choose(path string, all []frame, sel Selection) (Source, error) {
	all = slices.DeleteFunc(all, func(f frame) bool { _, err := picture.FormatOf(f.name); return err != nil })
	if len(all) == 0 {
		return nil, inputError("no_frames", "no picture is called %q", pathOfFrames(path))
	}
	slices.SortFunc(all, func(a, b frame) int { return ByNumber(a.name, b.name) })
	part := all[min(sel.From, len(all)):]
	if sel.To > 0 {
		part = part[:min(max(sel.To-sel.From, 0), len(part))]
	}
	every := max(1, sel.Every)
	var kept []frame
	for i := 0; i < len(part); i += every {
		kept = append(kept, part[i])
	}
	if len(kept) == 0 {
		return nil, inputError("no_frames", "no frame of %q is %s; it has %d", path, sel, len(all))
	}
	first, err := kept[0].read()
	if err != nil {
		return nil, err
	}
	return &numbered{Info{Path: path, W: first.W, H: first.H, Frames: len(kept)}, kept}, nil
}

func pathOfFrames(path string) string {
	if IsPattern(path) {
		return path
	}
	if IsArchive(path) {
		return path + ": *.png"
	}
	return filepath.Join(path, "*.png")
}

// inFolder lists the files in a folder.
func inFolder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, inputError("not_found", "folder %q does not exist", dir)
	case err != nil:
		return nil, inputError("unreadable", "folder %q cannot be read: %v", dir, err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}

// counted lists the files of a pattern with one number, from the lowest number on.
// A missing number is an error, because the frames on either side of it are not
// consecutive.
func counted(path string) ([]string, error) {
	base := filepath.Base(path)
	at := verb.FindStringIndex(base)
	name := regexp.MustCompile("^" + regexp.QuoteMeta(base[:at[0]]) + "([0-9]+)" + regexp.QuoteMeta(base[at[1]:]) + "$")
	all, err := inFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	found := map[int]string{}
	least, most := 1<<62, -1
	for _, n := range all {
		if m := name.FindStringSubmatch(filepath.Base(n)); m != nil {
			number, err := strconv.Atoi(m[1])
			if err != nil || fmt.Sprintf(base, number) != filepath.Base(n) {
				continue
			}
			found[number] = n
			least, most = min(least, number), max(most, number)
		}
	}
	var names []string
	for i := least; i <= most; i++ {
		if found[i] == "" {
			return nil, inputError("frame_missing", "frame %q is missing; there are %d to %d", fmt.Sprintf(base, i), least, most).
				hint(fmt.Sprintf("%s   (all there are, in their order)", filepath.Join(filepath.Dir(path), verb.ReplaceAllString(base, "*"))))
		}
		names = append(names, found[i])
	}
	return names, nil
}

// ByNumber orders names so that frame 9 comes before frame 10.
func ByNumber(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx > 0 && dy > 0 {
			p, q := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
			if len(p) != len(q) {
				return len(p) - len(q)
			}
			if c := strings.Compare(p, q); c != 0 {
				return c
			}
			x, y = x[dx:], y[dy:]
			continue
		}
		if x[0] != y[0] {
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(a, b)
}

// digits returns the number of digits at the beginning of a text.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

type numbered struct {
	info   Info
	frames []frame
}

// frame is a picture's file, or its place in an archive.
type frame struct {
	name     string
	archive  string // "": name is a file of its own
	at, size int64  // in the archive, in bytes
}

func (f frame) String() string {
	if f.archive == "" {
		return f.name
	}
	return f.archive + ": " + f.name
}

// open returns a reader of the picture's bytes, and their number.
func (f frame) open() (io.ReadCloser, int64, error) {
	path := f.archive
	if path == "" {
		path = f.name
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, inputError("unreadable", "frame %q cannot be read: %v", f, err)
	}
	if f.archive == "" {
		st, err := file.Stat()
		if err != nil {
			file.Close()
			return nil, 0, inputError("unreadable", "frame %q cannot be read: %v", f, err)
		}
		return file, st.Size(), nil
	}
	return section{io.NewSectionReader(file, f.at, f.size), file}, f.size, nil
}

// section is a part of a file. Closing it closes the file.
type section struct {
	io.Reader
	io.Closer
}

func (f frame) read() (*picture.Picture, error) {
	if f.archive == "" {
		p, _, err := picture.Read(f.name, picture.ReadOptions{Role: "frame"})
		return p, err
	}
	r, _, err := f.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p, _, err := picture.Decode(r, f.String(), picture.ReadOptions{Role: "frame"})
	return p, err
}

func (n *numbered) Info() Info { return n.info }

func (n *numbered) Read(ctx context.Context, first int) (Reader, error) {
	return &pictures{ctx: ctx, source: n, at: first}, nil
}

type pictures struct {
	ctx    context.Context
	source *numbered
	at     int
}

func (r *pictures) Next() (*picture.Picture, error) {
	if r.ctx.Err() != nil {
		return nil, r.ctx.Err()
	}
	if r.at >= len(r.source.frames) {
		return nil, io.EOF
	}
	f, info := r.source.frames[r.at], r.source.info
	p, err := f.read()
	if err != nil {
		return nil, err
	}
	if p.W != info.W || p.H != info.H {
		return nil, inputError("frame_size", "frame %q is %dx%d, the first one %dx%d", f, p.W, p.H, info.W, info.H)
	}
	r.at++
	return p, nil
}

func (r *pictures) Close() {}

func (n *numbered) Scan(ctx context.Context, visit func(*picture.Picture)) error {
	w, h := smallSize(n.info.W, n.info.H)
	r := &pictures{ctx: ctx, source: n}
	for {
		p, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		visit(p.Flatten().Resize(w, h, picture.Area))
	}
}

// Sum hashes the files' bytes in order. Their names do not matter.
func (n *numbered) Sum(ctx context.Context) (sum [32]byte, err error) {
	all := sha256.New()
	for _, f := range n.frames {
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		r, _, err := f.open()
		if err != nil {
			return sum, err
		}
		one := sha256.New()
		_, err = io.Copy(one, r)
		r.Close()
		if err != nil {
			return sum, inputError("unreadable", "frame %q cannot be read: %v", f, err)
		}
		all.Write(one.Sum(nil))
	}
	return [32]byte(all.Sum(nil)), nil
}
