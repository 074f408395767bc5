package batch

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
)

// words returns the command line of a step, with the settings of the user's
// configuration, and the files it writes.
func (b *Builder) words(step manifest.Step) (words, outputs []string) {
	outputs = slices.Clone(step.Outputs)
	mode, paints := settings.CommandMode(step.Command)
	if !paints {
		return step.Words(), outputs
	}
	given := map[string]bool{}
	for _, f := range step.Flags {
		given[f.Key] = true
	}
	for _, s := range settings.For(mode) {
		if given[s.Name] || !s.InJob() {
			continue
		}
		if text, ok := settings.LookUp(s, b.layers...); ok {
			step.Flags = append(step.Flags, manifest.Value{Key: s.Name, Text: text})
		}
	}
	step.Flags = append(step.Flags, b.ownDefaults(step)...)
	if !given["output"] {
		folder := b.folder + string(filepath.Separator)
		step.Flags = append(step.Flags, manifest.Value{Key: "output", Text: folder})
		outputs = append(outputs, folder)
	}
	return step.Words(), outputs
}

// ownDefaults returns the settings of a step that were not set and whose defaults
// depend on the machine, with their values on this machine. A worker has another
// device, and may have other weights. Defaults that depend on the device are those
// of the class that the job is for.
func (b *Builder) ownDefaults(step manifest.Step) (more []manifest.Value) {
	mode, _ := settings.CommandMode(step.Command)
	given := map[string]string{}
	for _, f := range step.Flags {
		given[f.Key] = f.Text
	}
	if given["weights"] == "" {
		if own := settings.InstalledWeights(); own != "" {
			given["weights"] = own
			more = append(more, manifest.Value{Key: "weights", Text: own})
		}
	}
	draft, _ := settings.ParseSwitch(given["draft"])
	if draft || given["preset"] != "" && given["preset"] != "default" {
		return more // these do not depend on the device
	}
	names, texts := settings.DeviceDefaults(mode, given["weights"], b.device(given["device"]))
	for i, name := range names {
		if _, ok := given[name]; !ok {
			more = append(more, manifest.Value{Key: name, Text: texts[i]})
		}
	}
	return more
}

// device returns the device whose defaults apply to a job: the one that it names,
// one of its class, or that of this machine.
func (b *Builder) device(named string) string {
	switch {
	case named != "" && named != "auto":
		return named
	case b.class == farm.ClassGPU:
		return "cuda"
	case b.class == farm.ClassCPU:
		return "cpu"
	}
	return "auto"
}

// withOutput replaces the output of a step by its final name, with the fields
// filled in and the folder added.
func withOutput(words, outputs []string, name string) ([]string, []string) {
	before := ""
	words, outputs = slices.Clone(words), slices.Clone(outputs)
	for i, w := range words {
		if w == "--" {
			break
		}
		if value, ok := strings.CutPrefix(w, "--output="); ok {
			before, words[i] = value, "--output="+name
		}
	}
	for i, path := range outputs {
		if path == before {
			outputs[i] = name
		}
	}
	return words, outputs
}

// withMaps adds the maps that were found beside pictures to the words, so that they
// are sent with the job. On the worker no maps lie beside the pictures.
func withMaps(words, inputs []string, files []render.FileRead) ([]string, []string) {
	words, inputs = slices.Clone(words), slices.Clone(inputs)
	add := func(path string) {
		if _, sample := render.CutSample(path); !sample && !slices.Contains(inputs, path) {
			inputs = append(inputs, path)
		}
	}
	for _, f := range files {
		at := slices.Index(words, "--")
		if at < 0 {
			at = len(words)
		}
		switch f.Role {
		case "map", "style-map":
			flag := "--" + f.Role + "=" + f.Path
			if _, sample := render.CutSample(f.Path); !sample && !slices.Contains(words, flag) {
				words = slices.Insert(words, at, flag)
				add(f.Path)
			}
		case "a":
			edit := slices.IndexFunc(words[:at], func(w string) bool { return strings.HasPrefix(w, "--edit=") })
			if edit < 0 {
				continue // A is an argument
			}
			// "--edit=B A'" with the map A of the painting is "A A' B".
			edited := strings.TrimPrefix(words[edit], "--edit=")
			painting := words[len(words)-1]
			words = append(slices.Delete(words[:at], edit, edit+1), "--", f.Path, painting, edited)
			add(f.Path)
		}
	}
	return words, inputs
}
