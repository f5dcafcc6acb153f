package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// alternatives compares the schemas of allOf, oneOf, anyOf and prefixItems.
// Those of the same description belong together, then components of other names
// in the same place.
func (c *Changes) alternatives(at place, key string, o, n any) {
	before, _ := o.([]any)
	after, _ := n.([]any)
	used := make([]bool, len(before))
	last, reordered := -1, false
	for i, schema := range after {
		j := -1
		for k, candidate := range before {
			if !used[k] && describe(followed(c.old, candidate)) == describe(followed(c.new, schema)) {
				j = k
				break
			}
		}
		if j < 0 && i < len(before) && !used[i] && members(before[i])["$ref"] != nil && members(schema)["$ref"] != nil {
			j = i // another name
		}
		if j < 0 {
			c.adds("+ added to %s of %s: %s", key, at, describe(schema))
			continue
		}
		used[j] = true
		reordered = reordered || j < last
		last = j
		c.schema(at.at(fmt.Sprintf(".%s[%d]", key, i)), before[j], schema)
	}
	for j, schema := range before {
		if !used[j] {
			c.breaks("- removed from %s of %s: %s", key, at, describe(schema))
		}
	}
	if reordered {
		c.notes("~ reordered %s of %s", key, at)
	}
}

// followed is a schema with what is no object in the place of a reference to it, and numbers without their
// sizes: neither is on the wire.
func followed(doc Document, v any) any {
	schema := members(v)
	if schema == nil {
		return v
	}
	if is := resolved(doc, schema); isPlain(is) {
		schema = is
	}
	if schema["type"] == "integer" || schema["type"] == "number" {
		schema = without(schema, "format")
	}
	if schema["items"] == nil {
		return schema
	}
	schema = maps.Clone(schema)
	schema["items"] = followed(doc, schema["items"])
	return schema
}

// values compares anything else, down to the values that differ.
func (c *Changes) values(what, at string, o, n any) {
	if equal(o, n) {
		return
	}
	before, ok1 := o.(map[string]any)
	after, ok2 := n.(map[string]any)
	if ok1 && ok2 {
		for _, key := range union(before, after) {
			c.values(what+"."+key, at, before[key], after[key])
		}
		return
	}
	if at != "" {
		what += " of " + at
	}
	c.notes("~ changed %s: %s → %s", what, show(o), show(n))
}

// head is what makes the type of a schema, without what it consists of.
func head(schema map[string]any) string {
	kind := schema["type"]
	if kind == nil && schema["properties"] != nil {
		kind = "object"
	}
	return show([]any{schema["$ref"], kind, schema["format"]})
}

// describe returns the type of a schema in words.
func describe(v any) string {
	schema, ok := v.(map[string]any)
	switch {
	case v == nil:
		return "none"
	case v == true:
		return "any"
	case v == false:
		return "never"
	case !ok:
		return show(v)
	}
	if ref, ok := schema["$ref"].(string); ok {
		return strings.TrimPrefix(ref, schemaPrefix)
	}
	var words string
	switch t := schema["type"].(type) {
	case string:
		words = t
		if t == "array" {
			words = "array"
			if items, ok := schema["items"]; ok {
				words += " of " + describe(items)
			}
		}
	case []any:
		words = strings.Join(texts(t), " or ")
	}
	if format, ok := schema["format"].(string); ok {
		words = strings.TrimSpace(words + " (" + format + ")")
	}
	if words != "" {
		return words
	}
	for _, key := range []string{"oneOf", "anyOf", "allOf"} {
		if items, ok := schema[key].([]any); ok {
			parts := make([]string, len(items))
			for i, item := range items {
				parts[i] = describe(item)
			}
			return strings.TrimSuffix(key, "Of") + " of " + strings.Join(parts, ", ")
		}
	}
	switch {
	case schema["properties"] != nil:
		return "object"
	case schema["enum"] != nil:
		return show(schema["enum"])
	}
	return "any"
}

// show returns a value as a line has room for it: as JSON, plain words without
// quotes, nothing as none.
func show(v any) string {
	switch s, ok := v.(string); {
	case v == nil:
		return "none"
	case ok && isWord(s):
		return s
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(encodable(v)); err != nil {
		return fmt.Sprint(v)
	}
	const room = 200
	if runes := []rune(strings.TrimSpace(text.String())); len(runes) > room {
		return string(runes[:room]) + "…"
	}
	return strings.TrimSpace(text.String())
}

// encodable returns a value for the JSON encoder, which knows numbers by its
// own type.
func encodable(v any) any {
	switch v := v.(type) {
	case number:
		return json.Number(v)
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = encodable(item)
		}
		return items
	case map[string]any:
		values := make(map[string]any, len(v))
		for key, value := range v {
			values[key] = encodable(value)
		}
		return values
	}
	return v
}

// bare returns a name: a string as it is.
func bare(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return show(v)
}

// texts returns the strings of a list.
func texts(v any) []string {
	items, _ := v.([]any)
	var found []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			found = append(found, s)
		}
	}
	return found
}

// union returns the keys of both objects, sorted.
func union[M ~map[string]V, V any](a, b M) []string {
	all := maps.Clone(a)
	if all == nil {
		all = M{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

func contains(items []any, v any) bool {
	return slices.ContainsFunc(items, func(item any) bool { return equal(item, v) })
}
