// Package farm is the durable queue of a batch: jobs wait in it, and workers take
// them. If a worker, the server, the network or a disk fails, a job continues from
// its last checkpoint. Each job ends once, as done or as failed.
//
// A job is one or more of Impasto's own command lines. The caller passes what runs
// them (Doer), so the package knows no command; of Impasto it imports only
// internal/filelock and internal/wording. The queue itself is NATS JetStream, by
// default a server inside this process, else a server at a URL, with the same code
// (nats.go, server.go). docs/farm.md describes the queue for its users.
package farm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Job is what a worker does at a time. It does not change once it is submitted.
type Job struct {
	ID       string            `json:"id"`               // see Identify
	Name     string            `json:"name"`             // for people
	Batch    string            `json:"batch,omitempty"`  // name of its batch
	Steps    [][]string        `json:"steps"`            // the words of each command line, with absolute paths of the submitter
	Inputs   map[string]string `json:"inputs,omitempty"` // path -> SHA-256 of the file; without files that earlier steps write
	Outputs  []string          `json:"outputs"`          // paths that the steps write
	Class    string            `json:"class"`            // class of workers that may take it
	Priority int               `json:"priority"`         // 0..MaxPriority, higher first
	Timeout  time.Duration     `json:"timeout,omitempty"`
	Retries  int               `json:"retries,omitempty"`  // further attempts after a failed one
	Estimate float64           `json:"estimate,omitempty"` // seconds it takes, by the submitter's plan; 0: unknown
	Price    float64           `json:"price,omitempty"`    // of an hour of its worker, if the worker has no price
	Needs    []Need            `json:"needs,omitempty"`    // jobs that must be done first
	Awaits   map[string]string `json:"awaits,omitempty"`   // input -> ID of the needed job that writes it
}

// Classes of workers.
const (
	ClassCPU = "cpu"
	ClassGPU = "gpu"
)

// MaxPriority is the highest priority of a job.
const MaxPriority = 9

// Identify sets ID: 16 hex digits of the SHA-256 of all that decides the job's results.
// So the same job has the same ID, whoever submits it. An input counts by its content,
// not by its name.
func (j *Job) Identify() {
	h := sha256.New()
	var swap []string
	for _, path := range slices.Sorted(maps.Keys(j.Inputs)) {
		swap = append(swap, path, j.Inputs[path])
	}
	for _, path := range slices.Sorted(maps.Keys(j.Awaits)) { // its content is decided by that job
		swap = append(swap, path, j.Awaits[path]+" "+path)
	}
	for _, step := range j.Steps {
		for _, word := range step {
			fmt.Fprintf(h, "%s\x00", replaceFile(word, swap))
		}
		h.Write([]byte{1})
	}
	fmt.Fprintf(h, "%s\x00%s", strings.Join(j.Outputs, "\x00"), j.Class)
	for _, n := range j.Needs {
		fmt.Fprintf(h, "\x00%s", n.ID)
	}
	j.ID = hex.EncodeToString(h.Sum(nil))[:16]
}

// replaceFile replaces a word, or the value of "--flag=value", if it is one of the
// files in pairs. pairs holds paths and their replacements.
func replaceFile(word string, pairs []string) string {
	flag, value, isFlag := strings.Cut(word, "=")
	if !isFlag || !strings.HasPrefix(word, "--") {
		flag, value, isFlag = "", word, false
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if value == pairs[i] {
			if isFlag {
				return flag + "=" + pairs[i+1]
			}
			return pairs[i+1]
		}
	}
	return word
}

// State is the state of a job.
type State string

