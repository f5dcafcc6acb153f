package apitest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// document is the specification with our corrections.
//
//go:embed openapi.gen.json
var document []byte

// A specification is the document, made ready to check requests against. It does not change, so
// all servers of a program share it.
type specification struct {
	doc    *openapi3.T
	routes map[[2]string]*route // by method and path: the ids of new operations differ in the table
}

// A route is what the document says of an operation.
type route struct {
	operation *openapi3.Operation
	query     map[string]*openapi3.Parameter // by name, without brackets
	paged     bool                           // it answers with pages of a list
}

var loadSpecification = sync.OnceValues(func() (*specification, error) { return readSpecification(document) })

func readSpecification(document []byte) (*specification, error) {
	document, err := inlineParameters(document)
	if err != nil {
		return nil, fmt.Errorf("apitest: the embedded specification cannot be read: %w", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("apitest: the embedded specification cannot be read: %w", err)
	}
	s := &specification{doc: doc, routes: map[[2]string]*route{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			r := &route{operation: op, query: map[string]*openapi3.Parameter{}}
			for _, parameters := range []openapi3.Parameters{item.Parameters, op.Parameters} {
				for _, p := range parameters {
					if p.Value.In == openapi3.ParameterInQuery {
						r.query[strings.TrimSuffix(p.Value.Name, "[]")] = p.Value
					}
				}
			}
			r.paged = r.query["offset"] != nil
			s.routes[[2]string{method, path}] = r
		}
	}
	return s, nil
}

// inlineParameters takes references out of the schemas of parameters that also say themselves what
// they want: the reference gives them a name in Go, and a reader of the document takes nothing else.
func inlineParameters(document []byte) ([]byte, error) {
	var doc map[string]any
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, err
	}
	var inline func(schema any)
	inline = func(schema any) {
		s, ok := schema.(map[string]any)
		if !ok {
			return
		}
		if s["type"] != nil {
			delete(s, "$ref")
		}
		inline(s["items"])
	}
	paths, _ := doc["paths"].(map[string]any)
	for _, item := range paths {
		item, _ := item.(map[string]any)
		for _, op := range item {
			op, _ := op.(map[string]any)
			parameters, _ := op["parameters"].([]any)
			for _, p := range parameters {
				if p, ok := p.(map[string]any); ok {
					inline(p["schema"])
				}
			}
		}
	}
	return json.Marshal(doc)
}

// route is what the document says of an operation of the table, which is made from it.
func (s *specification) route(op *operation.Operation) *route {
	return s.routes[[2]string{op.Method, op.Path}]
}

// A misfit is what does not fit the specification in a request.
type misfit struct {
	where  string // the place, as a JSON pointer
	reason string
	passes bool // MangaDex does not mind
	status int  // of the answer; 0 is 400
}

func (m *misfit) Error() string { return m.where + ": " + m.reason }

var validationOptions = []openapi3.SchemaValidationOption{
	openapi3.EnableFormatValidation(),
	openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
		"uuid": openapi3.NewCallbackValidator(func(s string) error {
			if len(s) != 36 {
				return errors.New("not a UUID")
			}
			return uuid.Validate(s)
		}),
		"uuid-pair": openapi3.NewCallbackValidator(func(s string) error {
			a, b, _ := strings.Cut(s, "_")
			return errors.Join(uuid.Validate(a), uuid.Validate(b))
		}),
		"uri": openapi3.NewCallbackValidator(func(s string) error {
			u, err := url.Parse(s)
			if err == nil && u.Scheme == "" {
				err = errors.New("not a URL")
			}
			return err
		}),
	}),
	openapi3.DisableSchemaErrorDetails(),
}

// check compares a request with the specification, all but multipart bodies, which it cannot
// describe.
func (s *specification) check(c *call) *misfit {
	route := s.route(c.op)
	for _, parameters := range []openapi3.Parameters{s.doc.Paths.Find(c.op.Path).Parameters, route.operation.Parameters} {
		for _, p := range parameters {
			if p.Value.In != openapi3.ParameterInPath {
				continue
			}
			schema := p.Value.Schema.Value
			if err := schema.VisitJSON(c.params[p.Value.Name], validationOptions...); err != nil {
				m := misfitOf("/"+p.Value.Name, err)
				if schema.Format == "uuid" {
					m.status = http.StatusNotFound // no route takes it
				}
				return m
			}
		}
	}
	if m := route.checkQuery(c.sent); m != nil {
		return m
	}
	return route.checkBody(c)
}

