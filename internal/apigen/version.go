package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// asVersion30 returns the path of a document that says in OpenAPI 3.0 what the one at path says in
// 3.1, which oapi-codegen does not read. For a document of 3.0 it is the same path. The file is made
// in dir.
func asVersion30(path, dir string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(content, &doc); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if version, _ := doc["openapi"].(string); !strings.HasPrefix(version, "3.1") {
		return path, nil
	}
	lowerVersion(doc)
	doc["openapi"] = "3.0.3"
	if content, err = yaml.Marshal(doc); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "openapi-3.0.yaml")
	return path, os.WriteFile(path, content, 0o600)
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
			case int, float64:
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
