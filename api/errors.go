package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
	"github.com/mangadex-go/mangadex/internal/answer"
)

// What an [Error] is, for [errors.Is].
var (
	ErrUnauthorized    = answer.ErrUnauthorized         // status 401 (no token, or one that has expired)
	ErrForbidden       = answer.ErrForbidden            // status 403 (a permission is missing, or the address is banned)
	ErrNotFound        = answer.ErrNotFound             // status 404; for the checks of follows it means no
	ErrConflict        = answer.ErrConflict             // status 409 (the version of an edit is not the current one)
	ErrRateLimited     = answer.ErrRateLimited          // status 429, or not sent because of the limits
	ErrCaptchaRequired = errors.New("captcha required") // see CaptchaError
	ErrServer          = answer.ErrServer               // status 5xx
	ErrNotJSON         = answer.ErrNotJSON              // a page of a proxy or a guard, whatever its status
)

// maxErrorBody bounds what an [Error] keeps of the body.
const maxErrorBody = 4 << 10

// An Error is an answer that is not a success, or one that cannot be understood.
type Error struct {
	Operation  string // such as GetManga
	Method     string
	Path       string // of the request, without the query
	StatusCode int
	RequestID  string        // what MangaDex asks for in bug reports
	RetryAfter time.Duration // how long the server wants us to wait; zero if it does not say
	Errors     []ErrorDetail // what the server gave as reasons; may be empty
	Header     http.Header
	Body       []byte // the first 4 KiB
	Err        error  // why the answer could not be understood, or what it asks for; nil if Errors says it

	doubt bool // an attempt before this answer may have been carried out
}

// Error returns one line with operation, status, the reasons of the server and the request id.
func (e *Error) Error() string {
	const most = 5 // reasons that are spelt out
	var b strings.Builder
	fmt.Fprintf(&b, "api: %s: %s %s: %d", e.Operation, e.Method, e.Path, e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	separator := ": "
	for i := range e.Errors {
		if i == most {
			fmt.Fprintf(&b, "; and %d more", len(e.Errors)-most)
			break
		}
		b.WriteString(separator + e.Errors[i].String())
		separator = "; "
	}
	if e.Err != nil && len(e.Errors) == 0 {
		b.WriteString(": " + e.Err.Error())
	}
	if e.doubt {
		b.WriteString("; an earlier attempt got no answer, and may have done it: look before you do it again")
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %v)", e.RetryAfter)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", answer.Shorten(e.RequestID, 64))
	}
	return answer.OneLine(b.String())
}

// String returns the title and the detail, as far as they are there, in one line.
func (d ErrorDetail) String() string {
	const longest = 300
	var parts []string
	for _, text := range []*string{d.Title, d.Detail} {
		if text != nil && *text != "" {
			parts = append(parts, answer.Shorten(*text, longest))
		}
	}
	if len(parts) == 0 {
		return "error " + answer.Shorten(d.ID, longest)
	}
	return answer.OneLine(strings.Join(parts, ": "))
}

// Unwrap returns what made the answer unusable: a *[CaptchaError], or what is wrong with the body.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the answer is what one of the sentinels of this package stands for.
func (e *Error) Is(target error) bool { return answer.Is(e.StatusCode, target) }

