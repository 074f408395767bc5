package manifest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
)

// csv reads a table. The first row names the flags, and each other row is a job. An
// empty cell leaves its flag unset.
func (r *reader) csv(data []byte) *node {
	c := csv.NewReader(bytes.NewReader(data))
	c.Comment = '#'
	if first, _, _ := bytes.Cut(data, []byte("\n")); bytes.ContainsRune(first, '\t') && !bytes.ContainsRune(first, ',') {
		c.Comma = '\t'
	}
	c.FieldsPerRecord = -1
	jobs := &node{line: 1, col: 1, kind: isList}
	var head []*node
	for {
		row, err := c.Read()
		if err != nil {
			if bad, ok := errors.AsType[*csv.ParseError](err); ok {
				r.fault(&node{line: bad.Line, col: bad.Column}, "%s", bad.Err)
			}
			break
		}
		cells := make([]*node, len(row))
		for i, text := range row {
			line, col := c.FieldPos(i)
			cells[i] = &node{line: line, col: col, text: strings.TrimSpace(text)}
		}
		if head == nil {
			head = cells
			continue
		}
		if len(cells) > len(head) {
			r.fault(cells[len(head)], "the row has %d cells, the header %d", len(cells), len(head))
			continue
		}
		job := &node{line: cells[0].line, col: cells[0].col, kind: isMap}
		for i, cell := range cells {
			if cell.text != "" {
				key := *cell
				key.text = head[i].text
				job.pairs = append(job.pairs, pair{&key, cell})
			}
		}
		if len(job.pairs) > 0 {
			jobs.list = append(jobs.list, job)
		}
	}
	seen := map[string]bool{}
	for _, h := range head {
		if seen[h.text] {
			r.fault(h, "column %q is there twice", h.text)
		}
		seen[h.text] = true
	}
	if head == nil && len(r.faults) == 0 {
		r.fault(nil, "is empty")
	}
	return &node{line: 1, col: 1, kind: isMap, pairs: []pair{{&node{line: 1, col: 1, text: "jobs"}, jobs}}}
}
