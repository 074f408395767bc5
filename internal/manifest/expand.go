package manifest

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// axis is a key with alternatives. There is a job for each of them.
type axis struct {
	at      *node
	key     string
	choices []choice
}

// choice is one alternative: a value, or several files that belong together.
type choice struct {
	at    *node
	texts []string
}

func (c choice) String() string { return strings.Join(c.texts, ",") }

// inputs returns the axes of the pictures. A pattern means the files that it
// matches, in the order of their names.
func (r *reader) inputs(o *order, job *node) []axis {
	var axes []axis
	for _, key := range multiplied {
		n := job.get(key)
		used := len(o.steps) > 1 || len(o.steps) == 1 && slices.ContainsFunc(o.steps[0].flags, func(p pair) bool { return p.key.text == key })
		if n == nil || !used {
			continue
		}
		a := axis{at: n, key: key}
		for _, item := range items(n) {
			if item.kind == isList { // several paintings for one picture
				c := choice{at: item}
				for _, part := range item.list {
					c.texts = append(c.texts, r.glob(part)...)
				}
				a.choices = append(a.choices, c)
				continue
			}
			for _, file := range r.glob(item) {
				a.choices = append(a.choices, choice{item, []string{file}})
			}
		}
		if len(a.choices) == 0 && len(r.faults) == 0 {
			r.fault(n, "%q has no values", key)
		}
		axes = append(axes, a)
	}
	return axes
}

// items returns the members of a list, or the value itself.
func items(n *node) []*node {
	if n.kind == isList {
		return n.list
	}
	return []*node{n}
}

// glob returns the absolute paths of the files that a path or pattern names.
func (r *reader) glob(n *node) []string {
	text := r.one(n)
	switch {
	case text == "":
		r.fault(n, "expected a file")
		return nil
	case r.vocabulary.Plain != nil && r.vocabulary.Plain(text):
		return []string{text}
	case !strings.ContainsAny(text, "*?["):
		return []string{r.absolute(text)}
	}
	if _, err := os.Stat(r.absolute(text)); err == nil {
		return []string{r.absolute(text)} // a file may have this name
	}
	found, err := filepath.Glob(r.absolute(text))
	found = slices.DeleteFunc(found, func(path string) bool {
		st, err := os.Stat(path)
		return err != nil || st.IsDir()
	})
	if err != nil || len(found) == 0 {
		r.fault(n, "no file matches %q", text)
		return nil
	}
	slices.Sort(found)
	return found
}

func (r *reader) matrix(n *node) []axis {
	if n.kind != isMap {
		r.fault(n, "a matrix is lines of \"flag: [value, value]\"")
		return nil
	}
	var axes []axis
	for _, p := range n.pairs {
		key := p.key.text
		if !r.anyCommandHas(key) {
			r.unknown(p.key, "flag", r.allKeys())
			continue
		}
		if slices.Contains(multiplied, key) {
			r.fault(p.key, "lists of %s multiply by themselves; they need no matrix", key)
			continue
		}
		a := axis{at: p.key, key: key}
		for _, item := range items(p.value) {
			if text, ok := r.joined(item); ok {
				a.choices = append(a.choices, choice{item, []string{text}})
			}
		}
		if len(a.choices) == 0 {
			r.fault(p.key, "%q has no values", key)
		}
		axes = append(axes, a)
	}
	return axes
}

// joined returns a value in the form in which a flag takes it. The items of a list
// are joined by commas.
func (r *reader) joined(n *node) (string, bool) {
	switch n.kind {
	case isText:
		return n.text, true
	case isList:
		var texts []string
		for _, v := range n.list {
			if v.kind != isText {
				r.fault(v, "expected one value")
				return "", false
			}
			texts = append(texts, v.text)
		}
		return strings.Join(texts, ","), true
	}
	r.fault(n, "expected a value or a list of values")
	return "", false
}

func (r *reader) exclusions(n *node) []*node {
	if n.kind == isMap {
		return []*node{n}
	}
	for _, item := range items(n) {
		if item.kind != isMap {
			r.fault(item, "what to exclude is a list of {flag: value, ...}")
			return nil
		}
	}
	return items(n)
}

