package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// extNoAttributes is how the overlay says, of the schema of a relationship, which types have no attributes.
const extNoAttributes = "x-no-attributes"

// relate finds the attributes of relationships of types that the overlay does not know: those of the entity
// that has the type. It lists what of this is left for a person.
func (l *lowering) relate() (left []string) {
	const know = "say so in api/overlay/types.yaml (x-relationship-types)"
	known := map[string]bool{}
	for _, ref := range l.schemas {
		for _, extension := range []string{extRelations, extNoAttributes} {
			types, _ := ref.Value.Extensions[extension].([]any)
			for _, t := range types {
				known[fmt.Sprint(t)] = true
			}
		}
	}
	resources := l.schemas["ResourceType"]
	isResource := func(t string) {
		if resources != nil && !slices.Contains(resources.Value.Enum, any(t)) {
			resources.Value.Enum = append(resources.Value.Enum, t)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		t, attributes := entity(l.schemas[name].Value)
		if t == "" || known[t] {
			continue
		}
		known[t] = true
		isResource(t)
		types, _ := attributes.Value.Extensions[extRelations].([]any)
		set(&openapi3.SchemaRef{Value: attributes.Value}, extRelations, append(types, t))
		left = append(left, fmt.Sprintf("- Relationships of the type `%s` get the attributes of `%s`: %s, and give them a method in api/relationships.go.", t, name, know))
	}
	for _, values := range [][]any{l.valuesOf("Include", ""), l.valuesOf("Relationship", "type")} {
		for _, value := range values {
			t := fmt.Sprint(value)
			if known[t] {
				continue
			}
			known[t] = true
			left = append(left, fmt.Sprintf("- Relationships of the type `%s` keep their attributes as `RawAttributes`: if there is a schema of these, %s and give them a method in api/relationships.go; else add the type to x-no-attributes of Relationship there.", t, know))
		}
	}
	for _, value := range l.valuesOf("Relationship", "type") {
		isResource(fmt.Sprint(value))
	}
	return left
}

// entity returns the type of a resource and the schema of its attributes, if that is what a schema describes.
func entity(s *openapi3.Schema) (t string, attributes *openapi3.SchemaRef) {
	kind, attributes := s.Properties["type"], s.Properties["attributes"]
	if kind == nil || kind.Value == nil || attributes == nil || attributes.Ref == "" || attributes.Value == nil || len(attributes.Value.Properties) == 0 || len(attributes.Value.OneOf)+len(attributes.Value.AnyOf) > 0 {
		return "", nil
	}
	switch t, _ = kind.Value.Default.(string); len(kind.Value.Enum) {
	case 0:
	case 1:
		t, _ = kind.Value.Enum[0].(string)
	default:
		return "", nil
	}
	return t, attributes
}

// valuesOf are the values of an enum, or of a member of an object.
func (l *lowering) valuesOf(schema, property string) []any {
	ref := l.schemas[schema]
	if ref != nil && property != "" {
		ref = ref.Value.Properties[property]
	}
	if ref == nil || ref.Value == nil {
		return nil
	}
	return ref.Value.Enum
}
