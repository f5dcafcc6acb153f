package document

import (
	"slices"
	"strings"
)

// AsVersion30 makes a document of OpenAPI 3.1 say the same in 3.0, and one of either version say in one way
// what may be null and which limits are excluded.
func AsVersion30(doc map[string]any) {
	newer := strings.HasPrefix(bare(doc["openapi"]), "3.1")
	if newer {
		doc["openapi"] = "3.0.3"
	}
	eachSchema(doc, func(_ string, schema map[string]any) {
		if newer {
			lowerVersion(schema)
		}
		sayExcluded(schema)
		sayNull(schema)
	})
}

// eachSchema calls f for every schema of a document, before those within it.
func eachSchema(doc map[string]any, f func(at string, schema map[string]any)) {
	_ = visit(doc, one, documentKind, "", func(at string, k kind, values map[string]any) error {
		if k == schemaKind {
			f(at, values)
		}
		return nil
	})
}

// lowerVersion changes what a schema of 3.1 writes in another way than one of 3.0: several types, constants,
// and what stands beside a reference.
func lowerVersion(schema map[string]any) {
	if types, ok := schema["type"].([]any); ok {
		types, null := withoutNull(types, func(v any) bool { return v == "null" || v == nil })
		if null {
			schema["nullable"] = true
		}
		if delete(schema, "type"); len(types) == 1 {
			schema["type"] = types[0] // else it is either of them
		}
	}
	if constant, ok := schema["const"]; ok && constant != nil {
		delete(schema, "const")
		schema["enum"] = []any{constant}
	}
}

// sayExcluded says that a limit is excluded as OpenAPI 3.0 does. A document of 3.0 may have taken the other
// way from the validators of today.
func sayExcluded(schema map[string]any) {
	for limit, excluded := range map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"} {
		switch n := schema[excluded].(type) {
		case int, float64, number:
			schema[limit], schema[excluded] = n, true
		}
	}
}

// sayNull says of a schema that its value may be null as OpenAPI 3.0 does.
func sayNull(schema map[string]any) {
	for _, of := range []string{"anyOf", "oneOf"} {
		schemas, ok := schema[of].([]any)
		if !ok {
			continue
		}
		schemas, null := withoutNull(schemas, isNull)
		if !null || len(schemas) == 0 {
			continue
		}
		schema["nullable"] = true
		if delete(schema, of); len(schemas) == 1 && schema["allOf"] == nil {
			schema["allOf"] = schemas
		} else {
			schema[of] = schemas
		}
	}
	if schema["$ref"] != nil && schema["nullable"] == true {
		schema["allOf"] = []any{map[string]any{"$ref": schema["$ref"]}}
		delete(schema, "$ref")
	}
	if values, ok := schema["enum"].([]any); ok {
		if values, null := withoutNull(values, func(v any) bool { return v == nil }); null && len(values) > 0 {
			schema["nullable"], schema["enum"] = true, values
		}
	}
}

// isNull reports whether only null is of a schema.
func isNull(v any) bool {
	schema, ok := v.(map[string]any)
	if !ok {
		return false
	}
	constant, isConstant := schema["const"]
	kind, typed := schema["type"]
	values, _ := schema["enum"].([]any)
	return kind == "null" || typed && kind == nil || isConstant && constant == nil ||
		len(values) > 0 && !slices.ContainsFunc(values, func(v any) bool { return v != nil })
}

// withoutNull takes what isNull recognises out of a list.
func withoutNull(list []any, isNull func(any) bool) (rest []any, null bool) {
	for _, v := range list {
		if isNull(v) {
			null = true
		} else {
			rest = append(rest, v)
		}
	}
	return rest, null
}
