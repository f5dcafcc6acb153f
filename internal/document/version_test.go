package document

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestAsVersion30 writes schemas of OpenAPI 3.1 as 3.0 does.
func TestAsVersion30(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, schema, want string }{
		{"a type", "{type: string}", "{type: string}"},
		{"a type or null", "{type: [string, 'null'], enum: [a, b]}", "{type: string, nullable: true, enum: [a, b]}"},
		{"a list of one type", "{type: [integer]}", "{type: integer}"},
		{"two types", "{type: [string, integer]}", "{}"},
		{"null alone", "{type: ['null']}", "{nullable: true}"},
		{"a reference or null", "{anyOf: [{$ref: x}, {type: 'null'}]}", "{allOf: [{$ref: x}], nullable: true}"},
		{"one of several or null", "{oneOf: [{type: string}, {type: integer}, {type: 'null'}]}", "{oneOf: [{type: string}, {type: integer}], nullable: true}"},
		{"one of several", "{oneOf: [{type: string}, {type: integer}]}", "{oneOf: [{type: string}, {type: integer}]}"},
		{"limits", "{exclusiveMinimum: 1, exclusiveMaximum: 2.5}", "{minimum: 1, exclusiveMinimum: true, maximum: 2.5, exclusiveMaximum: true}"},
		{"a constant", "{const: a}", "{enum: [a]}"},
		{"a number", "{const: 1}", "{enum: [1]}"},
		{"null as a constant", "{oneOf: [{const: null}, {type: string}]}", "{allOf: [{type: string}], nullable: true}"},
		{"null as an enum", "{oneOf: [{enum: [null]}, {type: string}]}", "{allOf: [{type: string}], nullable: true}"},
		{"null among values", "{type: [string, 'null'], enum: [a, null]}", "{type: string, nullable: true, enum: [a]}"},
		{"properties of these names", "{properties: {type: {type: [string, 'null']}, const: {type: string}, anyOf: {type: string}}}",
			"{properties: {type: {type: string, nullable: true}, const: {type: string}, anyOf: {type: string}}}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			document := func(version, schema string) map[string]any {
				var v map[string]any
				if err := yaml.Unmarshal([]byte("{openapi: "+version+", components: {schemas: {x: "+schema+"}}}"), &v); err != nil {
					t.Fatal(err)
				}
				return v
			}
			got := document("3.1.0", test.schema)
			AsVersion30(got)
			if diff := cmp.Diff(document("3.0.3", test.want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			same := document("3.0.1", test.want)
			AsVersion30(same)
			if diff := cmp.Diff(document("3.0.1", test.want), same); diff != "" {
				t.Errorf("a document of 3.0 changes (-want +got)\n%s", diff)
			}
		})
	}
}
