package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
)

// server is the API that the tests talk to.
const server = "https://api.mangadex.org"

// tripper is a transport below the one under test.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// newClient returns a client with a transport under test on top of base.
func newClient(t testing.TB, base http.RoundTripper, options ...transport.Option) (*http.Client, *transport.Transport) {
	t.Helper()
	polite, err := transport.New(append([]transport.Option{transport.WithBase(base)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: polite}, polite
}

// answer makes an answer; headers are given as name and value.
func answer(req *http.Request, status int, body string, headers ...string) *http.Response {
	resp := &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for i := 0; i < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

// get asks for a path and returns status and body.
func get(ctx context.Context, client *http.Client, path string) (int, string, error) {
	return ask(ctx, client, http.MethodGet, path, nil)
}

func ask(ctx context.Context, client *http.Client, method, path string, body io.Reader) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, server+path, body)
	if err != nil {
		return 0, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// newCutBody is a body that ends too early.
func newCutBody(text string) io.ReadCloser {
	return io.NopCloser(io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF)))
}

// A fake is MangaDex with its limits, at the end of a way that takes some time.
type fake struct {
	*apitest.Server
	latency func() time.Duration
	chapter string // the path of an at-home call
}

func newFake(t testing.TB, latency func() time.Duration) *fake {
	t.Helper()
	f := &fake{apitest.Start(t, apitest.WithoutNetwork(), apitest.WithLimits(), apitest.WithTitles(10)), latency, ""}
	id, err := f.State().AddChapter(apitest.Chapter{Manga: f.State().Manga()[0].ID, Pages: 1})
	if err != nil {
		t.Fatal(err)
	}
	f.chapter = "/at-home/server/" + id.String()
	return f
}

// always is a way that takes the same time for all.
func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	latency := f.latency()
	if err := wait(req.Context(), latency/2); err != nil {
		return nil, err
	}
	to := req.Clone(req.Context())
	to.URL, _ = url.Parse(f.URL + req.URL.RequestURI())
	resp, err := f.Transport().RoundTrip(to)
	if err == nil {
		err = wait(req.Context(), latency-latency/2)
	}
	return resp, err
}

// kept fails the test unless the requests have kept the limits in every second and every minute, but for
// so many more at once, and none was refused.
func (f *fake) kept(t testing.TB, slack int) {
	t.Helper()
	arrived := map[string][]time.Time{}
	for _, r := range f.Requests() {
		if r.Status == http.StatusTooManyRequests || r.Status == http.StatusForbidden {
			t.Errorf("%s was refused: %d", r.Operation, r.Status)
		}
		arrived[""] = append(arrived[""], r.Time)
		arrived[r.Operation] = append(arrived[r.Operation], r.Time)
	}
	for operation, limit := range map[string]transport.Limit{
		"":                {Requests: 5 + slack, Per: time.Second},
		"GetAtHomeServer": {Requests: 40, Per: time.Minute},
		"GetRandomManga":  {Requests: 60, Per: time.Minute},
	} {
		for i, at := range arrived[operation] {
			if before := i - limit.Requests; before >= 0 && at.Sub(arrived[operation][before]) < limit.Per {
				t.Errorf("more than %d requests %s in %v, the last at %v", limit.Requests, operation, limit.Per, at)
			}
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errBoom = errors.New("boom")

// whole is an answer that lacks nothing.
const whole = `{"result":"ok","data":[{"id":"11111111-1111-4111-8111-111111111111"}]}`
