package athome_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

// A turnstile counts the requests to hosts of pictures that pass.
type turnstile struct {
	base    http.RoundTripper
	agent   string // that each must have
	wrong   atomic.Pointer[string]
	passed  atomic.Int64
	ignored string // host that is not counted
}

func (c *turnstile) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(c.ignored, req.URL.Scheme+"://"+req.URL.Host) {
		c.passed.Add(1)
		if agent := req.Header.Get("User-Agent"); !strings.HasSuffix(agent, c.agent) {
			c.wrong.Store(&agent)
		}
	}
	return c.base.RoundTrip(req)
}

// Pictures and reports leave as the calls of the client do, below its limits; what is given to package
// athome itself wins.
func TestOneWayOut(t *testing.T) {
	t.Parallel()
	const agent, other = "shelf/1.2 (+https://shelf.example)", "cellar/3 (+https://cellar.example)"
	for name, test := range map[string]struct {
		given   bool // a client and a name to athome itself
		through int64
	}{
		"of the client": {false, 6},
		"given":         {true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3, 100)
			w.publish(t)
			ofClient := &turnstile{base: w, agent: agent, ignored: w.api}
			ofAthome := &turnstile{base: w, agent: other}
			client, err := api.New(w.api, api.WithHTTPClient(&http.Client{Transport: ofClient}), api.WithUserAgent(agent))
			must(t, err)
			options := []athome.Option{athome.WithReportURL("https://network.example.test/report")}
			if test.given {
				options = append(options, athome.WithHTTPClient(&http.Client{Transport: ofAthome}), athome.WithUserAgent(other))
			}
			chapter, err := athome.Open(t.Context(), client, chapterID, options...)
			must(t, err)
			must(t, chapter.Save(t.Context(), t.TempDir()))
			chapter.Close() // waits for the reports
			if got, rest := ofClient.passed.Load(), ofAthome.passed.Load(); got != test.through || rest != 6-test.through {
				t.Errorf("%d requests through the client, %d through what was given", got, rest)
			}
			for _, wrong := range []*string{ofClient.wrong.Load(), ofAthome.wrong.Load()} {
				if wrong != nil {
					t.Errorf("User-Agent %q", *wrong)
				}
			}
		})
	}
}

// Covers have no client of their own, and can be given one.
func TestCoversOfAClient(t *testing.T) {
	t.Parallel()
	host := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(host.Close)
	way := &turnstile{base: http.DefaultTransport, agent: "shelf/1.2", ignored: "-"}
	client, err := api.New(host.URL, api.WithHTTPClient(&http.Client{Transport: way}), api.WithUserAgent("shelf/1.2"))
	must(t, err)
	covers, err := athome.NewCovers(athome.WithClient(client), athome.WithUploadsServer(host.URL))
	must(t, err)
	defer covers.Close()
	if _, err := covers.Fetch(t.Context(), uuid.New(), "missing.jpg", api.CoverOriginal); !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
	if way.passed.Load() == 0 || way.wrong.Load() != nil {
		t.Errorf("%d requests, User-Agent %v", way.passed.Load(), way.wrong.Load())
	}
	if _, err := athome.NewCovers(athome.WithClient(nil)); err == nil {
		t.Error("a nil client is taken")
	}
}

// What nobody has chosen is not taken over: the chapter has connections of its own, which do not let a host
// lead into a private network.
func TestWayThatNobodyHasChosen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []api.Option
		want    bool
	}{
		"nothing":           {nil, false},
		"a client without":  {[]api.Option{api.WithHTTPClient(&http.Client{})}, false},
		"a transport":       {[]api.Option{api.WithHTTPClient(&http.Client{Transport: &http.Transport{}})}, true},
		"a doer":            {[]api.Option{api.WithHTTPClient(api.DoerFunc(http.DefaultClient.Do))}, true},
		"limits":            {[]api.Option{api.WithoutRateLimit()}, false},
		"the usual by name": {[]api.Option{api.WithHTTPClient(http.DefaultClient)}, false},
	} {
		client, err := api.New(api.Production, test.options...)
		must(t, err)
		if got := client.Transport().HasBase(); got != test.want {
			t.Errorf("%s: chosen %v", name, got)
		}
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Something below or above a client that wraps bodies changes nothing for a download.
func TestWrappedBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5, 100)
	w.publish(t)
	wrapped := func(resp *http.Response, err error) (*http.Response, error) {
		if err == nil {
			resp.Body = struct{ io.ReadCloser }{resp.Body}
		}
		return resp, err
	}
	below := tripper(func(req *http.Request) (*http.Response, error) { return wrapped(w.RoundTrip(req)) })
	client, err := api.New(w.api, api.WithHTTPClient(&http.Client{Transport: below}), api.WithMiddleware(func(next api.HttpRequestDoer) api.HttpRequestDoer {
		return api.DoerFunc(func(req *http.Request) (*http.Response, error) { return wrapped(next.Do(req)) })
	}))
	must(t, err)
	chapter, err := athome.Open(t.Context(), client, chapterID)
	must(t, err)
	defer chapter.Close()
	n := 0
	for image, err := range chapter.All(t.Context()) {
		if err != nil || string(image.Data) != string(w.pages[n]) {
			t.Fatalf("page %d: %d bytes, %v", n, len(image.Data), err)
		}
		n++
	}
	if n != 5 {
		t.Errorf("%d pages", n)
	}
}
