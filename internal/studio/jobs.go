package studio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// jobs are the pictures that are painted or wait to be painted. The queue holds
// them. This type holds what pages show of them, which a restart may lose.
type jobs struct {
	s     *Studio
	batch string // name of this folder's jobs in the queue
	sums  farm.Sums

	mu      sync.Mutex
	list    map[string]*jobView
	order   int
	ready   bool            // the list of jobs has been read from the queue
	keeping map[string]bool // stopped jobs whose unfinished picture is kept

	elsewhere bool // no worker of this process paints
}

// jobView is what a page shows of one job.
type jobView struct {
	ID       string    `json:"id"`
	Output   string    `json:"output"` // name of the picture in the folder
	State    string    `json:"state"`  // queued, running, done, failed, paused
	Fraction float64   `json:"fraction"`
	Text     string    `json:"text,omitempty"`
	Error    string    `json:"error,omitempty"`
	Seconds  float64   `json:"seconds,omitempty"`
	Command  string    `json:"command"`
	Moment   *Moment   `json:"moment,omitempty"`
	Preview  int64     `json:"preview,omitempty"` // changes with the preview
	Curve    []float64 `json:"curve,omitempty"`   // total losses, evenly spaced
	Saved    int64     `json:"saved,omitempty"`   // when the queue took the last checkpoint, milliseconds
	Order    int       `json:"order"`

	sent   time.Time // when pages got the progress last
	every  int       // moments between points of the curve
	passed int
}

// clone returns a copy of the job. The caller holds the lock.
func (b *jobView) clone() jobView {
	c := *b
	c.Curve = slices.Clone(b.Curve)
	return c
}

// maxCurve is how many points of a loss curve are kept. Above it, every second
// point is dropped.
const maxCurve = 400

func newJobs(s *Studio) *jobs {
	return &jobs{s: s, batch: "studio " + folderMark(s.o.Folder), list: map[string]*jobView{}, keeping: map[string]bool{}}
}

