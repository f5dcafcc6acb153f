package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// reserved are the names that the hand-written half of package api has taken: an operation or a
// schema of a new document that would have one of them gets another one.
type reserved struct {
	names   map[string]bool // of types, functions, constants and variables
	methods map[string]bool // of Client
	coded   map[string]bool // types that decode and encode themselves
}

// readReserved reads them from the source, and adds those of the raw client.
func readReserved(source map[string][]byte) (*reserved, error) {
	r := &reserved{names: map[string]bool{}, methods: map[string]bool{}, coded: map[string]bool{}}
	for _, name := range []string{"RawClient", "NewClient", "ClientOption", "ClientInterface", "HttpRequestDoer", "RequestEditorFn", "WithHTTPClient", "WithRequestEditorFn"} {
		r.names[name] = true
	}
	for name, content := range source {
		file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			r.add(decl)
		}
	}
	return r, nil
}

func (r *reserved) add(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			r.names[d.Name.Name] = true
			return
		}
		of := strings.TrimPrefix(source(d.Recv.List[0].Type), "*")
		if of == "Client" {
			r.methods[d.Name.Name] = true
		}
		if d.Name.Name == "decode" {
			r.coded[of] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				r.names[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range s.Names {
					r.names[name.Name] = true
				}
			}
		}
	}
}

// rename gives another name to operations that have one that is taken, by hand-written code or by
// another operation. Of two operations the one whose id is written as the Go name keeps it, because
// the overlay writes its ids so.
func (r *reserved) rename(ops []*operation) {
	taken := map[string]*operation{}
	for _, op := range ops {
		if op.given && !r.methods[op.id] {
			taken[op.id] = op
		}
	}
	for _, op := range ops {
		if taken[op.id] == op {
			continue
		}
		if taken[op.id] != nil || r.methods[op.id] {
			op.id = pathName(op.method, op.path)
		}
		for taken[op.id] != nil || r.methods[op.id] {
			op.id += "Operation"
		}
		taken[op.id] = op
		op.spec.OperationID = op.id
	}
}

// pathName is a name for an operation from its method and path.
func pathName(method, path string) string {
	return goName(strings.ToLower(method) + "-" + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path))
}

// renameSchemas does the same for schemas, but for those whose type is written by hand.
func (r *reserved) renameSchemas(schemas openapi3.Schemas, byHand []string) {
	for name, ref := range schemas {
		if ref.Value == nil || slices.Contains(byHand, name) || ref.Value.Extensions[extGoType] != nil || !r.names[goTypeName(name, ref.Value)] {
			continue
		}
		set(&openapi3.SchemaRef{Value: ref.Value}, extGoName, goTypeName(name, ref.Value)+"Schema")
	}
}
