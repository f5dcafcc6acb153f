package apitest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/mangadex-go/mangadex/api/internal/operation"
)

// An operation that the server knows from the document alone is answered with what fits: the
// example of every operation does.
func TestExamplesFit(t *testing.T) {
	t.Parallel()
	spec, err := loadSpecification()
	if err != nil {
		t.Fatal(err)
	}
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
		schema := spec.route(op).Operation.Responses.Status(c.status).Value.Content.Get(contentJSON)
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
	spec, err := loadSpecification()
	if err != nil {
		t.Fatal(err)
	}
	for n := range operation.Table {
		op := &operation.Table[n]
		route := spec.route(op)
		if route == nil || route.Method != op.Method || route.Path != op.Path {
			t.Errorf("%s: the document has %v", op.ID, route)
		}
	}
}
