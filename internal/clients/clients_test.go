package clients_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gregjones/httpcache"
	"github.com/h2non/gock"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/jarcoal/httpmock"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
)

const tags = `{"result":"ok","response":"collection","data":[],"limit":100,"offset":0,"total":0}`

// TestReplacedDefaultTransport checks that what stands in http.DefaultTransport is used, as by
// net/http, whether it came before the client or after, and whatever client is given. It does not
// run beside other tests.
func TestReplacedDefaultTransport(t *testing.T) {
	given := map[string][]api.Option{
		"no client":            nil,
		"the default client":   {api.WithHTTPClient(http.DefaultClient)},
		"an empty client":      {api.WithHTTPClient(&http.Client{})},
		"one with a timeout":   {api.WithHTTPClient(&http.Client{Timeout: time.Minute})},
		"one with a transport": {api.WithHTTPClient(&http.Client{Transport: must(transport.New(transport.WithoutRetry()))})},
	}
	replaced := map[string]struct{ on, off func() }{
		"httpmock": {func() {
			httpmock.Activate()
			httpmock.RegisterResponder(http.MethodGet, api.Production+"/manga/tag", httpmock.NewStringResponder(http.StatusOK, tags).HeaderSet(jsonHeader))
		}, httpmock.DeactivateAndReset},
		"gock": {func() {
			gock.New(api.Production).Get("/manga/tag").Persist().Reply(http.StatusOK).SetHeader("Content-Type", "application/json").BodyString(tags)
		}, gock.Off},
		"an agent": {func() { http.DefaultTransport = agent{http.DefaultTransport} }, func() { http.DefaultTransport = http.DefaultTransport.(agent).RoundTripper }},
	}
	for what, replace := range replaced {
		for name, options := range given {
			for _, before := range []bool{false, true} {
				if before {
					replace.on()
				}
				client, err := api.New(api.Production, options...)
				if err != nil {
					t.Fatal(err)
				}
				if !before {
					replace.on()
				}
				// The real server must not be reached, if it fails.
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if _, err := client.ListTags(ctx); err != nil {
					t.Errorf("%s, %s, replaced before %t: %v", what, name, before, err)
				}
				cancel()
				replace.off()
			}
		}
	}
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

// agent answers instead of the network.
type agent struct{ http.RoundTripper }

func (agent) RoundTrip(req *http.Request) (*http.Response, error) {
	return httpmock.NewStringResponder(http.StatusOK, tags).HeaderSet(jsonHeader)(req)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A server refuses the first requests with 429, and says how much of the allowance is left.
func newServer(t *testing.T, refused int64, headers ...string) (*httptest.Server, *atomic.Int64) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		if asked.Add(1) <= refused {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			w.Write([]byte(`{"result":"error","errors":[]}`))
			return
		}
		w.Write([]byte(tags))
	}))
	t.Cleanup(server.Close)
	return server, &asked
}

// TestTracing checks that otelhttp below sees each attempt, named after the operation.
func TestTracing(t *testing.T) {
	server, _ := newServer(t, 1)
	recorder := tracetest.NewSpanRecorder()
	traced := otelhttp.NewTransport(http.DefaultTransport,
		otelhttp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			op, _ := api.OperationFrom(r.Context())
			return op.ID
		}))
	client := must(api.New(server.URL, api.WithHTTPClient(&http.Client{Transport: traced})))
	if _, err := client.ListTags(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := recorder.Ended()
	if len(spans) != 2 || spans[0].Name() != "ListTags" || spans[1].Name() != "ListTags" {
		t.Errorf("spans %v", spans)
	}
}

// TestRetryingBase checks what the documentation of transport.WithBase says: a base that repeats by
// itself hides a 429 from the limits; with its repetitions taken out it does not.
func TestRetryingBase(t *testing.T) {
	for _, repeats := range []bool{true, false} {
		server, asked := newServer(t, 1)
		retrying := retryablehttp.NewClient()
		retrying.Logger = nil
		if !repeats {
			retrying.RetryMax = 0
			retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
		}
		client := must(api.New(server.URL, api.WithHTTPClient(retrying.StandardClient())))
		if _, err := client.ListTags(t.Context()); err != nil {
			t.Fatal(err)
		}
		if stats := client.Stats(); asked.Load() != 2 || (stats.RateLimited == 0) != repeats {
			t.Errorf("repeats %t: asked %d times, stats %+v", repeats, asked.Load(), stats)
		}
	}
}

// TestCacheBelow checks that what a cache has kept pauses nothing: the answer says once that nothing
// is left, and not again whenever it comes out of the cache.
func TestCacheBelow(t *testing.T) {
	server, asked := newServer(t, 0, "Cache-Control", "max-age=3600", "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "Retry-After", "2")
	cached := httpcache.NewMemoryCacheTransport()
	cached.MarkCachedResponses = false // so that only the date tells
	client := must(api.New(server.URL, api.WithHTTPClient(cached.Client())))
	for range 8 {
		if _, err := client.GetRandomManga(t.Context(), nil); err != nil && !errors.As(err, new(*api.Error)) {
			t.Fatal(err)
		}
	}
	if asked.Load() != 1 || client.Stats().Pauses != 1 {
		t.Errorf("asked %d times, stats %+v", asked.Load(), client.Stats())
	}
}
