package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestOneForm gives schemas that are written in several ways one form.
func TestOneForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, schemas, want string }{
		{"one of one", "{a: {allOf: [{type: string, maxLength: 3}], nullable: true}}", "{a: {type: string, maxLength: 3, nullable: true}}"},
		{"a reference with words", "{a: {type: object, properties: {b: {oneOf: [{$ref: '#/components/schemas/a'}], type: object}}}}", "{a: {type: object, properties: {b: {$ref: '#/components/schemas/a'}}}}"},
		{"a reference or null", "{a: {type: object, properties: {b: {anyOf: [{$ref: '#/components/schemas/a'}], nullable: true}}}}", "{a: {type: object, properties: {b: {allOf: [{$ref: '#/components/schemas/a'}], nullable: true}}}}"},
		{"objects of one", "{a: {allOf: [{type: object, required: [b], properties: {b: {}}}, {}], required: [c], properties: {c: {}}}}", "{a: {type: object, required: [b, c], properties: {b: {}, c: {}}}}"},
		{"more than one", "{a: {allOf: [{$ref: '#/components/schemas/b'}, {required: [c]}]}, b: {type: object}}", "{a: {allOf: [{$ref: '#/components/schemas/b'}, {required: [c]}]}, b: {type: object}}"},
		{"another name", "{a: {$ref: '#/components/schemas/b'}, b: {type: object, properties: {c: {$ref: '#/components/schemas/a'}}}}", "{b: {type: object, properties: {c: {$ref: '#/components/schemas/b'}}}}"},
		{"a part of another", "{a: {type: object, properties: {b: {type: object, properties: {c: {}}}, d: {$ref: '#/components/schemas/a/properties/b'}}}}",
			"{a: {type: object, properties: {b: {$ref: '#/components/schemas/a_b'}, d: {$ref: '#/components/schemas/a_b'}}}, a_b: {type: object, properties: {c: {}}}}"},
		{"a name with escapes", "{a: {type: object, properties: {b: {$ref: '#/components/schemas/x~1y%20z'}}}, x/y z: {type: object}}", "{a: {type: object, properties: {b: {$ref: '#/components/schemas/x_y_z'}}}, x_y_z: {type: object}}"},
		{"a text with a name", "{a: {type: object, properties: {b: {$ref: '#/components/schemas/t'}, c: {$ref: '#/components/schemas/t'}}}, t: {type: string}}", "{a: {type: object, properties: {b: {type: string}, c: {type: string}}}}"},
		{"an enum of two places", "{a: {type: object, properties: {b: {$ref: '#/components/schemas/t'}, c: {$ref: '#/components/schemas/t'}}}, t: {type: string, enum: [x]}}", "{a: {type: object, properties: {b: {$ref: '#/components/schemas/t'}, c: {$ref: '#/components/schemas/t'}}}, t: {type: string, enum: [x]}}"},
		{"a limit that is excluded", "{a: {type: object, properties: {b: {type: integer, exclusiveMinimum: 0}}}}", "{a: {type: object, properties: {b: {type: integer, minimum: 0, exclusiveMinimum: true}}}}"},
		{"an enum that is open", "{a: {type: object, properties: {b: {anyOf: [{type: string, enum: [x]}, {type: string}]}, c: {oneOf: [{type: string}, {enum: [x]}, {enum: [y, x]}, {type: 'null'}]}}}}",
			"{a: {type: object, properties: {b: {type: string, enum: [x], x-open-enum: true}, c: {type: string, enum: [x, y], x-open-enum: true, nullable: true}}}}"},
		{"an enum with a name that is open", "{a: {type: object, properties: {b: {anyOf: [{$ref: '#/components/schemas/t'}, {type: string}]}, c: {$ref: '#/components/schemas/t'}}}, t: {type: string, enum: [x]}}",
			"{a: {type: object, properties: {b: {$ref: '#/components/schemas/t'}, c: {$ref: '#/components/schemas/t'}}}, t: {type: string, enum: [x], x-open-enum: true}}"},
		{"an enum that is open and may be null", "{a: {type: object, properties: {b: {anyOf: [{type: string, enum: [x], nullable: true}, {type: string}]}, c: {anyOf: [{$ref: '#/components/schemas/t'}, {type: string, nullable: true}]}, d: {$ref: '#/components/schemas/t'}}}, t: {type: string, enum: [x]}}",
			"{a: {type: object, properties: {b: {type: string, enum: [x], x-open-enum: true, nullable: true}, c: {nullable: true, allOf: [{$ref: '#/components/schemas/t'}]}, d: {$ref: '#/components/schemas/t'}}}, t: {type: string, enum: [x], x-open-enum: true}}"},
		{"an enum and something else", "{a: {type: object, properties: {b: {anyOf: [{type: string, enum: [x]}, {type: string, format: uuid}]}}}}", "{a: {type: object, properties: {b: {anyOf: [{type: string, enum: [x]}, {type: string, format: uuid}]}}}}"},
		{"a list in itself", "{a: {type: array, items: {$ref: '#/components/schemas/a'}}}", "{a: {type: array, items: {$ref: '#/components/schemas/a'}}}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var doc map[string]any
			if err := yaml.Unmarshal([]byte("{openapi: 3.0.3, components: {schemas: "+test.schemas+"}}"), &doc); err != nil {
				t.Fatal(err)
			}
			var want any
			if err := yaml.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if err := Normalise(doc); err != nil {
				t.Fatal(err)
			}
			Inline(doc)
			got := members(doc["components"])["schemas"]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	doc := map[string]any{"openapi": "3.1.0", "components": map[string]any{"schemas": map[string]any{"a": map[string]any{"items": map[string]any{"$ref": "#anchor"}}}}}
	if err := Normalise(doc); err == nil || !strings.Contains(err.Error(), "components.schemas.a.items refers to #anchor") {
		t.Errorf("a reference to an anchor: %v", err)
	}
}
