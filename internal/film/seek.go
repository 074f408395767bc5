package film

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A film is read from a frame on without decoding everything before it, if the
// frames are certain to be the same. ffmpeg begins at a key frame and keeps the
// timestamps of the film. Its filter fps fills the missing time before with copies,
// which are dropped. The output of fps at a time depends only on the timestamps
// around that time.
//
// Two key frames must lie between the start of decoding and the frame. Frames after
// the first key frame may need others before it (open groups of pictures, intra
// refresh). Those after the second do not.

// sought are the containers with an index of key frames by display time. Other
// containers are decoded from their beginning.
var sought = []string{"matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"}

// seekBack are times in seconds before a frame at which decoding may begin. The
// first one from which two key frames follow is used.
var seekBack = []float64{15, 60, 240}

// packets is the part of ffprobe's answer that is used.
type packets struct {
	List []struct {
		Shown string `json:"pts_time"`
		Flags string `json:"flags"`
	} `json:"packets"`
}

// seek returns where decoding may begin for a frame at the film's rate, in seconds
// after the beginning of the file. ok is false if it must begin at the start of the
// file.
func (f *film) seek(ctx context.Context, frame int) (seconds string, ok bool) {
	if !slices.Contains(sought, f.info.container) {
		return "", false
	}
	at := f.sel.Rate.Seconds(frame)
	for _, back := range seekBack {
		if at <= back {
			break
		}
		seconds = strconv.FormatFloat(at-back, 'f', 3, 64)
		begin, _ := strconv.ParseFloat(seconds, 64)
		text, err := output(ctx, f.tools.FFprobe, "-hide_banner", "-loglevel", "error", "-of", "json", "-select_streams", "V:0",
			"-read_intervals", fmt.Sprintf("%.6f%%%.6f", f.info.begin+begin, f.info.begin+at), "-show_entries", "packet=pts_time,flags", "file:"+f.info.Path)
		var p packets
		if err != nil || json.Unmarshal(text, &p) != nil {
			return "", false // decoding will report what is wrong with the film
		}
		keys, sure := p.keys(f.info.begin + at - f.sel.Rate.Seconds(1))
		if !sure {
			return "", false
		}
		if keys >= 2 {
			return seconds, true
		}
	}
	return "", false
}

// keys counts the key frames up to a time. sure is false if the first packet is not
// a key frame or is shown later, if a packet is damaged, or if one has no display
// time of its own.
func (p *packets) keys(until float64) (n int, sure bool) {
	times := map[string]bool{}
	for i, one := range p.List {
		shown, err := strconv.ParseFloat(one.Shown, 64)
		key := strings.HasPrefix(one.Flags, "K")
		if err != nil || times[one.Shown] || strings.ContainsAny(one.Flags, "CD") || i == 0 && (!key || shown > until) {
			return 0, false
		}
		times[one.Shown] = true
		if key && shown <= until {
			n++
		}
	}
	return n, true
}
