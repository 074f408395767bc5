//go:build !noserver

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// machine simulates the machine of one worker. When it is taken away, it is
// replaced.
func (f *fleet) machine(ctx context.Context, number int) {
	draw := rand.New(rand.NewPCG(1, uint64(number)))
	for life := 0; ctx.Err() == nil; life++ {
		if life > 0 {
			rest(ctx, f.real(f.boot))
		}
		q, err := f.open(ctx)
		if err != nil {
			continue
		}
		w := &worker{fleet: f, q: q, name: fmt.Sprintf("machine %d/%d", number, life)}
		w.live(ctx, f.until(draw, f.noticed), f.until(draw, f.unnoticed))
		q.Close()
	}
}

// until draws the real time until an event of a machine. share is the share of all
// machines that have such an event in an hour.
func (f *fleet) until(draw *rand.Rand, share float64) time.Duration {
	if share <= 0 {
		return math.MaxInt64
	}
	return f.real(min(time.Duration(draw.ExpFloat64()/share*float64(time.Hour)), 10000*time.Hour))
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

type worker struct {
	*fleet
	q    farm.Queue
	name string
}

var (
	errNotice = errors.New("this machine will be taken away")
	errTaken  = errors.New("this machine was taken away")
)

// live takes jobs until the machine is taken away, with or without notice.
func (w *worker) live(ctx context.Context, notice, end time.Duration) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer time.AfterFunc(notice, func() { cancel(errNotice) }).Stop()
	defer time.AfterFunc(end, func() { cancel(errTaken) }).Stop()
	for {
		l, err := w.q.Next(ctx, farm.ClassCPU, w.name, 0)
		if l != nil {
			w.do(ctx, l)
		}
		switch cause := context.Cause(ctx); {
		case cause == nil && err != nil:
			rest(ctx, time.Second)
		case cause == nil:
		case errors.Is(cause, errNotice):
			w.count(func(t *tally) { t.noticed++ })
			return
		case errors.Is(cause, errTaken):
			w.count(func(t *tally) { t.unnoticed++ })
			return
		default:
			return // the simulation ends
		}
	}
}

// lengthOf returns how long a job takes. Its ID determines it. The logarithm of the
// length is uniformly distributed.
func (f *fleet) lengthOf(id string) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(id))
	at := float64(h.Sum64()%1e6) / 1e6
	low, high := math.Log(float64(f.shortest)), math.Log(float64(f.longest))
	return time.Duration(math.Exp(low + at*(high-low)))
}

// do works on a job from its last checkpoint until it is done or the machine is
// taken away. With notice, it saves a checkpoint and gives the job back.
func (w *worker) do(ctx context.Context, l farm.Lease) {
	s := l.Status()
	length := w.lengthOf(s.Job.ID)
	saved := time.Duration(s.Fraction * float64(length))
	if s.Deaths > 0 || s.Fraction > 0 {
		w.count(func(t *tally) { t.retaken++ })
	}
	begun, at := time.Now(), saved
	worked := func() time.Duration { return min(length, at+w.simulated(time.Since(begun))) }
	lasting := context.WithoutCancel(ctx)
	beat := time.NewTicker(w.beat)
	defer beat.Stop()
	next := time.NewTimer(w.real(min(w.checkpoint, length-saved)))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			if !errors.Is(context.Cause(ctx), errNotice) {
				w.count(func(t *tally) { t.worked += worked() - at; t.wasted += worked() - saved })
				return
			}
			now, warned := worked(), time.Now()
			err := l.Finish(lasting, farm.Queued, func(s *farm.Status) { s.Fraction = float64(now) / float64(length) })
			took := time.Since(warned)
			w.count(func(t *tally) {
				t.worked += now - at
				t.slowest = max(t.slowest, took)
				if err != nil || took > w.notice { // the time of the server is real
					t.late++
				}
			})
			return
		case <-beat.C:
			if _, err := l.Extend(lasting); errors.Is(err, farm.ErrLost) {
				w.lost(worked()-at, worked()-saved)
				return
			}
		case <-next.C:
			now := worked()
			if now < length {
				if l.Update(lasting, func(s *farm.Status) { s.Fraction, s.Deaths = float64(now)/float64(length), 0 }) == nil {
					saved = now
				}
				next.Reset(w.real(min(w.checkpoint, length-now)) + time.Millisecond)
				continue
			}
			if !w.end(lasting, l, length-at) {
				w.lost(length-at, length-saved)
			}
			return
		}
	}
}

// end reports to the queue that a job is done. It retries as a worker does.
func (w *worker) end(ctx context.Context, l farm.Lease, worked time.Duration) bool {
	id := l.Status().Job.ID
	outcome, _ := json.Marshal(map[string]string{"losses": strings.Repeat("0.123456 ", 100)}) // about as long as that of a render
	for {
		err := l.Finish(ctx, farm.Done, func(s *farm.Status) { s.Fraction, s.Outcome = 1, outcome })
		if errors.Is(err, farm.ErrLost) {
			return false
		}
		if err == nil {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	w.mu.Lock()
	w.ends[id]++
	w.tally.worked += worked
	w.mu.Unlock()
	if w.done.Add(1) == int64(w.jobs) {
		close(w.finished)
	}
	return true
}

// lost counts a job that another worker has now.
func (w *worker) lost(worked, wasted time.Duration) {
	w.count(func(t *tally) { t.refused++; t.worked += worked; t.wasted += wasted })
}

func (f *fleet) count(change func(*tally)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.tally)
}
