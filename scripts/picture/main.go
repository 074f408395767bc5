// Command picture is the part of scripts/bench-picture that must be the same for
// all programs it compares. It sizes the inputs, and it measures pictures by the
// losses of neural-style (Johnson, 2015), which are those of Gatys et al. (2016) as
// means:
//
//	content = 5 mean((F - F_content)^2)                     at relu4_2
//	style   = 100 sum over l of mean((G_l - G_l,style)^2)   at relu1_1 ... relu5_1
//
// with G = F^T F / (H W C), maximum pooling and white at 256.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

const usage = "picture size PIXELS IN OUT.png | picture losses WEIGHTS CONTENT STYLE PICTURE..."

var styleLayers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}

const contentLayer = "relu4_2"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "size":
		return size(args[1], args[2], args[3])
	case len(args) > 4 && args[0] == "losses":
		return losses(args[1], args[2], args[3], args[4:])
	}
	return fmt.Errorf("usage: %s", usage)
}

// size writes a picture with its long side at so many pixels.
func size(pixels, in, out string) error {
	n, err := strconv.Atoi(pixels)
	if err != nil {
		return err
	}
	p, err := style.Open(in)
	if err != nil {
		return err
	}
	long := max(p.W, p.H)
	return style.Save(out, p.Flatten().Resize((p.W*n+long/2)/long, (p.H*n+long/2)/long))
}

// losses prints a line for each picture: its content loss and its style loss.
func losses(weights, content, painting string, pictures []string) error {
	n, err := vgg.Load(context.Background(), weights, vgg.LoadOptions{UpTo: "relu5_1"})
	if err != nil {
		return err
	}
	m := meter{gpu.NewCPU(gpu.CPUOptions{}), n}
	targets, err := m.features(painting)
	if err != nil {
		return err
	}
	of, err := m.features(content)
	if err != nil {
		return err
	}
	for _, file := range pictures {
		f, err := m.features(file)
		if err != nil {
			return err
		}
		if len(f.content) != len(of.content) {
			return fmt.Errorf("%s is not of the content's size", file)
		}
		sum := 0.0
		for l, g := range f.grams {
			sum += meanSquare(g, targets.grams[l])
		}
		fmt.Println(5*meanSquare(f.content, of.content), 100*sum)
	}
	return nil
}

// features are a picture's at the layers of the losses.
type features struct {
	content []float32   // (H, W, C) at relu4_2
	grams   [][]float32 // (C, C) by style layer
}

type meter struct {
	backend gpu.Backend
	network *vgg.Network
}

func (m meter) features(file string) (features, error) {
	var f features
	p, err := style.Open(file)
	if err != nil {
		return f, err
	}
	o := vgg.PassOptions{Taps: append([]string{contentLayer}, styleLayers...), Pool: vgg.PoolMax, Ceil: true}
	err = m.network.Features(m.backend, p.H, p.W, p.Pix, 256, o, func(tap string, act *gpu.Array) {
		if tap == contentLayer {
			f.content = gpu.Values(m.backend, act)
			return
		}
		gram := m.backend.NewArray(gpu.Matrix(act.Shape.C))
		defer m.backend.Free(gram)
		m.backend.Gram(gram, act, 1/float64(act.Shape.Len()))
		f.grams = append(f.grams, gpu.Values(m.backend, gram))
	})
	return f, err
}

func meanSquare(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum / float64(len(a))
}
