package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"

	"github.com/mangadex-go/mangadex/internal/document"
)

// A variant is a method of an operation: what it takes of what the operation takes, and whether it returns
// what that answers. There is one of each operation, unless upstream has given it something later on.
type variant struct {
	name                  string
	params, body, content bool
}

// variants are the methods of an operation, of which the last has everything. A method that was there without
// parameters, without a body or without a result stays without them when upstream adds them, so that programs
// still compile: a further method has them. Where they must be sent from now on, the method itself gets them,
// because without them it would only fail.
func (m *model) variants(op *operation) (variants []variant) {
	whole := m.complete(op)
	for n := 1; ; n++ {
		name := op.id + "With"
		switch {
		case n == 1:
			name = op.id
		case n > 2:
			name += fmt.Sprint(n - 1)
		}
		if n > 1 && (m.taken.methods[name] || slices.ContainsFunc(m.ops, func(op *operation) bool { return op.id == name })) {
			continue
		}
		before, was := m.taken.calls[name]
		older := variant{name, whole.params && before.params, whole.body && before.body, whole.content && before.result != "error"}
		whole.name = name
		if !was || older == whole || !m.canLack(op, older, whole) {
			return append(variants, whole)
		}
		variants = append(variants, older)
	}
}

// complete is the variant of an operation that has everything.
func (m *model) complete(op *operation) variant {
	arguments := m.builder(op).arguments
	has := func(name string) bool {
		return slices.ContainsFunc(arguments, func(a argument) bool { return a.name == name })
	}
	result, _ := m.answer(op)
	return variant{params: has("params"), body: has("body") && !op.emptyObj, content: result != "error"}
}

// canLack reports whether what a variant lacks can be left out of a request.
func (m *model) canLack(op *operation, older, whole variant) bool {
	if whole.params && !older.params && slices.ContainsFunc(op.spec.Parameters, func(ref *openapi3.ParameterRef) bool {
		return ref.Value.Required && ref.Value.In != openapi3.ParameterInPath
	}) {
		return false
	}
	if !whole.body || older.body {
		return true
	}
	if m.taken.calls[op.id].empty { // it goes on to send an object without members
		fields, known := m.types.structs[op.body]
		return known && !slices.ContainsFunc(fields, func(f field) bool { return !f.omitEmpty && !f.omitZero })
	}
	return m.taken.withoutBody(op)
}

// withoutBody reports whether an operation that sent no body may still do so.
func (r *reserved) withoutBody(op *operation) bool {
	before, was := r.calls[op.id]
	body := op.spec.RequestBody
	return was && !before.body && !before.empty && body != nil && body.Value != nil && !body.Value.Required
}

// laterBodies are the bodies of operations that had none, but for those of which the document says that they
// must be sent. It says so of none, and the overlay has all of them sent, because the server demands those
// that were there: of what comes later the document is believed.
func laterBodies(root *yaml.Node, table map[string]string, calls map[string]call) (bodies []*yaml.Node) {
	paths := lookup(root, "paths")
	for i := 0; paths != nil && i < len(paths.Content); i += 2 {
		item := paths.Content[i+1]
		for j := 0; j < len(item.Content); j += 2 {
			before, was := calls[table[strings.ToUpper(item.Content[j].Value)+" "+document.Shape(paths.Content[i].Value)]]
			body := member(item.Content[j+1], "requestBody")
			if !was || before.body || before.empty || body == nil {
				continue
			}
			if required := member(body, "required"); required == nil || required.Value != "true" {
				bodies = append(bodies, body)
			}
		}
	}
	return bodies
}

// came says what a variant has that the first one has not.
func (v variant) came(first variant) string {
	var what []string
	for _, part := range []struct {
		has  bool
		name string
	}{{v.params && !first.params, "parameters"}, {v.body && !first.body, "a body"}, {v.content && !first.content, "a result"}} {
		if part.has {
			what = append(what, part.name)
		}
	}
	return strings.Join(what, " and ")
}
