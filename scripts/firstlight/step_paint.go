package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/timemodel"
	"github.com/impasto/impasto/style"
)

// painting is a picture that the program paints on both devices, and the least
// PSNR of the two in single and in half precision.
type painting struct {
	name         string
	args         []string
	single, half float64
}

// Adam moves each pixel as far whatever the size of its gradient, and matching
// decides between patches: so pictures of one recipe part as rounding differs.
var paintingsOf = []painting{
	{"art", []string{"art", "pictures/lighthouse.png", "pictures/strokes.png", "--optimizer", "adam"}, 45, 40},
	{"patch", []string{"patch", "pictures/valley.png", "pictures/woodblock.png", "--optimizer", "adam"}, 35, 30},
	{"doodle", []string{"doodle", "pictures/woodblock.png", "--style-map", "pictures/woodblock_sem.png", "--map", "pictures/mosaic_sem.png", "--optimizer", "adam"}, 35, 30},
}

func paintings(c *child) error {
	size, n := "256", "30"
	if c.toy {
		size, n = "48", "2"
	}
	if err := os.MkdirAll("painted", 0o755); err != nil {
		return err
	}
	paint := func(p painting, device string, flags ...string) (string, error) {
		file := filepath.Join("painted", p.name+"-"+strings.Join(append([]string{strings.ReplaceAll(device, ":", "")}, flags...), "")+".png")
		args := append([]string{"./impasto"}, p.args...)
		args = append(args, "--device", device, "--weights", c.weightsName(), "--scales", "1", "-s", size, "-n", n, "-y", "-o", file)
		_, err := tell(c.seconds(80), nil, append(args, flags...)...)
		return file, err
	}
	for _, p := range paintingsOf {
		want, err := paint(p, "cpu")
		if err != nil {
			c.find(result{What: p.name + " on the processor", Bad: true, Text: err.Error()})
			continue
		}
		for _, precision := range precisions() {
			got, err := paint(p, "cuda:0", precisionFlags(precision)...)
			if err != nil {
				c.find(result{What: p.name + " " + precision.String(), Bad: true, Text: err.Error(), Files: []string{want}})
				continue
			}
			psnr, err := alike(got, want)
			least := p.single
			if precision == gpu.Half {
				least = p.half
			}
			r := result{What: p.name + " " + precision.String(), Head: true, Text: fmt.Sprintf("%s px, %s iterations; at least %g dB wanted", size, n, least),
				Files: []string{got, want}, Values: map[string]float64{"psnr db": psnr}}
			if err != nil {
				r.Bad, r.Text = true, err.Error()
			} else if !(psnr >= least) {
				r.Bad = true
			}
			c.find(r)
		}
	}
	return nil
}

// alike is the PSNR of two pictures.
func alike(a, b string) (float64, error) {
	out, err := tell(60*time.Second, nil, "./impasto", "compare", a, b, "--json")
	if err != nil {
		return 0, err
	}
	var measured struct {
		PSNR  *float64 `json:"psnr_db"`
		Equal bool     `json:"equal"`
	}
	if err := json.Unmarshal([]byte(out), &measured); err != nil {
		return 0, err
	}
	if measured.Equal {
		return identical, nil
	}
	if measured.PSNR == nil {
		return 0, fmt.Errorf("the pictures were not compared: %s", strings.TrimSpace(out))
	}
	return min(*measured.PSNR, identical-1), nil
}

// launches counts what iterations ask of the driver: two runs that look at the
// status equally often differ in iterations alone.
func launches(c *child) error {
	short, long := 12, 19 // both look after the first, the tenth and the last
	if c.toy {
		short, long = 2, 4
	}
	for _, p := range precisions() {
		var calls [2]cuda.Calls
		for i, n := range []int{short, long} {
			var err error
			if calls[i], err = c.paintFor(n, p); err != nil {
				return err
			}
		}
		d := calls[1].Sub(calls[0])
		more := float64(long - short)
		c.find(result{What: p.String(), Head: true, Text: "what an iteration asks of the driver",
			Bad: d.GraphLaunches != int64(more) || d.Syncs+d.Uploads+d.Downloads+d.Allocs+d.Frees != 0,
			Values: map[string]float64{"graph launches": float64(d.GraphLaunches) / more, "waits": float64(d.Syncs) / more,
				"copies to or from the host": float64(d.Uploads+d.Downloads) / more, "allocations": float64(d.Allocs+d.Frees) / more}})
	}
	return nil
}

