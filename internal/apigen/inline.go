package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// methodsOfAnswers are the methods that generated types have.
var methodsOfAnswers = []string{"MarshalJSON", "UnmarshalJSON", "Format", "LogValue", "String", "Valid"}

// distinguish gives properties of one object whose Go names would be the same, or that of a method,
// different ones.
func (l *lowering) distinguish(goType string, s *openapi3.Schema) {
	goNames := map[string]string{}
	for name, ref := range s.Properties {
		own, _ := ref.Extensions[extGoName].(string)
		switch {
		case own != "":
		case ref.Ref == "":
			own = goTypeName(name, ref.Value)
		default:
			own = goName(name)
		}
		goNames[name] = own
	}
	methods := l.taken.of[goType]
	taken := func(name string) bool { return methods[name] || slices.Contains(methodsOfAnswers, name) }
	for name, own := range distinct(goNames, l.taken.fieldsBefore(goType), taken) {
		if own != goNames[name] {
			set(s.Properties[name], extGoName, own)
		}
	}
}

type lowering struct {
	schemas         openapi3.Schemas
	taken           *reserved
	answers, bodies map[*openapi3.Schema]bool // schemas that an answer or a request holds
	directions      []string                  // values of keys of orders, beside asc and desc
	more            map[string]string         // type that is written by hand → schema of the members that it lacks
	left            []string                  // what is left for a person
}

// name makes components of the inline objects below a component.
func (l *lowering) name(name string, ref *openapi3.SchemaRef) {
	s := ref.Value
	if s == nil {
		return
	}
	l.distinguish(goTypeName(name, s), s)
	l.hoistChildren(goTypeName(name, s), s)
}

func goTypeName(name string, s *openapi3.Schema) string {
	if s != nil {
		if n, ok := s.Extensions[extGoName].(string); ok {
			return n
		}
	}
	return goName(name)
}

func (l *lowering) hoistChildren(parent string, s *openapi3.Schema) {
	for _, property := range slices.Sorted(maps.Keys(s.Properties)) {
		ref := l.hoist(parent+goName(property), s.Properties[property])
		if ref.Ref != "" && ref.Value.Extensions[extGoName] != nil && ref.Extensions[extGoName] == nil {
			set(ref, extGoName, goName(property)) // else the field would take the name of the type
		}
		s.Properties[property] = ref
	}
	if s.Items != nil {
		s.Items = l.hoist(parent+"Item", s.Items)
	}
	if s.AdditionalProperties.Schema != nil {
		s.AdditionalProperties.Schema = l.hoist(parent+"Value", s.AdditionalProperties.Schema)
	}
	for _, part := range s.AllOf {
		if part.Ref == "" && part.Value != nil {
			l.hoistChildren(parent, part.Value)
		}
	}
}

// hoist makes a component of an inline object, so that it gets a type with a name.
func (l *lowering) hoist(name string, ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	if ref == nil || ref.Ref != "" || ref.Value == nil || ref.Value.Extensions[extGoType] != nil {
		return ref
	}
	s := ref.Value
	if len(s.Properties) == 0 && len(s.AllOf) == 0 {
		l.hoistChildren(name, s)
		return ref
	}
	for l.schemas[name] != nil || l.taken.names[goName(name)] {
		name += "Value"
	}
	l.schemas[name] = &openapi3.SchemaRef{Value: s}
	l.name(name, l.schemas[name])
	return &openapi3.SchemaRef{Ref: schemaPrefix + name, Value: s}
}

// inlineLists puts list components where parameters refer to them: a list of an enum needs no
// name of its own, and a parameter of a named type would become a pointer to a list.
func (l *lowering) inlineLists(ops []*operation) {
	for _, op := range ops {
		for _, p := range op.query {
			if p.Schema != nil && p.Schema.Ref != "" && p.Schema.Value.Type.Is("array") {
				p.Schema = &openapi3.SchemaRef{Value: &openapi3.Schema{Type: p.Schema.Value.Type, Items: p.Schema.Value.Items}}
			}
		}
	}
	for _, op := range ops {
		for _, p := range op.query {
			l.nameOrder(op, p)
		}
	}
}

// nameOrder makes a direction of each key of an order, an object of scalars some of which are asc or desc,
// and a component of one that stands inline. A key of another type or with more values stays a key: an order
// keeps its type whatever is added to it.
func (l *lowering) nameOrder(op *operation, p *openapi3.Parameter) {
	if p.Schema == nil || p.Schema.Value == nil {
		return
	}
	keys, sorts := p.Schema.Value.Properties, false
	for _, key := range keys {
		if key.Value == nil || !slices.ContainsFunc(scalars, key.Value.Type.Is) {
			return
		}
		sorts = sorts || slices.ContainsFunc(key.Value.Enum, isDirection)
	}
	if !sorts {
		return
	}
	for name, key := range keys {
		for _, value := range key.Value.Enum {
			if text := fmt.Sprint(value); value != nil && !isDirection(value) && !slices.Contains(l.directions, text) {
				l.directions = append(l.directions, text)
			}
		}
		direction := *key.Value
		direction.Extensions = maps.Clone(direction.Extensions)
		keys[name] = &openapi3.SchemaRef{Value: &direction}
		set(keys[name], extNoPointer, true)
		set(keys[name], extGoType, "SortDirection")
	}
	slices.Sort(l.directions)
	explode := true
	p.Style, p.Explode = openapi3.SerializationDeepObject, &explode // PHP takes it in no other way
	p.Schema.Value.AdditionalProperties = openapi3.AdditionalProperties{}
	p.Schema = l.hoist(op.id+goName(p.Name), p.Schema)
}

// scalars are the types of what stands in an address as one text.
var scalars = []string{"string", "boolean", "integer", "number"}

func isDirection(value any) bool { return value == "asc" || value == "desc" }

// bodiesOf finds what an operation sends and receives, and names what stands inline.
func (l *lowering) bodiesOf(op *operation) {
	if op.spec.RequestBody != nil && op.spec.RequestBody.Value != nil {
		for _, mediaType := range slices.Sorted(maps.Keys(op.spec.RequestBody.Value.Content)) {
			content := op.spec.RequestBody.Value.Content[mediaType]
			content.Schema = l.hoist(op.id+"Body", content.Schema)
			l.reach(content.Schema, l.bodies)
		}
	}
	responses := op.spec.Responses.Map()
	for _, status := range slices.Sorted(maps.Keys(responses)) { // so that each gets the same name again
		response := responses[status]
		if response.Value == nil {
			continue
		}
		for _, mediaType := range slices.Sorted(maps.Keys(response.Value.Content)) {
			content := response.Value.Content[mediaType]
			content.Schema = l.hoist(op.id+"Result", content.Schema)
			l.reach(content.Schema, l.answers)
		}
	}
	if p := op.query; len(p) > 0 {
		for _, p := range op.query {
			l.reach(p.Schema, l.bodies)
		}
	}
}

func (l *lowering) reach(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	for _, property := range s.Properties {
		l.reach(property, seen)
	}
	l.reach(s.Items, seen)
	l.reach(s.AdditionalProperties.Schema, seen)
	for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, part := range refs {
			l.reach(part, seen)
		}
	}
}
