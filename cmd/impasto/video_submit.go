package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

// The shots of a film on their way: one goroutine packs and submits them, while
// the command follows the queue and takes them back. A film of hours as frames
// fills disks, so no more than packedAhead of it is abroad at a time.

// packedAhead bounds the archives of shots that are not painted yet, in bytes;
// but for one there is always room.
var packedAhead int64 = 4 << 30

// submit has the shots painted by a queue's workers and makes the film.
func (v *video) submit(ctx context.Context, signals *ui.Signals, c *cli.Context) error {
	if v.set.on("dry-run") {
		return v.dryRun()
	}
	done, err := v.settleOutput()
	if done || err != nil {
		return err
	}
	o, err := queuePlace(c)
	if err != nil {
		return err
	}
	q, err := batch.Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	cols, _ := ui.TerminalSize(v.stderr)
	r := progress.NewBatch(v.stderr, progress.Options{Kind: v.set.text("progress"), Quiet: v.quiet, Terminal: ui.IsTerminal(v.stderr), Width: cols})
	defer r.Close()
	for _, n := range v.notes {
		r.Event("warning", n, nil)
	}
	painted, err := v.farmShots(ctx, c, q, r, o.URL != "")
	if err != nil {
		if ctx.Err() != nil {
			r.Close()
			f := v.stopped(signals, context.Canceled).(*ui.Fault)
			f.Message += "; its jobs stay in the queue"
			return f
		}
		return batch.QueueFault(err)
	}
	return v.finishFilm(ctx, signals, r, painted)
}

// farmShots brings the frames that are missing, and says what was painted.
func (v *video) farmShots(ctx context.Context, c *cli.Context, q farm.Queue, r progress.BatchReporter, upload bool) (o videoOutcome, err error) {
	v.begun = time.Now()
	if err := v.beginFrames(); err != nil {
		return o, err
	}
	missing, err := v.missingShots(ctx)
	if err != nil {
		return o, err
	}
	r.Start(fmt.Sprintf("%s in %s, %d to paint", ui.Count(v.input.Frames, "frame"), ui.Count(len(v.shots), "shot"), len(missing)), v.describe())
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	calls := make(chan func())
	f := batch.Follow(r, nil)
	f.Weights, f.Calls, f.Coming = map[string]float64{}, calls, len(missing)
	p := &shotPacker{v: v, c: c, q: q, upload: upload, follow: f, calls: calls, abroad: map[string]shotAbroad{}, back: make(chan struct{}, 1)}
	sum := 0.0
	f.Collect = func(ctx context.Context, st farm.Status) error {
		if _, err := batch.Collect(ctx, q, st, true); err != nil {
			return err
		}
		var one videoOutcome
		if err := json.Unmarshal(st.Outcome, &one); err == nil && one.Flicker != nil {
			sum += *one.Flicker * float64(one.Compared)
			o.Compared += one.Compared
		}
		shot := p.shot(st.Job.ID)
		o.Painted += shot.Len()
		return v.takeShot(ctx, shot)
	}
	f.Ended = func(st farm.Status) { p.returned(st.Job.ID) }
	var packing sync.WaitGroup
	packing.Go(func() {
		defer close(calls)
		if err := p.run(ctx, r, missing); err != nil {
			stop(err)
		}
	})
	err = f.Run(ctx, q)
	cause := context.Cause(ctx)
	stop(nil)
	packing.Wait()
	folder, _ := v.shotFiles(film.Shot{})
	_ = os.Remove(filepath.Dir(folder)) // if it is empty
	if err != nil {
		if cause != nil {
			err = cause
		}
		return o, err
	}
	o.Painted -= p.before
	if o.Compared > 0 {
		mean := sum / float64(o.Compared)
		o.Flicker = &mean
	}
	return o, f.Fault()
}

// missingShots are those with frames that are not painted.
func (v *video) missingShots(ctx context.Context) (missing []int, err error) {
	for i, s := range v.shots {
		_, painted := v.shotFiles(s)
		if _, err := os.Stat(painted); err == nil && v.missing(s) { // stopped before it was taken
			if err := v.takeShot(ctx, s); err != nil {
				return nil, err
			}
		}
		if v.missing(s) {
			missing = append(missing, i)
		} else {
			v.dropShot(s)
		}
	}
	return missing, nil
}

