package document

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A place is where a schema is: in a component, or in a part of an operation,
// and there at a path.
type place struct {
	root, path string
	component  bool
}

// String is the place as lines show it: MangaAttributes.status, or for schemas
// without a name GET /manga?status[] $[].
func (p place) String() string {
	switch {
	case p.component:
		return p.root + p.path
	case p.path == "":
		return p.root
	}
	return p.root + " $" + p.path
}

func (p place) at(step string) place {
	p.path += step
	return p
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (p place) property(name string) place {
	if plainName.MatchString(name) {
		return p.at("." + name)
	}
	return p.at("[" + show(name) + "]")
}

func (c *Changes) schema(at place, o, n any) {
	before, ok1 := o.(map[string]any)
	after, ok2 := n.(map[string]any)
	if !ok1 || !ok2 {
		if !equal(o, n) {
			c.breaks("~ changed type of %s: %s → %s", at, describe(o), describe(n))
		}
		return
	}
	if !equal(before["$ref"], after["$ref"]) {
		c.reference(at, before, after)
		return
	}
	if isComposed(before) || isComposed(after) {
		pair := fmt.Sprintln(before, after)
		if c.within[pair] { // it is in itself
			return
		}
		c.within[pair] = true
		defer delete(c.within, pair)
		before, after = flat(c.old, before, 0), flat(c.new, after, 0)
	}
	if was, is := head(before), head(after); was != is {
		from, to := describe(before), describe(after)
		switch same := before["type"] == after["type"] && before["$ref"] == after["$ref"]; {
		case same && (before["type"] == "integer" || before["type"] == "number"): // it looks the same on the wire
			c.notes("~ changed type of %s: %s → %s", at, from, to)
		case same && before["format"] == nil: // it says more
			c.narrows(at, "~ changed type of %s: %s → %s", at, from, to)
		default:
			c.breaks("~ changed type of %s: %s → %s", at, from, to)
		}
		if !equal(before["type"], after["type"]) {
			return // nothing below is comparable
		}
	}
	c.deprecation(at.String(), before, after)
	switch was, is := before["nullable"] == true, after["nullable"] == true; {
	case !was && is:
		c.widens(at, "~ now nullable: %s", at)
	case was && !is:
		c.narrows(at, "~ no longer nullable: %s", at)
	}
	c.enum(at, before["enum"], after["enum"])
	c.properties(at, before, after)
	for _, key := range union(before, after) {
		o, n := before[key], after[key]
		switch key {
		case "$ref", "type", "format", "deprecated", "nullable", "enum", "required", "properties": // told above
		case "patternProperties", "dependentSchemas", "$defs", "definitions":
			c.named(key, at.String(), members(o), members(n), func(name string, o, n any) {
				c.schema(at.at("."+key).property(name), o, n)
			})
		case "allOf", "oneOf", "anyOf", "prefixItems":
			c.alternatives(at, key, o, n)
		case "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "uniqueItems":
			c.limit(at, key, o, n)
		case "items":
			c.part(at, key, at.at("[]"), o, n)
		case "additionalProperties":
			if before["properties"] != nil && after["properties"] != nil && members(o)["type"] == nil && members(n)["type"] == nil {
				c.values(key, at.String(), o, n) // of members that nobody knows
				continue
			}
			c.part(at, key, at.at(".*"), o, n)
		case "unevaluatedProperties":
			c.values(key, at.String(), o, n)
		case "propertyNames", "unevaluatedItems", "contains", "contentSchema", "not", "if", "then", "else":
			c.part(at, key, at.at("."+key), o, n)
		default:
			c.values(key, at.String(), o, n)
		}
	}
}

// reference compares what two references stand for, or a reference and what is in its place: a name is
// not on the wire. Two components are compared once, sent and got. Objects that have nothing in common are
// two things.
func (c *Changes) reference(at place, before, after map[string]any) {
	if before["$ref"] != nil && after["$ref"] != nil {
		pair := comparison{before["$ref"], after["$ref"], c.onlyGot(at), c.onlySent(at)}
		if c.compared[pair] {
			return
		}
		c.compared[pair] = true
	}
	was, is := resolved(c.old, before), resolved(c.new, after)
	had, has := members(flat(c.old, was, 0)["properties"]), members(flat(c.new, is, 0)["properties"])
	if len(had)+len(has) > 0 && len(union(had, has)) == len(had)+len(has) {
		c.breaks("~ changed type of %s: %s → %s", at, describe(before), describe(after))
		return
	}
	c.notes("~ renamed type of %s: %s → %s", at, describe(before), describe(after))
	c.schema(at, was, is)
}

// flat is an object that consists of others as one. A schema that is none stays as it is.
func flat(doc Document, schema map[string]any, depth int) map[string]any {
	parts := elements(schema["allOf"])
	if len(parts) == 0 || depth > maxComposed {
		return schema
	}
	whole := map[string]any{}
	for _, part := range append([]any{without(schema, "allOf")}, parts...) {
		one := flat(doc, resolved(doc, members(part)), depth+1)
		if one == nil || one["type"] != nil && one["type"] != "object" && len(parts) > 1 || one["allOf"] != nil || one["oneOf"] != nil || one["anyOf"] != nil {
			return schema
		}
		absorb(whole, one)
	}
	if len(members(whole["properties"])) > 0 {
		whole["type"] = "object"
	}
	return whole
}

const maxComposed = 8 // schemas in each other; more is a circle

// isComposed reports whether a schema consists of others. One that is a reference and may be null does not.
func isComposed(schema map[string]any) bool {
	parts := elements(schema["allOf"])
	return len(parts) > 1 || len(parts) == 1 && (members(parts[0])["$ref"] == nil || typedBeside(schema, "allOf"))
}

// partsOf are the components that are there as parts of others only: what they have is told where these are.
func partsOf(doc Document) map[string]bool {
	parts, others := map[string]bool{}, map[string]int{}
	eachSchema(doc, func(_ string, schema map[string]any) {
		if ref, ok := schema["$ref"].(string); ok {
			others[strings.TrimPrefix(ref, schemaPrefix)]++
		}
		if !isComposed(schema) || flat(doc, schema, 0)["allOf"] != nil {
			return
		}
		for _, part := range elements(schema["allOf"]) {
			if ref, ok := members(part)["$ref"].(string); ok {
				name := strings.TrimPrefix(ref, schemaPrefix)
				parts[name] = true
				others[name]--
			}
		}
	})
	maps.DeleteFunc(parts, func(name string, _ bool) bool { return others[name] > 0 })
	return parts
}

func without(schema map[string]any, key string) map[string]any {
	rest := maps.Clone(schema)
	delete(rest, key)
	return rest
}

// limit compares what limits a value. One that lets less through than before breaks what is sent.
func (c *Changes) limit(at place, key string, o, n any) {
	if equal(o, n) {
		return
	}
	before, ok1 := float(o)
	after, ok2 := float(n)
	tighter := n != nil && n != false && !(n == number("0") && strings.HasPrefix(key, "min") && key != "minimum") // as none
	if ok1 && ok2 {
		tighter = after < before == strings.HasPrefix(key, "max")
	}
	switch {
	case tighter && c.onlyGot(at):
		c.notes("~ tightened %s of %s, which only answers have: %s → %s", key, at, show(o), show(n))
	case tighter:
		c.breaks("~ tightened %s of %s: %s → %s", key, at, show(o), show(n))
	default:
		c.notes("~ loosened %s of %s: %s → %s", key, at, show(o), show(n))
	}
}

func float(v any) (float64, bool) {
	n, ok := v.(number)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(n), 64)
	return f, err == nil
}

