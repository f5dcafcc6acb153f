package main

import (
	"regexp"
	"strings"
	"testing"
)

const (
	acknowledgement = `{type: object, properties: {result: {type: string}}}`
	thing           = `{type: object, properties: {result: {type: string}, data: {type: object, properties: {id: {type: string}}}}}`
)

// formsOfAnswers are forms in which an operation can succeed, with what its method returns and does.
var formsOfAnswers = map[string]struct{ responses, result, code string }{
	"charset":    {`'200': {content: {'application/json; charset=utf-8': {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "return call(ctx, "},
	"plus":       {`'200': {content: {application/vnd.mangadex+json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "return call(ctx, "},
	"range":      {`2XX: {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "return call(ctx, "},
	"default":    {`default: {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "return call(ctx, "},
	"partial":    {`'206': {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "return call(ctx, "},
	"multi":      {`'207': {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "return call(ctx, "},
	"either":     {`'200': {content: {application/json: {schema: ` + acknowledgement + `}}}, '202': {content: {application/json: {schema: ` + thing + `}}}`, `\(\*\w+, error\)`, "return call(ctx, "},
	"failure":    {`'204': {}, default: {content: {application/json: {schema: ` + thing + `}}}`, `error`, "c.do("},
	"list":       {`'200': {content: {application/json: {schema: {type: array, items: ` + thing + `}}}}`, `\(\[\]\w+, error\)`, "new(answerOf"},
	"map":        {`'200': {content: {application/json: {schema: {type: object, additionalProperties: {$ref: '#/components/schemas/Tag'}}}}}`, `\(map\[string\]Tag, error\)`, "new(answerOf"},
	"words":      {`'200': {content: {application/json: {schema: {type: array, items: {type: string}}}}}`, `\(json.RawMessage, error\)`, "c.rawAnswer("},
	"schemaless": {`'200': {content: {application/json: {}}}`, `\(json.RawMessage, error\)`, "c.rawAnswer("},
	"union":      {`'200': {content: {application/json: {schema: {$ref: '#/components/schemas/FormsEither'}}}}`, `\(json.RawMessage, error\)`, "c.rawAnswer("},
	"andEither":  {`'200': {content: {application/json: {schema: {type: object, properties: {a: {type: string}}, oneOf: [{type: object, properties: {b: {type: string}}}, ` + thing + `]}}}}`, `\(json.RawMessage, error\)`, "c.rawAnswer("},
	"word":       {`'200': {content: {text/plain: {schema: {type: string}}}}`, `\(string, error\)`, `accept: "text/plain"`},
	"table":      {`'200': {content: {text/csv; charset=utf-8: {schema: {type: string}}}}`, `\(string, error\)`, `accept: "text/csv"`},
	"archive":    {`'200': {content: {application/zip: {schema: {type: string, format: binary}}}}`, `\(\*http.Response, error\)`, `accept: "application/zip"`},
	"picture":    {`'200': {content: {image/png: {}, image/webp: {}}}`, `\(\*http.Response, error\)`, `accept: "image/png, image/webp"`},
	"anything":   {`'200': {content: {'*/*': {}}}`, `\(\*http.Response, error\)`, "c.stream("},
	"ack":        {`'200': {content: {application/json: {schema: ` + acknowledgement + `}}}`, `error`, "c.acknowledge("},
	"ackOrText":  {`'200': {content: {application/json: {schema: ` + acknowledgement + `}, text/plain: {}}}`, `\(string, error\)`, "c.text("},
	"nothing":    {`'204': {}`, `error`, "c.do("},
	"silent":     {`'200': {description: ''}`, `error`, "c.do("},
}

// schemasOfAnswers are what some of them refer to.
const schemasOfAnswers = `{components: {schemas: {FormsEither: {oneOf: [{$ref: '#/components/schemas/Manga'}, {$ref: '#/components/schemas/Chapter'}]}}}}`

// checkAnswers looks at what methods return, by the forms in which an operation can succeed.
func checkAnswers(t *testing.T, files Files) {
	code := string(files[callsPath])
	for name, form := range formsOfAnswers {
		_, method, found := strings.Cut(code, "// GetForms"+strings.ToUpper(name[:1])+name[1:]+" calls")
		method, _, _ = strings.Cut(method, "\n}\n")
		if !found || !regexp.MustCompile(`editors \.\.\.RequestEditorFn\) `+form.result+` \{`).MatchString(method) || !strings.Contains(method, form.code) {
			t.Errorf("%s: %v\n%s", name, found, method)
		}
	}
	if !regexp.MustCompile(`(?m)^func \(c \*Client\) Ping\(ctx context.Context, editors \.\.\.RequestEditorFn\) error`).MatchString(code) {
		t.Error("Ping has more to say than before")
	}
}