// shotPacker packs shots and submits them.
type shotPacker struct {
	v      *video
	c      *cli.Context
	q      farm.Queue
	upload bool // the workers may not see the files of this machine
	follow *batch.Follower
	calls  chan<- func()
	before int // frames of shots that were painted before; for calls

	mu     sync.Mutex
	abroad map[string]shotAbroad // by job ID
	bytes  int64                 // of all that are
	back   chan struct{}         // one came back
}

type shotAbroad struct {
	shot  film.Shot
	bytes int64
	ended bool
}

// run packs and submits shots, by their numbers.
func (p *shotPacker) run(ctx context.Context, r progress.BatchReporter, shots []int) error {
	v := p.v
	b := &jobList{name: v.title(), seconds: map[string]float64{}}
	orders := newOrders(v.session, filepath.Join(filepath.Dir(v.frames), v.title()), flagText(p.c, "class"))
	cursor := film.NewCursor(v.source)
	defer cursor.Close()
	for _, i := range shots {
		if err := p.room(ctx); err != nil {
			return err
		}
		frames, painted := v.shotFiles(v.shots[i])
		if _, err := os.Stat(frames); errors.Is(err, fs.ErrNotExist) {
			p.call(ctx, func() {
				r.Event("packing", fmt.Sprintf("%s, shot %d of %d", frames, i+1, len(v.shots)), map[string]any{"shot": i + 1, "output": frames})
			})
			err := makeDirectory(filepath.Dir(frames))
			if err == nil {
				err = film.PackShot(ctx, frames, cursor, v.shots[i])
			}
			if err != nil {
				return err
			}
		}
		orders.add(b, v.shotEntry(p.c, i, frames, painted))
		if len(orders.bad) > 0 {
			return orders.faults()
		}
		j := b.jobs[len(b.jobs)-1]
		if err := p.submit(ctx, j, b.seconds[j.ID], v.shots[i], frames); err != nil {
			return err
		}
	}
	return nil
}

// submit brings a job into the queue, or takes what it did before.
func (p *shotPacker) submit(ctx context.Context, j farm.Job, seconds float64, shot film.Shot, frames string) error {
	size := int64(0)
	if st, err := os.Stat(frames); err == nil {
		size = st.Size()
	}
	p.mu.Lock()
	p.abroad[j.ID] = shotAbroad{shot: shot, bytes: size}
	p.bytes += size
	p.mu.Unlock()
	if p.upload {
		if _, err := farm.Upload(ctx, p.q, []farm.Job{j}); err != nil {
			return err
		}
	}
	p.call(ctx, func() { p.follow.Add(j, seconds) }) // before the queue tells of it
	e, err := batch.Submit(ctx, p.q, []farm.Job{j}, true)
	if err != nil {
		return err
	}
	if st := e.Jobs[0]; st.State.Ended() {
		p.call(ctx, func() {
			if p.follow.AddEnded(ctx, st) {
				p.before += shot.Len()
			}
		})
	}
	return nil
}

// room waits until another shot may be packed.
func (p *shotPacker) room(ctx context.Context) error {
	for {
		p.mu.Lock()
		bytes := p.bytes
		p.mu.Unlock()
		if bytes < packedAhead {
			return ctx.Err()
		}
		select {
		case <-p.back:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// call has follow's goroutine do something.
func (p *shotPacker) call(ctx context.Context, f func()) {
	select {
	case p.calls <- f:
	case <-ctx.Done():
	}
}

func (p *shotPacker) shot(id string) film.Shot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.abroad[id].shot
}

// returned counts a shot whose job has ended as no longer abroad.
func (p *shotPacker) returned(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.abroad[id]; ok && !s.ended {
		p.bytes -= s.bytes
		s.ended = true
		p.abroad[id] = s
		select {
		case p.back <- struct{}{}:
		default:
		}
	}
}
