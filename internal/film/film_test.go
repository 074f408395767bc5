package film

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

func tools(t *testing.T) Tools {
	t.Helper()
	found := Find()
	if !found.OK() {
		t.Skip("SKIPPED: needs ffmpeg and ffprobe (apt-get install ffmpeg)")
	}
	return found
}

// numberedFrame says which frame it is by its colours: red in steps of 8, green
// a ramp, blue the shot.
func numberedFrame(w, h, n, blue int) *picture.Picture {
	p := picture.New(w, h)
	for i := range w * h {
		p.Pix[3*i] = float32(8*n%256) / 255
		p.Pix[3*i+1] = float32(i%w) / float32(w)
		p.Pix[3*i+2] = float32(blue) / 255
	}
	return p
}

// whichFrame reads the number back.
func whichFrame(p *picture.Picture) int {
	sum := 0.0
	for i := 0; i < len(p.Pix); i += 3 {
		sum += float64(p.Pix[i])
	}
	return int(math.Round(sum / float64(p.W*p.H) * 255 / 8))
}

// makeFilm writes n frames.
func makeFilm(t *testing.T, target Target, n int) {
	t.Helper()
	w, err := tools(t).Create(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(numberedFrame(target.W, target.H, i, 40)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, s Source, first int) (numbers []int) {
	t.Helper()
	r, err := s.Read(context.Background(), first)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		p, err := r.Next()
		if err == io.EOF {
			return numbers
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.W != s.Info().W || p.H != s.Info().H {
			t.Fatalf("a frame is %dx%d, the film %dx%d", p.W, p.H, s.Info().W, s.Info().H)
		}
		numbers = append(numbers, whichFrame(p))
	}
}

// TestThereAndBack: frames of odd size become a film, and the film's frames are
// they, in order, from any of them on.
func TestThereAndBack(t *testing.T) {
	found := tools(t)
	path := filepath.Join(t.TempDir(), "a film's name.mp4")
	makeFilm(t, Target{Path: path, W: 65, H: 49, Rate: Rate{25, 1}}, 20)
	for _, c := range []struct {
		sel   Selection
		first int
		want  []int
		rate  string
	}{
		{Selection{}, 0, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, "25"},
		{Selection{}, 17, []int{17, 18, 19}, "25"},
		{Selection{From: 5, To: 9}, 0, []int{5, 6, 7, 8}, "25"},
		{Selection{From: 5, To: 15, Every: 3}, 0, []int{5, 8, 11, 14}, "25/3"},
		{Selection{From: 5, To: 15, Every: 3}, 2, []int{11, 14}, "25/3"},
		{Selection{From: 16, To: 400}, 0, []int{16, 17, 18, 19}, "25"},
	} {
		s, err := found.OpenFilm(context.Background(), path, c.sel)
		if err != nil {
			t.Fatal(err)
		}
		if i := s.Info(); i.W != 66 || i.H != 50 || i.Rate.String() != c.rate || i.Sound != "" || i.Frames != len(c.want)+c.first {
			t.Errorf("%+v: the film is %+v", c.sel, i)
		}
		if got := readAll(t, s, c.first); !slices.Equal(got, c.want) {
			t.Errorf("%+v from %d: frames %v, want %v", c.sel, c.first, got, c.want)
		}
	}
	if _, err := found.OpenFilm(context.Background(), path, Selection{From: 30}); err == nil {
		t.Error("frames past the end are taken")
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
}

// TestColoursComeBack: through BT.709 and back a flat colour is off by little,
// which the matrix of BT.601 would not do.
func TestColoursComeBack(t *testing.T) {
	found := tools(t)
	path := filepath.Join(t.TempDir(), "flat.mp4")
	target := Target{Path: path, W: 64, H: 48, Rate: Rate{30000, 1001}}
	w, err := found.Create(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	flat := picture.New(64, 48)
	for i := range flat.Pix {
		flat.Pix[i] = []float32{0.8, 0.3, 0.1}[i%3]
	}
	for range 5 {
		if err := w.Write(flat); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := found.OpenFilm(context.Background(), path, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Info().Rate != (Rate{30000, 1001}) {
		t.Errorf("the rate is %v", s.Info().Rate)
	}
	r, err := s.Read(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range p.Pix {
		if d := math.Abs(float64(v - flat.Pix[i])); d > 3.0/255 {
			t.Fatalf("channel %d came back as %.3f, was %.3f", i%3, v, flat.Pix[i])
		}
	}
}

// TestSoundIsKept: a tone goes through, and the part of it that the frames cover.
func TestSoundIsKept(t *testing.T) {
	found := tools(t)
	dir := t.TempDir()
	in := filepath.Join(dir, "in.mkv")
	out, err := exec.Command(found.FFmpeg, append(quiet[:len(quiet):len(quiet)], "-f", "lavfi", "-i", "testsrc=duration=2:size=64x48:rate=10",
		"-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-c:v", "ffv1", "-c:a", "pcm_s16le", in)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, err := found.OpenFilm(context.Background(), in, Selection{From: 5, To: 15})
	if err != nil {
		t.Fatal(err)
	}
	i := s.Info()
	if i.Sound != "pcm_s16le" || i.Frames != 10 || i.Rate != (Rate{10, 1}) {
		t.Fatalf("the film is %+v", i)
	}
	for ext, codec := range map[string]string{".mp4": "aac", ".mkv": "aac", ".webm": "opus"} {
		path := filepath.Join(dir, "out"+ext)
		makeFilm(t, Target{Path: path, W: 64, H: 48, Rate: i.Rate, Sound: Sound{in, i.Sound, 0.5, 1}}, 10)
		text, err := output(context.Background(), found.FFprobe, "-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "csv=p=0", path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), codec) || !strings.Contains(string(text), "\n1.0") {
			t.Errorf("%s holds %q, want %s and one second", path, text, codec)
		}
	}
	path := filepath.Join(dir, "copied.mkv")
	makeFilm(t, Target{Path: path, W: 64, H: 48, Rate: i.Rate, Sound: Sound{in, i.Sound, 0, 1}}, 10)
	if s, err = found.OpenFilm(context.Background(), path, Selection{}); err != nil || s.Info().Sound != "pcm_s16le" {
		t.Errorf("sound from the beginning is not copied: %+v, %v", s.Info(), err)
	}
}

// TestTurnedFilm: a film that is stored lying is read upright.
func TestTurnedFilm(t *testing.T) {
	found := tools(t)
	dir := t.TempDir()
	plain, turned := filepath.Join(dir, "plain.mp4"), filepath.Join(dir, "turned.mp4")
	makeFilm(t, Target{Path: plain, W: 64, H: 48, Rate: Rate{25, 1}}, 3)
	out, err := exec.Command(found.FFmpeg, append(quiet[:len(quiet):len(quiet)], "-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, err := found.OpenFilm(context.Background(), turned, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Info().W != 48 || s.Info().H != 64 {
		t.Fatalf("the film is %dx%d", s.Info().W, s.Info().H)
	}
	if got := readAll(t, s, 0); len(got) != 3 {
		t.Errorf("frames %v", got)
	}
}

// TestShotsOfAFilm finds two cuts, also where frames are counted from elsewhere.
func TestShotsOfAFilm(t *testing.T) {
	found := tools(t)
	path := filepath.Join(t.TempDir(), "cuts.mkv")
	target := Target{Path: path, W: 64, H: 48, Rate: Rate{24, 1}}
	w, err := found.Create(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 18 {
		if err := w.Write(numberedFrame(64, 48, i, 40+100*(i/6))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sel  Selection
		cut  float64
		want []Shot
	}{
		{Selection{}, UsualCut, []Shot{{0, 5}, {6, 11}, {12, 17}}},
		{Selection{From: 4, To: 14}, UsualCut, []Shot{{0, 1}, {2, 7}, {8, 9}}},
		{Selection{}, 2, []Shot{{0, 17}}},
	} {
		s, err := found.OpenFilm(context.Background(), path, c.sel)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Shots(context.Background(), s, c.cut)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: shots %v (%v), want %v", c.sel, got, err, c.want)
		}
	}
}

// TestFaultsOfFfmpeg: what it says is passed on, and nothing is left behind.
func TestFaultsOfFfmpeg(t *testing.T) {
	found := tools(t)
	dir := t.TempDir()
	words := filepath.Join(dir, "words.mp4")
	if err := os.WriteFile(words, []byte("these are words\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.mkv")
	makeFilm(t, Target{Path: cut, W: 64, H: 48, Rate: Rate{25, 1}}, 30)
	for path, want := range map[string]string{
		words: "is not a film that ffmpeg can read", filepath.Join(dir, "none.mp4"): "does not exist",
	} {
		_, err := found.OpenFilm(context.Background(), path, Selection{})
		var own *Error
		if !errors.As(err, &own) || !strings.Contains(err.Error(), want) || own.ExitCode() != 4 {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, target := range []Target{
		{Path: filepath.Join(dir, "x.mp4"), W: 64, H: 48, Rate: Rate{25, 1}, Codec: "no_such_codec"},
		{Path: filepath.Join(dir, "nowhere", "x.mp4"), W: 64, H: 48, Rate: Rate{25, 1}},
	} {
		w, err := found.Create(context.Background(), target)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; err == nil && i < 500; i++ {
			err = w.Write(numberedFrame(64, 48, i, 0))
		}
		if err == nil {
			err = w.Close()
		}
		var own *Error
		if !errors.As(err, &own) || own.ExitCode() != 5 || !strings.Contains(err.Error(), "ffmpeg ended with exit status") {
			t.Errorf("%+v: %v", target, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*tmp*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestCancelled: the programs end with the context, and soon.
func TestCancelled(t *testing.T) {
	found := tools(t)
	path := filepath.Join(t.TempDir(), "a.mkv")
	makeFilm(t, Target{Path: path, W: 64, H: 48, Rate: Rate{25, 1}}, 30)
	s, err := found.OpenFilm(context.Background(), path, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := s.Read(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	w, err := found.Create(ctx, Target{Path: filepath.Join(t.TempDir(), "b.mp4"), W: 64, H: 48, Rate: Rate{25, 1}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = r.Next() // what lies in the pipe may still come
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("reading ended with %v", err)
	}
	if err := w.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("writing ended with %v", err)
	}
	r.Close()
	if _, err := s.Read(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("reading begins with %v", err)
	}
	if _, err := found.Create(ctx, Target{Path: path, W: 64, H: 48, Rate: Rate{25, 1}}); !errors.Is(err, context.Canceled) {
		t.Errorf("writing begins with %v", err)
	}
	if err := s.Scan(ctx, func(*picture.Picture) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("looking through it ends with %v", err)
	}
}

func TestWithoutFfmpeg(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("my film.mp4", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Tools{}.OpenFilm(t.Context(), "my film.mp4", Selection{})
	var own *Error
	if !errors.As(err, &own) || own.ExitCode() != 4 || own.Code() != "ffmpeg_missing" || !strings.Contains(strings.Join(own.Try(), "\n"), "ffmpeg -i 'my film.mp4' frames/%05d.png") {
		t.Errorf("got %v, %v", err, own)
	}
	_, err = Tools{}.OpenFilm(t.Context(), "none.mp4", Selection{})
	if !errors.As(err, &own) || own.Code() != "not_found" {
		t.Errorf("of a film that is not there: %v", err)
	}
}

// TestCommandIsTheFilm: the line that is printed where ffmpeg is missing makes
// the film where it is not.
func TestCommandIsTheFilm(t *testing.T) {
	found := tools(t)
	dir := t.TempDir()
	writeFrames(t, dir, 1, 6)
	path := filepath.Join(dir, "it's.mp4")
	line := Target{Path: path, W: 33, H: 24, Rate: Rate{25, 1}}.Command(filepath.Join(dir, "f%03d.png"), 1)
	if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
		t.Fatalf("%s\n%v: %s", line, err, out)
	}
	s, err := found.OpenFilm(context.Background(), path, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, s, 0); !slices.Equal(got, []int{1, 2, 3, 4, 5, 6}) || s.Info().W != 34 {
		t.Errorf("the film is %+v, frames %v", s.Info(), got)
	}
}

// writeFrames writes f001.png and so on, 33x24.
func writeFrames(t *testing.T, dir string, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := picture.Save(filepath.Join(dir, fmt.Sprintf("f%03d.png", i)), numberedFrame(33, 24, i, 40+70*(i/4)), picture.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNumberedPictures(t *testing.T) {
	dir := t.TempDir()
	writeFrames(t, dir, 2, 12)
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no frame"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, c := range map[string]struct {
		sel  Selection
		want []int
	}{
		dir:                                  {Selection{}, []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		filepath.Join(dir, "f%03d.png"):      {Selection{From: 1, To: 9, Every: 3}, []int{3, 6, 9}},
		filepath.Join(dir, "f00*.png"):       {Selection{From: 6}, []int{8, 9}},
		filepath.Join(dir, "f01[0-9]*"):      {Selection{}, []int{10, 11, 12}},
		filepath.Join(dir, "f%03d.p") + "ng": {Selection{To: 2}, []int{2, 3}},
	} {
		s, err := OpenNumbered(path, c.sel)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, s, 0); !slices.Equal(got, c.want) || s.Info().Frames != len(c.want) || s.Info().Film {
			t.Errorf("%s: frames %v of %+v, want %v", path, got, s.Info(), c.want)
		}
	}
	s, err := OpenNumbered(dir, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	shots, err := Shots(context.Background(), s, UsualCut)
	if want := []Shot{{0, 1}, {2, 5}, {6, 9}, {10, 10}}; err != nil || !slices.Equal(shots, want) {
		t.Errorf("shots %v (%v), want %v", shots, err, want)
	}
	before, err := s.Sum(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	writeFrames(t, dir, 13, 13)
	s, _ = OpenNumbered(dir, Selection{})
	if after, err := s.Sum(context.Background()); err != nil || after == before {
		t.Error("another frame leaves the sum as it was")
	}
}

func TestBadNumberedPictures(t *testing.T) {
	dir := t.TempDir()
	writeFrames(t, dir, 1, 3)
	writeFrames(t, dir, 5, 5)
	small := image.NewGray(image.Rect(0, 0, 5, 5))
	f, err := os.Create(filepath.Join(dir, "g1.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, small); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for path, want := range map[string]string{
		filepath.Join(dir, "f%03d.png"): `frame "f004.png" is missing; there are 1 to 5`,
		filepath.Join(dir, "x%03d.png"): "no picture is called",
		filepath.Join(dir, "none"):      "does not exist",
		filepath.Join(dir, "*.jpg"):     "no picture is called",
		filepath.Join(dir, "[.png"):     "is no pattern",
		filepath.Join(dir, "f001.png"):  "cannot be read",
	} {
		if _, err := OpenNumbered(path, Selection{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if _, err := OpenNumbered(dir, Selection{From: 9}); err == nil || !strings.Contains(err.Error(), "it has 5") {
		t.Errorf("got %v", err)
	}
	s, err := OpenNumbered(dir, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Scan(context.Background(), func(*picture.Picture) {}); err == nil || !strings.Contains(err.Error(), "g1.png\" is 5x5, the first one 33x24") {
		t.Errorf("got %v", err)
	}
}

func TestNamesInTheOrderOfTheirNumbers(t *testing.T) {
	got := []string{"b1", "a10", "a9", "a009b", "a09a", "a", "a1c2", "a1c10", ""}
	slices.SortFunc(got, ByNumber)
	want := []string{"", "a", "a1c2", "a1c10", "a9", "a09a", "a009b", "a10", "b1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]string{
		"25": "25", "30000/1001": "30000/1001", "29.97": "30000/1001", "23.976": "24000/1001", "59.94": "60000/1001",
		"12.5": "25/2", "50/2": "25", "30:1": "30", "0.5": "1/2", "": "", "0": "", "-1": "", "1/0": "", "abc": "",
		"90000/1": "", "NaN": "", "1e9": "", "0/0": "",
	} {
		r, err := ParseRate(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q is read as %v", text, r)
			}
			continue
		}
		if err != nil || r.String() != want {
			t.Errorf("%q is read as %v (%v), want %s", text, r, err, want)
		}
	}
	r := Rate{30000, 1001}
	if n := r.Frame(r.Seconds(12345)); n != 12345 {
		t.Errorf("frame 12345 begins when frame %d does", n)
	}
	if r.Over(2) != (Rate{15000, 1001}) || math.Abs(r.Duration(30000).Seconds()-1001) > 1e-6 {
		t.Errorf("every other: %v, 30000 frames last %v", r.Over(2), r.Duration(30000))
	}
}

func TestReadProbe(t *testing.T) {
	stream := func(more string) string {
		return `{"streams":[{"codec_type":"audio","codec_name":"aac"},{"codec_type":"video","codec_name":"mjpeg","width":600,"height":600,"r_frame_rate":"90000/1","disposition":{"attached_pic":1}},` +
			`{"codec_type":"video","width":720,"height":576,"r_frame_rate":"50/1","avg_frame_rate":"25/1","nb_frames":"100"` + more + `}],"format":{"duration":"4.0"}}`
	}
	for more, want := range map[string]Info{
		``:                                     {W: 720, H: 576, Rate: Rate{25, 1}, Frames: 100},
		`,"sample_aspect_ratio":"16:15"`:       {W: 768, H: 576, Rate: Rate{25, 1}, Frames: 100},
		`,"sample_aspect_ratio":"0:1"`:         {W: 720, H: 576, Rate: Rate{25, 1}, Frames: 100},
		`,"side_data_list":[{"rotation":-90}]`: {W: 576, H: 720, Rate: Rate{25, 1}, Frames: 100},
		`,"tags":{"rotate":"180"}`:             {W: 720, H: 576, Rate: Rate{25, 1}, Frames: 100},
		`,"nb_frames":"","duration":"2.0"`:     {W: 720, H: 576, Rate: Rate{25, 1}, Frames: 50},
		`,"nb_frames":"N/A"`:                   {W: 720, H: 576, Rate: Rate{25, 1}, Frames: 100},
		`,"avg_frame_rate":"49.9","width":50`:  {W: 50, H: 576, Rate: Rate{50, 1}, Frames: 100},
	} {
		want.Path, want.Film, want.Sound = "x", true, "aac"
		got, err := readProbe("x", []byte(stream(more)))
		if err != nil || got != want {
			t.Errorf("%s: %+v (%v), want %+v", more, got, err, want)
		}
	}
	for _, bad := range []string{"", "{}", "[]", `{"streams":[{"codec_type":"audio"}]}`, `{"streams":[{"codec_type":"video","width":-3,"height":4}]}`,
		`{"streams":[{"codec_type":"video","width":3,"height":4,"r_frame_rate":"0/0"}]}`} {
		if _, err := readProbe("x", []byte(bad)); err == nil {
			t.Errorf("%q is a film", bad)
		}
	}
}

// TestPlaylistsAreRefused: on a worker they would read its own files.
func TestPlaylistsAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, kind := range []string{"hls", "concat", "dash", "concat,other"} {
		_, err := readProbe("x.m3u8", []byte(`{"streams":[{"codec_type":"video","width":3,"height":4,"r_frame_rate":"25/1"}],"format":{"format_name":"`+kind+`"}}`))
		if err == nil || !strings.Contains(err.Error(), `"x.m3u8" is a playlist`) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := readProbe("x.mp4", []byte(`{"streams":[{"codec_type":"video","width":3,"height":4,"r_frame_rate":"25/1"}],"format":{"format_name":"mov,mp4,m4a,3gp,3g2,mj2"}}`)); err != nil {
		t.Error(err)
	}
}

func FuzzReadProbe(f *testing.F) {
	f.Add([]byte(`{"streams":[{"codec_type":"video","width":3,"height":4,"r_frame_rate":"25/1","sample_aspect_ratio":"4:3"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		i, err := readProbe("x", text)
		if err == nil && (i.W < 1 || i.H < 1 || i.Frames < 0 || !(i.Rate.Float() > 0)) {
			t.Errorf("%q is %+v", text, i)
		}
	})
}

func TestDistanceOfColours(t *testing.T) {
	flat := func(r, g, b float32) *histogram {
		p := picture.New(8, 8)
		for i := range p.Pix {
			p.Pix[i] = []float32{r, g, b}[i%3]
		}
		return colours(p)
	}
	sum := 0.0
	for _, v := range flat(0.33, 0.71, 1) {
		sum += v
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("shares sum to %g", sum)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-5 {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("equal", flat(0.3, 0.5, 0.9).distance(flat(0.3, 0.5, 0.9)), 0)
	near("black and white", flat(0, 0, 0).distance(flat(1, 1, 1)), 1)
	near("half a bin in red", flat(0, 0, 0).distance(flat(0.1, 0, 0)), 0.5)
	near("a tenth of a bin", flat(0.2, 0, 0).distance(flat(0.22, 0, 0)), 0.1)
}

func TestTailKeepsTheEnd(t *testing.T) {
	var b tail
	for i := range 3000 {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	if len(b.b) > tailBytes || b.text() != "line 2997; line 2998; line 2999" {
		t.Errorf("%d bytes, %q", len(b.b), b.text())
	}
}
