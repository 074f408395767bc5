package style_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"log"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// waves and rings stand for a photograph and a painting.
func waves(x, y int) color.Color { return color.RGBA{uint8(4 * x), uint8(3 * y), 128, 255} }
func rings(x, y int) color.Color { return color.RGBA{uint8((x*x + y*y) / 8), 90, uint8(x * y), 255} }

func draw(w, h int, at func(x, y int) color.Color) *style.Picture {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, at(x, y))
		}
	}
	return style.FromImage(img)
}

// A program paints in four steps: load a network, read pictures, choose
// options, run.
func ExampleArt() {
	ctx := context.Background()
	network, err := vgg.Load(ctx, "random:1", vgg.LoadOptions{UpTo: "relu3_1"}) // "" for real weights
	if err != nil {
		log.Fatal(err)
	}
	in := style.Inputs{
		Content: draw(64, 48, waves),
		Styles:  []*style.Picture{draw(64, 64, rings)},
	}
	o := style.DefaultOptions(style.ModeArt, "cpu", network.Name)
	o.Size = "32" // long side; larger for a picture worth keeping
	o.Iterations = []int{3}
	o.ContentLayers = []style.LayerWeight{{Layer: "relu2_1", Weight: 1}}
	o.StyleLayers, err = style.ParseLayers("relu1_1,relu2_1:0.5,relu3_1")
	if err != nil {
		log.Fatal(err)
	}
	result, err := style.Art(ctx, in, o, style.Env{
		Backend: gpu.NewCPU(gpu.CPUOptions{}),
		Network: network,
	})
	if err != nil {
		log.Fatal(err)
	}
	first, last := result.History[0].Losses.Total, result.Losses.Total
	fmt.Printf("%dx%d after %d iterations; loss lower than at the start: %v\n",
		result.Picture.W, result.Picture.H, result.Iterations, last < first)
	// Output: 32x24 after 3 iterations; loss lower than at the start: true
}

// Frames of a film: each begins with the one before, moved along.
func ExampleSequence() {
	ctx := context.Background()
	network, err := vgg.Load(ctx, "random:1", vgg.LoadOptions{UpTo: "relu2_1"}) // "" for real weights
	if err != nil {
		log.Fatal(err)
	}
	o := style.SequenceOptions{Options: style.DefaultOptions(style.ModeArt, "cpu", network.Name), Flow: style.FlowDense, NextIterations: 2}
	o.Size, o.Iterations, o.TemporalWeight = "content", []int{4}, 1
	o.ContentLayers = []style.LayerWeight{{Layer: "relu2_1", Weight: 1}}
	o.StyleLayers = []style.LayerWeight{{Layer: "relu1_1", Weight: 1}}
	s, err := style.NewSequence(48, 36, style.Inputs{Styles: []*style.Picture{draw(64, 64, rings)}}, o, style.Env{
		Backend: gpu.NewCPU(gpu.CPUOptions{}),
		Network: network,
	})
	if err != nil {
		log.Fatal(err)
	}
	for n := range 3 {
		photo := draw(48, 36, func(x, y int) color.Color { return waves(x+n, y) }) // the camera moves
		f, err := s.Next(ctx, photo)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("frame %d: %d iterations, begun with the one before: %v\n", n+1, f.Iterations, f.Moved != nil)
	}
	// Output:
	// frame 1: 4 iterations, begun with the one before: false
	// frame 2: 2 iterations, begun with the one before: true
	// frame 3: 2 iterations, begun with the one before: true
}

// A doodle: regions of a map painted with the patches of a painting's own.
func ExampleDoodle() {
	network, err := vgg.Mini()
	if err != nil {
		log.Fatal(err)
	}
	painting := draw(64, 48, func(_, y int) color.Color {
		if y < 24 {
			return color.RGBA{204, 0, 0, 255}
		}
		return color.RGBA{0, 0, 204, 255}
	})
	canvas := style.Uniform(96, 64, 0, 0, 0.8) // all of it like the lower half
	o := style.DefaultOptions(style.ModeDoodle, "cpu", network.Name)
	o.Size, o.Iterations = "96", []int{8}
	result, err := style.Doodle(context.Background(),
		style.Inputs{
			Styles: []*style.Picture{painting},
			Guides: []style.Guide{{Canvas: canvas, Styles: []*style.Map{style.MapOf(painting)}}},
		}, o, style.Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: network})
	if err != nil {
		log.Fatal(err)
	}
	from := map[bool]int{}
	for _, p := range result.Patches {
		for _, index := range p.Index {
			source, _, row := p.At(index)
			from[row >= source.Rows/2]++
		}
	}
	fmt.Println(result.Picture.W, result.Picture.H, from[true] > 9*from[false])
	// Output: 96 64 true
}
