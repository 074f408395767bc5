package picture

import (
	"os"
	"path/filepath"
	"strings"
)

// nearest returns the path of the file beside the missing one whose name is
// closest to it, if it is close: at most a third of the letters differ.
func nearest(path string) string {
	dir, want := filepath.Split(path)
	list, err := os.ReadDir(filepath.Clean(dir)) // of "", which is here, too
	if err != nil {
		return ""
	}
	best, most := "", len(want)/3+1
	for _, e := range list {
		if e.IsDir() || len(e.Name()) > 255 {
			continue
		}
		if d := editDistance(strings.ToLower(want), strings.ToLower(e.Name())); d < most {
			best, most = e.Name(), d
		}
	}
	if best == "" {
		return ""
	}
	return dir + best
}

// editDistance counts insertions, deletions, replacements (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
