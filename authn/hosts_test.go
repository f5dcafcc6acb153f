package authn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// A stranger is a server that must never see a token.
type stranger struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

func newStranger(t *testing.T, https bool) *stranger {
	s := &stranger{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, fmt.Sprintf("%s %s\n%v\n%s", r.Method, r.URL, r.Header, body))
		sendJSON(w, 200, `{"result":"ok"}`)
	})
	if https {
		s.Server = httptest.NewTLSServer(handler)
	} else {
		s.Server = httptest.NewServer(handler)
	}
	t.Cleanup(s.Close)
	return s
}

// seen returns what has arrived.
func (s *stranger) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// clientFor reaches the stranger under any name.
func (s *stranger) clientFor(t *testing.T) *http.Client {
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
	}
	if transport.TLSClientConfig != nil {
		transport.TLSClientConfig.ServerName = "example.com" // what the certificate of httptest is for
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Requests that were edited by a session of production and go to another host.
func TestTokenReachesNoOtherHost(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://uploads.mangadex.org",
		"https://abcdefg.xyz123.mangadex.network",
		"https://abcdefg.xyz123.mangadex.network:44300",
		"https://api.mangadex.org.example",
		"https://evil-api.mangadex.org",
		"https://evil.api.mangadex.org",
		"https://mangadex.org",
		"https://api.mangadex.org@evil.example",
		"https://api.mangadex.dev",
		"https://auth.mangadex.org",
		"https://api.mangadex.org:444",
		"http://api.mangadex.org",
		"http://api.mangadex.org:443",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			w := mockWorld(t)
			s := w.loggedIn(t, w.personal(), w.withPassword())
			token, err := s.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			other := newStranger(t, strings.HasPrefix(address, "https"))
			client := other.clientFor(t)
			for _, path := range []string{"/manga/" + mangaID, "/user/me", "/data/0123/1-abc.png", "/"} {
				for _, mode := range []func(context.Context) context.Context{same[context.Context], authn.ContextWithToken} {
					ctx := mode(t.Context())
					req, err := http.NewRequestWithContext(ctx, "GET", address+path, nil)
					if err != nil {
						t.Fatal(err)
					}
					if err := s.Edit(ctx, req); err != nil {
						if req.Header.Get("Authorization") != "" {
							t.Error("refused, but with a token")
						}
						if errors.Is(err, authn.ErrUnauthorized) || !strings.Contains(err.Error(), "WithAPIServer") {
							t.Errorf("the error does not say what is wrong: %v", err)
						}
						continue
					}
					resp, err := client.Do(req)
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
				}
			}
			// The same through a client that was made for the wrong server.
			if c, err := api.New(address, api.WithHTTPClient(client), api.WithoutRateLimit(), api.WithoutRetry(), authn.Use(s)); err == nil {
				_, _ = c.GetManga(t.Context(), w.manga, nil)
				if err := c.FollowManga(t.Context(), w.manga); err == nil {
					t.Error("an operation that needs a token succeeds at a stranger's")
				}
			}
			if len(other.seen()) == 0 {
				t.Error("nothing arrived, so that this test shows nothing")
			}
			for _, request := range other.seen() {
				if strings.Contains(request, token.AccessToken) || strings.Contains(request, token.RefreshToken) || strings.Contains(request, "Bearer") {
					t.Errorf("a token arrived:\n%s", request)
				}
			}
		})
	}
}

// What is the same server in another spelling gets the token.
func TestTokenReachesTheServer(t *testing.T) {
	t.Parallel()
	w := mockWorld(t)
	s := w.session(t, w.personal(), w.withPassword())
	for _, address := range []string{"https://api.mangadex.org", "https://api.mangadex.org:443", "https://API.mangadex.org", "https://api.mangadex.org."} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", address+"/user/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Edit(t.Context(), req); err != nil || req.Header.Get("Authorization") == "" {
			t.Errorf("%s: no token, %v", address, err)
		}
		req.Host, req.Header = "evil.example", http.Header{}
		if err := s.Edit(t.Context(), req); err == nil || req.Header.Get("Authorization") != "" {
			t.Errorf("%s: a token for the host evil.example", address)
		}
		req.Host, req.URL.Opaque = "", "//evil.example/user/me"
		if err := s.Edit(t.Context(), req); err == nil || req.Header.Get("Authorization") != "" {
			t.Errorf("%s: a token for an address that hides where it leads", address)
		}
	}
}

