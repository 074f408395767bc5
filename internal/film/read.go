package film

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// OpenFilm opens a film. sel selects its frames, which are numbered anew from 0.
func (t Tools) OpenFilm(ctx context.Context, path string, sel Selection) (Source, error) {
	info, err := t.Probe(ctx, path)
	if err != nil {
		return nil, err
	}
	whole := info.Frames
	if sel.Rate != (Rate{}) {
		whole = int(float64(whole) * sel.Rate.Float() / info.Rate.Float())
		info.Rate = sel.Rate
	}
	sel.Rate, sel.Every = info.Rate, max(1, sel.Every)
	if sel.To == 0 || sel.To > whole && whole > 0 {
		info.Frames = whole - sel.From
	} else {
		info.Frames = sel.To - sel.From
	}
	if info.Frames <= 0 && whole > 0 {
		return nil, inputError("no_frames", "no frame of %q is %s; it has about %d", path, sel, whole)
	}
	info.Frames = (info.Frames + sel.Every - 1) / sel.Every
	info.Rate = sel.Rate.Over(sel.Every)
	return &film{tools: t, info: info, sel: sel}, nil
}

type film struct {
	tools Tools
	info  Info
	sel   Selection
}

func (f *film) Info() Info { return f.info }

// filters returns the filters for ffmpeg. They make frames at a constant rate, keep
// the selected ones from the first on, and scale them to w x h.
func (f *film) filters(first, w, h int) string {
	from := f.sel.From + first*f.sel.Every
	trim := "trim=start_frame=" + strconv.Itoa(from)
	if f.sel.To > 0 {
		trim += ":end_frame=" + strconv.Itoa(f.sel.To)
	}
	list := []string{"fps=" + f.sel.Rate.String() + ":start_time=0", trim}
	if f.sel.Every > 1 {
		list = append(list, fmt.Sprintf("select=not(mod(n\\,%d))", f.sel.Every))
	}
	return strings.Join(append(list,
		fmt.Sprintf("setpts=N/(%s)/TB", f.info.Rate), // no gap is filled with copies
		fmt.Sprintf("scale=%d:%d:flags=area+accurate_rnd+full_chroma_int", w, h), "setsar=1"), ",")
}

func (f *film) Read(ctx context.Context, first int) (Reader, error) {
	return f.open(ctx, first, f.info.W, f.info.H)
}

func (f *film) open(ctx context.Context, first, w, h int) (*pipe, error) {
	args := quiet[:len(quiet):len(quiet)]
	if seconds, ok := f.seek(ctx, f.sel.From+first*f.sel.Every); ok {
		args = append(args, "-noaccurate_seek", "-copyts", "-start_at_zero", "-ss", seconds)
	}
	args = append(args, "-i", "file:"+f.info.Path, "-map", "0:V:0", "-an", "-sn", "-dn",
		"-vf", f.filters(first, w, h), "-r", f.info.Rate.String(), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
	ctx, cancel := context.WithCancel(ctx)
	p, err := start(ctx, f.tools.FFmpeg, args, false, true)
	if err != nil {
		defer cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, inputError("ffmpeg", "ffmpeg does not start: %v", err)
	}
	return &pipe{ctx: ctx, cancel: cancel, p: p, path: f.info.Path, w: w, h: h, row: make([]byte, w*h*3)}, nil
}

// pipe reads raw frames that ffmpeg writes.
type pipe struct {
	ctx    context.Context
	cancel context.CancelFunc
	p      *process
	path   string
	w, h   int
	row    []byte // a whole frame, (h, w, 3)
	ended  error  // nil while frames come
}

func (r *pipe) Next() (*picture.Picture, error) {
	if r.ended != nil {
		return nil, r.ended
	}
	n, err := io.ReadFull(r.p.out, r.row)
	if err == nil {
		p := picture.New(r.w, r.h)
		for i, v := range r.row {
			p.Pix[i] = float32(v) / 255
		}
		return p, nil
	}
	switch ended := r.p.wait(r.ctx); {
	case r.ctx.Err() != nil:
		r.ended = r.ctx.Err()
	case ended != nil:
		r.ended = inputError("film_damaged", "%q cannot be read: %v", r.path, ended)
	case n > 0:
		r.ended = inputError("film_damaged", "%q ends within a frame: %d of %d bytes", r.path, n, len(r.row))
	default:
		r.ended = io.EOF
	}
	r.cancel()
	return nil, r.ended
}

func (r *pipe) Close() {
	if r.ended != nil {
		return
	}
	r.ended = errors.New("the reader is closed")
	r.cancel()
	_ = r.p.wait(r.ctx) // it was told to end, so its error does not matter
}

// smallSide is the long side of the pictures that Scan passes.
const smallSide = 96

func smallSize(w, h int) (int, int) {
	long := max(w, h)
	return max(2, w*smallSide/long), max(2, h*smallSide/long)
}

func (f *film) Scan(ctx context.Context, visit func(*picture.Picture)) error {
	w, h := smallSize(f.info.W, f.info.H)
	r, err := f.open(ctx, 0, w, h)
	if err != nil {
		return err
	}
	defer r.Close()
	for n := 0; ; n++ {
		p, err := r.Next()
		if err == io.EOF {
			if n == 0 {
				return inputError("no_frames", "%q has no frame there", f.info.Path)
			}
			f.info.Frames = n
			return nil
		}
		if err != nil {
			return err
		}
		visit(p)
	}
}

func (f *film) Sum(ctx context.Context) (sum [32]byte, err error) {
	in, err := os.Open(f.info.Path)
	if err != nil {
		return sum, err
	}
	defer in.Close()
	h := sha256.New()
	for {
		if _, err := io.CopyN(h, in, 64<<20); err == io.EOF {
			break
		} else if err != nil {
			return sum, err
		}
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
	}
	return [32]byte(h.Sum(nil)), nil
}
