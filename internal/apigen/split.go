package main

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// splitShared gives requests schemas of their own where they use objects that answers hold, too. What can
// be left out or is null is written in another way in a request, and an answer must not change its type
// because a request comes to use it. Types that are written by hand suit both.
func splitShared(root *yaml.Node, byHand []string) {
	schemas := lookup(root, "components", "schemas")
	whole := func(name string) bool { // not looked into
		node := member(schemas, name)
		return node == nil || slices.Contains(byHand, name) || member(node, extGoType) != nil
	}
	answers, requests := map[string]bool{}, map[string]bool{}
	var sending []*yaml.Node // what operations say of their requests
	paths := lookup(root, "paths")
	for i := 1; paths != nil && i < len(paths.Content); i += 2 {
		for j := 1; j < len(paths.Content[i].Content); j += 2 {
			operation := paths.Content[i].Content[j]
			if responses := member(operation, "responses"); responses != nil {
				reachSchemas(schemas, responses, answers, whole)
			}
			for _, key := range []string{"requestBody", "parameters"} {
				if node := member(operation, key); node != nil {
					reachSchemas(schemas, node, requests, whole)
					sending = append(sending, node)
				}
			}
		}
	}
	own := map[string]string{}
	for more := true; more; {
		more = false
		for _, name := range slices.Sorted(maps.Keys(requests)) {
			if !answers[name] || own[name] != "" || whole(name) {
				continue
			}
			node := member(schemas, name)
			if member(node, "properties") == nil && member(node, "allOf") == nil && !refersTo(node, own) {
				continue
			}
			own[name] = name + "Body"
			for member(schemas, own[name]) != nil {
				own[name] += "Body"
			}
			more = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		node := clone(member(schemas, name))
		take(node, extRelations)
		if goName := take(node, extGoName); goName != nil {
			goName.Value += "Body"
			put(node, extGoName, goName)
		}
		put(schemas, own[name], node)
		sending = append(sending, node)
	}
	for name := range requests {
		if !answers[name] {
			sending = append(sending, member(schemas, name))
		}
	}
	for _, node := range sending {
		eachRef(node, func(ref *yaml.Node) {
			if other := own[strings.TrimPrefix(ref.Value, schemaPrefix)]; other != "" {
				ref.Value = schemaPrefix + other
			}
		})
	}
}

// eachRef visits the references in a node.
func eachRef(node *yaml.Node, visit func(ref *yaml.Node)) {
	if node == nil {
		return
	}
	if ref := member(node, "$ref"); ref != nil && ref.Kind == yaml.ScalarNode {
		visit(ref)
	}
	for _, child := range node.Content {
		eachRef(child, visit)
	}
}

func refersTo(node *yaml.Node, names map[string]string) (found bool) {
	eachRef(node, func(ref *yaml.Node) { found = found || names[strings.TrimPrefix(ref.Value, schemaPrefix)] != "" })
	return found
}

// reachSchemas collects the schemas that a node refers to, and what these refer to.
func reachSchemas(schemas, node *yaml.Node, seen map[string]bool, whole func(string) bool) {
	eachRef(node, func(ref *yaml.Node) {
		name, ok := strings.CutPrefix(ref.Value, schemaPrefix)
		if !ok || seen[name] || member(schemas, name) == nil {
			return
		}
		seen[name] = true
		if !whole(name) {
			reachSchemas(schemas, member(schemas, name), seen, whole)
		}
	})
}
