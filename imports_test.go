package impasto

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/impasto/impasto"

// mayImport is the architecture: which of our packages each folder may import.
// A folder covers its sub-folders unless they have a row of their own. An edge
// that is not here is forbidden; the picture is in docs/architecture.md.
var mayImport = map[string][]string{
	"":                   {},
	"kernels":            {},
	"cuda":               {},
	"cuda/ptx":           {},
	"cuda/emu":           {"cuda", "cuda/ptx", "internal/binary16"},
	"cuda/libcuda":       {"cuda", "cuda/emu"},
	"cuda/cu":            {"cuda", "cuda/libcuda"},
	"cuda/drivertest":    {"cuda"},
	"gpu":                {"gpu/simd", "cuda", "kernels", "internal/binary16"},
	"gpu/simd":           {},
	"gpu/simd/tiles":     {},
	"gpu/simd/tiles/run": {"gpu/simd/tiles"},
	"vgg":                {"gpu", "internal/binary16", "internal/filelock", "internal/replace"},
	"vgg/dense":          {"vgg"},
	"style":              {"vgg", "gpu", "internal/picture", "internal/flow", "internal/wording"},
	"internal/binary16":  {},
	"internal/wording":   {},
	"internal/testutil":  {},
	"internal/ui":        {"internal/wording"},
	"internal/picture":   {"internal/replace", "internal/wording"},
	"internal/overwrite": {"internal/picture", "internal/ui"},
	"internal/maps":      {"internal/picture", "internal/wording"},
	"internal/sample":    {},
	"internal/progress":  {"internal/ui"},
	"internal/preview":   {},
	"internal/recipe":    {"style"},
	"internal/report":    {"internal/picture"},
	"internal/explain":   {"style", "internal/maps", "internal/picture"},
	"internal/compare":   {"internal/overwrite", "internal/picture", "internal/settings", "internal/ui"},
	"internal/config":    {},
	"internal/farm":      {"internal/filelock", "internal/wording"},
	"internal/farm/sim":  {"internal/farm"},
	"internal/foreign":   {"internal/settings", "internal/ui", "style"},
	"internal/filelock":  {},
	"internal/replace":   {},
	"internal/film":      {"internal/picture"},
	"internal/flow":      {"internal/picture"},
	"internal/manifest":  {"internal/config"},
	"internal/maptool":   {"internal/render", "internal/settings", "internal/overwrite", "internal/maps", "internal/picture", "internal/explain", "internal/ui"},
	"internal/job":       {"internal/render", "internal/settings", "internal/maptool", "internal/device", "internal/farm", "internal/config", "internal/picture", "internal/ui", "style"},
	"internal/batch": {"internal/job", "internal/maptool", "internal/render", "internal/settings", "internal/manifest", "internal/farm", "internal/config", "internal/overwrite",
		"internal/film", "internal/picture", "internal/progress", "internal/report", "internal/ui"},
	"internal/metrics": {"internal/batch", "internal/farm", "internal/ui"},
	"internal/studio": {"style", "internal/device", "internal/explain", "internal/farm", "internal/job", "internal/maps", "internal/picture", "internal/recipe", "internal/render", "internal/report", "internal/sample",
		"internal/settings", "internal/ui"},
	"internal/show":     {"internal/render", "internal/progress", "internal/preview", "internal/picture", "internal/ui", "style"},
	"internal/doctor":   {"internal/selftest", "internal/batch", "internal/farm", "internal/device", "internal/film", "internal/preview", "internal/progress", "internal/ui"},
	"internal/settings": {"internal/device", "internal/preview", "internal/progress", "internal/ui", "internal/config", "internal/film", "style", "vgg"},
	"internal/device":   {"internal/ui", "internal/progress", "vgg", "gpu", "cuda", "kernels"},
	"internal/render": {"internal/settings", "internal/device", "internal/ui", "internal/overwrite", "internal/picture", "internal/maps", "internal/sample", "internal/recipe",
		"internal/replace", "internal/report", "internal/explain", "internal/film", "internal/progress", "style", "vgg", "gpu"},
	"internal/weights":   {"internal/progress", "internal/ui", "vgg"},
	"internal/selftest":  {"internal/ui", "internal/progress", "vgg", "gpu", "gpu/simd", "cuda", "kernels"},
	"internal/bench":     {"internal/bench", "internal/progress", "internal/report", "internal/sample", "style", "vgg", "gpu", "gpu/simd"},
	"internal/timemodel": {"internal/bench", "cuda", "gpu", "vgg"},
	"scripts/firstlight": {"internal/bench", "internal/selftest", "internal/timemodel", "style", "vgg", "gpu", "cuda"},
	"scripts/timemodel":  {"internal/timemodel", "gpu"},
	"scripts/mutate":     {},
	"scripts/peer":       {"internal/bench", "style", "vgg", "gpu", "gpu/simd", "internal/progress"},
	"scripts/picture":    {"style", "vgg", "gpu"},
	"scripts/looks":      {"internal/bench", "internal/picture", "internal/sample", "style", "vgg", "gpu"},
	"cmd":                {"style", "internal"},
}

