package bench

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// BenchmarkPrecision takes iterations of art on the processor in single and in half
// precision in turn, and reports what each takes of the processor's time, and the ratio.
func BenchmarkPrecision(b *testing.B) {
	n, err := vgg.Random(1, "relu5_1")
	if err != nil {
		b.Fatal(err)
	}
	for _, side := range []int{256, 384, 512} {
		b.Run(fmt.Sprint(side), func(b *testing.B) {
			var works [2]*Work
			var took [2]time.Duration
			for i, p := range []gpu.Precision{gpu.Single, gpu.Half} {
				cpu := gpu.NewCPU(gpu.CPUOptions{Threads: 1, Precision: p})
				w, err := Art(cpu, n, side)
				if err != nil {
					b.Fatal(err)
				}
				w.Run()
				works[i] = w
				if w.Close != nil {
					defer w.Close()
				}
			}
			for b.Loop() {
				for i, w := range works {
					before := processorTime(b)
					w.Run()
					took[i] += processorTime(b) - before
				}
			}
			b.ReportMetric(took[0].Seconds()/float64(b.N), "single-s")
			b.ReportMetric(took[1].Seconds()/float64(b.N), "half-s")
			b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "single/half")
		})
	}
}

// processorTime is the time that this process has had of all processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
