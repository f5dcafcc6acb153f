package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// eachOperation visits the operations in an order of its own.
func eachOperation(doc part, visit func(path string, item, operation part)) {
	paths := object(doc, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := object(paths, path)
		for _, method := range methods {
			if operation := object(item, strings.ToLower(method)); operation != nil {
				visit(path, item, operation)
			}
		}
	}
}

// eachPart visits every object of a value.
func eachPart(value any, visit func(p part)) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			eachPart(v, visit)
		}
	case part:
		visit(value)
		for _, key := range slices.Sorted(maps.Keys(value)) {
			eachPart(value[key], visit)
		}
	}
}

func renamePathParameters(doc part, _ *rand.Rand) []string {
	eachPart(doc, func(p part) { // components, too
		if p["in"] == "path" {
			p["name"] = text(p, "name") + "Value"
		}
	})
	paths := object(doc, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path]
		delete(paths, path)
		paths[strings.ReplaceAll(path, "}", "Value}")] = item
	}
	return nil
}

func elements(v any) []any {
	l, _ := v.([]any)
	return l
}

func component(doc part, kind, name string, value any) part {
	components := object(doc, "components")
	if components[kind] == nil {
		components[kind] = part{}
	}
	object(components, kind)[name] = value
	return part{"$ref": "#/components/" + kind + "/" + name}
}

func moveToComponents(doc part, kind string) []string {
	n := 0
	move := func(value any) any {
		if object(value)["$ref"] != nil {
			return value
		}
		n++
		return component(doc, kind, fmt.Sprintf("Moved%d", n), value)
	}
	eachOperation(doc, func(_ string, item, operation part) {
		switch kind {
		case "parameters":
			for _, holder := range []part{item, operation} {
				for i, p := range elements(holder["parameters"]) {
					elements(holder["parameters"])[i] = move(p)
				}
			}
		case "responses":
			for _, status := range slices.Sorted(maps.Keys(object(operation, "responses"))) {
				object(operation, "responses")[status] = move(object(operation, "responses")[status])
			}
		default:
			if operation["requestBody"] != nil {
				operation["requestBody"] = move(operation["requestBody"])
			}
		}
	})
	return nil
}

func renameMediaTypes(doc part, _ *rand.Rand) []string {
	eachPart(doc, func(p part) {
		if content := object(p, "content"); content["application/json"] != nil {
			content["application/json; charset=utf-8"] = content["application/json"]
			delete(content, "application/json")
		}
	})
	return nil
}

func renameStatuses(doc part, _ *rand.Rand) []string {
	eachOperation(doc, func(_ string, _, operation part) {
		if responses := object(operation, "responses"); responses["200"] != nil {
			responses["2XX"] = responses["200"]
			delete(responses, "200")
		}
	})
	return nil
}

func renameSchemas(doc part, _ *rand.Rand) []string {
	schemas := object(doc, "components", "schemas")
	used := map[string]bool{}
	references(doc, doc["paths"], used)
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if used[name] {
			schemas[name+"Renamed"] = schemas[name]
			delete(schemas, name)
		}
	}
	eachPart(doc, func(p part) {
		if name, ok := strings.CutPrefix(text(p, "$ref"), schemaPrefix); ok && used[name] {
			p["$ref"] = schemaPrefix + name + "Renamed"
		}
	})
	return nil
}

func renameOperations(doc part, _ *rand.Rand) []string {
	n := 0
	eachOperation(doc, func(_ string, _, operation part) {
		n++
		operation["operationId"] = fmt.Sprintf("renamed-%d", n)
	})
	return nil
}

func nameEnums(doc part, _ *rand.Rand) []string {
	n := 0
	eachOperation(doc, func(_ string, item, operation part) {
		for _, p := range slices.Concat(elements(item["parameters"]), elements(operation["parameters"])) {
			p := object(p)
			if schema := object(p, "schema"); schema != nil && (schema["enum"] != nil || schema["properties"] != nil) {
				n++
				p["schema"] = component(doc, "schemas", fmt.Sprintf("Named%d", n), schema)
			}
		}
	})
	return nil
}

