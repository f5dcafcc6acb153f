package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/mangadex-go/mangadex/api"
)

// fullAnswer makes an answer of a method with every member set, nil if its answer says nothing.
func fullAnswer(t *testing.T, method reflect.Method) []byte {
	t.Helper()
	if method.Type.NumOut() != 2 || method.Type.Out(0).Kind() != reflect.Pointer {
		return nil
	}
	fill := &filler{t: t}
	data, err := json.Marshal(fill.value(method.Type.Out(0).Elem(), method.Name).Interface())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// variants returns copies of a document, each with one value changed by mutate, by the path of the
// value. mutate reports whether it has a change for a value.
func variants(value any, path string, mutate func(path string, value any) (any, bool)) map[string]any {
	all := map[string]any{}
	if other, ok := mutate(path, value); ok {
		all[path] = other
	}
	switch value := value.(type) {
	case map[string]any:
		for name, item := range value {
			for p, v := range variants(item, path+"."+name, mutate) {
				changed := maps.Clone(value)
				changed[name] = v
				all[p] = changed
			}
		}
	case []any:
		if len(value) > 0 { // the first element stands for all
			for p, v := range variants(value[0], path+"[0]", mutate) {
				changed := slices.Clone(value)
				changed[0] = v
				all[p] = changed
			}
		}
	}
	return all
}

// TestTolerance puts into every place of every answer what the server might send there some day,
// and checks that the answer is decoded and that nothing of it is lost.
func TestTolerance(t *testing.T) {
	t.Parallel()
	for _, m := range []struct {
		name   string
		mutate func(path string, value any) (any, bool)
	}{
		{"nothing", func(path string, v any) (any, bool) { return v, !strings.Contains(path, ".") }},
		{"null", func(path string, v any) (any, bool) {
			// null as an element of a list or a map is the zero value of the elements.
			return nil, strings.Contains(path, ".") && !strings.HasSuffix(path, "]") && !isKey(path[strings.LastIndex(path, ".")+1:]) && !strings.HasPrefix(path, "GetMangaAggregate.volumes.")
		}},
		{"an unknown member", func(path string, v any) (any, bool) {
			object, ok := v.(map[string]any)
			if !ok || isMap(object) {
				return nil, false
			}
			object = maps.Clone(object)
			object["invented"] = []any{1.5, map[string]any{"a": nil}, "x"}
			return object, true
		}},
		{"a list with holes", func(path string, v any) (any, bool) {
			list, ok := v.([]any)
			object := map[string]any{}
			for i, item := range list {
				object[fmt.Sprint(2*i+1)] = item
			}
			return object, ok
		}},
		{"an empty list", func(path string, v any) (any, bool) { _, ok := v.([]any); return []any{}, ok }},
		{"an empty map as a list", func(path string, v any) (any, bool) { return []any{}, isMap(v) }},
		{"an empty map", func(path string, v any) (any, bool) { return map[string]any{}, isMap(v) }},
		{"a missing member", func(path string, v any) (any, bool) {
			object, ok := v.(map[string]any)
			if !ok || len(object) == 0 {
				return nil, false
			}
			names := slices.Sorted(maps.Keys(object))
			object = maps.Clone(object)
			delete(object, names[len(path)%len(names)])
			return object, true
		}},
		{"a text that nobody knows", func(path string, v any) (any, bool) {
			text, ok := v.(string)
			isID, isTime := len(text) == 36, strings.HasPrefix(text, "2021-")
			return "invented", ok && !isID && !isTime && !strings.HasPrefix(path, "GetMangaAggregate.volumes.")
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			seen := map[string]bool{}
			for _, op := range api.Operations() {
				method, ok := reflect.TypeFor[*api.Client]().MethodByName(op.ID)
				if !ok {
					continue // TestMethods tells
				}
				data := fullAnswer(t, method)
				if data == nil || seen[string(data)] {
					continue // it says nothing, or is of the type of another one
				}
				seen[string(data)] = true
				var value any
				if err := json.Unmarshal(data, &value); err != nil {
					t.Fatal(err)
				}
				for path, variant := range variants(value, op.ID, m.mutate) {
					body, err := json.Marshal(variant)
					if err != nil {
						t.Fatal(err)
					}
					result := reflect.New(method.Type.Out(0).Elem()).Interface()
					if err := json.Unmarshal(body, result); err != nil {
						t.Errorf("%s: %v", path, err)
						continue
					}
					again, err := json.Marshal(result)
					if err != nil {
						t.Fatal(err)
					}
					for _, loss := range lost(t, body, again) {
						t.Errorf("%s: %s", path, loss)
					}
				}
			}
		})
	}
}

// isMap reports whether a value is an object whose member names are data: an unknown name there is no unknown
// member.
func isMap(v any) bool {
	object, _ := v.(map[string]any)
	for name := range object {
		return isKey(name)
	}
	return false
}

// isKey reports whether the filler gives a name to members of maps alone: those of structs are identifiers.
func isKey(name string) bool {
	return name == "mu" || name == "raw" || name != "" && unicode.IsDigit(rune(name[0])) || strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	})
}
