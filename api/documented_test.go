package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// What the document says decides what is a fault: what it has must be there and be as the test data say,
// whatever its version is. What it no longer has is left out by name, and what is new in it is told as
// work to do.

// A documented is what the document says of an operation.
type documented struct {
	deprecated bool
	names      map[string]bool // of its parameters and their keys, and of members of its bodies at any depth
	values     map[string]bool // of all its enums
}

var places = regexp.MustCompile(`\{[^}]*\}`)

// shape is the key of an operation: names of path parameters change.
func shape(method, path string) string {
	return strings.ToUpper(method) + " " + places.ReplaceAllString(path, "{}")
}

// document reads the document that the code is generated from, with its corrections.
var document = sync.OnceValues(func() (map[string]documented, error) {
	data, err := os.ReadFile("apitest/openapi.gen.json")
	if err != nil {
		return nil, err
	}
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	found := map[string]documented{}
	for path, item := range doc.Paths {
		for method, raw := range item {
			var op map[string]any
			if err := json.Unmarshal(raw, &op); err != nil || op["responses"] == nil {
				continue // not an operation
			}
			d := documented{deprecated: op["deprecated"] == true, names: map[string]bool{}, values: map[string]bool{}}
			seen := map[string]bool{}
			var visit func(value any)
			visit = func(value any) {
				switch value := value.(type) {
				case []any:
					for _, v := range value {
						visit(v)
					}
				case map[string]any:
					if ref, _ := value["$ref"].(string); ref != "" && !seen[ref] {
						seen[ref] = true
						visit(doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")])
					}
					if name, _ := value["name"].(string); value["in"] != nil {
						d.names[name] = true
					}
					properties, _ := value["properties"].(map[string]any)
					for name := range properties {
						d.names[name] = true
					}
					values, _ := value["enum"].([]any)
					for _, v := range values {
						d.values[fmt.Sprint(v)] = true
					}
					for _, v := range value {
						visit(v)
					}
				}
			}
			visit([]any{op["parameters"], op["requestBody"]})
			found[shape(method, path)] = d
		}
	}
	return found, nil
})

func documentedOperations(t testing.TB) map[string]documented {
	t.Helper()
	found, err := document()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// operation returns the operation of a name in testdata/operations.tsv. It skips the test if the document
// has no such operation, and only then.
func operation(t testing.TB, name string) api.Operation {
	t.Helper()
	for _, op := range api.Operations() {
		if op.ID == name {
			return op
		}
	}
	for _, row := range table(t) {
		if row.name != name {
			continue
		}
		if _, has := documentedOperations(t)[shape(row.method, row.path)]; has {
			t.Fatalf("there is no operation %s", name)
		}
		t.Skipf("the document has no %s %s (%s)", row.method, row.path, name)
	}
	t.Fatalf("testdata/operations.tsv has no operation %s", name)
	return api.Operation{}
}

// changedWith reports how a request differs from the one that is written down because the document has
// changed, and fails for every other difference.
func (d documented) changedWith(want, got string) (changes []string, err error) {
	before, after := said(want), said(got)
	for name := range after {
		if before[name] == nil {
			if !d.has(name) {
				return nil, fmt.Errorf("%s is sent, and not in the document", name)
			}
			changes = append(changes, name+" is new")
		}
	}
	for name, values := range before {
		switch {
		case after[name] == nil && d.has(name):
			return nil, fmt.Errorf("%s is in the document, and not sent", name)
		case after[name] == nil:
			changes = append(changes, name+" is gone")
		case slices.Equal(values, after[name]):
		case slices.Equal(d.masked(values), d.masked(after[name])):
			changes = append(changes, name+" has other values")
		default:
			return nil, fmt.Errorf("%s is %q, want %q", name, after[name], values)
		}
	}
	if !slices.ContainsFunc(changes, func(c string) bool { return strings.HasSuffix(c, "new") || strings.HasSuffix(c, "gone") }) {
		for name, values := range before {
			for i, value := range values {
				if value != after[name][i] && !(d.values[value] || d.values[after[name][i]]) {
					return nil, fmt.Errorf("%s is %q, want %q", name, after[name][i], value)
				}
			}
		}
	}
	slices.Sort(changes)
	return changes, nil
}

// has reports whether the document has every step of the name of a part.
func (d documented) has(name string) bool {
	if d.names[name] {
		return true
	}
	steps := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	return len(steps) > 0 && !slices.ContainsFunc(steps, func(step string) bool { return !d.names[step] })
}

// masked are values without the numbers that tell them apart, and without values of enums, because a new
// parameter moves the numbers, and a new value the choice.
func (d documented) masked(values []string) []string {
	masked := make([]string, len(values))
	for i, value := range values {
		if masked[i] = digits.ReplaceAllString(value, "#"); d.values[value] {
			masked[i] = "?"
		}
	}
	return masked
}

var digits = regexp.MustCompile(`\d+`)

// said takes a request that is written down apart: the query, and the members of a JSON body. What else
// there is has the names that no document has.
func said(request string) map[string][]string {
	found := map[string][]string{}
	head, body, _ := strings.Cut(strings.TrimSuffix(request, "\n"), "\n\n")
	target, headers, _ := strings.Cut(head, "\n")
	path, query, _ := strings.Cut(target, "?")
	found["(path)"] = []string{path}
	found["(headers)"] = []string{headers}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && ok {
			value, _ = url.QueryUnescape(value)
			found[name] = append(found[name], value)
		}
	}
	var members any
	if json.Unmarshal([]byte(body), &members) != nil {
		found["(body)"] = []string{body}
		return found
	}
	var visit func(name string, value any)
	visit = func(name string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for key, v := range value {
				visit(strings.TrimPrefix(name+"."+key, "."), v)
			}
		case []any:
			for _, v := range value {
				visit(name, v)
			}
		default:
			found[name] = append(found[name], fmt.Sprint(value))
		}
	}
	visit("", members)
	return found
}