// multiply makes a job for each combination of the axes' choices.
func (r *reader) multiply(o order, before int) []Entry {
	total := 1
	for _, a := range o.axes {
		if total *= len(a.choices); total > maxJobs {
			r.fault(a.at, "the job multiplies out to over %d", maxJobs)
			return nil
		}
	}
	keys := map[string]bool{}
	for _, a := range o.axes {
		keys[a.key] = true
	}
	for _, x := range o.excluded {
		for _, p := range x.pairs {
			if !keys[p.key.text] {
				r.unknown(p.key, "choice", slices.Collect(maps.Keys(keys)))
				return nil
			}
		}
	}
	used := make([]bool, len(o.excluded))
	pick := make([]int, len(o.axes))
	var entries []Entry
	for range total {
		chosen := map[string]choice{}
		for i, a := range o.axes {
			chosen[a.key] = a.choices[pick[i]]
		}
		if i := slices.IndexFunc(o.excluded, func(x *node) bool { return r.matches(x, chosen) }); i >= 0 {
			used[i] = true
		} else if e, ok := r.entry(o, chosen, before+len(entries)+1, len(entries)+1, total > 1); ok {
			entries = append(entries, e)
		} else {
			return nil
		}
		for i := len(pick) - 1; i >= 0; i-- { // the last key changes fastest
			if pick[i]++; pick[i] < len(o.axes[i].choices) {
				break
			}
			pick[i] = 0
		}
	}
	if len(entries) == 0 {
		r.fault(o.at, "all combinations of the job are excluded")
	}
	for i, x := range o.excluded {
		if !used[i] && len(r.faults) == 0 {
			r.fault(x, "excludes nothing: no combination has these values")
		}
	}
	return entries
}

// matches reports whether a combination has all values of an exclusion. Exclusions
// name files by their paths, their names or a pattern.
func (r *reader) matches(x *node, chosen map[string]choice) bool {
	for _, p := range x.pairs {
		c, hit := chosen[p.key.text], false
		for _, want := range items(p.value) {
			for _, text := range c.texts {
				pattern, _ := filepath.Match(want.text, filepath.Base(text))
				hit = hit || text == want.text || text == r.absolute(want.text) || pattern
			}
			if joined, ok := r.joined(want); ok && joined == c.String() {
				hit = true
			}
		}
		if !hit {
			return false
		}
	}
	return len(x.pairs) > 0
}

