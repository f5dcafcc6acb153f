package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// TestDo sends requests that no method makes, and looks at what arrives.
func TestDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ server, url, want string }{
		{"https://api.example.test", "/manga/1/similar?limit=10", "https://api.example.test/manga/1/similar?limit=10"},
		{"https://api.example.test", "manga/a%2Fb", "https://api.example.test/manga/a%2Fb"},
		{"https://api.example.test/base/", "/manga?x=y", "https://api.example.test/base/manga?x=y"},
		{"https://api.example.test/a%2Fb", "/c%20d", "https://api.example.test/a%2Fb/c%20d"},
		{"https://api.example.test/base", "https://api.example.test/base/manga", "https://api.example.test/base/manga"},
		{"https://api.example.test/base", "https://api.example.test/basement", ""},
		{"https://api.example.test", "https://uploads.example.test/x", ""},
		{"https://api.example.test", "http://api.example.test/x", ""},
	} {
		var got *http.Request
		around := 0
		client, err := api.New(test.server, api.WithoutRateLimit(), api.WithoutRetry(),
			api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
				req.Header.Set("X-All", "1")
				return nil
			}),
			api.WithMiddleware(func(next api.HttpRequestDoer) api.HttpRequestDoer {
				return api.DoerFunc(func(req *http.Request) (*http.Response, error) {
					around++
					return next.Do(req)
				})
			}),
			api.WithHTTPClient(api.DoerFunc(func(req *http.Request) (*http.Response, error) {
				got = req
				return answer(200, "application/zip", "PK", "X-Seen", "yes"), nil
			})))
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, test.url, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		var header http.Header
		resp, err := client.Do(t.Context(), req, api.KeepHeader(&header))
		if test.want == "" {
			if err == nil || got != nil || !strings.Contains(err.Error(), "is not below the server of this client") {
				t.Errorf("%s at %s: %v", test.url, test.server, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil || string(body) != "PK" || header.Get("X-Seen") != "yes" {
			t.Errorf("%s: answer %q, header %v: %v", test.url, body, header, err)
		}
		if got.URL.String() != test.want || got.Header.Get("X-All") != "1" || around != 1 || read(t, got.Body) != "body" {
			t.Errorf("%s at %s arrives as %s %v", test.url, test.server, got.URL, got.Header)
		}
		if len(req.Header) != 0 || req.URL.String() != test.url {
			t.Errorf("the request was changed: %s %v", req.URL, req.Header)
		}
	}
}

// A failure is the error that a typed method returns, for an operation that is known or not.
func TestDoError(t *testing.T) {
	t.Parallel()
	client := answering(t, 404, "application/json", `{"result":"error","errors":[{"id":"x","status":404,"title":"not_found_http_exception"}]}`)
	for path, operation := range map[string]string{"/manga/tag": "ListTags", "/unheard-of": "Do"} {
		req, err := http.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Do(t.Context(), req)
		var e *api.Error
		if !errors.As(err, &e) || !errors.Is(err, api.ErrNotFound) || e.Operation != operation || e.Path != path || len(e.Errors) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := client.Do(t.Context(), nil); err == nil {
		t.Error("no request is sent")
	}
}

// A typed call gives its header to those who ask, for a failure, too.
func TestKeepHeader(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 404} {
		var header http.Header
		client := answering(t, status, "application/json", `{"result":"ok","response":"collection","data":[],"limit":0,"offset":0,"total":0}`, "X-Seen", "yes")
		_, err := client.ListTags(t.Context(), api.KeepHeader(&header), api.KeepHeader(nil))
		if (err == nil) != (status == 200) || header.Get("X-Seen") != "yes" {
			t.Errorf("%d: %v, header %v", status, err, header)
		}
	}
}

// A doer or a middleware that returns nothing at all is told, and does no harm.
func TestNilAnswer(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(*http.Request) (*http.Response, error) { return nil, nil })
	nothing := func(next api.HttpRequestDoer) api.HttpRequestDoer {
		return api.DoerFunc(func(*http.Request) (*http.Response, error) { return nil, nil })
	}
	around, err := api.New(api.Production, api.WithMiddleware(nothing))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*api.Client{client, around} {
		if _, err := c.ListTags(t.Context()); err == nil || !strings.Contains(err.Error(), "ListTags") {
			t.Errorf("typed: %v", err)
		}
		if err := c.Ping(t.Context()); err == nil {
			t.Error("an error-only call succeeds")
		}
		req, err := http.NewRequest(http.MethodGet, "/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(t.Context(), req); err == nil {
			t.Error("Do succeeds")
		}
	}
}
