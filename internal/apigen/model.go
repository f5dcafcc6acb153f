package main

import (
	"fmt"
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// model is what the writers know.
type model struct {
	doc   *openapi3.T
	ops   []*operation
	types *goTypes
	taken *reserved

	builders map[string]builder // of requests, by name
	more     map[string]string  // type that is written by hand → schema of the members that it lacks

	answers   []string          // structs that get a decoder and an encoder
	bodies    []string          // structs that only requests hold
	relations map[string]string // relationship type → Go type of its attributes
}

// resolve finds the Go types of bodies and answers, after the types have been generated.
func (m *model) resolve() error {
	m.relations = map[string]string{}
	for name, ref := range m.doc.Components.Schemas {
		types, _ := ref.Value.Extensions[extRelations].([]any)
		for _, t := range types {
			m.relations[fmt.Sprint(t)] = goTypeName(name, ref.Value)
		}
	}
	seen := map[string]bool{}
	for _, op := range m.ops {
		m.resolveBody(op)
		m.resolveAnswer(op)
		if op.result != "" {
			m.reach(expression(op.result), seen)
		}
	}
	for _, goType := range m.relations {
		m.reach(&ast.Ident{Name: goType}, seen)
	}
	for _, name := range m.more {
		for _, f := range m.fieldsOf(name) {
			m.reach(f.typ, seen)
		}
	}
	// The hand-written types hold these, or tolerance for errors needs them.
	for _, name := range []string{"AggregateVolume", "AggregateChapter", "ErrorResponse", "Response"} {
		if m.types.structs[name] == nil {
			return fmt.Errorf("the document has lost the schema %s, which hand-written code needs: look for what has its place, and name that in %s/names.yaml", name, overlayPath)
		}
		m.reach(&ast.Ident{Name: name}, seen)
	}
	m.answers = slices.Sorted(maps.Keys(seen))
	for _, op := range m.ops {
		if op.body != "" {
			m.reach(&ast.Ident{Name: op.body}, seen)
		}
	}
	maps.DeleteFunc(seen, func(name string, _ bool) bool {
		return slices.Contains(m.answers, name)
	})
	m.bodies = slices.Sorted(maps.Keys(seen))
	return nil
}

func (m *model) resolveBody(op *operation) {
	if op.spec.RequestBody == nil || op.spec.RequestBody.Value == nil {
		return
	}
	body := op.spec.RequestBody.Value
	if op.sendsJSON() {
		s := body.Content["application/json"].Schema.Value
		if s != nil && s.Type.Is("object") && len(s.Properties) == 0 && s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has {
			op.emptyObj = true
			return
		}
		op.body = m.resolveName(m.builder(op).body())
		return
	}
	for range body.Content {
		op.form = "io.Reader"
		if name, ok := body.Extensions[extGoBody].(string); ok {
			op.form = name
		}
		return
	}
}

// sendsJSON reports whether the method of an operation sends JSON. A form that has been there stays one when
// JSON comes later.
func (op *operation) sendsJSON() bool {
	if op.spec.RequestBody == nil || op.spec.RequestBody.Value == nil {
		return false
	}
	body := op.spec.RequestBody.Value
	return body.Content["application/json"] != nil && (body.Extensions[extGoBody] == nil || len(body.Content) == 1)
}

// resolveName is the shortest way to write a generated type.
func (m *model) resolveName(name string) string {
	return source(m.types.resolve(&ast.Ident{Name: name}))
}

// resolveList recognises an operation that returns a page.
func (m *model) resolveList(op *operation) {
	var limit *openapi3.Parameter
	offset := false
	for _, p := range op.query {
		switch p.Name {
		case "limit":
			limit = p
		case "offset":
			offset = true
		}
	}
	is := func(structName, fieldName, goType string) bool {
		f := m.types.field(structName, fieldName)
		return f != nil && source(f.typ) == goType
	}
	data := m.types.field(op.result, "Data")
	if limit == nil || !offset || data == nil || !is(op.result, "Total", "int") || !is(op.id+"Params", "Limit", "*int") || !is(op.id+"Params", "Offset", "*int") {
		return
	}
	array, ok := data.typ.(*ast.ArrayType)
	if !ok {
		return
	}
	op.list = &list{item: source(array.Elt), limit: 100}
	if limit.Schema.Value.Max != nil {
		op.list.limit = int(*limit.Schema.Value.Max)
	}
	if id := m.types.field(op.list.item, "ID"); id != nil {
		op.list.hasID = source(id.typ) == "uuid.UUID"
	}
}

// reach collects the structs below a type.
func (m *model) reach(e ast.Expr, seen map[string]bool) {
	switch e := m.types.resolve(e).(type) {
	case *ast.Ident:
		if fields := m.types.structs[e.Name]; fields != nil && !seen[e.Name] && !m.types.jsonSelf[e.Name] {
			seen[e.Name] = true
			for _, f := range fields {
				m.reach(f.typ, seen)
			}
		}
	case *ast.StarExpr:
		m.reach(e.X, seen)
	case *ast.ArrayType:
		m.reach(e.Elt, seen)
	case *ast.MapType:
		m.reach(e.Value, seen)
	case *ast.IndexExpr:
		m.reach(e.Index, seen)
	}
}

var notWord = regexp.MustCompile(`\s+`)

// comment writes text as a doc comment, wrapped.
func comment(p *printer, text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.line("//")
		}
		line := "//"
		for _, word := range notWord.Split(strings.TrimSpace(paragraph), -1) {
			if len(line)+1+len(word) > 100 {
				p.line("%s", line)
				line = "//"
			}
			line += " " + word
		}
		p.line("%s", line)
	}
}
