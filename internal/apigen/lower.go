package main

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"
)

const schemaPrefix = "#/components/schemas/"

// Extensions of oapi-codegen.
const (
	extGoName      = "x-go-name"
	extGoType      = "x-go-type"
	extNoPointer   = "x-go-type-skip-optional-pointer"
	extOmitEmpty   = "x-omitempty"
	extOmitZero    = "x-omitzero"
	extJSONIgnore  = "x-go-json-ignore"
	extGoBody      = "x-go-body"
	extGoParts     = "x-go-parts"
	extRelations   = "x-relationship-types"
	extSecret      = "x-secret"
	extraName      = "~extra" // sorts behind every member name
	extraFieldName = "Extra"
)

// lower changes the overlaid document to what makes oapi-codegen write the types we want. It
// states rules that hold for every schema, known or new; single corrections are in the overlay.
func lower(doc *openapi3.T, ops []*operation, taken *reserved, byHand []string) (*lowering, error) {
	if doc.Components == nil || doc.Components.Schemas == nil {
		return nil, errors.New("the document has no schemas")
	}
	l := &lowering{schemas: doc.Components.Schemas, taken: taken, answers: map[*openapi3.Schema]bool{}, bodies: map[*openapi3.Schema]bool{}}
	l.more = l.moreThan(byHand)
	taken.renameSchemas(l.schemas, ops, byHand)
	l.cutLists()
	l.plainTypes(ops)
	l.nullableReferences()
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		l.name(name, l.schemas[name])
	}
	if err := l.shareEnums(ops); err != nil {
		return nil, err
	}
	l.left = l.relate()
	l.nameValues()
	l.inlineLists(ops)
	for _, op := range ops {
		l.bodiesOf(op)
	}
	for _, ref := range l.schemas {
		if ref.Value != nil && ref.Value.Extensions[extRelations] != nil {
			l.reach(ref, l.answers)
		}
	}
	for _, name := range l.more {
		l.reach(l.schemas[name], l.answers)
	}
	l.keepRequired(ops)
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		s := l.schemas[name].Value
		if l.answers[s] {
			dropMore(s)
		}
		switch {
		case l.answers[s] && !l.bodies[s]:
			l.answer(s)
		default:
			l.body(s)
			if l.answers[s] {
				keepExtra(s)
			}
		}
	}
	l.breakCycles()
	l.describe()
	l.prune()
	return l, nil
}

// dropMore takes from an object with members that there may be others: Extra has them.
func dropMore(s *openapi3.Schema) {
	if more := s.AdditionalProperties.Has; more != nil && *more && len(s.Properties)+len(s.AllOf) > 0 {
		s.AdditionalProperties.Has = nil
	}
	for _, part := range s.AllOf {
		if part.Value != nil {
			dropMore(part.Value)
		}
	}
}

// nullableReferences gives what is null or a component the type of the component.
func (l *lowering) nullableReferences() {
	for _, schema := range l.schemas {
		if schema.Value == nil {
			continue
		}
		for _, ref := range schema.Value.Properties {
			s := ref.Value
			if ref.Ref != "" || s == nil || !s.Nullable || len(s.AllOf) != 1 || s.AllOf[0].Ref == "" || s.Extensions[extGoType] != nil {
				continue
			}
			target := s.AllOf[0]
			goType, own := target.Value.Extensions[extGoType].(string)
			if !own {
				goType = goTypeName(strings.TrimPrefix(target.Ref, schemaPrefix), target.Value)
			}
			set(ref, extGoType, goType)
			if target.Value.Extensions[extNoPointer] == true {
				set(ref, extNoPointer, true)
			}
		}
	}
}

// cutLists leaves the elements of a list that is in itself as they are: Go has no type for it.
func (l *lowering) cutLists() {
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		seen := map[*openapi3.Schema]bool{}
		for s := l.schemas[name].Value; s != nil && s.Items != nil; s = s.Items.Value {
			seen[s] = true
			if seen[s.Items.Value] {
				s.Items = &openapi3.SchemaRef{Value: &openapi3.Schema{Extensions: map[string]any{extGoType: "json.RawMessage"}}}
			}
		}
	}
}

// breakCycles makes a pointer of a member through which an object would hold itself.
func (l *lowering) breakCycles() {
	const entered, left = 1, 2
	state := map[*openapi3.Schema]int{}
	var visit func(s *openapi3.Schema)
	visit = func(s *openapi3.Schema) {
		state[s] = entered
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			ref := s.Properties[name]
			if ref.Value == nil || !slices.Contains(s.Required, name) && ref.Value.Extensions[extNoPointer] != true || ref.Value.Extensions[extGoType] != nil ||
				len(ref.Value.Properties) == 0 {
				continue
			}
			if state[ref.Value] == entered {
				s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
				set(ref, extOmitEmpty, false)
				continue
			}
			if state[ref.Value] == 0 {
				visit(ref.Value)
			}
		}
		state[s] = left
	}
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		if s := l.schemas[name].Value; s != nil && state[s] == 0 {
			visit(s)
		}
	}
}

// prune drops what no operation uses, so that it gets no type. oapi-codegen could do so, but does not
// see what only the name of a Go type refers to.
func (l *lowering) prune() {
	used, named := maps.Clone(l.answers), map[string]bool{}
	for s := range l.bodies {
		used[s] = true
	}
	for more := true; more; {
		for s := range used {
			goTypesIn(s, named)
		}
		more = false
		for name, ref := range l.schemas {
			if ref.Value != nil && !used[ref.Value] && named[goTypeName(name, ref.Value)] {
				l.reach(ref, used)
				more = true
			}
		}
	}
	maps.DeleteFunc(l.schemas, func(_ string, ref *openapi3.SchemaRef) bool { return !used[ref.Value] })
}

