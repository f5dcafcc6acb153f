package api

import (
	"bytes"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/operation"
)

// maxBody bounds an answer. The largest page of the API is about 5 MB.
const maxBody = 64 << 20

// A request is a call in the making. The generated methods fill it: first the path, then the
// query, then the body.
type request struct {
	op          *operation.Operation
	target      []byte // escaped path and query
	path        int    // length of the path in target; 0 until the query begins
	contentType string
	body        []byte
	reader      io.Reader                     // a body that is not in memory
	rewind      func() (io.ReadCloser, error) // begins reader anew; nil if it cannot
	length      int64                         // of reader; -1 if unknown
	err         error
	attempts    *answer.Attempts // at sending it
}

func newRequest(op *operation.Operation) request {
	return request{op: op, target: make([]byte, 0, 256)}
}

// literal, id, number and segment add to the path.

func (r *request) literal(text string) { r.target = append(r.target, text...) }

func (r *request) id(id uuid.UUID) { r.target = jsonio.AppendUUIDText(r.target, id) }

//nolint:unused // for operations that the document does not have yet
func (r *request) number(n int) { r.target = strconv.AppendInt(r.target, int64(n), 10) }

func (r *request) segment(text string) {
	if text == "" || text == "." || text == ".." {
		r.err = errors.Join(r.err, fmt.Errorf("api: %s: %q cannot be a part of the path", r.op.ID, text))
	}
	r.target = append(r.target, url.PathEscape(text)...)
}

// name begins a query parameter; it is escaped and ends in an equals sign.
func (r *request) name(name string) {
	separator := byte('&')
	if r.path == 0 {
		r.path = len(r.target)
		separator = '?'
	}
	r.target = append(append(r.target, separator), name...)
}

func (r *request) text(name, v string) {
	r.name(name)
	r.target = appendQueryEscaped(r.target, v)
}

func (r *request) integer(name string, v int) {
	r.name(name)
	r.target = strconv.AppendInt(r.target, int64(v), 10)
}

func (r *request) boolean(name string, v bool) {
	r.name(name)
	r.target = strconv.AppendBool(r.target, v)
}

func (r *request) uuid(name string, v uuid.UUID) {
	r.name(name)
	r.target = jsonio.AppendUUIDText(r.target, v)
}

func (r *request) order(name, direction string) {
	if direction != "" {
		r.text(name, direction)
	}
}

// other adds a value of a type that has no method here.
func (r *request) other(name string, v any) {
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			r.err = errors.Join(r.err, fmt.Errorf("api: %s: %w", r.op.ID, err))
			return
		}
		r.text(name, string(text))
		return
	}
	plain, err := url.QueryUnescape(strings.TrimSuffix(name, "="))
	if err == nil {
		var fragment string
		if fragment, err = runtime.StyleParamWithOptions("form", true, plain, v, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery}); err == nil {
			r.name(fragment)
			return
		}
	}
	r.err = errors.Join(r.err, fmt.Errorf("api: %s: %w", r.op.ID, err))
}

const upperHex = "0123456789ABCDEF"

// appendQueryEscaped is [url.QueryEscape] without the string.
func appendQueryEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// object sets the body by its generated encoder.
func (r *request) object(v encoder) { r.body, r.contentType = v.append(nil), "application/json" }

// json sets the body.
func (r *request) json(v any) {
	body, err := json.Marshal(v)
	if err != nil {
		r.err = errors.Join(r.err, fmt.Errorf("api: %s: the body cannot be encoded: %w", r.op.ID, err))
		return
	}
	r.body, r.contentType = body, "application/json"
}

// emptyObject sets the body {}, which some operations demand.
func (r *request) emptyObject() { r.body, r.contentType = []byte("{}"), "application/json" }

// stream sets a body of the caller's.
//
//nolint:unused // for operations that the document does not have yet
func (r *request) stream(contentType string, body io.Reader) {
	r.reader, r.contentType, r.length = body, contentType, -1
}

// http makes the request for net/http.
func (r *request) http(ctx context.Context, base *url.URL) (*http.Request, error) {
	if r.err != nil {
		return nil, r.err
	}
	target := string(r.target)
	path, query := target, ""
	if r.path > 0 {
		path, query = target[:r.path], target[r.path+1:]
	}
	u := *base
	u.Path, u.RawQuery = base.Path+path, query
	if strings.IndexByte(path, '%') >= 0 {
		plain, err := url.PathUnescape(path)
		if err != nil {
			return nil, fmt.Errorf("api: %s: %w", r.op.ID, err)
		}
		u.Path, u.RawPath = base.Path+plain, base.EscapedPath()+path
	} else if base.RawPath != "" {
		u.RawPath = base.RawPath + path
	}
	req := (&http.Request{
		Method: r.op.Method, URL: &u, Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, 4),
	}).WithContext(operation.NewContext(ctx, r.op))
	req.Header["Accept"] = acceptJSON
	switch {
	case r.body != nil:
		body := r.body
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	case r.reader != nil:
		req.Body = io.NopCloser(r.reader)
		req.GetBody = r.rewind
		req.ContentLength = r.length
	}
	if r.contentType != "" {
		req.Header["Content-Type"] = []string{r.contentType}
	}
	return req, nil
}

var acceptJSON = []string{"application/json"}

