package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// parse reads a JSON or YAML document into values.
func parse(data []byte) (Document, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := bytes.TrimSpace(data)
	if len(text) == 0 {
		return nil, errors.New("is empty: fetch it again")
	}
	if text[0] == '<' {
		return nil, errors.New("is a web page, not an OpenAPI document: look for the address of the YAML or JSON file itself")
	}
	var value any
	var err error
	if json.Valid(data) {
		value, err = parseJSON(data)
	} else {
		value, err = parseYAML(data)
		if jsonErr := json.Unmarshal(data, new(any)); err != nil && jsonErr != nil && text[0] == '{' {
			err = jsonErr // it was meant as JSON
		}
	}
	if err != nil {
		return nil, fmt.Errorf("is neither JSON nor YAML, or is cut off (%w): fetch it again", err)
	}
	doc, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("is not an OpenAPI document, as all of it is %s: look whether it is the right one", sortOf(value))
	}
	return doc, nil
}

// parseJSON reads valid JSON. It does not use the YAML parser, which knows
// neither surrogate pairs nor tabs, nor json.Unmarshal, which keeps the last of
// two equal keys and says nothing.
func parseJSON(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value func(depth int) (any, error)
	value = func(depth int) (any, error) {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if depth > maxDepth {
			return nil, errTooDeep
		}
		switch token {
		case json.Delim('['):
			values := []any{}
			for decoder.More() {
				v, err := value(depth + 1)
				if err != nil {
					return nil, err
				}
				values = append(values, v)
			}
			_, err = decoder.Token()
			return values, err
		case json.Delim('{'):
			values := map[string]any{}
			for decoder.More() {
				token, err := decoder.Token()
				if err != nil {
					return nil, err
				}
				key, _ := token.(string) // valid JSON has nothing else here
				if _, twice := values[key]; twice {
					return nil, fmt.Errorf("key %q occurs twice in one object", key)
				}
				if values[key], err = value(depth + 1); err != nil {
					return nil, err
				}
			}
			_, err = decoder.Token()
			return values, err
		}
		if n, ok := token.(json.Number); ok {
			return number(n), nil
		}
		return token, nil
	}
	return value(0)
}

var errTooDeep = fmt.Errorf("values are nested more than %d deep", maxDepth)

// parseYAML reads one YAML document. It goes by nodes because plain decoding
// loses what was written: of a date only the time is left, of 1.0 only 1.
func parseYAML(data []byte) (any, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return nil, nil // comments only
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&more); err == nil {
		return nil, errors.New("the file holds more than one YAML document")
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return new(nodeReader).value(&root, 0)
}

// A nodeReader turns YAML nodes into values and counts them.
type nodeReader struct{ values int }

func (r *nodeReader) value(node *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep // also the end of an alias inside its own anchor
	}
	if r.values++; r.values > maxValues {
		return nil, fmt.Errorf("there are more than %d values", maxValues)
	}
	switch node.Kind {
	case yaml.DocumentNode:
		return r.value(node.Content[0], depth)
	case yaml.AliasNode:
		return r.value(node.Alias, depth+1)
	case yaml.SequenceNode:
		values := make([]any, len(node.Content))
		for i, child := range node.Content {
			var err error
			if values[i], err = r.value(child, depth+1); err != nil {
				return nil, err
			}
		}
		return values, nil
	case yaml.MappingNode:
		return r.mapping(node, depth)
	case yaml.ScalarNode:
		return scalar(node)
	}
	return nil, fmt.Errorf("line %d: there is no value", node.Line)
}

func (r *nodeReader) mapping(node *yaml.Node, depth int) (any, error) {
	values, merged := map[string]any{}, map[string]any{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		value, err := r.value(node.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch _, twice := values[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("line %d: a key is not a word but a value of its own", key.Line)
		case key.ShortTag() == "!!merge":
			if err := merge(merged, value); err != nil {
				return nil, fmt.Errorf("line %d: %w", key.Line, err)
			}
		case twice:
			return nil, fmt.Errorf("line %d: key %q occurs twice in one object", key.Line, key.Value)
		default:
			values[key.Value] = value // as written: the status 200 needs no quotes
		}
	}
	for key, value := range merged {
		if _, own := values[key]; !own {
			values[key] = value
		}
	}
	return values, nil
}

// merge adds what a merge key ("<<") names; what was named first wins.
func merge(into map[string]any, value any) error {
	sources, isList := value.([]any)
	if !isList {
		sources = []any{value}
	}
	for _, source := range sources {
		values, ok := source.(map[string]any)
		if !ok {
			return errors.New("a merge key does not name an object")
		}
		for key, value := range values {
			if _, known := into[key]; !known {
				into[key] = value
			}
		}
	}
	return nil
}

func scalar(node *yaml.Node) (any, error) {
	switch node.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var value bool
		err := node.Decode(&value)
		return value, err
	case "!!int", "!!float":
		return number(node.Value), nil
	}
	return node.Value, nil // dates included: JSON has no type for them
}
