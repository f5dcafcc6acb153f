package authn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/answer"
)

// What went wrong, for [errors.Is].
var (
	// ErrUnauthorized is [api.ErrUnauthorized]. An [UnauthorizedError] is one, and so is a [TokenError]
	// about refused credentials.
	ErrUnauthorized = api.ErrUnauthorized

	ErrWrongPassword       = errors.New("wrong username or password")
	ErrAccount             = errors.New("account cannot log in") // the password is right, but the account is disabled, or has something left to do on the web site
	ErrRefreshTokenRefused = errors.New("refresh token refused") // expired, revoked or used already
	ErrClientRefused       = errors.New("client refused")        // wrong id or secret, or not approved yet
	ErrUnavailable         = errors.New("server unavailable")    // network error, timeout, 429, 5xx
	ErrNotJSON             = api.ErrNotJSON                      // the answer is cut off, or is the page of a proxy or a guard, whatever its status
	ErrNotSaved            = errors.New("token not saved")       // the store failed; the session goes on with the token
	ErrDamaged             = errors.New("token file damaged")    // the file is kept under another name
	ErrClosed              = errors.New("authn: session closed")
)

// An UnauthorizedError says that a call needs a login. Either the session has nothing to log in with,
// and the call was not sent, or a new token did not help. Unwrap returns why the session ended, nil if
// it never began.
type UnauthorizedError struct {
	Method string
	Path   string // relative to the server
	Err    error  // why the session ended; nil if it never began

	anonymous bool // the session may have something to log in with, but has to be asked for it
}

// Error implements error.
func (e *UnauthorizedError) Error() string {
	text := "authn: " + e.Method + " " + e.Path + " needs a login"
	switch {
	case e.Err != nil:
		return text + ": " + strings.TrimPrefix(e.Err.Error(), "authn: ")
	case e.anonymous:
		return text + ", and the session is anonymous: call Login or LoginWith"
	}
	return text + ", and there is no refresh token and no password: give them to New, or call LoginWith"
}

// Is reports whether target is [ErrUnauthorized].
func (e *UnauthorizedError) Is(target error) bool { return target == ErrUnauthorized }

// Unwrap returns why the session ended.
func (e *UnauthorizedError) Unwrap() error { return e.Err }

// A TokenError says that the server gave out no token, or did not end the session. It is one of
// [ErrWrongPassword], [ErrAccount], [ErrRefreshTokenRefused], [ErrClientRefused], [ErrUnavailable] and
// [ErrNotJSON], or none of them where the server has another reason. Unwrap leads to the network
// error, or to a *[api.CaptchaError].
type TokenError struct {
	Operation   string // login, refresh, revoke or logout
	StatusCode  int    // zero if there was no answer
	Code        string // error of OAuth2, such as invalid_grant; empty for the session endpoints
	Description string // what the server says about it, without secrets
	Retryable   bool   // whether another try may succeed later; a login or a refresh has then lost nothing

	// RetryAfter is how long the server asks us to wait, zero if it does not say. If the session itself
	// waits after a failure, it is the time until its next request.
	RetryAfter time.Duration

	Err error // the network error, or an *[api.CaptchaError]; nil if the answer says it all

	reasons []error // sentinels
}

// Error returns one line: what failed, what the server said, what to do.
func (e *TokenError) Error() string {
	var b strings.Builder
	b.WriteString("authn: ")
	b.WriteString(e.Operation)
	b.WriteString(": ")
	what, advice := e.words()
	b.WriteString(what)
	var details []string
	if e.StatusCode != 0 {
		details = append(details, strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))))
	}
	if e.Code != "" {
		details = append(details, e.Code)
	}
	if e.Description != "" {
		details = append(details, e.Description)
	}
	if e.Err != nil {
		details = append(details, e.Err.Error())
	}
	if len(details) > 0 {
		b.WriteString(" (" + strings.Join(details, ": ") + ")")
	}
	if advice != "" {
		b.WriteString("; " + advice)
	}
	return answer.OneLine(b.String())
}