// part compares schemas that a keyword holds.
func (c *Changes) part(at place, key string, below place, o, n any) {
	if _, ok := o.(map[string]any); ok {
		if _, ok := n.(map[string]any); ok {
			c.schema(below, o, n)
			return
		}
	}
	if !equal(o, n) {
		c.breaks("~ changed %s of %s: %s → %s", key, at, describe(o), describe(n))
	}
}

func (c *Changes) properties(at place, o, n map[string]any) {
	before, after := members(o["properties"]), members(n["properties"])
	wasRequired, isRequired := texts(o["required"]), texts(n["required"])
	for _, name := range union(before, after) {
		was, inBefore := before[name]
		is, inAfter := after[name]
		switch p := at.property(name); {
		case !inAfter:
			c.breaks("- removed property %s", p)
		case !inBefore && slices.Contains(isRequired, name) && !c.onlyGot(at):
			c.breaks("+ added required property %s: %s", p, describe(is))
		case !inBefore:
			c.adds("+ added property %s: %s", p, describe(is))
		default:
			c.schema(p, was, is)
		}
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(wasRequired, isRequired)))) {
		_, inBefore := before[name]
		_, inAfter := after[name]
		if inBefore != inAfter {
			continue // told with the property
		}
		// No longer required breaks as well: the property can be missing where
		// its value was relied on.
		switch was, is := slices.Contains(wasRequired, name), slices.Contains(isRequired, name); {
		case !was && is:
			c.narrows(at, "~ now required: property %s", at.property(name))
		case was && !is:
			c.widens(at, "~ no longer required: property %s", at.property(name))
		}
	}
}

func (c *Changes) enum(at place, o, n any) {
	before, wasEnum := o.([]any)
	after, isEnum := n.([]any)
	switch {
	case !wasEnum && isEnum:
		c.narrows(at, "~ now limited to %s: %s", show(after), at)
		return
	case wasEnum && !isEnum:
		c.widens(at, "~ no longer limited to %s: %s", show(before), at)
		return
	}
	for _, v := range before {
		if !contains(after, v) {
			c.narrows(at, "- removed enum value %s: %s", at, show(v))
		}
	}
	for _, v := range after {
		if !contains(before, v) {
			c.adds("+ added enum value %s: %s", at, show(v))
		}
	}
}
