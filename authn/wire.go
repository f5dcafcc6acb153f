package authn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// A wire speaks one of the protocols in which MangaDex gives out tokens. What it returns as errors
// are [TokenError]s.
type wire interface {
	// exchange trades a grant for a token. The refresh token of the result is empty if the server
	// sent none, which means that the one of the grant stays valid. With an error there may be a
	// refresh token: it is all that could be understood of the answer.
	exchange(ctx context.Context, g grant) (Token, error)

	// end ends the session of a token on the server. It needs no more than one of the two tokens,
	// and it is no error if the session has ended already.
	end(ctx context.Context, t Token) error

	// client and realm are what a token is for, empty if the protocol knows none.
	client() string
	realm() string

	// loginPath is the path of the endpoint that logs in, for errors.
	loginPath() string

	// takesCodes reports whether a login may need a one-time code.
	takesCodes() bool
}

// A grant is what can be traded for a token. A new way of logging in, such as an authorization code
// with its verifier, is a new type of grant and a case in the wires that know it.
type grant interface {
	operation() string // of a [TokenError]
	refused() error    // what it means if the server refuses the grant
	secrets() []string // what must not be seen in an error
}

type passwordGrant struct{ username, password, code string }

func (passwordGrant) operation() string   { return "login" }
func (passwordGrant) refused() error      { return ErrWrongPassword }
func (g passwordGrant) secrets() []string { return []string{g.password, g.code} }

type refreshGrant struct{ token string }

func (refreshGrant) operation() string   { return "refresh" }
func (refreshGrant) refused() error      { return ErrRefreshTokenRefused }
func (g refreshGrant) secrets() []string { return []string{g.token} }

// noAnswer is the error of a request without an answer that could be read to its end.
func noAnswer(operation string, got *reply, err error) *TokenError {
	e := &TokenError{Operation: operation, Retryable: true, reasons: []error{ErrUnavailable}, Err: err}
	if got != nil {
		e.StatusCode = got.status
	}
	return e
}

func retryAfter(got *reply) time.Duration {
	return answer.RetryAfter(got.status, got.header, time.Now())
}

// byStatus is the error of an answer that does not give a reason in the way of its protocol.
func byStatus(operation string, got *reply, secrets ...string) *TokenError {
	e := &TokenError{Operation: operation, StatusCode: got.status, RetryAfter: retryAfter(got)}
	switch verdict := answer.Of(got.status, answer.JSON); {
	case got.ok(): // and yet an error: there is no token in it
		e.Retryable = true
	case verdict.Temporary, answer.Is(got.status, answer.ErrServer):
		e.Retryable = true
		e.reasons = append(e.reasons, ErrUnavailable)
	}
	if answer.Redirect(got.status) {
		return e
	}
	if !json.Valid(got.body) {
		e.reasons = append(e.reasons, ErrNotJSON)
	}
	switch {
	case !got.isObject():
		e.Description = got.describe(secrets...)
	case !json.Valid(got.body):
		e.Description = "a damaged or cut off answer"
	case got.ok():
		e.Description = "an answer without a usable token"
	default:
		e.Description = shown(errorDetails(got.body), 200, secrets...)
	}
	return e
}

// errorDetails returns the reasons in an error of the API.
func errorDetails(body []byte) string {
	var parsed struct {
		Errors []struct {
			Title  string `json:"title"`
			Detail string `json:"detail"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &parsed) != nil {
		return ""
	}
	var texts []string
	for _, e := range parsed.Errors {
		for _, text := range []string{e.Detail, e.Title} {
			if text != "" {
				texts = append(texts, text)
				break
			}
		}
	}
	return strings.Join(texts, "; ")
}

// members reads the members of a JSON object one by one, as far as they can be read: nonsense in one
// of them, or an end that is missing, must not cost the others.
func members(body []byte) map[string]json.RawMessage {
	found := make(map[string]json.RawMessage)
	read := json.NewDecoder(bytes.NewReader(body))
	if start, err := read.Token(); err != nil || start != json.Delim('{') {
		return found
	}
	for read.More() {
		name, err := read.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if read.Decode(&value) != nil {
			break
		}
		if key, ok := name.(string); ok {
			found[key] = value
		}
	}
	return found
}

// text is a member that is a string, empty if it is something else.
func text(value json.RawMessage) string {
	var s string
	_ = json.Unmarshal(value, &s)
	return s
}

// seconds is a member that is a number of seconds, perhaps in quotes. Anything else is none.
func seconds(value json.RawMessage) (d time.Duration, ok bool) {
	var n json.Number
	if json.Unmarshal(value, &n) != nil {
		return 0, false
	}
	f, err := n.Float64()
	if err != nil || f < 0 {
		return 0, false
	}
	const longest = 365 * 24 * 60 * 60
	return time.Duration(min(f, longest) * float64(time.Second)), true
}

// fromAnswer makes a token of what an answer holds. If the answer is damaged, or its access token
// cannot be used, its refresh token may be the only one that works from now on.
func fromAnswer(g grant, sent time.Time, got *reply, readErr error, access, refresh string, lifetime time.Duration, secrets ...string) (Token, error) {
	t := Token{RefreshToken: refresh}
	switch {
	case readErr != nil:
		return t, noAnswer(g.operation(), got, readErr)
	case !json.Valid(got.body) || !validHeader(access):
		return t, byStatus(g.operation(), got, secrets...)
	}
	t.AccessToken, t.Expiry = access, expiry(sent, lifetime, access, got.header)
	return t, nil
}

// dislikes reports whether an error is about a request with a certain credential, and yet not about
// the credential: another one may do.
func dislikes(err error) bool {
	var e *TokenError
	if !errors.As(err, &e) {
		return true // of a function that was to give a password
	}
	switch e.Code {
	case "invalid_request", "invalid_scope", "unsupported_grant_type", "access_denied":
		return true
	}
	return false
}
