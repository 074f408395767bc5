package picture

import (
	"os"
	"path/filepath"
	"strings"
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
	if best := NearestWord(want, names); best != "" {
		return dir + best
	}
	return ""
}

// NearestWord returns the word of the list that differs from got in at most a
// third of its letters, whatever their case, or "".
func NearestWord(got string, list []string) string {
	best, most := "", len(got)/3+1
	for _, w := range list {
		if d := editDistance(strings.ToLower(got), strings.ToLower(w)); d < most {
			best, most = w, d
		}
	}
	return best
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
