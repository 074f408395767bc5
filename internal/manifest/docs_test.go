package manifest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestDocs parses the examples of docs/batches.md, and counts their jobs.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/batches.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, "photos/c.jpg", "photos/d.jpg", "art/monet.jpg", "art/monet_sem.png", "art/starry.jpg", "art/scream.jpg", "art/a.png", "art/b.png", "maps/coast.png")
	want := []int{1 + 2*(2*2*2-2) + 1, 2, 3 + 1 + 1, 2, 2}
	found := regexp.MustCompile("(?s)```(yaml|jsonl|csv)\n(.*?)```").FindAllSubmatch(text, -1)
	if len(found) != len(want) {
		t.Fatalf("%d examples, want %d", len(found), len(want))
	}
	for i, m := range found {
		file, err := Read(filepath.Join(dir, "jobs."+string(m[1])), m[2], words())
		if err != nil || len(file.Entries) != want[i] {
			t.Errorf("example %d: %d jobs, want %d: %v", i+1, len(file.Entries), want[i], err)
		}
	}
}
