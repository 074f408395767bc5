package farm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/impasto/impasto/internal/wording"
)

// DamagedError says that a file does not have the content it should have.
type DamagedError struct{ Sum string }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the content of blob %s is damaged", e.Sum)
}

// SumOf returns the SHA-256 of a file in hex, as blobs are named.
func SumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// PutFile stores a file, or touches it if it is there, and returns its sum.
func PutFile(ctx context.Context, b Blobs, path string) (string, error) {
	sum, _, err := PutNew(ctx, b, path)
	return sum, err
}

// PutNew is like PutFile, and reports whether the file was new.
func PutNew(ctx context.Context, b Blobs, path string) (sum string, isNew bool, err error) {
	if sum, err = SumOf(path); err != nil {
		return "", false, err
	}
	if has, err := b.Touch(ctx, sum); has || err != nil {
		return sum, false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	return sum, true, b.Put(ctx, sum, f)
}

// GetFile writes a blob to a temporary name beside path and renames it, so that path is
// never half written.
func GetFile(ctx context.Context, b Blobs, sum, path string) error {
	if !isSum(sum) {
		return &DamagedError{wording.Printable(sum)}
	}
	r, err := b.Get(ctx, sum)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it does not exist if all went well
	_, err = io.Copy(f, verified(r, sum))
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	var away *UnreachableError
	if errors.As(err, &away) {
		return err // reading failed, not writing
	}
	if err != nil {
		return fmt.Errorf("%q cannot be written: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// verified returns a reader that fails at the end of r if the content does not have
// that sum.
func verified(r io.Reader, sum string) io.Reader { return &verifier{r, sha256.New(), sum} }

type verifier struct {
	r   io.Reader
	h   hash.Hash
	sum string
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.h.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(v.h.Sum(nil)) != v.sum {
		err = &DamagedError{v.sum}
	}
	return n, err
}

// youth is how long a blob is kept although no record names it. Files are stored
// before the records that name them: inputs before their jobs are submitted, and
// results before their job is done.
const youth = time.Hour

// Sweep deletes the blobs that no job refers to, except those of the last hour. It
// returns how many it deleted. It may run while jobs are submitted and done.
func Sweep(ctx context.Context, q Queue) (int, error) { return sweep(ctx, q, time.Now()) }

func sweep(ctx context.Context, q Queue, now time.Time) (int, error) {
	used, err := usedBlobs(ctx, q)
	if err != nil {
		return 0, err
	}
	// Blobs are listed after the jobs. A blob that a job has begun to use since
	// then was touched.
	blobs, err := q.Blobs().List(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, b := range blobs {
		if used[digest(b.Sum)] || now.Sub(b.Stored) < youth {
			continue
		}
		if err := q.Blobs().Delete(ctx, b.Sum); err != nil {
			return n, err
		}
		n++
	}
	return n, q.Blobs().Tidy(ctx, now.Add(-youth))
}

// usedBlobs returns the blobs that records name, by the bytes of their sums. A
// million of them take 64 MB.
func usedBlobs(ctx context.Context, q Queue) (map[[sha256.Size]byte]bool, error) {
	used := map[[sha256.Size]byte]bool{}
	err := q.Scan(ctx, Filter{}, 0, func(s Status, _ uint64) bool {
		for _, files := range []map[string]string{s.Job.Inputs, s.Found, s.Results, s.Checkpoints} {
			for _, sum := range files {
				used[digest(sum)] = true
			}
		}
		return true
	})
	return used, err
}

// digest converts a sum to bytes.
func digest(sum string) (d [sha256.Size]byte) {
	_, _ = hex.Decode(d[:], []byte(sum)[:min(len(sum), hex.EncodedLen(len(d)))])
	return d
}

// Prune removes the jobs that ended before a time, and then the files that no other
// job needs. If keepFailed is set, it keeps the failed jobs. It returns how many
// jobs it removed, and holds no list of them. It reads every job, so it also
// repairs the index that Scan and Tally use.
func Prune(ctx context.Context, q Queue, before time.Time, keepFailed bool) (int, error) {
	if here, ok := q.(*queue); ok {
		if err := here.reindex(ctx); err != nil {
			return 0, err
		}
	}
	n := 0
	var fault error
	err := q.Scan(ctx, Filter{}, 0, func(s Status, _ uint64) bool {
		if !s.State.Ended() || s.Damaged || !s.Ended.Before(before) || keepFailed && s.State == Failed {
			return true
		}
		if err := q.Remove(ctx, s.Job.ID); err != nil {
			var ended *EndedError // it was queued again in the meantime
			if !errors.As(err, &ended) && !errors.Is(err, ErrUnknown) {
				fault = err
			}
			return fault == nil
		}
		n++
		return true
	})
	if err = cmp.Or(fault, err); err != nil || n == 0 {
		return n, err
	}
	_, err = Sweep(ctx, q)
	return n, err
}
