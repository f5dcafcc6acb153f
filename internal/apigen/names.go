package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// reserved are the names that the hand-written half of package api has taken: an operation or a
// schema of a new document that would have one of them gets another one.
type reserved struct {
	names   map[string]bool            // of types, functions, constants and variables
	methods map[string]bool            // of Client
	coded   map[string]bool            // types that decode and encode themselves
	of      map[string]map[string]bool // methods of other types
	under   map[string]ast.Expr        // what types stand on
	before  *goTypes                   // what was generated before; nil if nothing was
	calls   map[string]call            // methods of Client that were generated before
}

// A call is what a generated method of Client takes and returns.
type call struct {
	signature string // types without names
	result    string // what it returns
	params    bool   // it takes parameters
	body      bool   // it takes a body
	empty     bool   // it takes none, and sends an object without members
}

// readCalls reads the generated methods of Client.
func readCalls(calls []byte) (map[string]call, error) {
	file, err := parser.ParseFile(token.NewFileSet(), callsPath, calls, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	methods := map[string]call{}
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok && d.Recv != nil {
			takes := parameterNames(d)
			methods[d.Name.Name] = call{
				signature: "(" + typesOf(d.Type.Params) + ") (" + typesOf(d.Type.Results) + ")",
				result:    typesOf(d.Type.Results),
				params:    slices.Contains(takes, "params"),
				body:      slices.Contains(takes, "body"),
				empty:     !slices.Contains(takes, "body") && passesEmpty(d),
			}
		}
	}
	return methods, nil
}

// passesEmpty reports whether a method passes an empty body to the function that builds its request.
func passesEmpty(d *ast.FuncDecl) (empty bool) {
	ast.Inspect(d.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		builder, ok := call.Fun.(*ast.Ident)
		if !ok || !builderName.MatchString(strings.ToUpper(builder.Name[:1])+builder.Name[1:]) {
			return true
		}
		_, empty = call.Args[len(call.Args)-1].(*ast.CompositeLit)
		return false
	})
	return empty
}

func typesOf(fields *ast.FieldList) string {
	var types []string
	if fields != nil {
		for _, f := range fields.List {
			for range max(1, len(f.Names)) {
				types = append(types, source(f.Type))
			}
		}
	}
	return strings.Join(types, ", ")
}

// readReserved reads them from the source, and adds those of the raw client.
func readReserved(source map[string][]byte) (*reserved, error) {
	r := &reserved{names: map[string]bool{}, methods: map[string]bool{}, coded: map[string]bool{}, of: map[string]map[string]bool{}, under: map[string]ast.Expr{}}
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
		if r.of[of] == nil {
			r.of[of] = map[string]bool{}
		}
		r.of[of][d.Name.Name] = true
		if d.Name.Name == "decode" {
			r.coded[of] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				r.names[s.Name.Name] = true
				r.under[s.Name.Name] = s.Type
			case *ast.ValueSpec:
				for _, name := range s.Names {
					r.names[name.Name] = true
				}
			}
		}
	}
}

// inTable are the names of package operation, among which the operations are constants.
var inTable = []string{"Table", "Operation", "Limit", "Of", "NewContext", "FromContext", "AuthNone", "AuthOptional", "AuthRequired"}

// rename gives another name to operations that have one that is taken, by hand-written code or by
// another operation or its iterator, or that is none in Go. Of two operations the one whose id is
// written as the Go name keeps it, because the overlay writes its ids so.
func (r *reserved) rename(ops []*operation) {
	taken := map[string]*operation{}
	free := func(id string) bool {
		base, iterator := strings.CutSuffix(id, "All")
		return taken[id] == nil && !r.methods[id] && !slices.Contains(inTable, id) && token.IsExported(id) && token.IsIdentifier(id) &&
			(!iterator || taken[base] == nil) && taken[id+"All"] == nil
	}
	for _, op := range ops {
		if op.given && free(op.id) {
			taken[op.id] = op
		}
	}
	for _, op := range ops {
		if taken[op.id] == op {
			continue
		}
		if !free(op.id) {
			op.id = pathName(op.method, op.path)
		}
		for !free(op.id) {
			op.id += "Operation"
		}
		taken[op.id] = op
		op.spec.OperationID = op.id
	}
}

