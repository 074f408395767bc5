package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

// deriveTaps are the layers whose features tell regions apart: textures and
// small parts of things.
var deriveTaps = []string{"relu3_1", "relu4_1"}

func mapDeriveCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "derive",
		Usage:     "draw a first map of a picture: colour, features and place",
		ArgsUsage: "PICTURE",
		Flags: append([]cli.Flag{
			textFlag("regions", "k", "", "N", "how many regions, 3 to 16 (default: 6)"),
			textFlag("weights", "", groupDevice, "NAME", "vgg19, mini (no download) or a FILE (default: vgg19 if installed)"),
			textFlag("threads", "", groupDevice, "N", "processor threads (default: all); the picture is the same"),
		}, outputFlags("where to write (PICTURE_sem.png)")...),
		Action: func(c *cli.Context) error { return mapDerive(s, c) },
	}
}

func mapDerive(s *session, c *cli.Context) error {
	var bad ui.Faults
	if c.NArg() != 1 {
		return ui.UsageFault(fmt.Sprintf("map derive needs one picture, got %d", c.NArg()), "impasto map derive painting.jpg")
	}
	number := func(name string, fallback, least, most int) int {
		text := flagText(c, name)
		if text == "" {
			return fallback
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			bad.Add(badValue(name, text, fmt.Sprintf("a whole number from %d to %d", least, most)))
		}
		return n
	}
	regions := number("regions", 6, maps.MinRegions, maps.MostRegions)
	threads := number("threads", 0, 1, 4096)
	path := c.Args().First()
	p, info, err := s.readInput(path, picture.ReadOptions{Role: "picture", Stdin: s.stdin})
	bad.Add(err)
	fallback := maps.MapPath(ui.Home(path))
	if name, ok := cutSample(path); ok {
		fallback = maps.MapPath(name + ".png")
	} else if path == ui.Stdout {
		fallback = "stdin" + maps.Suffix + ".png"
	}
	out, skip, err := mapTarget(c, fallback)
	bad.Add(err)
	bad.Add(apart(out, path))
	network, err := loadTo(flagText(c, "weights"), deriveTaps[len(deriveTaps)-1])
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	if !s.quiet && !s.json {
		for _, w := range info.Warnings {
			fmt.Fprintf(s.stderr, "impasto: note: %s\n", ui.Printable(w))
		}
	}
	if skip {
		return nil
	}
	m, err := maps.Derive(p, maps.DeriveOptions{Regions: regions, Features: featuresWith(network, threads)})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s at %dx%d, features of %s; next: impasto map view %s", ui.Count(len(m.Regions), "region"), m.W, m.H, network.Name, out)
	return s.writeMap(m, out, what)
}

// loadTo reads weights up to a layer.
func loadTo(weights, layer string) (*vgg.Network, error) {
	source, err := vgg.Resolve(ui.Home(weights))
	if err != nil {
		return nil, err
	}
	return vgg.Load(context.Background(), either(source.Name, source.Path), vgg.LoadOptions{UpTo: layer})
}

// featuresWith returns the function that maps.Derive takes features from.
func featuresWith(network *vgg.Network, threads int) func(*picture.Picture) ([]maps.Features, error) {
	return func(p *picture.Picture) ([]maps.Features, error) {
		b := gpu.NewCPU(gpu.CPUOptions{Threads: threads})
		pass, err := network.NewPass(b, p.H, p.W, vgg.PassOptions{Taps: deriveTaps})
		if err != nil {
			return nil, err
		}
		defer pass.Free()
		x := b.NewArray(gpu.Shape{H: p.H, W: p.W, C: 3})
		defer b.Free(x)
		pixels := make([]float32, len(p.Pix))
		for i, v := range p.Pix {
			pixels[i] = 255*v - network.Mean[i%3]
		}
		b.Upload(x, pixels)
		var layers []maps.Features
		pass.Forward(x, func(_ string, act *gpu.Array) {
			f := maps.Features{H: act.Shape.H, W: act.Shape.W, C: act.Shape.C, V: make([]float32, act.Shape.Len())}
			b.Download(f.V, act)
			layers = append(layers, f)
		})
		return layers, b.Err()
	}
}

// cutSample returns NAME of "sample:NAME".
func cutSample(path string) (string, bool) { return strings.CutPrefix(path, samplePrefix) }

// sampleMap is the map of a sample at the size samples are drawn, with the
// names of its regions.
func sampleMap(name string) (*maps.Map, *maps.Source, error) {
	img, legend, err := sample.Map(strings.TrimSuffix(name, maps.Suffix), sampleW, sampleH)
	if err != nil {
		return nil, nil, ui.UsageFault(err.Error())
	}
	m, src, err := maps.FromPicture(picture.FromImage(img), samplePrefix+name)
	if err != nil {
		return nil, nil, err
	}
	for called, c := range legend {
		if i, err := m.Find(maps.Hex(c)); err == nil {
			m.Regions[i].Name = called
		}
	}
	return m, src, nil
}
