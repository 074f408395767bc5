//go:build !noserver

package farm

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// raw writes a record and its message as whoever has the token may.
func raw(t *testing.T, q Queue, key string, record any) {
	t.Helper()
	s := q.(*queue).store.(*natsStore)
	data, isText := record.(string)
	if !isText {
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		data = string(text)
	}
	for subject, text := range map[string]string{"$KV." + bucketName + "." + key: data, "impasto.job.cpu.0": key} {
		if _, err := s.js.Publish(t.Context(), subject, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamagedRecords: each fails by itself, is listed, can be removed, and stops
// nobody.
func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	ctx, q := soon(t), open(t, Options{Store: t.TempDir()})
	good := job(t, "good")
	spoilt := func(spoil func(*Status)) Status {
		s := Status{Job: job(t, "spoilt"), State: Queued, Ticket: "t"}
		s.Job.ID = strings.Repeat("e", 16)
		spoil(&s)
		return s
	}
	id := func(digit string) string { return strings.Repeat(digit, 16) }
	cases := map[string]struct {
		record any
		says   string
	}{
		id("a"):       {"no JSON", "no JSON"},
		id("b"):       {`["a"]`, "no JSON"},
		id("c"):       {spoilt(func(s *Status) { s.Job.ID = "..bad" }), `says that it is job "..bad"`},
		"bad%\x1bkey": {spoilt(func(s *Status) { s.Job.ID = "..bad" }), "key is not 16 hex digits"},
		"short":       {spoilt(func(s *Status) { s.Job.ID = "short" }), "key is not 16 hex digits"},
		id("d"):       {spoilt(func(s *Status) { s.Job.ID, s.State = id("d"), "odd\x1b" }), `state is "odd`},
		id("e"):       {spoilt(func(s *Status) { s.Job.Steps = nil }), "no steps"},
		id("f"):       {spoilt(func(s *Status) { s.Job.ID, s.Job.Outputs = id("f"), []string{"/far/.."} }), "has no name"},
		id("0"):       {spoilt(func(s *Status) { s.Job.ID, s.Job.Inputs = id("0"), map[string]string{"/a": "../../b"} }), "is no file"},
	}
	for key, c := range cases {
		raw(t, q, key, c.record)
	}
	submit(t, q, good)
	l := next(t, q)
	if l.Status().Job.Name != "good" {
		t.Fatalf("taken: %+v", l.Status())
	}
	if err := l.Finish(ctx, Done, nothing); err != nil {
		t.Fatal(err)
	}
	list, err := q.List(ctx, Filter{State: Failed})
	if err != nil || len(list) != len(cases) {
		t.Fatalf("%d are listed, %v", len(list), err)
	}
	for _, s := range list {
		c, ok := cases[s.Job.ID]
		if !ok || !s.Damaged || !strings.Contains(s.Error, c.says) || strings.Contains(s.Error, "\x1b") {
			t.Errorf("%q: %+v", s.Job.ID, s)
		}
		if one, err := q.Status(ctx, s.Job.ID); err != nil || one.Error != s.Error {
			t.Errorf("%q by itself: %+v, %v", s.Job.ID, one, err)
		}
		var damaged *DamagedRecordError
		if err := q.Retry(ctx, s.Job.ID); !errors.As(err, &damaged) {
			t.Errorf("%q is queued anew: %v", s.Job.ID, err)
		}
		if err := q.Remove(ctx, s.Job.ID); err != nil {
			t.Errorf("%q is not removed: %v", s.Job.ID, err)
		}
	}
	if list, err := q.List(ctx, Filter{}); err != nil || len(list) != 1 || list[0].Job.Name != "good" {
		t.Errorf("left: %v, %v", list, err)
	}
	// A job takes the place of its own damaged record.
	again := job(t, "again")
	raw(t, q, again.ID, "no JSON")
	submit(t, q, again)
	if l := next(t, q); l.Status().Job.Name != "again" {
		t.Errorf("taken: %+v", l.Status())
	}
}

// TestRecordsTellNoTerminal: names and errors come without control characters.
func TestRecordsTellNoTerminal(t *testing.T) {
	t.Parallel()
	q := open(t, Options{Store: t.TempDir()})
	j := job(t, "a")
	j.Name, j.Batch = "evil\x1b]0;title\x07", "b\u0085\u202e"
	submit(t, q, j)
	l := next(t, q)
	if err := l.Finish(t.Context(), Failed, func(s *Status) { s.Error = "one\ntwo\r\x7f" }); err != nil {
		t.Fatal(err)
	}
	s := state(t, q, j, Failed)
	if s.Job.Name != `evil\x1b]0;title\x07` || s.Job.Batch != `b\u0085\u202e` || s.Error != `one`+"\n"+`two\x0d\x7f` {
		t.Errorf("%+v", s)
	}
}

// TestForgedRecord: results are written where the submitter said, not where a
// record says that was changed since.
func TestForgedRecord(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	own := Own(filepath.Join(dir, "own"))
	q := open(t, Options{Store: filepath.Join(dir, "queue"), Own: own})
	j := Job{Name: "a", Class: ClassCPU, Steps: [][]string{{"art", "--output=" + dir + "/out/o"}}, Outputs: []string{dir + "/out/o"}}
	j.Identify()
	submit(t, q, j)
	run(t, worker(t, q, paints))
	s := state(t, q, j, Done)
	if mine, err := own.Has(s.Job); !mine || err != nil {
		t.Errorf("a job that was submitted here: %v, %v", mine, err)
	}
	evil := s.clone()
	evil.Job.Outputs = []string{dir + "/.profile"}
	evil.Results = map[string]string{dir + "/.profile": s.Results[dir+"/out/o"]}
	var forged *ForgedError
	if n, err := Collect(ctx, q, evil, true); n != 0 || !errors.As(err, &forged) {
		t.Errorf("collected %d, %v", n, err)
	}
	if mine, err := own.Has(evil.Job); mine || err != nil {
		t.Errorf("its forgery: %v, %v", mine, err)
	}
	other := job(t, "of another user")
	if mine, err := own.Has(other); mine || err != nil {
		t.Errorf("a job of another user: %v, %v", mine, err)
	}
	if n, err := Collect(ctx, q, s, false); n != 1 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
	// Checkpoints that a record names for files that are none of the job's.
	p := newPlace(filepath.Join(dir, "work"), filepath.Join(dir, "blobs"), s.Job, &Sums{})
	if err := p.prepare(ctx, q.Blobs(), map[string]string{dir + "/.profile": s.Results[dir+"/out/o"], "": s.Results[dir+"/out/o"]}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/.profile" + checkpointSuffix); err == nil {
		t.Error("a checkpoint is written outside")
	}
}

// TestOwnOfManyJobs: each is remembered once.
func TestOwnOfManyJobs(t *testing.T) {
	t.Parallel()
	own := Own(t.TempDir())
	q := Memory(silence)
	q.(*queue).own = own
	var jobs []Job
	for i := range 600 {
		jobs = append(jobs, job(t, strings.Repeat("x", i+1)))
	}
	for range 2 {
		if _, err := q.Submit(context.Background(), jobs...); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	shards, err := os.ReadDir(string(own))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range shards {
		text, err := os.ReadFile(filepath.Join(string(own), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		size += len(text)
	}
	if size != 17*len(jobs) {
		t.Errorf("%d bytes for %d jobs", size, len(jobs))
	}
	for _, j := range jobs {
		if mine, err := own.Has(j); !mine || err != nil {
			t.Fatalf("%s: %v, %v", j.ID, mine, err)
		}
	}
}
