package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

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

// A cutBody ends too early.
type cutBody struct{ io.Reader }

func newCutBody(text string) io.ReadCloser { return cutBody{strings.NewReader(text)} }

func (b cutBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (cutBody) Close() error { return nil }

// limited is a server with MangaDex's limits, counted strictly: so many requests in any period,
// by the time at which they arrive. It bans who goes on after three 429 in a row.
type limited struct {
	latency func() time.Duration
	slack   int // that many more than the global allowance pass

	mu       sync.Mutex
	arrived  map[string][]time.Time // by bucket; "" is the global one
	refused  int                    // answers with 429
	banned   bool
	inARow   int
	answered int
}

// buckets are those of the operations that the tests use.
var buckets = map[string]transport.Limit{
	"/at-home/server/": {Requests: 40, Per: time.Minute},
	"/manga/random":    {Requests: 60, Per: time.Minute},
	"/report":          {Requests: 10, Per: time.Minute},
}

func (s *limited) RoundTrip(req *http.Request) (*http.Response, error) {
	latency := s.latency()
	if err := wait(req.Context(), latency/2); err != nil {
		return nil, err
	}
	resp := s.handle(req)
	if err := wait(req.Context(), latency-latency/2); err != nil {
		return nil, err
	}
	return resp, nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *limited) handle(req *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.arrived == nil {
		s.arrived = map[string][]time.Time{}
	}
	now := time.Now()
	if s.banned {
		return answer(req, http.StatusForbidden, "<h1>Forbidden</h1>", "Content-Type", "text/html")
	}
	used := func(bucket string, limit transport.Limit) (int, time.Time) {
		recent := s.arrived[bucket]
		for len(recent) > 0 && now.Sub(recent[0]) >= limit.Per {
			recent = recent[1:]
		}
		s.arrived[bucket] = recent
		if len(recent) == 0 {
			return 0, now.Add(limit.Per)
		}
		return len(recent), recent[0].Add(limit.Per)
	}
	global := transport.Limit{Requests: 5, Per: time.Second}
	n, _ := used("", global)
	headers := []string{"Date", now.UTC().Format(http.TimeFormat), "X-Request-Id", uuid.NewString()}
	refuse := n >= global.Requests+s.slack
	own := ""
	for path, limit := range buckets {
		if strings.HasPrefix(req.URL.Path, path) {
			own = path
			n, end := used(path, limit)
			refuse = refuse || n >= limit.Requests
			headers = append(headers, "X-RateLimit-Limit", fmt.Sprint(limit.Requests), "X-RateLimit-Remaining", fmt.Sprint(max(limit.Requests-n-1, 0)),
				"X-RateLimit-Retry-After", fmt.Sprint(end.Unix()))
		}
	}
	if refuse {
		s.refused++
		if s.inARow++; s.inARow >= 3 {
			s.banned = true
		}
		return answer(req, http.StatusTooManyRequests, `{"result":"error"}`, headers...)
	}
	s.inARow = 0
	s.answered++
	s.arrived[""] = append(s.arrived[""], now)
	if own != "" {
		s.arrived[own] = append(s.arrived[own], now)
	}
	return answer(req, http.StatusOK, `{"result":"ok"}`, headers...)
}

var errBoom = errors.New("boom")

// whole is what a storm answers when it answers.
const whole = `{"result":"ok","data":[{"id":"11111111-1111-4111-8111-111111111111"}]}`

// A storm answers one request in five with 5xx, drops one in twenty (half of them before the
// request came through, half before the answer did), cuts off one answer in twenty, refuses one
// in fifty and has a page of HTML for one in a hundred.
type storm struct {
	mu      sync.Mutex
	applied map[string]int // POSTs done, by path
}

func (s *storm) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := wait(req.Context(), rand.N(20*time.Millisecond)); err != nil {
		return nil, err
	}
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	apply := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if req.Method == http.MethodPost {
			s.applied[req.URL.Path]++
		}
	}
	lost := rand.IntN(2) == 0 // whether a failure comes after the work was done
	switch p := rand.IntN(100); {
	case p < 20:
		if lost {
			apply()
		}
		return answer(req, []int{500, 502, 503, 504, 520, 524}[rand.IntN(6)], "<html>", "Content-Type", "text/html"), nil
	case p < 25:
		if !lost {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}
		apply()
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case p < 30:
		apply()
		resp := answer(req, http.StatusOK, "")
		resp.Body, resp.ContentLength = newCutBody(whole[:rand.IntN(len(whole))]), int64(len(whole))
		return resp, nil
	case p < 32:
		return answer(req, http.StatusTooManyRequests, `{"result":"error"}`, "Retry-After", "1"), nil
	case p < 33:
		apply()
		return answer(req, http.StatusOK, "<html>", "Content-Type", "text/html"), nil
	}
	apply()
	return answer(req, http.StatusOK, whole), nil
}
