package impasto

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mostFileLines     = 500
	mostFunctionLines = 80
)

// longFunctions may be longer: decoders, which are read from top to bottom.
var longFunctions = map[string]bool{
	"cuda/emu/ops_async.go decodeCpAsync": true,
}

// TestFilesAndFunctionsFitAHead: a file has one job, and a function is seen at
// once. Tests, tables and generated files are free.
func TestFilesAndFunctionsFitAHead(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "build" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		if ast.IsGenerated(file) {
			return nil
		}
		if n := set.Position(file.End()).Line; n > mostFileLines {
			t.Errorf("%s has %d lines; %d are the most", path, n, mostFileLines)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || longFunctions[filepath.ToSlash(path)+" "+f.Name.Name] {
				continue
			}
			if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > mostFunctionLines {
				t.Errorf("%s of %s has %d lines; %d are the most", f.Name.Name, path, n, mostFunctionLines)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
