package document

import (
	"fmt"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// A normaliser gives a document one form where OpenAPI allows several that mean the same.
type normaliser struct {
	doc  map[string]any
	errs []string
}

// Normalise gives a document the one form that the overlay, the generator and the comparison know, so that
// one that says the same in another way is the same. It puts components of parameters, answers and bodies
// where they are used, gives the parameters of a path to its operations, media types and ranges of statuses
// one spelling, and says what OpenAPI 3.1 says as 3.0 does. It refuses references that lead nowhere or to
// themselves, with their place, and does what it can of the rest.
func Normalise(doc map[string]any) error {
	AsVersion30(doc)
	n := &normaliser{doc: doc}
	n.schemas()
	paths := members(doc["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		paths[path] = n.item(path, members(n.resolve(paths[path], "paths."+path)))
	}
	shapes := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if other := shapes[Shape(path)]; other != "" {
			n.refuse(path, "is the same to a server as %s: one of the two has to go", other)
		}
		shapes[Shape(path)] = path
	}
	components := members(doc["components"])
	for _, kind := range []string{"parameters", "responses", "requestBodies", "headers", "pathItems", "callbacks", "links", "examples"} {
		delete(components, kind)
	}
	if components == nil {
		components = map[string]any{}
		doc["components"] = components
	}
	if components["schemas"] == nil {
		components["schemas"] = map[string]any{}
	}
	sortLists(doc)
	if len(n.errs) > 0 {
		return fmt.Errorf("the document cannot be used: %s", strings.Join(n.errs, "; "))
	}
	return nil
}

// sortLists gives lists of which the order says nothing the order of the alphabet. That of an enum says
// how MangaDex names its values in an answer about a wrong one.
func sortLists(value any) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			sortLists(v)
		}
	case map[string]any:
		for key, v := range value {
			list, ok := v.([]any)
			if ok && (key == "required" || key == "parameters") {
				slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(sortKey(a), sortKey(b)) })
			}
			sortLists(v)
		}
	}
}

func sortKey(v any) string {
	if p := members(v); p != nil {
		return fmt.Sprint(p["name"], " ", p["in"])
	}
	return fmt.Sprint(v)
}

func (n *normaliser) refuse(at, format string, args ...any) {
	n.errs = append(n.errs, at+" "+fmt.Sprintf(format, args...))
}

// resolve follows references from a place that is no schema. What it returns is the place's own.
func (n *normaliser) resolve(value any, at string) any {
	for range 32 {
		ref, ok := members(value)["$ref"].(string)
		if !ok {
			return copied(value)
		}
		found := lookup(n.doc, ref)
		if found == nil || !strings.HasPrefix(ref, "#/") {
			n.refuse(at, "refers to %s, which is not there: look whether the document is whole", ref)
			return map[string]any{}
		}
		value = found
	}
	n.refuse(at, "has a reference that leads to itself: put there what it stands for")
	return map[string]any{}
}

func (n *normaliser) item(path string, item map[string]any) map[string]any {
	shared := elements(item["parameters"])
	delete(item, "parameters")
	for _, method := range methods() {
		if operation := members(item[method]); operation != nil {
			n.operation(strings.ToUpper(method)+" "+path, path, operation, shared)
		}
	}
	return item
}

