package render

import (
	"image"
	"io"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/ui"
)

// Samples are the files that the command samples writes.
type Samples struct {
	Folder string
	Size   string // such as 576x384, or the long side; "" for SampleW x SampleH
	Rule   string // what happens if a file exists: fail, replace, number or skip
}

// sampleOutput is a picture or a map to write.
type sampleOutput struct {
	name string
	draw func() (*image.NRGBA, error)
	path string
}

// Write draws and saves the pictures and maps of all samples, and calls written
// after each. It checks all files first, and writes nothing if one is refused.
func (s Samples) Write(written func(path string) error) error {
	var bad ui.Faults
	w, h, err := sampleSize(s.Size)
	bad.Add(err)
	rule, err := picture.ParseOverwrite(s.Rule)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	if err := MakeDirectory(s.Folder); err != nil {
		return err
	}
	files, err := s.files(w, h, rule)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := f.write(); err != nil {
			return err
		}
		if err := written(f.path); err != nil {
			return err
		}
	}
	return nil
}

// sampleSize reads a size of samples.
func sampleSize(text string) (w, h int, err error) {
	if text == "" {
		return SampleW, SampleH, nil
	}
	size, err := picture.ParseSize(text)
	if err == nil {
		w, h, err = size.Resolve(SampleW, SampleH)
	}
	if err != nil {
		f := ui.FaultsOf(err)[0]
		f.Exit = ui.ExitUsage
		return 0, 0, f
	}
	return w, h, nil
}

// files chooses the names of the files to write.
func (s Samples) files(w, h int, rule picture.Overwrite) (files []sampleOutput, err error) {
	var bad ui.Faults
	add := func(name string, draw func() (*image.NRGBA, error)) {
		path, skip, err := picture.Destination(filepath.Join(s.Folder, name), rule)
		bad.Add(err)
		if !skip {
			files = append(files, sampleOutput{name, draw, path})
		}
	}
	for _, i := range sample.Names() {
		add(i.Name+".png", func() (*image.NRGBA, error) { return sample.Draw(i.Name, w, h) })
		add(i.Name+maps.Suffix+".png", func() (*image.NRGBA, error) { m, _, err := sample.Map(i.Name, w, h); return m, err })
	}
	return files, bad.Err()
}

// write draws and saves a picture, and for a map the legend beside it.
func (f sampleOutput) write() error {
	img, err := f.draw()
	if err != nil {
		return ui.UsageFault(err.Error(), "--size 576x384")
	}
	if err := picture.Save(f.path, picture.FromImage(img), picture.WriteOptions{}); err != nil {
		return err
	}
	name, isMap := strings.CutSuffix(f.name, maps.Suffix+".png")
	if !isMap {
		return nil
	}
	m, _, err := SampleMap(name)
	if err != nil {
		return err
	}
	return picture.WriteFile(maps.LegendPath(f.path), func(w io.Writer) error {
		_, err := io.WriteString(w, m.Legend())
		return err
	})
}
