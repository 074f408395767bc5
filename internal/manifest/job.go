package manifest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jobKeys are the keys of a job that are not flags.
var jobKeys = map[string]string{
	"name":     "for people, and {name} in outputs",
	"mode":     "the command: art, patch, doodle, analogy, texture or another",
	"command":  "the same as mode",
	"args":     "arguments of the command, in their order",
	"analogy":  "A, A' and B of an analogy",
	"matrix":   "flags with lists of values, each tried with each",
	"exclude":  "combinations to leave out",
	"steps":    "command lines one after another, in place of one",
	"priority": "0 to 9, higher first",
	"timeout":  "the longest an attempt may take, such as 20m",
	"retries":  "attempts after a failed one",
	"needs":    "names of jobs that are to be done first, whose outputs the job may read",
}

// stepKeys are the job keys that a step may have too.
var stepKeys = []string{"mode", "command", "args", "analogy"}

// multiplied are the flags whose lists are alternatives, with a job for each.
var multiplied = []string{"content", "style"}

// manifest reads a whole file.
func (r *reader) manifest(top *node) []Entry {
	jobs, defaults := top, &node{kind: isMap}
	if top.kind == isMap {
		jobs = nil
		for _, p := range top.pairs {
			switch p.key.text {
			case "version":
				if p.value.text != strconv.Itoa(Version) {
					r.fault(p.value, "version %q is not %d, the only one there is", p.value.text, Version)
				}
			case "output":
				defaults.pairs = append(defaults.pairs, p)
			case "defaults":
				defaults.pairs = append(defaults.pairs, r.defaults(p.value)...)
			case "price":
				r.readPrice(p.value)
			case "budget":
				r.readBudget(p.value)
			case "jobs":
				jobs = p.value
			default:
				r.unknown(p.key, "key", []string{"version", "output", "defaults", "price", "budget", "jobs"})
			}
		}
	}
	if jobs == nil || jobs.kind != isList || len(jobs.list) == 0 {
		r.fault(jobs, "has no jobs; write\n  jobs:\n    - {content: photo.jpg, style: painting.jpg, output: out.png}")
		return nil
	}
	needs := haveNeeds(jobs)
	if needs && !r.promise(jobs, defaults) {
		return nil
	}
	entries := r.expand(jobs, defaults)
	r.checkOutputs(entries)
	if needs && len(r.faults) == 0 {
		entries = r.inOrder(entries)
	}
	return entries
}

// expand expands all jobs of the file into entries.
func (r *reader) expand(jobs, defaults *node) (entries []Entry) {
	for nth, n := range jobs.list {
		if n.kind != isMap {
			r.fault(n, "expected a job, such as {content: photo.jpg, style: painting.jpg}")
			continue
		}
		for _, e := range r.job(n, defaults, len(entries)) {
			e.Nth = nth
			entries = append(entries, e)
		}
		if len(entries) > maxJobs {
			r.fault(n, "the file multiplies out to over %d jobs here", maxJobs)
			return nil
		}
	}
	return entries
}

