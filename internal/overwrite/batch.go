package overwrite

// Use is a file that a job of a batch reads or writes.
type Use struct {
	Path, Job string
	Nth       int // of the job, in the batch
}

// Clash is a file that one job writes and another reads or writes.
type Clash struct {
	Written, Other Use
	Reads          bool // the other reads it
}

// Clashes finds the outputs of jobs that are inputs of any job, or that two jobs
// write. Jobs run in any order and several at once, so neither has one meaning.
// Inputs that a job itself made before do not count as read.
func Clashes(reads, writes []Use) (list []Clash) {
	names := newIndex()
	for i, r := range reads {
		names.add(r.Path, i)
	}
	for _, w := range writes {
		if i, ok := names.find(w.Path); ok {
			list = append(list, Clash{w, reads[i], true})
		}
	}
	outputs := newIndex()
	for i, w := range writes {
		if first, ok := outputs.find(w.Path); ok && writes[first].Nth != w.Nth {
			list = append(list, Clash{Written: w, Other: writes[first]})
			continue
		}
		outputs.add(w.Path, i)
	}
	return list
}
