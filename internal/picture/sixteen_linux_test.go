package picture

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// TestSixteenThousand writes and reads 16384x16384 pixels of 16 bits and tells
// what was held at most beside the picture's own 3.2 GB. It takes minutes and
// is run by hand: IMPASTO_LARGE=1 go test ./internal/picture -run Sixteen -v
func TestSixteenThousand(t *testing.T) {
	if os.Getenv("IMPASTO_LARGE") == "" {
		t.Skip("IMPASTO_LARGE is not set")
	}
	const side = 1 << 14
	debug.SetGCPercent(10)
	peak := func() int64 {
		debug.FreeOSMemory()
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(string(status), "VmHWM:")
		kb, err := strconv.ParseInt(strings.Fields(line)[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // begin anew
			t.Log(err)
		}
		return kb / 1000
	}
	dir := t.TempDir()
	for _, name := range []string{"large.tif", "large.png"} {
		path := filepath.Join(dir, name)
		p := New(side, side)
		parallelRows(side, func(y int) {
			for x := range 3 * side {
				p.Pix[y*3*side+x] = float32((x/3+y)%4096) / 4096
			}
		})
		peak()
		if err := Save(path, p, WriteOptions{Depth: 16, Fast: true}); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: writing held %d MB at most, the file has %d MB", name, peak(), st.Size()/1e6)
		p = nil
		peak()
		q, _, err := Read(path, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: reading held %d MB at most", name, peak())
		for _, at := range []int{0, 12345, side*side - 1} {
			if want := float32((at%side+at/side)%4096) / 4096; q.Pix[3*at] < want-1e-5 || q.Pix[3*at] > want+1e-5 {
				t.Errorf("%s: pixel %d is %g, want %g", name, at, q.Pix[3*at], want)
			}
		}
		q = nil
		os.Remove(path)
	}
}
