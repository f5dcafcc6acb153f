package chaos_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
)

// limits are the allowances that the server counts, by the beginning of the path.
var limits = map[string]transport.Limit{
	"":                 {Requests: 5, Per: time.Second},
	"/at-home/server/": {Requests: 40, Per: time.Minute},
	"/manga/random":    {Requests: 60, Per: time.Minute},
}

// longestAttempt is as long as an attempt may take: 75 s until the answer begins, and 30 s until it
// moves again.
const longestAttempt = 105 * time.Second

// An attempts counts how long attempts take, below everything that repeats.
type attempts struct {
	*http.Transport
	mu      sync.Mutex
	n       int
	longest time.Duration
	slowest string
}

func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	begun, connected := time.Now(), time.Time{}
	ended := sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.n++
		if took := time.Since(begun); took > a.longest {
			a.longest, a.slowest = took, req.Method+" "+req.URL.String()
		}
	})
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			a.mu.Lock()
			defer a.mu.Unlock()
			connected = time.Now()
		},
		WroteHeaders: func() { // by a goroutine of HTTP/2; before it, the request may wait for the limits
			a.mu.Lock()
			defer a.mu.Unlock()
			begun = begun.Add(time.Since(connected))
		},
	})
	resp, err := a.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		ended()
		return nil, err
	}
	resp.Body = &attempt{resp.Body, ended}
	return resp, nil
}

type attempt struct {
	io.ReadCloser
	ended func()
}

func (a *attempt) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil {
		a.ended()
	}
	return n, err
}

func (a *attempt) Close() error {
	a.ended()
	return a.ReadCloser.Close()
}

// calls are calls of each method. Each tells whether its success is one.
var calls = []struct {
	name  string
	again bool // it can be repeated
	once  bool // it meets each fault once on real sockets
	call  func(context.Context, *api.Client, uuid.UUID) error
}{
	{"GetAtHomeServer", true, false, func(ctx context.Context, c *api.Client, id uuid.UUID) error {
		got, err := c.GetAtHomeServer(ctx, id, nil)
		if err == nil && got.Chapter.Hash != id.String() {
			return errFalse
		}
		return err
	}},
	{"GetRandomManga", true, false, func(ctx context.Context, c *api.Client, _ uuid.UUID) error {
		got, err := c.GetRandomManga(ctx, nil)
		if err == nil && got.Data.ID != uuid.Max {
			return errFalse
		}
		return err
	}},
	{"GetManga", true, true, func(ctx context.Context, c *api.Client, id uuid.UUID) error {
		got, err := c.GetManga(ctx, id, nil)
		if err == nil && (got.Data.ID != id || len(got.Data.Attributes.Description.In("en")) != 1000) {
			return errFalse
		}
		return err
	}},
	{"FollowManga", false, false, func(ctx context.Context, c *api.Client, id uuid.UUID) error { return c.FollowManga(ctx, id) }},
	{"SetMangaReadMarkers", false, true, func(ctx context.Context, c *api.Client, id uuid.UUID) error {
		return c.SetMangaReadMarkers(ctx, id, nil, api.ReadMarkersEdit{Read: make([]uuid.UUID, 200)})
	}},
	{"UnfollowManga", true, false, func(ctx context.Context, c *api.Client, id uuid.UUID) error { return c.UnfollowManga(ctx, id) }},
	{"HEAD", true, false, do(http.MethodHead)},
	{"PUT", true, true, do(http.MethodPut)},
	{"PATCH", false, false, do(http.MethodPatch)},
}

var errFalse = errors.New("a success that is none")

