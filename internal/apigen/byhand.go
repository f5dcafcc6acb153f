package main

import (
	"go/ast"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// moreThan makes schemas of the members that answers have beside the fields of the types that are written
// for them by hand: these keep such a member in Extra, and the generator writes a method More that decodes it.
func (l *lowering) moreThan(byHand []string) map[string]string {
	more := map[string]string{}
	for _, name := range byHand {
		fields := l.taken.fields(name)
		if l.schemas[name] == nil || l.schemas[name].Value == nil || !slices.Contains(fields, extraFieldName) {
			continue
		}
		s := openapi3.NewObjectSchema()
		for member, ref := range l.schemas[name].Value.Properties {
			if !slices.Contains(fields, goName(member)) {
				s.Properties[member] = ref
			}
		}
		if len(s.Properties) > 0 {
			more[name] = name + "More"
			l.schemas[more[name]] = &openapi3.SchemaRef{Value: s}
		}
	}
	return more
}

// fields are the names of the fields of a type that is written by hand.
func (r *reserved) fields(name string) (names []string) {
	s, ok := r.under[name].(*ast.StructType)
	if !ok {
		return nil
	}
	for _, f := range s.Fields.List {
		for _, id := range f.Names {
			names = append(names, id.Name)
		}
	}
	return names
}
