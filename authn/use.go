package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/answer"
)

// Use makes a client act for a session. [Session.Edit] sees every request before it is sent. A request
// that is answered with 401 is repeated once, if its body can be sent again: with a new token, or
// without one if the session has ended and the operation needs none. If the repetition is answered with
// 401, too, the call fails with the *[api.Error].
//
// From then on the session sends its own requests through the client, unless [WithHTTPClient] was
// given: requests to the API through the client's transport, with its limits, User-Agent, proxy and
// logger; requests to the realm through the transport below that. Of several clients, the session takes
// the first one for its server.
func Use(s *Session) api.Option {
	if s == nil {
		return api.WithRequestEditorFn(func(context.Context, *http.Request) error {
			return errors.New("authn: Use was given no session; check the error of New")
		})
	}
	return api.Options(
		api.WithRequestEditorFn(s.mark),
		api.WithTransportUser(s.adopt),
		api.WithMiddleware(func(next api.HttpRequestDoer) api.HttpRequestDoer {
			return api.DoerFunc(func(req *http.Request) (*http.Response, error) { return s.do(req, next.Do) })
		}),
	)
}

// Transport returns an [http.RoundTripper] that does for any client what [Use] does for one of package
// api: it puts the token on requests to the API, and repeats a request once after a 401. A nil base is
// [http.DefaultTransport]. Requests to other servers pass as they are.
//
//	client := &http.Client{Transport: authn.Transport(session, polite)}
//
// where polite is a transport of package transport, or another one that keeps to the limits.
func Transport(s *Session, base http.RoundTripper) http.RoundTripper {
	return roundTripper{s, base}
}

type roundTripper struct {
	session *Session
	base    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	base := t.base
	if base == nil {
		base = http.DefaultTransport // as it is now: others replace it
	}
	if t.session == nil {
		return nil, closeBody(req, errors.New("authn: Transport was given no session; check the error of New"))
	}
	if !t.session.server.ContainsRequest(req) { // after a redirect, too
		return base.RoundTrip(req)
	}
	marked := req.Clone(req.Context())
	if err := t.session.mark(req.Context(), marked); err != nil {
		return nil, closeBody(req, err)
	}
	return t.session.do(marked, base.RoundTrip)
}

// closeBody closes the body of a request that is not sent, as a transport must.
func closeBody(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}

// do sends a request, and once more if its token was refused.
func (s *Session) do(req *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	resp, err := send(req)
	if err != nil || !answer.Is(resp.StatusCode, answer.ErrUnauthorized) {
		return resp, err
	}
	header := req.Header.Get("Authorization")
	if header == "" || resp.Request != nil && resp.Request.Header.Get("Authorization") != header {
		return resp, nil // sent without a token, or redirected to where no token goes
	}
	if !s.turnDown(header) || req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return resp, nil
	}
	// The connection must be free before the wait: the renewal may need it.
	const longest = 64 << 10
	body, _ := io.ReadAll(io.LimitReader(resp.Body, longest))
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	again := req.Clone(req.Context())
	_, required := wantsToken(req.Context(), req)
	b, err := s.token(req.Context(), required)
	switch e := (*ended)(nil); {
	case err == nil && b != nil:
		again.Header["Authorization"] = []string{b.header}
	case !required: // the session cannot help, and the next call is sent like this, too
		delete(again.Header, "Authorization")
	case !errors.As(err, &e):
		return nil, err
	case e.cause == nil: // there was nothing to get another token with; 401 says it all
		return resp, nil
	default:
		return nil, e.refuse(req.Method, s.server.Relative(req.URL))
	}
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("authn: %s %s: the body cannot be sent again: %w", req.Method, req.URL.Path, err)
		}
	}
	resp, err = send(again)
	if b != nil && err == nil {
		s.helped(b, !answer.Is(resp.StatusCode, answer.ErrUnauthorized))
	}
	return resp, err
}

// turnDown takes down that the API has answered a token with 401. It reports whether another one may
// do better.
func (s *Session) turnDown(header string) (ours bool) {
	s.change(func(st state) state {
		st, ours = st.turnedDown(header, time.Now())
		return st
	})
	return ours
}

// doubt takes down that the API has said no to a token. It does not count as a call's 401, after which
// a token stays for a while if another one was of no use.
func (s *Session) doubt(b *bearer) {
	s.change(func(st state) state { return st.doubted(b) })
}

// helped takes down whether a new token was of use for a call that was answered with 401.
func (s *Session) helped(b *bearer, did bool) {
	s.change(func(st state) state {
		if did {
			return st.ofUse()
		}
		return st.ofNoUse(b.header, time.Now())
	})
}
