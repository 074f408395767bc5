package film

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// TestArchive: a shot packed is the same frames with the same sum as the shot
// in its folder, and packing twice gives the same bytes.
func TestArchive(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	writeFrames(t, dir, 1, 12)
	whole, err := OpenNumbered(dir, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	var files [2][]byte
	name := filepath.Join(dir, "shot.tar")
	for i := range files {
		c := NewCursor(whole)
		if err := PackShot(ctx, name, c, Shot{3, 7}); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if files[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("packed twice, the bytes differ")
	}
	for _, c := range []struct {
		sel  Selection
		want []int
	}{
		{Selection{}, []int{4, 5, 6, 7, 8}},
		{Selection{From: 1, To: 4, Every: 2}, []int{5, 7}},
	} {
		shot, err := OpenArchive(name, c.sel)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, shot, 0); !slices.Equal(got, c.want) {
			t.Errorf("%+v: frames %v, want %v", c.sel, got, c.want)
		}
		same, err := OpenNumbered(dir, Selection{From: 3 + c.sel.From, To: 8 - 1 + c.sel.From, Every: c.sel.Every})
		if err != nil {
			t.Fatal(err)
		}
		if c.sel.To == 0 {
			same, _ = OpenNumbered(dir, Selection{From: 3, To: 8})
		}
		a, errA := shot.Sum(ctx)
		b, errB := same.Sum(ctx)
		if errA != nil || errB != nil || a != b {
			t.Errorf("%+v: the sums differ (%v, %v)", c.sel, errA, errB)
		}
	}
}

// TestArchiveOfAFilm: what comes out of the archive of a film is what the film
// gives, to the bit.
func TestArchiveOfAFilm(t *testing.T) {
	found := tools(t)
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, "film.mp4")
	makeFilm(t, Target{Path: path, W: 64, H: 48, Rate: Rate{25, 1}}, 9)
	f, err := found.OpenFilm(ctx, path, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "shot.tar")
	c := NewCursor(f)
	defer c.Close()
	if err := PackShot(ctx, name, c, Shot{2, 6}); err != nil {
		t.Fatal(err)
	}
	shot, err := OpenArchive(name, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if shot.Info().Frames != 5 || shot.Info().Film {
		t.Errorf("the shot is %+v", shot.Info())
	}
	packed := NewCursor(shot)
	defer packed.Close()
	for _, n := range []int{0, 4, 2} { // back as well
		a, errA := packed.Frame(ctx, n)
		b, errB := c.Frame(ctx, n+2)
		if errA != nil || errB != nil || !slices.Equal(a.Pix, b.Pix) {
			t.Errorf("frame %d differs (%v, %v)", n, errA, errB)
		}
	}
	if _, err := packed.Frame(ctx, 5); err == nil || !strings.Contains(err.Error(), "ends before frame 6") {
		t.Errorf("after the last: %v", err)
	}
}

// TestUnpack: only what is wanted comes out, and nothing beside the folder.
func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "a.tar")
	var file bytes.Buffer
	w := tar.NewWriter(&file)
	for _, name := range []string{"good.txt", "../out.txt", "deeper/in.txt", "/abs.txt", `..\win.txt`, "other.txt"} {
		if err := packText(w, name, 2, strings.NewReader("hi")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(dir, "into")
	if err := os.Mkdir(into, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Unpack(context.Background(), archive, into, func(name string) bool { return name != "other.txt" }); err != nil {
		t.Fatal(err)
	}
	var names []string
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			names = append(names, path)
		}
		return nil
	})
	if want := []string{archive, filepath.Join(into, "good.txt")}; !slices.Equal(names, want) {
		t.Errorf("there are %v, want %v", names, want)
	}
}

func TestBadArchives(t *testing.T) {
	dir := t.TempDir()
	writeFrames(t, dir, 1, 3)
	s, err := OpenNumbered(dir, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(dir, "good.tar")
	if err := PackShot(context.Background(), good, NewCursor(s), Shot{0, 2}); err != nil {
		t.Fatal(err)
	}
	bytesOf, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var empty bytes.Buffer
	if err := tar.NewWriter(&empty).Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none.tar"), "does not exist"},
		{write("cut.tar", bytesOf[:len(bytesOf)/2]), "no archive of pictures"},
		{write("noise.tar", bytes.Repeat([]byte("no tar "), 200)), "no archive of pictures"},
		{write("empty.tar", empty.Bytes()), "no picture is called"},
		{dir + "/dir.tar", "cannot be read"},
	} {
		if strings.HasSuffix(c.path, "dir.tar") {
			if err := os.Mkdir(c.path, 0o777); err != nil {
				t.Fatal(err)
			}
			c.want = "no archive of pictures"
		}
		if _, err := OpenArchive(c.path, Selection{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", filepath.Base(c.path), err, c.want)
		}
	}
	if _, err := OpenArchive(good, Selection{From: 7}); err == nil || !strings.Contains(err.Error(), "is from 7 on; it has 3") {
		t.Errorf("after the end: %v", err)
	}
}

// FuzzOpenArchive: whatever the file holds, it is opened or refused.
func FuzzOpenArchive(f *testing.F) {
	var file bytes.Buffer
	w := tar.NewWriter(&file)
	var png bytes.Buffer
	if err := picture.Encode(&png, numberedFrame(3, 2, 1, 0), picture.PNG, picture.WriteOptions{}); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"frame_1.png", "frame_2.png"} {
		if err := packText(w, name, int64(png.Len()), bytes.NewReader(png.Bytes())); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:700])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "a.tar")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := OpenArchive(path, Selection{})
		if err != nil {
			return
		}
		if i := s.Info(); i.Frames < 1 || i.W < 1 || i.H < 1 {
			t.Errorf("opened as %+v", i)
		}
		if _, err := s.Sum(context.Background()); err != nil {
			t.Errorf("opened, but it has no sum: %v", err)
		}
	})
}
