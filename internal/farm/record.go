package farm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/wording"
)

// Every client of a server can write any record, so a record is checked when it is read.

// isID reports whether a text is a job's ID: see Identify.
func isID(text string) bool { return isHex(text, 16) }

// isSum reports whether a text is a SHA-256 in hex.
func isSum(text string) bool { return isHex(text, 64) }

func isHex(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == ""
}

// decode reads the record of a key. A record that is damaged or describes no job is
// returned as a failed job, so that it is listed, can be removed, and does not stop other
// jobs.
func decode(key string, data []byte) Status {
	var s Status
	err := json.Unmarshal(data, &s)
	switch {
	case err != nil:
		err = fmt.Errorf("it is no JSON of a job: %w", err)
	case !isID(key):
		err = errors.New("its key is not 16 hex digits")
	case s.Job.ID != key:
		err = fmt.Errorf("it says that it is job %q", s.Job.ID)
	case !s.State.known():
		err = fmt.Errorf("its state is %q", s.State)
	default:
		err = s.Job.check(math.MaxInt)
	}
	for i := range s.Job.Needs {
		s.Job.Needs[i].Name = wording.Printable(s.Job.Needs[i].Name)
	}
	for _, text := range []*string{&s.Job.Name, &s.Job.Batch, &s.Worker, &s.Text, &s.Error} {
		*text = wording.Printable(*text)
	}
	if err == nil {
		return s
	}
	return Status{
		Job:   Job{ID: key, Name: s.Job.Name, Batch: s.Job.Batch, Class: wording.Printable(s.Job.Class)},
		State: Failed, Damaged: true, Error: wording.Printable(fmt.Sprintf("the record cannot be used: %v", err)),
	}
}

func (s State) known() bool { return s == Queued || s == Running || s.Ended() }

// DamagedRecordError says that a record describes no job.
type DamagedRecordError struct{ ID, Reason string }

func (e *DamagedRecordError) Error() string {
	return fmt.Sprintf("job %s can only be removed: %s", wording.Printable(e.ID), e.Reason)
}

// check finds faults that would break the queue, not those that would fail the job.
func (j Job) check(limit int) error {
	switch {
	case !isID(j.ID):
		return fmt.Errorf("ID %q is not 16 hex digits", j.ID)
	case j.Class != ClassCPU && j.Class != ClassGPU:
		return fmt.Errorf("class %q is neither %s nor %s", j.Class, ClassCPU, ClassGPU)
	case j.Priority < 0 || j.Priority > MaxPriority:
		return fmt.Errorf("priority %d is not from 0 to %d", j.Priority, MaxPriority)
	case len(j.Steps) == 0:
		return errors.New("it has no steps")
	}
	if err := j.checkFiles(); err != nil {
		return err
	}
	if err := j.checkNeeds(); err != nil {
		return err
	}
	if n := j.largest(); limit < math.MaxInt && n > limit {
		return fmt.Errorf("its record may take %d bytes, and the queue takes %d; give it fewer files", n, limit)
	}
	return nil
}

// Limits of the texts of a record, in bytes.
const (
	maxOutcome = 128 << 10
	maxText    = 4 << 10
)

// largest is about how many bytes a job's record may take in its life.
func (j Job) largest() int {
	n := maxOutcome + 8*maxText // quoted, text grows
	job, err := json.Marshal(j)
	if err != nil {
		return n
	}
	for _, path := range j.Outputs {
		quoted, _ := json.Marshal(path)                          // of a string: no error
		n += 2 * (len(quoted) + hex.EncodedLen(sha256.Size) + 4) // result and checkpoint
	}
	return n + len(job)
}

// bound cuts the texts of a record to these limits.
func (s *Status) bound() {
	if len(s.Outcome) > maxOutcome || !json.Valid(s.Outcome) {
		s.Outcome = nil
	}
	for _, text := range []*string{&s.Error, &s.Text} {
		if len(*text) > maxText {
			*text = strings.ToValidUTF8((*text)[:maxText], "") + "…"
		}
	}
}

// checkFiles finds names that lead out of the folders to which files are written, and
// texts that are no SHA-256.
func (j Job) checkFiles() error {
	for _, path := range j.Outputs {
		if name := baseName(path); name == "." || !filepath.IsLocal(name) || strings.ContainsRune(name, 0) {
			return fmt.Errorf("output %q has no name", path)
		}
	}
	for path, sum := range j.Inputs {
		if name := baseName(path); !isSum(sum) || name == "." || !filepath.IsLocal(name) || strings.ContainsRune(name, 0) {
			return fmt.Errorf("input %q with the SHA-256 %q is no file", path, sum)
		}
	}
	return nil
}

// checkNeeds finds needs that name no job, and files that no needed job writes.
func (j Job) checkNeeds() error {
	needs := map[string]bool{}
	for _, n := range j.Needs {
		if !isID(n.ID) {
			return fmt.Errorf("it needs %q, which is not 16 hex digits", n.ID)
		}
		needs[n.ID] = true
	}
	for path, id := range j.Awaits {
		if name := baseName(path); !needs[id] || name == "." || !filepath.IsLocal(name) || strings.ContainsRune(name, 0) {
			return fmt.Errorf("input %q of the job %q is no file of a job it needs", path, id)
		}
	}
	return nil
}
