package film

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// probed is the part of ffprobe's answer that is used.
type probed struct {
	Streams []struct {
		Kind       string `json:"codec_type"`
		Codec      string `json:"codec_name"`
		W          int    `json:"width"`
		H          int    `json:"height"`
		Aspect     string `json:"sample_aspect_ratio"` // of a pixel, "4:3"
		Real       string `json:"r_frame_rate"`        // the least common multiple, roughly
		Average    string `json:"avg_frame_rate"`
		Count      string `json:"nb_frames"`
		Duration   string `json:"duration"`
		Attachment struct {
			Cover int `json:"attached_pic"`
		} `json:"disposition"`
		Tags struct {
			Rotate string `json:"rotate"`
		} `json:"tags"`
		Side []struct {
			Rotation float64 `json:"rotation"`
		} `json:"side_data_list"`
	} `json:"streams"`
	Format struct {
		Name     string `json:"format_name"`
		Duration string `json:"duration"`
		Begin    string `json:"start_time"`
	} `json:"format"`
}

// Probe asks ffprobe what a film is.
func (t Tools) Probe(ctx context.Context, path string) (Info, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Info{}, inputError("not_found", "film %q does not exist", path)
	}
	if !t.OK() {
		if dir := os.Getenv(Environment); dir != "" {
			return Info{}, inputError("ffmpeg_missing", "%q is a film; %s", path, t.Missing()).hint(t.Remedy())
		}
		return Info{}, inputError("ffmpeg_missing", "%q is a film, and ffmpeg, which reads films, is not installed", path).
			hint(t.Remedy(), fmt.Sprintf("ffmpeg -i %s frames/%%05d.png   on a machine that has it, then impasto video frames/", picture.ShellWord(path)))
	}
	text, err := output(ctx, t.FFprobe, "-hide_banner", "-loglevel", "error", "-of", "json", "-show_streams", "-show_format", "file:"+path)
	if ctx.Err() != nil {
		return Info{}, ctx.Err()
	}
	if err != nil {
		return Info{}, inputError("not_a_film", "%q is not a film that ffmpeg can read: %v", path, err)
	}
	return readProbe(path, text)
}

// playlists are formats of ffmpeg that read any files they name. On a worker, those
// may be files that are not inputs of the job.
var playlists = []string{"hls", "concat", "dash", "imf", "sdp", "rtsp"}

// freeFilm proposes an unused name for the film of a playlist.
func freeFilm(path string) string {
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s-film%d.mkv", stem, n)
		if _, err := os.Lstat(name); err != nil {
			return name
		}
	}
}

// readProbe reads the answer of ffprobe.
func readProbe(path string, text []byte) (Info, error) {
	var p probed
	if err := json.Unmarshal(text, &p); err != nil {
		return Info{}, inputError("not_a_film", "what ffprobe says of %q cannot be read: %v", path, err)
	}
	for name := range strings.SplitSeq(p.Format.Name, ",") {
		if slices.Contains(playlists, name) {
			return Info{}, inputError("playlist", "%q is a playlist: its film is in other files, which a film may not name", path).
				hint(fmt.Sprintf("ffmpeg -i %s -c copy %s", picture.ShellWord(path), picture.ShellWord(freeFilm(path))))
		}
	}
	info := Info{Path: path, Film: true, container: p.Format.Name}
	info.begin, _ = strconv.ParseFloat(p.Format.Begin, 64)
	for _, s := range p.Streams {
		switch {
		case s.Kind == "audio" && info.Sound == "":
			info.Sound = s.Codec
		case s.Kind != "video" || info.W > 0 || s.Attachment.Cover == 1:
		case s.W <= 0 || s.H <= 0:
			return Info{}, inputError("not_a_film", "the pictures of %q are %dx%d", path, s.W, s.H)
		default:
			info.W, info.H = shown(s.W, s.H, s.Aspect)
			turn, _ := strconv.ParseFloat(s.Tags.Rotate, 64)
			for _, side := range s.Side {
				if side.Rotation != 0 {
					turn = side.Rotation
				}
			}
			if quarter := math.Mod(math.Abs(math.Round(turn/90)), 2); quarter == 1 { // after a quarter turn, which ffmpeg applies, width and height are exchanged
				info.W, info.H = info.H, info.W
			}
			rate, err := likelyRate(s.Real, s.Average)
			if err != nil {
				return Info{}, inputError("not_a_film", "%q: %v", path, err)
			}
			info.Rate = rate
			info.Frames, _ = strconv.Atoi(s.Count)
			if seconds := either(s.Duration, p.Format.Duration); info.Frames == 0 {
				v, _ := strconv.ParseFloat(seconds, 64)
				info.Frames = int(math.Round(min(max(v, 0), 1e7) * rate.Float()))
			}
		}
	}
	if info.W == 0 {
		return Info{}, inputError("not_a_film", "%q holds no moving picture", path)
	}
	return info, nil
}

// shown returns the size at which frames are displayed: with square pixels.
func shown(w, h int, aspect string) (int, int) {
	a, b, ok := strings.Cut(aspect, ":")
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if !ok || errX != nil || errY != nil || !(x > 0) || !(y > 0) || x/y > 16 || y/x > 16 {
		return w, h
	}
	return max(1, int(math.Round(float64(w)*x/y))), h
}

// likelyRate returns the nominal rate of a film if its average rate is within 1 %
// of it, and the average rate otherwise.
func likelyRate(real, average string) (Rate, error) {
	r, errR := ParseRate(real)
	a, errA := ParseRate(average)
	switch {
	case errR == nil && errA == nil && math.Abs(r.Float()/a.Float()-1) < 0.01:
		return r, nil
	case errA == nil:
		return a, nil
	case errR == nil:
		return r, nil
	}
	return Rate{}, fmt.Errorf("its frame rate is unknown (%s, %s)", real, average)
}

func either(a, b string) string {
	if a == "" || a == "N/A" {
		return b
	}
	return a
}