// send carries out a request and returns the answer of the server, whatever its status.
func (c *Client) send(ctx context.Context, r *request, editors []RequestEditorFn) (*http.Response, string, error) {
	if !reads(r.op.Method) {
		ctx, r.attempts = answer.WithAttempts(ctx)
	}
	req, err := r.http(ctx, c.base)
	if err != nil {
		return nil, "", err
	}
	path := req.URL.Path
	for _, all := range [][]RequestEditorFn{c.raw.RequestEditors, editors} {
		for _, edit := range all {
			if edit == nil {
				continue // a forgotten argument is no reason to panic
			}
			if err := edit(ctx, req); err != nil {
				return nil, "", err
			}
		}
	}
	resp, err := c.raw.Client.Do(req)
	if err != nil {
		return nil, "", unanswered(r.op.ID, r.op.Method, r.attempts, err)
	}
	return resp, path, nil
}

// exchange sends a request, reads the answer and hands the body of a success to use, which must
// not keep it.
func (c *Client) exchange(ctx context.Context, r *request, editors []RequestEditorFn, use func(resp *http.Response, body []byte) error) error {
	resp, path, err := c.send(ctx, r, editors)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	success := answer.Success(resp.StatusCode)
	limit := int64(maxBody)
	if !success {
		limit = 1 << 20
	}
	held, err := answer.Read(resp, limit)
	defer held.Close()
	body := held.Bytes()
	if err != nil && success {
		return newError(r, path, resp, body, err)
	}
	if !success {
		if r.op.Method == http.MethodDelete && resp.StatusCode == http.StatusNotFound && r.attempts.InDoubt() {
			return nil // an earlier attempt has done it, and its answer was lost
		}
		return newError(r, path, resp, body, nil)
	}
	if err := use(resp, body); err != nil {
		return newError(r, path, resp, body, err)
	}
	return nil
}

// object is a type with a generated decoder.
type object[T any] interface {
	*T
	decoder
}

// call carries out an operation that answers with a T.
func call[T any, P object[T]](ctx context.Context, c *Client, r *request, editors []RequestEditorFn) (*T, error) {
	answer := new(T)
	err := c.exchange(ctx, r, editors, func(resp *http.Response, body []byte) error {
		return decodeAnswer(resp, body, P(answer))
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func decodeAnswer(resp *http.Response, body []byte, into decoder) error {
	contentType := resp.Header.Get("Content-Type")
	if !isJSON(contentType, body) {
		return &notJSON{contentType: contentType, body: bytes.Clone(body[:min(len(body), maxErrorBody)])}
	}
	if body = bytes.TrimLeft(body, " \t\r\n"); body[0] == '[' {
		return &malformed{errors.New("it is a list, not an object")}
	}
	if _, partial := into.(*UploadPagesResponse); !partial { // its errors are those of single files
		if err := refusalIn(body); err != nil {
			return err
		}
	}
	if err := unmarshal(body, into); err != nil {
		return &malformed{err}
	}
	return nil
}

// refusalIn returns the reasons of a failure that has the status of a success.
func refusalIn(body []byte) error {
	const head = 64 // the result comes first
	if !bytes.Contains(body[:min(len(body), head)], []byte(`"error"`)) {
		return nil
	}
	var answer ErrorResponse
	if unmarshal(body, &answer) == nil && answer.Result == ResultError {
		return &refused{answer.Errors}
	}
	return nil
}

// do carries out an operation whose answer says nothing but that it went well.
func (c *Client) do(ctx context.Context, r *request, editors []RequestEditorFn) error {
	return c.exchange(ctx, r, editors, func(resp *http.Response, body []byte) error {
		contentType := resp.Header.Get("Content-Type")
		if !isJSON(contentType, body) {
			if answer.KindOf(contentType, body) != answer.HTML {
				return nil // nothing, or a word like pong
			}
			return &notJSON{contentType: contentType, body: bytes.Clone(body[:min(len(body), maxErrorBody)])}
		}
		var answer ErrorResponse
		if err := unmarshal(body, &answer); err != nil {
			return &malformed{err}
		}
		if len(answer.Errors) > 0 || answer.Result == ResultError {
			return &refused{answer.Errors}
		}
		return nil
	})
}

// refused is an answer that gives reasons for a failure with the status of a success.
type refused struct{ details []ErrorDetail }

func (e *refused) Error() string {
	if len(e.details) == 0 {
		return "the answer says error and gives no reason"
	}
	texts := make([]string, len(e.details))
	for i := range e.details {
		texts[i] = e.details[i].String()
	}
	return strings.Join(texts, "; ")
}

// rawAnswer carries out an operation whose answer has no fixed shape.
func (c *Client) rawAnswer(ctx context.Context, r *request, editors []RequestEditorFn) (json.RawMessage, error) {
	var answer json.RawMessage
	err := c.exchange(ctx, r, editors, func(resp *http.Response, body []byte) error {
		if contentType := resp.Header.Get("Content-Type"); !isJSON(contentType, body) {
			return &notJSON{contentType: contentType, body: bytes.Clone(body[:min(len(body), maxErrorBody)])}
		}
		if !json.Valid(body) {
			return &malformed{errors.New("it is cut off or damaged")}
		}
		answer = bytes.Clone(body)
		return nil
	})
	return answer, err
}