// defaults reads the defaults. Each key must exist in some command.
func (r *reader) defaults(n *node) []pair {
	if n.kind != isMap {
		r.fault(n, "defaults are lines of \"flag: value\"")
		return nil
	}
	var kept []pair
	for _, p := range n.pairs {
		switch p.key.text {
		case "name", "matrix", "exclude", "steps", "args", "analogy", "needs":
			r.fault(p.key, "%q belongs to a job, not to defaults", p.key.text)
			continue
		}
		if _, ok := jobKeys[p.key.text]; !ok && !r.anyCommandHas(p.key.text) {
			r.unknown(p.key, "key", r.allKeys())
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

func (r *reader) anyCommandHas(flag string) bool {
	for _, c := range r.vocabulary.Commands {
		if _, ok := c.Flags[flag]; ok {
			return true
		}
	}
	return false
}

func (r *reader) allKeys() []string {
	keys := slices.Collect(maps.Keys(jobKeys))
	for _, c := range r.vocabulary.Commands {
		keys = append(keys, slices.Collect(maps.Keys(c.Flags))...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (r *reader) unknown(n *node, what string, known []string) {
	if r.full() {
		return
	}
	slices.Sort(known)
	msg := fmt.Sprintf("unknown %s %q", what, n.text)
	if near := r.vocabulary.Near(n.text, known); near != "" {
		msg += fmt.Sprintf(" (did you mean %q?)", near)
	}
	r.fault(n, "%s", msg)
}

// order is a job as it is written in the file, before it is expanded.
type order struct {
	at       *node
	entry    Entry
	name     string
	steps    []draft
	axes     []axis
	excluded []*node
	needs    []*node
}

// draft is a step before its $names are filled in.
type draft struct {
	at      *node
	command string
	flags   []pair
	args    *node
}

func (r *reader) job(n, defaults *node, before int) []Entry {
	o := order{at: n, entry: Entry{Line: n.line}}
	merged := *n
	for _, d := range defaults.pairs {
		if n.get(d.key.text) == nil && !(d.key.text == "mode" && (n.get("command") != nil || n.get("analogy") != nil || n.get("steps") != nil)) {
			fallback := *d.key
			fallback.kind = isNull // marks a default, which commands without the flag ignore
			merged.pairs = append(merged.pairs[:len(merged.pairs):len(merged.pairs)], pair{&fallback, d.value})
		}
	}
	faults := len(r.faults)
	var steps *node
	for _, p := range merged.pairs {
		switch v := p.value; p.key.text {
		case "name":
			o.name = r.one(v)
		case "priority":
			o.entry.Priority = r.whole(v, "priority", 9)
		case "retries":
			o.entry.Retries = r.whole(v, "retries", 100)
		case "timeout":
			t, err := time.ParseDuration(r.one(v))
			if err != nil || t <= 0 || t > maxWait {
				r.fault(v, "timeout takes a time such as 90s, 20m or 2h, got %q", v.text)
			}
			o.entry.Timeout = t
		case "matrix":
			o.axes = append(o.axes, r.matrix(v)...)
		case "exclude":
			o.excluded = r.exclusions(v)
		case "needs":
			o.needs = r.readNeeds(v)
		case "steps":
			steps = v
		}
	}
	if steps != nil {
		o.steps = r.chain(steps, &merged)
	} else if d, ok := r.step(&merged, nil); ok {
		o.steps = []draft{d}
	}
	o.axes = append(r.inputs(&o, &merged), o.axes...)
	r.checkKeys(&o, &merged, steps != nil)
	if len(r.faults) > faults {
		return nil
	}
	return r.multiply(o, before)
}

// one returns the text of a value that is not a list.
func (r *reader) one(n *node) string {
	if n.kind != isText {
		r.fault(n, "expected one value")
	}
	return n.text
}

func (r *reader) whole(n *node, name string, most int) int {
	v, err := strconv.Atoi(r.one(n))
	if n.kind == isText && (err != nil || v < 0 || v > most) {
		r.fault(n, "%s takes a whole number from 0 to %d, got %q", name, most, n.text)
	}
	return v
}

// step reads the command and the flags of one command line. outer holds the keys of
// the surrounding job, or is nil for a job that is its own step.
func (r *reader) step(n, outer *node) (draft, bool) {
	d := draft{at: n, command: r.vocabulary.Default}
	for _, p := range n.pairs {
		switch p.key.text {
		case "mode", "command":
			d.command = strings.Join(strings.Fields(r.one(p.value)), " ")
			if _, ok := r.vocabulary.Commands[d.command]; !ok {
				known := slices.Sorted(maps.Keys(r.vocabulary.Commands))
				where := *p.value
				where.text = d.command
				r.unknown(&where, p.key.text, known)
				return d, false
			}
		case "analogy":
			d.command, d.args = "analogy", p.value
			if p.value.kind != isList || len(p.value.list) != 3 {
				r.fault(p.value, "an analogy has three pictures: [A, A', B]")
				return d, false
			}
		case "args":
			d.args = p.value
		}
	}
	flags := r.vocabulary.Commands[d.command].Flags
	for _, p := range n.pairs {
		if _, ok := flags[p.key.text]; ok {
			d.flags = append(d.flags, p)
		}
	}
	if outer != nil {
		for _, p := range outer.pairs {
			if _, ok := flags[p.key.text]; ok && n.get(p.key.text) == nil && p.key.text != "output" {
				d.flags = append(d.flags, p)
			}
		}
	}
	return d, true
}

// chain reads the steps of a job.
func (r *reader) chain(n, job *node) []draft {
	if n.kind != isList || len(n.list) == 0 {
		r.fault(n, "steps are a list of command lines, each with its command and flags")
		return nil
	}
	var all []draft
	for i, s := range n.list {
		if s.kind != isMap {
			r.fault(s, "a step is a command with its flags, such as {command: map derive, args: [photo.jpg]}")
			continue
		}
		if last := i == len(n.list)-1; last && s.get("output") == nil && job.get("output") != nil {
			with := *s
			for _, p := range job.pairs {
				if p.key.text == "output" {
					with.pairs = append(with.pairs[:len(with.pairs):len(with.pairs)], p)
				}
			}
			s = &with
		}
		d, ok := r.step(s, job)
		if !ok {
			continue
		}
		command := r.vocabulary.Commands[d.command]
		for _, p := range s.pairs {
			if _, ok := command.Flags[p.key.text]; !ok && !slices.Contains(stepKeys, p.key.text) {
				r.unknown(p.key, "key", append(slices.Collect(maps.Keys(command.Flags)), stepKeys...))
			}
		}
		if _, writes := command.Flags["output"]; writes && s.get("output") == nil {
			r.fault(s, "step %d needs an output, a file for its result", i+1)
		}
		all = append(all, d)
	}
	return all
}

// checkKeys finds keys of a job that its commands do not use.
func (r *reader) checkKeys(o *order, job *node, chained bool) {
	for _, p := range job.pairs {
		key := p.key.text
		if _, ok := jobKeys[key]; ok || p.key.kind == isNull {
			continue
		}
		used := slices.Contains(multiplied, key) && chained // may be used as $content in arguments
		known := slices.Collect(maps.Keys(jobKeys))
		for _, s := range o.steps {
			flags := r.vocabulary.Commands[s.command].Flags
			_, has := flags[key]
			used = used || has
			known = append(known, slices.Collect(maps.Keys(flags))...)
		}
		if used || len(o.steps) == 0 {
			continue
		}
		if r.anyCommandHas(key) && len(o.steps) == 1 {
			r.fault(p.key, "%s has no flag %q", o.steps[0].command, key)
			continue
		}
		r.unknown(p.key, "key", known)
	}
}

// checkOutputs finds jobs that write the same file.
func (r *reader) checkOutputs(entries []Entry) {
	first := map[string]Entry{}
	for _, e := range entries {
		for _, s := range e.Steps {
			for _, out := range s.Outputs {
				if strings.Contains(out, "{") {
					continue // known when the job is planned
				}
				if other, twice := first[out]; twice && other.Name != e.Name {
					r.fault(&node{line: e.Line, col: 1}, "jobs %q and %q would both write %q; put {job} or a key of the matrix into the output",
						other.Name, e.Name, r.shorter(out))
					continue
				}
				first[out] = e
			}
		}
	}
}

// absolute returns the absolute path for a path in the file.
func (r *reader) absolute(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// shorter returns a path in the form in which the file's author would write it.
func (r *reader) shorter(path string) string {
	dir, err := filepath.Abs(r.dir)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
