package main

import (
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func samplesCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "samples",
		Category:  categorySetup,
		Usage:     "write the sample pictures and the maps of their regions",
		ArgsUsage: "[DIRECTORY]",
		Flags: append([]cli.Flag{
			textFlag("size", "s", settings.GroupScale, "SIZE", "size of the pictures, or their long side (default: 576x384)"),
			textFlag("overwrite", "", settings.GroupOutput, "HOW", "if a file exists: fail (-n), replace (-y), number or skip"),
			&cli.BoolFlag{Name: "y", Usage: "replace files that exist", Hidden: true},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return samples(s, c) },
	})
}

// sampleFile is a picture or a map that samples writes.
type sampleFile struct {
	name string
	draw func() (*image.NRGBA, error)
	path string // "" for one that is left alone
}

func samples(s *session, c *cli.Context) error {
	var bad ui.Faults
	dir := "impasto-samples"
	if c.NArg() > 0 {
		dir = ui.Home(c.Args().First())
	}
	if c.NArg() > 1 {
		bad.Add(ui.UsageFault(fmt.Sprintf("samples takes one directory, got %d", c.NArg()), "impasto samples "+dir))
	}
	w, h, err := sampleSize(flagText(c, "size"))
	bad.Add(err)
	how := either(flagText(c, "overwrite"), "fail")
	if c.Bool("y") {
		how = "replace"
	}
	rule, err := picture.ParseOverwrite(how)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	if err := render.MakeDirectory(dir); err != nil {
		return err
	}
	files, err := sampleFiles(dir, w, h, rule)
	if err != nil {
		return err
	}
	var paths []string
	for _, f := range files {
		if f.path == "" {
			continue
		}
		if err := f.write(); err != nil {
			return err
		}
		paths = append(paths, f.path)
		if !s.json {
			if err := ui.PrintResult(s.stdout, f.path); err != nil {
				return err
			}
		}
	}
	if s.json {
		return writeJSON(s.stdout, map[string]any{"type": "result", "outputs": paths})
	}
	return nil
}

// sampleSize returns the size that --size asks for.
func sampleSize(text string) (w, h int, err error) {
	if text == "" {
		return render.SampleW, render.SampleH, nil
	}
	size, err := picture.ParseSize(text)
	if err == nil {
		w, h, err = size.Resolve(render.SampleW, render.SampleH)
	}
	if err != nil {
		f := ui.FaultsOf(err)[0]
		f.Exit = ui.ExitUsage
		return 0, 0, f
	}
	return w, h, nil
}

// sampleFiles chooses the names of all files, so that nothing is written if one
// of them is refused.
func sampleFiles(dir string, w, h int, rule picture.Overwrite) (files []sampleFile, err error) {
	for _, i := range sample.Names() {
		name := i.Name
		files = append(files,
			sampleFile{name + ".png", func() (*image.NRGBA, error) { return sample.Draw(name, w, h) }, ""},
			sampleFile{name + maps.Suffix + ".png", func() (*image.NRGBA, error) { m, _, err := sample.Map(name, w, h); return m, err }, ""})
	}
	var bad ui.Faults
	for i := range files {
		path, skip, err := picture.Destination(filepath.Join(dir, files[i].name), rule)
		bad.Add(err)
		if files[i].path = path; skip {
			files[i].path = ""
		}
	}
	return files, bad.Err()
}

// write draws and saves a picture, and for a map the legend beside it.
func (f sampleFile) write() error {
	img, err := f.draw()
	if err != nil {
		return ui.UsageFault(err.Error(), "--size 576x384")
	}
	if err := picture.Save(f.path, picture.FromImage(img), picture.WriteOptions{}); err != nil {
		return err
	}
	if name, isMap := strings.CutSuffix(f.name, maps.Suffix+".png"); isMap {
		return writeLegend(name, f.path)
	}
	return nil
}

// writeLegend writes the names of a sample's regions beside its map.
func writeLegend(name, path string) error {
	m, _, err := render.SampleMap(name)
	if err != nil {
		return err
	}
	return picture.WriteFile(maps.LegendPath(path), func(w io.Writer) error {
		_, err := io.WriteString(w, m.Legend())
		return err
	})
}