// bits are the flags that are 0 or 1, and no word, in MangaDex's document. In ours all flags are one
// type.
var bits = []string{"includeEmptyPages", "includeExternalUrl", "includeFuturePublishAt", "includeFutureUpdates", "includeUnavailable"}

// checkQuery finds what is wrong with a query. Of things that are wrong, those count first that
// MangaDex minds.
func (r *route) checkQuery(q phpQuery) (harmless *misfit) {
	for _, name := range q.names {
		p := r.query[name]
		if p == nil {
			m := &misfit{reason: undefined(name), passes: !r.paged}
			if !m.passes {
				return m
			}
			harmless = m
			continue
		}
		if name == "includes" && q.values[name].list() {
			continue // it takes whatever is in it, and expands what there is
		}
		if v := q.values[name]; slices.Contains(bits, name) && !v.array && v.text != "0" && v.text != "1" {
			return &misfit{where: "/" + name, reason: `Does not have a value in the enumeration ["0","1"]`}
		}
		if err := p.Schema.Value.VisitJSON(jsonOf(q.values[name], p.Schema.Value), validationOptions...); err != nil {
			return misfitOf("/"+name, err)
		}
		for _, key := range q.values[name].keys {
			if known := p.Schema.Value.Properties; known != nil && known[key] == nil {
				return &misfit{where: "/" + name, reason: undefined(key)}
			}
		}
	}
	for name, p := range r.query {
		if p.Required && q.values[name] == nil {
			return &misfit{where: "/" + name, reason: "The property " + name + " is required"}
		}
	}
	return harmless
}

// jsonOf is a value of a query as the schema sees it.
func jsonOf(v *phpValue, schema *openapi3.Schema) any {
	if !v.array {
		return scalar(v.text, schema)
	}
	if v.list() && !schema.Type.Is(openapi3.TypeObject) {
		list := make([]any, 0, len(v.keys))
		for _, text := range v.texts() {
			var item any = text
			if schema.Items != nil {
				item = scalar(text, schema.Items.Value)
			}
			list = append(list, item)
		}
		return list
	}
	object := make(map[string]any, len(v.keys))
	for _, key := range v.keys {
		object[key] = v.items[key]
	}
	return object
}

// scalar is a text of a query as its schema wants it, if it can be that.
func scalar(text string, schema *openapi3.Schema) any {
	switch {
	case schema.Type.Is(openapi3.TypeInteger):
		if n, err := strconv.Atoi(text); err == nil {
			return float64(n)
		}
	case schema.Type.Is(openapi3.TypeBoolean):
		switch text {
		case "1", "true":
			return true
		case "0", "false":
			return false
		}
	}
	return text
}

// maxBodies are how many bytes a body may have, by operation, where the documentation tells. The 4
// kB of a commit are not among them: they are less than the 500 pages that it may name.
var maxBodies = map[string]int{
	"CreateManga": 64 << 10, "UpdateManga": 64 << 10, "UpdateChapter": 32 << 10, "DeleteUploadedPages": 20 << 10, "CreateGroup": 16 << 10,
	"MapLegacyIDs": 10 << 10, "SetMangaReadMarkers": 10 << 10, "UpdateGroup": 8 << 10, "CreateCustomList": 8 << 10, "UpdateCustomList": 8 << 10,
	"CreateAuthor": 8 << 10, "UpdateAuthor": 8 << 10, "CreateReport": 8 << 10, "CreateMangaRelation": 8 << 10, "BeginUpload": 4 << 10,
	"CheckUploadApproval": 4 << 10, "LegacyLogin": 2 << 10, "LegacyRefresh": 2 << 10, "UpdateCover": 2 << 10, "SetReadingStatus": 2 << 10,
	"BeginChapterEdit": 1 << 10,
}

