package film

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// Target describes the film to make.
type Target struct {
	Path  string // its extension determines the container
	W, H  int    // of its frames, in pixels
	Rate  Rate
	Codec string // of ffmpeg; "": the container's usual one
	CRF   string // quality in the scale of the codec; "": 16 if the codec has one
	Sound Sound
}

// Sound is the source of a film's sound.
type Sound struct {
	Path  string // "" for none
	Codec string
	From  float64 // start in the source, in seconds
	Len   float64 // seconds
}

// codecs holds the arguments for encoders. For other encoders only the name is
// passed.
var codecs = map[string]struct {
	flags []string
	crf   bool
}{
	"libx264":    {[]string{"-pix_fmt", "yuv420p"}, true},
	"libx265":    {[]string{"-pix_fmt", "yuv420p", "-tag:v", "hvc1"}, true},
	"libvpx-vp9": {[]string{"-pix_fmt", "yuv420p", "-b:v", "0"}, true},
	"libaom-av1": {[]string{"-pix_fmt", "yuv420p", "-b:v", "0"}, true},
	"libsvtav1":  {[]string{"-pix_fmt", "yuv420p"}, true},
	"prores_ks":  {[]string{"-pix_fmt", "yuv422p10le", "-profile:v", "3"}, false},
	"ffv1":       {[]string{"-pix_fmt", "yuv444p"}, false},
}

const usualCRF = "16" // no visible loss

// Input is the part of ffmpeg's arguments that names the frames.
type Input []string

// pipe is the input of raw frames from standard input.
func (t Target) pipe() Input {
	return Input{"-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", fmt.Sprintf("%dx%d", t.W, t.H), "-i", "pipe:0"}
}

// Files returns the input of numbered pictures, such as frames/%05d.png, from first
// on.
func Files(pattern string, first int) Input {
	return Input{"-start_number", strconv.Itoa(first), "-i", pattern}
}

