package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxSearched is the most files of one directory that are checked.
const maxSearched = 20_000

// Find looks for the file of an input. It looks first for its recorded name in each
// directory, then for its size and checksum among all their files. It does not
// search subdirectories. It returns "" if there is no such file.
func Find(in Input, dirs []string) string {
	for _, dir := range dirs {
		if path := filepath.Join(dir, in.Name); in.Name != "" && matches(path, in) {
			return path
		}
	}
	for _, dir := range dirs {
		d, err := os.Open(dir)
		if err != nil {
			continue
		}
		entries, _ := d.ReadDir(maxSearched)
		d.Close()
		for _, e := range entries {
			if e.Type()&fs.ModeDir != 0 {
				continue
			}
			if path := filepath.Join(dir, e.Name()); matches(path, in) {
				return path
			}
		}
	}
	return ""
}

// matches compares the size before reading the whole file.
func matches(path string, in Input) bool {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() || st.Size() != in.Bytes {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return false
	}
	return hex.EncodeToString(sum.Sum(nil)) == in.SHA256
}
