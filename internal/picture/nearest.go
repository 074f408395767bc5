package picture

import (
	"os"
	"path/filepath"

	"github.com/impasto/impasto/internal/wording"
)

// nearest returns the path of the file beside the missing one whose name is
// closest to it, if one is close.
func nearest(path string) string {
	dir, want := filepath.Split(path)
	list, err := os.ReadDir(filepath.Clean(dir)) // of "", which is here, too
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range list {
		if !e.IsDir() && len(e.Name()) <= 255 {
			names = append(names, e.Name())
		}
	}
	if best := wording.Nearest(want, names); best != "" {
		return dir + best
	}
	return ""
}
