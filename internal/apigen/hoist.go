package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/mangadex-go/mangadex/internal/document"
)

// extSchemaName is how the overlay names a schema that stands inline, or that the document calls
// otherwise: the node stays upstream's own, so that whatever is added to it comes along.
const extSchemaName = "x-schema-name"

// A hoister makes components of the schemas that the overlay names.
type hoister struct {
	root    *yaml.Node
	schemas *yaml.Node
	named   map[string]bool    // components that have their names from the overlay
	uniting map[[2]string]bool // pairs of components that are being united
	paths   *strings.Replacer  // the shape of a path, or with another end where there is none of that → the path, as targets write them
}

func newHoister(root *yaml.Node) *hoister {
	h := &hoister{root: root, schemas: lookup(root, "components", "schemas"), named: map[string]bool{}, uniting: map[[2]string]bool{}}
	shapes := map[string]string{}
	if paths := lookup(root, "paths"); paths != nil {
		for i := 0; i < len(paths.Content); i += 2 {
			shapes[document.Shape(paths.Content[i].Value)] = paths.Content[i].Value
		}
	}
	var pairs []string
	for _, shape := range slices.Sorted(maps.Keys(shapes)) {
		pairs = append(pairs, "'"+shape+"'", "'"+shapes[shape]+"'")
		if other := otherEnd(shape); shapes[other] == "" {
			pairs = append(pairs, "'"+other+"'", "'"+shapes[shape]+"'")
		}
	}
	h.paths = strings.NewReplacer(pairs...)
	return h
}

// resolved is what a reference stands for. Anything else stands for itself.
func (h *hoister) resolved(node *yaml.Node) *yaml.Node {
	if ref := member(node, "$ref"); ref != nil {
		if component := member(h.schemas, strings.TrimPrefix(ref.Value, schemaPrefix)); component != nil {
			return component
		}
	}
	return node
}

// inline is a node with what it refers to, and what it is composed of, where another one is neither.
func (h *hoister) inline(node, other *yaml.Node) *yaml.Node {
	if member(other, "$ref") == nil {
		node = h.resolved(node)
	}
	if properties := member(other, "properties"); properties != nil && properties.Kind == yaml.MappingNode && member(other, "allOf") == nil && member(node, "allOf") != nil {
		node = clone(node)
		h.flatten(node)
	}
	if node.Kind != other.Kind || len(other.Content) == 0 {
		return node
	}
	whole := *node
	whole.Content = slices.Clone(node.Content)
	for i := range whole.Content {
		switch {
		case node.Kind == yaml.MappingNode && i%2 == 1:
			if theirs := member(other, node.Content[i-1].Value); theirs != nil {
				whole.Content[i] = h.inline(node.Content[i], theirs)
			}
		case node.Kind == yaml.SequenceNode && i < len(other.Content):
			whole.Content[i] = h.inline(node.Content[i], other.Content[i])
		}
	}
	return &whole
}

// nullable is a reference that may be null from now on.
func (h *hoister) nullable(node *yaml.Node) *yaml.Node {
	component := h.resolved(node)
	if component == node {
		return node
	}
	return nullableReference(node, member(component, "type"))
}

// hoist makes one component of the places that an action has named. Where they differ in what one can
// hold beside the other, they are united; where they contradict each other, a place stays inline and a
// conflict is returned. With any they may contradict each other.
func (h *hoister) hoist(nodes []*yaml.Node, any bool) (conflicts []string) {
	for _, node := range nodes {
		name := take(node, extSchemaName)
		if name == nil {
			continue
		}
		if conflict := h.place(node, name.Value, any); conflict != "" {
			conflicts = append(conflicts, conflict)
		}
	}
	return conflicts
}

func (h *hoister) place(node *yaml.Node, name string, any bool) (conflict string) {
	if ref := member(node, "$ref"); ref != nil {
		old := strings.TrimPrefix(ref.Value, schemaPrefix)
		switch {
		case old == name:
			h.named[name] = true
			return ""
		case !h.named[old] && member(h.schemas, name) == nil:
			h.rename(old, name)
			h.named[name] = true
			return ""
		}
		component := member(h.schemas, old)
		if component == nil {
			return ""
		}
		component = clone(component)
		h.flatten(component)
		if conflict := h.add(name, component, any); conflict != "" {
			return conflict
		}
		ref.Value = schemaPrefix + name
		return ""
	}
	if component := member(h.schemas, name); component != nil && h.holds(node, name) {
		if conflict := h.extend(component, node, name); conflict != "" {
			return conflict
		}
		refer(node, name, member(node, "nullable"), component)
		return ""
	}
	schema := clone(node)
	nullable := take(schema, "nullable")
	if values := member(schema, "enum"); values != nil {
		values.Content = slices.DeleteFunc(values.Content, func(v *yaml.Node) bool { return v.ShortTag() == "!!null" })
	}
	h.flatten(schema)
	if conflict := h.add(name, schema, any); conflict != "" {
		return conflict
	}
	refer(node, name, nullable, schema)
	return ""
}

