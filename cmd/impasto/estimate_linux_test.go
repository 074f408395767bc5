package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"
)

// BenchmarkEstimate reports what a command says before it paints over the time that it
// takes, from its start to its end, by the clock. On a busy machine the processor's time
// tells how far to trust that. With IMPASTO_WEIGHTS it also paints with those weights.
func BenchmarkEstimate(b *testing.B) {
	dir := b.TempDir()
	if err := makeFiles(dir); err != nil {
		b.Fatal(err)
	}
	program := theCommand(b)
	mini := []string{"--weights", "mini"}
	type command struct {
		name string
		args []string
	}
	commands := []command{
		{"demo", []string{"demo", "-o", "demo.png"}},
		{"demo/192", []string{"demo", "-s", "192", "-o", "demo.png"}},
		{"demo doodle/192", []string{"demo", "--doodle", "-s", "192", "-o", "demo.png"}},
		{"art/96", append([]string{"art", "photo.png", "painting.png", "-s", "96"}, mini...)},
		{"art/192", append([]string{"art", "photo.png", "painting.png", "-s", "192"}, mini...)},
		{"art nnst/128", append([]string{"art", "photo.png", "painting.png", "-s", "128", "--method", "nnst"}, mini...)},
		{"texture/128", append([]string{"texture", "painting.png", "-s", "128"}, mini...)},
	}
	if file := os.Getenv("IMPASTO_WEIGHTS"); file != "" {
		other := []string{"--weights", file}
		commands = append(commands,
			command{"art with weights/128, 20 iterations", append([]string{"art", "photo.png", "painting.png", "-s", "128", "-n", "20"}, other...)},
			command{"art with weights/128, 2 iterations", append([]string{"art", "photo.png", "painting.png", "-s", "128", "-n", "2"}, other...)},
		)
	}
	for _, c := range commands {
		b.Run(c.name, func(b *testing.B) {
			cmd := exec.Command(program, append(c.args, "--progress", "json", "-y")...)
			cmd.Dir = dir
			var events bytes.Buffer
			cmd.Stderr = &events
			begun := time.Now()
			if err := cmd.Run(); err != nil {
				b.Fatalf("%v\n%s", err, &events)
			}
			took := time.Since(begun).Seconds()
			foretold := foretoldBy(b, &events)
			b.ReportMetric(foretold, "foretold-s")
			b.ReportMetric(took, "taken-s")
			b.ReportMetric(foretold/took, "ratio")
			b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "processor-s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// foretoldBy is the estimate in the events of a command.
func foretoldBy(b *testing.B, events *bytes.Buffer) float64 {
	lines := bufio.NewScanner(bytes.NewReader(events.Bytes()))
	for lines.Scan() {
		var e struct{ Seconds float64 }
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Seconds > 0 {
			return e.Seconds // the first line is that of the start
		}
	}
	b.Fatalf("no estimate in\n%s", events)
	return 0
}
