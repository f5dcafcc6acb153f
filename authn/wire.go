package authn

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// A wire speaks one of the protocols in which MangaDex gives out tokens. What it returns as errors
// are [TokenError]s.
type wire interface {
	// exchange trades a grant for a token. The refresh token of the result is empty if the server
	// sent none, which means that the one of the grant stays valid.
	exchange(ctx context.Context, g grant) (Token, error)

	// end ends the session of a token on the server. It needs no more than one of the two tokens,
	// and it is no error if the session has ended already.
	end(ctx context.Context, t Token) error

	// client is the id of the client that it speaks for, empty if the protocol knows none.
	client() string

	// loginPath is the path of the endpoint that logs in, for errors.
	loginPath() string
}

// A grant is what can be traded for a token. A new way of logging in, such as an authorization code
// with its verifier, is a new type of grant and a case in the wires that know it.
type grant interface {
	operation() string // of a [TokenError]
	refused() error    // what it means if the server refuses the grant
	secret() string    // what must not be seen in an error
}

type passwordGrant struct{ username, password string }

func (passwordGrant) operation() string { return "login" }
func (passwordGrant) refused() error    { return ErrWrongPassword }
func (g passwordGrant) secret() string  { return g.password }

type refreshGrant struct{ token string }

func (refreshGrant) operation() string { return "refresh" }
func (refreshGrant) refused() error    { return ErrRefreshTokenRefused }
func (g refreshGrant) secret() string  { return g.token }

// A patient wire asks for no token before the time at which the server wants to be asked again. Calls
// of a program go on meanwhile, and each of them would ask.
type patient struct {
	wire

	mu    sync.Mutex
	until time.Time
	last  *TokenError // that says so
}

func (p *patient) exchange(ctx context.Context, g grant) (Token, error) {
	if err := p.tooEarly(g); err != nil {
		return Token{}, err
	}
	t, err := p.wire.exchange(ctx, g)
	var refused *TokenError
	if errors.As(err, &refused) && refused.RetryAfter > 0 {
		p.mu.Lock()
		p.until, p.last = time.Now().Add(refused.RetryAfter), refused
		p.mu.Unlock()
	}
	return t, err
}

// tooEarly returns the last error, with the time that is left. If that was the refusal of a grant it
// says nothing about this one, which the server has not seen.
func (p *patient) tooEarly(g grant) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := time.Until(p.until)
	if left <= 0 {
		return nil
	}
	again := TokenError{
		Description: "after an attempt that failed the server allows no other yet",
		Retryable:   true,
		reasons:     []error{ErrUnavailable},
	}
	if p.last.is(ErrUnavailable) {
		again = *p.last
	}
	again.Operation, again.RetryAfter = g.operation(), left
	return &again
}

// noAnswer is the error of a request without an answer that could be read to its end.
func noAnswer(operation string, got *reply, err error) *TokenError {
	e := &TokenError{Operation: operation, Retryable: true, reasons: []error{ErrUnavailable}, cause: err}
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
	switch {
	case got.ok(): // and yet an error: there is no token in it
		e.Retryable = true
	case got.status >= 500, got.status == http.StatusTooManyRequests, got.status == http.StatusRequestTimeout, got.status == http.StatusTooEarly:
		e.Retryable = true
		e.reasons = append(e.reasons, ErrUnavailable)
	}
	if 300 <= got.status && got.status < 400 {
		return e
	}
	if !json.Valid(got.body) {
		e.reasons = append(e.reasons, ErrNotJSON)
	}
	switch {
	case !got.isObject():
		e.Description = got.describe(secrets...).Error()
	case !json.Valid(got.body):
		e.Description = "a damaged or cut off answer"
	case got.ok():
		e.Description = "an answer without a usable token"
	default:
		e.Description = cut(answer.Scrub(errorDetails(got.body), secrets...), 200)
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
