package bench

import (
	"cmp"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/impasto/impasto/gpu/simd"
)

// Machine describes the machine that was measured.
type Machine struct {
	OS          string  `json:"os"`
	Release     string  `json:"os_release,omitempty"` // of its kernel
	Arch        string  `json:"arch"`
	Processor   string  `json:"processor,omitempty"`
	Cores       int     `json:"cores"`   // that the system offers
	Kernels     string  `json:"kernels"` // which micro-kernels run: avx512, avx2, neon, generic
	Threads     int     `json:"threads"`
	Memory      int64   `json:"memory_bytes,omitempty"`
	Load        float64 `json:"load_1m"`                   // before anything was measured; 0 if unknown
	Peak        float64 `json:"peak_flops"`                // multiply-adds in registers, on all threads
	HalfKernels string  `json:"half_kernels,omitempty"`    // which multiply in half precision: amx, avx512bf16, generic
	HalfPeak    float64 `json:"half_peak_flops,omitempty"` // as Peak, by these
	Bandwidth   float64 `json:"bandwidth_bps"`             // bytes read and written by a copy, on all threads
	Version     string  `json:"go"`                        // of the compiler
	Date        string  `json:"date,omitempty"`            // RFC 3339, UTC

	// What only the command knows.
	Program string  `json:"program,omitempty"`
	Commit  string  `json:"commit,omitempty"`
	Device  *Device `json:"device,omitempty"`  // that images were painted on
	Weights string  `json:"weights,omitempty"` // and with which network
}

// Device is a device that images are painted on.
type Device struct {
	Name         string `json:"name"`            // as --device takes it
	Model        string `json:"model,omitempty"` // of a GPU
	Architecture string `json:"architecture,omitempty"`
	Memory       int64  `json:"memory_bytes,omitempty"`
}

// Measure finds the peaks. It takes the best of several short runs, because any
// other work of the machine can only make them lower.
func Measure(threads int) (Machine, error) {
	k, err := simd.Best()
	if err != nil {
		return Machine{}, err
	}
	m := Machine{
		OS: runtime.GOOS, Release: osRelease(), Arch: runtime.GOARCH, Processor: processor(), Cores: runtime.NumCPU(),
		Kernels: k.Name, Threads: threads, Memory: totalMemory(), Load: loadAverage(),
		Version: runtime.Version(), Date: time.Now().UTC().Format(time.RFC3339),
	}
	m.Peak = peak(threads, k.FMA)
	const size = 16 << 20 // floats a thread: more than any cache
	src, dst := make([][]float32, threads), make([][]float32, threads)
	for i := range src {
		src[i], dst[i] = simd.Floats(size), simd.Floats(size)
		for j := range src[i] {
			src[i][j] = 1
		}
		copy(dst[i], src[i])
	}
	for range 5 {
		m.Bandwidth = max(m.Bandwidth, perSecond(threads, func(t int) float64 {
			copy(dst[t], src[t])
			return 8 * size
		}))
	}
	return m, nil
}

// peak returns the operations a second of fma, which runs about as many as it is given
// and returns how many it ran.
func peak(threads int, fma func(n int) int) (most float64) {
	for range 10 {
		most = max(most, perSecond(threads, func(int) float64 {
			flop := 0
			for range 400 {
				flop += fma(1 << 16)
			}
			return float64(flop)
		}))
	}
	return most
}

// perSecond runs f on all threads at once and returns their total rate.
func perSecond(threads int, f func(thread int) float64) float64 {
	var wg sync.WaitGroup
	done := make([]float64, threads)
	start := time.Now()
	for t := range threads {
		wg.Go(func() { done[t] = f(t) })
	}
	wg.Wait()
	seconds := time.Since(start).Seconds()
	sum := 0.0
	for _, d := range done {
		sum += d
	}
	return sum / seconds
}

// Label describes the machine in a few words.
func (m Machine) Label() string {
	what := cmp.Or(m.Processor, m.OS+"/"+m.Arch)
	if m.Device != nil && m.Device.Model != "" {
		return m.Device.Model
	}
	return fmt.Sprintf("%s, %d threads", what, m.Threads)
}
