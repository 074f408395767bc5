package farm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory returns a queue in this process's memory, for tests and for uses that need
// no durable queue. wait is how long a worker may be silent.
func Memory(wait time.Duration) Queue {
	m := &memory{wait: wait, records: map[string]version{}, waiting: map[string]*waiting{}, changed: make(chan struct{})}
	return &queue{store: m, blobs: &memoryBlobs{files: map[string]memoryFile{}}}
}

type memory struct {
	wait time.Duration

	mu       sync.Mutex
	records  map[string]version
	waiting  map[string]*waiting // by ticket
	messages uint64
	changes  uint64
	watchers []memoryWatcher
	changed  chan struct{} // closed and renewed when there may be something to take
}

// memoryWatcher receives the changes of some jobs.
type memoryWatcher struct {
	to   chan Status
	only map[string]bool // by ID; nil: of all
}

func (w memoryWatcher) wants(s Status) bool { return w.only == nil || w.only[s.Job.ID] }

// waiting is a message.
type waiting struct {
	job      Job
	number   uint64
	queued   time.Time
	until    time.Time // it is with a worker until then
	delivery int
}

func (m *memory) get(_ context.Context, id string) (Status, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[id]
	if !ok {
		return Status{}, 0, ErrUnknown
	}
	return r.Status.clone(), r.revision, nil
}

// clone returns a copy that shares nothing that changes.
func (s Status) clone() Status {
	s.Results, s.Checkpoints, s.Found = maps.Clone(s.Results), maps.Clone(s.Checkpoints), maps.Clone(s.Found)
	return s
}

func (m *memory) put(_ context.Context, given *Status, revision uint64) (uint64, error) {
	s := *given
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records[s.Job.ID].revision != revision {
		return 0, errConflict
	}
	m.changes++
	m.records[s.Job.ID] = version{s.clone(), m.changes}
	for _, w := range m.watchers {
		if !w.wants(s) {
			continue
		}
		select {
		case w.to <- s.clone():
		default: // a watcher that does not read misses changes and does not block the queue
		}
	}
	return m.changes, nil
}

func (m *memory) remove(_ context.Context, s Status) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, s.Job.ID)
	return nil
}

func (m *memory) all(context.Context) ([]Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Status
	for _, r := range m.records {
		list = append(list, r.Status.clone())
	}
	return list, nil
}

func (m *memory) each(_ context.Context, after uint64, f func(Status, uint64) bool) error {
	m.mu.Lock()
	list := slices.Collect(maps.Values(m.records))
	m.mu.Unlock()
	slices.SortFunc(list, func(a, b version) int { return cmp.Compare(a.revision, b.revision) })
	for _, r := range list {
		if r.revision > after && !f(r.Status.clone(), r.revision) {
			break
		}
	}
	return nil
}

func (m *memory) chosen(ctx context.Context, filter Filter, after uint64, f func(Status, uint64) bool) error {
	return m.each(ctx, after, func(s Status, revision uint64) bool { return !filter.Has(s) || f(s, revision) })
}

func (m *memory) tally(_ context.Context, filter Filter) (map[State]int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[State]int{}
	for _, r := range m.records {
		if filter.Has(r.Status) {
			counts[r.Status.State]++
		}
	}
	return counts, nil
}

func (m *memory) reindex(context.Context) error { return nil }

func (m *memory) load(context.Context) (map[string]Load, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, now := map[string]Load{}, time.Now()
	for _, w := range m.waiting {
		l := all[w.job.Class]
		if w.until.After(now) {
			l.Running++
		} else {
			l.Waiting++
		}
		if l.Oldest.IsZero() || w.queued.Before(l.Oldest) {
			l.Oldest = w.queued
		}
		all[w.job.Class] = l
	}
	return all, nil
}

func (m *memory) watch(ctx context.Context) (<-chan Status, error) { return m.follow(ctx, nil) }

func (m *memory) watchOnly(ctx context.Context, ids []string) (<-chan Status, error) {
	only := map[string]bool{}
	for _, id := range ids {
		only[id] = true
	}
	return m.follow(ctx, only)
}

