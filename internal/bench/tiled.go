package bench

import (
	"context"
	"fmt"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// tileSide is the side of a measured tile, in pixels. Smaller pictures are divided
// into four.
const tileSide = 1024

// Tiled returns iterations of a whole render and of one divided into tiles, each as
// the program paints it. They show how much time tiles cost.
func Tiled(n *vgg.Network, side, threads int, p gpu.Precision) []*Work {
	tile := fmt.Sprint(max(64, min(tileSide, (side+1)/2)))
	on := gpu.CPUOptions{Threads: threads, Precision: p}
	return []*Work{
		iterations("whole", n, side, on, "off"),
		iterations("tiles of "+tile, n, side, on, tile),
	}
}

// iterations returns a render that pauses after each iteration until the next Run.
func iterations(name string, n *vgg.Network, side int, on gpu.CPUOptions, tile string) *Work {
	o := style.DefaultOptions(style.ModeArt, "cpu", "vgg19")
	o.Size, o.Scales, o.Iterations, o.Plateau, o.Tile = "content", 1, []int{1_000_000}, 0, tile
	o.Optimizer = style.OptimizerAdam
	in := style.Inputs{Content: noisePicture(side, 1), Styles: []*style.Picture{noisePicture(min(side, 512), 2)}}
	ctx, cancel := context.WithCancel(context.Background())
	iterated, next, ended := make(chan error), make(chan struct{}), make(chan struct{})
	begin := func() {
		b := gpu.NewCPU(on)
		_, err := style.Art(ctx, in, o, style.Env{Backend: b, Network: n, Every: 1, Progress: func(style.Event) {
			select {
			case iterated <- nil:
			case <-ctx.Done():
				return
			}
			select {
			case <-next:
			case <-ctx.Done():
			}
		}})
		if ctx.Err() == nil {
			iterated <- err
		}
		close(ended)
	}
	begun := false
	return &Work{
		Name: name, Group: "iteration", Side: side,
		Run: func() {
			if !begun {
				begun = true
				go begin()
			} else {
				next <- struct{}{}
			}
			if err := <-iterated; err != nil {
				panic("bench: " + err.Error()) // the inputs are made here, so this is a bug
			}
		},
		Close: func() {
			cancel()
			if begun {
				<-ended
			}
		},
	}
}

func noisePicture(side int, seed uint64) *style.Picture {
	p := &style.Picture{W: side, H: side, Pix: make([]float32, side*side*3)}
	s := seed * 0x9e3779b97f4a7c15
	for i := range p.Pix {
		s = s*6364136223846793005 + 1442695040888963407
		p.Pix[i] = float32(s>>40) / (1 << 24)
	}
	return p
}
