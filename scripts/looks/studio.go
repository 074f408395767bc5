package main

import (
	"context"
	"fmt"
	"math"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// studio paints pictures of one size and measures them.
type studio struct {
	painter *style.Painter
	network *vgg.Network // that paints
	ruler   ruler
	size    string
}

// newStudio loads the network that paints and the one that measures; "" means the one
// that paints.
func newStudio(ctx context.Context, weights, rulerName, size string, threads int) (studio, error) {
	network, err := vgg.Load(ctx, weights, vgg.LoadOptions{})
	if err != nil {
		return studio{}, err
	}
	r := ruler{gpu.NewCPU(gpu.CPUOptions{Threads: threads}), network}
	if rulerName != "" {
		if r.network, err = vgg.Load(ctx, rulerName, vgg.LoadOptions{}); err != nil {
			return studio{}, err
		}
	}
	painter, err := style.NewPainter(ctx, style.WithNetwork(network), style.WithBackend(gpu.NewCPU(gpu.CPUOptions{Threads: threads})))
	return studio{painter, network, r, size}, err
}

// row is what is measured of one painted picture.
type row struct {
	noise                 detail
	gram, mean, deviation float64
	likeness              float64 // SSIM with the photograph; of a texture, how much of a copy it is
	seconds               float64 // of processor time, of the painting alone
	share                 float64 // of the way's own iterations
}

func (r *row) add(o row, share float64) {
	for _, v := range [][2]*float64{
		{&r.noise.fine, &o.noise.fine}, {&r.noise.colour, &o.noise.colour}, {&r.noise.checker, &o.noise.checker}, {&r.noise.strokes, &o.noise.strokes},
		{&r.gram, &o.gram}, {&r.mean, &o.mean}, {&r.deviation, &o.deviation}, {&r.likeness, &o.likeness}, {&r.seconds, &o.seconds}, {&r.share, &o.share},
	} {
		*v[0] += share * *v[1]
	}
}

func (r row) String() string {
	return fmt.Sprintf("%.2f | %.2f | %.2f | %.2f | %.3f | %.3f | %.3f | %.2f | %.1f | %.0f %%",
		r.noise.fine, r.noise.colour, r.noise.checker, r.noise.strokes, r.gram, r.mean, r.deviation, r.likeness, r.seconds, 100*r.share)
}

// paint paints a pair in a way and measures the picture. With a limit above 0, the
// iterations are as many as take that many seconds.
func (s studio) paint(ctx context.Context, p pair, w way, limit float64) (*style.Picture, row, error) {
	o, err := w.resolve(s.painter, s.network.Name, p.texture())
	if err != nil {
		return nil, row{}, err
	}
	o.Size = s.size
	m := row{share: 1}
	if limit > 0 {
		m.share, err = shareFor(o, limit, func(o style.Options) (float64, error) {
			_, seconds, err := s.run(ctx, p, o)
			return seconds, err
		})
		if err != nil {
			return nil, row{}, err
		}
	}
	all := o
	o = shortened(all, m.share)
	out, seconds, err := s.run(ctx, p, o)
	if limit > 0 && err == nil && unlike(seconds, limit) {
		// Short runs mislead if iterations differ, as those that match patches do.
		m.share *= limit / seconds
		o = shortened(all, m.share)
		out, seconds, err = s.run(ctx, p, o)
	}
	if err != nil {
		return nil, row{}, err
	}
	m.seconds = seconds
	painting := long(p.painting, max(out.W, out.H))
	if p.texture() {
		m.noise, m.likeness = noiseOf(out, out, painting), copied(out, painting)
	} else {
		photo := fit(p.photo, out.W, out.H)
		m.noise = noiseOf(out, photo, painting)
		if m.likeness, err = picture.SSIM((*picture.Picture)(out), (*picture.Picture)(photo)); err != nil {
			return nil, row{}, err
		}
	}
	own, err := s.ruler.measure(out)
	if err != nil {
		return nil, row{}, err
	}
	want, err := s.ruler.measure(painting)
	if err != nil {
		return nil, row{}, err
	}
	m.gram, m.mean, m.deviation = distance(own, want)
	return out, m, nil
}

// unlike reports whether a time is more than an eighth off the wanted one.
func unlike(seconds, want float64) bool { return math.Abs(seconds-want) > want/8 }

// run paints a pair and returns the processor seconds that it took.
func (s studio) run(ctx context.Context, p pair, o style.Options) (*style.Picture, float64, error) {
	before := bench.ProcessorTime()
	in := style.Inputs{Content: p.photo, Styles: []*style.Picture{p.painting}}
	art := s.painter.Art
	switch o.Mode {
	case style.ModePatch:
		art = s.painter.Patch
	case style.ModeTexture:
		art = s.painter.Texture
	}
	res, err := art(ctx, in, style.WithOptions(o))
	if err != nil {
		return nil, 0, err
	}
	return res.Picture, (bench.ProcessorTime() - before).Seconds(), nil
}