func (m *memory) follow(ctx context.Context, only map[string]bool) (<-chan Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(chan Status, len(m.records)+1024)
	w := memoryWatcher{c, only}
	for _, r := range m.records {
		if only != nil && w.wants(r.Status) {
			c <- r.Status.clone()
		}
	}
	c <- Status{}
	m.watchers = append(m.watchers, w)
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.watchers = slices.DeleteFunc(m.watchers, func(w memoryWatcher) bool { return w.to == c })
		close(c)
	})
	return c, nil
}

func (m *memory) publish(_ context.Context, s Status) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting[s.Ticket] == nil {
		m.messages++
		m.waiting[s.Ticket] = &waiting{job: s.Job, number: m.messages, queued: time.Now()}
		m.wake()
	}
	return nil
}

func (m *memory) wake() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) take(ctx context.Context, class string, empty time.Duration) (message, error) {
	for start := time.Now(); ; {
		m.mu.Lock()
		var best *waiting
		now := time.Now()
		soon := now.Add(time.Second)
		if empty > 0 {
			soon = now.Add(min(time.Second, empty-now.Sub(start)))
		}
		for _, w := range m.waiting {
			switch {
			case w.job.Class != class:
			case w.until.After(now):
				if w.until.Before(soon) {
					soon = w.until
				}
			case best == nil || cmp.Or(-cmp.Compare(w.job.Priority, best.job.Priority), cmp.Compare(w.number, best.number)) < 0:
				best = w
			}
		}
		changed := m.changed
		if best != nil {
			best.until = now.Add(m.wait)
			best.delivery++
			d := &memoryMessage{m, best, best.delivery}
			m.mu.Unlock()
			return d, nil
		}
		m.mu.Unlock()
		if empty > 0 && now.Sub(start) >= empty {
			return nil, ErrEmpty
		}
		timer := time.NewTimer(time.Until(soon))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (m *memory) has(_ context.Context, sequence uint64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.waiting {
		if w.number == sequence {
			return true, nil
		}
	}
	return false, nil
}

func (m *memory) limit() int { return maxPayload }

func (m *memory) lives() context.Context { return context.Background() }

func (m *memory) close() error { return nil }

type memoryMessage struct {
	m        *memory
	w        *waiting
	delivery int
}

func (d *memoryMessage) id() string       { return d.w.job.ID }
func (d *memoryMessage) sequence() uint64 { return d.w.number }

func (d *memoryMessage) extend() error {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if d.w.delivery == d.delivery {
		d.w.until = time.Now().Add(d.m.wait)
	}
	return nil
}

func (d *memoryMessage) acknowledge(context.Context) error {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	maps.DeleteFunc(d.m.waiting, func(_ string, w *waiting) bool { return w == d.w })
	return nil
}

func (d *memoryMessage) again(delay time.Duration) error {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if d.w.delivery == d.delivery {
		d.w.until = time.Now().Add(delay)
		d.m.wake()
	}
	return nil
}

type memoryBlobs struct {
	mu    sync.Mutex
	files map[string]memoryFile
}

type memoryFile struct {
	data   []byte
	stored time.Time
}

func (b *memoryBlobs) Put(_ context.Context, sum string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
		return &DamagedError{sum}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files[sum] = memoryFile{data, time.Now()}
	return nil
}

func (b *memoryBlobs) Get(_ context.Context, sum string) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.files[sum]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", sum, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(f.data)), nil
}

func (b *memoryBlobs) Has(_ context.Context, sum string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.files[sum]
	return ok, nil
}

func (b *memoryBlobs) Delete(_ context.Context, sum string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.files, sum)
	return nil
}

func (b *memoryBlobs) Touch(_ context.Context, sum string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.files[sum]
	if ok {
		b.files[sum] = memoryFile{f.data, time.Now()}
	}
	return ok, nil
}

func (b *memoryBlobs) Stored(_ context.Context, sum string) (time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.files[sum]
	if !ok {
		return time.Time{}, fmt.Errorf("blob %s: %w", sum, fs.ErrNotExist)
	}
	return f.stored, nil
}

func (b *memoryBlobs) List(context.Context) ([]Blob, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Blob
	for sum, f := range b.files {
		list = append(list, Blob{sum, f.stored})
	}
	return list, nil
}

func (b *memoryBlobs) Tidy(context.Context, time.Time) error { return nil }