// TestChangedWith tells a changed document from a fault.
func TestChangedWith(t *testing.T) {
	t.Parallel()
	d := documented{
		names:  map[string]bool{"limit": true, "mood": true, "status[]": true, "order": true, "title": true, "a": true, "b": true},
		values: map[string]bool{"open": true, "closed": true},
	}
	for _, test := range []struct{ name, want, got, changes, err string }{
		{"a new parameter", "GET /x?limit=3\nAccept: a\n", "GET /x?limit=3&mood=t4\nAccept: a\n", "mood is new", ""},
		{"a new one before another", "GET /x?limit=3\nAccept: a\n", "GET /x?mood=t3&limit=4\nAccept: a\n", "limit has other values, mood is new", ""},
		{"one that no document has", "GET /x?limit=3\nAccept: a\n", "GET /x?limit=3&nonsense=4\nAccept: a\n", "", "nonsense is sent, and not in the document"},
		{"one that is gone", "GET /x?limit=3&gone=1\nAccept: a\n", "GET /x?limit=3\nAccept: a\n", "gone is gone", ""},
		{"one that is lost", "GET /x?limit=3&mood=1\nAccept: a\n", "GET /x?limit=3\nAccept: a\n", "", "mood is in the document, and not sent"},
		{"another number", "GET /x?limit=3\nAccept: a\n", "GET /x?limit=4\nAccept: a\n", "", `limit is "4", want "3"`},
		{"another value", "GET /x?status%5B%5D=open\nAccept: a\n", "GET /x?status%5B%5D=closed\nAccept: a\n", "status[] has other values", ""},
		{"another form of a value", "GET /x?limit=3\nAccept: a\n", "GET /x?limit=3.0&mood=1\nAccept: a\n", "", `limit is ["3.0"], want ["3"]`},
		{"a new key of an order", "GET /x?limit=3\nAccept: a\n", "GET /x?limit=3&order[title]=asc\nAccept: a\n", "order[title] is new", ""},
		{"a new member", "PUT /x\nAccept: a\n\n{\"a\":{\"b\":1}}\n", "PUT /x\nAccept: a\n\n{\"a\":{\"b\":1,\"title\":2}}\n", "a.title is new", ""},
		{"another header", "GET /x?limit=3\nAccept: a\n", "GET /x?limit=3&mood=1\nAccept: b\n", "", `(headers) is ["Accept: b"], want ["Accept: a"]`},
		{"another path", "GET /x/3\nAccept: a\n", "GET /y/3\nAccept: a\n", "", `(path) is ["GET /y/3"], want ["GET /x/3"]`},
	} {
		changes, err := d.changedWith(test.want, test.got)
		if got := strings.Join(changes, ", "); got != test.changes || test.err == "" && err != nil || test.err != "" && (err == nil || err.Error() != test.err) {
			t.Errorf("%s: %q, %v; want %q, %s", test.name, got, err, test.changes, test.err)
		}
	}
}