// refer makes of a node a reference to a component, one that may be null if the node may.
func refer(node *yaml.Node, name string, nullable, component *yaml.Node) {
	ref := textMember("$ref", schemaPrefix+name)
	if nullable != nil && nullable.Value == "true" {
		ref = nullableReference(ref, member(component, "type"))
	}
	*node = *ref
}

// holds reports whether a node consists of a component and others.
func (h *hoister) holds(node *yaml.Node, name string) bool {
	parts := member(node, "allOf")
	return parts != nil && slices.ContainsFunc(parts.Content, func(part *yaml.Node) bool {
		ref := member(part, "$ref")
		return ref != nil && ref.Value == schemaPrefix+name
	})
}

// extend adds to a component what a node that consists of it and others has beside it.
func (h *hoister) extend(component, node *yaml.Node, name string) (conflict string) {
	whole := clone(component)
	h.flatten(whole)
	for _, part := range member(node, "allOf").Content {
		part = clone(h.resolved(part))
		h.flatten(part)
		properties := member(part, "properties")
		if equal(part, whole) || properties == nil {
			continue
		}
		for i := 0; i < len(properties.Content); {
			member, theirs := properties.Content[i].Value, properties.Content[i+1]
			ours := lookup(whole, "properties", member)
			if ours == nil {
				i += 2
				continue
			}
			if _, conflict := h.unite(clone(h.resolved(ours)), h.resolved(theirs), name+"."+member, false); conflict != "" {
				return conflict
			}
			properties.Content = slices.Delete(properties.Content, i, i+2)
		}
		if len(properties.Content) == 0 {
			continue
		}
		if parts := member(component, "allOf"); parts != nil {
			parts.Content = append(parts.Content, part)
		} else {
			merge(component, part)
		}
	}
	return ""
}

// nullableReference is a reference that may be null, which OpenAPI 3.0 has to say in this way.
func nullableReference(ref, schemaType *yaml.Node) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	if schemaType != nil {
		put(node, "type", clone(schemaType))
	}
	put(node, "allOf", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{textMember("$ref", member(ref, "$ref").Value)}})
	put(node, "nullable", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	return node
}

// add puts a schema under a name, beside what is there under it already.
func (h *hoister) add(name string, schema *yaml.Node, any bool) (conflict string) {
	is := member(h.schemas, name)
	if is == nil {
		put(h.schemas, name, schema)
		h.named[name] = true
		return ""
	}
	united, conflict := h.unite(clone(is), schema, name, any && isObject(is) == isObject(schema))
	if conflict != "" {
		if h.named[name] {
			return conflict
		}
		// It is another thing, which has the name by chance.
		other := name + "Schema"
		for member(h.schemas, other) != nil {
			other += "Schema"
		}
		h.rename(name, other)
		put(h.schemas, name, schema)
	} else {
		*is = *united
	}
	h.named[name] = true
	return ""
}

func isObject(schema *yaml.Node) bool {
	kind := member(schema, "type")
	return kind != nil && kind.Value == "object" || member(schema, "properties") != nil
}

// rename gives a component another name, wherever it is used.
func (h *hoister) rename(old, name string) {
	for i := 0; i < len(h.schemas.Content); i += 2 {
		if h.schemas.Content[i].Value == old {
			h.schemas.Content[i].Value = name
		}
	}
	eachRef(h.root, func(ref *yaml.Node) {
		if ref.Value == schemaPrefix+old {
			ref.Value = schemaPrefix + name
		}
	})
}

// flatten writes an object that consists of others as one.
func (h *hoister) flatten(schema *yaml.Node) {
	parts := member(schema, "allOf")
	if parts == nil {
		return
	}
	flat := textMember("type", "object")
	for _, part := range parts.Content {
		if ref := member(part, "$ref"); ref != nil {
			if part = member(h.schemas, strings.TrimPrefix(ref.Value, schemaPrefix)); part == nil {
				return
			}
		}
		part = clone(part)
		h.flatten(part)
		if kind := member(part, "type"); kind != nil && kind.Value != "object" || member(part, "allOf") != nil {
			return
		}
		merge(flat, part)
	}
	take(schema, "allOf")
	merge(flat, schema)
	*schema = *flat
}

