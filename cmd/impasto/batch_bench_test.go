package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/impasto/impasto/internal/ui"
)

// BenchmarkBatchCheck is what a thousand jobs take from manifest to plan: each
// is checked as its command line would be.
func BenchmarkBatchCheck(b *testing.B) {
	const jobs = 1000
	dir := b.TempDir()
	b.Setenv("IMPASTO_STATE", filepath.Join(dir, "state"))
	if err := makeFiles(dir); err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	text.WriteString("version: 1\noutput: painted/{seed}.png\ndefaults: {size: 32, iterations: 2, weights: mini, content: photo.png, style: painting.png}\njobs:\n- matrix: {seed: [1")
	for seed := 2; seed <= jobs; seed++ {
		fmt.Fprintf(&text, ",%d", seed)
	}
	text.WriteString("]}\n")
	path := filepath.Join(dir, "jobs.yaml")
	if err := os.WriteFile(path, text.Bytes(), 0o666); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var stdout, stderr bytes.Buffer
		if code := run([]string{"impasto", "batch", "check", path}, nil, &stdout, &stderr); code != ui.ExitOK {
			b.Fatalf("exit %d\n%s", code, stderr.String())
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N)/jobs, "ms/job")
}
