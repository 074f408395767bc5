package batch

import (
	"slices"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/maptool"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// notInManifest are flags of tools that make sense only on a terminal or for one
// command.
var notInManifest = []string{"preview", "y"}

// Vocabulary returns the commands that jobs of a manifest can use, with their
// flags: the commands that paint and the tools that work on maps.
func Vocabulary() manifest.Vocabulary {
	v := manifest.Vocabulary{Commands: map[string]manifest.Command{}, Default: "art", Classes: []string{farm.ClassCPU, farm.ClassGPU}, Near: ui.Nearest,
		Plain: func(path string) bool { _, ok := render.CutSample(path); return ok }}
	for _, name := range settings.Commands() {
		mode, _ := settings.CommandMode(name)
		flags := map[string]manifest.Flag{}
		for _, s := range settings.For(mode) {
			if s.InManifest() {
				flags[s.Name] = manifest.Flag{Kind: kindOf(s.Kind), Many: s.Repeats, Usage: s.HelpFor(mode)}
			}
		}
		v.Commands[name] = manifest.Command{Flags: flags, Inputs: true}
	}
	for _, t := range maptool.Tools {
		flags := map[string]manifest.Flag{}
		for _, f := range t.Flags {
			if !slices.Contains(notInManifest, f.Name) {
				flags[f.Name] = manifest.Flag{Kind: kindOf(f.Kind), Usage: f.Help}
			}
		}
		v.Commands["map "+t.Name] = manifest.Command{Flags: flags, Inputs: true}
	}
	return v
}

// kindOf says how a manifest treats the values of a flag: whether they are paths,
// and whether the files are read or written.
func kindOf(k settings.Kind) manifest.Kind {
	switch k {
	case settings.Switch:
		return manifest.Switch
	case settings.File:
		return manifest.Input
	case settings.FileOrWord:
		return manifest.Named
	case settings.Output:
		return manifest.Output
	}
	return manifest.Text
}
