//go:build !noserver

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// report is the result of a simulation.
type report struct {
	*fleet
	servers            *servers
	begun              time.Time
	submitted, drained time.Duration
}

// chunk is how many jobs are submitted at once.
const chunk = 5000

func (r *report) submit(ctx context.Context, q farm.Queue) error {
	begun := time.Now()
	for at := 0; at < r.jobs; at += chunk {
		var jobs []farm.Job
		for i := at; i < min(r.jobs, at+chunk); i++ {
			output := fmt.Sprintf("/pictures/painted/%07d.png", i)
			j := farm.Job{Name: fmt.Sprintf("jobs.yaml:5 #%d", i), Batch: "jobs.yaml", Class: farm.ClassCPU, Outputs: []string{output},
				Steps: [][]string{{"art", "--content=/pictures/content.jpg", "--style=/pictures/style.jpg", "--size=1024", "--iterations=500", "--output=" + output}}}
			j.Identify()
			jobs = append(jobs, j)
		}
		if n, err := q.Submit(ctx, jobs...); err != nil || n != len(jobs) {
			return errors.Join(fmt.Errorf("%d of %d jobs submitted", at+n, r.jobs), err)
		}
	}
	r.submitted = time.Since(begun)
	r.say("submitted %d jobs in %.0f s", r.jobs, r.submitted.Seconds())
	return nil
}

// wait prints the progress until all jobs are done.
func (r *report) wait(ctx context.Context) {
	every := 10 * time.Second
	if r.jobs >= 200000 {
		every = time.Minute
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	before := int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.finished:
			return
		case <-tick.C:
			done, u := r.done.Load(), r.servers.usage()
			r.say("%d done, %d/s; server %s, %s on disk", done, (done-before)/int64(every.Seconds()), megabytes(u[len(u)-1].memory), megabytes(u[len(u)-1].disk))
			before = done
		}
	}
}

// rowsOfWork prints the rows about the work of the machines.
func (r *report) rowsOfWork(row func(what, format string, a ...any)) {
	t := r.tally
	row("drained", "%.0f s, %.0f/s; the machines were busy %.0f %% of it", r.drained.Seconds(), float64(r.jobs)/r.drained.Seconds(),
		100*t.worked.Seconds()/r.speed/float64(r.workers)/r.drained.Seconds())
	row("machines taken away", "%d with notice, %d without; jobs taken again %d", t.noticed, t.unnoticed, t.retaken)
	row("work lost since checkpoints", "%.3f %% (%.1f of %.0f simulated hours)", 100*t.wasted.Seconds()/t.worked.Seconds(), t.wasted.Hours(), t.worked.Hours())
	row("giving a job back", "%.2f s at most; %d were not, and went on when the lease was over", t.slowest.Seconds(), t.late)
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

func (r *report) say(format string, a ...any) {
	fmt.Fprintf(os.Stderr, "%5.0f s  %s\n", time.Since(r.begun).Seconds(), fmt.Sprintf(format, a...))
}

// finish reads the queue afterwards and writes the report as a table.
func (r *report) finish(ctx context.Context, q farm.Queue) error {
	row := func(what, format string, a ...any) { fmt.Printf("| %s | %s |\n", what, fmt.Sprintf(format, a...)) }
	usages := r.servers.usage()
	begun, listed := time.Now(), 0
	err := q.Scan(ctx, farm.Filter{}, 0, func(farm.Status, uint64) bool { listed++; return listed < 1000 })
	page := time.Since(begun)
	begun = time.Now()
	_, loadErr := q.Load(ctx)
	load := time.Since(begun)
	begun = time.Now()
	states := map[farm.State]int{}
	scanErr := q.Scan(ctx, farm.Filter{}, 0, func(s farm.Status, _ uint64) bool { states[s.State]++; return true })
	scan := time.Since(begun)
	twice := 0
	for _, n := range r.ends {
		if n > 1 {
			twice++
		}
	}
	lost := r.jobs - states[farm.Done]
	if r.workers == 0 {
		lost = r.jobs - states[farm.Queued]
	}
	fmt.Println("| what | figure |\n|---|---|")
	row("jobs, workers, servers", "%d, %d, %d; %g simulated seconds in a second", r.jobs, r.workers, len(r.servers.running), r.speed)
	row("submitted", "%.0f s, %.0f/s", r.submitted.Seconds(), float64(r.jobs)/r.submitted.Seconds())
	if r.workers > 0 {
		r.rowsOfWork(row)
	}
	row("lost, done twice", "%d, %d", lost, twice)
	for i, u := range usages {
		killed := ""
		if r.servers.killed == fmt.Sprint("n", i) {
			killed = "; killed when half was done"
		}
		row(fmt.Sprintf("server %d", i), "%s of memory at most, %s of disk at most, %.0f s of processor%s", megabytes(u.memory), megabytes(u.disk), u.cpu.Seconds(), killed)
	}
	row("a page of 1000 jobs; what waits, counted; all jobs read", "%d ms; %d ms; %.1f s", page.Milliseconds(), load.Milliseconds(), scan.Seconds())
	if err := errors.Join(err, loadErr, scanErr); err != nil {
		return err
	}
	if lost != 0 || twice != 0 {
		return fmt.Errorf("%d jobs were lost, %d done twice; the queue says %v", lost, twice, states)
	}
	return nil
}
