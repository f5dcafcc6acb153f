package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/operation"
)

// Use makes a client act for a session: [Session.Edit] sees every request before it is sent, and a
// request that is answered with 401 is repeated once with a new token, if its body can be sent
// again; without a token, if the session has ended and the operation needs none. If that is answered
// with 401, too, the call fails with the *[api.Error].
func Use(s *Session) api.Option {
	if s == nil {
		return api.WithRequestEditorFn(func(context.Context, *http.Request) error {
			return errors.New("authn: Use was given no session; check the error of New")
		})
	}
	return api.Options(
		api.WithRequestEditorFn(s.Edit),
		api.WithMiddleware(func(next api.HttpRequestDoer) api.HttpRequestDoer { return &doer{s, next} }),
	)
}

// Edit puts the token on a request to the API, and renews it before if that is due. It is an
// [api.RequestEditorFn].
//
// Operations that need no token get none; those that may have one get it if the session is not
// anonymous; those that need one fail with an [UnauthorizedError] if the session has nothing to log
// in with. [WithToken] and [WithoutToken] override that for one call. A request that is not for the
// API server of the session never gets the token. A request that has an Authorization header keeps
// it.
func (s *Session) Edit(ctx context.Context, req *http.Request) error {
	wanted, required := wantsToken(ctx, req)
	if !wanted {
		return nil
	}
	if _, given := req.Header["Authorization"]; given {
		return nil
	}
	if !s.server.ContainsRequest(req) {
		if !required {
			return nil
		}
		return fmt.Errorf("authn: %s %s goes to %s://%s, but the tokens of the session are for %s only; see WithAPIServer", req.Method, req.URL.Path, req.URL.Scheme, req.URL.Host, s.server)
	}
	b := s.current.Load()
	if b == nil || !b.fresh() {
		var err error
		if b, err = s.acquire(ctx); err != nil {
			var e *ended
			switch {
			case !errors.As(err, &e):
				return err
			case !required:
				return nil
			}
			return e.refuse(req.Method, s.server.Relative(req.URL))
		}
	}
	if req.Header == nil {
		req.Header = make(http.Header, 1)
	}
	req.Header["Authorization"] = []string{b.header}
	return nil
}

// wantsToken reports whether a request may have a token, and whether it needs one.
func wantsToken(ctx context.Context, req *http.Request) (wanted, required bool) {
	switch modeOf(ctx) {
	case withoutToken:
		return false, false
	case withToken:
		return true, true
	}
	if op := operation.Of(req); op != nil {
		return op.Auth != operation.AuthNone, op.Auth == operation.AuthRequired
	}
	return true, false
}

// A doer repeats a request once whose token was refused.
type doer struct {
	session *Session
	next    api.HttpRequestDoer
}

func (d *doer) Do(req *http.Request) (*http.Response, error) {
	resp, err := d.next.Do(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	header := req.Header.Get("Authorization")
	if header == "" || resp.Request != nil && resp.Request.Header.Get("Authorization") != header {
		return resp, nil // sent without a token, or redirected to where no token goes
	}
	if !d.session.reject(header) || req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return resp, nil
	}
	// The connection must be free before the wait: the renewal may need it.
	const longest = 64 << 10
	body, _ := io.ReadAll(io.LimitReader(resp.Body, longest))
	_ = resp.Body.Close()
	again := req.Clone(req.Context())
	b, err := d.session.acquire(req.Context())
	_, required := wantsToken(req.Context(), req)
	switch e := (*ended)(nil); {
	case err == nil:
		again.Header["Authorization"] = []string{b.header}
	case !errors.As(err, &e):
		return nil, err
	case !required: // the session has ended, and the next call is sent like this, too
		delete(again.Header, "Authorization")
	case e.cause == nil: // there was nothing to get another token with; 401 says it all
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	default:
		return nil, e.refuse(req.Method, d.session.server.Relative(req.URL))
	}
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("authn: %s %s: the body cannot be sent again: %w", req.Method, req.URL.Path, err)
		}
	}
	return d.next.Do(again)
}
