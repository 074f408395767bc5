package farm

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// benchJobs is a batch as large as one may be.
const benchJobs = 10000

// BenchmarkSubmit adds 10,000 jobs to a queue on disk; the store takes
// bytes, and this process, which is the server, memory.
//
//	go test ./internal/farm -run '^$' -bench . -benchtime 1x
func BenchmarkSubmit(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		q, err := Open(b.Context(), Options{Store: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		before := resident()
		jobs := manyJobs(b)
		b.StartTimer()
		submit(b, q, jobs...)
		b.StopTimer()
		if resident() > 0 {
			b.ReportMetric(resident()/1e6, "MB-resident")
			b.ReportMetric((resident()-before)/1e6, "MB-more")
		}
		q.Close()
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/10000jobs")
}

// BenchmarkList reads all of 10,000 records, as `queue ls` does.
func BenchmarkList(b *testing.B) {
	q, err := Open(b.Context(), Options{Store: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	submit(b, q, manyJobs(b)...)
	for b.Loop() {
		if list, err := q.List(b.Context(), Filter{}); err != nil || len(list) != benchJobs {
			b.Fatalf("%d jobs, %v", len(list), err)
		}
	}
}

// manyJobs are orders of the usual length.
func manyJobs(b *testing.B) []Job {
	jobs := make([]Job, benchJobs)
	for i := range jobs {
		j := job(b, fmt.Sprintf("picture-%05d", i))
		in := fmt.Sprintf("/home/someone/pictures/in/picture-%05d.jpg", i)
		j.Inputs = map[string]string{in: strings.Repeat("0", 59) + fmt.Sprintf("%05d", i), "/home/someone/pictures/style.jpg": strings.Repeat("1", 64)}
		j.Steps = [][]string{{"art", "--content=" + in, "--style=/home/someone/pictures/style.jpg", "--size=512", "--iterations=500", j.Steps[0][1]}}
		j.Identify()
		jobs[i] = j
	}
	return jobs
}

// resident is this process's memory in bytes; 0 where the system does not tell.
func resident() float64 {
	runtime.GC()
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kB, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.Atoi(kB)
	return float64(n) * 1024
}