// unite returns what holds everything that either of two schemas holds. A contradiction is a conflict,
// unless any form will do.
func (h *hoister) unite(is, other *yaml.Node, at string, any bool) (united *yaml.Node, conflict string) {
	if h.joined(is, other, at, any) {
		return is, ""
	}
	for _, key := range []string{"type", "format", "$ref"} {
		a, b := member(is, key), member(other, key)
		if a == nil && b == nil || a != nil && b != nil && a.Value == b.Value {
			continue
		}
		if !any {
			return nil, fmt.Sprintf("%s has the %s %s in one place and %s in another", at, key, value(a), value(b))
		}
		take(is, key)
	}
	for i := 0; i < len(other.Content); i += 2 {
		key, theirs := other.Content[i].Value, other.Content[i+1]
		ours := member(is, key)
		switch key {
		case "type", "format", "$ref":
		case "enum":
			if ours == nil {
				put(is, key, clone(theirs))
			} else {
				merge(ours, theirs)
			}
		case "properties":
			if ours == nil {
				put(is, key, clone(theirs))
				continue
			}
			for j := 0; j < len(theirs.Content); j += 2 {
				name := theirs.Content[j].Value
				mine := member(ours, name)
				if mine == nil {
					put(ours, name, clone(theirs.Content[j+1]))
					continue
				}
				both, conflict := h.unite(mine, theirs.Content[j+1], at+"."+name, any)
				if conflict != "" {
					return nil, conflict
				}
				*mine = *both
			}
		case "items", "additionalProperties":
			if ours == nil || ours.Kind != yaml.MappingNode || theirs.Kind != yaml.MappingNode {
				if ours != nil && !equal(ours, theirs) && !any {
					return nil, fmt.Sprintf("%s differs in %s between two places", at, key)
				}
				continue
			}
			both, conflict := h.unite(ours, theirs, at+"[]", any)
			if conflict != "" {
				return nil, conflict
			}
			*ours = *both
		case "nullable", document.ExtOpen:
			if theirs.Value == "true" {
				put(is, key, clone(theirs))
			}
		}
	}
	// What only one of the two demands or limits is not so everywhere.
	for i := 0; i < len(is.Content); {
		key := is.Content[i].Value
		switch key {
		case "type", "format", "$ref", "enum", "properties", "items", "additionalProperties", "nullable", "allOf", "oneOf", "anyOf":
			i += 2
			continue
		}
		if theirs := member(other, key); !strings.HasPrefix(key, "x-") && (theirs == nil || !equal(is.Content[i+1], theirs)) {
			take(is, key)
			continue
		}
		i += 2
	}
	return is, ""
}

// joined makes one of two components which two schemas refer to, if one of them has all that the other has:
// upstream may give names to what stands inline in several places, a new one in each.
func (h *hoister) joined(is, other *yaml.Node, at string, any bool) bool {
	a, b := member(is, "$ref"), member(other, "$ref")
	if a == nil || b == nil || a.Value == b.Value {
		return false
	}
	name, old := strings.TrimPrefix(a.Value, schemaPrefix), strings.TrimPrefix(b.Value, schemaPrefix)
	mine, theirs := member(h.schemas, name), member(h.schemas, old)
	switch pair := [2]string{name, old}; {
	case mine == nil || theirs == nil || h.named[old]:
		return false
	case h.uniting[pair]:
		return true
	case !holdsAll(mine, theirs) && !holdsAll(theirs, mine):
		return false
	default:
		h.uniting[pair] = true
		defer delete(h.uniting, pair)
	}
	united, conflict := h.unite(clone(mine), theirs, at, any)
	if conflict != "" {
		return false
	}
	*mine = *united
	eachRef(h.root, func(ref *yaml.Node) {
		if ref.Value == schemaPrefix+old {
			ref.Value = schemaPrefix + name
		}
	})
	take(h.schemas, old)
	return true
}

// holdsAll reports whether an object has every property that another has.
func holdsAll(object, other *yaml.Node) bool {
	mine, theirs := member(object, "properties"), member(other, "properties")
	if mine == nil || theirs == nil {
		return false
	}
	for i := 0; i < len(theirs.Content); i += 2 {
		if member(mine, theirs.Content[i].Value) == nil {
			return false
		}
	}
	return true
}

func value(node *yaml.Node) string {
	if node == nil {
		return "none"
	}
	return node.Value
}

// take takes a member out of an object and returns it.
func take(node *yaml.Node, name string) *yaml.Node {
	for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			taken := node.Content[i+1]
			node.Content = slices.Delete(node.Content, i, i+2)
			return taken
		}
	}
	return nil
}

// put sets a member of an object.
func put(node *yaml.Node, name string, value *yaml.Node) {
	if is := member(node, name); is != nil {
		*is = *value
		return
	}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, value)
}

// textMember is an object with one member that is a text.
func textMember(name, text string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	put(node, name, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text})
	return node
}
