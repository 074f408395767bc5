package manifest

import (
	"maps"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schema returns a JSON Schema (draft 2020-12) of the file, for editors. It is made
// from the same vocabulary that Read uses. Only Read checks what a schema cannot
// express, such as that a flag belongs to a mode or that files exist.
func Schema(v Vocabulary) *jsonschema.Schema {
	flags := map[string]*jsonschema.Schema{} // each is written down once
	for _, name := range slices.Sorted(maps.Keys(v.Commands)) {
		for flag, f := range v.Commands[name].Flags {
			if flags[flag] == nil {
				flags[flag] = flagSchema(flag, f)
			}
		}
	}
	keys := func(more []string) map[string]*jsonschema.Schema {
		all := map[string]*jsonschema.Schema{}
		for name := range flags {
			all[name] = &jsonschema.Schema{Ref: "#/$defs/" + name}
		}
		for _, key := range more {
			all[key] = keySchema(key, v, flags)
		}
		return all
	}
	ofJobs := slices.Collect(maps.Keys(jobKeys))
	job, defaults := keys(ofJobs), keys(ofJobs)
	job["steps"].Items = closed(keys(stepKeys), "a command line")
	for _, key := range []string{"name", "matrix", "exclude", "steps", "args", "analogy", "needs"} {
		delete(defaults, key)
	}
	version := &jsonschema.Schema{Description: "of this form"}
	version.Const = jsonschema.Ptr[any](Version)
	s := closed(map[string]*jsonschema.Schema{
		"version": version,
		"output": {Ref: "#/$defs/output",
			Description: "where all jobs write, with {content} {style} {name} {job} and keys of the matrix"},
		"price":    priceSchema(v),
		"budget":   {Types: []string{"number", "string"}, Description: "how much the jobs may cost together; then no more are started"},
		"defaults": closed(defaults, "what holds for all jobs whose command has it"),
		"jobs": {Type: "array", MinItems: jsonschema.Ptr(1),
			Items: closed(job, "a job, or one for each combination of its lists")},
	}, "a batch of Impasto")
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "Impasto batch"
	s.Required = []string{"jobs"}
	s.Defs = flags
	return s
}

// closed returns the schema of a mapping with these keys and no others.
func closed(keys map[string]*jsonschema.Schema, description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", Description: description, Properties: keys,
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}}}
}

// priceSchema describes one price for all workers, or one for each class.
func priceSchema(v Vocabulary) *jsonschema.Schema {
	one := &jsonschema.Schema{Type: "string", Pattern: "^[0-9]*[.]?[0-9]+/h$"}
	classes := map[string]*jsonschema.Schema{}
	for _, class := range v.Classes {
		classes[class] = one
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{one, closed(classes, "")}, Description: "what an hour of a machine costs, such as 1.20/h"}
}

// value returns the schema of the value of one flag. All values are text in the
// end.
func value() *jsonschema.Schema {
	return &jsonschema.Schema{Types: []string{"string", "number", "boolean"}}
}

func flagSchema(name string, f Flag) *jsonschema.Schema {
	var s *jsonschema.Schema
	switch {
	case f.Kind == Switch:
		s = &jsonschema.Schema{Types: []string{"boolean", "string"}}
	case slices.Contains(multiplied, name):
		group := &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}}
		s = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"},
			{Type: "array", Items: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, group}}}}}
	default:
		s = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{value(), {Type: "array", Items: value()}}}
	}
	s.Description = f.Usage
	return s
}

func keySchema(key string, v Vocabulary, flags map[string]*jsonschema.Schema) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	switch key {
	case "mode", "command":
		for _, name := range slices.Sorted(maps.Keys(v.Commands)) {
			s.Enum = append(s.Enum, name)
		}
	case "args":
		s = &jsonschema.Schema{Type: "array", Items: value()}
	case "analogy":
		s = &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"},
			MinItems: jsonschema.Ptr(3), MaxItems: jsonschema.Ptr(3)}
	case "matrix":
		axes := map[string]*jsonschema.Schema{}
		for name, f := range flags {
			if !slices.Contains(multiplied, name) {
				axes[name] = &jsonschema.Schema{Type: "array", MinItems: jsonschema.Ptr(1), Description: f.Description}
			}
		}
		s = closed(axes, "")
	case "exclude":
		s = &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "object"}}
	case "needs":
		s = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "array", Items: &jsonschema.Schema{Type: "string"}}}}
	case "steps":
		s = &jsonschema.Schema{Type: "array", MinItems: jsonschema.Ptr(1)}
	case "priority":
		s = &jsonschema.Schema{Type: "integer", Minimum: jsonschema.Ptr(0.0), Maximum: jsonschema.Ptr(9.0)}
	case "retries":
		s = &jsonschema.Schema{Type: "integer", Minimum: jsonschema.Ptr(0.0), Maximum: jsonschema.Ptr(100.0)}
	}
	s.Description = jobKeys[key]
	return s
}