func (n *normaliser) operation(at, path string, operation map[string]any, shared []any) {
	var parameters []any
	has := func(in, name any) bool {
		return slices.ContainsFunc(parameters, func(p any) bool { return members(p)["in"] == in && members(p)["name"] == name })
	}
	for _, p := range slices.Concat(elements(operation["parameters"]), shared) {
		parameter := members(n.resolve(p, at+": a parameter"))
		if !has(parameter["in"], parameter["name"]) && !isIgnored(parameter) {
			parameters = append(parameters, parameter)
		}
		n.content(at, parameter)
	}
	// What a path has a place for and nobody describes is a text, and what it has no place for is not sent.
	places := PathNames(path)
	for _, name := range places {
		if !has("path", name) {
			parameters = append(parameters, map[string]any{"name": name, "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
	}
	parameters = slices.DeleteFunc(parameters, func(p any) bool {
		name, _ := members(p)["name"].(string)
		return members(p)["in"] == "path" && !slices.Contains(places, name)
	})
	delete(operation, "parameters")
	if parameters != nil {
		operation["parameters"] = parameters
	}
	if operation["requestBody"] != nil {
		body := members(n.resolve(operation["requestBody"], at+": the body"))
		operation["requestBody"] = body
		n.content(at, body)
	}
	responses := members(operation["responses"])
	if responses == nil {
		responses = map[string]any{}
		operation["responses"] = responses
	}
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		response := members(n.resolve(responses[status], at+": the answer "+status))
		delete(responses, status)
		if strings.EqualFold(status, "2XX") && responses["200"] == nil {
			status = "200"
		}
		responses[status] = response
		if response["description"] == nil {
			response["description"] = ""
		}
		delete(response, "links")
		headers := members(response["headers"])
		for name := range headers {
			headers[name] = n.resolve(headers[name], at+": the header "+name)
		}
		n.content(at, response)
	}
	if len(responses) == 0 {
		responses["default"] = map[string]any{"description": ""}
	}
	delete(operation, "callbacks")
}

// isIgnored reports whether OpenAPI has a parameter ignored: the body and the security of an operation say
// what these headers are.
func isIgnored(parameter map[string]any) bool {
	return parameter["in"] == "header" && slices.Contains([]string{"accept", "authorization", "content-type"}, strings.ToLower(bare(parameter["name"])))
}

// content gives media types one spelling and each of them a schema.
func (n *normaliser) content(at string, holder map[string]any) {
	content := members(holder["content"])
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		value := members(content[mediaType])
		if value == nil {
			value = map[string]any{}
			content[mediaType] = value
		}
		if value["schema"] == nil {
			value["schema"] = map[string]any{}
		}
		plain, _, err := mime.ParseMediaType(mediaType)
		if err != nil && !strings.Contains(mediaType, "*") {
			n.refuse(at, "has the media type %q, which is none", mediaType)
		}
		if err == nil && plain != mediaType {
			delete(content, mediaType)
			if content[plain] == nil {
				content[plain] = value
			}
		}
	}
}

// loops refuses schemas that nothing can be: those that lead to themselves by references, or as a part of what
// they consist of.
func (n *normaliser) loops(schemas map[string]any) {
	done := map[string]bool{}
	var follow func(v any, way []string)
	follow = func(v any, way []string) {
		schema := members(v)
		if ref, ok := schema["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, schemaPrefix)
			if i := slices.Index(way, name); i >= 0 {
				n.refuse("components.schemas."+name, "leads to itself (%s): put there what it stands for", strings.Join(append(slices.Clone(way[i:]), name), " → "))
			} else if !done[name] {
				done[name] = true
				follow(schemas[name], append(slices.Clone(way), name))
			}
			return
		}
		for _, part := range elements(schema["allOf"]) {
			follow(part, way)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		follow(map[string]any{"$ref": schemaPrefix + name}, nil)
	}
}

var pathParameter = regexp.MustCompile(`\{([^{}]*)\}`)

// Shape is a path without the names of its parameters, which are not on the wire: /manga/{}.
func Shape(path string) string { return pathParameter.ReplaceAllString(path, "{}") }

// PathNames are the names of the parameters of a path, in its order.
func PathNames(path string) []string {
	var names []string
	for _, match := range pathParameter.FindAllStringSubmatch(path, -1) {
		names = append(names, match[1])
	}
	return names
}

// members returns an object's members; what is no object has none.
func members(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func elements(v any) []any {
	l, _ := v.([]any)
	return l
}

// copied is a copy of a value, so that two places that shared it can be changed apart.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for key, value := range v {
			c[key] = copied(value)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, value := range v {
			c[i] = copied(value)
		}
		return c
	}
	return v
}
