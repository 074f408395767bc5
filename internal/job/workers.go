package job

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
)

// A Place is where jobs run, one at a time: a device and a folder.
type Place struct {
	Device  string
	Class   string // of the jobs it takes
	Threads int
	Price   float64 // of an hour of its worker; 0 where that is not known
	dir     string  // set by Claim
}

// Places returns the places for the values of --device, --class, --workers and
// --threads. "" and "auto" mean all CUDA devices, or the processor if there are
// none. Only a processor has several workers, which share its threads.
func Places(name, class string, workers, threads int) []Place {
	var all []Place
	if name == "" || name == "auto" {
		list, _ := device.ListCUDA()
		for n := range list {
			all = append(all, Place{Device: fmt.Sprintf("cuda:%d", n), Class: farm.ClassGPU})
		}
		name = "cpu"
	} else if _, ok := device.CUDAIndex(name); ok {
		all = append(all, Place{Device: name, Class: farm.ClassGPU})
	}
	if len(all) == 0 {
		for range workers {
			all = append(all, Place{Device: name, Class: farm.ClassCPU, Threads: max(1, threads/workers)})
		}
	}
	for i := range all {
		if class != "" {
			all[i].Class = class
		}
	}
	return all
}

// AddClasses adds a place for each class of jobs that no place takes, on the device of
// the first, and returns those classes.
func AddClasses(places []Place, jobs []farm.Job) (all []Place, added []string) {
	for _, j := range jobs {
		if !slices.Contains(Classes(places), j.Class) {
			added = append(added, j.Class)
			places = append(places, Place{Device: places[0].Device, Class: j.Class, Threads: places[0].Threads})
		}
	}
	return places, added
}

// Classes lists the classes of jobs that workers of these places take.
func Classes(places []Place) (classes []string) {
	for _, at := range places {
		classes = append(classes, at.Class)
	}
	return classes
}

// SharePrice divides the price of an hour of this machine among its workers.
func SharePrice(places []Place, ofMachine func(class string) float64) {
	for i, at := range places {
		places[i].Price = ofMachine(at.Class) / float64(len(places))
	}
}

// Describe names the devices of places.
func Describe(places []Place) string {
	var parts []string
	for _, at := range places {
		text := at.Device
		if at.Threads > 0 {
			text += ", " + ui.Count(at.Threads, "thread")
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// Claim takes a folder of the state directory for each place, until release is
// called. It runs before the queue is opened, which may take a while. So a folder
// that cannot be made is reported at once, and the files of a killed worker are
// removed even if this one is stopped before it has found the queue.
func Claim(places []Place) (release func(), err error) {
	state, err := config.StateFolder()
	if err != nil {
		return nil, err
	}
	var claimed []func()
	release = func() {
		for _, leave := range claimed {
			leave()
		}
	}
	for i := range places {
		dir, leave, err := farm.Claim(filepath.Join(state, "work"))
		if err != nil {
			release()
			return nil, ui.NewFault(ui.ExitFailure, "state", fmt.Sprintf("the state directory %q cannot be used: %s", state, ui.Reason(err)), "export IMPASTO_STATE=$HOME/impasto-state   (another one)")
		}
		places[i].dir = dir
		claimed = append(claimed, leave)
	}
	return release, nil
}

// Workers are the workers of this process.
type Workers struct {
	drain   chan struct{}
	once    sync.Once
	running sync.WaitGroup
	devices []*render.Devices
}

// Options are what the workers of a process share.
type Options struct {
	Env       render.Env    // Library and Program; each worker has its own devices
	IdleLimit time.Duration // end when no job has come for this long; 0 for never
	Ended     func(farm.Status)
	Log       *slog.Logger
}

// Start starts a worker at each place. The places must have been claimed.
func Start(q farm.Queue, places []Place, o Options) *Workers {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	w := &Workers{drain: make(chan struct{})}
	for i, at := range places {
		env := o.Env
		env.Devices = render.NewDevices(env.Library)
		w.devices = append(w.devices, env.Devices)
		name := fmt.Sprintf("%s:%d", host, os.Getpid())
		if len(places) > 1 {
			name += fmt.Sprintf("/%d", i+1)
		}
		worker := &farm.Worker{Queue: q, Doer: &Runner{Device: at.Device, Threads: at.Threads, Env: env}, Class: at.Class, Name: name, Dir: at.dir,
			Empty: o.IdleLimit, Price: at.Price, Ended: o.Ended, Log: o.Log}
		w.running.Go(func() {
			// Only drain stops the worker, because the end of a job must still be
			// reported to the queue.
			_ = worker.Run(context.Background(), w.drain)
		})
	}
	return w
}

// Stop makes the workers save their jobs and give them back to the queue. Wait
// waits until they have.
func (w *Workers) Stop() { w.once.Do(func() { close(w.drain) }) }

// Wait returns when all workers have ended.
func (w *Workers) Wait() {
	w.running.Wait()
	for _, d := range w.devices {
		d.Release()
	}
}

// NewEnv returns the environment of the steps of jobs: an empty standard input, and
// a library of shared pictures and networks.
func NewEnv(program string) render.Env {
	sums := &farm.Sums{}
	library := &render.Library{Sum: sums.Of}
	return render.Env{Library: library, Devices: render.NewDevices(library), Stdin: strings.NewReader(""), Stdout: io.Discard, Job: true, Program: program}
}
