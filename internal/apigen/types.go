package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	goprinter "go/printer"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// goTypes is what oapi-codegen declared.
type goTypes struct {
	structs  map[string][]field
	aliases  map[string]ast.Expr
	names    map[string]ast.Expr // defined types that are no structs
	jsonSelf map[string]bool     // types that came with an UnmarshalJSON of their own
	consts   map[string][]string // values of the constants of a type
}

type field struct {
	name      string
	json      string // member name; "-" for none
	query     string // parameter name
	omitEmpty bool
	omitZero  bool
	typ       ast.Expr
}

func readTypes(code []byte) (*goTypes, error) {
	file, err := parser.ParseFile(token.NewFileSet(), typesPath, code, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	t := &goTypes{
		structs: map[string][]field{}, aliases: map[string]ast.Expr{}, names: map[string]ast.Expr{},
		jsonSelf: map[string]bool{}, consts: map[string][]string{},
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok {
					t.add(s)
				}
			}
		case *ast.FuncDecl:
			if d.Name.Name == "UnmarshalJSON" && d.Recv != nil {
				t.jsonSelf[strings.TrimPrefix(source(d.Recv.List[0].Type), "*")] = true
			}
		}
	}
	return t, nil
}

func (t *goTypes) add(s *ast.TypeSpec) {
	name := s.Name.Name
	if s.Assign.IsValid() {
		t.aliases[name] = s.Type
		return
	}
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		t.names[name] = s.Type
		return
	}
	fields := []field{}
	for _, f := range st.Fields.List {
		if len(f.Names) == 0 || !f.Names[0].IsExported() || f.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value)
		jsonName, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		query, _, _ := strings.Cut(reflect.StructTag(tag).Get("form"), ",")
		fields = append(fields, field{
			name: f.Names[0].Name, json: jsonName, query: query,
			omitEmpty: strings.Contains(options, "omitempty"), omitZero: strings.Contains(options, "omitzero"), typ: f.Type,
		})
	}
	t.structs[name] = fields
}

// resolve follows aliases.
func (t *goTypes) resolve(e ast.Expr) ast.Expr {
	for {
		id, ok := e.(*ast.Ident)
		if !ok {
			return e
		}
		target, ok := t.aliases[id.Name]
		if !ok {
			return e
		}
		e = target
	}
}

// isStruct returns the name of the struct that e is, or an empty one. One that has its own way with JSON
// is none.
func (t *goTypes) isStruct(e ast.Expr) string {
	if id, ok := t.resolve(e).(*ast.Ident); ok && t.structs[id.Name] != nil && !t.jsonSelf[id.Name] {
		return id.Name
	}
	return ""
}

// isText reports whether e is a defined type over string.
func (t *goTypes) isText(e ast.Expr) bool {
	id, ok := t.resolve(e).(*ast.Ident)
	if !ok {
		return false
	}
	under, ok := t.names[id.Name]
	return ok && source(under) == "string"
}

func (t *goTypes) field(structName, fieldName string) *field {
	for i, f := range t.structs[structName] {
		if f.name == fieldName {
			return &t.structs[structName][i]
		}
	}
	return nil
}

// expression is what a text says in Go.
func expression(text string) ast.Expr {
	e, err := parser.ParseExpr(text)
	if err != nil {
		return &ast.Ident{Name: text}
	}
	return e
}

// source is the text of a part of the source, with the id type under its own name.
func source(n ast.Node) string {
	var b strings.Builder
	if err := goprinter.Fprint(&b, token.NewFileSet(), n); err != nil {
		return fmt.Sprint(err)
	}
	return strings.ReplaceAll(b.String(), "openapi_types.UUID", "uuid.UUID")
}
