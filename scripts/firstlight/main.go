// Firstlight is what a person with an NVIDIA GPU runs once, and what we run the
// first time that one can be had: it proves the kernels there, times them beside
// the model's floor and PyTorch, and says what it found. scripts/first-light
// builds the folder it runs in, which needs no network, compiler or toolkit.
//
//	./run                at most 8 minutes on an idle data-centre GPU
//	./run -seconds 240   less
//	./run -toy           at toy sizes, for rehearsing on a software device
//
// Each step is a process of its own, which may take so long and no longer; what
// it finds is in results.json and index.html as soon as it says so.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
	"time"
)

// step is a part of the whole: the most telling come first.
type step struct {
	name    string
	what    string
	seconds int // it may take
	run     func(c *child) error
}

var steps = []step{
	{"facts", "the machine, its driver and its devices", 30, facts},
	{"kernels", "every kernel against the processor", 60, kernelsAgainstProcessor},
	{"iteration", "an iteration of art, against the floor", 60, iterations},
	{"paint", "pictures against the processor's", 100, paintings},
	{"launches", "graph launches and waits of an iteration", 40, launches},
	{"times", "each kernel against its floor", 60, kernelTimes},
	{"torch", "the same iteration in PyTorch", 100, besideTorch},
	{"driver", "what a driver must do", 60, driverTests},
	{"operations", "every operation against float64", 150, operationTests},
	{"images", "images an hour", 60, imagesAnHour},
	{"largest", "the largest picture", 45, largest},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("first light: ")
	toy := flag.Bool("toy", false, "at toy sizes")
	seconds := flag.Int("seconds", 480, "that all steps may take")
	only := flag.String("only", "", "run only these steps, such as facts,kernels")
	inside := flag.String("step", "", "run this step here (the program starts itself so)")
	flag.Parse()
	if *inside != "" {
		runInside(*inside, *toy)
		return
	}
	r := &report{Started: time.Now().UTC().Format(time.RFC3339), Toy: *toy}
	deadline := time.Now().Add(time.Duration(*seconds) * time.Second)
	for _, s := range steps {
		if *only != "" && !strings.Contains(","+*only+",", ","+s.name+",") {
			continue
		}
		limit := time.Duration(s.seconds) * time.Second
		if *toy {
			limit *= 4 // a software device on a machine with other work
		}
		limit = min(limit, time.Until(deadline))
		if limit < 2*time.Second {
			r.add(result{Step: s.name, What: "step", Head: true, Text: "left out: the time is over"})
			continue
		}
		fmt.Fprintf(os.Stderr, "%-11s %s (at most %d s)\n", s.name, s.what, int(limit.Seconds()))
		start := time.Now()
		if err := r.runStep(s, limit, *toy); err != nil {
			r.add(result{Step: s.name, What: "step", Bad: true, Text: err.Error()})
		}
		r.took(s.name, time.Since(start))
	}
	r.finish()
	folder, err := os.Getwd()
	if err != nil {
		folder = "this folder"
	}
	fmt.Print(r.screen(folder))
	if r.bad() > 0 {
		os.Exit(1)
	}
}

// runStep starts this program again for one step and takes its findings, a line
// of JSON each. A step that takes too long is killed; what it found stays.
func (r *report) runStep(s step, limit time.Duration, toy bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := []string{"-step", s.name}
	if toy {
		args = append(args, "-toy")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	ownGroup(cmd)
	cmd.WaitDelay = 2 * time.Second
	var stderr tail
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		found := result{Step: s.name}
		if err := json.Unmarshal(lines.Bytes(), &found); err != nil {
			stderr.Write(append(lines.Bytes(), '\n'))
			continue
		}
		r.add(found)
	}
	err = cmd.Wait()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("was stopped after %.0f s\n%s", limit.Seconds(), stderr.text())
	case err != nil:
		return fmt.Errorf("%v\n%s", err, stderr.text())
	}
	return nil
}

// tail keeps the end of what a process says.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 4000 {
		t.b = t.b[len(t.b)-4000:]
	}
	return len(p), nil
}

func (t *tail) text() string { return strings.TrimSpace(string(t.b)) }

// child is a step under way, in a process of its own.
type child struct {
	toy bool
	out io.Writer
}

// seconds is how long a part of the step may take: longer at toy sizes, where the
// device is one in software.
func (c *child) seconds(n int) time.Duration {
	if c.toy {
		n *= 4
	}
	return time.Duration(n) * time.Second
}

func runInside(name string, toy bool) {
	for _, s := range steps {
		if s.name == name {
			if err := s.run(&child{toy: toy, out: os.Stdout}); err != nil {
				log.Fatal(err)
			}
			return
		}
	}
	log.Fatalf("there is no step %q", name)
}

// find reports a result. It is on the disk before find returns to a step that
// the device may yet bring down.
func (c *child) find(r result) {
	line, err := json.Marshal(r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(c.out, "%s\n", line)
}
