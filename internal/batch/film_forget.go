package batch

import (
	"cmp"
	"context"
	"maps"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// The frames of a film take gigabytes. So shots whose painted frames are fetched are
// removed from the queue with their archives: some while others are still being painted,
// the rest when all are painted.

// forgetShare is the share of PackedAhead that archives of painted shots may take
// in the queue.
const forgetShare = 4

// noteFrames notes that this process put the archive of a shot into the queue, so that no
// other process relies on it.
func (p *shotPacker) noteFrames(ctx context.Context, id, sum string) error {
	stored, err := p.v.Queue.Blobs().Stored(ctx, sum)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.submitted[id].files = map[string]time.Time{sum: stored}
	return nil
}

// taken notes that the frames of a shot are fetched.
func (p *shotPacker) taken(ctx context.Context, st farm.Status) {
	files := map[string]time.Time{}
	for _, sum := range st.Results {
		if stored, err := p.v.Queue.Blobs().Stored(ctx, sum); err == nil {
			files[sum] = stored
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.submitted[st.Job.ID]
	maps.Copy(files, s.files)
	s.files, s.taken = files, true
}

// forget removes shots whose frames are fetched from the queue, once their archives take
// more than forgetShare allows.
func (p *shotPacker) forget(ctx context.Context, bytes int64) error {
	p.mu.Lock()
	var ids []string
	files, sum := map[string]time.Time{}, int64(0)
	for id, s := range p.submitted {
		if !s.taken || !s.sent || s.forgotten {
			continue
		}
		ids = append(ids, id)
		sum += s.bytes
		maps.Copy(files, s.files)
	}
	if sum <= bytes {
		p.mu.Unlock()
		return nil
	}
	for _, id := range ids {
		p.submitted[id].forgotten = true
	}
	p.mu.Unlock()
	return farm.Forget(ctx, p.v.Queue, ids, files)
}

// forgetAll removes from the queue all shots of the film that this user submitted, also by
// an earlier command that was stopped. Their files that are older than an hour are removed
// with them, the others by the next sweep.
func (p *shotPacker) forgetAll(ctx context.Context) error {
	if err := p.forget(ctx, -1); err != nil {
		return err
	}
	places := map[string]bool{}
	for _, s := range p.v.Shots() {
		_, painted := p.v.ShotFiles(s)
		places[painted] = true
	}
	var ids []string
	var fault error
	err := p.v.Queue.Scan(ctx, farm.Filter{Batch: p.v.Title(), State: farm.Done}, 0, func(st farm.Status, _ uint64) bool {
		if len(st.Job.Outputs) != 1 || !places[st.Job.Outputs[0]] {
			return true
		}
		var own bool
		if own, fault = p.v.Own.Has(st.Job); own {
			ids = append(ids, st.Job.ID)
		}
		return fault == nil
	})
	if err != nil || fault != nil || len(ids) == 0 {
		return cmp.Or(err, fault)
	}
	if err := farm.Forget(ctx, p.v.Queue, ids, nil); err != nil {
		return err
	}
	_, err = farm.Sweep(ctx, p.v.Queue)
	return err
}
