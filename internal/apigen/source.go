package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// A goSource is a file and what is to change in it.
type goSource struct {
	name  string
	code  []byte
	set   *token.FileSet
	file  *ast.File
	edits []edit
	gone  [][2]int // ranges that are dropped
}

// An edit replaces a range of the source.
type edit struct {
	from, to int
	text     string
}

func parseSource(name string, code []byte) (*goSource, error) {
	s := &goSource{name: name, code: code, set: token.NewFileSet()}
	var err error
	if s.file, err = parser.ParseFile(s.set, name, code, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return nil, fmt.Errorf("what oapi-codegen wrote cannot be read: %w", err)
	}
	return s, nil
}

func (s *goSource) at(pos token.Pos) int { return s.set.Position(pos).Offset }

func (s *goSource) text(n ast.Node) string { return string(s.code[s.at(n.Pos()):s.at(n.End())]) }

func (s *goSource) replace(n ast.Node, text string) {
	s.edits = append(s.edits, edit{s.at(n.Pos()), s.at(n.End()), text})
}

// drop takes a declaration out, with its comment.
func (s *goSource) drop(n ast.Node, doc *ast.CommentGroup) {
	from := n.Pos()
	if doc != nil {
		from = doc.Pos()
	}
	s.gone = append(s.gone, [2]int{s.at(from), s.at(n.End())})
}

// result carries the changes out, and imports what is left of the names.
func (s *goSource) result() ([]byte, error) {
	for _, r := range s.gone {
		s.edits = slices.DeleteFunc(s.edits, func(e edit) bool { return r[0] <= e.from && e.to <= r[1] })
		s.edits = append(s.edits, edit{r[0], r[1], ""})
	}
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.from - b.from })
	var b bytes.Buffer
	at := 0
	for _, e := range s.edits {
		if e.from < at {
			return nil, fmt.Errorf("%s: two changes at byte %d", s.name, e.from)
		}
		b.Write(s.code[at:e.from])
		b.WriteString(e.text)
		at = e.to
	}
	b.Write(s.code[at:])
	code, err := imported(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return wrapComments(code), nil
}

// imported drops the imports that nothing uses, adds that of uuid where it is used, and formats.
func imported(code []byte) ([]byte, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", code, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := selector.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	imports := []string{}
	if used["uuid"] {
		imports = append(imports, `"github.com/google/uuid"`)
	}
	var declared *ast.GenDecl
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.IMPORT {
			continue
		}
		declared = d
		for _, spec := range d.Specs {
			spec := spec.(*ast.ImportSpec)
			path, _ := strconv.Unquote(spec.Path.Value)
			name := path[strings.LastIndexByte(path, '/')+1:]
			text := spec.Path.Value
			if spec.Name != nil {
				name, text = spec.Name.Name, spec.Name.Name+" "+text
			}
			if used[name] && !slices.Contains(imports, text) {
				imports = append(imports, text)
			}
		}
	}
	if declared == nil {
		return format.Source(code)
	}
	slices.SortFunc(imports, func(a, b string) int { // the standard library first
		if x, y := strings.Contains(a, "."), strings.Contains(b, "."); x != y {
			if y {
				return -1
			}
			return 1
		}
		return strings.Compare(a[strings.IndexByte(a, '"'):], b[strings.IndexByte(b, '"'):])
	})
	var b bytes.Buffer
	b.Write(code[:set.Position(declared.Pos()).Offset])
	if len(imports) > 0 {
		b.WriteString("import (\n")
		for i, text := range imports {
			if i > 0 && strings.Contains(text, ".") && !strings.Contains(imports[i-1], ".") {
				b.WriteString("\n")
			}
			b.WriteString(text + "\n")
		}
		b.WriteString(")")
	}
	b.Write(code[set.Position(declared.End()).Offset:])
	return format.Source(b.Bytes())
}
