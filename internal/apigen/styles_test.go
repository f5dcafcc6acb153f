package main

import (
	"strings"
	"testing"
)

// styles has parameters in every style, and a path of many parts.
const styles = `
paths:
  '/styles/v{version}/{id}:lock/{from}-{to}':
    get:
      parameters:
      - {name: 'filter[a]', in: query, schema: {type: string}}
      - {name: pipes, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: string}}}
      - {name: spaces, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {type: string}}}
      - {name: commas, in: query, explode: false, schema: {type: array, items: {type: string}}}
      - {name: many, in: query, schema: {type: array, items: {type: integer}}}
      - {name: deep, in: query, style: deepObject, explode: true, schema: {type: object, properties: {a: {type: string}}}}
      - {name: X-Trace, in: header, schema: {type: string}}
      - {name: X-Must, in: header, required: true, schema: {type: string}}
      - {name: crumb, in: cookie, schema: {type: string}}
      - {name: must, in: query, required: true, schema: {type: boolean}}
      responses: {'204': {}}
  '/plain/{id}/{to}':
    get:
      parameters:
      - {name: to, in: path, required: true, schema: {type: integer}}
      - {name: id, in: path, required: true, schema: {type: string, format: uuid}}
      responses: {'204': {}}
  '/plain/v{version}/{id}:lock':
    put:
      parameters:
      - {name: version, in: path, required: true, schema: {type: integer}}
      - {name: id, in: path, required: true, schema: {type: string, format: uuid}}
      - {name: must, in: query, required: true, schema: {type: boolean}}
      - {name: 'many[]', in: query, schema: {type: array, items: {type: string, enum: [a, b]}}}
      requestBody: {content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}
      responses: {'204': {}}
`

// checkStyles looks at requests of parameters in every style, and at paths of any form: the passes over what
// oapi-codegen writes keep them as they are, and have the path checked.
func checkStyles(t *testing.T, files Files) {
	_, code, found := strings.Cut(string(files[requestsPath]), "// newGetStyles")
	code, _, _ = strings.Cut(code, "\n}\n")
	if !found {
		t.Fatal("there is no such request")
	}
	code = strings.Join(strings.Fields(code), " ")
	for what, want := range map[string]string{
		"a name with brackets":    `runtime.StyleParamWithOptions("form", true, "filter[a]"`,
		"pipes":                   `runtime.StyleParamWithOptions("pipeDelimited", false, "pipes"`,
		"spaces":                  `runtime.StyleParamWithOptions("spaceDelimited", false, "spaces"`,
		"one value with commas":   `runtime.StyleParamWithOptions("form", false, "commas"`,
		"one value for each":      `runtime.StyleParamWithOptions("form", true, "many"`,
		"an object":               `runtime.StyleParamWithOptions("deepObject", true, "deep"`,
		"an empty list is absent": `if len(params.Pipes) > 0 {`,
		"a header":                `runtime.StyleParamWithOptions("simple", false, "X-Trace"`,
		"a header that must be":   `req.Header.Set("X-Must"`,
		"a cookie":                `Name: "crumb"`,
		"a path with parts":       `"/styles/v%s/%s:lock/%s-%s"`,
		"a value of the path":     `stylePath("simple", false, "version"`,
		"what must be sent":       `"must", params.Must`,
	} {
		if !strings.Contains(code, want) {
			t.Errorf("%s: no %s in\n%s", what, want, code)
		}
	}
	if strings.Contains(code, `StyleParamWithOptions("simple", false, "id"`) {
		t.Error("a value of the path is not checked")
	}
	_, code, _ = strings.Cut(string(files[requestsPath]), "func newGetPlain")
	if code, _, _ = strings.Cut(code, "\n}\n"); !strings.Contains(code, "stylePath(") {
		t.Error("a parameter hides what is short")
	}
	_, code, _ = strings.Cut(string(files[requestsPath]), "func newPutPlain")
	code, _, _ = strings.Cut(code, "\n}\n")
	_, code, _ = strings.Cut(code, "\n")
	if want := `	to := newAddress(server, "/plain/v{version}/{id}:lock")
	to.inPath("version", &version)
	to.inPath("id", &id)
	if params != nil {
		to.inQuery("many[]", &params.Many)
		to.inQuery("must", &params.Must)
	}
	return to.encoded(http.MethodPut, "application/json", body)`; code != want {
		t.Errorf("plain values in\n%s\nwant\n%s", code, want)
	}
}
