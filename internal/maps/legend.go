package maps

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/picture"
)

// Suffix ends the name of a map's file before its extension: photo_sem.png belongs
// to photo.jpg, as in neural-doodle.
const Suffix = "_sem"

// MapPath returns the path at which the map of a picture is looked for.
func MapPath(path string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + Suffix + ".png"
}

// PicturePath returns the picture beside a map. It is "" if the map's name does not
// follow MapPath or no such picture exists.
func PicturePath(path string) string {
	stem, ok := strings.CutSuffix(strings.TrimSuffix(path, filepath.Ext(path)), Suffix)
	if !ok {
		return ""
	}
	for _, ext := range []string{".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"} {
		if st, err := os.Stat(stem + ext); err == nil && !st.IsDir() {
			return stem + ext
		}
	}
	return ""
}

// LegendPath returns the path of the legend beside a map: photo_sem.txt for
// photo_sem.png. A legend names regions, one on each line, such as "#0080ff sky".
// Empty lines and lines that begin with ; are ignored.
func LegendPath(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".txt" }

// readLegend names the regions from a file. A missing file is no error.
func (m *Map) readLegend(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return inputError("legend", "legend %q cannot be read", path)
	}
	defer f.Close()
	return m.ReadLegend(f, path)
}

// ReadLegend names the regions whose colours are in the lines of r. It ignores
// colours that the map does not have, because one legend may serve several maps.
func (m *Map) ReadLegend(r io.Reader, name string) error {
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || text[0] == ';' {
			continue
		}
		word, called, _ := strings.Cut(text, " ")
		called = strings.TrimSpace(called)
		c, err := ParseColour(word)
		if err != nil || called == "" || strings.ContainsAny(called, "\t=,#") {
			return inputError("legend", "%s:%d: %q is not a colour and a name, such as #0080ff sky", name, n, text)
		}
		for i := range m.Regions {
			if Distance(m.Regions[i].Colour, c) <= Near/2 {
				m.Regions[i].Name = called
			}
		}
	}
	if lines.Err() != nil {
		return inputError("legend", "legend %q is not a text of short lines", name)
	}
	return nil
}

// Legend returns the text of a legend, or "" if no region has a name.
func (m *Map) Legend() string {
	var b strings.Builder
	for _, r := range m.Regions {
		if r.Name != "" {
			fmt.Fprintf(&b, "%s %s\n", Hex(r.Colour), r.Name)
		}
	}
	return b.String()
}

// Save writes the map as PNG, and its legend beside it if a region has a name.
func (m *Map) Save(path string) error {
	data, err := m.Encode()
	if err != nil {
		return err
	}
	write := func(path string, data []byte) error {
		return picture.WriteFile(path, func(w io.Writer) error { _, err := w.Write(data); return err })
	}
	if err := write(path, data); err != nil {
		return err
	}
	if text := m.Legend(); text != "" {
		return write(LegendPath(path), []byte(text))
	}
	return nil
}

// CheckOutput refuses a file name whose format would blend a map's colours.
func CheckOutput(path string) error {
	f, err := picture.FormatOf(path)
	if err != nil {
		return err
	}
	if f != picture.PNG {
		return inputError("format", "%q: maps are written as PNG; %s would not keep their colours apart in every program", path, f).
			Hint("-o %s", picture.ShellWord(strings.TrimSuffix(path, filepath.Ext(path))+".png"))
	}
	return nil
}