const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Ended reports whether the state is final.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Status is a job and its state.
type Status struct {
	Job      Job       `json:"job"`
	State    State     `json:"state"`
	Worker   string    `json:"worker,omitempty"`   // the worker that has the job or had it last
	Attempts int       `json:"attempts,omitempty"` // attempts that ended, neither lost nor given back
	Deaths   int       `json:"deaths,omitempty"`   // attempts whose worker was lost, since the last checkpoint
	Fraction float64   `json:"fraction,omitempty"` // 0..1
	Text     string    `json:"text,omitempty"`     // progress in words
	Error    string    `json:"error,omitempty"`    // of the last attempt that failed
	After    time.Time `json:"after,omitzero"`     // earliest time of the next attempt
	Started  time.Time `json:"started,omitzero"`   // of the last attempt
	Ended    time.Time `json:"ended,omitzero"`
	Seconds  float64   `json:"seconds,omitempty"` // of all attempts together
	Saved    time.Time `json:"saved,omitzero"`    // the last checkpoint of the last attempt
	Bill

	// Price is the price of an hour of the worker that has the job, once it is known.
	Price float64 `json:"price,omitempty"`

	Results     map[string]string `json:"results,omitempty"`     // output -> SHA-256
	Checkpoints map[string]string `json:"checkpoints,omitempty"` // output -> SHA-256 of its checkpoint
	Outcome     json.RawMessage   `json:"outcome,omitempty"`     // what the Doer reported

	Found      map[string]string `json:"found,omitempty"`      // awaited input -> SHA-256
	Dependents []string          `json:"dependents,omitempty"` // jobs that wait for this one

	Entry Entry `json:"entry,omitzero"` // place of the record in the index

	Damaged    bool   `json:"-"`                    // the record describes no job; it can only be removed
	Cancelling bool   `json:"cancelling,omitempty"` // its worker has been asked to stop
	Lease      string `json:"lease,omitempty"`      // of the attempt that may change this
	Last       string `json:"last,omitempty"`       // the lease that ended last
	Message    uint64 `json:"message,omitempty"`    // sequence of the queue's message behind the lease
	Ticket     string `json:"ticket,omitempty"`     // of this time it was queued; the message has it
}

// Bill is what a job has cost beyond the seconds of its attempts.
type Bill struct {
	Lost   float64 `json:"lost_seconds,omitempty"`   // of attempts whose worker fell silent
	Wasted float64 `json:"wasted_seconds,omitempty"` // of lost and failed attempts: the time since their last checkpoint
	Cost   float64 `json:"cost,omitempty"`           // money, for workers with a known price
}

// Add adds the bill of another job.
func (b *Bill) Add(other Bill) {
	b.Lost += other.Lost
	b.Wasted += other.Wasted
	b.Cost += other.Cost
}

// unsaved returns the seconds of the last attempt since its last checkpoint.
func (s *Status) unsaved() float64 {
	from := s.Started
	if s.Saved.After(from) {
		from = s.Saved
	}
	return max(0, time.Since(from).Seconds())
}

// Errors for callers to compare.
var (
	ErrUnknown = errors.New("there is no such job")
	ErrLost    = errors.New("the job was given to another worker")
	ErrEmpty   = errors.New("there is nothing to do")
)

// EndedError says that a request does not fit the state of a job.
type EndedError struct {
	ID    string
	State State
}

func (e *EndedError) Error() string { return fmt.Sprintf("job %s is %s", e.ID, e.State) }

// Queue holds jobs. Its methods may be called from many goroutines.
type Queue interface {
	// Submit adds jobs that are not in the queue yet and returns how many it added. A
	// job that is there, ended or not, stays as it is. Submit stops at the first error;
	// *UnreachableError says that the server cannot be reached.
	Submit(ctx context.Context, jobs ...Job) (added int, err error)
	// Next waits for a job of a class and takes it, those of higher priority
	// first. It ends with ctx, and with ErrEmpty if the queue has answered for as long
	// as empty (0: for ever) that it has no job. A queue that does not answer does not
	// count as empty.
	Next(ctx context.Context, class, worker string, empty time.Duration) (Lease, error)
	// Status returns ErrUnknown for a job that is not there.
	Status(ctx context.Context, id string) (Status, error)
	// List returns all jobs, those of one batch, or those of a state.
	List(ctx context.Context, f Filter) ([]Status, error)
	// Scan calls each with the jobs that a filter chooses, and the mark of each job, until
	// each returns false. It keeps no list of them. The empty filter gives jobs in the
	// order in which they changed last. A filter of a batch or a state reads only its jobs,
	// in the order in which their states changed last. after is the mark from which a scan
	// with the same filter continues, or 0. A job that changes meanwhile may come again.
	Scan(ctx context.Context, f Filter, after uint64, each func(s Status, mark uint64) bool) error
	// Tally counts the jobs that a filter chooses by their states, without reading them.
	// A job that a process was changing when it was killed may count twice for an hour.
	Tally(ctx context.Context, f Filter) (map[State]int, error)
	// Load returns how many jobs have not ended, by class, without reading them.
	Load(ctx context.Context) (map[string]Load, error)
	// Watch sends the status of each job in ids, then a Status without an ID, and then
	// the status of each of these jobs that changes, until ctx ends. If ids is nil, it
	// sends the Status without an ID and then every job that changes. The server's work
	// grows with the number of IDs, not with the queue.
	Watch(ctx context.Context, ids []string) (<-chan Status, error)
	// Cancel stops a job. A running job stops within seconds, or at once if the server
	// has no message of the job any more, so that no worker could end it.
	Cancel(ctx context.Context, id string) error
	// Retry queues a job again that failed, was cancelled or is done, or that runs
	// without a message.
	Retry(ctx context.Context, id string) error
	// Remove deletes the record of a job that has ended.
	Remove(ctx context.Context, id string) error
	// Blobs are the files that travel with jobs.
	Blobs() Blobs
	// Life ends when the queue cannot go on, for example because the disk of the store
	// that this process serves is full. Its cause is *FullError or *TakenError, which
	// every method then returns.
	Life() context.Context
	// Close closes the queue; a server of this process ends with it.
	Close() error
}

