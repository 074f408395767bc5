package render

import (
	"cmp"
	"context"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

// deriveTaps are the layers whose features distinguish regions: textures and small
// parts of objects.
var deriveTaps = []string{"relu3_1", "relu4_1"}

// MapMaker derives maps of pictures from the features of a network.
type MapMaker struct {
	network *vgg.Network
	threads int
}

// NewMapMaker reads the weights that it needs, from a library unless l is nil.
func NewMapMaker(ctx context.Context, l *Library, weights string, threads int) (*MapMaker, error) {
	source, err := vgg.Resolve(ui.Home(weights))
	if err != nil {
		return nil, err
	}
	network, err := l.network(ctx, cmp.Or(source.Name, source.Path), deriveTaps[len(deriveTaps)-1])
	if err != nil {
		return nil, err
	}
	return &MapMaker{network, threads}, nil
}

// Network returns the name of the network.
func (m *MapMaker) Network() string { return m.network.Name }

// Derive draws a map of a picture with this many regions.
func (m *MapMaker) Derive(p *picture.Picture, regions int) (*maps.Map, error) {
	return maps.Derive(p, maps.DeriveOptions{Regions: regions, Features: m.features})
}

// features computes the activations of the network at deriveTaps.
func (m *MapMaker) features(p *picture.Picture) ([]maps.Features, error) {
	b := gpu.NewCPU(gpu.CPUOptions{Threads: m.threads})
	defer b.Close()
	defer m.network.Forget(b)
	var layers []maps.Features
	err := m.network.Features(b, p.H, p.W, p.Pix, 255, vgg.PassOptions{Taps: deriveTaps}, func(_ string, act *gpu.Array) {
		layers = append(layers, maps.Features{H: act.Shape.H, W: act.Shape.W, C: act.Shape.C, V: gpu.Values(b, act)})
	})
	return layers, err
}

// ownMapRegions is the number of regions of a map that is derived automatically.
const ownMapRegions = 6

// ownMap returns the map of a painting: the one beside it, or else one that it
// derives and saves there.
func (p *Prepared) ownMap(ctx context.Context, painting string) (string, error) {
	if found := mapBeside(painting, maps.Suffix); found != "" {
		return found, nil
	}
	img, _, err := p.env.Library.Read(painting, picture.ReadOptions{Role: "style image", Stdin: p.env.Stdin})
	if err != nil {
		return "", err
	}
	maker, err := NewMapMaker(ctx, p.env.Library, p.Request.Values.Text("weights"), p.Request.Values.Number("threads", 0))
	if err != nil {
		return "", err
	}
	m, err := maker.Derive(img, ownMapRegions)
	if err != nil {
		return "", err
	}
	path := maps.MapPath(ui.Home(painting))
	return path, m.Save(path)
}
