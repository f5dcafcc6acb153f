package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/mangadex-go/mangadex/internal/document"
)

// An operation is one method on one path of the overlaid document.
type operation struct {
	id         string // the Go name
	given      bool   // it is the operationId as it stands
	method     string
	path       string
	spec       *openapi3.Operation
	auth       string // AuthNone, AuthOptional or AuthRequired
	limit      *rateLimit
	pathParams []*openapi3.Parameter // in the order of the path
	query      []*openapi3.Parameter

	body         string   // Go type of the JSON body; empty without one
	emptyObj     bool     // the body is {}
	form         string   // Go type of the multipart body, or io.Reader with a content type
	result       string   // Go type of the answer; empty when it says nothing
	text         []string // media types of an answer that is a text
	stream       []string // media types of one that is neither JSON nor a text
	acknowledges bool     // there is an answer, which says that it went well
	unread       []string // statuses of what the method does not return, because it returns another success
	list         *list    // how to page, nil for the rest
}

type rateLimit struct {
	Requests int    `json:"requests"`
	Minutes  int    `json:"minutes"`
	Bucket   string `json:"bucket"`
}

type list struct {
	item  string // Go type of an element
	limit int    // the largest page
	hasID bool
}

// methods in the order in which a reader of the API expects them.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions, http.MethodTrace}

// operations lists the operations of the document by path and method.
func operations(doc *openapi3.T) ([]*operation, error) {
	var ops []*operation
	paths := doc.Paths.Keys()
	slices.Sort(paths)
	for _, path := range paths {
		item := doc.Paths.Value(path)
		for _, method := range methods {
			spec := item.GetOperation(method)
			if spec == nil {
				continue
			}
			op := &operation{id: goName(spec.OperationID), method: method, path: path, spec: spec}
			op.given = op.id != "" && op.id == spec.OperationID
			if op.id == "" {
				op.id = pathName(method, path)
			}
			spec.OperationID = op.id
			op.auth = auth(doc, spec)
			if raw, ok := spec.Extensions["x-rate-limit"]; ok {
				data, err := json.Marshal(raw)
				if err != nil {
					return nil, err
				}
				if err := json.Unmarshal(data, &op.limit); err != nil {
					return nil, fmt.Errorf("%s: x-rate-limit: %w", op.id, err)
				}
			}
			op.parameters(item)
			ops = append(ops, op)
		}
	}
	return ops, nil
}

// auth reads what the document says about a token: [] none, [{}, Bearer] optional, Bearer alone
// required. No statement means the document's own.
func auth(doc *openapi3.T, spec *openapi3.Operation) string {
	security := doc.Security
	if spec.Security != nil {
		security = *spec.Security
	}
	if len(security) == 0 {
		return "AuthNone"
	}
	for _, requirement := range security {
		if len(requirement) == 0 {
			return "AuthOptional"
		}
	}
	return "AuthRequired"
}

// parameters sorts out the parameters of the operation and of its path; those of the operation
// come first, as in the generated types, and replace those of the path.
func (op *operation) parameters(item *openapi3.PathItem) {
	byName := map[string]*openapi3.Parameter{}
	for _, ref := range append(slices.Clone(item.Parameters), op.spec.Parameters...) {
		p := ref.Value
		if _, seen := byName[p.In+" "+p.Name]; !seen && p.In == "query" {
			op.query = append(op.query, p)
		}
		byName[p.In+" "+p.Name] = p
	}
	for i, p := range op.query {
		op.query[i] = byName["query "+p.Name]
	}
	for _, name := range document.PathNames(op.path) {
		if p := byName["path "+name]; p != nil {
			op.pathParams = append(op.pathParams, p)
		}
	}
}

func marshal(doc *openapi3.T) ([]byte, error) {
	data, err := doc.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return indented(data)
}

// marshalOpen is marshal for who checks values: enums that are open let other values through.
func marshalOpen(doc *openapi3.T) ([]byte, error) {
	data, err := marshal(doc)
	if err != nil || !bytes.Contains(data, []byte(document.ExtOpen)) {
		return data, err
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return nil, err
	}
	openEnums(value)
	if data, err = json.Marshal(value); err != nil {
		return nil, err
	}
	return indented(data)
}

func openEnums(value any) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			openEnums(v)
		}
	case map[string]any:
		if value[document.ExtOpen] == true {
			value["anyOf"] = []any{map[string]any{"type": "string", "enum": value["enum"]}, map[string]any{"type": "string"}}
			for _, key := range []string{"type", "enum", document.ExtOpen} {
				delete(value, key)
			}
		}
		for _, v := range value {
			openEnums(v)
		}
	}
}

// indented is JSON with line breaks.
func indented(data []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", " "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
