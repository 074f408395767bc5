package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A job may need others. It names them by the name of a job, or by the name that an
// entry of the file gives all its jobs. The job may read the files that they write,
// although these do not exist yet. So a file with needs is expanded twice: first to
// find the jobs and their outputs, then to check what each job reads.

// maxNeeds is how many jobs one job may need.
const maxNeeds = 1000

// need is a name as it is written in the file, with the fields of its job filled
// in.
type need struct {
	at   *node
	text string
}

// readNeeds returns the names of a job's needs.
func (r *reader) readNeeds(n *node) (names []*node) {
	for _, item := range items(n) {
		if r.one(item) == "" && item.kind == isText {
			r.fault(item, "expected the name of a job")
		}
		names = append(names, item)
	}
	return names
}

// haveNeeds reports whether any job of a file needs another.
func haveNeeds(jobs *node) bool {
	return slices.ContainsFunc(jobs.list, func(n *node) bool { return n.kind == isMap && n.get("needs") != nil })
}

// promise records what the jobs of a file write, and which of these files each job
// may read. It reports whether all needs name existing jobs.
func (r *reader) promise(jobs, defaults *node) bool {
	faults := len(r.faults)
	r.guessing = true
	entries := r.expand(jobs, defaults)
	r.guessing = false
	r.promised = make([]map[string]bool, len(entries))
	if len(r.faults) > faults {
		r.faults = r.faults[:faults] // they are found again
		r.unsure = true
		return true
	}
	needs := r.resolveNeeds(entries)
	if len(r.faults) > faults || r.inOrder(entries) == nil {
		return false
	}
	for i, needed := range needs {
		r.promised[i] = map[string]bool{}
		for _, k := range needed {
			for _, s := range entries[k].Steps {
				for _, out := range s.Outputs {
					r.promised[i][out] = true
				}
			}
		}
	}
	return true
}

// resolveNeeds finds the indices of the jobs that each job names.
func (r *reader) resolveNeeds(entries []Entry) [][]int {
	byName := map[string][]int{}
	var names []string
	for i, e := range entries {
		for _, name := range slices.Compact([]string{e.Name, cmp.Or(e.Group, e.Name)}) {
			if byName[name] == nil {
				names = append(names, name)
			}
			byName[name] = append(byName[name], i)
		}
	}
	all := make([][]int, len(entries))
	for i, e := range entries {
		for _, n := range e.needs {
			found := byName[n.text]
			if found == nil {
				where := *n.at
				where.text = n.text
				r.unknown(&where, "job", names)
				continue
			}
			all[i] = append(all[i], found...)
		}
		slices.Sort(all[i])
		all[i] = slices.Compact(all[i])
		if len(all[i]) > maxNeeds {
			r.fault(e.needs[0].at, "%q needs %d jobs; %d are the most", e.Name, len(all[i]), maxNeeds)
			all[i] = nil
		}
	}
	return all
}

// inOrder returns the entries with each after those that it needs, and otherwise in
// the order of the file. It sets Needs to the indices of the needed jobs.
func (r *reader) inOrder(entries []Entry) []Entry {
	needs := r.resolveNeeds(entries)
	if len(r.faults) > 0 {
		return nil
	}
	const fresh, open, closed = 0, 1, 2
	state, place := make([]int, len(entries)), make([]int, len(entries))
	var sorted []Entry
	var path []int
	var visit func(i int) bool
	visit = func(i int) bool {
		switch state[i] {
		case closed:
			return true
		case open:
			r.cycle(entries, append(path[slices.Index(path, i):], i))
			return false
		}
		state[i] = open
		path = append(path, i)
		e := entries[i]
		for _, k := range needs[i] {
			if !visit(k) {
				return false
			}
			e.Needs = append(e.Needs, place[k])
		}
		path = path[:len(path)-1]
		state[i], place[i] = closed, len(sorted)
		sorted = append(sorted, e)
		return true
	}
	for i := range entries {
		if !visit(i) {
			return nil
		}
	}
	return sorted
}

// cycle reports jobs that need each other, in their order.
func (r *reader) cycle(entries []Entry, path []int) {
	first := entries[path[0]]
	at := first.needs[0].at
	if len(path) == 2 {
		r.fault(at, "job %q needs itself", first.Name)
		return
	}
	var parts []string
	for i := range path[1:] {
		parts = append(parts, fmt.Sprintf("%q needs %q", entries[path[i]].Name, entries[path[i+1]].Name))
	}
	r.fault(at, "jobs need each other: %s", strings.Join(parts, ", "))
}