// A server with a base path shares its address with others.
func TestTokenKeepsToTheBasePath(t *testing.T) {
	t.Parallel()
	f := newFake()
	mux := http.NewServeMux()
	mux.Handle("/base/", http.StripPrefix("/base", f))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w := f.world(server.Client(), server.URL+"/base", server.URL+"/base"+realm)
	s := w.session(t, w.withPassword())
	w.mustFollow(t, w.use(t, s))
	for path, want := range map[string]bool{"/base/user/me": true, "/user/me": false, "/basement/user/me": false, "/uploads/covers/1.png": false} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Edit(t.Context(), req); (err == nil && req.Header.Get("Authorization") != "") != want {
			t.Errorf("%s: Authorization %q, %v; want a token: %v", path, req.Header.Get("Authorization"), err, want)
		}
	}
	anonymous := w.session(t)
	var unauthorized *authn.UnauthorizedError
	if err := w.use(t, anonymous).FollowManga(t.Context(), w.manga); !errors.As(err, &unauthorized) || unauthorized.Path != "/manga/"+mangaID+"/follow" {
		t.Errorf("got %v, want the path without the base path", err)
	}
}

// Redirects out of the API, followed by the client of the API.
func TestTokenDoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	for name, locate := range map[string]func(s *stranger) string{
		"another port":    func(s *stranger) string { return s.URL },
		"another host":    func(s *stranger) string { return strings.Replace(s.URL, "127.0.0.1", "localhost", 1) },
		"plain http":      func(s *stranger) string { return s.URL },
		"at-home node":    func(*stranger) string { return "https://abc.def.mangadex.network" },
		"look-alike host": func(*stranger) string { return "https://evil.api.mangadex.org" },
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprintf("%s/%d", name, status), func(t *testing.T) {
				t.Parallel()
				f := newFake()
				other := newStranger(t, strings.HasPrefix(locate(&stranger{Server: &httptest.Server{}}), "https"))
				redirect := func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, locate(other)+r.URL.Path, status)
				}
				// The API is served under its real name, by a transport that knows where it is.
				server := httptest.NewTLSServer(f)
				t.Cleanup(server.Close)
				client := &http.Client{Transport: byHost{mockAPI: direct(t, server), mockRealm[:len(mockRealm)-len(realm)]: direct(t, server), "": other.clientFor(t).Transport}}
				w := f.world(client, mockAPI, mockRealm)
				s := w.loggedIn(t, w.personal(), w.withPassword())
				c := w.use(t, s)
				token, _ := s.Token(t.Context())
				f.fail("GET /manga/"+mangaID, redirect)
				f.fail("POST /manga/"+mangaID+"/follow", redirect)
				_, _ = c.GetManga(t.Context(), w.manga, nil)
				if err := c.FollowManga(t.Context(), w.manga); !errors.As(err, new(*api.RedirectError)) {
					t.Errorf("a write that is redirected: %v", err)
				}
				if len(other.seen()) != 1 {
					t.Errorf("%d requests arrived, want 1", len(other.seen()))
				}
				// The requests of the session itself hold more than a token.
				f.fail("GET /auth/check", redirect)
				f.fail("GET /user/me", redirect)
				f.fail(tokenPath, redirect)
				f.fail("POST "+realm+"/protocol/openid-connect/revoke", redirect)
				f.fail("POST "+realm+"/protocol/openid-connect/logout", redirect)
				for name, err := range map[string]error{
					"Check":  second(s.Check(t.Context())),
					"User":   second(s.User(t.Context())),
					"Login":  s.LoginWith(t.Context(), username, password),
					"Logout": s.Logout(t.Context()),
				} {
					if err == nil {
						t.Errorf("%s follows a redirect", name)
					}
				}
				if len(other.seen()) != 1 {
					t.Errorf("%d requests of the session arrived", len(other.seen())-1)
				}
				for _, request := range other.seen() {
					for _, secret := range []string{token.AccessToken, token.RefreshToken, "Authorization", "only-a-test", "password"} {
						if strings.Contains(request, secret) {
							t.Errorf("a secret arrived:\n%s", request)
						}
					}
				}
			})
		}
	}
}

// byHost is a transport for each origin.
type byHost map[string]http.RoundTripper

func (b byHost) RoundTrip(req *http.Request) (*http.Response, error) {
	if transport, ok := b[req.URL.Scheme+"://"+req.URL.Host]; ok {
		return transport.RoundTrip(req)
	}
	return b[""].RoundTrip(req)
}

// direct is a transport to a server, whatever the name.
func direct(t *testing.T, server *httptest.Server) http.RoundTripper {
	s := &stranger{Server: server}
	return s.clientFor(t).Transport
}

// A 401 of another host says nothing about the token.
func TestRefusalOfAnotherHostKeepsToken(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.serve(t)
	other := httptest.NewServer(answerWith(401, "application/json", `{"result":"error","errors":[]}`))
	t.Cleanup(other.Close)
	s := w.loggedIn(t, w.personal(), w.withPassword())
	c := w.use(t, s)
	f.fail("GET /manga/"+mangaID, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusFound)
	})
	if _, err := c.GetManga(t.Context(), w.manga, nil); !errors.Is(err, api.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
	if n := w.refreshes(); n != 0 {
		t.Errorf("%d renewals", n)
	}
}
