// Looks paints pairs of photographs and paintings in several ways and measures
// what the eye complains of: fine noise in flat areas, colour specks,
// checkerboards, and how far style and content are missed. It prints a table and
// writes a contact sheet. See docs/looks.md; scripts/bench-looks runs it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// pair is a photograph and a painting.
type pair struct {
	name            string
	photo, painting *style.Picture
}

// samples are the pairs of our own drawings.
var samples = [][2]string{
	{"lighthouse", "strokes"}, {"lighthouse", "woodblock"}, {"valley", "mosaic"}, {"valley", "strokes"},
	{"still-life", "strokes"}, {"still-life", "woodblock"}, {"lighthouse", "mosaic"}, {"valley", "woodblock"},
}

// way is a way to paint: a preset and options on top of it.
type way struct{ name, preset, options string }

// usual are the ways compared where none is named. The first is today's default.
var usual = []way{
	{"default", "default", ""},
	{"best", "best", ""},
	{"covariance", "default", "style-loss=covariance content-weight=1.2 tv-weight=50 tv-spare=0.95"},
	{"gram", "default", "style-loss=gram content-weight=1 tv-weight=1 tv-spare=0"},
	{"w2", "default", "style-loss=w2 content-weight=1 tv-weight=1 tv-spare=0"},
	{"jj", "jj", "iterations=[300]"},
	{"cp", "cp", "iterations=[200,100]"},
}

// ways is a flag that may be given several times.
type ways []way

func (w *ways) String() string { return "" }