// onlyIn names the libraries that belong to one place: a second importer is a
// sign that a seam leaks.
var onlyIn = map[string][]string{
	"gorgonia.org/cu":                 {"cuda/cu"},
	"gorgonia.org/tensor":             {"vgg/dense"},
	"github.com/urfave/cli":           {"cmd"},
	"github.com/vbauerster/mpb":       {"internal/progress"},
	"github.com/goccy/go-yaml":        {"internal/config", "internal/manifest"},
	"github.com/nats-io":              {"internal/farm"},
	"github.com/VictoriaMetrics":      {"internal/metrics"},
	"github.com/google/jsonschema-go": {"internal/manifest"},
	"github.com/nlpodyssey":           {"vgg"},
	"github.com/HugoSmits86":          {"internal/picture"},
	"github.com/mattn/go-sixel":       {"internal/preview"},
	"al.essio.dev/pkg/shellescape":    {"internal/ui", "vgg"},
	"github.com/dustin/go-humanize":   {"internal/ui", "internal/progress"},
	"github.com/hbollon/go-edlib":     {"internal/wording"},
	"gonum.org/v1/gonum/optimize":     {}, // an oracle, for tests only
	"github.com/chromedp":             {}, // a browser, for tests only

	// Of our own: everything above the seam is handed a cuda.Driver.
	module + "/cuda/cu":         {"internal/device", "scripts/firstlight"},
	module + "/cuda/emu":        {"internal/device", "internal/timemodel", "cuda/libcuda"},
	module + "/cuda/libcuda":    {"cuda/cu"},
	module + "/cuda/drivertest": {},
}

// TestImportsRunOneWay walks the import graph of the product (tests apart,
// which may look sideways) and fails on an edge the tables above do not allow.
func TestImportsRunOneWay(t *testing.T) {
	openFolders(t)
	var lines []string
	for _, tags := range []string{"", "cuda"} {
		list := exec.Command("go", "list", "-tags", tags, "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
		list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=1") // so that tagged files count anywhere
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(strings.TrimSpace(string(out)), "\n")...)
	}
	edges := 0
	for _, line := range lines {
		fields := strings.Fields(line)
		from := strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/")
		if from == "internal/testutil" {
			continue
		}
		allowed, ok := rowFor(from)
		if !ok {
			t.Errorf("package %q has no row in mayImport", from)
			continue
		}
		for _, to := range fields[1:] {
			if own, isOurs := strings.CutPrefix(to, module+"/"); isOurs {
				edges++
				if !within(own, allowed) && !within(own, []string{from}) {
					t.Errorf("%s imports %s: not allowed", from, own)
				}
			}
			for lib, places := range onlyIn {
				if strings.HasPrefix(to, lib) && !within(from, places) {
					t.Errorf("%s imports %s, which belongs to %v", from, to, places)
				}
			}
		}
	}
	if edges == 0 {
		t.Error("no edges seen: the walk is broken")
	}
}

// openFolders opens every folder of the module, so that `go test` knows this
// result depends on them: it does not see what `go list` reads, and would answer
// from its cache.
func openFolders(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rowFor returns the row of the nearest folder at or above pkg.
func rowFor(pkg string) ([]string, bool) {
	for dir := pkg; ; {
		if row, ok := mayImport[dir]; ok && (dir != "" || pkg == "") {
			return row, true
		}
		cut := strings.LastIndex(dir, "/")
		if cut < 0 {
			return nil, false
		}
		dir = dir[:cut]
	}
}

func within(pkg string, folders []string) bool {
	for _, f := range folders {
		if pkg == f || strings.HasPrefix(pkg, f+"/") {
			return true
		}
	}
	return false
}

// TestTypesAreTheirOwn: go doc shows neither fields nor methods of an alias.
func TestTypesAreTheirOwn(t *testing.T) {
	for _, folder := range []string{"style", "vgg", "vgg/dense", "gpu", "cuda"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", folder, err)
		}
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok && spec.Assign.IsValid() {
					t.Errorf("%s: type %s is an alias", path, spec.Name.Name)
				}
				return true
			})
		}
	}
}
