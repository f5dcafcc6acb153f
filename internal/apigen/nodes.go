package main

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/mangadex-go/mangadex/internal/document"
)

// readDocument reads a document as nodes, the keys of its objects sorted. before has the paths that were
// there by their shapes.
func readDocument(content []byte, before map[string]string) (*yaml.Node, error) {
	var value map[string]any
	if err := yaml.Unmarshal(content, &value); err != nil {
		return nil, fmt.Errorf("%s: %w", documentPath, err)
	}
	if err := document.Normalise(value); err != nil {
		return nil, err
	}
	document.Inline(value)
	safePaths(value, before)
	node := &yaml.Node{}
	if err := node.Encode(value); err != nil {
		return nil, fmt.Errorf("%s: %w", documentPath, err)
	}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{node}}, nil
}

// member is a member of an object, nil if it has none of that name.
func member(node *yaml.Node, name string) *yaml.Node {
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				return node.Content[i+1]
			}
		}
	}
	return nil
}

func clone(node *yaml.Node) *yaml.Node {
	copied := *node
	copied.Content = make([]*yaml.Node, len(node.Content))
	for i, child := range node.Content {
		copied.Content[i] = clone(child)
	}
	return &copied
}

// equal reports whether two nodes are the same value.
func equal(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return false
	}
	switch a.Kind {
	case yaml.ScalarNode:
		return a.Value == b.Value && a.ShortTag() == b.ShortTag()
	case yaml.MappingNode:
		for i := 0; i < len(a.Content); i += 2 {
			if other := member(b, a.Content[i].Value); other == nil || !equal(a.Content[i+1], other) {
				return false
			}
		}
		return true
	}
	return slices.EqualFunc(a.Content, b.Content, equal)
}

// kindOf is a schema without its words and its limits: what is left says what kind of value it stands for.
func kindOf(schema *yaml.Node) *yaml.Node {
	beside := []string{
		"title", "description", "example", "examples", "externalDocs", "deprecated", "default",
		"pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "propertyNames", "unevaluatedProperties",
	}
	bare := *schema
	bare.Content = nil
	for i := 0; schema.Kind == yaml.MappingNode && i < len(schema.Content); i += 2 {
		key, value := schema.Content[i], schema.Content[i+1]
		size := key.Value == "format" && slices.Contains([]string{"int32", "int64", "float", "double"}, value.Value)
		others := key.Value == "additionalProperties" && value.Kind == yaml.ScalarNode && member(schema, "properties") != nil
		switch {
		case size, others, slices.Contains(beside, key.Value):
			continue
		case key.Value == "properties" && value.Kind == yaml.MappingNode:
			properties := *value
			properties.Content = slices.Clone(value.Content)
			for j := 1; j < len(properties.Content); j += 2 {
				properties.Content[j] = kindOf(properties.Content[j])
			}
			value = &properties
		default:
			value = kindOf(value)
		}
		bare.Content = append(bare.Content, key, value)
	}
	if schema.Kind == yaml.SequenceNode {
		for _, element := range schema.Content {
			bare.Content = append(bare.Content, kindOf(element))
		}
	}
	return &bare
}

// has reports whether a node has what is expected: an object these members, among others, and none
// where null is expected; anything else is the same.
func has(node, expected *yaml.Node) bool {
	if expected.Kind != yaml.MappingNode || node.Kind != yaml.MappingNode {
		return equal(node, expected)
	}
	for i := 0; i < len(expected.Content); i += 2 {
		is, want := member(node, expected.Content[i].Value), expected.Content[i+1]
		switch {
		case want.ShortTag() == "!!null":
			if is != nil && is.ShortTag() != "!!null" {
				return false
			}
		case is == nil && want.Value == "false": // which is what none means
		case is == nil || !has(is, want):
			return false
		}
	}
	return true
}

// merge adds what update says to a node, and reports whether that changes it. A list gets the elements
// that it has not; parameters are the same if their names and places are.
func merge(node, update *yaml.Node) bool {
	changed := false
	switch {
	case node.Kind == yaml.MappingNode && update.Kind == yaml.MappingNode:
		for i := 0; i < len(update.Content); i += 2 {
			key, value := update.Content[i], update.Content[i+1]
			if is := member(node, key.Value); is != nil && key.Value == "security" {
				changed = changed || !equal(is, value) // a statement, not a list to add to
				*is = *clone(value)
			} else if is != nil {
				changed = merge(is, value) || changed
			} else {
				node.Content = append(node.Content, clone(key), clone(value))
				changed = true
			}
		}
	case node.Kind == yaml.SequenceNode && update.Kind == yaml.SequenceNode:
		for _, value := range update.Content {
			if !slices.ContainsFunc(node.Content, func(is *yaml.Node) bool { return equal(is, value) || sameParameter(is, value) }) {
				node.Content = append(node.Content, clone(value))
				changed = true
			}
		}
	case !equal(node, update):
		*node = *clone(update)
		return true
	}
	return changed
}

