package apitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// document is the specification, for the judge of the answers.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromFile("openapi.gen.json")
})

// known tells whether the document has a parameter, or a member of the body, of an operation.
func known(id, name string) bool {
	doc, err := document()
	if err != nil {
		return false
	}
	for path, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.OperationID != id {
				continue
			}
			for _, p := range slices.Concat(doc.Paths.Find(path).Parameters, op.Parameters) {
				if p.Value.Name == name || strings.HasPrefix(name, p.Value.Name+"[") {
					return true
				}
			}
		}
	}
	return false
}

// A judge checks every answer of the API against the specification with kin-openapi.
type judge struct {
	t    testing.TB
	next http.RoundTripper
	api  string // the host that it looks at
}

func (j judge) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := j.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	op, ok := api.OperationOf(r)
	if !ok || !strings.HasPrefix(r.URL.String(), j.api+"/") || strings.Count(r.URL.Path, "/") != strings.Count(op.Path, "/") {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return resp, nil // a fault on purpose
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		if err := judgeAnswer(op, r, resp, body); err != nil {
			j.t.Errorf("%s answered %d with what does not fit the specification: %v\n%.300s", op.ID, resp.StatusCode, err, body)
		}
	}
	return resp, nil
}

// judgeAnswer finds what does not fit in an answer.
func judgeAnswer(op api.Operation, r *http.Request, resp *http.Response, body []byte) error {
	doc, err := document()
	if err != nil {
		return err
	}
	item := doc.Paths.Find(op.Path)
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r,
			Route:   &routers.Route{Spec: doc, Path: op.Path, PathItem: item, Method: op.Method, Operation: item.GetOperation(op.Method)},
		},
		Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.EnableFormatValidation(),
			openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC4122)),
		}},
	}
	if bytes.Equal(body, []byte(`{"result":"ko"}`)) || resp.StatusCode == http.StatusBadRequest && !bytes.HasPrefix(body, []byte("{")) {
		return nil // two answers of MangaDex that no document has
	}
	return openapi3filter.ValidateResponse(context.Background(), input)
}

func TestTheJudgeIsStrict(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	id := srv.State().Manga()[0].ID.String()
	_, good := do(t, srv, http.MethodGet, "/manga/"+id, "")
	for _, change := range [][2]string{{"", ""}, {id, "nothing"}, {`"year":`, `"year":"x`}, {`"version":1`, `"version":0`}, {`"state":"published",`, ""}, {`"safe"`, `"unsafe"`}} {
		body := strings.Replace(good, change[0], change[1], 1)
		r, _ := http.NewRequest(http.MethodGet, srv.URL+"/manga/"+id, nil)
		op, _ := api.OperationOf(r)
		resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}}
		if err := judgeAnswer(op, r, resp, []byte(body)); (err == nil) != (change[0] == "") {
			t.Errorf("%q in place of %q: %v", change[1], change[0], err)
		}
	}
}

// judged is a client whose answers are checked.
func judged(t testing.TB, srv *apitest.Server) *http.Client {
	return &http.Client{Transport: judge{t, srv.Transport(), srv.URL}}
}

// newClient is a guest.
func newClient(t testing.TB, srv *apitest.Server) *api.Client {
	t.Helper()
	client, err := api.New(srv.URL, api.WithHTTPClient(judged(t, srv)), api.WithoutRateLimit(), api.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// do sends a request to the server, which need not be well-formed. A target without a host is for
// the API.
func do(t testing.TB, srv *apitest.Server, method, target, body string, header ...string) (int, string) {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = srv.URL + target
	}
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, text := send(t, judged(t, srv), r)
	return resp.StatusCode, text
}

// mustDo does with the token of an account what not every document has, so that its types may not be there:
// it reads a success into a type of the test.
func mustDo[T any](t testing.TB, srv *apitest.Server, token, method, target, body string) (answer T) {
	t.Helper()
	header := []string{"Authorization", "Bearer " + token}
	if body != "" {
		header = append(header, "Content-Type", "application/json")
	}
	status, text := do(t, srv, method, target, body, header...)
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK && status != http.StatusCreated {
		t.Fatalf("%s %s: %d %s", method, target, status, text)
	}
	return answer
}

// has tells whether the document has an operation; one that no document has is a mistake of the test.
func has(t testing.TB, id string) bool {
	t.Helper()
	if slices.ContainsFunc(api.Operations(), func(op api.Operation) bool { return op.ID == id }) {
		return true
	}
	if _, err := os.Stat(filepath.Join("..", "testdata", "wire", id+".txt")); err != nil {
		t.Fatalf("no document has an operation %s: %v", id, err)
	}
	return false
}

// needs skips a test that is about operations which the document does not have.
func needs(t testing.TB, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if !has(t, id) {
			t.Skipf("the document has no operation %s", id)
		}
	}
}

// bearer sends a token with every request.
func bearer(token string) api.Option {
	return api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	})
}

// send carries out a request and reads the answer.
func send(t testing.TB, client *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}
