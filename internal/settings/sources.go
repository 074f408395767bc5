package settings

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

// UserLayers returns the layers of the user's settings, in order of precedence: the
// environment, the project's configuration file and the user's. If configFile is
// given, it replaces both files. Jobs have none of these layers, because their
// command lines hold all their settings.
func UserLayers(configFile string) ([]Layer, ui.Faults) {
	files, bad := fileLayers(configFile)
	return append([]Layer{Environment(os.LookupEnv)}, files...), bad
}

// variablePrefix begins the names of all variables that are read.
const variablePrefix = "IMPASTO_"

// Variable returns the environment variable of a setting.
func Variable(name string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Environment returns the layer of environment variables.
func Environment(lookup func(string) (string, bool)) Layer {
	return Layer{
		Get: func(name string) (string, bool) {
			s, _ := Find(name, "")
			if !s.InConfig() || Variable(name) == vgg.Environment {
				return "", false // IMPASTO_WEIGHTS may be a directory; vgg.Resolve reads it
			}
			v, ok := lookup(Variable(name))
			return v, ok && v != ""
		},
		Origin: Variable,
	}
}

// KnownKey reports to internal/config which keys a configuration file may have.
func KnownKey(key string) (near string, ok bool) {
	keys := ConfigKeys()
	if slices.Contains(keys, key) {
		return "", true
	}
	return ui.Nearest(key, keys), false
}

// fileLayers reads the configuration files.
func fileLayers(named string) (layers []Layer, bad ui.Faults) {
	paths := []string{config.ProjectFile}
	if user, err := config.UserFile(); err == nil {
		paths = append(paths, user)
	}
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			bad.Add(ui.NewFault(ui.ExitUsage, "config", fmt.Sprintf("configuration %q does not exist", named)))
		}
		paths = []string{named}
	}
	for _, path := range paths {
		entries, errs := config.Load(path, KnownKey)
		for _, err := range errs {
			bad.Add(err)
		}
		if len(entries) == 0 {
			continue
		}
		byKey := map[string]config.Entry{}
		for _, e := range entries {
			byKey[e.Key] = e
		}
		layers = append(layers, Layer{
			Get:    func(name string) (string, bool) { e, ok := byKey[name]; return e.Value, ok },
			Origin: func(name string) string { return fmt.Sprintf("%s:%d", path, byKey[name].Line) },
		})
	}
	return layers, bad
}
