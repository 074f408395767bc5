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
		Category:  categoryPaint,
		Usage:     "write the sample pictures and the maps of their regions",
		ArgsUsage: "[DIRECTORY]",
		Flags: append([]cli.Flag{
			textFlag("size", "s", settings.GroupScale, "SIZE", "576x384; or a long side"),
			textFlag("overwrite", "", settings.GroupOutput, "HOW", "if one exists: fail (-n), replace (-y), number, skip"),
			&cli.BoolFlag{Name: "y", Usage: "replace files that exist", Hidden: true},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return samples(s, c) },
	})
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
	w, h := render.SampleW, render.SampleH
	if text := flagText(c, "size"); text != "" {
		size, err := picture.ParseSize(text)
		if err == nil {
			w, h, err = size.Resolve(render.SampleW, render.SampleH)
		}
		if err != nil {
			f := ui.FaultsOf(err)[0]
			f.Exit = ui.ExitUsage
			bad.Add(f)
		}
	}
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
	type job struct {
		name string
		draw func() (*image.NRGBA, error)
		path string // "" for one that is left alone
	}
	var jobs []job
	var paths []string
	for _, i := range sample.Names() {
		name := i.Name
		jobs = append(jobs,
			job{name + ".png", func() (*image.NRGBA, error) { return sample.Draw(name, w, h) }, ""},
			job{name + "_sem.png", func() (*image.NRGBA, error) { m, _, err := sample.Map(name, w, h); return m, err }, ""})
	}
	// All names first: nothing is written if one of them is refused.
	for i := range jobs {
		path, skip, err := picture.Destination(filepath.Join(dir, jobs[i].name), rule)
		bad.Add(err)
		if jobs[i].path = path; skip {
			jobs[i].path = ""
		}
	}
	if len(bad) > 0 {
		return bad
	}
	for _, j := range jobs {
		if j.path == "" {
			continue
		}
		img, err := j.draw()
		if err != nil {
			return ui.UsageFault(err.Error(), "--size 576x384")
		}
		if err := picture.Save(j.path, picture.FromImage(img), picture.WriteOptions{}); err != nil {
			return err
		}
		if name, isMap := strings.CutSuffix(j.name, maps.Suffix+".png"); isMap {
			if err := writeLegend(name, j.path); err != nil {
				return err
			}
		}
		paths = append(paths, j.path)
		if !s.json {
			if err := ui.PrintResult(s.stdout, j.path); err != nil {
				return err
			}
		}
	}
	if s.json {
		return writeJSON(s.stdout, map[string]any{"type": "result", "outputs": paths})
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
