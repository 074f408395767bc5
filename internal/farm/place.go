package farm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// checkpointSuffix is what the name of a checkpoint adds to that of its output.
const checkpointSuffix = ".checkpoint"

// place has the paths of a job's files on the machine that does the job:
//
//	blobs/SHA/NAME        inputs that this machine does not have under their own path
//	jobs/ID/out/N/NAME    output N, and NAME.checkpoint
//
// Base names are kept, because recipes and messages show them.
type place struct {
	dir, blobs string
	job        Job
	pairs      []string          // submitted path, path on this machine
	outputs    map[string]string // path on this machine, by submitted path
	inputs     []string          // paths on this machine

	mu   sync.Mutex
	kept map[string]stamped // the checkpoints that the record names, by output
	sums *Sums
}

func newPlace(dir, blobs string, j Job, known *Sums) *place {
	p := &place{dir: dir, blobs: blobs, job: j, outputs: map[string]string{}, kept: map[string]stamped{}, sums: known}
	for i, path := range j.Outputs {
		here := filepath.Join(dir, "out", strconv.Itoa(i), baseName(path))
		p.outputs[path] = here
		p.pairs = append(p.pairs, path, here)
	}
	return p
}

// baseName drops the folders of a path of any system, because the submitter's system may
// be another.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// prepare fetches inputs and checkpoints.
func (p *place) prepare(ctx context.Context, b Blobs, checkpoints map[string]string) error {
	for _, path := range slices.Sorted(maps.Keys(p.job.Inputs)) {
		here, err := p.input(ctx, b, path, p.job.Inputs[path])
		if err != nil {
			return err
		}
		p.inputs = append(p.inputs, here)
		if here != path {
			p.pairs = append(p.pairs, path, here)
		}
	}
	for _, here := range p.outputs {
		if err := os.MkdirAll(filepath.Dir(here), 0o777); err != nil {
			return fmt.Errorf("the job's folder cannot be made: %w", err)
		}
	}
	for path, sum := range checkpoints {
		at, ours := p.outputs[path]
		if !ours || !isSum(sum) {
			continue // the record was written by another program
		}
		p.stamp(ctx, b, path, sum)
		here := at + checkpointSuffix
		if had, err := SumOf(here); err == nil && had == sum {
			continue
		}
		// Without the checkpoint the job takes longer, but does not fail.
		if err := GetFile(ctx, b, sum, here); err != nil && ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// input returns the path of an input on this machine.
func (p *place) input(ctx context.Context, b Blobs, path, sum string) (string, error) {
	if !isSum(sum) {
		return "", Permanent(fmt.Errorf("input %q: %q is no SHA-256", path, sum))
	}
	if had, err := p.sums.Of(path); err == nil && had == sum {
		return path, nil
	}
	here := filepath.Join(p.blobs, sum, baseName(path))
	if had, err := p.sums.Of(here); err == nil && had == sum {
		now := time.Now()
		_ = os.Chtimes(here, now, now) // for trim
		p.sums.touched(here)
		return here, nil
	}
	err := GetFile(ctx, b, sum, here)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, e := os.Stat(path); e == nil {
			return "", Permanent(fmt.Errorf("%q has changed since the job was submitted", path))
		}
		return "", Permanent(fmt.Errorf("%q does not exist any more", path))
	case err != nil:
		return "", fmt.Errorf("input %q cannot be fetched: %w", path, err)
	}
	return here, nil
}

// stamped is a blob, and when it was stored or touched last.
type stamped struct {
	sum string
	at  time.Time
}

// stamp notes when the checkpoint of an output was stored.
func (p *place) stamp(ctx context.Context, b Blobs, name, sum string) {
	if at, err := b.Stored(ctx, sum); err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.kept[name] = stamped{sum, at}
	}
}

// drop deletes the checkpoint of an output that is not needed any more, if stamp noted it
// and it has not been touched since, as by another job with the same checkpoint. A job
// that begins to use it at this moment takes longer, but does not fail. A checkpoint that
// stays is deleted by a sweep.
func (p *place) drop(ctx context.Context, b Blobs, name string) {
	p.mu.Lock()
	old, ok := p.kept[name]
	delete(p.kept, name)
	p.mu.Unlock()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if at, err := b.Stored(ctx, old.sum); err == nil && at.Equal(old.at) {
		_ = b.Delete(ctx, old.sum)
	}
}

// trim removes fetched inputs, those unused for longest first, until the rest takes at
// most limit bytes. Inputs of this job stay.
func (p *place) trim(limit int64) error {
	type file struct {
		path string
		size int64
		used time.Time
	}
	var files []file
	var total int64
	err := filepath.WalkDir(p.blobs, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // none was fetched yet
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		total += info.Size()
		if !slices.Contains(p.pairs, path) {
			files = append(files, file{path, info.Size(), info.ModTime()})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if total <= limit {
			break
		}
		if err := os.Remove(f.path); err != nil {
			return err
		}
		_ = os.Remove(filepath.Dir(f.path)) // fails unless it is empty
		total -= f.size
	}
	return nil
}

// words returns the words of a step with the paths on this machine.
func (p *place) words(step []string) []string {
	out := make([]string, len(step))
	for i, w := range step {
		out[i] = replaceFile(w, p.pairs)
	}
	return out
}

// original returns the submitted path of an output.
func (p *place) original(here string) string {
	for path, at := range p.outputs {
		if at == here {
			return path
		}
	}
	return here
}

// store puts the outputs into the blobs and returns their sums.
func (p *place) store(ctx context.Context, b Blobs) (map[string]string, error) {
	sums := map[string]string{}
	for _, path := range p.job.Outputs {
		sum, err := PutFile(ctx, b, p.outputs[path])
		if errors.Is(err, fs.ErrNotExist) {
			return nil, Permanent(fmt.Errorf("the steps did not write %q", path))
		}
		if err != nil {
			return nil, err
		}
		sums[path] = sum
	}
	return sums, nil
}
