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

// verb is the number of a pattern as ffmpeg writes it: %d, %5d, %05d.
var verb = regexp.MustCompile(`%0?[0-9]*d`)

// IsPattern reports whether a path stands for many: frames/%05d.png, frames/*.png.
func IsPattern(path string) bool { return verb.MatchString(path) || strings.ContainsAny(path, "*?[") }

// OpenNumbered opens the pictures in a folder, in the order of their numbers, or
// those that a pattern names. sel.Rate is not used.
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
	names = slices.DeleteFunc(names, func(n string) bool { _, err := picture.FormatOf(n); return err != nil })
	if len(names) == 0 {
		return nil, inputError("no_frames", "no picture is called %q", pathOfFrames(path)).hint("frames/%05d.png", "a folder of PNG, JPEG, TIFF or WebP pictures")
	}
	slices.SortFunc(names, byNumber)
	all := len(names)
	names = names[min(sel.From, all):]
	if sel.To > 0 {
		names = names[:min(max(sel.To-sel.From, 0), len(names))]
	}
	every := max(1, sel.Every)
	var kept []string
	for i := 0; i < len(names); i += every {
		kept = append(kept, names[i])
	}
	if len(kept) == 0 {
		return nil, inputError("no_frames", "no frame of %q lies %s; it has %d", path, sel, all)
	}
	first, _, err := picture.Read(kept[0], picture.ReadOptions{Role: "frame"})
	if err != nil {
		return nil, err
	}
	return &numbered{Info{Path: path, W: first.W, H: first.H, Frames: len(kept)}, kept}, nil
}

func pathOfFrames(path string) string {
	if IsPattern(path) {
		return path
	}
	return filepath.Join(path, "*.png")
}

// inFolder lists a folder.
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

// counted lists the files of a pattern with one number, from the lowest there
// is. A number left out is a fault: the frames on either side do not follow each
// other.
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

// byNumber orders names so that frame 9 comes before frame 10.
func byNumber(a, b string) int {
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

// digits is how many digits a text begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

type numbered struct {
	info  Info
	names []string
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
	if r.at >= len(r.source.names) {
		return nil, io.EOF
	}
	name, info := r.source.names[r.at], r.source.info
	p, _, err := picture.Read(name, picture.ReadOptions{Role: "frame"})
	if err != nil {
		return nil, err
	}
	if p.W != info.W || p.H != info.H {
		return nil, inputError("frame_size", "frame %q is %dx%d, the first one %dx%d", name, p.W, p.H, info.W, info.H)
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

// Sum is over the files' bytes in order; their names do not matter.
func (n *numbered) Sum(ctx context.Context) (sum [32]byte, err error) {
	all := sha256.New()
	for _, name := range n.names {
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		file, err := os.ReadFile(name)
		if err != nil {
			return sum, inputError("unreadable", "frame %q cannot be read: %v", name, err)
		}
		one := sha256.Sum256(file)
		all.Write(one[:])
	}
	return [32]byte(all.Sum(nil)), nil
}
