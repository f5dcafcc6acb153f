package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// A tree is a JSON value with the members of its objects in order.
type tree struct {
	kind  byte // '{', '[', '"', '0', 't' or 'n'
	text  string
	names []string // of the members
	items []tree   // members or elements
}

func parseTree(data []byte) (tree, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return nextTree(d)
}

func nextTree(d *json.Decoder) (tree, error) {
	token, err := d.Token()
	if err != nil {
		return tree{}, err
	}
	switch v := token.(type) {
	case json.Delim:
		x := tree{kind: byte(v)}
		for d.More() {
			if v == '{' {
				name, err := d.Token()
				if err != nil {
					return tree{}, err
				}
				x.names = append(x.names, name.(string))
			}
			item, err := nextTree(d)
			if err != nil {
				return tree{}, err
			}
			x.items = append(x.items, item)
		}
		_, err := d.Token()
		return x, err
	case string:
		return tree{kind: '"', text: v}, nil
	case json.Number:
		return tree{kind: '0', text: v.String()}, nil
	case bool:
		return tree{kind: 't', text: fmt.Sprint(v)}, nil
	}
	return tree{kind: 'n', text: "null"}, nil
}

func (x tree) String() string {
	switch x.kind {
	case '{', '[':
		return fmt.Sprintf("%c with %d", x.kind, len(x.items))
	case '"':
		return fmt.Sprintf("%q", x.text)
	}
	return x.text
}

// at returns the value of a member. The last one of a name counts.
func (x tree) at(name string) (tree, bool) {
	for i := len(x.names) - 1; i >= 0; i-- {
		if x.names[i] == name {
			return x.items[i], true
		}
	}
	return tree{}, false
}

// lost lists the leaves of a document that are not in another one: what a client has lost when the
// first is what the server sent and the second what the decoded value becomes again. Numbers are
// compared by value and times as instants. The backend is written in PHP: an empty map and an
// empty list are the same, a list with holes is an object, and so is a map that became a list.
func lost(t testing.TB, in, out []byte) []string {
	t.Helper()
	a, err := parseTree(in)
	if err != nil {
		t.Fatalf("%v: %.200s", err, in)
	}
	b, err := parseTree(out)
	if err != nil {
		t.Fatalf("%v: %.200s", err, out)
	}
	return losses(nil, "", a, b)
}

func losses(found []string, path string, in, out tree) []string {
	differs := func() []string { return append(found, fmt.Sprintf("%s: %v became %v", path, in, out)) }
	container := func(x tree) bool { return x.kind == '{' || x.kind == '[' }
	switch {
	case container(in) != container(out):
		return differs()
	case !container(in):
		if !sameLeaf(in, out) {
			return differs()
		}
		return found
	case in.kind == '{' && out.kind == '{':
		for i, name := range in.names {
			if last, _ := in.at(name); last.kind != in.items[i].kind || last.text != in.items[i].text {
				continue // a name that comes twice
			}
			item, ok := out.at(name)
			if !ok {
				found = append(found, fmt.Sprintf("%s.%s: %v is gone", path, name, in.items[i]))
				continue
			}
			found = losses(found, path+"."+name, in.items[i], item)
		}
		return found
	case len(in.items) != len(out.items):
		return differs()
	}
	for i := range in.items {
		found = losses(found, fmt.Sprintf("%s[%d]", path, i), in.items[i], out.items[i])
	}
	return found
}

func sameLeaf(in, out tree) bool {
	if in.kind == out.kind && in.text == out.text {
		return true
	}
	number := func(x tree) *big.Rat {
		if x.kind != '0' && x.kind != '"' || len(x.text) > 40 {
			return nil
		}
		r, ok := new(big.Rat).SetString(x.text)
		if !ok || strings.ContainsAny(x.text, "/_xXpP") {
			return nil
		}
		return r
	}
	if a, b := number(in), number(out); (in.kind == '0' || out.kind == '0') && a != nil && b != nil {
		return a.Cmp(b) == 0
	}
	if in.kind == '"' && out.kind == '"' {
		a, errA := time.Parse(time.RFC3339Nano, in.text)
		b, errB := time.Parse(time.RFC3339Nano, out.text)
		return errA == nil && errB == nil && a.Equal(b)
	}
	if out.kind == 't' { // yes and no as numbers and texts
		yes, no := in.text == "1" || in.text == "true", in.text == "0" || in.text == "false"
		return yes && out.text == "true" || no && out.text == "false"
	}
	return false
}

// TestLost checks that the comparison finds what is lost, and nothing else.
func TestLost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in, out string
		lost    int
	}{
		{`{"a":1,"b":[true,null,"x"]}`, `{"b":[true,null,"x"],"c":0,"a":1.0}`, 0},
		{`{"a":1e2,"b":9007199254740993}`, `{"a":100,"b":9007199254740993}`, 0},
		{`"2021-02-03T04:05:06+00:00"`, `"2021-02-03T06:05:06+02:00"`, 0},
		{`{"a":[],"b":{}}`, `{"a":{},"b":[]}`, 0},
		{`{"1":"a","3":"b"}`, `["a","b"]`, 0},
		{`[{"n":"a"},{"n":"b"}]`, `{"x":{"n":"a"},"y":{"n":"b"}}`, 0},
		{`{"a":"12","b":3,"c":"1","d":0,"e":"false"}`, `{"a":12,"b":"3","c":true,"d":false,"e":false}`, 0},
		{`{"a":1,"a":2}`, `{"a":2}`, 0},

		{`{"a":1}`, `{}`, 1},
		{`{"a":null}`, `{}`, 1},
		{`{"a":null,"b":null,"c":null}`, `{"a":"","b":0,"c":false}`, 3},
		{`{"a":""}`, `{"a":null}`, 1},
		{`{"a":false,"b":0}`, `{"a":true,"b":1}`, 2},
		{`{"a":"x"}`, `{"a":"X"}`, 1},
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`, 1},
		{`{"a":[1,2]}`, `{"a":[1]}`, 1},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, 2},
		{`{"a":[]}`, `{"a":null}`, 1},
		{`{"a":{"b":{"c":1,"d":2}}}`, `{"a":{"b":{"d":2}}}`, 1},
		{`{"a":{"b":1}}`, `{"a":[]}`, 1},
		{`"2021-02-03T04:05:06+00:00"`, `"2021-02-03T04:05:06+02:00"`, 1},
		{`{"a":1,"a":2}`, `{"a":1}`, 1},
	} {
		if got := lost(t, []byte(test.in), []byte(test.out)); len(got) != test.lost {
			t.Errorf("%s as %s: %q, want %d", test.in, test.out, got, test.lost)
		}
	}
}