// Found turns the error of a call that answers "not found" for no into a yes or no:
//
//	follows, err := api.Found(client.CheckFollowedManga(ctx, id))
func Found(err error) (bool, error) {
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// A CaptchaError says that an hCaptcha must be solved first. Repeat the request with the header
// X-Captcha-Result, or call [Client.SolveCaptcha] with the solution.
type CaptchaError struct {
	SiteKey string // of the hCaptcha; empty if the server did not say
}

// Error implements error.
func (e *CaptchaError) Error() string {
	return "captcha required, site key " + strconv.Quote(e.SiteKey)
}

// Is reports whether target is [ErrCaptchaRequired].
func (e *CaptchaError) Is(target error) bool { return target == ErrCaptchaRequired }

// notJSON is an answer of another kind.
type notJSON struct {
	contentType string
	encoding    string // that is left, because nobody here can read it
	body        []byte
	withheld    bool // the body is a secret
}

func newNotJSON(resp *http.Response, body []byte) *notJSON {
	return &notJSON{
		contentType: resp.Header.Get("Content-Type"),
		encoding:    answer.Encoding(resp.Header),
		body:        bytes.Clone(body[:min(len(body), maxErrorBody)]),
	}
}

func (e *notJSON) Error() string {
	what := "an answer"
	switch {
	case e.encoding != "":
		return "an answer in the encoding " + answer.Shorten(e.encoding, 64) +
			", which no request asked for and this package cannot read; check the proxies on the way"
	case e.withheld:
	case len(e.body) == 0:
		return "an empty answer where JSON belongs"
	}
	if e.contentType != "" {
		what += " of type " + answer.Shorten(e.contentType, 64)
	}
	if what += " where JSON belongs"; e.withheld {
		return what
	}
	return what + ": " + answer.Excerpt(e.body)
}

func (e *notJSON) Is(target error) bool { return target == ErrNotJSON }

// malformed is an answer that begins as JSON and is not what it should be.
type malformed struct{ cause error }

func (e *malformed) Error() string { return "the answer cannot be decoded: " + e.cause.Error() }
func (e *malformed) Unwrap() error { return e.cause }

// withhold takes the body of an answer out of what is wrong with it.
func withhold(cause error) error {
	switch cause := cause.(type) {
	case *notJSON:
		return &notJSON{contentType: cause.contentType, encoding: cause.encoding, withheld: true}
	case *malformed:
		return &malformed{errors.New("it is cut off, damaged or of another form")}
	}
	return cause
}

// newError makes the error of an answer whose body has been read as far as maxErrorBody at least.
func newError(r *request, path string, resp *http.Response, body []byte, cause error) *Error {
	e := &Error{
		Operation:  r.op.ID,
		Method:     r.op.Method,
		Path:       path,
		StatusCode: resp.StatusCode,
		RequestID:  resp.Header.Get("X-Request-Id"),
		RetryAfter: answer.RetryAfter(resp.StatusCode, resp.Header, time.Now()),
		Header:     resp.Header,
		Body:       bytes.Clone(body[:min(len(body), maxErrorBody)]),
		Err:        cause,
		doubt:      r.attempts.InDoubt(),
	}
	if r.op.SecretPath {
		e.Path = r.op.Path
	}
	if cause != nil {
		if refused, ok := cause.(*refused); ok {
			e.Errors = refused.details
		}
		if r.op.SecretAnswer {
			e.Body, e.Err = nil, withhold(cause)
		}
		return e
	}
	if answer.Encoding(resp.Header) != "" || !isJSON(resp.Header.Get("Content-Type"), body) {
		e.Err = newNotJSON(resp, body)
	} else {
		e.Errors, e.Err = reasons(answer.Trim(body))
	}
	if captcha := captchaOf(e); captcha != nil {
		e.Err = captcha
	}
	return e
}

// reasons reads those of an error. A value that cannot be read costs that value only, unless nothing
// is left.
func reasons(body []byte) ([]ErrorDetail, error) {
	var answer ErrorResponse
	err := decodeWhole(body, &answer, true)
	if err == nil {
		return answer.Errors, nil
	}
	answer = ErrorResponse{}
	if unmarshal(body, &answer) == nil && slices.ContainsFunc(answer.Errors, ErrorDetail.says) {
		return answer.Errors, nil
	}
	return nil, &malformed{err}
}

// says reports whether there is a text in the detail.
func (d ErrorDetail) says() bool { return d.Title != nil || d.Detail != nil }

// captchaOf recognises the demand for a captcha: 403 today, 412 in the past.
func captchaOf(e *Error) *CaptchaError {
	if !answer.MayWantCaptcha(e.StatusCode) {
		return nil
	}
	siteKey := answer.SiteKey(e.Header)
	found := siteKey != ""
	for _, detail := range e.Errors {
		if detail.Title != nil && *detail.Title == "captcha_required_exception" {
			found = true
			if siteKey == "" {
				siteKey = contextText(detail.Context, "siteKey")
			}
		}
	}
	if !found {
		return nil
	}
	return &CaptchaError{SiteKey: siteKey}
}

// contextText is a text in the context of an error, empty if it is not there.
func contextText(context []byte, name string) string {
	var r jsonio.Reader
	r.Reset(context)
	text := ""
	if r.Kind() != '{' {
		return ""
	}
	for it := r.Object(); it.Next(); {
		if string(r.Key()) == name && r.Kind() == '"' {
			text = r.String()
		} else {
			r.Skip()
		}
	}
	if r.Err() != nil {
		return ""
	}
	return text
}

// isJSON reports whether a body is JSON, or begins like it.
func isJSON(contentType string, body []byte) bool {
	return answer.KindOf(contentType, body) == answer.JSON
}
