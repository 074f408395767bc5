package manifest

import (
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestSchema holds manifests that Parse takes against the schema, and some that
// no editor should let through.
func TestSchema(t *testing.T) {
	schema, err := Schema(words()).Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		good bool
	}{
		{"version: 1\noutput: 'r/{content}.png'\ndefaults: {size: 1024, overwrite: skip, priority: 3}\njobs:\n" +
			"- {content: [a.png], style: [[a, b], c], matrix: {seed: [1, 2], style-layers: [[a, b]]}, exclude: [{seed: 1}]}", true},
		{"jobs: [{analogy: [a, b, c], timeout: 20m, retries: 1, draft: true}]", true},
		{"jobs: [{name: x, steps: [{command: map derive, args: [a], output: b}, {mode: art, size: 3}]}]", true},
		{"version: 2\njobs: [{content: a}]", false},
		{"jobs: []", false},
		{"jobs: [{style_weight: 2}]", false},
		{"jobs: [{mode: etch}]", false},
		{"jobs: [{priority: 10}]", false},
		{"jobs: [{matrix: {content: [a]}}]", false},
		{"jobs: [{matrix: {seed: 1}}]", false},
		{"jobs: [{steps: [{size: 3, priority: 1}]}]", false},
		{"jobs: [{size: {a: b}}]", false},
		{"job: [{size: 3}]", false},
	} {
		var v any
		if err := yaml.Unmarshal([]byte(c.text), &v); err != nil {
			t.Fatal(err)
		}
		plain, err := json.Marshal(v) // numbers and keys as JSON has them
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(plain, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != c.good {
			t.Errorf("%s: %v, want good: %v", c.text, err, c.good)
		}
	}
}
