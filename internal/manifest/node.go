package manifest

import (
	"bytes"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/impasto/impasto/internal/config"
)

// node is a value of the file in any format: text, a list or a mapping.
type node struct {
	line, col int // from 1
	kind      nodeKind
	text      string
	list      []*node
	pairs     []pair
}

type pair struct{ key, value *node }

type nodeKind int

const (
	isText nodeKind = iota
	isList
	isMap
	isNull
)

func (n *node) get(key string) *node {
	for _, p := range n.pairs {
		if p.key.text == key {
			return p.value
		}
	}
	return nil
}

// yaml reads YAML, which includes JSON. at is the line from which lines are
// counted.
func (r *reader) yaml(data []byte, at int) (top *node) {
	// Older releases of the parser panicked on hostile text.
	defer func() {
		if recover() != nil {
			r.fault(&node{line: at + 1, col: 1}, "is not YAML that can be read")
			top = nil
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, col, msg := config.SyntaxError(err)
		r.fault(&node{line: at + line, col: col}, "%s", msg)
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		if top != nil {
			r.fault(r.place(doc.Body, at), "holds a second document; one file is one batch")
			return nil
		}
		top = r.node(doc.Body, at, 0)
	}
	if top == nil && len(r.faults) == 0 {
		r.fault(nil, "is empty")
	}
	return top
}

func (r *reader) place(n ast.Node, at int) *node {
	p := n.GetToken().Position
	return &node{line: at + p.Line, col: p.Column}
}

// node converts a value of the parser to a node.
func (r *reader) node(n ast.Node, at, depth int) *node {
	out := r.place(n, at)
	if depth > maxDepth {
		r.fault(out, "is nested deeper than %d", maxDepth)
		return nil
	}
	switch n := n.(type) {
	case *ast.StringNode:
		out.text = n.Value
	case *ast.LiteralNode:
		out.text = strings.TrimSpace(n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.text = n.GetToken().Value
	case *ast.NullNode:
		out.kind = isNull
	case *ast.SequenceNode:
		out.kind = isList
		for _, v := range n.Values {
			if child := r.node(v, at, depth+1); child != nil {
				out.list = append(out.list, child)
			}
		}
	case *ast.MappingNode:
		out.kind = isMap
		r.fill(out, n.Values, at, depth)
	case *ast.MappingValueNode:
		out.kind = isMap
		r.fill(out, []*ast.MappingValueNode{n}, at, depth)
	case *ast.TagNode, *ast.AnchorNode, *ast.AliasNode:
		r.fault(out, "anchors, aliases and tags are not understood here; write the value out, or use defaults")
		return nil
	default:
		r.fault(out, "expected a value, a list or a mapping")
		return nil
	}
	if out.kind == isMap && len(out.pairs) > 0 {
		out.line, out.col = out.pairs[0].key.line, out.pairs[0].key.col
	}
	return out
}

// fill reads the pairs of a mapping.
func (r *reader) fill(into *node, values []*ast.MappingValueNode, at, depth int) {
	seen := map[string]int{} // key -> its line
	for _, p := range values {
		if _, merge := p.Key.(*ast.MergeKeyNode); merge {
			r.fault(r.place(p.Key, at), "merge keys are not understood here; use defaults")
			continue
		}
		key := r.place(p.Key, at)
		key.text = p.Key.GetToken().Value
		if line, twice := seen[key.text]; twice {
			r.fault(key, "key %q is already set in line %d", key.text, line)
			continue
		}
		seen[key.text] = key.line
		if value := r.node(p.Value, at, depth+1); value != nil {
			into.pairs = append(into.pairs, pair{key, value})
		}
	}
}

// lines reads JSON Lines, in which each line is a job. A line with "version" or
// "defaults" is the head of the file.
func (r *reader) lines(data []byte) *node {
	top := &node{line: 1, col: 1, kind: isMap}
	jobs := &node{line: 1, col: 1, kind: isList}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if r.full() {
			break
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		job := r.yaml(line, i)
		switch {
		case job == nil:
		case job.kind != isMap:
			r.fault(job, "expected a job, such as {\"content\": \"photo.jpg\", \"style\": \"painting.jpg\"}")
		case job.get("version") != nil || job.get("defaults") != nil:
			top.pairs = append(top.pairs, job.pairs...)
		default:
			jobs.list = append(jobs.list, job)
		}
	}
	top.pairs = append(top.pairs, pair{&node{line: 1, col: 1, text: "jobs"}, jobs})
	return top
}