// Arguments returns the arguments of ffmpeg to make the film at path. Colours are
// converted to BT.709, which players assume. The last row and column are repeated
// where a side is odd, because most codecs need even sides.
func (t Target) Arguments(in Input, path string) []string {
	box := containers[strings.ToLower(filepath.Ext(t.Path))]
	args := append(append([]string{"-y", "-framerate", t.Rate.String()}, in...), t.soundInput()...)
	args = append(args, "-map", "0:v")
	args = append(args, t.soundCodec(box)...)
	codec := cmp.Or(t.Codec, box.codec)
	known := codecs[codec]
	args = append(args, "-c:v", codec)
	if crf := cmp.Or(t.CRF, usualCRF); known.crf || t.CRF != "" {
		args = append(args, "-crf", crf)
	}
	filters := "scale=out_color_matrix=bt709:out_range=tv"
	if right, bottom := t.W%2, t.H%2; right+bottom > 0 {
		filters = fmt.Sprintf("pad=%d:%d,fillborders=right=%d:bottom=%d:mode=smear,%s", t.W+right, t.H+bottom, right, bottom, filters)
	}
	args = append(args, "-vf", filters)
	args = append(args, known.flags...)
	args = append(args, "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
	return append(append(args, box.flags...), path)
}

func (t Target) soundInput() []string {
	if t.Sound.Path == "" {
		return nil
	}
	seconds := func(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }
	var args []string
	if t.Sound.From > 0 {
		args = append(args, "-ss", seconds(t.Sound.From))
	}
	return append(args, "-t", seconds(t.Sound.Len), "-i", "file:"+t.Sound.Path)
}

// soundCodec returns the codec that copies sound that the container can hold and
// re-encodes other sound. Sound that starts in the middle of a film is always
// re-encoded, because a copy begins at a packet, which may be half a second off.
func (t Target) soundCodec(box container) []string {
	if t.Sound.Path == "" {
		return nil
	}
	args := []string{"-map", "1:a:0", "-c:a"}
	if fits := box.sound == nil || slices.Contains(box.sound, t.Sound.Codec); fits && t.Sound.From == 0 {
		return append(args, "copy")
	}
	return append(args, box.recode...)
}

// Command returns the shell command that makes the film of numbered pictures.
func (t Target) Command(pattern string, first int) string {
	words := []string{"ffmpeg"}
	for _, w := range t.Arguments(Files(pattern, first), t.Path) {
		words = append(words, picture.ShellWord(w))
	}
	return strings.Join(words, " ")
}

// Writer writes a film, frame by frame.
type Writer struct {
	Target
	ctx    context.Context
	cancel context.CancelFunc
	p      *process
	tmp    string
	raw    []byte // a frame
	broken bool
}

// Create begins a film. The file appears at its path only when it is complete.
func (t Tools) Create(ctx context.Context, target Target) (*Writer, error) {
	ext := filepath.Ext(target.Path)
	tmp := target.Path + ".tmp-" + strings.ToLower(rand.Text()[:8]) + ext // ffmpeg chooses the format by the extension
	ctx, cancel := context.WithCancel(ctx)
	args := append(quiet[:len(quiet):len(quiet)], target.Arguments(target.pipe(), "file:"+tmp)...)
	p, err := start(ctx, t.FFmpeg, args, true, false)
	if err != nil {
		defer cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, outputError("ffmpeg", "ffmpeg does not start: %v", err)
	}
	return &Writer{ctx: ctx, cancel: cancel, p: p, Target: target, tmp: tmp, raw: make([]byte, target.W*target.H*3)}, nil
}

// Try encodes one small frame with the settings of target and deletes the result.
// So an encoder that ffmpeg lacks, or that the container does not accept, is found
// before frames are painted.
func (t Tools) Try(ctx context.Context, target Target) error {
	dir, err := os.MkdirTemp("", "impasto-film-")
	if err != nil {
		return nil // making the film itself will report this, if it fails too
	}
	defer os.RemoveAll(dir)
	trial := target
	trial.Path, trial.W, trial.H, trial.Sound = filepath.Join(dir, "film"+filepath.Ext(target.Path)), 64, 64, Sound{}
	w, err := t.Create(ctx, trial)
	if err != nil {
		return err
	}
	err = w.Write(picture.New(64, 64))
	if !w.broken { // Write has closed a broken one
		err = w.Close()
	}
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	box := containers[strings.ToLower(filepath.Ext(target.Path))]
	return outputError("codec", "ffmpeg cannot make %q with the encoder %s: %s", target.Path, cmp.Or(target.Codec, box.codec), w.p.stderr.text())
}

// Write adds a frame.
func (w *Writer) Write(p *picture.Picture) error {
	if p.W != w.W || p.H != w.H {
		return outputError("frame_size", "a frame of %dx%d pixels in a film of %dx%d", p.W, p.H, w.W, w.H)
	}
	for i, v := range p.Pix {
		w.raw[i] = uint8(min(max(v, 0), 1)*255 + 0.5)
	}
	if _, err := w.p.in.Write(w.raw); err != nil {
		w.broken = true
		return w.Close() // ffmpeg has ended, and Close returns why
	}
	return nil
}

// Close ends the film and moves it to its path.
func (w *Writer) Close() error {
	defer w.cancel()
	defer os.Remove(w.tmp) // it does not exist if all went well
	_ = w.p.in.Close()     // ffmpeg may have closed it already
	if err := w.p.wait(w.ctx); err != nil {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		return outputError("film_unwritten", "film %q cannot be made: %v", w.Path, err)
	}
	if w.broken {
		return outputError("film_unwritten", "film %q cannot be made: ffmpeg ended before the last frame", w.Path)
	}
	f, err := os.Open(w.tmp)
	if err == nil {
		err = f.Sync()
		f.Close()
	}
	if err == nil {
		err = os.Rename(w.tmp, w.Path)
	}
	if err != nil {
		return outputError("film_unwritten", "film %q cannot be made: %v", w.Path, err)
	}
	return nil
}

// Abort stops the encoder and removes the unfinished film.
func (w *Writer) Abort() {
	w.cancel()
	_ = w.p.wait(w.ctx)
	os.Remove(w.tmp)
}
