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
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
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
	*routers.Route
	query map[string]*openapi3.Parameter // by name
}

var loadSpecification = sync.OnceValues(func() (*specification, error) { return readSpecification(document) })

func readSpecification(document []byte) (*specification, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("apitest: the embedded specification cannot be read: %w", err)
	}
	s := &specification{doc: doc, routes: map[[2]string]*route{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			r := &route{
				Route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
				query: map[string]*openapi3.Parameter{},
			}
			for _, parameters := range []openapi3.Parameters{item.Parameters, op.Parameters} {
				for _, p := range parameters {
					if p.Value.In == openapi3.ParameterInQuery {
						r.query[p.Value.Name] = p.Value
					}
				}
			}
			s.routes[[2]string{method, path}] = r
		}
	}
	return s, nil
}

// route is what the document says of an operation of the table, which is made from it.
func (s *specification) route(op *operation.Operation) *route {
	return s.routes[[2]string{op.Method, op.Path}]
}

// A misfit is what does not fit the specification in a request.
type misfit struct {
	where  string // name of the parameter, or where in the body
	reason string
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
func (s *specification) check(op *operation.Operation, r *http.Request, path map[string]string, query url.Values, body []byte) *misfit {
	route := s.route(op)
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: path, QueryParams: query, Route: route.Route,
		Options: &openapi3filter.Options{SkipSettingDefaults: true, SchemaValidationOptions: validationOptions},
	}
	for name := range query {
		if m := route.checkName(name); m != nil {
			return m
		}
	}
	for _, parameters := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, p := range parameters {
			if p.Value.In == openapi3.ParameterInQuery && !p.Value.Required && !given(query, p.Value.Name) {
				continue
			}
			var err error
			if schema := p.Value.Schema.Value; untyped(schema) {
				// A flag: some values are numbers, some texts. In a query all are texts.
				err = schema.VisitJSON(query.Get(p.Value.Name), validationOptions...)
			} else {
				err = openapi3filter.ValidateParameter(r.Context(), input, p.Value)
			}
			if err != nil {
				return parameterMisfit(p.Value, err)
			}
		}
	}
	return route.checkBody(r, body)
}

func untyped(schema *openapi3.Schema) bool {
	return schema.Type == nil && schema.OneOf == nil && schema.AnyOf == nil && schema.AllOf == nil
}

// given tells whether a parameter is in the query, as itself or as an object.
func given(query url.Values, name string) bool {
	if _, ok := query[name]; ok {
		return true
	}
	for key := range query {
		if strings.HasPrefix(key, name) && strings.HasPrefix(key[len(name):], "[") {
			return true
		}
	}
	return false
}

// checkName finds parameters that are misspelt or do not belong to the operation.
func (r *route) checkName(name string) *misfit {
	if _, ok := r.query[name]; ok {
		return nil
	}
	object, key, ok := strings.Cut(name, "[")
	p := r.query[object]
	if !ok || p == nil || p.Schema == nil || p.Schema.Value.Properties == nil {
		return &misfit{name, "the operation has no such parameter"}
	}
	if key = strings.TrimSuffix(key, "]"); p.Schema.Value.Properties[key] == nil {
		return &misfit{name, "the parameter " + object + " has no such key"}
	}
	return nil
}

func parameterMisfit(p *openapi3.Parameter, err error) *misfit {
	m := &misfit{p.Name, reason(err)}
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) && len(schema.JSONPointer()) > 0 && p.Name == "order" {
		m.where += "[" + schema.JSONPointer()[0] + "]"
	}
	return m
}

// reason is the innermost part of an error that says what is wrong.
func reason(err error) string {
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) && schema.Reason != "" {
		return schema.Reason
	}
	var request *openapi3filter.RequestError
	if errors.As(err, &request) {
		if request.Err != nil {
			return request.Err.Error()
		}
		return request.Reason
	}
	return err.Error()
}

func (r *route) checkBody(req *http.Request, body []byte) *misfit {
	wanted := r.Operation.RequestBody
	if wanted == nil {
		if len(body) > 0 && !bytes.Equal(bytes.TrimSpace(body), []byte("{}")) {
			return &misfit{"body", "the operation takes no body"}
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil {
		return &misfit{"Content-Type", "the header is missing or malformed"}
	}
	content := wanted.Value.Content.Get(mediaType)
	if content == nil {
		return &misfit{"Content-Type", fmt.Sprintf("the operation does not take %s", mediaType)}
	}
	if mediaType == "multipart/form-data" {
		return nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&value); err != nil {
		return &misfit{"body", "malformed JSON: " + err.Error()}
	}
	if content.Schema == nil {
		return nil
	}
	options := append([]openapi3.SchemaValidationOption{openapi3.VisitAsRequest()}, validationOptions...)
	if err := content.Schema.Value.VisitJSON(value, options...); err != nil {
		m := &misfit{"body", reason(err)}
		var schema *openapi3.SchemaError
		if errors.As(err, &schema) && len(schema.JSONPointer()) > 0 {
			m.where = "body/" + strings.Join(schema.JSONPointer(), "/")
		}
		return m
	}
	return nil
}