// Load counts the jobs of a class that have not ended. A job that was cancelled while
// it waited counts until a worker would have taken it.
type Load struct {
	Waiting int
	Running int       // with a worker, or waiting for another attempt
	Oldest  time.Time // when the oldest of these jobs was queued
}

// Filter chooses jobs. An empty field chooses all.
type Filter struct {
	Batch string
	State State
}

// Has reports whether the filter chooses a job.
func (f Filter) Has(s Status) bool {
	return (f.Batch == "" || s.Job.Batch == f.Batch) && (f.State == "" || s.State == f.State)
}

// Lease is a worker's hold on a job. If the worker did not extend it in time and
// another worker got the job, every method returns ErrLost.
type Lease interface {
	Status() Status
	// Extend renews the lease, and returns the present status of the job.
	Extend(ctx context.Context) (Status, error)
	// Update changes what the worker may: Fraction, Text, Checkpoints, Deaths.
	Update(ctx context.Context, change func(*Status)) error
	// Finish calls change and ends the attempt: the job is Done, Failed or Cancelled, or
	// Queued again, to be taken from After on. It may be called again if its answer was
	// lost.
	Finish(ctx context.Context, state State, change func(*Status)) error
}

// Blobs are files by the SHA-256 of their content, in hex.
type Blobs interface {
	// Put stores the content of r, which must have that sum.
	Put(ctx context.Context, sum string, r io.Reader) error
	// Get returns fs.ErrNotExist for a blob that is not there. The reader fails at its
	// end if the content is damaged.
	Get(ctx context.Context, sum string) (io.ReadCloser, error)
	Has(ctx context.Context, sum string) (bool, error)
	Delete(ctx context.Context, sum string) error
	// Touch makes a blob as young as one stored now, and reports whether it is there.
	Touch(ctx context.Context, sum string) (bool, error)
	// Stored returns when a blob was stored or touched last, and fs.ErrNotExist for
	// one that is not there.
	Stored(ctx context.Context, sum string) (time.Time, error)
	List(ctx context.Context) ([]Blob, error)
	// Tidy removes what a Put left behind that was killed before a time.
	Tidy(ctx context.Context, before time.Time) error
}

// Blob is a stored file.
type Blob struct {
	Sum    string
	Stored time.Time // or touched last
}

// Task is one attempt at a job, for a Doer.
type Task struct {
	Job     Job
	Steps   [][]string      // with the paths on this machine
	Inputs  []string        // paths on this machine of the files that the steps may read
	Dir     string          // folder of this job alone
	Attempt int             // from 1
	Outcome json.RawMessage // JSON of at most 128 KiB; more is dropped
	// Progress reports progress. It may be called at any rate.
	Progress func(fraction float64, text string)
	// Checkpointed reports that a checkpoint of an output, a path on this machine, was
	// saved beside it as OUTPUT.checkpoint.
	Checkpointed func(output string)
}

// Doer runs the steps of a job. A step whose output has a checkpoint beside it
// continues from the checkpoint. An error fails the attempt. The job is tried again if
// retries are left, unless the error is Permanent.
type Doer interface {
	Do(ctx context.Context, t *Task) error
}

// Permanent marks an error that would occur again in any other attempt.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}
