package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tomorrow returns a document as MangaDex could publish it next: the present
// facts with an operation, a parameter, an enum value and a property that nobody
// here has heard of, and without the operations that are deprecated today. It
// also returns how the removed operations are reported.
func tomorrow(t *testing.T) (document []byte, removed []string) {
	t.Helper()
	doc, err := parse([]byte(read(t, "../../openapi.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	// object follows keys to an object of the document.
	object := func(keys ...string) map[string]any {
		var value any = map[string]any(doc)
		for _, key := range keys {
			value = members(value)[key]
		}
		found, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("openapi.yaml has no object at %s", strings.Join(keys, "."))
		}
		return found
	}
	value := func(yaml string) any {
		value, err := parseYAML([]byte(yaml))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}

	for _, o := range operations(doc) {
		if o.object["deprecated"] == true {
			removed = append(removed, "- removed operation "+o.String())
			delete(o.item, o.method)
			if !slices.ContainsFunc(methods(), func(method string) bool { return o.item[method] != nil }) {
				delete(object("paths"), o.path)
			}
		}
	}
	object("info")["version"] = "99.0.0"
	object("info")["description"] = "A document of tomorrow."
	object("paths")["/manga/{id}/mood"] = value(`
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
	object("components", "schemas")["MangaMoodResponse"] = value(`
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
	search := object("paths", "/manga", "get")
	parameters, _ := search["parameters"].([]any)
	search["parameters"] = append(parameters, value("{name: mood, in: query, schema: {type: string}, description: Only of this mood}"))
	status := object("components", "schemas", "MangaAttributes", "properties", "status")
	values, _ := status["enum"].([]any)
	status["enum"] = append(values, "dormant")
	object("components", "schemas", "ChapterAttributes", "properties")["mood"] = value("{type: string, nullable: true}")

	document, err = json.MarshalIndent(encodable(map[string]any(doc)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return document, removed
}

// TestTomorrow imports a document of tomorrow over the present openapi.yaml.
// With SPECIMPORT_TOMORROW_OUT set it also writes the document to that file, for
// tests that generate code from it.
func TestTomorrow(t *testing.T) {
	t.Parallel()
	content, removed := tomorrow(t)
	source := write(t, "tomorrow.json", string(content))
	if path := os.Getenv("SPECIMPORT_TOMORROW_OUT"); path != "" {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	target := write(t, "openapi.yaml", read(t, "../../openapi.yaml"))

	r := runWith("-o", target, source)
	if r.status != exitChanged || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	got := strings.Split(strings.TrimSpace(r.stdout), "\n")
	for _, line := range append(removed,
		"+ added operation GET /manga/{id}/mood (get-manga-id-mood)",
		"+ added query parameter GET /manga?mood",
		"+ added enum value MangaAttributes.status: dormant",
		"+ added property ChapterAttributes.mood: string",
		"+ added schema MangaMoodResponse",
	) {
		if !slices.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, r.stdout)
		}
	}
	// A heading, the lines above, the version, and the headings of the parts.
	headings := 2
	if len(removed) > 0 {
		headings++
	}
	if want := 1 + len(removed) + 5 + 1 + 2*headings; len(got) != want {
		t.Errorf("%d lines instead of %d:\n%s", len(got), want, r.stdout)
	}
	if r := runWith("-o", target, source); r.status != exitSame {
		t.Errorf("imported again: %+v", r)
	}
	if entries, err := os.ReadDir(filepath.Dir(target)); err != nil || len(entries) != 1 {
		t.Errorf("files are left behind: %v, %v", entries, err)
	}
}