// follow keeps the list of jobs up to date with the queue and fetches results,
// until ctx ends.
func (j *jobs) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if err := j.listen(ctx); err != nil {
			j.s.o.Log.Warn("the queue does not answer", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// listen reads the jobs of this folder and then their changes, until the queue
// stops sending changes.
func (j *jobs) listen(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	news, err := j.s.o.Queue.Watch(ctx, nil) // watch before the list is read, so that no change is missed
	if err != nil {
		return err
	}
	if err := j.s.o.Queue.Scan(ctx, farm.Filter{Batch: j.batch}, 0, func(st farm.Status, _ uint64) bool {
		j.update(ctx, st)
		return true
	}); err != nil {
		return err
	}
	for st := range news {
		j.update(ctx, st)
	}
	return nil
}

// update records the status of a job from the queue.
func (j *jobs) update(ctx context.Context, st farm.Status) {
	if st.Job.ID == "" {
		j.mu.Lock()
		j.ready = true
		j.mu.Unlock()
		j.s.events.send("jobs", j.all())
		return
	}
	if st.Job.Batch != j.batch || len(st.Job.Outputs) == 0 {
		return
	}
	trouble := st.Error
	if st.State == farm.Done {
		// The owner may have changed or removed a collected result since. That is
		// no error.
		var exists *farm.ExistsError
		if _, err := farm.Collect(ctx, j.s.o.Queue, st, false); err != nil && !errors.As(err, &exists) {
			trouble = err.Error()
		}
	}
	j.mu.Lock()
	b := j.of(st.Job)
	was := b.State
	b.State, b.Error, b.Seconds = string(st.State), trouble, st.Seconds
	if st.State == farm.Cancelled {
		b.State = "paused"
	}
	if st.State != farm.Running {
		b.Moment = nil
	}
	if st.Fraction > b.Fraction || st.State.Ended() {
		b.Fraction = st.Fraction
	}
	if b.Text = st.Text; !st.Saved.IsZero() {
		b.Saved = st.Saved.UnixMilli()
	}
	ready := j.ready
	view := b.clone()
	j.mu.Unlock()
	if ready {
		j.s.events.send("job", view)
		if was != b.State && st.State.Ended() {
			j.s.events.send("files", nil)
		}
	}
	if st.State == farm.Done {
		_ = j.s.root.Remove(previewOf(st.Job.ID))
	}
}

// of returns the page's view of a job. The caller holds the lock.
func (j *jobs) of(order farm.Job) *jobView {
	b := j.list[order.ID]
	if b == nil {
		j.order++
		b = &jobView{ID: order.ID, Output: filepath.Base(order.Outputs[0]), Order: j.order, every: 1}
		if len(order.Steps) > 0 {
			b.Command = commandLine(j.s.shown(order.Steps[len(order.Steps)-1]))
		}
		j.list[order.ID] = b
	}
	return b
}

// shown returns the words of a job with names instead of absolute paths.
func (s *Studio) shown(words []string) []string {
	list := slices.Clone(words)
	for i, w := range list {
		list[i] = strings.Replace(w, s.o.Folder+string(filepath.Separator), "", 1)
	}
	return list
}

// all lists the jobs, the oldest first.
func (j *jobs) all() []jobView {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := []jobView{}
	for _, b := range j.list {
		list = append(list, b.clone())
	}
	slices.SortFunc(list, func(a, b jobView) int { return a.Order - b.Order })
	return list
}

// Do implements farm.Doer for the workers of this process.
func (j *jobs) Do(ctx context.Context, t *farm.Task) error {
	j.mu.Lock()
	delete(j.keeping, t.Job.ID)
	if t.Job.Batch == j.batch { // a short job is done before the queue says that it runs
		if b := j.of(t.Job); b.State == "" {
			b.State = string(farm.Running)
		}
	}
	j.mu.Unlock()
	name := filepath.Base(t.Job.Outputs[0])
	show := Display{Preview: j.s.path(previewOf(t.Job.ID)), Watch: func(m Moment) { j.watch(t.Job.ID, m) }}
	if mode := t.Job.Steps[0][0]; mode != "art" && mode != "texture" {
		show.Explain = j.s.path(explainOf(name))
	}
	err := j.s.o.Engine.Do(ctx, t, show)
	j.mu.Lock()
	keep := j.keeping[t.Job.ID]
	j.mu.Unlock()
	if err != nil && ctx.Err() != nil && keep {
		// A person stopped the job to keep the unfinished picture.
		if data, err := os.ReadFile(outputOf(t.Steps[len(t.Steps)-1])); err == nil {
			if _, err := j.s.write(name, data); err == nil {
				j.s.events.send("files", nil)
			}
		}
	}
	return err
}

func previewOf(id string) string   { return own + "/previews/" + id + ".png" }
func explainOf(name string) string { return own + "/explain/" + name }

// outputOf returns the value of --output in a command line.
func outputOf(words []string) string {
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, "--output="); ok {
			return v
		}
	}
	return ""
}

// watchEvery is how often pages get a job's progress.
const watchEvery = 200 * time.Millisecond

// watch records the progress of a job that this process does.
func (j *jobs) watch(id string, m Moment) {
	j.mu.Lock()
	b := j.list[id]
	if b == nil {
		j.mu.Unlock()
		return
	}
	if v, ok := m.Loss["total"]; ok && !math.IsNaN(v) {
		if b.passed%b.every == 0 {
			b.Curve = append(b.Curve, v)
		}
		b.passed++
		if len(b.Curve) > maxCurve {
			for i := range b.Curve[:maxCurve/2] {
				b.Curve[i] = b.Curve[2*i]
			}
			b.Curve, b.every = b.Curve[:maxCurve/2], 2*b.every
		}
	}
	b.Moment = &m
	b.Fraction = m.Done
	if time.Since(b.sent) < watchEvery {
		j.mu.Unlock()
		return
	}
	b.sent = time.Now()
	if st, err := j.s.root.Stat(previewOf(id)); err == nil {
		b.Preview = st.ModTime().UnixMilli()
	}
	view := b.clone()
	j.mu.Unlock()
	j.s.events.send("job", view)
}

