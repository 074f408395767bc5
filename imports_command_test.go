package impasto

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// commandImports lists what a file of the command imports of internal beside settings,
// render and ui: the packages that its command is about. style is there for its
// modes and presets alone.
var commandImports = map[string]string{
	"argv.go":             "foreign",
	"argv_iterations.go":  "foreign",
	"batch_money.go":      "batch manifest",
	"cmd_batch.go":        "batch",
	"cmd_batch_check.go":  "batch manifest progress",
	"cmd_batch_run.go":    "batch farm job",
	"cmd_batch_submit.go": "batch farm",
	"cmd_bench.go":        "bench device picture",
	"cmd_bench_report.go": "bench picture",
	"cmd_compare.go":      "compare",
	"cmd_completion.go":   "bench farm",
	"cmd_config.go":       "config picture",
	"cmd_demo.go":         "sample",
	"cmd_devices.go":      "device progress selftest",
	"cmd_doctor.go":       "device doctor selftest",
	"cmd_map.go":          "maptool picture preview",
	"cmd_queue.go":        "batch farm",
	"cmd_queue_change.go": "farm",
	"cmd_queue_fetch.go":  "batch farm",
	"cmd_queue_ls.go":     "batch farm",
	"cmd_queue_prune.go":  "farm",
	"cmd_queue_serve.go":  "batch farm",
	"cmd_queue_watch.go":  "batch farm",
	"cmd_recipe.go":       "picture recipe",
	"cmd_schema.go":       "batch manifest",
	"cmd_studio.go":       "batch farm job studio",
	"cmd_video.go":        "show",
	"cmd_video_submit.go": "batch progress show",
	"cmd_weights.go":      "weights",
	"cmd_worker.go":       "batch device farm job metrics progress",
	"firstscreen.go":      "device weights",
	"hint.go":             "foreign",
	"main.go":             "job",
	"paint.go":            "progress show",
	"queue_choose.go":     "batch farm progress",
	"unknown.go":          "foreign",
}

// TestFilesImportWhatTheirCommandIsAbout: work that needs more is no command's.
func TestFilesImportWhatTheirCommandIsAbout(t *testing.T) {
	files, err := filepath.Glob("cmd/impasto/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range files {
		name := filepath.Base(path)
		if files[i] = name; strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		allowed := append(strings.Fields(commandImports[name]), "settings", "render", "ui", "style")
		for _, i := range file.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			own, isOurs := strings.CutPrefix(path, "github.com/impasto/impasto/")
			if own = strings.TrimPrefix(own, "internal/"); isOurs && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", name, own)
			}
		}
	}
	for name := range commandImports {
		if !slices.Contains(files, name) {
			t.Errorf("there is no file %s", name)
		}
	}
}
