package document

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const schemaPrefix = "#/components/schemas/"

// schemas gives schemas one form where OpenAPI allows several: a reference is to a component and to the last
// one of a chain, and what is composed of one schema is that schema.
func (n *normaliser) schemas() {
	n.references()
	schemas := members(members(n.doc["components"])["schemas"])
	eachSchema(n.doc, func(_ string, schema map[string]any) {
		unwrap(schema)
		openEnum(schemas, schema)
		if len(members(schema["properties"])) > 0 && !typedBeside(schema, "properties", "required", "additionalProperties") {
			schema["type"] = "object"
		}
	})
	n.loops(schemas)
	if len(n.errs) == 0 {
		n.aliases(schemas)
	}
}

var (
	componentName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)
	notInName     = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)
	unescape      = strings.NewReplacer("~1", "/", "~0", "~") // of a JSON pointer
)

// references makes components of what references within schemas lead to elsewhere, and gives components
// names that need no escapes in a reference.
func (n *normaliser) references() {
	schemas := members(members(n.doc["components"])["schemas"])
	free := func(name string) string {
		name = strings.Trim(notInName.ReplaceAllString(name, "_"), "_")
		for schemas[name] != nil || name == "" {
			name += "Schema"
		}
		return name
	}
	found := map[string]map[string]any{} // reference → what it leads to
	eachSchema(n.doc, func(at string, schema map[string]any) {
		ref, ok := schema["$ref"].(string)
		name := strings.TrimPrefix(ref, schemaPrefix)
		if !ok || name != ref && componentName.MatchString(name) && schemas[name] != nil {
			return
		}
		if found[ref] = members(lookup(n.doc, ref)); found[ref] == nil || !strings.HasPrefix(ref, "#/") {
			n.refuse(at, "refers to %s, which is not there: look whether the document is whole", ref)
			delete(schema, "$ref")
			delete(found, ref)
		}
	})
	named := map[string]string{}
	for _, ref := range slices.Sorted(maps.Keys(found)) {
		steps, escaped := strings.TrimPrefix(ref, "#/"), false
		if name, ok := strings.CutPrefix(ref, schemaPrefix); ok && !strings.Contains(name, "/") { // its name has escapes
			plain, _ := url.PathUnescape(name)
			plain = unescape.Replace(plain)
			delete(schemas, plain)
			steps, escaped = plain, true
		}
		var words []string
		for _, step := range strings.Split(steps, "/") {
			if !slices.Contains([]string{"components", "schemas", "properties", "$defs", "definitions", "paths", "schema"}, step) {
				words = append(words, unescape.Replace(step)) // free makes a name of it
			}
		}
		name := free(strings.Join(words, "_"))
		named[ref] = schemaPrefix + name
		schemas[name] = found[ref]
		if !escaped { // it stays where it is, as a reference
			schemas[name] = maps.Clone(found[ref])
			clear(found[ref])
			found[ref]["$ref"] = named[ref]
		}
	}
	if len(named) == 0 {
		return
	}
	eachSchema(n.doc, func(_ string, schema map[string]any) {
		if ref, ok := schema["$ref"].(string); ok && named[ref] != "" {
			schema["$ref"] = named[ref]
		}
	})
}

// unwrap makes a schema that is composed of one other that schema. A reference that may be null, or has
// something beside it, stays as it is, because 3.0 has no other way to say so.
func unwrap(schema map[string]any) {
	for again := true; again; {
		again = false
		for _, of := range []string{"allOf", "oneOf", "anyOf"} {
			parts := slices.DeleteFunc(slices.Clone(elements(schema[of])), func(part any) bool {
				return of == "allOf" && part != nil && len(members(part)) == 0 // it says nothing
			})
			if len(parts) > 1 {
				schema[of] = parts
			}
			if len(parts) != 1 || members(parts[0]) == nil {
				continue
			}
			part := members(parts[0])
			if part["$ref"] != nil && (schema["nullable"] == true || typedBeside(schema, "type", of)) {
				if of != "allOf" && schema["allOf"] == nil {
					delete(schema, of)
					schema["allOf"] = parts
				}
				continue
			}
			again = true
			delete(schema, of)
			delete(schema, "discriminator")
			if part["$ref"] != nil {
				delete(schema, "type")
			}
			absorb(schema, part)
		}
	}
}

// ExtOpen is how a document in one form says that a text may be another one than those of its enum.
const ExtOpen = "x-open-enum"

// openEnum makes a text of one that is either any text or one of an enum: the values of the enum are known, and
// others are allowed.
func openEnum(schemas, schema map[string]any) {
	for _, of := range []string{"anyOf", "oneOf"} {
		if schema[of] == nil || !isText(schema, "type", of) {
			continue
		}
		var values []any
		var enums []map[string]any
		free, null := false, schema["nullable"] == true
		for _, v := range elements(schema[of]) {
			part := members(v)
			if ref, ok := part["$ref"].(string); ok {
				part = members(schemas[strings.TrimPrefix(ref, schemaPrefix)])
			} else {
				openEnum(schemas, part)
			}
			free, null = free || part[ExtOpen] == true, null || part["nullable"] == true
			switch enum := elements(part["enum"]); {
			case !isText(part, "type", "enum"):
				return
			case len(enum) > 0:
				enums = append(enums, members(v))
				values = append(values, slices.DeleteFunc(slices.Clone(enum), func(v any) bool { return contains(values, v) })...)
			case part["type"] == nil:
				return
			default:
				free = true
			}
		}
		if !free || len(enums) == 0 {
			continue
		}
		delete(schema, of)
		if null {
			schema["nullable"] = true
		}
		ref, named := enums[0]["$ref"].(string)
		switch {
		case !named || len(enums) > 1:
			schema["type"], schema["enum"], schema[ExtOpen] = "string", values, true
			continue
		case null:
			schema["allOf"] = []any{enums[0]}
		default:
			delete(schema, "type")
			schema["$ref"] = ref
		}
		members(schemas[strings.TrimPrefix(ref, schemaPrefix)])[ExtOpen] = true
	}
}

