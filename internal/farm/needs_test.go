package farm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

// needing is a job that reads what another writes.
func needing(t *testing.T, name string, others ...Job) Job {
	t.Helper()
	j := job(t, name)
	j.Awaits = map[string]string{}
	for _, o := range others {
		j.Needs = append(j.Needs, Need{o.ID, o.Name})
		j.Awaits[o.Outputs[0]] = o.ID
		j.Steps[0] = append(j.Steps[0], o.Outputs[0])
	}
	j.Identify()
	return j
}

// TestNeeds: a job waits for those that it needs, whatever the order in which they
// come, and finds what they wrote.
func TestNeeds(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a, b := job(t, "a"), job(t, "b")
		c := needing(t, "c", a, b)
		d := needing(t, "d", c)
		d.Priority, c.Priority = 9, 8
		submit(t, q, d, c, b, a)
		for _, name := range []string{"b", "a", "c", "d"} {
			l := next(t, q)
			s := l.Status()
			if s.Job.Name != name && !(name == "a" && s.Job.Name == "b") && !(name == "b" && s.Job.Name == "a") {
				t.Fatalf("%s came, want %s", s.Job.Name, name)
			}
			sum := sha256.Sum256([]byte(s.Job.Name))
			switch name {
			case "c":
				if s.order().Inputs[a.Outputs[0]] != sumOf("a") || s.order().Inputs[b.Outputs[0]] != sumOf("b") || len(s.Job.Inputs) != 0 {
					t.Errorf("c reads %v", s.Found)
				}
			case "d":
				if s.order().Inputs[c.Outputs[0]] != sumOf("c") {
					t.Errorf("d reads %v", s.Found)
				}
			}
			if err := l.Finish(ctx, Done, func(s *Status) {
				s.Results = map[string]string{s.Job.Outputs[0]: hex.EncodeToString(sum[:])}
			}); err != nil {
				t.Fatal(err)
			}
		}
		none(t, q)
	})
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestNeedsPassFailureOn: what needs a job that failed fails as well, and says for
// which; after a retry of all it runs.
func TestNeedsPassFailureOn(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a := job(t, "a")
		b := needing(t, "b", a)
		c := needing(t, "c", b)
		submit(t, q, a, b, c)
		if err := next(t, q).Finish(ctx, Failed, func(s *Status) { s.Error = "no" }); err != nil {
			t.Fatal(err)
		}
		if s := endsAs(t, q, b, Failed); s.Error != `needs "a", which failed` {
			t.Errorf("b: %s", s.Error)
		}
		if s := endsAs(t, q, c, Failed); s.Error != `needs "b", which failed` {
			t.Errorf("c: %s", s.Error)
		}
		for _, j := range []Job{a, b, c} { // whatever the order, none is taken before its time
			if err := q.Retry(ctx, j.ID); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"a", "b", "c"} {
			l := next(t, q)
			if l.Status().Job.Name != name {
				t.Fatalf("%s came, want %s", l.Status().Job.Name, name)
			}
			if err := l.Finish(ctx, Done, nothing); err != nil {
				t.Fatal(err)
			}
		}
		none(t, q)
	})
}

// TestNeedsACancelledJob: a job that is cancelled while it waits lets those fail
// that wait for it, and one that needs what was removed fails.
func TestNeedsACancelledJob(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a := job(t, "a")
		b := needing(t, "b", a)
		c := needing(t, "c", b)
		submit(t, q, a, b, c)
		if err := q.Cancel(ctx, b.ID); err != nil {
			t.Fatal(err)
		}
		if err := next(t, q).Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		if s := endsAs(t, q, c, Failed); s.Error != `needs "b", which was cancelled` {
			t.Errorf("c: %s", s.Error)
		}
		if err := q.Remove(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		if err := q.Retry(ctx, b.ID); err != nil {
			t.Fatal(err)
		}
		if s := endsAs(t, q, b, Failed); s.Error != `needs "a", which is not in the queue any more` {
			t.Errorf("b: %s", s.Error)
		}
	})
}

// TestNeedsOfJobsThatAreThere: a job may need one that was submitted before, that
// runs, or that is done.
func TestNeedsOfJobsThatAreThere(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := t.Context()
		a := job(t, "a")
		submit(t, q, a)
		l := next(t, q)
		b := needing(t, "b", a)
		submit(t, q, b)
		short, cancel := context.WithTimeout(ctx, silence/4)
		defer cancel()
		if l, err := q.Next(short, ClassCPU, "w", 0); err == nil {
			t.Fatalf("%s came before its time", l.Status().Job.Name)
		}
		if err := l.Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		if l = next(t, q); l.Status().Job.Name != "b" {
			t.Fatalf("%s came", l.Status().Job.Name)
		}
		if err := l.Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		c := needing(t, "c", a, b)
		submit(t, q, c)
		if l = next(t, q); l.Status().Job.Name != "c" {
			t.Fatalf("%s came", l.Status().Job.Name)
		}
		if err := l.Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWorkerReadsWhatANeededJobWrote: the file lies in the queue alone.
func TestWorkerReadsWhatANeededJobWrote(t *testing.T) {
	q := Memory(silence)
	a := job(t, "a")
	b := needing(t, "b", a)
	submit(t, q, b, a)
	var read string
	w := worker(t, q, func(ctx context.Context, task *Task) error {
		steps := task.Steps[0]
		if task.Job.Name == "b" {
			data, err := os.ReadFile(steps[len(steps)-1])
			if err != nil {
				return err
			}
			read = string(data)
		}
		return paints(ctx, task)
	})
	run(t, w)
	state(t, q, b, Done)
	if read != "a" {
		t.Errorf("b read %q", read)
	}
}
