package main

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/ui"
)

// samplePrefix before a sample's name makes it an input: sample:mosaic.
const samplePrefix = "sample:"

// Samples are drawn at this size unless asked otherwise: half as large again as
// the demo's canvas, and a second or two of drawing each.
const sampleW, sampleH = 576, 384

func samplesCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "samples",
		Category:  categoryPaint,
		Usage:     "write the sample pictures and the maps of their regions",
		ArgsUsage: "[DIRECTORY]",
		Flags: append([]cli.Flag{
			textFlag("size", "s", groupScale, "SIZE", "576x384; or a long side"),
			textFlag("overwrite", "", groupOutput, "HOW", "if one exists: fail (-n), replace (-y), number, skip"),
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
	w, h := sampleW, sampleH
	if text := flagText(c, "size"); text != "" {
		size, err := picture.ParseSize(text)
		if err == nil {
			w, h, err = size.Resolve(sampleW, sampleH)
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
	if err := makeDirectory(dir); err != nil {
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
	m, _, err := sampleMap(name)
	if err != nil {
		return err
	}
	return picture.WriteFile(maps.LegendPath(path), func(w io.Writer) error {
		_, err := io.WriteString(w, m.Legend())
		return err
	})
}

// sampleFile returns the bytes of a sample's PNG, as "samples" writes it, so
// that recipes of the demo can be replayed from files as well.
func sampleFile(name string) ([]byte, error) {
	img, err := sample.Draw(name, sampleW, sampleH)
	if of, isMap := strings.CutSuffix(name, maps.Suffix); isMap {
		img, _, err = sample.Map(of, sampleW, sampleH)
	}
	if err != nil {
		return nil, ui.UsageFault(err.Error())
	}
	var b bytes.Buffer
	err = picture.Encode(&b, picture.FromImage(img), picture.PNG, picture.WriteOptions{})
	return b.Bytes(), err
}

// readInput reads a picture from a file, standard input or the samples, whose
// maps are sample:NAME_sem.
func (s *session) readInput(path string, o picture.ReadOptions) (*picture.Picture, *picture.Info, error) {
	if strings.HasPrefix(path, samplePrefix) {
		return s.kept.read(path, "", o, readSample)
	}
	path = ui.Home(path)
	if s.kept == nil || path == ui.Stdout {
		return picture.Read(path, o)
	}
	sum, err := s.kept.sums.Of(path)
	if err != nil {
		return picture.Read(path, o) // it says what is wrong
	}
	return s.kept.read(path, sum, o, picture.Read)
}

func readSample(path string, o picture.ReadOptions) (*picture.Picture, *picture.Info, error) {
	name := strings.TrimPrefix(path, samplePrefix)
	file, err := sampleFile(name)
	if err != nil {
		return nil, nil, err
	}
	return picture.Decode(bytes.NewReader(file), name+".png", o)
}

// findSample returns "sample:NAME" if an input of a recipe is that sample.
func findSample(file, sha256 string) string {
	name := strings.TrimSuffix(file, ".png")
	for _, i := range sample.Names() {
		if i.Name != strings.TrimSuffix(name, maps.Suffix) {
			continue
		}
		if data, err := sampleFile(name); err == nil && sumOf(data) == sha256 {
			return samplePrefix + name
		}
	}
	return ""
}
