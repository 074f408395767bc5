package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
)

// filmStudio is a folder with the command as "impasto" and a film of two shots
// with sound, 20 frames at 10 a second, 48x36.
func filmStudio(t *testing.T) (dir string, run func(args ...string) (stdout, stderr string, err error)) {
	t.Helper()
	tools := film.Find()
	if !tools.OK() {
		t.Skip("SKIPPED: needs ffmpeg and ffprobe (apt-get install ffmpeg)")
	}
	dir = t.TempDir()
	if err := makeFiles(dir); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tools.FFmpeg, "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=duration=1:size=48x36:rate=10",
		"-f", "lavfi", "-i", "color=c=0x883311:duration=1:size=48x36:rate=10", "-f", "lavfi", "-i", "sine=frequency=300:duration=2",
		"-filter_complex", "[0:v][1:v]concat=n=2:v=1:a=0", "-c:a", "aac", filepath.Join(dir, "film.mp4")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program := theCommand(t)
	return dir, func(args ...string) (string, string, error) {
		c := exec.Command(program, args...)
		c.Dir = dir
		var stdout, stderr bytes.Buffer
		c.Stdout, c.Stderr = &stdout, &stderr
		err := c.Run()
		return stdout.String(), stderr.String(), err
	}
}

var quickFilm = []string{"video", "film.mp4", "painting.png", "-s", "33x25", "-n", "2", "--weights", "mini"}

// TestFilmToFilm: the film comes out with its length, rate and sound, and
// nothing else is left.
func TestFilmToFilm(t *testing.T) {
	t.Parallel()
	dir, run := filmStudio(t)
	stdout, stderr, err := run(append(quickFilm, "-o", "{content}_{style}.mp4", "--json", "-q")...)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	var o render.FilmResult
	if err := json.Unmarshal([]byte(stdout), &o); err != nil {
		t.Fatal(err)
	}
	if o.Output != "film_painting.mp4" || o.Frames != 20 || o.Painted != 20 || o.Shots != 2 || o.W != 33 || o.H != 25 || o.Flicker == nil {
		t.Errorf("result %+v", o)
	}
	info, err := film.Find().Probe(context.Background(), filepath.Join(dir, o.Output))
	if err != nil {
		t.Fatal(err)
	}
	if info.W != 34 || info.H != 26 || info.Frames != 20 || info.Rate != (film.Rate{Num: 10, Den: 1}) || info.Sound != "aac" {
		t.Errorf("the film is %+v", info)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*frames*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	if _, stderr, err = run(append(quickFilm, "-o", o.Output)...); err == nil || !strings.Contains(stderr, `"film_painting.mp4" exists`) {
		t.Errorf("an existing film: %v\n%s", err, stderr)
	}
	if _, stderr, err = run(append(quickFilm, "-o", "film.mp4", "-y")...); err == nil || !strings.Contains(stderr, "is also the film that is painted") {
		t.Errorf("over its own input: %v\n%s", err, stderr)
	}

	// a part of it, every other frame, its frames kept
	_, stderr, err = run(append(quickFilm, "-o", "part.mkv", "--from", "0.5", "--to", "1.3", "--every", "2", "--keep-frames", "--frames", "cels", "--codec", "ffv1")...)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	info, err = film.Find().Probe(context.Background(), filepath.Join(dir, "part.mkv"))
	if err != nil || info.Frames < 4 || info.Rate != (film.Rate{Num: 5, Den: 1}) || info.Sound != "aac" {
		t.Errorf("the part is %+v (%v)", info, err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "cels", "frame_*.png")); len(names) != 4 {
		t.Errorf("frames kept: %v", names)
	}
}

// TestKilledFilmGoesOn: killed without warning after some frames and begun
// again, the frames are those of a run that was left alone, and those painted
// before were not painted again.
func TestKilledFilmGoesOn(t *testing.T) {
	t.Parallel()
	dir, run := filmStudio(t)
	frames := append(quickFilm[:len(quickFilm):len(quickFilm)], "-o", "quiet/")
	if _, stderr, err := run(frames...); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	frames[len(frames)-1] = "killed/"
	for _, at := range []int{3, 12} {
		c := exec.Command(theCommand(t), frames...)
		c.Dir = dir
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		wanted := filepath.Join(dir, "killed", fmt.Sprintf("frame_%05d.png", at))
		waitFor(t, func() bool { _, err := os.Stat(wanted); return err == nil })
		_ = c.Process.Kill()
		_ = c.Wait() // killed, or done before
	}
	first := filepath.Join(dir, "killed", fmt.Sprintf("frame_%05d.png", 1))
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, stderr, err := run(frames...); err != nil || !strings.Contains(stderr, "frames are painted already") {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if after, err := os.Stat(first); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Error("the first frame was painted again")
	}
	for n := range 20 {
		var both [2][]byte
		for i, folder := range []string{"quiet", "killed"} {
			if both[i], err = os.ReadFile(filepath.Join(dir, folder, fmt.Sprintf("frame_%05d.png", n+1))); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(both[0], both[1]) {
			t.Errorf("frame %d is another after killing", n+1)
		}
	}
}

// TestInterruptedFilm: Ctrl-C ends with the frames so far and how to go on.
func TestInterruptedFilm(t *testing.T) {
	t.Parallel()
	dir, run := filmStudio(t)
	words := append(quickFilm[:len(quickFilm):len(quickFilm)], "-n", "1000000", "--plateau", "0", "--next-iterations", "1", "-o", "out.mp4")
	c := exec.Command(theCommand(t), words...)
	c.Dir = dir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "out.mp4.frames", "impasto-video.json"))
		return err == nil
	})
	_ = c.Process.Signal(syscall.SIGINT)
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != ui.ExitInterrupted {
		t.Errorf("exit %d\n%s", code, stderr.String())
	}
	if said := stderr.String(); !strings.Contains(said, `of 20 frames, which are kept in "out.mp4.frames"`) || !strings.Contains(said, "try: impasto video film.mp4 painting.png") {
		t.Errorf("it says\n%s", said)
	}
	if _, err := os.Stat(filepath.Join(dir, "out.mp4")); err == nil {
		t.Error("there is half a film")
	}
	words[len(quickFilm)+1] = "1" // other settings: refused, then begun anew
	if _, said, err := run(words...); err == nil || !strings.Contains(said, "are of another film: iterations is") {
		t.Errorf("%v\n%s", err, said)
	}
	if _, said, err := run(append(words, "--restart", "-q")...); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
