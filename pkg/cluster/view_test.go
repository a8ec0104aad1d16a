package cluster

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayEmbed are the types that embed a View on purpose: they change one answer, and every other method, also one that View
// gets later, is right to go through. Every other View holds the one below in a field, so that forgetting a method does not compile.
var mayEmbed = []string{"doctor.Exam", "status.snapshotView", "kubeflow.steadyView"}

func TestOnlyViewsThatMayForgetAMethodEmbedOne(t *testing.T) {
	var found []string
	for _, root := range []string{"../../pkg", "../../internal", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, name := range embedders(file) {
				if found = append(found, name); !slices.Contains(mayEmbed, name) {
					t.Errorf("%s: %s embeds a View: hold it in a field and write each method, or add it to mayEmbed", path, name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range mayEmbed {
		if !slices.Contains(found, name) {
			t.Errorf("%s embeds no View any more: take it off the list", name)
		}
	}
}

// embedders returns the struct types of a file that embed a cluster.View.
func embedders(file *ast.File) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range s.Fields.List {
				if len(field.Names) == 0 && isView(file.Name.Name, field.Type) {
					names = append(names, file.Name.Name+"."+spec.Name.Name)
				}
			}
		}
		return true
	})
	return names
}

func isView(pkg string, of ast.Expr) bool {
	switch of := of.(type) {
	case *ast.Ident:
		return pkg == "cluster" && of.Name == "View"
	case *ast.SelectorExpr:
		from, _ := of.X.(*ast.Ident)
		return from != nil && from.Name == "cluster" && of.Sel.Name == "View"
	}
	return false
}