// distinct gives things of one scope different Go names, from the names that they would have alone. Of
// those that would have the same, the one that had it before keeps it, then the one that is written so,
// then the first of the alphabet; the others get a number. taken are names that none can have.
func distinct(goNames, before map[string]string, taken func(string) bool) map[string]string {
	given, used := map[string]string{}, map[string]bool{}
	rank := func(name string) int {
		switch goNames[name] {
		case before[name]:
			return 0
		case name:
			return 1
		}
		return 2
	}
	names := slices.SortedFunc(maps.Keys(goNames), func(a, b string) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a, b))
	})
	for _, name := range names {
		own := cmp.Or(goNames[name], "Empty")
		for n := 2; used[own] || taken(own); n++ {
			own = fmt.Sprint(cmp.Or(strings.TrimRight(cmp.Or(goNames[name], "Empty"), "0123456789"), "N"), n)
		}
		given[name], used[own] = own, true
	}
	return given
}

// fieldsBefore are the names of the fields of a type before, by the names of their members.
func (r *reserved) fieldsBefore(goType string) map[string]string {
	names := map[string]string{}
	if r.before != nil {
		for _, f := range r.before.structs[goType] {
			names[f.json] = f.name
		}
	}
	return names
}

// orderParameters keeps the order that the parameters of an operation had before. New ones come behind them.
func (r *reserved) orderParameters(ops []*operation) {
	if r.before == nil {
		return
	}
	for _, op := range ops {
		fields := r.before.structs[op.id+"Params"]
		rank := func(name string) int {
			if i := slices.IndexFunc(fields, func(f field) bool { return f.json == name }); i >= 0 {
				return i
			}
			return len(fields)
		}
		slices.SortStableFunc(op.query, func(a, b *openapi3.Parameter) int { return rank(a.Name) - rank(b.Name) })
		slices.SortStableFunc(op.spec.Parameters, func(a, b *openapi3.ParameterRef) int { return rank(a.Value.Name) - rank(b.Value.Name) })
	}
}

// renameParameters gives parameters of an operation that would have one Go name different ones.
func (r *reserved) renameParameters(ops []*operation) {
	for _, op := range ops {
		goNames, before, parameters := map[string]string{}, map[string]string{}, map[string]*openapi3.Parameter{}
		fields := r.fieldsBefore(op.id + "Params")
		for _, ref := range op.spec.Parameters {
			p := ref.Value
			if p.In == "path" {
				continue
			}
			key := p.Name + " " + p.In
			own, _ := p.Extensions[extGoName].(string)
			if own == "" {
				own = goName(p.Name)
			}
			goNames[key], before[key], parameters[key] = own, fields[p.Name], p
		}
		for key, own := range distinct(goNames, before, func(string) bool { return false }) {
			if own != goNames[key] {
				if parameters[key].Extensions == nil {
					parameters[key].Extensions = map[string]any{}
				}
				parameters[key].Extensions[extGoName] = own
			}
		}
	}
}

// pathName is a name for an operation from its method and path.
func pathName(method, path string) string {
	return goName(strings.ToLower(method) + "-" + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path))
}

// renameSchemas gives schemas other names whose Go names are taken, by hand-written code, by what comes
// with an operation, or by another schema. Those whose type is written by hand keep theirs.
func (r *reserved) renameSchemas(schemas openapi3.Schemas, ops []*operation, byHand []string) {
	goNames := map[string]string{}
	for name, ref := range schemas {
		if ref.Value != nil && !slices.Contains(byHand, name) && ref.Value.Extensions[extGoType] == nil {
			goNames[name] = goTypeName(name, ref.Value)
		}
	}
	taken := map[string]bool{}
	for _, op := range ops {
		for _, suffix := range []string{"Params", "JSONBody", "JSONRequestBody", "MultipartBody", "MultipartRequestBody", "FormdataBody", "FormdataRequestBody", "TextBody", "TextRequestBody"} {
			taken[op.id+suffix] = true
		}
	}
	for name, own := range goNames {
		for _, value := range schemas[name].Value.Enum {
			taken[own+goName(fmt.Sprint(value))] = true // its constants
		}
	}
	for name, own := range goNames {
		if r.names[own] || taken[own] {
			goNames[name] = own + "Schema"
		}
	}
	for name, own := range distinct(goNames, nil, func(name string) bool { return r.names[name] || taken[name] || slices.Contains(byHand, name) }) {
		if own != goName(name) {
			set(&openapi3.SchemaRef{Value: schemas[name].Value}, extGoName, own)
		}
	}
}