// do is a call of the caller's own.
func do(method string) func(context.Context, *api.Client, uuid.UUID) error {
	return func(ctx context.Context, c *api.Client, id uuid.UUID) error {
		var body io.Reader
		if method != http.MethodHead {
			body = strings.NewReader(strings.Repeat("x", 100_000)) // more than a stream of HTTP/2 takes without being asked
		}
		req, err := http.NewRequestWithContext(ctx, method, "/shelf/"+id.String(), body)
		if err != nil {
			return err
		}
		resp, err := c.Do(ctx, req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err == nil && method != http.MethodHead && string(text) != `{"result":"ok"}` || resp.Request.Method != method {
			return errFalse
		}
		return err
	}
}

// makeClient returns a client whose connections fail as c decides.
func makeClient(t *testing.T, c *chaos, at string, base *http.Transport, options ...transport.Option) (*api.Client, *attempts) {
	t.Helper()
	base.TLSClientConfig = &tls.Config{RootCAs: certified().pool}
	sent := &attempts{Transport: base}
	client, err := api.New(at, api.WithHTTPClient(&http.Client{Transport: sent}), api.WithTransport(options...),
		api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", "Bearer token")
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	return client, sent
}

// check makes a call and tells of what must not be.
func (c *chaos) check(ctx context.Context, t *testing.T, client *api.Client, n int) (good bool) {
	call, id := calls[n%len(calls)], uuid.New()
	err := call.call(ctx, client, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if times := c.applied[id]; times > 1 || times == 0 && err == nil && (call.name == "FollowManga" || call.name == "SetMangaReadMarkers") {
		t.Errorf("%s was carried out %d times; the call says: %v", call.name, times, err)
	} else if times == 1 && err != nil && !api.MayBeDone(err) {
		t.Errorf("%s was carried out; the call says that it was not: %v", call.name, err)
	}
	if errors.Is(err, errFalse) {
		t.Errorf("%s: %v", call.name, err)
	}
	return err == nil
}

// TestChaos makes calls through everything that can go wrong between a client and MangaDex, for
// minutes of fake time; with MANGADEX_CHAOS=2h, by a thousand callers and for two hours. Every
// attempt ends in time, what is said to have succeeded has, nothing is done twice, no allowance is
// exceeded, and nothing is left behind.
func TestChaos(t *testing.T) {
	t.Parallel()
	long, callers := 3*time.Minute, 100
	if given := os.Getenv("MANGADEX_CHAOS"); given != "" {
		var err error
		if long, err = time.ParseDuration(given); err != nil {
			t.Fatalf("MANGADEX_CHAOS: %v; give a time like 2h", err)
		}
		callers = 1000
	}
	certified()
	synctest.Test(t, func(t *testing.T) {
		c := newChaos(func(faults []string) string {
			if rand.IntN(100) < 85 {
				return ""
			}
			return faults[rand.IntN(len(faults))]
		})
		c.serve(pipes{c})
		base := transport.Base()
		base.DialContext = c.dial
		base.Proxy = func(*http.Request) (*url.URL, error) {
			if rand.IntN(4) > 0 {
				return nil, nil
			}
			return url.Parse(proxy)
		}
		client, sent := makeClient(t, c, mangadex, base, transport.WithAttempts(3), transport.WithBackoff(time.Second, 10*time.Second))
		var wg sync.WaitGroup
		var mu sync.Mutex
		made, succeeded := 0, make([]int, len(calls))
		for caller := range callers {
			wg.Go(func() {
				time.Sleep(time.Duration(caller) * time.Millisecond)
				for turn := 0; time.Since(c.start) < long; turn++ {
					ctx, cancel := context.WithTimeout(t.Context(), long)
					begun := time.Now()
					good := c.check(ctx, t, client, caller+turn)
					took := time.Since(begun)
					cancel()
					if took > long+time.Second {
						t.Errorf("a call took %v", took)
					}
					mu.Lock()
					made++
					if good {
						succeeded[(caller+turn)%len(calls)]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		base.CloseIdleConnections()
		time.Sleep(2 * time.Minute) // for what is still on its way, and for idle ones from then
		c.mu.Lock()
		for conn, what := range c.open {
			t.Errorf("a connection is left, %d: %s", conn.standing(), what)
		}
		c.mu.Unlock()
		c.stop()
		if sent.longest > longestAttempt {
			t.Errorf("an attempt took %v: %s", sent.longest, sent.slowest)
		}
		for _, wrong := range c.wrong {
			t.Error(wrong)
		}
		for what, limit := range limits {
			at := c.arrived[what]
			for i := limit.Requests; i < len(at); i++ {
				if passed := at[i] - at[i-limit.Requests]; passed < limit.Per {
					t.Errorf("%d requests of %q in %v, at %v", limit.Requests+1, what, passed, at[i])
				}
			}
		}
		for n, good := range succeeded {
			if good == 0 {
				t.Errorf("no call of %s has succeeded", calls[n].name)
			}
		}
		t.Logf("%d calls, of which succeeded %v; %d attempts, the longest %v; faults %v", made, succeeded, sent.n, sent.longest, c.met)
	})
}