// typeKeys say of what type a schema is.
var typeKeys = []string{"type", "format", "enum", "properties", "items", "additionalProperties", "oneOf", "anyOf", "allOf"}

// fill adds what a node has not, and changes nothing that it has, but for parameters, which join the
// others. A schema that is composed of others has its type from them. It returns what it has added.
func fill(node, update *yaml.Node) (added []string) {
	if node.Kind != yaml.MappingNode || update.Kind != yaml.MappingNode || member(node, "$ref") != nil {
		return nil
	}
	composed := member(node, "oneOf") != nil || member(node, "anyOf") != nil || member(node, "allOf") != nil
	for i := 0; i < len(update.Content); i += 2 {
		key, value := update.Content[i], update.Content[i+1]
		is := member(node, key.Value)
		if composed && slices.Contains(typeKeys, key.Value) {
			continue
		}
		if is == nil && key.Value == "200" && (member(node, "201") != nil || member(node, "202") != nil) {
			continue // which is a success, too
		}
		if is == nil {
			node.Content = append(node.Content, clone(key), clone(value))
			added = append(added, key.Value)
			continue
		}
		if key.Value == "parameters" {
			for _, p := range value.Content {
				if !slices.ContainsFunc(is.Content, func(is *yaml.Node) bool { return sameParameter(is, p) }) {
					is.Content = append(is.Content, clone(p))
					added = append(added, "the parameter "+member(p, "name").Value)
				}
			}
			continue
		}
		for _, below := range fill(is, value) {
			added = append(added, key.Value+"."+below)
		}
	}
	return added
}

// overwritten is a member that an update would give another value, "" if it only adds.
func overwritten(node, update *yaml.Node) string {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(update.Content); i += 2 {
		key, value := update.Content[i].Value, update.Content[i+1]
		is := member(node, key)
		switch {
		case is == nil && key == "$ref":
			for _, beside := range []string{"properties", "additionalProperties", "items", "enum", "format", "type"} { // which a reference hides
				if is := member(node, beside); is != nil {
					return beside + " (" + is.Value + ")"
				}
			}
		case is == nil || equal(is, value) || key == "operationId" || key == "description" || key == "summary": // no facts
		case is.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			if below := overwritten(is, value); below != "" {
				return key + "." + below
			}
		case key == "security" || is.Kind != yaml.SequenceNode || value.Kind != yaml.SequenceNode:
			return key + " (" + is.Value + ")"
		}
	}
	return ""
}

func sameParameter(a, b *yaml.Node) bool {
	for _, key := range []string{"name", "in"} {
		x, y := member(a, key), member(b, key)
		if x == nil || y == nil || x.Value != y.Value {
			return false
		}
	}
	return true
}

func findParents(node *yaml.Node, parents map[*yaml.Node]*yaml.Node) {
	for _, child := range node.Content {
		parents[child] = node
		findParents(child, parents)
	}
}

// remove takes a value out of its object, with its key, or out of its list.
func remove(parent, node *yaml.Node) {
	i := slices.Index(parent.Content, node)
	switch {
	case i < 0:
	case parent.Kind == yaml.MappingNode:
		parent.Content = slices.Delete(parent.Content, i-1, i+1)
	default:
		parent.Content = slices.Delete(parent.Content, i, i+1)
	}
}

// addMissing gives schemas that are referred to, and that the document has not, the content "anything".
// A correction that is written for newer documents may refer to one. It returns their names.
func addMissing(root *yaml.Node) []string {
	schemas := lookup(root, "components", "schemas")
	var missing []string
	eachRef(root, func(ref *yaml.Node) {
		name, ok := strings.CutPrefix(ref.Value, schemaPrefix)
		if ok && schemas != nil && member(schemas, name) == nil {
			put(schemas, name, &yaml.Node{Kind: yaml.MappingNode})
			missing = append(missing, name)
		}
	})
	return missing
}

// lookup follows keys from the top of a document, nil where there is nothing.
func lookup(root *yaml.Node, keys ...string) *yaml.Node {
	node := root
	if node.Kind == yaml.DocumentNode {
		node = node.Content[0]
	}
	for _, key := range keys {
		if node = member(node, key); node == nil {
			return nil
		}
	}
	return node
}
