package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestAnswers looks at what methods return, by the forms in which an operation can succeed.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const ack = `{type: object, properties: {result: {type: string}}}`
	const thing = `{type: object, properties: {result: {type: string}, data: {type: object, properties: {id: {type: string}}}}}`
	tests := map[string]struct{ responses, result, code string }{
		"charset":    {`'200': {content: {'application/json; charset=utf-8': {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "call["},
		"plus":       {`'200': {content: {application/vnd.mangadex+json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "call["},
		"range":      {`2XX: {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "call["},
		"default":    {`default: {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "call["},
		"partial":    {`'206': {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "call["},
		"multi":      {`'207': {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "call["},
		"either":     {`'200': {content: {application/json: {schema: ` + ack + `}}}, '202': {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "call["},
		"failure":    {`'204': {}, default: {content: {application/json: {schema: ` + thing + `}}}`, `error`, "c.do("},
		"list":       {`'200': {content: {application/json: {schema: {type: array, items: ` + thing + `}}}}`, `\(json.RawMessage, error\)`, "c.rawAnswer("},
		"schemaless": {`'200': {content: {application/json: {}}}`, `\(json.RawMessage, error\)`, "c.rawAnswer("},
		"word":       {`'200': {content: {text/plain: {schema: {type: string}}}}`, `\(string, error\)`, `accept: "text/plain"`},
		"table":      {`'200': {content: {text/csv; charset=utf-8: {schema: {type: string}}}}`, `\(string, error\)`, `accept: "text/csv"`},
		"archive":    {`'200': {content: {application/zip: {schema: {type: string, format: binary}}}}`, `\(\*http.Response, error\)`, `accept: "application/zip"`},
		"picture":    {`'200': {content: {image/png: {}, image/webp: {}}}`, `\(\*http.Response, error\)`, `accept: "image/png, image/webp"`},
		"anything":   {`'200': {content: {'*/*': {}}}`, `\(\*http.Response, error\)`, "c.stream("},
		"ack":        {`'200': {content: {application/json: {schema: ` + ack + `}}}`, `error`, "c.acknowledge("},
		"ackOrText":  {`'200': {content: {application/json: {schema: ` + ack + `}, text/plain: {}}}`, `\(string, error\)`, "c.text("},
		"nothing":    {`'204': {}`, `error`, "c.do("},
		"silent":     {`'200': {description: ''}`, `error`, "c.do("},
	}
	doc := presentDocument(t)
	for name, test := range tests {
		withParts(t, doc, `{paths: {/forms/`+name+`: {get: {responses: {`+test.responses+`}}}}}`)
	}
	files, _ := generate(t, importInput(t, encoded(t, doc)))
	if _, err := typeCheck(files); err != nil {
		t.Fatal(err)
	}
	code := string(files["api/calls.gen.go"])
	for name, test := range tests {
		_, method, found := strings.Cut(code, "// GetForms"+strings.ToUpper(name[:1])+name[1:]+" calls")
		method, _, _ = strings.Cut(method, "\n}\n")
		if !found || !regexp.MustCompile(`editors \.\.\.RequestEditorFn\) `+test.result+` \{`).MatchString(method) || !strings.Contains(method, test.code) {
			t.Errorf("%s: %v\n%s", name, found, method)
		}
	}
	if !regexp.MustCompile(`(?m)^func \(c \*Client\) Ping\(ctx context.Context, editors \.\.\.RequestEditorFn\) error`).MatchString(code) {
		t.Error("Ping has more to say than before")
	}
}
