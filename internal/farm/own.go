package farm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Own keeps in a folder the IDs of the jobs that this user submitted. An ID depends on
// the outputs of its job (see Identify). So a record with such an ID and other outputs is
// recognised as changed.
//
// The folder has a file for each first two digits of IDs, with an ID on each line.
type Own string

func (o Own) shard(id string) string { return filepath.Join(string(o), id[:2]) }

// add adds jobs.
func (o Own) add(jobs []Job) error {
	if o == "" || len(jobs) == 0 {
		return nil
	}
	if err := os.MkdirAll(string(o), 0o700); err != nil {
		return err
	}
	shards := map[string][]string{}
	for _, j := range jobs {
		shards[o.shard(j.ID)] = append(shards[o.shard(j.ID)], j.ID)
	}
	for path, ids := range shards {
		known, err := readIDs(path)
		if err != nil {
			return err
		}
		var text strings.Builder
		for _, id := range ids {
			if !known[id] {
				text.WriteString(id + "\n")
			}
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text.String())
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Has reports whether this user submitted a job, and its record still names the
// outputs that were asked for.
func (o Own) Has(j Job) (bool, error) {
	if !isID(j.ID) || !j.identified() {
		return false, nil
	}
	known, err := readIDs(o.shard(j.ID))
	return known[j.ID], err
}

func readIDs(path string) (map[string]bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	ids := map[string]bool{}
	for id := range strings.FieldsSeq(string(text)) {
		ids[id] = true
	}
	return ids, err
}

// identified reports whether a job has the ID that Identify gives it.
func (j Job) identified() bool {
	same := j
	same.Identify()
	return same.ID == j.ID
}
