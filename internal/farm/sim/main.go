//go:build !noserver

// Command sim drives a real queue with simulated machines, and reports what the
// queue takes: a thousand workers are goroutines with a connection each, a job is
// a sleep, and machines are taken away, with notice and without. Time runs faster
// for the machines (-speed); the servers are processes of their own on loopback,
// and their time is real.
//
//	go run ./internal/farm/sim -jobs 100000 -workers 1000
//	go run ./internal/farm/sim -jobs 20000 -workers 300 -cluster
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// settings describe the simulation. The times of machines and jobs are simulated
// times.
type settings struct {
	jobs, workers int
	speed         float64 // simulated seconds in a second
	shortest      time.Duration
	longest       time.Duration
	noticed       float64       // share of machines that are taken away in an hour with notice
	unnoticed     float64       // and without notice
	notice        time.Duration // how long before a machine is taken away
	boot          time.Duration // time until a machine that was taken away is replaced
	checkpoint    time.Duration // between two checkpoints of a job
	lease         time.Duration // real: how long a worker may be silent
	beat          time.Duration // real: interval between two heartbeats of a worker
	cluster       bool
	sync          bool
	dir           string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == serveWord {
		serve(os.Args[2:])
		return
	}
	var o settings
	flag.IntVar(&o.jobs, "jobs", 10000, "jobs")
	flag.IntVar(&o.workers, "workers", 1000, "workers; 0: only submit jobs and look at the queue")
	flag.Float64Var(&o.speed, "speed", 500, "simulated seconds in a second")
	flag.DurationVar(&o.shortest, "shortest", 5*time.Second, "the shortest job; lengths are spread evenly over their logarithm")
	flag.DurationVar(&o.longest, "longest", 2*time.Hour, "the longest job")
	flag.Float64Var(&o.noticed, "noticed", 0.05, "share of the machines that are taken away with notice in an hour")
	flag.Float64Var(&o.unnoticed, "unnoticed", 0.01, "share of the machines that are taken away without notice in an hour")
	flag.DurationVar(&o.notice, "notice", 2*time.Minute, "the notice")
	flag.DurationVar(&o.boot, "boot", 3*time.Minute, "until a machine is replaced")
	flag.DurationVar(&o.checkpoint, "checkpoint", 5*time.Minute, "between two checkpoints of a job")
	flag.DurationVar(&o.lease, "lease", 30*time.Second, "how long a worker may be silent; real time")
	flag.DurationVar(&o.beat, "beat", time.Second, "how often a worker says that it lives; real time")
	flag.BoolVar(&o.cluster, "cluster", false, "three servers, one of which is killed when half of the jobs are done")
	flag.BoolVar(&o.sync, "sync", true, "sync every write to disk, as impasto queue serve does")
	flag.StringVar(&o.dir, "dir", "", "folder for the store (default: a temporary one)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		os.Exit(1)
	}
}

// fleet is the state that all machines share.
type fleet struct {
	settings
	urls string

	done     atomic.Int64
	finished chan struct{} // closed when all jobs are done
	mu       sync.Mutex
	ends     map[string]int // accepted ends, by job
	tally    tally
}

// tally counts what happened. Times are simulated, except late.
type tally struct {
	worked, wasted     time.Duration // wasted: since the last checkpoint of machines taken away without notice
	noticed, unnoticed int
	retaken            int
	late               int // jobs that were not given back within the notice
	slowest            time.Duration
	refused            int // ends that the queue refused, because another worker had the job
}

func run(ctx context.Context, o settings) error {
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "impasto-sim-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	servers, err := startServers(o)
	if err != nil {
		return err
	}
	defer servers.stop()
	f := &fleet{settings: o, urls: servers.urls, finished: make(chan struct{}), ends: map[string]int{}}
	r := &report{fleet: f, servers: servers, begun: time.Now()}
	q, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := r.submit(ctx, q); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.cluster {
		go servers.killOneAt(ctx, func() bool { return f.done.Load() >= int64(o.jobs/2) })
	}
	var machines sync.WaitGroup
	begun := time.Now()
	for i := range o.workers {
		machines.Go(func() { f.machine(ctx, i) })
	}
	if o.workers > 0 {
		r.wait(ctx)
	}
	r.drained = time.Since(begun)
	cancel()
	machines.Wait()
	return r.finish(context.WithoutCancel(ctx), q)
}

// open connects to the queue. Each worker has its own connection.
func (f *fleet) open(ctx context.Context) (farm.Queue, error) {
	return farm.Open(ctx, farm.Options{URL: f.urls, Wait: f.lease, Patience: time.Minute})
}

// real converts a simulated time to real time.
func (o settings) real(d time.Duration) time.Duration { return time.Duration(float64(d) / o.speed) }

// simulated converts a real time to simulated time.
func (o settings) simulated(d time.Duration) time.Duration {
	return time.Duration(float64(d) * o.speed)
}
