package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	doccomment "go/doc/comment"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A part is an object of the overlaid document.
type part = map[string]any

func overlaid(t *testing.T) part {
	t.Helper()
	data, err := os.ReadFile("../../" + overlaidPath)
	if err != nil {
		t.Fatal(err)
	}
	var doc part
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func object(v any, keys ...string) part {
	p, _ := v.(part)
	for _, key := range keys {
		p, _ = p[key].(part)
	}
	return p
}

func text(p part, key string) string {
	s, _ := p[key].(string)
	return s
}

// goIdentifier tells the operations that the overlay names from new ones, which keep the name that
// MangaDex gave: get-manga-id.
var goIdentifier = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// A known operation is one that the overlay names.
type known struct {
	id         string
	spec       part
	parameters []any // its own and those of its path
}

func knownOperations(t *testing.T, doc part) []known {
	t.Helper()
	var ops []known
	for _, path := range slices.Sorted(maps.Keys(object(doc, "paths"))) {
		item := object(doc, "paths", path)
		for _, method := range methods {
			spec := object(item, strings.ToLower(method))
			if id := text(spec, "operationId"); goIdentifier.MatchString(id) {
				shared, _ := item["parameters"].([]any)
				own, _ := spec["parameters"].([]any)
				ops = append(ops, known{id, spec, slices.Concat(own, shared)})
			}
		}
	}
	if len(ops) < 100 {
		t.Fatalf("the document has %d operations with a Go name", len(ops))
	}
	return ops
}

// references collects the schemas that v refers to, directly or through others.
func references(doc part, v any, seen map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			references(doc, e, seen)
		}
	case part:
		for _, e := range v {
			references(doc, e, seen)
		}
		if name, ok := strings.CutPrefix(text(v, "$ref"), schemaPrefix); ok && !seen[name] {
			seen[name] = true
			references(doc, object(doc, "components", "schemas", name), seen)
		}
	}
}

// Every operation, parameter and schema that a call needs has words of ours.
func TestEverythingIsDocumented(t *testing.T) {
	t.Parallel()
	doc := overlaid(t)
	used := map[string]bool{}
	for _, op := range knownOperations(t, doc) {
		references(doc, op.spec, used)
		if text(op.spec, "summary") == "" {
			t.Errorf("%s has no summary", op.id)
		}
		for _, p := range op.parameters {
			p := object(p)
			references(doc, p, used)
			if text(p, "in") == "query" && text(p, "description") == "" {
				t.Errorf("the parameter %s of %s has no description", text(p, "name"), op.id)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if strings.HasPrefix(name, "ReferenceExpansion") {
			continue // becomes a plain list
		}
		if text(object(doc, "components", "schemas", name), "description") == "" {
			t.Errorf("the schema %s has no description", name)
		}
	}
}

// generated are the types that oapi-codegen wrote, with the comments of types and fields by name.
type generated struct {
	types  map[string]string
	fields map[string]map[string]string // type → member or parameter → name and comment
}

func readGenerated(t *testing.T) generated {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/types.gen.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	g := generated{map[string]string{}, map[string]map[string]string{}}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		spec := gen.Specs[0].(*ast.TypeSpec)
		g.types[spec.Name.Name] = words(gen.Doc.Text())
		g.fields[spec.Name.Name] = map[string]string{}
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				tag, _ := strconv.Unquote(f.Tag.Value)
				member, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
				g.fields[spec.Name.Name][member] = f.Names[0].Name + ": " + words(f.Doc.Text())
			}
		}
	}
	return g
}

func words(s string) string { return strings.Join(strings.Fields(s), " ") }

// What the overlay says is what a reader of the Go code sees, also beside a $ref.
func TestDocumentationReachesTheCode(t *testing.T) {
	t.Parallel()
	generating.Lock()
	defer generating.Unlock()
	if err := primeNames(); err != nil {
		t.Fatal(err)
	}
	doc, g := overlaid(t), readGenerated(t)
	types, fields := 0, 0
	schemas := object(doc, "components", "schemas")
	for name := range schemas {
		schema := object(schemas, name)
		goType := text(schema, extGoName)
		if goType == "" {
			goType = goName(name)
		}
		got, ok := g.types[goType]
		if !ok {
			continue // written by hand
		}
		if want := text(schema, "description"); want != "" {
			types++
			if got != goType+" "+words(want) {
				t.Errorf("the comment of %s is %q, want %q", goType, got, want)
			}
		}
		for member, p := range object(schema, "properties") {
			if want := text(object(p), "description"); want != "" {
				fields++
				got, ok := g.fields[goType][member]
				if goField, _, _ := strings.Cut(got, ":"); !ok || got != fmt.Sprintf("%s: %s %s", goField, goField, words(want)) {
					t.Errorf("the comment of %s.%s is %q, want %q", goType, member, got, want)
				}
			}
		}
	}
	for _, op := range knownOperations(t, doc) {
		for _, p := range op.parameters {
			p := object(p)
			if text(p, "in") != "query" {
				continue
			}
			fields++
			got, ok := g.fields[op.id+"Params"][text(p, "name")]
			got, _, _ = strings.Cut(got, " Values: ") // of which the generator writes
			if want := words(text(p, "description")); !ok || !strings.HasSuffix(got, " "+want) {
				t.Errorf("the comment of the parameter %s of %s is %q, want %q", text(p, "name"), op.id, got, want)
			}
		}
	}
	if types < 100 || fields < 300 {
		t.Errorf("compared %d types and %d fields only", types, fields)
	}
}

// A link in brackets leads to something that exists.
func TestLinksOfTheDocumentation(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../api/*.go")
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	var comments []*ast.CommentGroup
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		declared(file, exists)
		if strings.HasSuffix(path, ".gen.go") {
			comments = append(comments, file.Comments...)
		}
	}
	links := 0
	look := doccomment.Parser{LookupSym: func(receiver, name string) bool {
		links++
		if receiver != "" {
			name = receiver + "." + name
		}
		if !exists[name] {
			t.Errorf("a generated comment links to [%s], which does not exist", name)
		}
		return true
	}}
	for _, c := range comments {
		look.Parse(c.Text())
	}
	if links < 20 {
		t.Errorf("found %d links only", links)
	}
}

// declared adds what a file declares, methods as Type.Name.
func declared(file *ast.File, names map[string]bool) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = strings.TrimPrefix(source(d.Recv.List[0].Type), "*") + "." + name
			}
			names[name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, id := range s.Names {
						names[id.Name] = true
					}
				}
			}
		}
	}
}