// paintFor paints so many iterations and returns the calls that took.
func (c *child) paintFor(iterations int, p gpu.Precision) (cuda.Calls, error) {
	network, err := c.network()
	if err != nil {
		return cuda.Calls{}, err
	}
	var driver cuda.Driver
	b, err := open(options(p), func(d cuda.Driver) cuda.Driver { driver = d; return d })
	if err != nil {
		return cuda.Calls{}, err
	}
	defer b.Close()
	content, err := style.Open("pictures/lighthouse.png")
	if err != nil {
		return cuda.Calls{}, err
	}
	painting, err := style.Open("pictures/strokes.png")
	if err != nil {
		return cuda.Calls{}, err
	}
	o := style.DefaultOptions(style.ModeArt, "cpu", network.Name)
	o.Size, o.Scales, o.Iterations, o.Plateau = "256", 1, []int{iterations}, 0
	if c.toy {
		o.Size = "24x24"
	}
	_, err = style.Art(context.Background(), style.Inputs{Content: content, Styles: []*style.Picture{painting}}, o, style.Env{Backend: b, Network: network})
	meter, ok := cuda.As[cuda.Meter](driver)
	if !ok && err == nil {
		err = fmt.Errorf("the driver does not count its calls")
	}
	if err != nil {
		return cuda.Calls{}, err
	}
	return meter.Calls(), nil
}

// imagesAnHour paints whole pictures with the default recipe, one after another.
func imagesAnHour(c *child) error {
	size, seconds := "512", 40*time.Second
	n := []string{}
	if c.toy {
		size, n = "32", []string{"-n", "2", "--scales", "1"}
	}
	for _, p := range precisions() {
		start, done := time.Now(), 0
		for done == 0 || time.Since(start) < seconds/time.Duration(len(precisions()))/2 && !c.toy {
			args := append([]string{"./impasto", "art", "pictures/lighthouse.png", "pictures/strokes.png", "--device", "cuda:0",
				"--weights", c.weightsName(), "-s", size, "-y", "-o", "painted/hour-" + p.String() + ".png"}, n...)
			if _, err := tell(c.seconds(40), nil, append(args, precisionFlags(p)...)...); err != nil {
				return err
			}
			done++
		}
		each := time.Since(start).Seconds() / float64(done)
		c.find(result{What: "art " + size + " px " + p.String(), Head: true, Text: "the program from start to end, default recipe",
			Values: map[string]float64{"images an hour": 3600 / each, "s": each}, Files: []string{"painted/hour-" + p.String() + ".png"}})
	}
	return nil
}

// largest tries larger and larger squares, untiled, until the device has no more
// memory, and times an iteration of each.
func largest(c *child) error {
	sides := []int{2048, 3072, 4096, 5120, 6144, 8192, 10240, 12288, 14336}
	if c.toy {
		sides = []int{16, 32}
	}
	for _, p := range precisions() {
		for _, side := range sides {
			ms, bytes, err := c.once(side, p)
			if cuda.CodeOf(err) == cuda.OutOfMemory {
				c.find(result{What: strconv.Itoa(side) + " px " + p.String(), Text: "does not fit untiled"})
				break
			}
			if err != nil {
				c.find(result{What: strconv.Itoa(side) + " px " + p.String(), Bad: cuda.CodeOf(err) != 0, Text: err.Error()})
				break
			}
			c.find(result{What: strconv.Itoa(side) + " px " + p.String(), Head: true, Text: "fits untiled", Values: map[string]float64{"iteration ms": ms, "device gb": bytes / 1e9}})
		}
	}
	return nil
}

func (c *child) once(side int, p gpu.Precision) (ms, bytes float64, err error) {
	err = c.withArt(side, options(p), func(b *gpu.Device, log *timemodel.Recorder, work *bench.Work) error {
		work.Run()
		start := time.Now()
		work.Run()
		ms, bytes = 1e3*time.Since(start).Seconds(), peakBytes(log)
		return b.Err()
	})
	return ms, bytes, err
}
