//go:build !noserver

package farm

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestIsStore: a folder is a queue's from its first opening on, also where its
// lock file was deleted; others are not, nor are they made to look.
func TestIsStore(t *testing.T) {
	dir := t.TempDir()
	store, other := filepath.Join(dir, "store"), filepath.Join(dir, "other")
	if IsStore(store) {
		t.Error("a folder that does not exist is a store")
	}
	q, err := Open(context.Background(), Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	if err := os.Remove(filepath.Join(store, lockFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if !IsStore(store) || IsStore(other) {
		t.Errorf("a store is one: %v, another folder: %v", IsStore(store), IsStore(other))
	}
	if got := StoresIn(dir); !slices.Equal(got, []string{"store"}) {
		t.Errorf("the stores are %q", got)
	}
}
