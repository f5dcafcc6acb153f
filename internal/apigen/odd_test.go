package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// odd are parts of documents that OpenAPI allows: paths, and schemas that they use. All of them compile,
// and leave what is there as it is.
var odd = map[string]string{
	"items that are null": `
paths: {/odd/a: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/OddA'}}}}}}}}
components: {schemas: {OddA: {type: object, properties: {
  texts: {type: array, items: {type: string, nullable: true}}, numbers: {type: array, items: {type: integer, nullable: true}},
  either: {type: array, items: {oneOf: [{type: string}, {type: integer}]}}, things: {type: array, items: {type: object, nullable: true, properties: {a: {type: string}}}},
  any: {type: object, additionalProperties: true}, none: {type: object, additionalProperties: false}, map: {type: object, additionalProperties: {type: array, items: {type: string, nullable: true}}},
  nested: {type: array, items: {type: array, items: {type: string}}}}}}}`,
	"parameters of one Go name": `
paths: {'/odd/b/{a_b}/{aB}': {get: {parameters: [
  {name: a_b, in: path, required: true, schema: {type: string}}, {name: aB, in: path, required: true, schema: {type: string}},
  {name: manga, in: query, schema: {type: string}}, {name: 'manga[]', in: query, schema: {type: array, items: {type: string}}},
  {name: c_d, in: query, schema: {type: string}}, {name: cD, in: query, schema: {type: integer}}, {name: c_d, in: header, schema: {type: string}}],
  responses: {'200': {content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}}}}}`,
	"path parameters that are words of the code": `
paths: {'/odd/c/{first}/{time}/{err}/{body}/{req}/{params}/{c}/{context}/{page}': {get: {parameters: [
  {name: limit, in: query, schema: {type: integer}}, {name: offset, in: query, schema: {type: integer}}],
  responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/AuthorList'}}}}}}}}`,
	"orders of another kind": `
paths: {/odd/d: {get: {parameters: [
  {name: order, in: query, style: deepObject, explode: true, schema: {type: object, properties: {up: {type: boolean}, by: {$ref: '#/components/schemas/OddDirection'}, at: {type: string, enum: [asc, desc]}, sign: {type: string, enum: [+, '-', asc]}}}}],
  responses: {'204': {}}}, put: {parameters: [{name: order, in: query, schema: {type: object, additionalProperties: true, properties: {up: {type: string, enum: [asc, desc]}}}}], responses: {'204': {}}}}}
components: {schemas: {OddDirection: {type: string, enum: [asc, desc]}}}`,
	"members of one Go name": `
paths: {/odd/e: {get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {
  title: {type: string}, Title: {type: string}, TITLE: {type: string}, marshalJSON: {type: string}, unmarshalJSON: {type: string}, decode: {type: string}, member: {type: string}, append: {type: string}, extra: {type: string}, string: {type: string}, '1st': {type: string}, '': {type: string}, '+1': {type: string}, '-1': {type: string}, 日本: {type: string}, 'a-b': {type: string}, a_b: {type: string}}}}}}}}}}`,
	"schemas that differ in case": `
paths: {/odd/f: {get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {a: {$ref: '#/components/schemas/mangaAttributes'}, b: {$ref: '#/components/schemas/odd_thing'}, c: {$ref: '#/components/schemas/OddThing'}, d: {$ref: '#/components/schemas/SearchMangaParams'}}}}}}}}}}
components: {schemas: {mangaAttributes: {type: object, properties: {a: {type: string}}}, odd_thing: {type: object, properties: {a: {type: string}}}, OddThing: {type: object, properties: {b: {type: string}}}, SearchMangaParams: {type: object, properties: {b: {type: string}}}}}`,
	"operations of taken names": `
paths: {/odd/g: {get: {operationId: SearchMangaAll, responses: {'204': {}}}, post: {operationId: 2nd-thing, responses: {'204': {}}}, put: {operationId: search-manga, responses: {'204': {}}}, patch: {operationId: client, responses: {'204': {}}}, delete: {operationId: table, responses: {'204': {}}}}}`,
	"a list in itself": `
paths: {/odd/q: {get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {list: {$ref: '#/components/schemas/OddList'}}}}}}}}}}
components: {schemas: {OddList: {type: array, items: {type: array, items: {$ref: '#/components/schemas/OddList'}}}}}`,
	"a schema in itself": `
paths: {/odd/h: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/OddSelf'}}}}}}}}
components: {schemas: {OddSelf: {type: object, required: [next, list, other], properties: {next: {$ref: '#/components/schemas/OddSelf'}, list: {type: array, items: {$ref: '#/components/schemas/OddSelf'}}, other: {$ref: '#/components/schemas/OddOther'}}}, OddOther: {type: object, required: [back], properties: {back: {$ref: '#/components/schemas/OddSelf'}}}}}`,
	"places in a part of a path": `
paths: {'/odd/{id}:lock': {post: {responses: {'204': {}}}}, '/odd/{id}.zip': {get: {responses: {'200': {content: {application/zip: {}}}}}}, '/odd/{from}-{to}': {get: {responses: {'204': {}}}}, '/odd/v{version}/x': {get: {responses: {'204': {}}}}, '/odd/{id}': {get: {responses: {'204': {}}}}}`,
	"a slash at the end": `
paths: {/odd/k/: {get: {responses: {'204': {}}}}, '/odd/k/{id}': {get: {responses: {'204': {}}}}, /manga/: {get: {responses: {'204': {}}}}}`,
	"a method that is not used": `
paths: {/odd/p: {trace: {responses: {'200': {content: {message/http: {}}}}}, options: {responses: {'204': {}}}, head: {responses: {'204': {}}}}}`,
	"values that are no texts": `
paths: {/odd/l: {get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {
  id: {type: string, format: uuid, enum: [00000000-0000-4000-8000-000000000000]}, day: {type: string, format: date, enum: ['2020-01-01']}}}}}}}}}}`,
	"schemas of the names of others": `
paths: {/odd/r: {get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {a: {$ref: '#/components/schemas/Flag'}, b: {$ref: '#/components/schemas/ResourceType'}}}}}}}}}}
components: {schemas: {Flag: {type: object, properties: {a: {type: string}}}, ResourceType: {type: object, properties: {a: {type: string}}}}}`,
	"values that are objects": `
paths: {/odd/u: {get: {parameters: [{name: 'includes[]', in: query, schema: {type: array, items: {enum: [{a: 1}, {a: 1}, manga]}}}], responses: {'204': {}}}}}`,
	"a type of the name of a constant": `
paths: {/odd/m: {get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {a: {$ref: '#/components/schemas/PublicationStatusOngoing'}}}}}}}}}}
components: {schemas: {PublicationStatusOngoing: {type: object, properties: {a: {type: string}}}}}`,
	"enums that are open": `
paths: {/odd/o: {get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {
  mood: {anyOf: [{type: string, enum: [calm, wild]}, {type: string}]}, moods: {type: array, items: {oneOf: [{type: string}, {enum: [calm, wild]}]}},
  named: {$ref: '#/components/schemas/OddOpen'}, either: {anyOf: [{$ref: '#/components/schemas/OddDirection'}, {type: string}]}, maybe: {nullable: true, anyOf: [{$ref: '#/components/schemas/OddDirection'}, {type: string}]},
  several: {anyOf: [{$ref: '#/components/schemas/OddDirection'}, {enum: [calm]}, {type: string}]}, count: {anyOf: [{type: integer, enum: [1]}, {type: string}]}}}}}}}}}}
components: {schemas: {OddDirection: {type: string, enum: [asc, desc]}, OddOpen: {anyOf: [{type: string, enum: [up, down]}, {type: string}]}}}`,
	"one of several that must be there": `
paths: {/odd/n: {post: {requestBody: {content: {application/json: {schema: {type: object, oneOf: [{required: [a]}, {required: [b]}], properties: {a: {type: string}, b: {type: string}}}}}}, responses: {'204': {}}}}}`,
	"media types without a schema": `
paths: {/odd/i: {post: {requestBody: {content: {application/json: {}}}, responses: {'200': {content: {application/json: {}}}}}, put: {requestBody: {content: {}}, responses: {}}, get: {parameters: [{name: filter, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}], responses: {default: {content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}}}}}`,
	"bodies that are nearly JSON": `
paths: {/odd/s: {put: {requestBody: {content: {application/json-patch+json: {schema: {type: array, items: {type: object, properties: {op: {type: string}}}}}}}, responses: {'204': {}}}, patch: {requestBody: {content: {application/merge-patch+json: {schema: {type: object, properties: {a: {type: string}}}}}}, responses: {'204': {}}}}}`,
	"an entity whose attributes are one of several": `
paths: {/odd/t: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/OddEntity'}}}}}}}}
components: {schemas: {OddEntity: {type: object, properties: {type: {type: string, enum: [odd_entity]}, attributes: {type: object, properties: {a: {type: string}}, oneOf: [{type: object, properties: {b: {type: string}}}, {type: object, properties: {c: {type: string}}}]}}}}}`,
	"a request with the schema of an answer": `
paths: {/odd/j: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/MangaAttributes'}}}}, responses: {'204': {}}}}}`,
}

