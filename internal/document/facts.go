package document

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// facts returns the document without its sentences, and with every number
// written in one way. It fails where a keyword of OpenAPI's does not hold what
// it has to.
func facts(doc Document) (Document, error) {
	value, err := strip(map[string]any(doc), one, documentKind, "")
	if err != nil {
		return nil, err
	}
	return value.(map[string]any), nil
}

func strip(v any, s shape, k kind, at string) (any, error) {
	switch {
	case k == proseKind && s == one:
		return "", nil
	case k == opaqueKind:
		return plain(v)
	case s == list:
		items, ok := v.([]any)
		if !ok {
			return nil, misplaced(at, "a list", v)
		}
		result := make([]any, len(items))
		for i, item := range items {
			var err error
			if result[i], err = strip(item, one, k, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return nil, err
			}
		}
		return result, nil
	}
	if _, ok := v.(bool); ok && k == schemaKind && s == one {
		return v, nil // everything, or nothing
	}
	values, ok := v.(map[string]any)
	if !ok {
		return nil, misplaced(at, "an object", v)
	}
	result := make(map[string]any, len(values))
	for _, key := range keys(values) {
		if key == "$ref" && values[key] == "" && s == one {
			continue // it leads nowhere and says nothing: documents before 5.6 have it
		}
		f := field{kind: k}
		if s == one {
			if k.isProse(key) {
				continue
			}
			f = grammar[k].field(key)
		}
		var err error
		if result[key], err = strip(values[key], f.shape, f.kind, join(at, key)); err != nil {
			return nil, err
		}
	}
	if s == one {
		require(result, values, k)
	}
	return result, nil
}

// require sets the strings that OpenAPI demands where sentences were.
func require(result, values map[string]any, k kind) {
	switch k {
	case documentKind:
		result["openapi"], _ = text(values["openapi"])
	case infoKind:
		result["title"] = "MangaDex API"
		result["version"], _ = text(values["version"])
	case responseKind:
		if _, isRef := result["$ref"]; !isRef {
			result["description"] = ""
		}
	}
}

func misplaced(at, want string, v any) error {
	return fmt.Errorf("is cut off or broken: %s has to be %s and is %s; fetch it again", at, want, sortOf(v))
}

// plain returns a value that is not looked into, its numbers in one form.
func plain(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case number:
		return v.canonical()
	case []any:
		result := make([]any, len(v))
		for i, item := range v {
			if result[i], err = plain(item); err != nil {
				return nil, err
			}
		}
		return result, nil
	case map[string]any:
		result := make(map[string]any, len(v))
		for _, key := range keys(v) {
			if result[key], err = plain(v[key]); err != nil {
				return nil, err
			}
		}
		return result, nil
	}
	return v, nil
}

var errNumber = errors.New("no number of JSON's: fetch it again")

// canonical returns the number as every YAML and JSON reader understands it.
func (n number) canonical() (number, error) {
	node := yaml.Node{Kind: yaml.ScalarNode, Value: string(n)}
	var value any
	if err := node.Decode(&value); err != nil {
		return "", fmt.Errorf("holds the number %q: %w", string(n), err)
	}
	switch v := value.(type) {
	case int, int64, uint64:
		return number(fmt.Sprint(v)), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return number(strconv.FormatInt(int64(v), 10)), nil // 1.0 and 1e0 are 1
		}
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			return number(strconv.FormatFloat(v, 'g', -1, 64)), nil
		}
	}
	return "", fmt.Errorf("holds %q, which is %w", string(n), errNumber)
}

// visit calls f for every object of the document that is not opaque.
func visit(v any, s shape, k kind, at string, f func(at string, k kind, values map[string]any) error) error {
	if k == opaqueKind || k == proseKind {
		return nil
	}
	if items, ok := v.([]any); ok && s == list {
		for i, item := range items {
			if err := visit(item, one, k, fmt.Sprintf("%s[%d]", at, i), f); err != nil {
				return err
			}
		}
		return nil
	}
	values, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	if s == one {
		if err := f(at, k, values); err != nil {
			return err
		}
	}
	for _, key := range keys(values) {
		child := field{kind: k}
		if s == one {
			child = grammar[k].field(key)
		}
		if err := visit(values[key], child.shape, child.kind, join(at, key), f); err != nil {
			return err
		}
	}
	return nil
}

// keys returns the keys of an object, sorted.
func keys(values map[string]any) []string {
	return slices.Sorted(maps.Keys(values))
}

// join extends the place of a value in the document by a key.
func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}