func (r *route) checkBody(c *call) *misfit {
	wanted := r.operation.RequestBody
	if wanted == nil {
		if len(c.body) > 0 && !bytes.Equal(bytes.TrimSpace(c.body), []byte("{}")) {
			return &misfit{reason: "the operation takes no body", passes: true}
		}
		return nil
	}
	if limit, ok := maxBodies[c.op.ID]; ok && len(c.body) > limit {
		return &misfit{reason: fmt.Sprintf("The body must not be larger than %d kB", limit>>10), status: http.StatusRequestEntityTooLarge}
	}
	if len(c.body) == 0 && !wanted.Value.Required {
		return nil
	}
	if len(c.body) == 0 && wanted.Value.Content.Get(contentJSON) != nil {
		c.body = []byte("{}") // as good as nothing, with or without a Content-Type
	} else if m := checkType(c.request, wanted.Value); m != nil {
		return m
	}
	content := wanted.Value.Content.Get(contentJSON)
	if content == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal(c.body, &value); err != nil { // with nothing after the value, unlike a Decoder
		return &misfit{reason: "Syntax error: " + err.Error()}
	}
	if content.Schema == nil {
		return nil
	}
	options := append([]openapi3.SchemaValidationOption{openapi3.VisitAsRequest()}, validationOptions...)
	if err := content.Schema.Value.VisitJSON(value, options...); err != nil {
		return misfitOf("", err)
	}
	return nil
}

func checkType(r *http.Request, body *openapi3.RequestBody) *misfit {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return &misfit{where: "Content-Type", reason: "the header is missing or malformed"}
	}
	if body.Content.Get(mediaType) == nil {
		return &misfit{where: "Content-Type", reason: "the operation does not take " + mediaType}
	}
	return nil
}

func undefined(name string) string {
	return "The property " + name + " is not defined and the definition does not allow additional properties"
}

// misfitOf says what does not fit, in the words of the library that MangaDex checks requests with.
func misfitOf(where string, err error) *misfit {
	var e *openapi3.SchemaError
	if !errors.As(err, &e) {
		return &misfit{where: where, reason: err.Error()}
	}
	pointer := e.JSONPointer()
	last := ""
	if len(pointer) > 0 {
		last = pointer[len(pointer)-1]
	}
	m := &misfit{where: where, reason: e.Reason}
	quoted := func() string { // the name of a property that kin-openapi puts into its reason
		if _, rest, ok := strings.Cut(e.Reason, `"`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			return name
		}
		return last
	}
	s := e.Schema
	switch e.SchemaField {
	case "enum":
		m.reason = "Does not have a value in the enumeration " + string(encode(s.Enum))
	case "maximum":
		m.reason = fmt.Sprintf("Must have a maximum value of %v", *s.Max)
	case "minimum":
		m.reason = fmt.Sprintf("Must have a minimum value of %v", *s.Min)
	case "maxLength":
		m.reason = fmt.Sprintf("Must be at most %d characters long", *s.MaxLength)
	case "minLength":
		m.reason = fmt.Sprintf("Must be at least %d characters long", s.MinLength)
	case "maxItems":
		m.reason = fmt.Sprintf("There must be a maximum of %d items in the array", *s.MaxItems)
	case "minItems":
		m.reason = fmt.Sprintf("There must be a minimum of %d items in the array", s.MinItems)
	case "pattern":
		m.reason = "Does not match the regex pattern " + s.Pattern
	case "format":
		m.reason = "Does not match the format " + s.Format
	case "type":
		m.reason = phpType(e.Value) + " value found, but " + wantedType(s) + " is required"
	case "required":
		m.reason = "The property " + quoted() + " is required"
	case "properties":
		m.reason = undefined(quoted())
		if last == quoted() {
			pointer = pointer[:len(pointer)-1]
		}
	}
	if len(pointer) > 0 {
		m.where += "/" + strings.Join(pointer, "/")
	}
	return m
}

// phpType is what PHP calls the type of a value.
func phpType(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return "String"
	case bool:
		return "Boolean"
	case []any:
		return "Array"
	case map[string]any:
		return "Object"
	case float64:
		if v == float64(int64(v)) {
			return "Integer"
		}
	}
	return "Double"
}

func wantedType(s *openapi3.Schema) string {
	name := "value"
	if types := s.Type.Slice(); len(types) > 0 {
		name = types[0]
	}
	if strings.ContainsAny(name[:1], "aeiou") {
		return "an " + name
	}
	return "a " + name
}
