package main

import (
	"slices"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"
)

// plainTypes takes out of schemas what would change a type of Go and is nothing on the wire: readOnly and
// writeOnly, which would make a pointer, and the sizes of numbers, but for integers of 64 bits. Of these a
// member that was an int stays one.
func (l *lowering) plainTypes(ops []*operation) {
	seen := map[*openapi3.Schema]bool{}
	for _, ref := range l.schemas {
		l.reach(ref, seen)
	}
	for _, op := range ops {
		for _, ref := range op.spec.Parameters {
			l.reach(ref.Value.Schema, seen)
			l.keepInt(op.id+"Params", ref.Value.Name, ref.Value.Schema)
		}
		if op.spec.RequestBody != nil && op.spec.RequestBody.Value != nil {
			for _, content := range op.spec.RequestBody.Value.Content {
				l.reach(content.Schema, seen)
			}
		}
		for _, response := range op.spec.Responses.Map() {
			for _, content := range response.Value.Content {
				l.reach(content.Schema, seen)
			}
		}
	}
	for name, ref := range l.schemas {
		if ref.Value == nil {
			continue
		}
		goType := goTypeName(name, ref.Value)
		for _, part := range append(openapi3.SchemaRefs{ref}, ref.Value.AllOf...) {
			for member, property := range part.Value.Properties {
				l.keepInt(goType, member, property)
			}
		}
	}
	for s := range seen {
		s.ReadOnly, s.WriteOnly = false, false
		if s.Type.Is("number") || s.Type.Is("integer") && s.Format != "int64" && s.Format != "uint64" {
			s.Format = ""
		}
		if s.Type.Is("string") && slices.Contains([]string{"uuid", "date", "date-time", "binary", "byte"}, s.Format) {
			s.Enum = nil // constants are texts
		}
		for _, parts := range []*openapi3.SchemaRefs{&s.OneOf, &s.AnyOf} {
			if !slices.ContainsFunc(*parts, saysType) {
				*parts = nil // they only say what must be there
			}
		}
	}
}

// saysType reports whether a schema says anything of the type of a value.
func saysType(ref *openapi3.SchemaRef) bool {
	s := ref.Value
	return ref.Ref != "" || s == nil || s.Type != nil || s.Format != "" || len(s.Enum)+len(s.Properties)+len(s.AllOf)+len(s.OneOf)+len(s.AnyOf) > 0 ||
		s.Items != nil || s.AdditionalProperties.Schema != nil || len(s.Required) == 0
}

// keepInt takes the size from a member that was an int without one.
func (l *lowering) keepInt(goType, member string, ref *openapi3.SchemaRef) {
	if l.taken.before == nil || ref == nil || ref.Value == nil || ref.Value.Format != "int64" {
		return
	}
	for _, f := range l.taken.before.structs[goType] {
		words := strings.FieldsFunc(source(f.typ), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if f.json == member && slices.Contains(words, "int") {
			ref.Value.Format = ""
		}
	}
}