func (w *ways) Set(text string) error {
	name, options, _ := strings.Cut(text, ":")
	preset, rest, named := strings.Cut(options, "@")
	if !named {
		preset, rest = "default", options
	}
	*w = append(*w, way{name, strings.TrimSpace(preset), rest})
	return nil
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("looks: ")
	var list ways
	flag.Var(&list, "try", "a way to paint, `\"name: option=value ...\"` or \"name: preset@option=value ...\"; may be given several times")
	weights := flag.String("weights", "", "network to paint with")
	ruler := flag.String("ruler", "", "network to measure with; the default is the one that paints")
	size := flag.String("size", "256", "long side of the pictures, in pixels")
	most := flag.Int("pairs", 8, "how many of our own pairs to paint")
	threads := flag.Int("threads", 0, "processors to use; 0: all")
	dir := flag.String("o", "looks", "folder for the pictures, sheet.jpg among them")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: looks [flags] [CONTENT STYLE]...   pairs of your own, after our samples")
		flag.PrintDefaults()
	}
	flag.Parse()
	if len(list) == 0 {
		list = usual
	}
	if err := run(list, *weights, *ruler, *size, *most, *threads, *dir, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(list []way, weights, rulerName, size string, most, threads int, dir string, files []string) error {
	ctx := context.Background()
	pairs, err := readPairs(most, files)
	if err != nil {
		return err
	}
	network, err := vgg.Load(ctx, weights, vgg.LoadOptions{})
	if err != nil {
		return err
	}
	backend := gpu.NewCPU(gpu.CPUOptions{Threads: threads})
	painter, err := style.NewPainter(ctx, style.WithNetwork(network), style.WithBackend(backend))
	if err != nil {
		return err
	}
	defer painter.Close()
	r := ruler{gpu.NewCPU(gpu.CPUOptions{Threads: threads}), network}
	if rulerName != "" {
		if r.network, err = vgg.Load(ctx, rulerName, vgg.LoadOptions{}); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	fmt.Printf("painted with %s, measured with %s\n\n", network.Name, r.network.Name)
	fmt.Println("| pair | way | fine | colour | checker | strokes | Gram | mean | deviation | SSIM | seconds |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	sheet, totals := [][]*style.Picture{}, make([]row, len(list))
	for _, p := range pairs {
		line := []*style.Picture{p.photo, p.painting}
		for i, w := range list {
			res, measured, err := paint(ctx, painter, r, p, w, size)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", p.name, w.name, err)
			}
			if err := style.Save(filepath.Join(dir, p.name+"_"+strings.ReplaceAll(w.name, " ", "-")+".png"), res); err != nil {
				return err
			}
			line = append(line, res)
			fmt.Printf("| %s | %s | %v |\n", p.name, w.name, measured)
			totals[i].add(measured, 1/float64(len(pairs)))
		}
		sheet = append(sheet, line)
	}
	for i, w := range list {
		fmt.Printf("| **mean** | %s | %v |\n", w.name, totals[i])
	}
	return style.Save(filepath.Join(dir, "sheet.jpg"), contactSheet(sheet))
}

// row is what is measured of one painted picture.
type row struct {
	noise                 detail
	gram, mean, deviation float64
	ssim, seconds         float64
}

func (r *row) add(o row, share float64) {
	for _, v := range [][2]*float64{
		{&r.noise.fine, &o.noise.fine}, {&r.noise.colour, &o.noise.colour}, {&r.noise.checker, &o.noise.checker}, {&r.noise.strokes, &o.noise.strokes},
		{&r.gram, &o.gram}, {&r.mean, &o.mean}, {&r.deviation, &o.deviation}, {&r.ssim, &o.ssim}, {&r.seconds, &o.seconds},
	} {
		*v[0] += share * *v[1]
	}
}

func (r row) String() string {
	return fmt.Sprintf("%.2f | %.2f | %.2f | %.2f | %.3f | %.3f | %.3f | %.2f | %.1f",
		r.noise.fine, r.noise.colour, r.noise.checker, r.noise.strokes, r.gram, r.mean, r.deviation, r.ssim, r.seconds)
}

func paint(ctx context.Context, painter *style.Painter, r ruler, p pair, w way, size string) (*style.Picture, row, error) {
	o, err := w.apply(painter.Defaults(style.ModeArt))
	if err != nil {
		return nil, row{}, err
	}
	o.Size = size
	res, err := painter.Art(ctx, style.Inputs{Content: p.photo, Styles: []*style.Picture{p.painting}}, style.WithOptions(o))
	if err != nil {
		return nil, row{}, err
	}
	out := res.Picture
	photo, painting := fit(p.photo, out.W, out.H), long(p.painting, max(out.W, out.H))
	m := row{noise: noiseOf(out, photo, painting), seconds: res.Elapsed.Seconds()}
	own, err := r.measure(out)
	if err != nil {
		return nil, row{}, err
	}
	want, err := r.measure(painting)
	if err != nil {
		return nil, row{}, err
	}
	m.gram, m.mean, m.deviation = distance(own, want)
	m.ssim, err = picture.SSIM((*picture.Picture)(out), (*picture.Picture)(photo))
	return out, m, err
}

// apply sets the way's options on top of o, or of its preset.
func (w way) apply(o style.Options) (style.Options, error) {
	switch w.preset {
	case "default", "":
	case "best":
		o = style.Best(o)
	default:
		var err error
		if o, err = style.Preset(w.preset, style.ModeArt); err != nil {
			return o, err
		}
	}
	for word := range strings.FieldsSeq(w.options) {
		name, value, _ := strings.Cut(word, "=")
		field := o.Field(name)
		if field == nil {
			return o, fmt.Errorf("no option is called %q", name)
		}
		if json.Unmarshal([]byte(value), field) != nil {
			if err := json.Unmarshal(fmt.Appendf(nil, "%q", value), field); err != nil {
				return o, fmt.Errorf("option %s: %w", name, err)
			}
		}
	}
	return o, nil
}

func readPairs(most int, files []string) ([]pair, error) {
	var list []pair
	for _, s := range samples[:min(most, len(samples))] {
		p := pair{name: s[0] + "_" + s[1]}
		for i, to := range []**style.Picture{&p.photo, &p.painting} {
			img, err := sample.Draw(s[i], 720, 480)
			if err != nil {
				return nil, err
			}
			*to = style.FromImage(img)
		}
		list = append(list, p)
	}
	if len(files)%2 != 0 {
		return nil, fmt.Errorf("%q has no painting beside it", files[len(files)-1])
	}
	for i := 0; i < len(files); i += 2 {
		p := pair{name: stem(files[i]) + "_" + stem(files[i+1])}
		var err error
		if p.photo, err = style.Open(files[i]); err != nil {
			return nil, err
		}
		if p.painting, err = style.Open(files[i+1]); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func stem(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
