package authn_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

// Accounts that log in at once behind one limiter keep to it with their checks: nobody meets a 429.
func TestManyLoginsBehindOneLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := apitest.Start(t, apitest.WithTitles(10), apitest.WithLimits(), apitest.WithoutNetwork())
		shared, err := transport.NewLimiter()
		if err != nil {
			t.Fatal(err)
		}
		var refused []string
		var mu sync.Mutex
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := server.Transport().RoundTrip(req)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && resp.StatusCode == http.StatusTooManyRequests {
				refused = append(refused, req.URL.Path)
			}
			return resp, err
		})
		var all sync.WaitGroup
		for range 20 {
			s, err := authn.New(authn.WithAPIServer(server.URL), authn.WithAuthServer(server.AuthURL),
				authn.WithPersonalClient(server.Account.ClientID, server.Account.ClientSecret),
				authn.WithPassword(server.Account.Username, server.Account.Password))
			if err != nil {
				t.Fatal(err)
			}
			c, err := api.New(server.URL, api.WithHTTPClient(&http.Client{Transport: base}), api.WithTransport(transport.WithLimiter(shared)), authn.Use(s))
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				defer s.Close()
				if _, err := c.GetCurrentUser(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(refused) != 0 {
			t.Errorf("refused: %v", refused)
		}
	})
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// With Use the session's own requests go the way of the client: one User-Agent, one proxy, for the API
// and the realm. What was given to the session counts more.
func TestOneWayOut(t *testing.T) {
	t.Parallel()
	f := newFake()
	direct := f.serve(t)
	record := func(through *[]string, mu *sync.Mutex) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			*through = append(*through, req.URL.Path+" as "+req.Header.Get("User-Agent"))
			mu.Unlock()
			return direct.client.Transport.RoundTrip(req)
		})
	}
	var mu sync.Mutex
	for name, test := range map[string]struct {
		options []authn.Option
		agent   string
		own     bool // the session has a client of its own
	}{
		"by itself":                 {nil, "shelf/1.2", false},
		"User-Agent of the session": {[]authn.Option{authn.WithUserAgent("login/3.4")}, "login/3.4", false},
		"client of the session":     {nil, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var through, other []string
			options := append([]authn.Option{
				authn.WithAPIServer(direct.api), authn.WithAuthServer(direct.auth), direct.personal(), direct.withPassword(),
			}, test.options...)
			if test.own {
				options = append(options, authn.WithHTTPClient(&http.Client{Transport: record(&other, &mu)}))
			}
			s, err := authn.New(options...)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			elsewhere, err := api.New("http://127.0.0.1:1", api.WithHTTPClient(&http.Client{Transport: http.NewFileTransport(http.Dir("."))}), authn.Use(s))
			if err != nil || elsewhere == nil {
				t.Fatal(err)
			}
			c, err := api.New(direct.api, api.WithHTTPClient(&http.Client{Transport: record(&through, &mu)}), api.WithUserAgent("shelf/1.2"), authn.Use(s))
			if err != nil {
				t.Fatal(err)
			}
			direct.mustFollow(t, c)
			for _, path := range []string{realm + "/protocol/openid-connect/token", "/auth/check"} {
				sent := slices.ContainsFunc(through, func(line string) bool {
					return strings.HasPrefix(line, path+" ") && strings.Contains(line, test.agent)
				})
				if sent == test.own {
					t.Errorf("%s: through the client: %v; %q, %q", path, sent, through, other)
				}
				if test.own && !slices.ContainsFunc(other, func(line string) bool { return strings.HasPrefix(line, path+" ") }) {
					t.Errorf("%s: not through the client of the session: %q", path, other)
				}
			}
		})
	}
}

// A realm that answers later than the transport of the client waits for answers is waited for.
func TestSlowRealmBehindAnImpatientClient(t *testing.T) {
	t.Parallel()
	f := newFake()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	w := f.world(server.Client(), server.URL, server.URL+realm)
	s, err := authn.New(authn.WithAPIServer(w.api), authn.WithAuthServer(w.auth), w.personal(), authn.WithRefreshToken(f.seed()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	impatient := &http.Transport{ResponseHeaderTimeout: 50 * time.Millisecond}
	defer impatient.CloseIdleConnections()
	c, err := api.New(w.api, api.WithHTTPClient(&http.Client{Transport: impatient, Timeout: time.Minute}), authn.Use(s))
	if err != nil {
		t.Fatal(err)
	}
	f.fail(tokenPath, f.after(200*time.Millisecond))
	w.mustFollow(t, c)
}
