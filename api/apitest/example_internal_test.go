package apitest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// embedded is the specification of this package.
func embedded(t *testing.T) *specification {
	t.Helper()
	spec, err := loadSpecification()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// An operation that the server knows from the document alone is answered with what fits: the
// example of every operation does.
func TestExamplesFit(t *testing.T) {
	t.Parallel()
	spec := embedded(t)
	for n := range operation.Table {
		op := &operation.Table[n]
		c := &call{exchange: &exchange{server: &Server{spec: spec}, now: time.Now().UTC()}, op: op}
		body, err := c.example()
		if err != nil {
			t.Errorf("%s: %v", op.ID, err)
			continue
		}
		if c.status < 200 || c.status > 299 {
			t.Errorf("%s: %d", op.ID, c.status)
		}
		schema := spec.route(op).operation.Responses.Status(c.status).Value.Content.Get(contentJSON)
		if schema == nil {
			if len(body) == 0 {
				t.Errorf("%s: an empty body", op.ID)
			}
			continue
		}
		var value any
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&value); err != nil {
			t.Errorf("%s: %v in %s", op.ID, err, body)
			continue
		}
		if err := schema.Schema.Value.VisitJSON(value, append([]openapi3.SchemaValidationOption{openapi3.VisitAsResponse()}, validationOptions...)...); err != nil {
			t.Errorf("%s: %v\n%s", op.ID, err, body)
		}
	}
}

// Every operation of the table has a route in the document, and every handler is for an operation
// that was known once.
func TestOperationsAreInTheDocument(t *testing.T) {
	t.Parallel()
	spec := embedded(t)
	for n := range operation.Table {
		op := &operation.Table[n]
		route := spec.route(op)
		if route == nil || route.operation != spec.doc.Paths.Find(op.Path).GetOperation(op.Method) {
			t.Errorf("%s: the document has %v", op.ID, route)
		}
	}
}

// An operation that nobody has thought of, under an id that is not the one of the table.
func TestOperationOfTomorrow(t *testing.T) {
	t.Parallel()
	const path, id = "/publisher/{id}", "72dd3ddd-753b-43f8-9a53-bfb1587d2319"
	spec, err := readSpecification([]byte(`{"openapi":"3.0.3","info":{"title":"","version":""},"paths":{"` + path + `":{"get":{
		"operationId":"get-publisher-id",
		"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string","format":"uuid"}},{"name":"depth","in":"query","schema":{"type":"integer","maximum":3}}],
		"responses":{"200":{"description":"","content":{"application/json":{"schema":{"type":"object","required":["result","names","since"],"properties":{
			"result":{"type":"string","enum":["ok"]},"names":{"type":"array","minItems":2,"items":{"type":"string","minLength":9}},"since":{"type":"string","format":"date-time"},"more":{"type":"string"}}}}}}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	op := &operation.Operation{ID: "GetPublisherID", Method: http.MethodGet, Path: path}
	r, _ := http.NewRequest(http.MethodGet, "http://localhost/publisher/"+id, nil)
	ask := func(query string) *misfit {
		return spec.check(&call{exchange: &exchange{request: r}, op: op, params: map[string]string{"id": id}, sent: readQuery(query)})
	}
	if m := ask("depth=3"); m != nil {
		t.Error(m)
	}
	if m := ask("depth=4"); m == nil || m.where != "/depth" {
		t.Errorf("too deep: %v", m)
	}
	now := time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)
	c := &call{exchange: &exchange{server: &Server{spec: spec}, now: now}, op: op}
	body, err := c.example()
	if want := `{"names":["example!!","example!!"],"result":"ok","since":"2031-05-04T12:00:00+00:00"}`; err != nil || c.status != 200 || string(body) != want {
		t.Errorf("%d %v\n%s\nwant %s", c.status, err, body, want)
	}
}