// entry makes a job of one combination. number is its position among the jobs of
// the file, and nth its position among those of this order.
func (r *reader) entry(o order, chosen map[string]choice, number, nth int, several bool) (Entry, bool) {
	e := o.entry
	fields := map[string]string{"job": fmt.Sprintf("%04d", number)}
	for _, a := range o.axes {
		c := chosen[a.key]
		text := c.String()
		if slices.Contains(multiplied, a.key) {
			stems := make([]string, len(c.texts))
			for i, path := range c.texts {
				stems[i] = stem(path)
			}
			fields[a.key] = strings.Join(stems, "+")
			text = fields[a.key]
		} else {
			fields[a.key] = strings.NewReplacer("/", "-", `\`, "-", ":", "-").Replace(text)
		}
		if len(a.choices) > 1 {
			e.Values = append(e.Values, Value{a.key, text})
		}
	}
	e.Name = fill(o.name, fields)
	if o.name == "" {
		e.Name = fmt.Sprintf("%s:%d", filepath.Base(r.path), o.at.line)
	}
	if several && e.Name == cmp.Or(o.name, e.Name) { // no field distinguished their names
		e.Name += fmt.Sprintf(" #%d", nth)
	}
	fields["name"] = strings.NewReplacer("/", "-", `\`, "-", ":", "-", " ", "-", "#", "").Replace(e.Name)

	for _, n := range o.needs {
		e.needs = append(e.needs, need{n, fill(n.text, fields)})
	}
	e.Group = o.name
	faults := len(r.faults)
	written := map[string]bool{}
	if number <= len(r.promised) {
		maps.Copy(written, r.promised[number-1])
	}
	for _, d := range o.steps {
		s := r.commandLine(d, chosen, fields, written, r.guessing || r.unsure && len(o.needs) > 0)
		for _, out := range s.Outputs {
			written[out] = true
		}
		e.Steps = append(e.Steps, s)
	}
	return e, len(r.faults) == faults
}

// stem returns the name of a file without folder and extension.
func stem(path string) string {
	base := filepath.Base(path[strings.LastIndex(path, ":")+1:])
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// fill replaces the {fields} that are known. The command fills the others, because
// it knows the picture's size.
func fill(template string, fields map[string]string) string {
	for key, value := range fields {
		template = strings.ReplaceAll(template, "{"+key+"}", value)
	}
	return template
}

// commandLine returns a step with everything filled in. Files in written are made
// by the steps and jobs before it. With mayMiss, any file may be missing.
func (r *reader) commandLine(d draft, chosen map[string]choice, fields map[string]string, written map[string]bool, mayMiss bool) Step {
	s := Step{Command: d.command}
	command := r.vocabulary.Commands[d.command]
	named := map[string]bool{}
	add := func(n *node, key string, texts ...string) {
		named[key] = true
		for _, text := range texts {
			s.Flags = append(s.Flags, Value{key, r.value(n, &s, command.Flags[key], text, fields, written, mayMiss)})
		}
	}
	for _, p := range d.flags {
		key := p.key.text
		f := command.Flags[key]
		if c, ok := chosen[key]; ok && (p.value == c.at || slices.Contains(items(p.value), c.at)) {
			add(c.at, key, c.texts...)
			continue
		}
		if named[key] {
			continue
		}
		switch {
		case p.value.kind == isNull && f.Kind == Switch:
			add(p.value, key, "true")
		case p.value.kind == isList && f.Many:
			for _, v := range p.value.list {
				add(v, key, r.substituted(r.one(v), chosen)...)
			}
		default:
			if text, ok := r.joined(p.value); ok {
				add(p.value, key, r.substituted(text, chosen)...)
			}
		}
	}
	for key, c := range chosen {
		if _, has := command.Flags[key]; has && !named[key] && !slices.Contains(multiplied, key) {
			add(c.at, key, c.texts...)
		}
	}
	slices.SortStableFunc(s.Flags, func(a, b Value) int { return strings.Compare(a.Key, b.Key) })
	if d.args != nil {
		for _, n := range items(d.args) {
			for _, text := range r.substituted(r.one(n), chosen) {
				kind := Text
				if command.Inputs {
					kind = Input
				}
				s.Args = append(s.Args, r.value(n, &s, Flag{Kind: kind}, text, fields, written, mayMiss))
			}
		}
	}
	return s
}

// substituted replaces "$content", "$style" and "$FLAG" of the matrix by the chosen
// values.
func (r *reader) substituted(text string, chosen map[string]choice) []string {
	if key, ok := strings.CutPrefix(text, "$"); ok {
		if c, ok := chosen[key]; ok {
			return c.texts
		}
	}
	return []string{text}
}

// value returns the text that a flag is given. File names become absolute paths,
// which are recorded in s.
func (r *reader) value(n *node, s *Step, f Flag, text string, fields map[string]string, written map[string]bool, mayMiss bool) string {
	if f.Kind == Text || f.Kind == Switch {
		return text
	}
	if text == "-" {
		r.fault(n, "a job of a batch has no standard input or output; name a file")
		return text
	}
	if f.Kind == Output {
		path := r.absolute(fill(text, fields))
		if strings.HasSuffix(text, "/") {
			path += "/"
		}
		if strings.Contains(path, "{n}") {
			r.fault(n, "{n} counts files that exist; in a batch use {job}")
		}
		s.Outputs = append(s.Outputs, path)
		return path
	}
	if r.vocabulary.Plain != nil && r.vocabulary.Plain(text) {
		return text
	}
	path := r.absolute(fill(text, fields))
	_, err := os.Stat(path)
	switch {
	case written[path]:
	case err != nil && mayMiss:
	case err != nil && f.Kind == Named:
		return text // a word that the flag accepts, or the command will report the error
	case err != nil:
		r.fault(n, "%q does not exist", r.shorter(path))
		return path
	}
	if !slices.Contains(s.Inputs, path) {
		s.Inputs = append(s.Inputs, path)
	}
	return path
}
