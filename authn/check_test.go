package authn_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// A check that does not say yes or no keeps the session, after a login, after a renewal and on demand.
func TestCheckThatSaysNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		is      error // nil for any
	}{
		"network error":  {drop, nil},
		"429":            {answerWith(429, "application/json", `{"result":"error","errors":[]}`), api.ErrRateLimited},
		"403 of a guard": {answerWith(403, "text/html", "<html>blocked"), api.ErrForbidden},
		"500":            {answerWith(500, "application/json", `{"result":"error","errors":[]}`), api.ErrServer},
		"502 with HTML":  {answerWith(502, "text/html", "<html>"), api.ErrServer},
		"HTML 200":       {answerWith(200, "text/html", "<html>"), authn.ErrNotJSON},
		"empty 200":      {answerWith(200, "application/json", ""), authn.ErrNotJSON},
		"truncated JSON": {answerWith(200, "application/json", `{"result":"ok","isAuth`), nil},
		"no verdict":     {answerWith(200, "application/json", `{"result":"ok"}`), nil},
	} {
		for _, legacy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/legacy=%v", name, legacy), func(t *testing.T) {
				t.Parallel()
				f := newFake()
				w := f.inMemory()
				protocol, _ := w.protocol(legacy)
				f.fail("GET /auth/check", test.handler, test.handler, test.handler)
				s := w.loggedIn(t, protocol, w.withPassword())
				c := w.use(t, s)
				w.revokeAccess()
				w.mustFollow(t, c)
				_, err := s.Check(t.Context())
				if err == nil || errors.Is(err, authn.ErrUnauthorized) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("got %v, want %v", err, test.is)
				}
				if s.Anonymous() {
					t.Error("the session is anonymous")
				}
				w.mustFollow(t, c)
				if n := w.logins(); n != 1 {
					t.Errorf("%d logins, want 1", n)
				}
			})
		}
	}
}

// A late no to a token that has been renewed meanwhile does not end the session.
func TestLateVerdict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, w, s := loggedInMemory(t)
		f.fail("GET /auth/check", func(rw http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Second)
			sendJSON(rw, 200, `{"result":"ok","isAuthenticated":false}`)
		})
		late := inBackground(func() error { return second(s.Check(t.Context())) })
		synctest.Wait()
		w.revokeAccess()
		c := w.use(t, s)
		w.mustFollow(t, c)
		if err := <-late; err != nil {
			t.Errorf("got %v, though the new token is known", err)
		}
		if s.Anonymous() {
			t.Error("the session is anonymous")
		}
		w.mustFollow(t, c)
	})
}

// A program that asks too often learns how long to wait, as from any other call.
func TestCheckAndUserTellWhenToComeBack(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	s := w.loggedIn(t, w.personal(), w.withPassword())
	slowly := func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "7")
		apiError(rw, 429, "too_many_requests", "slowly")
	}
	f.fail("GET /auth/check", slowly)
	f.fail("GET /user/me", slowly)
	for name, err := range map[string]error{"Check": second(s.Check(t.Context())), "User": second(s.User(t.Context()))} {
		var apiErr *api.Error
		if !errors.As(err, &apiErr) || apiErr.RetryAfter != 7*time.Second {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
