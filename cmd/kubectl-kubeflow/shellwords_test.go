package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// command matches the beginning of a command in a text that people copy into a shell.
var command = regexp.MustCompile(`(^|[\s:;(|&])(kubectl|az|docker|helm|openssl|curl|istioctl|kubelogin|git|gh|bash|sh|cosign) [a-z-]`)

// verb matches a verb of a format.
var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*(?:\*|\d+)?(?:\.\d+)?([a-zA-Z%])`)

// TestWordsInCommandsAreQuoted finds commands that hold text from elsewhere: a name with $(...) in it would be run by whoever
// copies the command. Each such text has to pass internal/escape.
func TestWordsInCommandsAreQuoted(t *testing.T) {
	files := sources(t)
	constants := constantNames(files)
	for name, file := range files.all {
		if strings.HasPrefix(name, "internal/escape/") {
			continue
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.CallExpr:
				for i, arg := range node.Args {
					if format, ok := text(arg); ok && command.MatchString(format) && !isQuoting(node.Fun) {
						for _, bad := range unquoted(format, node.Args[i+1:], constants) {
							t.Errorf("%s: %s in %q is not quoted: wrap it in escape.Word, or format the command with escape.Commandf", files.set.Position(bad.Pos()), expression(bad), format)
						}
					}
				}
			case *ast.BinaryExpr:
				if node.Op != token.ADD {
					return true
				}
				found := false
				for _, part := range terms(node) {
					if literal, ok := text(part); ok {
						found = found || command.MatchString(literal)
					} else if found && !safe(part, constants) {
						t.Errorf("%s: %s after a command is not quoted: wrap it in escape.Word", files.set.Position(part.Pos()), expression(part))
					}
				}
				return false
			}
			return true
		})
	}
}

// unquoted returns the arguments whose verb follows the beginning of a command, and that are neither numbers nor quoted.
func unquoted(format string, args []ast.Expr, constants map[string]bool) (bad []ast.Expr) {
	start := command.FindStringIndex(format)[0]
	next := 0
	for _, match := range verb.FindAllStringSubmatchIndex(format, -1) {
		kind := format[match[4]:match[5]]
		if kind == "%" {
			continue
		}
		if match[2] >= 0 {
			number, _ := strconv.Atoi(format[match[2]:match[3]])
			next = number - 1
		}
		if next < len(args) && match[0] > start && (kind == "s" || kind == "v" || kind == "q") && !safe(args[next], constants) {
			bad = append(bad, args[next])
		}
		next++
	}
	return bad
}

func safe(value ast.Expr, constants map[string]bool) bool {
	switch value := value.(type) {
	case *ast.BasicLit:
		return true
	case *ast.ParenExpr:
		return safe(value.X, constants)
	case *ast.CallExpr:
		return isQuoting(value.Fun)
	case *ast.Ident:
		return constants[value.Name]
	case *ast.SelectorExpr:
		return constants[value.Sel.Name]
	case *ast.BinaryExpr:
		return safe(value.X, constants) && safe(value.Y, constants)
	}
	return false
}

func isQuoting(fun ast.Expr) bool {
	if name, ok := fun.(*ast.Ident); ok {
		return name.Name == "KubectlArgs"
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name == "KubectlArgs" { // it returns words that are quoted
		return ok
	}
	from, ok := selector.X.(*ast.Ident)
	return ok && from.Name == "escape" && slices.Contains([]string{"Word", "Words", "Commandf"}, selector.Sel.Name)
}

// text returns the value of a string literal, or of several with + between.
func text(value ast.Expr) (string, bool) {
	switch value := value.(type) {
	case *ast.BasicLit:
		out, err := strconv.Unquote(value.Value)
		return out, err == nil && value.Kind == token.STRING
	case *ast.BinaryExpr:
		x, okX := text(value.X)
		y, okY := text(value.Y)
		return x + y, okX && okY && value.Op == token.ADD
	}
	return "", false
}

func terms(value ast.Expr) []ast.Expr {
	if sum, ok := value.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		return append(terms(sum.X), terms(sum.Y)...)
	}
	return []ast.Expr{value}
}

func expression(value ast.Expr) string {
	switch value := value.(type) {
	case *ast.Ident:
		return value.Name
	case *ast.SelectorExpr:
		return expression(value.X) + "." + value.Sel.Name
	case *ast.CallExpr:
		return expression(value.Fun) + "()"
	}
	return "a value"
}

type sourceFiles struct {
	set *token.FileSet
	all map[string]*ast.File // by path in this module
}

// sources parses the program, without tests and what only developers run.
func sources(t *testing.T) sourceFiles {
	t.Helper()
	out := sourceFiles{token.NewFileSet(), map[string]*ast.File{}}
	for _, top := range []string{"cmd", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join("../..", top), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			short := filepath.ToSlash(strings.TrimPrefix(name, filepath.FromSlash("../../")))
			for _, folder := range []string{"internal/sandboxtest/", "internal/kubetest/", "internal/faultproxy/", "internal/armtest/"} {
				if strings.HasPrefix(short, folder) {
					return nil
				}
			}
			out.all[short], err = parser.ParseFile(out.set, name, nil, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func constantNames(files sourceFiles) map[string]bool {
	names := map[string]bool{}
	for _, file := range files.all {
		ast.Inspect(file, func(node ast.Node) bool {
			if group, ok := node.(*ast.GenDecl); ok && group.Tok == token.CONST {
				for _, spec := range group.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						names[name.Name] = true
					}
				}
			}
			return true
		})
	}
	return names
}