func nameBodies(doc part, _ *rand.Rand) []string {
	n := 0
	eachOperation(doc, func(_ string, _, operation part) {
		schema := object(operation, "responses", "200", "content", "application/json")
		if inline := object(schema, "schema"); inline["properties"] != nil && object(inline, "properties")["ratings"] == nil && object(inline, "properties", "data")["type"] != "array" {
			n++
			schema["schema"] = component(doc, "schemas", fmt.Sprintf("Body%d", n), inline)
		}
	})
	return nil
}

func moveToPaths(doc part, _ *rand.Rand) []string {
	for _, item := range object(doc, "paths") {
		var operations []part
		for _, method := range methods {
			if operation := object(item, strings.ToLower(method)); operation != nil {
				operations = append(operations, operation)
			}
		}
		if len(operations) == 1 && object(item)["parameters"] == nil && operations[0]["parameters"] != nil {
			object(item)["parameters"] = operations[0]["parameters"]
			delete(operations[0], "parameters")
		}
	}
	return nil
}

func raiseVersion(doc part, _ *rand.Rand) []string {
	doc["openapi"] = "3.1.0"
	eachPart(doc, func(p part) {
		if p["nullable"] == true && text(p, "type") != "" {
			p["type"] = []any{p["type"], "null"}
		}
		if _, ok := p["nullable"].(bool); ok {
			delete(p, "nullable")
		}
	})
	return nil
}

func shuffleLists(doc part, r *rand.Rand) []string {
	eachPart(doc, func(p part) {
		for _, key := range []string{"enum", "required", "parameters"} {
			list := elements(p[key])
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
	})
	return nil
}

func addMember(doc part, r *rand.Rand) []string {
	var objects []part
	schemas := object(doc, "components", "schemas")
	used := map[string]bool{}
	references(doc, doc["paths"], used)
	for _, name := range slices.Sorted(maps.Keys(used)) {
		// An acknowledgement stays out: with more to say, calls that return only an error would return it.
		if properties := object(schemas, name, "properties"); len(properties) > 1 || len(properties) == 1 && properties["result"] == nil {
			objects = append(objects, properties)
		}
	}
	eachOperation(doc, func(path string, _, operation part) {
		if path == "/user/history" || path == "/manga/{id}/read" {
			return // of a wrong type, which is replaced: any change is a conflict
		}
		eachPart(operation["responses"], func(p part) {
			if properties := object(p, "properties"); p["type"] == "object" && properties != nil && properties["1"] == nil && len(properties) > 1 {
				objects = append(objects, properties)
			}
		})
	})
	name := fmt.Sprintf("added%d", r.IntN(1e6))
	objects[r.IntN(len(objects))][name] = part{"type": "string"}
	return []string{name}
}

func addValue(doc part, r *rand.Rand) []string {
	var enums []part
	eachPart(doc["paths"], func(p part) {
		if schema := object(p, "schema"); p["in"] == "query" && schema["enum"] != nil && schema["type"] == "string" && object(schema)["properties"] == nil {
			if values := elements(schema["enum"]); !slices.Contains(values, any("0")) && !slices.Contains(values, any("true")) {
				enums = append(enums, schema)
			}
		}
	})
	for _, schema := range slices.Sorted(maps.Keys(object(doc, "components", "schemas"))) {
		if items := object(doc, "components", "schemas", schema, "items"); items["enum"] != nil {
			enums = append(enums, items)
		}
	}
	name := fmt.Sprintf("value_%d", r.IntN(1e6))
	enum := enums[r.IntN(len(enums))]
	enum["enum"] = append(elements(enum["enum"]), name)
	return []string{name}
}

func addParameter(doc part, r *rand.Rand) []string {
	var operations []part
	eachOperation(doc, func(_ string, _, operation part) { operations = append(operations, operation) })
	name := fmt.Sprintf("added%d", r.IntN(1e6))
	operation := operations[r.IntN(len(operations))]
	operation["parameters"] = append(elements(operation["parameters"]), part{"name": name, "in": "query", "schema": part{"type": "string"}})
	return []string{name}
}

func addOperation(doc part, r *rand.Rand) []string {
	name := fmt.Sprintf("added%d", r.IntN(1e6))
	object(doc, "paths")["/"+name+"/{id}"] = part{"get": part{
		"parameters": []any{part{"name": "id", "in": "path", "required": true, "schema": part{"type": "string"}}},
		"responses":  part{"200": part{"description": "", "content": part{"application/json": part{"schema": part{"type": "object", "properties": part{name: part{"type": "string"}}}}}}},
	}}
	return []string{name}
}
