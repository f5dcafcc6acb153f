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
		if inline := object(schema, "schema"); inline["properties"] != nil {
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

// chooseNull says that something may be null as OpenAPI 3.1 does.
func chooseNull(doc part, _ *rand.Rand) []string {
	eachSchema(doc, func(schema part) {
		if schema["nullable"] == true {
			value := maps.Clone(schema)
			delete(value, "nullable")
			clear(schema)
			schema["oneOf"] = []any{value, part{"type": "null"}}
		}
	})
	return nil
}

// composeObjects makes lists and entities of what they have in common and of what they have alone.
func composeObjects(doc part, _ *rand.Rand) []string {
	schemas := object(doc, "components", "schemas")
	for _, name := range []string{"MangaList", "ChapterList", "CoverList", "Manga", "Chapter", "Author", "User"} {
		properties, common, kind := object(schemas, name, "properties"), part{}, "Entity"
		if properties == nil {
			continue // composed already
		}
		keys := []string{"id", "relationships"}
		if properties["total"] != nil {
			keys, kind = []string{"result", "response", "limit", "offset", "total"}, "Page"
		}
		for _, key := range keys {
			common[key] = properties[key]
			delete(properties, key)
		}
		if schemas["Common"+kind] == nil {
			schemas["Common"+kind] = part{"type": "object", "properties": common}
		}
		schemas[name] = part{"allOf": []any{part{"$ref": schemaPrefix + "Common" + kind}, schemas[name]}}
	}
	return nil
}

// namePlain names every text, number and list of an object.
func namePlain(doc part, _ *rand.Rand) []string {
	nameMembers(doc, "Plain", func(schema part) bool {
		return schema["type"] != nil && schema["type"] != "object" && schema["$ref"] == nil
	})
	return nil
}

// nameObjects names every object of an object or a list.
func nameObjects(doc part, _ *rand.Rand) []string {
	nameMembers(doc, "Object", func(schema part) bool { return object(schema, "properties") != nil })
	return nil
}

func nameMembers(doc part, prefix string, named func(schema part) bool) {
	n := 0
	var holders []part
	eachSchema(doc, func(schema part) {
		holders = append(holders, object(schema, "properties"))
		for _, key := range []string{"items", "additionalProperties"} {
			if object(schema, key) != nil {
				holders = append(holders, schema)
			}
		}
	})
	for _, holder := range holders {
		for _, key := range slices.Sorted(maps.Keys(holder)) {
			if holder["properties"] != nil && object(holder, "properties", "type") == nil && key == "properties" {
				continue // a keyword
			}
			if schema := object(holder, key); schema != nil && named(schema) {
				n++
				holder[key] = component(doc, "schemas", fmt.Sprint(prefix, n), schema)
			}
		}
	}
}

// wrapReferences puts references into allOf, beside which there can be words.
func wrapReferences(doc part, _ *rand.Rand) []string {
	eachSchema(doc, func(schema part) {
		for name, member := range object(schema, "properties") {
			if object(member)["$ref"] != nil {
				object(schema, "properties")[name] = part{"allOf": []any{member}, "description": "It says so."}
			}
		}
		if items := object(schema, "items"); items["$ref"] != nil {
			schema["items"] = part{"allOf": []any{items}}
		}
	})
	eachPart(doc["paths"], func(p part) {
		if schema := object(p, "schema"); schema["$ref"] != nil {
			p["schema"] = part{"oneOf": []any{schema}}
		}
	})
	return nil
}

// addNotes says of numbers how large they are, of ids that only the server writes them, of answers what
// their envelopes are and that there may be more in them, and of parameters how they are sent, which is as
// it was.
func addNotes(doc part, _ *rand.Rand) []string {
	eachSchema(doc, func(schema part) {
		if schema["type"] == "integer" && schema["format"] == nil {
			schema["format"] = "int32"
		}
		for _, member := range object(schema, "properties") {
			if object(member)["type"] == "integer" {
				object(member)["format"] = "int64"
			}
		}
		if id := object(schema, "properties", "id"); id["type"] == "string" {
			id["readOnly"] = true
		}
		if properties := object(schema, "properties"); properties["total"] != nil || properties["attributes"] != nil {
			schema["additionalProperties"] = true
			delete(schema, "type")
		}
		if response := object(schema, "properties", "response"); response["type"] == "string" {
			response["enum"] = []any{"entity", "collection"}
		}
	})
	eachPart(doc["paths"], func(p part) {
		if p["in"] == "query" && p["style"] == nil {
			maps.Copy(p, part{"style": "form", "explode": true, "allowReserved": false})
		}
	})
	return nil
}

// changeStatus answers with 201 where something is made, and with 202 besides.
func changeStatus(doc part, _ *rand.Rand) []string {
	for _, item := range object(doc, "paths") {
		responses := object(item, "post", "responses")
		if responses["200"] != nil {
			responses["201"], responses["202"] = responses["200"], part{"description": ""}
			delete(responses, "200")
		}
	}
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

// schemaKinds are schemas of something that upstream adds.
var schemaKinds = []func(name string) part{
	func(string) part { return part{"type": "string"} },
	func(string) part { return part{"type": "integer", "minimum": 1} },
	func(string) part { return part{"type": "boolean", "default": false} },
	func(string) part { return part{"type": "string", "nullable": true, "format": "uuid"} },
	func(name string) part { return part{"type": "string", "enum": []any{name + "_a", name + "_b"}} },
	func(string) part { return part{"type": "array", "items": part{"type": "string", "format": "uuid"}} },
}

// memberKinds are those that only a body can have.
var memberKinds = append(slices.Clone(schemaKinds),
	func(string) part { return part{"$ref": schemaPrefix + "LocalizedString"} },
	func(string) part { return part{"$ref": schemaPrefix + "Manga"} },
	func(string) part { return part{"type": "array", "items": part{"$ref": schemaPrefix + "Tag"}} },
	func(string) part {
		return part{"type": "object", "required": []any{"a"}, "properties": part{"a": part{"type": "integer"}, "b": part{"type": "array", "items": part{"type": "object", "properties": part{"c": part{"type": "number"}}}}}}
	},
	func(string) part { return part{"type": "object", "additionalProperties": part{"type": "integer"}} },
	func(string) part { return part{"oneOf": []any{part{"type": "string"}, part{"type": "integer"}}} },
	func(string) part { return part{} },
)

// addMember adds a member to an object, wherever it is, but for the distribution of ratings: it is a map by
// its ten keys, is replaced as a whole, and a change there is told as a conflict. A call that returns only
// an error does so whatever its answer says one day; nothing else has LogoutResponse.
func addMember(doc part, r *rand.Rand) []string {
	var objects []part
	add := func(value any) {
		eachPart(value, func(p part) {
			if properties := object(p, "properties"); p["type"] == "object" && len(properties) > 0 && properties["1"] == nil {
				objects = append(objects, p)
			}
		})
	}
	schemas := object(doc, "components", "schemas")
	used := map[string]bool{}
	references(doc, doc["paths"], used)
	delete(used, "LogoutResponse")
	for _, name := range slices.Sorted(maps.Keys(used)) {
		add(schemas[name])
	}
	eachOperation(doc, func(path string, _, operation part) {
		add(operation["responses"])
		if path == "/upload/{uploadSessionId}" {
			return // a form whose type is written by hand: what it lacks is left for a person, and reported
		}
		add(operation["requestBody"])
	})
	name := fmt.Sprintf("added%d", r.IntN(1e6))
	chosen := objects[r.IntN(len(objects))]
	object(chosen, "properties")[name] = memberKinds[r.IntN(len(memberKinds))](name)
	if r.IntN(4) == 0 {
		chosen["required"] = append(elements(chosen["required"]), name)
	}
	return []string{name}
}

// addValue adds a value to an enum, wherever it is.
func addValue(doc part, r *rand.Rand) []string {
	var enums []part
	eachPart(doc, func(p part) {
		if values := elements(p["enum"]); values != nil && p["type"] == "string" && !slices.Contains(values, any("0")) && !slices.Contains(values, any("true")) {
			enums = append(enums, p)
		}
	})
	name := fmt.Sprintf("value_%d", r.IntN(1e6))
	enum := enums[r.IntN(len(enums))]
	enum["enum"] = append(elements(enum["enum"]), name)
	return []string{name}
}

// addParameter adds a parameter of a query, or a key of an order, to an operation.
func addParameter(doc part, r *rand.Rand) []string {
	var operations, orders []part
	eachOperation(doc, func(_ string, _, operation part) {
		operations = append(operations, operation)
		for _, p := range elements(operation["parameters"]) {
			if properties := object(p, "schema", "properties"); properties != nil && object(p)["name"] == "order" {
				orders = append(orders, properties)
			}
		}
	})
	name := fmt.Sprintf("added%d", r.IntN(1e6))
	if r.IntN(4) == 0 && len(orders) > 0 {
		orders[r.IntN(len(orders))][name] = part{"type": "string", "enum": []any{"asc", "desc"}}
		return []string{name}
	}
	operation := operations[r.IntN(len(operations))]
	p := part{"name": name, "in": "query", "schema": schemaKinds[r.IntN(len(schemaKinds))](name)}
	if object(p, "schema")["type"] == "array" {
		p["name"] = name + "[]"
	}
	operation["parameters"] = append(elements(operation["parameters"]), p)
	return []string{name}
}

// addOperation adds an operation of a path of its own, with or without a body.
func addOperation(doc part, r *rand.Rand) []string {
	name := fmt.Sprintf("added%d", r.IntN(1e6))
	method := methods[r.IntN(len(methods))]
	member := name + "member"
	operation := part{
		"parameters": []any{part{"name": "id", "in": "path", "required": true, "schema": part{"type": "string"}}},
		"responses":  part{"200": part{"description": "", "content": part{"application/json": part{"schema": part{"type": "object", "properties": part{member: memberKinds[r.IntN(len(memberKinds))](member)}}}}}},
	}
	added := []string{name, member}
	if method == "POST" || method == "PUT" || method == "PATCH" {
		sent := name + "sent"
		schema := part{"type": "object", "properties": part{sent: memberKinds[r.IntN(len(memberKinds))](sent)}}
		operation["requestBody"] = part{"content": part{"application/json": part{"schema": schema}}}
		added = append(added, sent)
	}
	object(doc, "paths")["/"+name+"/{id}"] = part{strings.ToLower(method): operation}
	return added
}

// addWords describes every schema.
func addWords(doc part, _ *rand.Rand) []string {
	n := 0
	eachSchema(doc, func(schema part) {
		n++
		maps.Copy(schema, part{"title": fmt.Sprintf("Title %d", n), "description": "It says so.", "example": "so", "deprecated": false})
	})
	return nil
}

// allowOthers lets every text of an enum be another one.
func allowOthers(doc part, _ *rand.Rand) []string {
	var enums []part
	eachSchema(doc, func(schema part) {
		if schema["type"] == "string" && schema["enum"] != nil {
			enums = append(enums, schema)
		}
	})
	for _, schema := range enums {
		schema["anyOf"] = []any{part{"type": "string", "enum": schema["enum"]}, part{"type": "string"}}
		delete(schema, "type")
		delete(schema, "enum")
	}
	return nil
}

// addLimits limits every text, number and list.
func addLimits(doc part, _ *rand.Rand) []string {
	eachSchema(doc, func(schema part) {
		switch schema["type"] {
		case "string":
			if schema["enum"] == nil && schema["pattern"] == nil && schema["minLength"] == nil && schema["maxLength"] == nil {
				maps.Copy(schema, part{"minLength": 0, "maxLength": 4000, "pattern": "^.*$"})
			}
		case "integer", "number":
			if schema["minimum"] == nil {
				schema["minimum"] = 0
			}
		case "array":
			schema["maxItems"] = 1000
		}
	})
	return nil
}

// requireLess takes a member or a parameter from what must be sent.
func requireLess(doc part, r *rand.Rand) []string {
	var holders []part
	eachPart(doc, func(p part) {
		if len(elements(p["required"])) > 0 || p["required"] == true && p["in"] == "query" {
			holders = append(holders, p)
		}
	})
	if len(holders) == 0 {
		return nil
	}
	holder := holders[r.IntN(len(holders))]
	if required := elements(holder["required"]); len(required) > 1 {
		i := r.IntN(len(required))
		holder["required"] = slices.Delete(required, i, i+1)
	} else {
		delete(holder, "required")
	}
	return nil
}

// eachSchema visits every schema that is no reference.
func eachSchema(doc part, visit func(schema part)) {
	var schema func(value any)
	schema = func(value any) {
		s := object(value)
		if s == nil || s["$ref"] != nil {
			return
		}
		visit(s)
		for _, name := range slices.Sorted(maps.Keys(object(s, "properties"))) {
			schema(object(s, "properties", name))
		}
		schema(s["items"])
		schema(s["additionalProperties"])
		for _, key := range []string{"allOf", "oneOf", "anyOf"} {
			for _, part := range elements(s[key]) {
				schema(part)
			}
		}
	}
	schemas := object(doc, "components", "schemas")
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		schema(schemas[name])
	}
	eachPart(doc["paths"], func(p part) { schema(p["schema"]) })
}
