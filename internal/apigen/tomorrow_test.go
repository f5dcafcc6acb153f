package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// tomorrow returns a document as MangaDex could publish it next: the present facts with an operation, a
// parameter, an enum value and a property that nobody here has heard of, with parameters, a body and a
// result of operations that had none, and without the operations that are deprecated today. It also returns
// how the removed operations are reported.
func tomorrow(t testing.TB) (content []byte, removed []string) {
	t.Helper()
	var doc part
	if err := yaml.Unmarshal(presentInput(t).Document, &doc); err != nil {
		t.Fatal(err)
	}
	// at follows keys to an object of the document.
	at := func(keys ...string) part {
		found := object(doc, keys...)
		if found == nil {
			t.Fatalf("openapi.yaml has no object at %s", strings.Join(keys, "."))
		}
		return found
	}
	value := func(text string) any {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	for path := range at("paths") {
		item := at("paths", path)
		for _, method := range methods {
			spec := object(item, strings.ToLower(method))
			if spec["deprecated"] != true {
				continue
			}
			removed = append(removed, "- removed operation "+method+" "+path+" ("+text(spec, "operationId")+"), deprecated")
			delete(item, strings.ToLower(method))
		}
		if !slices.ContainsFunc(methods, func(method string) bool { return item[strings.ToLower(method)] != nil }) {
			delete(at("paths"), path)
		}
	}
	at("info")["version"] = "99.0.0"
	at("info")["description"] = "A document of tomorrow."
	at("paths")["/manga/{id}/mood"] = value(`
parameters:
  - {name: id, in: path, required: true, description: Which manga, schema: {type: string, format: uuid}}
get:
  operationId: get-manga-id-mood
  summary: Mood of a manga
  tags: [Manga]
  security: []
  parameters:
    - name: moods[]
      in: query
      schema: {type: array, items: {type: string, enum: [bright, dark]}}
  responses:
    '200':
      description: The mood
      content:
        application/json:
          schema: {$ref: '#/components/schemas/MangaMoodResponse'}
          example: {result: ok}
    '404':
      description: No such manga
      content:
        application/json:
          schema: {$ref: '#/components/schemas/ErrorResponse'}
`)
	for path, schema := range map[string]string{
		"/mood":      "{type: array, items: {$ref: '#/components/schemas/Mood'}}",
		"/mood/name": "{type: object, additionalProperties: {$ref: '#/components/schemas/Mood'}}",
	} {
		at("paths")[path] = value("{get: {security: [], responses: {'200': {description: '', content: {application/json: {schema: " + schema + "}}}}}}")
	}
	at("components", "schemas")["Mood"] = value("{type: object, properties: {mood: {type: string}}}")
	at("components", "schemas")["MangaMoodResponse"] = value(`
title: MangaMoodResponse
type: object
properties:
  result: {type: string, default: ok}
  response: {type: string, default: entity}
  data:
    type: object
    properties:
      mood: {type: string, enum: [bright, dark], description: What readers feel}
      title: {type: string, nullable: true}
`)
	search := at("paths", "/manga", "get")
	parameters, _ := search["parameters"].([]any)
	search["parameters"] = append(parameters, value("{name: mood, in: query, schema: {type: string}, description: Only of this mood}"))
	for method, parameter := range map[string]string{
		"post":   "{name: quiet, in: query, schema: {type: boolean}}",
		"delete": "{name: reason, in: query, required: true, schema: {type: string}}",
	} {
		follow := at("paths", "/manga/{id}/follow", method)
		parameters, _ := follow["parameters"].([]any)
		follow["parameters"] = append(parameters, value(parameter))
	}
	unrate := at("paths", "/rating/{mangaId}", "delete")
	unrate["requestBody"] = value("{content: {application/json: {schema: {type: object, required: [mood], properties: {mood: {type: string}}}}}}")
	at("paths", "/rating/{mangaId}", "delete", "responses", "200", "content", "application/json")["schema"] =
		value("{type: object, properties: {result: {type: string, enum: [ok, error]}, average: {type: number}}}")
	status := at("components", "schemas", "MangaAttributes", "properties", "status")
	values, _ := status["enum"].([]any)
	status["enum"] = append(values, "dormant")
	at("components", "schemas", "ChapterAttributes", "properties")["mood"] = value("{type: string, nullable: true}")

	at("components", "schemas", "Relationship", "properties")["mood"] = value("{type: object, properties: {since: {type: string, format: date-time}}}")
	cover := at("paths", "/cover/{mangaOrCoverId}", "post", "requestBody", "content", "multipart/form-data", "schema", "properties")
	cover["mood"], cover["weight"] = value("{type: array, items: {type: string}}"), value("{type: number}")
	pages := at("paths", "/upload/{uploadSessionId}", "post", "requestBody", "content", "multipart/form-data", "schema", "properties")
	pages["mood"], pages["thumbnail"] = value("{type: string}"), value("{type: string, format: binary}")
	for _, p := range parameters {
		if p := p.(part); p["name"] == "order" {
			keys := object(p, "schema", "properties")
			keys["mood"] = value("{type: boolean}")
			keys["year"] = value("{type: string, enum: [asc, desc, by-decade]}")
		}
	}

	content, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return content, removed
}

// TestReportOfTomorrow tells what a document of tomorrow brings.
func TestReportOfTomorrow(t *testing.T) {
	t.Parallel()
	content, removed := tomorrow(t)
	told := compared(t, content)
	got := strings.Split(strings.TrimSpace(told), "\n")
	for _, line := range append(removed,
		"+ added operation GET /manga/{id}/mood (get-manga-id-mood)",
		"+ added operation GET /mood",
		"+ added operation GET /mood/name",
		"+ added query parameter GET /manga?mood",
		"+ added query parameter POST /manga/{id}/follow?quiet",
		"+ added required query parameter DELETE /manga/{id}/follow?reason",
		"+ added enum value MangaAttributes.status: dormant",
		"+ added property ChapterAttributes.mood: string",
		"+ added property POST /cover/{mangaOrCoverId} request multipart/form-data $.mood: array of string",
		"+ added property POST /cover/{mangaOrCoverId} request multipart/form-data $.weight: number",
		"+ added property POST /upload/{uploadSessionId} request multipart/form-data $.mood: string",
		"+ added property POST /upload/{uploadSessionId} request multipart/form-data $.thumbnail: string (binary)",
		"+ added property GET /manga?order $.mood: boolean",
		"+ added enum value GET /manga?order $.year: by-decade",
		"+ added property Relationship.mood: object",
		"+ added request body DELETE /rating/{mangaId}",
		"+ added property DELETE /rating/{mangaId} response 200 application/json $.average: number",
		"~ renamed type of DELETE /rating/{mangaId} response 200 application/json: Response → object",
		"+ added schema MangaMoodResponse",
		"+ added schema Mood",
	) {
		if !slices.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, told)
		}
	}
	changes := 0
	for _, line := range got {
		if strings.HasPrefix(line, "+ ") || strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "~ ") {
			changes++
		}
	}
	if want := len(removed) + 20 + 1; changes != want { // and the version
		t.Errorf("%d changes instead of %d:\n%s", changes, want, told)
	}
}
