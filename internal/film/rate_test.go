package film

import (
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestUnevenRate: a film of 20 frames a second and then of 2 is brought to its
// average, and what is shown keeps its time, from any frame on.
func TestUnevenRate(t *testing.T) {
	found := tools(t)
	path := filepath.Join(t.TempDir(), "uneven.mp4")
	// The red says how many quarters of a second had passed.
	if out, err := exec.Command(found.FFmpeg, "-loglevel", "error", "-f", "lavfi", "-i", "color=c=black:s=64x48:r=20:d=6,format=gbrp,geq=r='8*floor(4*T+0.01)':g=0:b=0",
		"-vf", "select='if(lt(t,3),1,not(mod(n,10)))'", "-fps_mode", "vfr", "-pix_fmt", "yuv444p", "-crf", "1", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, err := found.OpenFilm(t.Context(), path, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	rate := s.Info().Rate.Float()
	if rate < 10 || rate > 15 { // 66 frames in some 6 s, less as ffprobe counts the end
		t.Errorf("the rate is %v", rate)
	}
	frames := readAll(t, s, 0)
	for i, shown := range frames {
		at := float64(i) / rate
		step := 0.05 // since a frame began
		if at > 2.9 {
			step = 0.5
		}
		slack := 0.5/rate + 0.01 // ffmpeg takes the nearest
		if least, most := math.Floor(4*(at-step-slack)), math.Floor(4*(at+slack)); float64(shown) < least || float64(shown) > most {
			t.Errorf("frame %d, at %.2f s, shows quarter %d, want %v to %v", i, at, shown, least, most)
		}
	}
	if length := float64(len(frames)) / rate; length < 5.4 || length > 6.1 {
		t.Errorf("%d frames last %.2f s", len(frames), length)
	}
	if later := readAll(t, s, 40); !slices.Equal(later, frames[40:]) {
		t.Errorf("from frame 40 on: %v, want %v", later, frames[40:])
	}
}
