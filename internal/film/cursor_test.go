package film

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// TestCursor: one reader serves frames in order, another is opened
// to go back, and a source that has become shorter is told.
func TestCursor(t *testing.T) {
	dir := t.TempDir()
	for i := range 6 {
		p := picture.New(4, 3)
		p.Pix[0] = float32(i) / 255
		if err := picture.Save(filepath.Join(dir, fmt.Sprintf("%d.png", i)), p, picture.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	source, err := OpenNumbered(dir, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	c := NewCursor(source)
	defer c.Close()
	for _, n := range []int{0, 1, 4, 5, 2, 2, 3} {
		p, err := c.Frame(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		if got := int(p.Pix[0]*255 + 0.5); got != n {
			t.Errorf("frame %d is %d", n, got)
		}
	}
	if _, err := c.Frame(context.Background(), 6); err == nil || !strings.Contains(err.Error(), "ends before frame 7") {
		t.Errorf("got %v", err)
	}
}
