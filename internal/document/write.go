package document

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

const header = `# Facts imported from the MangaDex API document, version %s, by
# internal/specimport. Not to be edited: corrections go to api/overlay.

`

// format returns the content of openapi.yaml.
func format(doc Document) ([]byte, error) {
	version := doc.Version()
	if !isPrintable(version) {
		version = strconv.QuoteToASCII(version) // a line break would end the comment
	}
	var content bytes.Buffer
	fmt.Fprintf(&content, header, version)
	encoder := yaml.NewEncoder(&content)
	encoder.SetIndent(2)
	if err := encoder.Encode(node(map[string]any(doc), one, documentKind)); err != nil {
		return nil, fmt.Errorf("cannot be written as YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("cannot be written as YAML: %w", err)
	}
	// Whoever reads the file has to find what was meant.
	back, err := parse(content.Bytes())
	if err != nil {
		return nil, fmt.Errorf("cannot be written as YAML: the result %w", err)
	}
	if !reflect.DeepEqual(back, doc) {
		return nil, errors.New("cannot be written as YAML: it reads back as something else, which is a fault of internal/specimport")
	}
	return content.Bytes(), nil
}

// node returns a value as YAML, the keys of its objects in their fixed order.
func node(v any, s shape, k kind) *yaml.Node {
	switch v := v.(type) {
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(v)}
	case string:
		return stringNode(v)
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range v {
			n.Content = append(n.Content, node(item, one, k))
		}
		return n
	case map[string]any:
		var o object // of a map of names
		if s == one {
			o = grammar[k]
		}
		order := slices.Collect(maps.Keys(v))
		o.order(order)
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range order {
			f := field{kind: k}
			if s == one {
				f = o.field(key)
			}
			n.Content = append(n.Content, stringNode(key), node(v[key], f.shape, f.kind))
		}
		return n
	}
	panic(fmt.Sprintf("a document cannot hold a %T", v))
}

// stringNode quotes whatever some YAML reader might take for something else.
func stringNode(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case isWord(s):
	case isPrintable(s):
		n.Style = yaml.SingleQuotedStyle
	default:
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func isPrintable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// isWord reports whether a string means itself in every version of YAML:
// numbers and dates begin otherwise, and the words of YAML 1.1 are left out.
func isWord(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return word.MatchString(s)
}

var word = regexp.MustCompile(`^[A-Za-z/$_][A-Za-z0-9/$_.+\[\]{}-]*( [A-Za-z0-9/$_.+\[\]{}-]+)*$`)