// goTypesIn collects the names in the Go types that a schema and its parts are given.
func goTypesIn(s *openapi3.Schema, names map[string]bool) {
	extensions := []map[string]any{s.Extensions}
	for _, ref := range append(slices.Collect(maps.Values(s.Properties)), s.Items, s.AdditionalProperties.Schema) {
		if ref != nil {
			extensions = append(extensions, ref.Extensions)
		}
	}
	for _, e := range extensions {
		goType, _ := e[extGoType].(string)
		for _, name := range strings.FieldsFunc(goType, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			names[name] = true
		}
	}
}

// envelope are the members that every answer and every entity has. Without a pointer they are easier
// to use, and an iterator over a list needs them so.
var envelope = []string{"result", "response", "data", "limit", "offset", "total", "id", "type", "attributes", "relationships"}

// answer lowers an object that only the server writes. null is the zero value of a time, an id,
// an enum, a list or a map, and nil of everything else. Where the document allows null, nil is written as
// null, as the server does, also for a member that was absent. Members nobody knows are kept in Extra.
func (l *lowering) answer(s *openapi3.Schema) {
	s.Nullable = false
	if len(s.Properties) == 0 {
		return
	}
	for _, name := range envelope {
		if s.Properties[name] != nil && !slices.Contains(s.Required, name) {
			s.Required = append(s.Required, name)
		}
	}
	for name, ref := range s.Properties {
		if ref.Value == nil || !ref.Value.Nullable {
			continue
		}
		if zeroIsNull(ref) {
			ref = l.own(s, name)
			ref.Value.Nullable = false
			continue
		}
		ref = l.own(s, name)
		ref.Value.Nullable = false
		set(ref, extOmitEmpty, false)
		s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
	}
	keepExtra(s)
}

// keepExtra gives an object the field that keeps members nobody knows, and another name to a member
// that would have the same.
func keepExtra(s *openapi3.Schema) {
	if len(s.Properties) == 0 {
		return
	}
	for name, ref := range s.Properties {
		if goName(name) == extraFieldName {
			set(ref, extGoName, extraFieldName+"Value")
		}
	}
	s.Properties[extraName] = &openapi3.SchemaRef{Value: &openapi3.Schema{Extensions: map[string]any{
		extGoName: extraFieldName, extGoType: extraFieldName, extNoPointer: true, extJSONIgnore: true,
	}}}
}

// own gives the object a copy of a property that is its own to change.
func (l *lowering) own(s *openapi3.Schema, name string) *openapi3.SchemaRef {
	old := s.Properties[name]
	if old.Ref != "" {
		return old
	}
	value := *old.Value
	value.Extensions = maps.Clone(value.Extensions)
	s.Properties[name] = &openapi3.SchemaRef{Value: &value}
	return s.Properties[name]
}

func zeroIsNull(ref *openapi3.SchemaRef) bool {
	s := ref.Value
	if s.Extensions[extNoPointer] == true || len(s.OneOf) > 0 {
		return true
	}
	if s.Type.Is("array") || s.AdditionalProperties.Schema != nil {
		return true
	}
	return s.Type.Is("string") && (s.Extensions[extGoType] != nil || ref.Ref != "" && len(s.Enum) > 0 || s.Format == "uuid" || s.Format == "date-time")
}

// body lowers an object that a client writes: lists and maps that are not set are left out, and
// empty ones are sent, because that is how they are cleared.
func (l *lowering) body(s *openapi3.Schema) {
	if s.Nullable && !s.Type.Is("string") && !s.Type.Is("integer") && !s.Type.Is("number") && !s.Type.Is("boolean") {
		s.Nullable = false
	}
	ownRequired(s)
	for name, ref := range s.Properties {
		if ref.Value == nil || slices.Contains(s.Required, name) {
			continue
		}
		v := ref.Value
		if v.Nullable && v.Extensions[extNoPointer] != true {
			continue // nullable.Nullable tells unset from null
		}
		if v.Type.Is("array") || v.AdditionalProperties.Schema != nil || v.Extensions[extNoPointer] == true && (len(v.OneOf)+len(v.AnyOf) > 0 || v.Format == "uuid" || v.Format == "date-time") {
			set(ref, extOmitEmpty, false)
			set(ref, extOmitZero, true)
		}
	}
}

// ownRequired gives an object that must have what another one may have a copy of it: it is not left out.
func ownRequired(s *openapi3.Schema) {
	for _, part := range s.AllOf {
		if part.Ref != "" || part.Value == nil {
			continue
		}
		for _, name := range part.Value.Required {
			for _, other := range s.AllOf {
				if other.Value == nil || other.Value.Properties[name] == nil || part.Value.Properties[name] != nil {
					continue
				}
				if part.Value.Properties == nil {
					part.Value.Properties = openapi3.Schemas{}
				}
				part.Value.Properties[name] = copyOf(other.Value.Properties[name])
			}
		}
	}
}

// copyOf is the same property, to be changed alone.
func copyOf(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	if text := siblingDescription(ref); text != "" {
		return wrapped(ref, text)
	}
	other := *ref
	if other.Extensions = maps.Clone(ref.Extensions); ref.Ref == "" && ref.Value != nil {
		value := *ref.Value
		value.Extensions = maps.Clone(value.Extensions)
		other.Value = &value
	}
	return &other
}

func set(ref *openapi3.SchemaRef, key string, value any) {
	target := &ref.Extensions
	if ref.Ref == "" {
		target = &ref.Value.Extensions
	}
	if *target == nil {
		*target = map[string]any{}
	}
	(*target)[key] = value
}
