package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/operation"
)

// maxBody bounds an answer. The largest page of the API is about 5 MB.
const maxBody = 64 << 20

// maxErrorRead bounds an answer that is not a success.
const maxErrorRead = 1 << 20

// A request is a call in the making: what oapi-codegen's half has built, or why it could not.
type request struct {
	op *operation.Operation
	*http.Request
	err      error
	accept   string           // media types; empty for JSON
	attempts *answer.Attempts // at sending it
}

// addressed completes a request for its way: what it belongs to, and what it wants to hear.
func (r *request) addressed(ctx context.Context) (*http.Request, error) {
	if r.err != nil {
		return nil, fmt.Errorf("api: %s: %w", r.op.ID, r.err)
	}
	req := r.WithContext(operation.NewContext(ctx, r.op))
	switch {
	case req.Header["Accept"] != nil:
	case r.accept != "":
		req.Header["Accept"] = []string{r.accept}
	default:
		req.Header["Accept"] = acceptJSON
	}
	return req, nil
}

var acceptJSON = []string{"application/json"}

// send carries out a request and returns the answer of the server, whatever its status.
func (c *Client) send(ctx context.Context, r *request, editors []RequestEditorFn) (*http.Response, string, error) {
	if err := c.ready(ctx); err != nil {
		return nil, "", err
	}
	if !reads(r.op.Method) {
		ctx, r.attempts = answer.WithAttempts(ctx)
	}
	req, err := r.addressed(ctx)
	if err != nil {
		return nil, "", err
	}
	path := req.URL.Path
	for _, all := range [][]RequestEditorFn{c.editors, editors} {
		for _, edit := range all {
			if edit == nil {
				continue // a forgotten argument is no reason to panic
			}
			if err := edit(ctx, req); err != nil {
				return nil, "", err
			}
		}
	}
	resp, err := c.doer.Do(req)
	if err != nil {
		return nil, "", unanswered(r.op.ID, r.op.Method, r.attempts, err)
	}
	if resp == nil {
		return nil, "", fmt.Errorf("api: %s: a middleware or the HTTP client returned neither an answer nor an error", r.op.ID)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if h, ok := req.Context().Value(headerKey{}).(*http.Header); ok {
		*h = resp.Header
	}
	return resp, path, nil
}

// stream carries out an operation whose answer is handed to the caller as it comes.
func (c *Client) stream(ctx context.Context, r *request, editors []RequestEditorFn) (*http.Response, error) {
	resp, path, err := c.send(ctx, r, editors)
	if err != nil {
		return nil, err
	}
	if r.Header["Accept-Encoding"] == nil {
		answer.Decode(resp)
	}
	success := answer.Success(resp.StatusCode)
	if success && !isPage(resp) {
		return resp, nil
	}
	held, _ := answer.Read(resp, maxErrorRead)
	defer held.Close()
	var cause error
	if success {
		cause = newNotJSON(resp, held.Bytes())
	}
	return nil, newError(r, path, resp, held.Bytes(), cause)
}

// isPage reports whether an answer is a page for people, by its type: its body is the caller's.
func isPage(resp *http.Response) bool {
	return answer.KindOf(resp.Header.Get("Content-Type"), []byte("?")) == answer.HTML
}

// exchange sends a request, reads the answer and hands the body of a success to use, which must
// not keep it.
func (c *Client) exchange(ctx context.Context, r *request, editors []RequestEditorFn, use func(resp *http.Response, body []byte) error) error {
	resp, path, err := c.send(ctx, r, editors)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer.Decode(resp)
	success := answer.Success(resp.StatusCode)
	limit := int64(maxBody)
	if !success {
		limit = maxErrorRead
	}
	held, err := answer.Read(resp, limit)
	defer held.Close() //nolint:staticcheck // it is there with an error, too
	body := held.Bytes()
	if err != nil && success {
		return newError(r, path, resp, body, err)
	}
	if !success {
		if r.op.Method == http.MethodDelete && answer.Is(resp.StatusCode, answer.ErrNotFound) && r.attempts.InDoubt() {
			return nil // an earlier attempt has done it, and its answer was lost
		}
		return newError(r, path, resp, body, nil)
	}
	if answer.Encoding(resp.Header) != "" && len(body) > 0 {
		err = newNotJSON(resp, body)
	} else {
		err = use(resp, body)
	}
	if err != nil {
		return newError(r, path, resp, body, err)
	}
	return nil
}

// call carries out an operation that answers with what answer points to.
func call[P decoder](ctx context.Context, c *Client, r *request, editors []RequestEditorFn, answer P) (P, error) {
	if err := c.decoded(ctx, r, editors, answer); err != nil {
		var none P
		return none, err
	}
	return answer, nil
}

// decoded carries out an operation and decodes its answer.
func (c *Client) decoded(ctx context.Context, r *request, editors []RequestEditorFn, into decoder) error {
	return c.exchange(ctx, r, editors, func(resp *http.Response, body []byte) error {
		return decodeAnswer(resp, body, into, c.strict || r.op.SecretAnswer)
	})
}

func decodeAnswer(resp *http.Response, body []byte, into decoder, strict bool) error {
	if !isJSON(resp.Header.Get("Content-Type"), body) {
		return newNotJSON(resp, body)
	}
	body = answer.Trim(body)
	if _, object := into.(interface{ member(*jsonio.Reader) bool }); object && body[0] == '[' {
		return &malformed{errors.New("it is a list, not an object")}
	}
	if _, partial := into.(*UploadPagesResponse); !partial { // its errors are those of single files
		if err := refusalIn(body); err != nil {
			return err
		}
	}
	if err := decodeWhole(body, into, strict); err != nil {
		return &malformed{err}
	}
	if p, ok := into.(interface{ lacks([]byte) string }); ok {
		if what := p.lacks(body); what != "" {
			return &malformed{fmt.Errorf("it has no %s", what)}
		}
	}
	return nil
}

// refusalIn returns the reasons of a failure that has the status of a success.
func refusalIn(body []byte) error {
	if !bytes.Contains(body, []byte(`"error`)) {
		return nil
	}
	var answer ErrorResponse
	if unmarshal(body, &answer) == nil && (answer.Result == ResultError || answer.Result == "" && len(answer.Errors) > 0) {
		return &refused{answer.Errors}
	}
	return nil
}

// has reports whether an object has a member that could be read: what could not is in extra.
func has(body []byte, extra Extra, names ...string) bool {
	r := readers.Get().(*jsonio.Reader)
	defer release(r)
	r.Reset(body)
	for it := r.Object(); it.Next(); {
		if name := string(r.Key()); slices.Contains(names, name) && extra[name] == nil {
			return true
		}
		r.Skip()
	}
	return false
}

// acknowledge carries out an operation whose answer says nothing but that it went well. It must say
// so.
func (c *Client) acknowledge(ctx context.Context, r *request, editors []RequestEditorFn) error {
	return c.exchange(ctx, r, editors, func(resp *http.Response, body []byte) error {
		if len(body) == 0 && answer.WithoutBody(resp.StatusCode) {
			return nil
		}
		if !isJSON(resp.Header.Get("Content-Type"), body) {
			return newNotJSON(resp, body)
		}
		result, err := c.understand(answer.Trim(body))
		if err == nil && (result == "" || result == ResultKo) {
			err = &malformed{errors.New("it does not say that the result is ok")}
		}
		return err
	})
}

// understand reads an answer that says only whether it went well.
func (c *Client) understand(body []byte) (Result, error) {
	var answer ErrorResponse
	if err := decodeWhole(body, &answer, true); err != nil {
		return "", &malformed{err}
	}
	if len(answer.Errors) > 0 || answer.Result == ResultError {
		return "", &refused{answer.Errors}
	}
	return answer.Result, nil
}

// do carries out an operation that promises no content, or a word like pong.
func (c *Client) do(ctx context.Context, r *request, editors []RequestEditorFn) error {
	_, err := c.text(ctx, r, editors)
	return err
}

// text carries out an operation that answers with a text. JSON in its place is one, unless it tells of a
// failure.
func (c *Client) text(ctx context.Context, r *request, editors []RequestEditorFn) (text string, err error) {
	err = c.exchange(ctx, r, editors, func(resp *http.Response, body []byte) error {
		contentType := resp.Header.Get("Content-Type")
		if isJSON(contentType, body) {
			if _, err := c.understand(answer.Trim(body)); err != nil {
				return err
			}
		} else if answer.KindOf(contentType, body) == answer.HTML {
			return newNotJSON(resp, body)
		}
		text = string(body)
		return nil
	})
	return text, err
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
	var raw json.RawMessage
	err := c.exchange(ctx, r, editors, func(resp *http.Response, body []byte) error {
		if contentType := resp.Header.Get("Content-Type"); !isJSON(contentType, body) {
			return newNotJSON(resp, body)
		}
		if body = answer.Trim(body); !json.Valid(body) {
			return &malformed{errors.New("it is cut off or damaged")}
		}
		raw = bytes.Clone(body)
		return nil
	})
	return raw, err
}
