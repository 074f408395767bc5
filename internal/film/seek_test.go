package film

import (
	"context"
	"crypto/sha256"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// TestSeekIsExact: frames are the same to the byte with and without seeking, in
// films with B-frames, open groups of pictures, frames at uneven times, key frames
// that are no whole pictures, and timestamps that do not begin at 0.
func TestSeekIsExact(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: encodes seven films of 36 s (run without -short)")
	}
	found := tools(t)
	dir := t.TempDir()
	moving := "testsrc2=duration=36:size=64x48:rate=10"
	uneven := moving + ",select='(lt(mod(n\\,50)\\,9)+not(mod(n\\,7)))*not(between(n\\,208\\,280))'"
	for _, c := range []struct {
		name, source, flags string
		seeks               bool
	}{
		{"b-frames.mp4", moving, "-c:v libx264 -bf 3 -g 20", true},
		{"open.mkv", moving, "-c:v libx264 -x264-params bframes=3:keyint=20:open-gop=1", true},
		{"refresh.mp4", moving, "-c:v libx264 -x264-params bframes=2:keyint=20:intra-refresh=1", true},
		{"uneven.mkv", uneven, "-vsync vfr -c:v libx264 -bf 2 -g 6", true},
		{"later.mkv", moving, "-c:v libx264 -bf 3 -g 20 -output_ts_offset 7.3", true},
		{"stream.ts", moving, "-c:v libx264 -bf 3 -g 20", false},
		{"one-key.mp4", moving, "-c:v libx264 -bf 3 -g 5000", false},
	} {
		path := filepath.Join(dir, c.name)
		args := append(quiet[:len(quiet):len(quiet)], "-f", "lavfi", "-i", c.source)
		args = append(append(args, strings.Fields(c.flags)...), "-preset", "veryfast", path)
		if out, err := exec.Command(found.FFmpeg, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, out)
		}
		for _, sel := range []Selection{{}, {Rate: Rate{30000, 1001}, From: 100, To: 1050, Every: 5}} {
			s, err := found.OpenFilm(context.Background(), path, sel)
			if err != nil {
				t.Fatal(err)
			}
			f := s.(*film)
			plain := *f
			plain.info.container = ""
			want := frameSums(t, &plain, 0)
			for _, first := range []int{len(want)*5/6 + 1} {
				_, ok := f.seek(context.Background(), f.sel.From+first*f.sel.Every)
				if ok != c.seeks {
					t.Errorf("%s, %+v from %d: it is sought: %v", c.name, sel, first, ok)
				}
				got := frameSums(t, f, first)
				if len(got) != len(want)-first {
					t.Fatalf("%s, %+v from %d: %d frames, want %d", c.name, sel, first, len(got), len(want)-first)
				}
				for i, sum := range got {
					if sum != want[first+i] {
						t.Fatalf("%s, %+v from %d: frame %d is another than without seeking", c.name, sel, first, first+i)
					}
				}
			}
		}
	}
}

// frameSums reads all frames from one on.
func frameSums(t *testing.T, f *film, first int) (sums [][32]byte) {
	t.Helper()
	r, err := f.open(context.Background(), first, f.info.W, f.info.H)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		if _, err := r.Next(); err == io.EOF {
			return sums
		} else if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sha256.Sum256(r.row))
	}
}

// TestKeys: what ffprobe says of packets is used only where it is certain.
func TestKeys(t *testing.T) {
	for _, c := range []struct {
		text string // time and flags of each packet
		keys int
		sure bool
	}{
		{"", 0, true},
		{"1 K_,3 __,2 __,4 K_,9 K_", 2, true},
		{"1 __,2 K_", 0, false},      // begins within a group
		{"6 K_,7 __", 0, false},      // begins after the frame
		{"1 K_,N/A __", 0, false},    // a time is not known
		{"1 K_,2 __,2 __", 0, false}, // two at a time
		{"1 K_,2 _C", 0, false},      // damaged
		{"1 KD,2 K_", 0, false},      // not shown
	} {
		var p packets
		for _, one := range strings.Split(c.text, ",") {
			if shown, flags, ok := strings.Cut(one, " "); ok {
				p.List = append(p.List, struct {
					Shown string `json:"pts_time"`
					Flags string `json:"flags"`
				}{shown, flags})
			}
		}
		if keys, sure := p.keys(5); keys != c.keys || sure != c.sure {
			t.Errorf("%q: %d keys, %v", c.text, keys, sure)
		}
	}
}

// farSource is numbered pictures, or a film, that count what is read of them.
type farSource struct {
	isFilm       bool
	opened, read int
}

func (s *farSource) Info() Info { return Info{Film: s.isFilm} }
func (s *farSource) Read(_ context.Context, first int) (Reader, error) {
	s.opened++
	return &farReader{s, first}, nil
}
func (s *farSource) Scan(context.Context, func(*picture.Picture)) error { return nil }
func (s *farSource) Sum(context.Context) ([32]byte, error)              { return [32]byte{}, nil }

type farReader struct {
	s  *farSource
	at int
}

func (r *farReader) Next() (*picture.Picture, error) {
	r.s.read++
	p := picture.New(1, 1)
	p.Pix[0] = float32(r.at)
	r.at++
	return p, nil
}
func (r *farReader) Close() {}

// TestCursorSkips: painted frames between two that are wanted are not read where
// that costs more than to begin anew.
func TestCursorSkips(t *testing.T) {
	for _, c := range []struct {
		isFilm       bool
		opened, read int
	}{{false, 3, 5}, {true, 2, 20 + 4}} {
		s := &farSource{isFilm: c.isFilm}
		cursor := NewCursor(s)
		for _, n := range []int{0, 1, 22, 900, 901} {
			p, err := cursor.Frame(context.Background(), n)
			if err != nil || int(p.Pix[0]) != n {
				t.Fatal(strconv.Itoa(n), p, err)
			}
		}
		cursor.Close()
		if s.opened != c.opened || s.read != c.read+map[bool]int{true: 1}[c.isFilm] {
			t.Errorf("film %v: opened %d times, %d frames read", c.isFilm, s.opened, s.read)
		}
	}
}
