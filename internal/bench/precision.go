package bench

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/gpu/simd"
)

// Formats of features, as in recipes: single precision, and half precision on a device
// and on a processor.
const f32, f16, bf16 = "f32", "f16", "bf16"

// format returns the number format of features on a backend.
func format(b gpu.Backend) string {
	has, ok := b.(interface{ Precision() gpu.Precision })
	switch {
	case !ok || has.Precision() != gpu.Half:
		return f32
	case b.Name() == "cpu":
		return bf16
	}
	return f16
}

// named adds a format to the name of a work or an image, unless it is single precision.
func named(name, format string) string {
	if format == f32 || format == "" {
		return name
	}
	return name + " in " + format
}

func (x Result) label() string { return named(x.Name, x.Format) }
func (x Image) label() string  { return named(x.Name, x.Format) }

// addFormats sets the formats of a report that was written before there were any. Then
// works were in single precision, and images in half precision on GPUs that have it.
func (r *Report) addFormats() {
	for i := range r.Results {
		if x := &r.Results[i]; x.Format == "" {
			x.Format = f32
		}
	}
	usual := f32
	if d := r.Machine.Device; d != nil && strings.HasPrefix(d.Name, "cuda") {
		sm, _ := strconv.Atoi(strings.TrimPrefix(d.Architecture, "sm_"))
		if sm >= 80 {
			usual = f16
		}
	}
	for i := range r.Images {
		if x := &r.Images[i]; x.Format == "" {
			x.Format = usual
		}
	}
}

// measureHalf measures the peak in half precision.
func (m *Machine) measureHalf() error {
	k, err := simd.BestBF16()
	if err != nil {
		return err
	}
	m.HalfKernels, m.HalfPeak = k.Name, peak(m.Threads, k.FMA)
	return nil
}

// peakOf returns the peak for features of a format, or 0 if it was not measured.
func (m Machine) peakOf(format string) float64 {
	if format == bf16 {
		return m.HalfPeak
	}
	return m.Peak
}

// WritePrecisions prints a comparison of half with single precision where a report has
// both.
func (r *Report) WritePrecisions(w io.Writer) error {
	var works []Change
	var images []ImageChange
	for _, x := range r.Results {
		if i := slices.IndexFunc(r.Results, func(y Result) bool { return y.Name == x.Name && y.Side == x.Side && y.Format == f32 }); x.Format != f32 && i >= 0 {
			works = append(works, newChange(r.Results[i], x))
		}
	}
	for _, x := range r.Images {
		single := x
		single.Format = f32
		if i := slices.IndexFunc(r.Images, func(y Image) bool { return y.key() == single.key() }); x.Format != f32 && i >= 0 {
			images = append(images, newImageChange(r.Images[i], x))
		}
	}
	if len(images) > 0 {
		fmt.Fprintln(w)
		if err := writeImageChanges(w, images, "single", "half"); err != nil {
			return err
		}
	}
	if len(works) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return writeChanges(w, works, "single", "half")
}

// precisions returns the precisions to measure.
func (o Options) precisions() []gpu.Precision {
	if len(o.Precisions) == 0 {
		return []gpu.Precision{gpu.Single}
	}
	return o.Precisions
}

func (w *Work) String() string {
	return fmt.Sprintf("%s %d px", named(w.Name, w.Format), w.Side)
}
