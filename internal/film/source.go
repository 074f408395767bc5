package film

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// Info describes the frames of a source before any is read.
type Info struct {
	Path   string
	W, H   int    // as shown: upright, of square pixels
	Rate   Rate   // frames a second; zero for numbered pictures
	Frames int    // an estimate for a film, exact after a scan
	Sound  string // codec of the first sound stream, "" without
	Film   bool   // a film, not numbered pictures

	container string  // ffmpeg's names for the kind of the file
	begin     float64 // time of its first packet, in seconds
}

// Source is a sequence of frames, numbered from 0. It can be read several times,
// starting at any frame.
type Source interface {
	Info() Info
	// Read returns a reader of the frames from first on. After the last frame the
	// reader returns io.EOF.
	Read(ctx context.Context, first int) (Reader, error)
	// Scan reads all frames in order and calls visit with a small picture of each.
	Scan(ctx context.Context, visit func(small *picture.Picture)) error
	// Sum returns a SHA-256 over the content of all frames.
	Sum(ctx context.Context) ([32]byte, error)
}

// Reader gives frames in order.
type Reader interface {
	Next() (*picture.Picture, error)
	Close()
}

// Selection chooses frames of a source.
type Selection struct {
	Rate     Rate // rate to convert the film to; zero for its own
	From, To int  // frames at that rate, To excluded; 0: to the end
	Every    int  // use only every nth of these; at least 1
}

// String returns the range of frames in words.
func (s Selection) String() string {
	if s.To == 0 {
		return fmt.Sprintf("from %d on", s.From)
	}
	return fmt.Sprintf("from %d to %d", s.From, s.To)
}

// containers lists the formats of films that can be written, by extension.
var containers = map[string]container{
	".mp4":  {codec: "libx264", sound: []string{"aac", "mp3", "ac3", "eac3", "alac"}, recode: []string{"aac", "-b:a", "192k"}, flags: []string{"-movflags", "+faststart"}},
	".m4v":  {codec: "libx264", sound: []string{"aac", "mp3", "ac3", "eac3", "alac"}, recode: []string{"aac", "-b:a", "192k"}, flags: []string{"-movflags", "+faststart"}},
	".mov":  {codec: "libx264", sound: []string{"aac", "mp3", "ac3", "alac", "pcm_s16le", "pcm_s24le"}, recode: []string{"aac", "-b:a", "192k"}, flags: []string{"-movflags", "+faststart"}},
	".mkv":  {codec: "libx264", recode: []string{"aac", "-b:a", "192k"}},
	".webm": {codec: "libvpx-vp9", sound: []string{"opus", "vorbis"}, recode: []string{"libopus", "-b:a", "128k"}},
}

type container struct {
	codec  string   // of the picture, unless another is requested
	sound  []string // codecs of sound that are copied; none means any
	recode []string // the codec for other sound
	flags  []string
}

// IsFilm reports whether a name is that of a film that can be written.
func IsFilm(path string) bool {
	_, ok := containers[strings.ToLower(filepath.Ext(path))]
	return ok
}

// Extensions lists the extensions of films that can be written.
func Extensions() []string {
	return slices.Sorted(maps.Keys(containers))
}