// submit checks an order and puts it into the queue.
func (s *Studio) submit(r *http.Request, o order) (any, error) {
	name, err := s.free(outputName(o), s.jobs.outputs())
	if err != nil {
		return nil, err
	}
	words, err := s.words(o, s.path(name), s.path)
	if err != nil {
		return nil, err
	}
	plan, err := s.o.Engine.Plan(r.Context(), words)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("plan") != "" {
		return map[string]any{"plan": plan}, nil
	}
	order := farm.Job{Name: name, Batch: s.jobs.batch, Steps: [][]string{words}, Inputs: map[string]string{},
		Outputs: []string{s.path(name)}, Class: plan.Class, Retries: 1}
	for _, path := range plan.Files {
		if order.Inputs[path], err = s.jobs.sums.Of(path); err != nil {
			return nil, err
		}
	}
	order.Identify()
	// Uploading the inputs now keeps later changes of the files from changing the
	// job.
	if _, err := farm.Upload(r.Context(), s.o.Queue, []farm.Job{order}); err != nil {
		return nil, err
	}
	if _, err := s.o.Queue.Submit(r.Context(), order); err != nil {
		return nil, err
	}
	s.jobs.mu.Lock()
	b := s.jobs.of(order)
	if b.State == "" {
		b.State = string(farm.Queued)
	}
	view := b.clone()
	s.jobs.mu.Unlock()
	return map[string]any{"job": view, "plan": plan}, nil
}

// outputs returns the names that jobs will write.
func (j *jobs) outputs() map[string]bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	taken := map[string]bool{}
	for _, b := range j.list {
		taken[b.Output] = true
	}
	return taken
}

// changeJob pauses, stops, resumes or removes a job. A stopped job keeps its
// picture.
func (s *Studio) changeJob(r *http.Request, ask struct{ ID string }) (any, error) {
	s.jobs.mu.Lock()
	b := s.jobs.list[ask.ID]
	s.jobs.mu.Unlock()
	if b == nil {
		return nil, bad(http.StatusNotFound, "there is no such job")
	}
	var err error
	switch r.PathValue("do") {
	case "pause":
		err = s.o.Queue.Cancel(r.Context(), ask.ID)
	case "keep":
		s.jobs.mu.Lock()
		if s.jobs.elsewhere {
			s.jobs.mu.Unlock()
			return nil, bad(http.StatusConflict, "a worker of the queue paints this picture and returns it only when it is finished", "Pause   (Resume continues from its checkpoint)")
		}
		s.jobs.keeping[ask.ID] = true
		s.jobs.mu.Unlock()
		err = s.o.Queue.Cancel(r.Context(), ask.ID)
	case "resume":
		err = s.o.Queue.Retry(r.Context(), ask.ID)
	case "forget":
		if err = s.o.Queue.Remove(r.Context(), ask.ID); err == nil {
			s.jobs.mu.Lock()
			delete(s.jobs.list, ask.ID)
			s.jobs.mu.Unlock()
			_ = s.root.Remove(previewOf(ask.ID))
			s.events.send("jobs", s.jobs.all())
		}
	default:
		return nil, bad(http.StatusNotFound, fmt.Sprintf("jobs cannot be asked to %q", r.PathValue("do")))
	}
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": ask.ID}, nil
}

// preview sends the current picture of a job.
func (s *Studio) preview(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := strconv.ParseUint(id, 16, 64); err != nil || len(id) > 64 {
		return bad(http.StatusNotFound, "there is no such job")
	}
	f, err := s.root.Open(previewOf(id))
	if err != nil {
		return bad(http.StatusNotFound, "there is no preview yet")
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	http.ServeContent(w, r, "", st.ModTime(), f)
	return nil
}
