package document

import "strings"

// AsVersion30 makes a document of OpenAPI 3.1 say the same in 3.0. One of 3.0 stays as it is.
func AsVersion30(doc map[string]any) {
	if version, _ := doc["openapi"].(string); strings.HasPrefix(version, "3.1") {
		lowerVersion(doc)
		doc["openapi"] = "3.0.3"
	}
}

// lowerVersion changes what a schema of 3.1 writes in another way than one of 3.0: null as a type,
// limits that are excluded, constants.
func lowerVersion(value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			lowerVersion(item)
		}
	case map[string]any:
		for _, item := range value {
			lowerVersion(item)
		}
		if types, ok := value["type"].([]any); ok {
			types, value["nullable"] = withoutNull(types, func(v any) bool { return v == "null" })
			switch len(types) {
			case 0:
				delete(value, "type")
			case 1:
				value["type"] = types[0]
			default: // either of them
				delete(value, "type")
			}
			if value["nullable"] == false {
				delete(value, "nullable")
			}
		}
		for _, of := range []string{"anyOf", "oneOf"} {
			schemas, ok := value[of].([]any)
			if !ok {
				continue
			}
			schemas, null := withoutNull(schemas, func(v any) bool {
				schema, _ := v.(map[string]any)
				return len(schema) == 1 && schema["type"] == "null"
			})
			if !null {
				continue
			}
			delete(value, of)
			value["nullable"] = true
			if len(schemas) == 1 {
				value["allOf"] = schemas
			} else {
				value[of] = schemas
			}
		}
		for limit, excluded := range map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"} {
			switch n := value[excluded].(type) {
			case int, float64, number:
				value[limit], value[excluded] = n, true
			}
		}
		if constant, ok := value["const"].(string); ok {
			delete(value, "const")
			value["enum"] = []any{constant}
		}
	}
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
