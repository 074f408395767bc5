package farm

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkTenThousandJobs measures a queue of 10,000 jobs on disk: seconds to
// submit, to list and to open it again, and the memory of the process that
// serves it.
//
//	go test -run '^$' -bench TenThousand -benchtime 1x ./internal/farm
func BenchmarkTenThousandJobs(b *testing.B) {
	const n = 10000
	ctx := context.Background()
	for b.Loop() {
		store := b.TempDir()
		q, err := Open(ctx, Options{Store: store})
		if err != nil {
			b.Fatal(err)
		}
		jobs := make([]Job, n)
		for i := range jobs {
			output := fmt.Sprintf("/home/ada/painted/picture%05d.png", i)
			jobs[i] = Job{Name: fmt.Sprintf("jobs.yaml:5 #%d", i+1), Batch: "jobs.yaml", Class: ClassCPU, Outputs: []string{output},
				Steps:  [][]string{{"art", "--content=/home/ada/photo.jpg", "--style=/home/ada/painting.jpg", "--size=512", "--output=" + output}},
				Inputs: map[string]string{"/home/ada/photo.jpg": strings.Repeat("a", 64), "/home/ada/painting.jpg": strings.Repeat("b", 64)}}
			jobs[i].Identify()
		}
		begun := time.Now()
		added, err := q.Submit(ctx, jobs...)
		if err != nil || added != n {
			b.Fatal(added, err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/submit")
		list := func() {
			begun = time.Now()
			all, err := q.List(ctx, Filter{})
			if err != nil || len(all) != n {
				b.Fatal(len(all), err)
			}
		}
		list()
		b.ReportMetric(time.Since(begun).Seconds(), "s/list")
		b.ReportMetric(residentMB(), "MB-resident")
		if err := q.Close(); err != nil {
			b.Fatal(err)
		}
		begun = time.Now()
		if q, err = Open(ctx, Options{Store: store}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/open")
		list()
		q.Close()
	}
}

// residentMB is what this process holds in memory, 0 where nobody says.
func residentMB() float64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1000
		}
	}
	return 0
}
