package style

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/impasto/impasto/vgg"
)

// TestEveryConstantIsAChoice: a value that is missing from the table could be
// chosen by nobody.
func TestEveryConstantIsAChoice(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "choices.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string][]string{} // by type
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		if g.Doc == nil {
			t.Errorf("the constants at %d have no comment", g.Pos())
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			word, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			kind := v.Type.(*ast.Ident).Name
			constants[kind] = append(constants[kind], word)
		}
	}
	listed := map[string]bool{}
	for _, c := range choices {
		for kind, values := range constants {
			if slices.Equal(c.words, values) {
				listed[kind] = true
			}
		}
	}
	for kind, values := range constants {
		if !listed[kind] {
			t.Errorf("no row of choices lists %q, the constants of %s", values, kind)
		}
	}
	if len(constants) < 10 {
		t.Errorf("only %d types of constants were read", len(constants))
	}
}

func TestChoices(t *testing.T) {
	if got := Choices("pooling"); !slices.Equal(got, []string{string(vgg.PoolMax), string(vgg.PoolAvg), string(vgg.PoolL2)}) {
		t.Errorf("pooling takes %q", got)
	}
	if got := Choices("size"); got != nil {
		t.Errorf("size takes %q", got)
	}
}
