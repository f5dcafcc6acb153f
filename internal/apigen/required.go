package main

import (
	"go/ast"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// keepRequired has what had to be given in Go still be given when the document lets it be left out: its
// field would become a pointer, and programs that set it would no longer compile. A member or parameter of
// which the overlay says whether it is a pointer is left to that.
func (l *lowering) keepRequired(ops []*operation) {
	if l.taken.before == nil {
		return
	}
	var kept []string
	for _, name := range slices.Sorted(maps.Keys(l.schemas)) {
		if s := l.schemas[name].Value; s != nil {
			for _, member := range l.keepMembers(goTypeName(name, s), s) {
				kept = append(kept, goTypeName(name, s)+"."+member)
			}
		}
	}
	for _, op := range ops {
		for _, p := range op.query {
			if !p.Required && p.Schema != nil && l.taken.hadToBeGiven(op.id+"Params", p.Name) && p.Extensions[extNoPointer] == nil {
				p.Required = true
				kept = append(kept, op.id+"Params."+p.Name)
			}
		}
	}
	if kept != nil {
		slices.Sort(kept)
		l.left = append(l.left, "- What the document lets be left out by now stays what must be given, so that programs compile: "+strings.Join(kept, ", ")+
			". With "+extNoPointer+" in "+overlayPath+"/types.yaml a field is left out of requests that do not set it: true keeps its type, false makes it a pointer.")
	}
}

// keepMembers is keepRequired for an object, which may be composed of others. It returns what it has kept.
func (l *lowering) keepMembers(goType string, s *openapi3.Schema) (kept []string) {
	properties, required := openapi3.Schemas{}, map[string]bool{}
	var collect func(s *openapi3.Schema)
	collect = func(s *openapi3.Schema) {
		maps.Copy(properties, s.Properties)
		for _, name := range s.Required {
			required[name] = true
		}
		for _, part := range s.AllOf {
			if part.Value != nil {
				collect(part.Value)
			}
		}
	}
	collect(s)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		ref := properties[name]
		said := ref.Extensions[extNoPointer] != nil || ref.Ref == "" && ref.Value != nil && ref.Value.Extensions[extNoPointer] != nil
		if !required[name] && !said && l.taken.hadToBeGiven(goType, name) {
			kept = append(kept, name)
		}
	}
	switch {
	case kept == nil:
	case len(s.AllOf) > 0:
		s.AllOf = append(s.AllOf, &openapi3.SchemaRef{Value: &openapi3.Schema{Required: kept}})
	default:
		s.Required = append(s.Required, kept...)
	}
	return kept
}

// hadToBeGiven reports whether a member or a parameter was always there. A pointer that was always written is
// one that may be null.
func (r *reserved) hadToBeGiven(goType, name string) bool {
	return slices.ContainsFunc(r.before.structs[goType], func(f field) bool {
		_, pointer := f.typ.(*ast.StarExpr)
		return f.json == name && !f.omitEmpty && !f.omitZero && !pointer
	})
}
