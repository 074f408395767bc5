package farm

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// ExistsError says that another file is at the path of an output.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("%q exists and is not what the job made", e.Path)
}

// ForgedError says that a record names other outputs than its job's submitter did.
type ForgedError struct{ ID string }

func (e *ForgedError) Error() string {
	return fmt.Sprintf("the record of job %s is not of the job that was submitted under that ID", e.ID)
}

// Collect writes the results of a job that is done to the paths that its submitter named,
// each under a temporary name which is then renamed. A file with the same content is left
// alone; a different file is replaced only if replace is set. Collect returns how many
// files it wrote, and every error. If the record was changed, it returns *ForgedError and
// writes nothing.
func Collect(ctx context.Context, q Queue, s Status, replace bool) (int, error) {
	if !s.Job.identified() {
		return 0, &ForgedError{s.Job.ID}
	}
	return CollectAt(ctx, q, s, replace)
}

// CollectAt is like Collect, for a job whose Outputs the caller has changed.
func CollectAt(ctx context.Context, q Queue, s Status, replace bool) (int, error) {
	if s.State != Done {
		return 0, &EndedError{s.Job.ID, s.State}
	}
	n := 0
	var faults []error
	for _, path := range s.Job.Outputs {
		sum := s.Results[path]
		had, err := SumOf(path)
		switch {
		case err == nil && had == sum:
			continue
		case err == nil && !replace:
			faults = append(faults, &ExistsError{path})
			continue
		case err != nil && !errors.Is(err, os.ErrNotExist):
			faults = append(faults, err)
			continue
		}
		if err := GetFile(ctx, q.Blobs(), sum, path); err != nil {
			faults = append(faults, err)
			continue
		}
		n++
	}
	return n, errors.Join(faults...)
}

// Upload puts the inputs of jobs into the blobs, each once, for workers that
// do not see the submitter's files.
func Upload(ctx context.Context, q Queue, jobs []Job) (files int, err error) {
	done := map[string]bool{}
	for _, j := range jobs {
		for path, sum := range j.Inputs {
			if done[sum] {
				continue
			}
			done[sum] = true
			had, err := PutFile(ctx, q.Blobs(), path)
			if err != nil {
				return files, err
			}
			if had != sum {
				return files, fmt.Errorf("%q has changed since it was read", path)
			}
			files++
		}
	}
	return files, nil
}
