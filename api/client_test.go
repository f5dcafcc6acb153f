package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
)

// mock is a transport that answers GET /manga/tag, and fails the first so many times.
func mock(failures int) *httpmock.MockTransport {
	m := httpmock.NewMockTransport()
	m.RegisterResponder(http.MethodGet, "https://api.example.test/manga/tag", func(req *http.Request) (*http.Response, error) {
		if failures--; failures >= 0 {
			return httpmock.NewStringResponse(http.StatusBadGateway, ""), nil
		}
		resp := httpmock.NewStringResponse(http.StatusOK, `{"result":"ok","response":"collection","data":[],"limit":0,"offset":0,"total":0}`)
		resp.Header.Set("Content-Type", "application/json")
		resp.Header.Set("X-Agent", req.Header.Get("User-Agent"))
		resp.Header.Set("X-Secret", req.Header.Get("Authorization"))
		return resp, nil
	})
	return m
}

// TestClientsOfAllKinds checks that whatever a client is given to send with is made polite.
func TestClientsOfAllKinds(t *testing.T) {
	t.Parallel()
	const server = "https://api.example.test"
	polite := func(m http.RoundTripper) *transport.Transport {
		p, err := transport.New(transport.WithAPIServer(server), transport.WithBase(m), transport.WithUserAgent("own/1"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	tests := []struct {
		name  string
		doer  func(m http.RoundTripper) api.HttpRequestDoer
		agent string
	}{
		{"an http.Client", func(m http.RoundTripper) api.HttpRequestDoer { return &http.Client{Transport: m} }, transport.Product()},
		{"an http.Client with a polite transport", func(m http.RoundTripper) api.HttpRequestDoer { return &http.Client{Transport: polite(m)} }, transport.Product() + " own/1"},
		{"another doer", func(m http.RoundTripper) api.HttpRequestDoer { return api.DoerFunc(m.RoundTrip) }, transport.Product()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				given := test.doer(mock(2))
				client, err := api.New(server, api.WithHTTPClient(given))
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				for range 10 {
					var header http.Header
					if _, err := client.ListTags(t.Context(), api.KeepHeader(&header)); err != nil {
						t.Fatal(err)
					}
					if got := header.Get("X-Agent"); got != test.agent {
						t.Errorf("User-Agent %q, want %q", got, test.agent)
					}
				}
				if stats := client.Stats(); stats.Requests != 12 || stats.Retries != 2 || stats.Waits == 0 || time.Since(start) < 2*time.Second {
					t.Errorf("stats %+v", stats)
				}
				if c, ok := given.(*http.Client); ok && (c.CheckRedirect != nil || c.Jar != nil) {
					t.Error("the client that was given was changed")
				}
			})
		})
	}
	_, err := api.New(server, api.WithHTTPClient(&http.Client{Transport: polite(mock(0))}), api.WithoutRetry())
	if err == nil || !strings.Contains(err.Error(), "has a transport of package transport already; give the options for limits, repetitions, User-Agent and logging to that one") {
		t.Errorf("error %v", err)
	}
}

// TestClientOptions checks that the options reach the transport.
func TestClientOptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		client := func(failures int, options ...api.Option) *api.Client {
			c, err := api.New("https://api.example.test", append(options, api.WithHTTPClient(&http.Client{Transport: mock(failures)}))...)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := client(1, api.WithoutRetry(), api.WithLogger(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		if _, err := c.ListTags(t.Context()); !errors.Is(err, api.ErrServer) || c.Stats().Requests != 1 {
			t.Errorf("error %v, stats %+v", err, c.Stats())
		}
		if !strings.Contains(lines.String(), "operation=ListTags") {
			t.Errorf("lines %s", &lines)
		}
		c = client(0, api.WithoutRateLimit(), api.WithUserAgent("shelf/1"))
		start := time.Now()
		for range 100 {
			var header http.Header
			if _, err := c.ListTags(t.Context(), api.KeepHeader(&header)); err != nil {
				t.Fatal(err)
			}
			if got := header.Get("X-Agent"); got != transport.Product()+" shelf/1" {
				t.Fatalf("User-Agent %q", got)
			}
		}
		if time.Since(start) != 0 {
			t.Errorf("took %v", time.Since(start))
		}
		c = client(0, api.WithTransport(transport.WithMaxWait(0)))
		for i := range 6 {
			_, err := c.ListTags(t.Context())
			if errors.Is(err, api.ErrRateLimited) != (i == 5) {
				t.Errorf("call %d: %v", i, err)
			}
		}
	})
	for _, agent := range []string{"", "Mozilla/5.0"} {
		if _, err := api.New(api.Production, api.WithUserAgent(agent)); err == nil || !strings.Contains(err.Error(), "User-Agent") {
			t.Errorf("%q: error %v", agent, err)
		}
	}
}

// TestNilOptions checks that a forgotten value is told, or is as if it were not there.
func TestNilOptions(t *testing.T) {
	t.Parallel()
	var client *http.Client
	c, err := api.New(api.Production, nil, api.WithHTTPClient(client), api.WithRequestEditorFn(nil), api.WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ping(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := api.New(api.Production, api.WithMiddleware(nil)); err == nil || !strings.Contains(err.Error(), "WithMiddleware") {
		t.Errorf("error %v", err)
	}
	none := func(api.HttpRequestDoer) api.HttpRequestDoer { return nil }
	if _, err := api.New(api.Production, api.WithMiddleware(none)); err == nil || !strings.HasPrefix(err.Error(), "api: a middleware returned nil") {
		t.Errorf("error %v", err)
	}
	for _, err := range c.ListAuthorsAll(ctx, nil, nil) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("walk: error %v", err)
		}
	}
}

// TestRateLimitErrors checks that an error of the limits can be told, and read.
func TestRateLimitErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter, err := transport.NewLimiter(transport.WithRate(0.1, 1))
		if err != nil {
			t.Fatal(err)
		}
		client, err := api.New("https://api.example.test", api.WithHTTPClient(&http.Client{Transport: mock(0)}),
			api.WithTransport(transport.WithLimiter(limiter), transport.WithMaxWait(time.Second)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.ListTags(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = client.ListTags(t.Context())
		var limited *transport.RateLimitError
		if !errors.As(err, &limited) || limited.Operation != "ListTags" || limited.RetryAt.Sub(start) != 10100*time.Millisecond {
			t.Errorf("error %v", err)
		}
		if want := "the rate limit has no room before " + limited.RetryAt.Local().Format(time.RFC3339); !strings.HasSuffix(fmt.Sprint(err), want) {
			t.Errorf("error %v", err)
		}
	})
}