// withParts adds parts to a document.
func withParts(t testing.TB, doc part, parts ...string) {
	t.Helper()
	for _, text := range parts {
		var more part
		if err := yaml.Unmarshal([]byte(text), &more); err != nil {
			t.Fatal(err)
		}
		maps.Copy(object(doc, "paths"), object(more, "paths"))
		maps.Copy(object(doc, "components", "schemas"), object(more, "components", "schemas"))
	}
}

// TestOdd generates from a document with everything that is odd, and all forms of answers and parameters.
func TestOdd(t *testing.T) {
	t.Parallel()
	doc := presentDocument(t)
	withParts(t, doc, slices.Collect(maps.Values(odd))...)
	withParts(t, doc, styles, schemasOfAnswers)
	for name, form := range formsOfAnswers {
		withParts(t, doc, `{paths: {/forms/`+name+`: {get: {responses: {`+form.responses+`}}}}}`)
	}
	in := importInput(t, encoded(t, doc))
	files, report := generate(t, in)
	keepsSurface(t, files)
	for _, method := range []string{"TraceOddP(ctx context.Context, editors ...RequestEditorFn) (*http.Response, error)", "OptionsOddP(", "HeadOddP("} {
		if !strings.Contains(string(files[callsPath]), "func (c *Client) "+method) {
			t.Errorf("there is no %s", method)
		}
	}
	if report.Breaking != nil {
		t.Errorf("what is added is told to break something:\n%s", strings.Join(report.Breaking, "\n"))
	}
	if *mutations > 0 {
		in.Before = files
		if again, _ := generate(t, in); !maps.EqualFunc(files, again, bytes.Equal) {
			t.Errorf("a second generation writes something else:\n%s", strings.Join(changedLines(files, again), "\n"))
		}
	}
	t.Run("answers", func(t *testing.T) { checkAnswers(t, files) })
	t.Run("styles", func(t *testing.T) { checkStyles(t, files) })
}

