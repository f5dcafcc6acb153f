package main

import (
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// extAcknowledges is how the overlay tells that an answer only says that all went well: a schema, or the
// text of an operation, like pong.
const extAcknowledges = "x-acknowledges"

// An answer is one form of a success.
type answer struct {
	status    string
	schema    *openapi3.SchemaRef
	mediaType string
}

// answers are the forms in which an operation can succeed, by status: those of 2xx, and where there is
// none of these the default, unless that has the form of failures.
func (op *operation) answers() []answer {
	const failureSchema = schemaPrefix + "ErrorResponse"
	var found []answer
	responses := op.spec.Responses.Map()
	statuses := slices.DeleteFunc(slices.Sorted(maps.Keys(responses)), func(status string) bool { return !strings.HasPrefix(status, "2") })
	if len(statuses) == 0 {
		statuses = []string{"default"}
	}
	for _, status := range statuses {
		if response := responses[status]; response != nil && response.Value != nil {
			for _, mediaType := range slices.Sorted(maps.Keys(response.Value.Content)) {
				if schema := response.Value.Content[mediaType].Schema; status == "default" && schema != nil && schema.Ref == failureSchema {
					continue
				}
				found = append(found, answer{status, response.Value.Content[mediaType].Schema, mediaType})
			}
		}
	}
	return found
}

func (a answer) isJSON() bool {
	return a.mediaType == "application/json" || a.mediaType == "text/json" || strings.HasSuffix(a.mediaType, "+json")
}

// isText reports whether an answer is a text. A range of types can be anything.
func (a answer) isText() bool {
	plain, _, err := mime.ParseMediaType(a.mediaType)
	return err == nil && strings.HasPrefix(plain, "text/") && !a.isJSON() && !strings.Contains(plain, "*")
}

// resolveAnswer decides what a method returns. Of several forms it is the one that says most: JSON with
// content, then a text, then a stream, then an acknowledgement, and then nothing.
func (m *model) resolveAnswer(op *operation) {
	for _, a := range op.answers() {
		switch {
		case op.spec.Extensions[extAcknowledges] == true:
		case a.isJSON():
			if goType := m.answerType(a.schema); goType == "" {
				op.acknowledges = true
			} else if op.result == "" {
				op.result = goType
			} else if op.result != goType && !slices.Contains(op.unread, a.status) {
				op.unread = append(op.unread, a.status)
			}
		case a.isText():
			op.text = append(op.text, a.mediaType)
		default:
			op.stream = append(op.stream, a.mediaType)
		}
	}
	if op.result != "" {
		m.resolveList(op)
	}
}

// answerType is the Go type of an answer in JSON, empty for one that says nothing but that all went well.
func (m *model) answerType(ref *openapi3.SchemaRef) string {
	if ref == nil || ref.Value == nil {
		return "json.RawMessage"
	}
	if ref.Value.Extensions[extAcknowledges] == true {
		return ""
	}
	if target, ok := ref.Value.Extensions[extGoType].(string); ok {
		return target
	}
	if whole := m.wholeType(ref.Value); whole != "" {
		return whole
	}
	name := ""
	if ref.Ref != "" {
		name = m.resolveName(goTypeName(strings.TrimPrefix(ref.Ref, schemaPrefix), ref.Value))
	}
	fields := m.types.structs[name]
	switch {
	case fields == nil || m.types.jsonSelf[name]: // one of several, which has no fields of its own
		return "json.RawMessage"
	case slices.ContainsFunc(fields, func(f field) bool { return f.json != "-" && f.json != "result" }):
		return name
	}
	return ""
}

// wholeType is the Go type of an answer that is a list or a map of objects, and nothing else.
func (m *model) wholeType(s *openapi3.Schema) string {
	element, of := s.Items, "[]"
	if s.Type.Is("object") && len(s.Properties) == 0 && len(s.AllOf) == 0 {
		element, of = s.AdditionalProperties.Schema, "map[string]"
	}
	if element == nil || element.Ref == "" || element.Value == nil {
		return ""
	}
	name := m.resolveName(goTypeName(strings.TrimPrefix(element.Ref, schemaPrefix), element.Value))
	if m.types.structs[name] == nil || m.types.jsonSelf[name] {
		return ""
	}
	return of + name
}

// whole is the name of the type that decodes an answer which is a list or a map, empty for another.
func (op *operation) whole() string {
	if strings.HasPrefix(op.result, "[]") || strings.HasPrefix(op.result, "map[") {
		return "answerOf" + op.id
	}
	return ""
}

// answer is what a method returns, and the call that reads it.
func (m *model) answer(op *operation) (result, how string) {
	switch {
	case op.whole() != "":
		return "(" + op.result + ", error)", "new(" + op.whole() + ").of(ctx, c, &r, editors)"
	case op.result == "json.RawMessage":
		return "(json.RawMessage, error)", "c.rawAnswer(ctx, &r, editors)"
	case op.result != "":
		return "(*" + op.result + ", error)", "call(ctx, c, &r, editors, new(" + op.result + "))"
	case len(op.text) > 0:
		return "(string, error)", "c.text(ctx, &r, editors)"
	case len(op.stream) > 0:
		return "(*http.Response, error)", "c.stream(ctx, &r, editors)"
	case op.acknowledges:
		return "error", "c.acknowledge(ctx, &r, editors)"
	}
	return "error", "c.do(ctx, &r, editors)"
}

// silent is what a method returns that was there before there was anything to return, and the call that
// reads the answer.
func (m *model) silent(op *operation) (result, how string) {
	if op.acknowledges || m.types.field(op.result, "Result") != nil {
		return "error", "c.acknowledge(ctx, &r, editors)"
	}
	return "error", "c.do(ctx, &r, editors)"
}

// accept is what a request says that it wants to hear, where that is not JSON.
func (op *operation) accept() string {
	mediaTypes := op.text
	if len(mediaTypes) == 0 {
		mediaTypes = op.stream
	}
	if op.result != "" || len(mediaTypes) == 0 {
		return ""
	}
	return ", accept: " + strconv.Quote(strings.Join(mediaTypes, ", "))
}
