package main

import (
	"bytes"
	"testing"
)

// TestRelations adds types of relationships: with an entity of that type, its attributes are typed, and
// without one they are kept. What is left for a person is told.
func TestRelations(t *testing.T) {
	t.Parallel()
	atNight(t)
	doc := presentDocument(t)
	withParts(t, doc, `
paths: {'/studio/{id}': {get: {parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}], responses: {'200': {content: {application/json: {schema: {type: object, properties: {data: {$ref: '#/components/schemas/Studio'}}}}}}}}}}
components: {schemas: {
  Studio: {type: object, properties: {id: {type: string, format: uuid}, type: {type: string, enum: [studio]}, attributes: {$ref: '#/components/schemas/StudioAttributes'}}},
  StudioAttributes: {type: object, properties: {motto: {type: string}}},
  Label: {type: object, properties: {type: {type: string, default: label}, attributes: {type: object, properties: {founded: {type: integer}}}}}}}`)
	includes := object(doc, "components", "schemas", "ReferenceExpansionManga", "items")
	includes["enum"] = append(elements(includes["enum"]), "studio", "magazine")
	object(doc, "components", "schemas", "Relationship", "properties", "type")["enum"] = []any{"manga", "label", "imprint"}
	files, report := generate(t, importInput(t, encoded(t, doc)))
	keepsSurface(t, files)
	for _, want := range []string{
		"- Relationships of the type `studio` get the attributes of `Studio`: say so in api/overlay/types.yaml (x-relationship-types), and give them a method in api/relationships.go.",
		"- Relationships of the type `label` get the attributes of `Label`: say so in api/overlay/types.yaml (x-relationship-types), and give them a method in api/relationships.go.",
		"- Relationships of the type `magazine` keep their attributes as `RawAttributes`: if there is a schema of these, say so in api/overlay/types.yaml (x-relationship-types) and give them a method in api/relationships.go; else add the type to x-no-attributes of Relationship there.",
		"- Relationships of the type `imprint` keep their attributes as `RawAttributes`: if there is a schema of these, say so in api/overlay/types.yaml (x-relationship-types) and give them a method in api/relationships.go; else add the type to x-no-attributes of Relationship there.",
	} {
		tells(t, report.Left, want)
	}
	for path, wants := range map[string][]string{
		relatedPath: {"case \"studio\":\n\t\tx := newCounted[StudioAttributes](r)", "case \"label\":\n\t\tx := newCounted[LabelAttributes](r)"},
		typesPath:   {`ResourceType = "studio"`, `ResourceType = "label"`, `ResourceType = "imprint"`, `Include = "magazine"`},
	} {
		for _, want := range wants {
			if !bytes.Contains(files[path], []byte(want)) {
				t.Errorf("%s has no %s", path, want)
			}
		}
	}
}