// TestOddAlone generates from each alone, to find the one at fault.
func TestOddAlone(t *testing.T) {
	if *mutations == 0 {
		t.Skip("-mutations 1 runs it")
	}
	for name, text := range odd {
		t.Run(name, func(t *testing.T) {
			doc := presentDocument(t)
			withParts(t, doc, text)
			files, _ := generate(t, importInput(t, encoded(t, doc)))
			keepsSurface(t, files)
		})
	}
}

// TestRefused refuses what cannot be used, with its place.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ part, want string }{
		"schemas that are each other":          {`{paths: {/odd: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/OddA'}}}}}}}}, components: {schemas: {OddA: {$ref: '#/components/schemas/OddB'}, OddB: {$ref: '#/components/schemas/OddA'}}}}`, "components.schemas.OddA leads to itself (OddA → OddB → OddA)"},
		"schemas that are parts of each other": {`{components: {schemas: {OddA: {allOf: [{type: object, properties: {a: {type: string}}}, {$ref: '#/components/schemas/OddB'}]}, OddB: {allOf: [{$ref: '#/components/schemas/OddA'}, {type: object, properties: {b: {type: string}}}]}}}}`, "components.schemas.OddA leads to itself (OddA → OddB → OddA)"},
		"paths that are the same to a server":  {`{paths: {'/manga/{other}': {get: {responses: {'204': {}}}}}}`, "is the same to a server as"},
		"a media type that is none":            {`{paths: {/odd: {get: {responses: {'200': {content: {'a b': {}}}}}}}}`, `GET /odd has the media type "a b", which is none`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := presentDocument(t)
			withParts(t, doc, test.part)
			in := presentInput(t)
			in.Document = encoded(t, doc)
			if files, _, err := Generate(in); err == nil || files != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
