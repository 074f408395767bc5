package style

import (
	"errors"
	"fmt"
	"sort"

	"github.com/impasto/impasto/gpu"
)

// largest plans the biggest canvas of the proportions w x h that MaxBytes allows.
func largest(w, h int, o Options, env Env) (Plan, error) {
	if env.MaxBytes <= 0 {
		return Plan{}, Problems{{Option: "size", Message: "size \"max\" needs a memory limit", Try: []string{"--max-memory 4G"}}}
	}
	fits := func(long int) (Plan, error) {
		ratio := float64(long) / float64(max(w, h))
		p, err := planFor(atLeastOne(float64(w)*ratio), atLeastOne(float64(h)*ratio), o, env)
		if err == nil && p.PeakBytes > env.MaxBytes {
			err = &MemoryError{W: p.W(), H: p.H(), Need: p.PeakBytes, Have: env.MaxBytes}
		}
		return p, err
	}
	const step = 32
	n := sort.Search(1<<15/step, func(i int) bool {
		_, err := fits((i + 1) * step)
		var memory *MemoryError
		return errors.As(err, &memory)
	})
	return fits(max(n, 1) * step)
}

// MemoryError says that a plan does not fit.
type MemoryError struct {
	W, H       int
	Need, Have int64
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%dx%d needs %s of memory; the limit is %s", e.W, e.H, gigabytes(e.Need), gigabytes(e.Have))
}

func gigabytes(n int64) string { return fmt.Sprintf("%.1f GB", float64(n)/1e9) }

// Try returns what may help.
func (e *MemoryError) Try() []string {
	return []string{"--size max", "--history 5", "--optimizer adam"}
}

// ExitCode returns the command's exit status for this error.
func (e *MemoryError) ExitCode() int { return 13 }

// Code returns the stable word for this error in machine-readable output.
func (e *MemoryError) Code() string { return "out_of_memory" }

// bytes is the memory of the last scale: the network's activations, the
// content's features, the image with its gradient and copies, and the
// optimiser's vectors. The paintings' pass comes and goes before the loop.
func (p Plan) bytes(env Env) (int64, error) {
	o, b := p.Options, env.Backend
	total, err := env.Network.PassBytes(b, p.H(), p.W(), o.passOptions(true))
	if err != nil {
		return 0, err
	}
	for _, l := range o.ContentLayers {
		if i, err := env.Network.Depth(l.Layer); err == nil && o.ContentWeight*l.Weight > 0 {
			shrink := 1 << (env.Network.Layers[i-1].Block - 1)
			total += b.Bytes(gpu.Shape{H: p.H()/shrink + 1, W: p.W()/shrink + 1, C: env.Network.Layers[i-1].Out})
		}
	}
	images := 5 // x, its gradient, the picture shown, the scale before, base
	if o.Optimizer == OptimizerLBFGS {
		images += 2*(o.History+1) + 1
	} else {
		images += 2
	}
	if o.Average > 0 {
		images++
	}
	return total + int64(images)*b.Bytes(gpu.Shape{H: p.H(), W: p.W(), C: 3}), nil
}
