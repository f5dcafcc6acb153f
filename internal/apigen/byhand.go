package main

import (
	"go/ast"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// moreThan makes schemas of the members that answers have beside the fields of the types that are written
// for them by hand: these keep such a member in Extra, and the generator writes a method that decodes it.
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

// fieldsOf are the fields of the type that a schema has become, but for the one of unknown members.
func (m *model) fieldsOf(schema string) []field {
	fields := m.types.structs[goTypeName(schema, m.doc.Components.Schemas[schema].Value)]
	return slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.json == "-" })
}

// writeMore writes a method for each member that a type written by hand lacks. The type that the members
// would have together goes: nothing leads to it.
func (m *model) writeMore(p *printer, name string, fields []field) {
	getters := map[string]string{}
	for _, f := range fields {
		getters[f.json] = "Get" + f.name
	}
	getters = distinct(getters, nil, func(getter string) bool { return m.taken.of[name][getter] })
	for _, f := range fields {
		goType := f.typ
		if pointer, ok := goType.(*ast.StarExpr); ok {
			goType = pointer.X
		}
		p.line("\n// %s returns %s, the zero value for none. It is in Extra, too.", getters[f.json], f.json)
		p.line("func (x %s) %s() (v %s) {\nx.Extra.value(%q, &v)\nreturn v\n}", name, getters[f.json], source(goType), f.json)
	}
}
