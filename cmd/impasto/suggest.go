package main

import "strings"

// nearest returns the word closest to got by edit distance (insert, delete,
// replace, swap of neighbours), or "" when none is near enough to be meant.
func nearest(got string, words []string) string {
	got = strings.ToLower(got)
	best, bestDistance := "", 0
	for _, w := range words {
		d := editDistance(got, strings.ToLower(w))
		if best == "" || d < bestDistance {
			best, bestDistance = w, d
		}
	}
	if best == "" || bestDistance > max(1, min(len(got), len(best))/3) {
		return ""
	}
	return best
}

// editDistance is the optimal string alignment distance between a and b.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	older := make([]int, len(y)+1)
	old := make([]int, len(y)+1)
	row := make([]int, len(y)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(y)]
}
