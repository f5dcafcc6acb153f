package authn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// bare is somebody else's client: it knows nothing of this library.
func (w *world) bare(t *testing.T, client *http.Client, edit func(context.Context, *http.Request) error) func(method, path string) int {
	return func(method, path string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, w.api+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if edit != nil {
			if err := edit(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
}

// With Transport any client marks its requests, renews, and repeats once after a 401.
func TestTransport(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.serve(t)
	s := w.loggedIn(t, w.personal(), w.withPassword())
	do := w.bare(t, &http.Client{Transport: authn.Transport(s, w.client.Transport)}, nil)
	follow := "/manga/" + mangaID + "/follow"
	if code := do("POST", follow); code != 200 {
		t.Errorf("got %d", code)
	}
	w.revokeAccess()
	if code := do("POST", follow); code != 200 {
		t.Errorf("after a 401: got %d", code)
	}
	if n := w.count("POST " + follow); n != 3 {
		t.Errorf("sent %d times, want 3", n)
	}
	if code := do("GET", "/manga"); code != 200 || w.last(t, "GET /manga").authorization != "" {
		t.Errorf("got %d for what needs no token", code)
	}
	if err := s.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.api+follow, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	closed := &closeCounter{Reader: strings.NewReader("x")}
	req.Body = closed
	if _, err := authn.Transport(s, nil).RoundTrip(req); !errors.As(err, new(*authn.UnauthorizedError)) {
		t.Errorf("got %v", err)
	}
	if closed.n != 1 || req.Header.Get("Authorization") != "" {
		t.Errorf("the body was closed %d times; the request has %v", closed.n, req.Header)
	}
	if _, err := authn.Transport(nil, nil).RoundTrip(req); err == nil || !strings.Contains(err.Error(), "error of New") {
		t.Errorf("no session: %v", err)
	}
}

type closeCounter struct {
	io.Reader
	n int
}

func (c *closeCounter) Close() error { c.n++; return nil }

// A redirect to another server does not take the token along, though each hop passes the transport.
func TestTransportAcrossServers(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.serve(t)
	other := newStranger(t, false)
	s := w.loggedIn(t, w.personal(), w.withPassword())
	do := w.bare(t, &http.Client{Transport: authn.Transport(s, nil)}, nil)
	f.fail("GET /manga/"+mangaID, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, other.URL+"/user/me", http.StatusFound)
	})
	do("GET", "/manga/"+mangaID)
	if len(other.seen()) != 1 || strings.Contains(other.seen()[0], "Bearer") {
		t.Errorf("seen: %q", other.seen())
	}
}

// An editor sees no answers. It notices by what comes next that a token was refused.
func TestEditNoticesARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, w, s := loggedInMemory(t)
		do := w.bare(t, w.client, s.Edit)
		follow := "/manga/" + mangaID + "/follow"
		do("GET", "/user/me")
		w.revokeAccess()
		if code := do("POST", follow); code != 401 {
			t.Fatalf("got %d, so that this shows nothing", code)
		}
		if code := do("POST", follow); code != 200 {
			t.Errorf("the same once more: got %d", code)
		}
		w.revokeAccess()
		time.Sleep(time.Minute)
		if code := do("GET", "/user/me"); code != 200 {
			t.Errorf("another request, a minute later: got %d", code)
		}
		// Many requests that are alike cost few checks.
		before := w.count("GET /auth/check")
		for range 600 {
			do("POST", follow)
			time.Sleep(100 * time.Millisecond)
		}
		if n := w.count("GET /auth/check") - before; n < 1 || n > 12 {
			t.Errorf("%d checks in a minute", n)
		}
		// Login asks, too.
		w.revokeAccess()
		mustLogIn(t, s)
		if code := do("GET", "/user/me"); code != 200 {
			t.Errorf("after Login: got %d", code)
		}
		if n := w.logins(); n != 0 {
			t.Errorf("%d logins", n)
		}
	})
}

// WithoutCheck leaves the looks out.
func TestEditWithoutCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, w, s := loggedInMemory(t, authn.WithoutCheck())
		do := w.bare(t, w.client, s.Edit)
		for range 10 {
			do("GET", "/user/me")
			time.Sleep(time.Minute)
		}
		if n := w.count("GET /auth/check"); n != 0 {
			t.Errorf("%d checks", n)
		}
	})
}
