package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// extGoEnum is how the overlay tells that the values of a parameter are some of those of a type: a type
// for each parameter would be many names for one thing.
const extGoEnum = "x-go-enum"

// extGoValues is how the overlay names values of an enum.
const extGoValues = "x-go-values"

// nameValues tells oapi-codegen the names that the overlay gives to values, whatever their order.
func (l *lowering) nameValues() {
	for _, ref := range l.schemas {
		given, named := ref.Value.Extensions[extGoValues].(map[string]any)
		if !named {
			continue
		}
		names := make([]any, len(ref.Value.Enum))
		for i, value := range ref.Value.Enum {
			if names[i] = given[fmt.Sprint(value)]; names[i] == nil {
				names[i] = goName(fmt.Sprint(value))
			}
		}
		set(&openapi3.SchemaRef{Value: ref.Value}, "x-enum-varnames", names)
	}
}

// shareEnums gives parameters the types that the overlay names, adds to these what they lack, and writes
// into the words of a parameter which of the values it takes.
func (l *lowering) shareEnums(ops []*operation) error {
	for _, op := range ops {
		for _, p := range op.query {
			name, ok := p.Extensions[extGoEnum].(string)
			if !ok || p.Schema == nil || p.Schema.Value == nil {
				continue
			}
			shared := l.schemas[name]
			if shared == nil {
				return fmt.Errorf("%s: %s: the document has no schema %s, whose values the parameter %s is to have", op.id, extGoEnum, name, p.Name)
			}
			elements, list := p.Schema, p.Schema.Value.Type.Is("array")
			if list {
				elements = p.Schema.Value.Items
			}
			if elements == nil || elements.Value == nil || len(elements.Value.Enum) == 0 || elements.Value == shared.Value {
				continue
			}
			values := make([]string, len(elements.Value.Enum))
			for i, value := range elements.Value.Enum {
				values[i] = fmt.Sprint(value)
				if !slices.ContainsFunc(shared.Value.Enum, func(v any) bool { return reflect.DeepEqual(v, value) }) {
					shared.Value.Enum = append(shared.Value.Enum, value)
				}
			}
			slices.Sort(values)
			p.Description = strings.TrimSpace(p.Description + " Values: " + strings.Join(values, ", ") + ".")
			elements = &openapi3.SchemaRef{Ref: schemaPrefix + name, Value: shared.Value}
			if list {
				elements = &openapi3.SchemaRef{Value: &openapi3.Schema{Type: p.Schema.Value.Type, Items: elements}}
			}
			p.Schema = elements
		}
	}
	return nil
}