// isText reports whether a schema is that of texts, or can be, and says nothing of its kind but in these
// keywords.
func isText(schema map[string]any, keywords ...string) bool {
	return schema != nil && !typedBeside(schema, keywords...) && (schema["type"] == nil || schema["type"] == "string") &&
		!slices.ContainsFunc(elements(schema["enum"]), func(v any) bool { _, text := v.(string); return !text })
}

// absorb adds to a schema what another one has beside it. What both say stays as it is.
func absorb(schema, other map[string]any) {
	for key, value := range other {
		mine, both := schema[key]
		switch {
		case !both:
			schema[key] = copied(value)
		case key == "properties":
			for name, property := range members(value) {
				if members(mine)[name] == nil {
					members(mine)[name] = copied(property)
				}
			}
		case key == "required":
			for _, name := range elements(value) {
				if !contains(elements(schema[key]), name) {
					schema[key] = append(elements(schema[key]), name)
				}
			}
		}
	}
}

// typedBeside reports whether a schema says of what type it is by other keywords than these.
func typedBeside(schema map[string]any, but ...string) bool {
	return slices.ContainsFunc([]string{"type", "format", "enum", "properties", "required", "items", "additionalProperties", "allOf", "oneOf", "anyOf", "not"}, func(key string) bool {
		return schema[key] != nil && !slices.Contains(but, key)
	})
}

// aliases leads references to a component that is nothing but a reference on to what that stands for.
func (n *normaliser) aliases(schemas map[string]any) {
	target := func(ref string) string {
		for range len(schemas) {
			next, ok := members(schemas[strings.TrimPrefix(ref, schemaPrefix)])["$ref"].(string)
			if !ok {
				break
			}
			ref = next
		}
		return ref
	}
	used := false
	eachSchema(n.doc, func(_ string, schema map[string]any) {
		if ref, ok := schema["$ref"].(string); ok {
			if to := target(ref); to != ref {
				schema["$ref"], used = to, true
			}
		}
	})
	if used {
		maps.DeleteFunc(schemas, func(_ string, schema any) bool { return members(schema)["$ref"] != nil })
	}
}

// Inline puts components that are no objects where they are used, if nothing needs their names: texts and
// numbers, lists, and what is used once. The document is in the one form of [Normalise].
func Inline(doc map[string]any) {
	schemas := members(members(doc["components"])["schemas"])
	uses := map[string]int{}
	eachSchema(doc, func(_ string, schema map[string]any) {
		if ref, ok := schema["$ref"].(string); ok {
			uses[strings.TrimPrefix(ref, schemaPrefix)]++
		}
	})
	put := map[string]map[string]any{}
	for name, n := range uses {
		schema := members(schemas[name])
		named := n > 1 && (schema["enum"] != nil || members(schema["items"])["enum"] != nil || typedBeside(schema, "type", "items", "format"))
		if isPlain(schema) && !named {
			put[name] = schema
		}
	}
	for _, name := range slices.Sorted(maps.Keys(put)) {
		if holdsItself(put, name, put[name], map[string]bool{}) {
			delete(put, name)
		}
	}
	for name := range put {
		delete(schemas, name)
	}
	eachSchema(doc, func(_ string, schema map[string]any) {
		for {
			ref, _ := schema["$ref"].(string)
			component := put[strings.TrimPrefix(ref, schemaPrefix)]
			if component == nil {
				return
			}
			delete(schema, "$ref")
			for key, value := range component {
				if schema[key] == nil {
					schema[key] = copied(value)
				}
			}
		}
	})
	eachSchema(doc, func(_ string, schema map[string]any) { unwrap(schema) })
}

// isPlain reports whether a schema is a text, a number, a list, a map or one of several.
func isPlain(schema map[string]any) bool {
	switch schema["type"] {
	case "string", "integer", "number", "boolean":
	case "array":
		if schema["items"] == nil {
			return false
		}
	default:
		if schema["additionalProperties"] == nil && schema["oneOf"] == nil && schema["anyOf"] == nil {
			return false
		}
	}
	return !typedBeside(schema, "type", "items", "enum", "format", "additionalProperties", "oneOf", "anyOf")
}

// holdsItself reports whether a component leads to itself through others of a set.
func holdsItself(set map[string]map[string]any, name string, value any, seen map[string]bool) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(v any) bool { return holdsItself(set, name, v, seen) })
	case map[string]any:
		if ref, ok := value["$ref"].(string); ok {
			to := strings.TrimPrefix(ref, schemaPrefix)
			if to == name {
				return true
			}
			if set[to] != nil && !seen[to] {
				seen[to] = true
				return holdsItself(set, name, set[to], seen)
			}
		}
		for _, v := range value {
			if holdsItself(set, name, v, seen) {
				return true
			}
		}
	}
	return false
}
