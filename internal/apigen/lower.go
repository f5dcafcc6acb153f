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
	extRelations   = "x-relationship-types"
	extSecret      = "x-secret"
	extraName      = "~extra" // sorts behind every member name
	extraFieldName = "Extra"
)

// lower changes the overlaid document to what makes oapi-codegen write the types we want. It
// states rules that hold for every schema, known or new; single corrections are in the overlay.
func lower(doc *openapi3.T, ops []*operation, taken *reserved, byHand []string) error {
	if doc.Components == nil || doc.Components.Schemas == nil {
		return errors.New("the document has no schemas")
	}
	l := &lowering{schemas: doc.Components.Schemas, taken: taken, answers: map[*openapi3.Schema]bool{}, bodies: map[*openapi3.Schema]bool{}}
	taken.renameSchemas(l.schemas, ops, byHand)
	l.nullableReferences()
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		l.name(name, l.schemas[name])
	}
	if err := l.shareEnums(ops); err != nil {
		return err
	}
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
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		s := l.schemas[name].Value
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
	return nil
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

// nameOrder gives an order, an object of directions, fields that are no pointers, and makes a component
// of one that stands inline.
func (l *lowering) nameOrder(op *operation, p *openapi3.Parameter) {
	if p.Schema == nil || p.Schema.Value == nil || len(p.Schema.Value.Properties) == 0 {
		return
	}
	for _, direction := range p.Schema.Value.Properties {
		if direction.Value == nil || !direction.Value.Type.Is("string") || len(direction.Value.Enum) == 0 {
			return
		}
	}
	for name := range p.Schema.Value.Properties {
		direction := l.own(p.Schema.Value, name)
		set(direction, extNoPointer, true)
		if direction.Ref == "" && !slices.ContainsFunc(direction.Value.Enum, func(v any) bool { return v != "asc" && v != "desc" }) {
			set(direction, extGoType, "SortDirection")
		}
	}
	p.Schema = l.hoist(op.id+goName(p.Name), p.Schema)
}

// bodiesOf finds what an operation sends and receives, and names what stands inline.
func (l *lowering) bodiesOf(op *operation) {
	if op.spec.RequestBody != nil && op.spec.RequestBody.Value != nil {
		for _, content := range op.spec.RequestBody.Value.Content {
			content.Schema = l.hoist(op.id+"Body", content.Schema)
			l.reach(content.Schema, l.bodies)
		}
	}
	for _, response := range op.spec.Responses.Map() {
		if response.Value == nil {
			continue
		}
		for _, content := range response.Value.Content {
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

// envelope are the members that every answer and every entity has. Without a pointer they are easier
// to use, and an iterator over a list needs them so.
var envelope = []string{"result", "response", "data", "limit", "offset", "total", "id", "type", "attributes", "relationships"}

// answer lowers an object that only the server writes. null is the zero value of a time, an id,
// an enum, a list or a map, and nil of everything else. Members nobody knows are kept in Extra.
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
		if v.Type.Is("array") || v.AdditionalProperties.Schema != nil || v.Extensions[extNoPointer] == true && len(v.OneOf) > 0 {
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
