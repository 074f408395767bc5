package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/ui"
)

// TestShotGoesOnElsewhere: a worker that is stopped within a shot leaves a
// checkpoint from which another, on a machine of its own, goes on to the same
// bytes without painting a frame twice.
func TestShotGoesOnElsewhere(t *testing.T) {
	env := job.NewEnv("test")
	env.PackEvery = time.Nanosecond
	dir := t.TempDir()
	if err := makeFiles(dir); err != nil {
		t.Fatal(err)
	}
	const frames = 6
	var files []string
	for i := range frames {
		files = append(files, filepath.Join(dir, fmt.Sprintf("f%d.png", i)))
		if err := os.WriteFile(files[i], encodePNG(drawing(48, 32, i/5)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	shot := filepath.Join(dir, "shot.tar")
	if err := film.Pack(context.Background(), shot, files...); err != nil {
		t.Fatal(err)
	}

	// do has one worker paint in a folder, until stop of a frame's number is
	// true, and returns the numbers of the frames it worked at.
	do := func(folder string, stop func(frame int) bool, more ...string) (painted []int, err error) {
		output := filepath.Join(folder, "shot-painted.tar")
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		doer := &job.Runner{Device: "cpu", Env: env}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		task := &farm.Task{Dir: folder, Attempt: 1, Inputs: []string{shot, filepath.Join(dir, "painting.png")},
			Steps:        [][]string{append(append([]string{"video"}, more...), "--size=32", "--iterations=3", "--weights=mini", "--cut=off", "--output="+output, "--", shot, filepath.Join(dir, "painting.png"))},
			Checkpointed: func(string) {},
			Progress: func(_ float64, text string) {
				var frame, of int
				if n, _ := fmt.Sscanf(text, "frame %d/%d,", &frame, &of); n != 2 || of != frames {
					t.Errorf("progress %q", text)
				}
				if !slices.Contains(painted, frame) {
					painted = append(painted, frame)
				}
				if stop(frame) {
					cancel()
				}
			}}
		return painted, doer.Do(ctx, task)
	}
	never := func(int) bool { return false }
	if painted, err := do(filepath.Join(dir, "quiet"), never); err != nil || len(painted) != frames {
		t.Fatalf("undisturbed: frames %v, %v", painted, err)
	}

	painted, err := do(filepath.Join(dir, "first"), func(frame int) bool { return frame == 4 })
	if !errors.Is(err, context.Canceled) || !slices.Equal(painted, []int{1, 2, 3, 4}) {
		t.Fatalf("stopped: frames %v, %v", painted, err)
	}
	checkpoint, err := os.ReadFile(filepath.Join(dir, "first", "shot-painted.tar.checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(dir, "second")
	if err := os.Mkdir(second, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(second, "shot-painted.tar.checkpoint"), checkpoint, 0o666); err != nil {
		t.Fatal(err)
	}
	if painted, err := do(second, never); err != nil || !slices.Equal(painted, []int{4, 5, 6}) {
		t.Errorf("gone on: frames %v, %v", painted, err)
	}
	sums := map[string][]byte{}
	for _, folder := range []string{"quiet", "second"} {
		if sums[folder], err = os.ReadFile(filepath.Join(dir, folder, "shot-painted.tar")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(sums["quiet"], sums["second"]) {
		t.Error("the painted frames are others than those of a quiet run")
	}

	// nobody goes on in another precision: all frames are painted anew
	t.Setenv("IMPASTO_SIMD", "generic")
	half := filepath.Join(dir, "half")
	if err := os.Mkdir(half, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "shot-painted.tar.checkpoint"), checkpoint, 0o666); err != nil {
		t.Fatal(err)
	}
	if painted, err := do(half, func(frame int) bool { return frame == 2 }, "--precision=half"); !errors.Is(err, context.Canceled) || !slices.Equal(painted, []int{1, 2}) {
		t.Errorf("in half precision: frames %v, %v", painted, err)
	}

	// and frames of another film are refused, whatever painted them
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "shot-painted.tar.checkpoint"), checkpoint, 0o666); err != nil {
		t.Fatal(err)
	}
	if painted, err := do(other, never, "--precision=half", "--seed=2"); err == nil || len(painted) > 0 {
		t.Errorf("another film: frames %v, %v", painted, err)
	}
	t.Setenv("IMPASTO_SIMD", "")

	// a damaged checkpoint costs time, not the film
	third := filepath.Join(dir, "third")
	if err := os.Mkdir(third, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(third, "shot-painted.tar.checkpoint"), checkpoint[:len(checkpoint)/3], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := do(third, never); err != nil {
		t.Errorf("a damaged checkpoint: %v", err)
	}
}

// counting is a Doer that looks first how many shots lie packed.
type counting struct {
	farm.Doer
	pattern string
	most    int
}

func (d *counting) Do(ctx context.Context, t *farm.Task) error {
	packed, _ := filepath.Glob(d.pattern)
	d.most = max(d.most, len(packed))
	return d.Doer.Do(ctx, t)
}

// TestFilmIsPackedAhead: shots are submitted as they are packed, and no more
// lie about than there is room for. Painted ones leave the queue with their files.
func TestFilmIsPackedAhead(t *testing.T) {
	t.Run("here", func(t *testing.T) { filmIsPackedAhead(t, false) })
	t.Run("elsewhere", func(t *testing.T) { filmIsPackedAhead(t, true) })
}

// filmIsPackedAhead has a film painted by the workers of a store, or of a server
// that sees none of the submitter's files.
func filmIsPackedAhead(t *testing.T, elsewhere bool) {
	t.Setenv("IMPASTO_STATE", t.TempDir())
	defer func(room int64) { batch.PackedAhead = room }(batch.PackedAhead)
	batch.PackedAhead = 1 // a shot is packed where there is none
	dir := t.TempDir()
	if err := makeFiles(dir); err != nil {
		t.Fatal(err)
	}
	const shots = 5
	frames := filepath.Join(dir, "frames")
	if err := os.Mkdir(frames, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * shots {
		img := image.NewNRGBA(image.Rect(0, 0, 40, 32))
		draw.Draw(img, img.Rect, image.NewUniform(color.NRGBA{uint8(i / 2 % 2 * 255), uint8(i / 2 * 50), 90, 255}), image.Point{}, draw.Src)
		if err := os.WriteFile(filepath.Join(frames, fmt.Sprintf("f%02d.png", i)), encodePNG(img), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	store := filepath.Join(dir, "queue")
	q, err := farm.Open(t.Context(), farm.Options{Store: store, Listen: "127.0.0.1:0", Who: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	left := 0 // files in the queue when the film is painted
	place := store
	if elsewhere {
		if place, err = farm.Reach(store); err != nil {
			t.Fatal(err)
		}
		left = 1 // the painting
	}
	doer := &job.Runner{Device: "cpu", Env: job.NewEnv("test")}
	out := filepath.Join(dir, "painted")
	count := &counting{Doer: doer, pattern: filepath.Join(out, "shots", "frames_*.tar")}
	w := &farm.Worker{Queue: q, Doer: count, Class: farm.ClassCPU, Dir: filepath.Join(dir, "worker")}
	drain, ended := make(chan struct{}), make(chan error)
	go func() { ended <- w.Run(t.Context(), drain) }()
	var stdout, stderr bytes.Buffer
	code := run([]string{"impasto", "video", frames, filepath.Join(dir, "painting.png"), "-s", "32", "-n", "2", "--weights", "mini",
		"-o", out + "/", "--submit", "--queue", place}, nil, &stdout, &stderr)
	close(drain)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	told := stderr.String()
	if code != ui.ExitOK || !strings.Contains(told, "10 frames in 5 shots, 5 to paint") || !strings.Contains(told, "5/5 done") ||
		!strings.Contains(told, "10 frames, 10 painted now") {
		t.Errorf("exit %d\n%s", code, told)
	}
	if count.most != 1 {
		t.Errorf("%d shots lay packed at a time", count.most)
	}
	if _, err := os.Stat(filepath.Join(out, "shots")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of the shots is left: %v", err)
	}
	if jobs, err := q.List(t.Context(), farm.Filter{}); err != nil || len(jobs) > 0 {
		t.Errorf("%d jobs are left, %v", len(jobs), err)
	}
	if blobs, err := q.Blobs().List(t.Context()); err != nil || len(blobs) != left {
		t.Errorf("%d files are left in the queue, want %d, %v", len(blobs), left, err)
	}
}