// words says what happened and what can be done.
func (e *TokenError) words() (what, advice string) {
	what, advice = e.reason()
	if e.Operation == "logout" || e.Operation == "revoke" {
		if e.is(ErrUnavailable) {
			advice = "" // there is nothing left to try again with
		}
		return what, advice
	}
	if e.RetryAfter > 0 {
		again := "the next attempt is possible in " + rounded(e.RetryAfter)
		if e.is(ErrUnavailable) {
			again = "nothing is lost, try again in " + rounded(e.RetryAfter)
			advice = ""
		}
		if advice != "" {
			again = advice + "; " + again
		}
		return what, again
	}
	return what, advice
}

func (e *TokenError) reason() (what, advice string) {
	is := func(target error) bool { return errors.Is(e, target) }
	const checkAddress = "check the address of the server"
	switch {
	case is(api.ErrCaptchaRequired):
		return "the server wants a captcha to be solved", "see api.CaptchaError, then try again"
	case is(ErrWrongPassword) && e.Code == "":
		return "wrong username or password", "check them; an account that was made, or whose password was changed, after 17 December 2022 needs a personal client"
	case is(ErrWrongPassword):
		return "wrong username or password, or a one-time code is missing or wrong, or the account is locked for a while after wrong passwords", "check them and log in again; WithOneTimeCode asks for the code"
	case is(ErrAccount):
		return "the password is right, but the account cannot log in", "sign in on the web site, which says what is missing"
	case is(ErrRefreshTokenRefused):
		return "the refresh token has expired, was revoked or was used already", "log in with username and password"
	case is(ErrClientRefused):
		return "the client is refused", "check id and secret of the personal client, and whether it is approved and may log in with a password"
	case is(ErrUnavailable) && errors.Is(e.Err, context.Canceled):
		return "cancelled before the server answered", "nothing is lost, try again later"
	case is(ErrUnavailable):
		return "the server is not available", "nothing is lost, try again later"
	case e.Code == "invalid_scope":
		return "the server does not give what was asked for", "leave WithScopes out, or log in once more and agree to them; the refresh token is kept"
	case e.Code == "invalid_request" && e.Operation == "refresh":
		return "the server does not take the refresh token as it is sent", "log in with username and password if that stays so, because the client may have changed; the refresh token is kept"
	case answer.Is(e.StatusCode, answer.ErrNotFound):
		return "the server has no such endpoint", checkAddress
	case e.Retryable:
		return "the answer is not what this endpoint sends", "nothing is lost, try again later; if it stays so, " + checkAddress
	case answer.Redirect(e.StatusCode):
		return "the server redirects, and secrets are not sent elsewhere", checkAddress
	case is(ErrNotJSON):
		return "the answer is not what this endpoint sends", checkAddress
	}
	return "the server refuses", "the refresh token, if there is one, is kept"
}

// Is reports whether target is a sentinel that fits: of this package, or [api.ErrServer],
// [api.ErrRateLimited] and [api.ErrForbidden] by the status.
func (e *TokenError) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.is(ErrWrongPassword) || e.is(ErrAccount) || e.is(ErrRefreshTokenRefused) || e.is(ErrClientRefused)
	case api.ErrServer, api.ErrRateLimited, api.ErrForbidden:
		return answer.Is(e.StatusCode, target)
	}
	return e.is(target)
}

func (e *TokenError) is(target error) bool {
	for _, reason := range e.reasons {
		if reason == target {
			return true
		}
	}
	return false
}

// Unwrap returns what lies under the error, such as a network error.
func (e *TokenError) Unwrap() error { return e.Err }

// ended says that a session has nothing to authenticate with.
type ended struct {
	cause     error // why, nil if there never was anything
	now       bool  // whether that was found out by this very attempt
	anonymous bool  // whether Login might change that
}

func (e *ended) Error() string { return "the session has ended" }

// refuse is the error for a request that needed a token.
func (e *ended) refuse(method, path string) *UnauthorizedError {
	return &UnauthorizedError{method, path, e.cause, e.anonymous}
}

// A rejection is a clear no of the API to a token that the auth server has given out.
type rejection struct {
	path   string
	reason error // what the server says; nil if it is no more than no
}

func (e *rejection) Error() string {
	text := "the API does not accept the token (GET " + e.path
	if e.reason != nil {
		text += ": " + strings.TrimPrefix(e.reason.Error(), "api: ")
	}
	return text + "); check that the account is in order and that API and auth server belong together"
}

func (e *rejection) Unwrap() error { return e.reason }

// both is [errors.Join] in one line.
func both(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return fmt.Errorf("%w; %w", first, second)
}
