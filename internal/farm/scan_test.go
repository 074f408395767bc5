package farm

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestScan: jobs come in the order in which they changed, in pages, and by a filter.
func TestScan(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := soon(t)
		var jobs []Job
		for i := range 7 {
			j := job(t, fmt.Sprint("j", i))
			if i == 3 {
				j.Batch = "another"
			}
			submit(t, q, j)
			jobs = append(jobs, j)
		}
		if err := q.Cancel(ctx, jobs[1].ID); err != nil {
			t.Fatal(err)
		}
		if err := q.Cancel(ctx, jobs[5].ID); err != nil {
			t.Fatal(err)
		}
		if err := q.Remove(ctx, jobs[5].ID); err != nil {
			t.Fatal(err)
		}
		page := func(f Filter, after uint64, limit int) (names []string, last uint64) {
			if err := q.Scan(ctx, f, after, func(s Status, revision uint64) bool {
				names, last = append(names, s.Job.Name), revision
				return len(names) < limit
			}); err != nil {
				t.Fatal(err)
			}
			return names, last
		}
		first, last := page(Filter{}, 0, 4)
		second, last := page(Filter{}, last, 4)
		third, _ := page(Filter{}, last, 4)
		if got := slices.Concat(first, second, third); !slices.Equal(got, []string{"j0", "j2", "j3", "j4", "j6", "j1"}) || len(first) != 4 || len(third) != 0 {
			t.Errorf("pages %v %v %v", first, second, third)
		}
		if got, _ := page(Filter{Batch: "another"}, 0, 9); !slices.Equal(got, []string{"j3"}) {
			t.Errorf("by batch: %v", got)
		}
		if got, _ := page(Filter{State: Cancelled}, 0, 9); !slices.Equal(got, []string{"j1"}) {
			t.Errorf("by state: %v", got)
		}
	})
}

// TestLoad counts what has not ended, without reading it.
func TestLoad(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := soon(t)
		if all, err := q.Load(ctx); err != nil || len(all) != 0 {
			t.Fatalf("of an empty queue: %v, %v", all, err)
		}
		g := job(t, "gpu")
		g.Class = ClassGPU
		g.Identify()
		a, b, c := job(t, "a"), job(t, "b"), job(t, "c")
		a.Priority = 4
		submit(t, q, a, b, c, g)
		l := next(t, q)
		all, err := q.Load(ctx)
		cpu, gpu := all[ClassCPU], all[ClassGPU]
		if err != nil || cpu.Waiting != 2 || cpu.Running != 1 || gpu.Waiting != 1 || gpu.Running != 0 {
			t.Errorf("%+v, %v", all, err)
		}
		if age := time.Since(cpu.Oldest); age < 0 || age > time.Minute {
			t.Errorf("the oldest is %v old", age)
		}
		if err := l.Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		if all, err := q.Load(ctx); err != nil || all[ClassCPU].Waiting != 2 || all[ClassCPU].Running != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// TestPrune removes what ended before a time, and the files of that alone.
func TestPrune(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx, dir := soon(t), t.TempDir()
		ends := map[string]State{"old": Done, "failed": Failed, "young": Done}
		var between time.Time
		for _, name := range []string{"old", "failed", "young", "waits"} {
			sum, err := PutFile(ctx, q.Blobs(), write(t, dir+"/"+name, name))
			if err != nil {
				t.Fatal(err)
			}
			j := job(t, name)
			j.Inputs = map[string]string{"/in/" + name: sum}
			submit(t, q, j)
			if state := ends[name]; state != "" {
				if err := next(t, q).Finish(ctx, state, nothing); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Millisecond)
			if name == "failed" {
				between = time.Now()
				time.Sleep(2 * time.Millisecond)
			}
		}
		left := func() (names []string) {
			list, err := q.List(ctx, Filter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				names = append(names, s.Job.Name)
			}
			return names
		}
		if n, err := Prune(ctx, q, between, true); n != 1 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		if got := left(); !slices.Equal(got, []string{"failed", "waits", "young"}) {
			t.Errorf("left %v", got)
		}
		if n, err := Prune(ctx, q, time.Now().Add(time.Hour), false); n != 2 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		if got := left(); !slices.Equal(got, []string{"waits"}) {
			t.Errorf("left %v", got)
		}
		if n, err := sweep(ctx, q, time.Now().Add(2*youth)); n != 3 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}
