package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/internal/operation"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options []transport.Option
		header  http.Header
		want    http.Header
	}{
		{"the default", nil, nil, http.Header{"User-Agent": {transport.Product()}}},
		{"with an application", []transport.Option{transport.WithUserAgent(" shelf/1.2 (+https://shelf.example) ")}, nil,
			http.Header{"User-Agent": {transport.Product() + " shelf/1.2 (+https://shelf.example)"}}},
		{"of the request", nil, http.Header{"User-Agent": {"other/1"}}, http.Header{"User-Agent": {"other/1"}}},
		{"an empty one", nil, http.Header{"User-Agent": {""}}, http.Header{"User-Agent": {transport.Product()}}},
		{"Via", nil, http.Header{"Via": {"1.1 proxy"}, "via": {"1.1 proxy"}, "X-Other": {"a", "b"}}, http.Header{"User-Agent": {transport.Product()}, "X-Other": {"a", "b"}}},
	}
	for _, test := range tests {
		for _, url := range []string{server + "/manga", "https://uploads.mangadex.org/covers/a/b.png"} {
			t.Run(test.name+" "+url, func(t *testing.T) {
				t.Parallel()
				var got http.Header
				polite, err := transport.New(append(test.options, transport.WithBase(tripper(func(req *http.Request) (*http.Response, error) {
					got = req.Header
					return answer(req, http.StatusOK, "{}"), nil
				})))...)
				if err != nil {
					t.Fatal(err)
				}
				req := httptest.NewRequest(http.MethodGet, url, nil)
				if test.header != nil {
					req.Header = test.header
				}
				before := fmt.Sprint(req.Header)
				if _, err := polite.RoundTrip(req); err != nil {
					t.Fatal(err)
				}
				if fmt.Sprint(got) != fmt.Sprint(test.want) {
					t.Errorf("headers %v, want %v", got, test.want)
				}
				if after := fmt.Sprint(req.Header); after != before {
					t.Errorf("the request of the caller was changed to %v", after)
				}
			})
		}
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		option transport.Option
		want   string
	}{
		{transport.WithUserAgent(""), `transport: the name for the User-Agent is empty; name the program and how to reach its maker, like "shelf/1.2 (+https://shelf.example)"`},
		{transport.WithUserAgent(" \t "), `is empty`},
		{transport.WithUserAgent("Mozilla/5.0 (X11; Linux x86_64)"), `looks like that of a browser ("mozilla/"), which MangaDex refuses; name the program`},
		{transport.WithUserAgent("shelf AppleWebKit/537"), `looks like that of a browser`},
		{transport.WithUserAgent("shelf/1.0\r\nX-Evil: 1"), `has a control character, which a header cannot hold`},
		{transport.WithAPIServer("api.mangadex.org"), `transport: WithAPIServer: the address of the server "api.mangadex.org" needs a scheme, https or http, and a host; give one like https://api.mangadex.org`},
		{transport.WithAPIServer("https://a b"), `WithAPIServer: the address of the server is not a URL`},
		{transport.WithAPIServer("https://a b"), `; give one like https://api.mangadex.org`},
		{transport.WithAPIServer("ftp://me:secret@server.example"), `WithAPIServer: the address of the server must not hold a user name or a password`},
		{transport.WithLimiter(nil), `WithLimiter: the limiter is nil; leave the option out, or use WithoutRateLimit`},
		{transport.WithBase((*http.Transport)(nil)), `WithBase: the *http.Transport is nil; leave the option out for the default`},
		{transport.WithAttempts(0), `transport: WithAttempts(0): give at least one`},
		{transport.WithBackoff(-1, 1), `give a first time from zero to the longest`},
		{transport.WithBackoff(2, 1), `give a first time from zero to the longest`},
		{transport.WithBackoff(1, time.Hour+1), `and a longest of at most 1h0m0s`},
		{transport.WithBackoff(math.MaxInt64, math.MaxInt64), `and a longest of at most 1h0m0s`},
		{transport.WithMaxWait(-1), `transport: WithMaxWait(-1ns): give a time of zero or more`},
		{transport.WithBanPause(-1), `transport: WithBanPause(-1ns): give a time from zero to`},
		{transport.WithBanPause(math.MaxInt64), `give a time from zero to 24h0m0s`},
	}
	for _, test := range tests {
		if _, err := transport.New(nil, test.option); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if _, err := api.New(api.Production, api.WithTransport(test.option)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("api.New: error %v, want %s", err, test.want)
		}
	}
}

// TestWhatTheLimitsHoldFor checks which requests are limited and repeated.
func TestWhatTheLimitsHoldFor(t *testing.T) {
	t.Parallel()
	const id = "11111111-1111-4111-8111-111111111111"
	tests := []struct {
		servers []string
		url     string
		want    bool
	}{
		{nil, "https://api.mangadex.org/manga", true},
		{nil, "https://api.mangadex.org/unheard-of", true},
		{nil, "https://api.mangadex.org", true},
		{nil, "https://API.MangaDex.org/manga", true},
		{nil, "https://api.mangadex.dev/manga", true},
		{nil, "http://api.mangadex.org/manga", false},
		{nil, "https://api.mangadex.org:8443/manga", false},
		{nil, "https://api.mangadex.org.example/manga", false},
		{nil, "https://uploads.mangadex.org/covers/" + id + "/a.png", false},
		{nil, "https://node.mangadex.network/manga/" + id, false},
		{[]string{"http://127.0.0.1:80/base/"}, "http://127.0.0.1:80/base/manga", true},
		{[]string{"http://127.0.0.1:80/base"}, "http://127.0.0.1:80/basement/manga", false},
		{[]string{"http://127.0.0.1:80/base"}, "http://127.0.0.1:80/node/data/a.png", false},
		{[]string{"http://127.0.0.1:80/base"}, "https://api.mangadex.org/manga", false},
		{[]string{"http://127.0.0.1:80", "https://api.mangadex.org"}, "https://api.mangadex.org/manga", true},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.servers, " ")+" "+test.url, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{fail: status(500)}
				var options []transport.Option
				for _, server := range test.servers {
					options = append(options, transport.WithAPIServer(server))
				}
				client, polite := newClient(t, s, options...)
				resp, err := client.Get(test.url)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if repeated := resp.StatusCode == http.StatusOK; repeated != test.want {
					t.Errorf("repeated: %t, want %t", repeated, test.want)
				}
				if counted := polite.Stats().Requests > 0; counted != test.want {
					t.Errorf("counted: %t, want %t", counted, test.want)
				}
			})
		})
	}
}

// TestBodies checks that an answer is the same with the transport and without, whatever way the
// server sends it.
func TestBodies(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789abcdef", 17<<20/16) // more than is read ahead
	for name, body := range map[string]string{"empty": "", "small": `{"result":"ok"}`, "medium": large[:1<<20], "large": large} {
		for _, way := range []string{"length", "chunked", "gzip"} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				var zipped bytes.Buffer
				z, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
				io.WriteString(z, body)
				z.Close()
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					switch {
					case way == "length":
						w.Header().Set("Content-Length", fmt.Sprint(len(body)))
						io.WriteString(w, body)
					case way == "gzip" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"):
						w.Header().Set("Content-Encoding", "gzip")
						w.Write(zipped.Bytes())
					default:
						w.(http.Flusher).Flush()
						io.WriteString(w, body)
					}
				}))
				defer s.Close()
				base := transport.Base()
				defer base.CloseIdleConnections()
				bare := &http.Client{Transport: base}
				client, _ := newClient(t, base, transport.WithAPIServer(s.URL), transport.WithoutRateLimit())
				for _, method := range []string{"GET", "HEAD", "POST"} {
					for _, explicit := range []bool{false, true} {
						if name == "large" && (explicit || method != "GET") {
							continue // it takes long
						}
						var got [2]string
						for i, c := range []*http.Client{bare, client} {
							req, _ := http.NewRequest(method, s.URL+"/manga", nil)
							if explicit {
								req.Header.Set("Accept-Encoding", "gzip")
							}
							resp, err := c.Do(req)
							if err != nil {
								t.Fatal(err)
							}
							content, err := io.ReadAll(resp.Body)
							resp.Body.Close()
							resp.Header.Del("Date")
							got[i] = fmt.Sprintf("%s %v length %d encoding %v uncompressed %t body %d %v", resp.Status, resp.Header, resp.ContentLength, resp.TransferEncoding, resp.Uncompressed, len(content), err)
							if way != "gzip" && method == "GET" && string(content) != body {
								t.Error("the body is another")
							}
						}
						if got[0] != got[1] {
							t.Errorf("%s: %s, without the transport %s", method, got[1], got[0])
						}
					}
				}
			})
		}
	}
}

// TestCutBodies checks the same for answers that end too early, on real connections.
func TestCutBodies(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"length", "chunked", "gzip"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			n := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var b bytes.Buffer
				text := strings.Repeat("text ", 10000)
				if way == "gzip" {
					w.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(&b)
					io.WriteString(z, text)
					z.Close()
				} else {
					b.WriteString(text)
				}
				if way == "length" {
					w.Header().Set("Content-Length", fmt.Sprint(b.Len()))
				}
				if n++; n < 3 {
					w.Write(b.Bytes()[:b.Len()/2])
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}
				w.Write(b.Bytes())
			}))
			defer s.Close()
			client, polite := newClient(t, transport.Base(), transport.WithAPIServer(s.URL), transport.WithBackoff(0, 0))
			resp, err := client.Get(s.URL + "/manga")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if text, err := io.ReadAll(resp.Body); err != nil || len(text) != 50000 {
				t.Errorf("%d bytes, %v", len(text), err)
			}
			if stats := polite.Stats(); stats.Requests != 3 {
				t.Errorf("stats %+v", stats)
			}
			client.CloseIdleConnections()
		})
	}
}

// TestReadAndClose checks that a body can be closed while another goroutine reads, and that its
// buffer is not given out twice.
func TestReadAndClose(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusOK, strings.Repeat(req.URL.RawQuery, 1000)), nil
	}), transport.WithoutRateLimit())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				letter := string(rune('a' + i))
				resp, err := client.Get(server + "/manga?" + letter)
				if err != nil {
					t.Error(err)
					return
				}
				wg.Go(func() {
					text, err := io.ReadAll(resp.Body)
					if string(text) != strings.Repeat(letter, len(text)) {
						t.Error("bytes of another answer")
					}
					if err == nil && len(text) != 1000 {
						t.Errorf("%d bytes without an error", len(text))
					}
				})
				resp.Body.Close()
				resp.Body.Close()
			}
		})
	}
	wg.Wait()
}

// TestTracing checks that a transport below can name what it sees.
func TestTracing(t *testing.T) {
	t.Parallel()
	var got []string
	base := tripper(func(req *http.Request) (*http.Response, error) {
		op, ok := api.OperationFrom(req.Context())
		got = append(got, fmt.Sprintf("%s %t", op.ID, ok))
		return answer(req, http.StatusOK, "{}"), nil
	})
	client, err := api.New(api.Production, api.WithHTTPClient(&http.Client{Transport: base}))
	if err != nil {
		t.Fatal(err)
	}
	client.ListTags(t.Context())
	req, err := http.NewRequest(http.MethodGet, "/manga/tag", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client.Do(t.Context(), req); err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	alone, _ := newClient(t, base)
	for _, path := range []string{"/manga/tag", "/unheard-of"} {
		if _, _, err := get(t.Context(), alone, path); err != nil {
			t.Fatal(err)
		}
	}
	if want := "[ListTags true ListTags true ListTags true  false]"; fmt.Sprint(got) != want {
		t.Errorf("operations %v, want %v", got, want)
	}
}

// TestLogging checks the lines, and that they hold no secret.
func TestLogging(t *testing.T) {
	t.Parallel()
	const secret = "5ecret"
	tests := []struct {
		name   string
		fail   func(*http.Request) (*http.Response, error)
		method string
		path   string
		want   []string
	}{
		{"a success", status(200, "X-Request-Id", "r1"), "GET", "/manga/tag", []string{
			`level=DEBUG msg=request operation=ListTags method=GET path=/manga/tag attempt=1 status=200 request_id=r1 duration=5ms`}},
		{"a repetition", status(502, "X-Request-Id", "r1"), "GET", "/manga/tag?token=" + secret, []string{
			`level=DEBUG msg=request operation=ListTags method=GET path=/manga/tag attempt=1 status=502 request_id=r1 duration=5ms`,
			`level=WARN msg="repeating a request" operation=ListTags method=GET path=/manga/tag attempt=1 status=502 request_id=r1 reason=status wait=0s`,
			`level=DEBUG msg=request operation=ListTags method=GET path=/manga/tag attempt=2 status=200 duration=5ms`}},
		{"a pause", status(429, "Retry-After", "3"), "GET", "/manga/tag", []string{
			`level=DEBUG msg=request operation=ListTags method=GET path=/manga/tag attempt=1 status=429 duration=5ms`,
			`level=WARN msg="pausing requests" operation=ListTags method=GET path=/manga/tag attempt=1 status=429 pause=4s all=true`,
			`level=WARN msg="repeating a request" operation=ListTags method=GET path=/manga/tag attempt=1 status=429 reason=status wait=0s`,
			`level=DEBUG msg=request operation=ListTags method=GET path=/manga/tag attempt=2 status=200 duration=5ms`}},
		{"a network error", failing(fmt.Errorf("inner: %w", &url.Error{Op: "Get", URL: server + "?token=" + secret, Err: errBoom})), "GET", "/base/manga/11111111-1111-4111-8111-111111111111", []string{
			`level=DEBUG msg=request operation=GetManga method=GET path=/base/manga/11111111-1111-4111-8111-111111111111 attempt=1 error=boom duration=5ms`,
		}},
		{"a code in the path", status(200), "POST", "/user/delete/" + secret, []string{
			`level=DEBUG msg=request operation=ConfirmUserDeletion method=POST path=/user/delete/REDACTED attempt=1 status=200 duration=5ms`}},
	}
	secretPaths := slices.ContainsFunc(operation.Table[:], func(op operation.Operation) bool { return op.SecretPath })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(test.path, "/user/delete/") && !secretPaths {
				t.Skip("the document has no operation ConfirmUserDeletion")
			}
			synctest.Test(t, func(t *testing.T) {
				var lines bytes.Buffer
				logger := slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey {
						return slog.Attr{}
					}
					return a
				}}))
				s := &script{fail: test.fail}
				client, _ := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
					time.Sleep(5 * time.Millisecond)
					return s.RoundTrip(req)
				}), transport.WithLogger(logger), transport.WithBackoff(0, 0))
				req, _ := http.NewRequestWithContext(t.Context(), test.method, server+test.path, nil)
				req.Header.Set("Authorization", "Bearer "+secret)
				if resp, err := client.Do(req); err == nil {
					resp.Body.Close()
				}
				if got := strings.TrimSpace(lines.String()); got != strings.Join(test.want, "\n") {
					t.Errorf("lines\n%s\nwant\n%s", got, strings.Join(test.want, "\n"))
				}
				if strings.Contains(lines.String(), secret) {
					t.Error("a secret was logged")
				}
			})
		})
	}
}

// TestQuietLogger checks that a logger that wants warnings gets no more.
func TestQuietLogger(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	client, _ := newClient(t, tripper(status(200)), transport.WithLogger(slog.New(slog.NewTextHandler(&lines, nil))))
	get(t.Context(), client, "/manga")
	if lines.Len() > 0 {
		t.Errorf("lines %s", &lines)
	}
}

// TestOddBase checks transports below that do less than they should.
func TestOddBase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			resp *http.Response
			want string
		}{
			"no body":   {&http.Response{StatusCode: http.StatusBadGateway}, ""},
			"no answer": {nil, "the transport below returned neither an answer nor an error"},
		} {
			_, polite := newClient(t, tripper(func(*http.Request) (*http.Response, error) { return test.resp, nil }))
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/manga", nil)
			resp, err := polite.RoundTrip(req)
			switch {
			case test.want != "":
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: error %v, want %s", name, err, test.want)
				}
			case err != nil || resp.StatusCode != test.resp.StatusCode || resp.Body == nil:
				t.Errorf("%s: %+v, error %v", name, resp, err)
			}
		}
	})
}

// TestRequestBodyIsClosed checks what net/http demands, also where nothing is sent.
func TestRequestBodyIsClosed(t *testing.T) {
	t.Parallel()
	full := newLimiter(t, transport.WithRate(0.001, 1))
	full.Wait(t.Context(), open, 0)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	banned, _ := newClient(t, tripper(status(http.StatusForbidden, "Content-Type", "text/html")))
	for range 3 {
		get(t.Context(), banned, "/manga")
	}
	limited, _ := newClient(t, &script{}, transport.WithLimiter(full), transport.WithMaxWait(0))
	idle, _ := newClient(t, &script{})
	for name, test := range map[string]struct {
		client *http.Client
		ctx    context.Context
	}{
		"no room":               {limited, t.Context()},
		"a ban":                 {banned, t.Context()},
		"a caller who has gone": {idle, cancelled},
	} {
		body := &closing{Reader: strings.NewReader("x")}
		req, _ := http.NewRequestWithContext(test.ctx, http.MethodPost, server+"/manga", body)
		if _, err := test.client.Transport.RoundTrip(req); err == nil || !body.closed {
			t.Errorf("%s: error %v, body closed: %t", name, err, body.closed)
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// TestForeignLimiter checks what a limiter of another making is asked and told.
func TestForeignLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &recorder{}
		s := &script{fail: status(429, "X-RateLimit-Limit", "30", "X-RateLimit-Remaining", "0", "Retry-After", "9")}
		client, _ := newClient(t, s, transport.WithLimiter(shared), transport.WithMaxWait(time.Minute))
		if _, _, err := get(t.Context(), client, "/manga/random"); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"wait {GetRandomManga {60 1m0s GetRandomManga}} 1m0s",
			"learn {GetRandomManga {60 1m0s GetRandomManga}} {30 10s false <nil>}",
			"wait {GetRandomManga {60 1m0s GetRandomManga}} 1m0s",
		}
		if fmt.Sprint(shared.lines) != fmt.Sprint(want) {
			t.Errorf("calls %q, want %q", shared.lines, want)
		}
		shared.err = errBoom
		if _, _, err := get(t.Context(), client, "/manga/random"); !errors.Is(err, errBoom) {
			t.Errorf("error %v", err)
		}
	})
}

// A recorder is a limiter that lets everything through.
type recorder struct {
	lines []string
	err   error
}

func (r *recorder) Wait(_ context.Context, call transport.Call, maxWait time.Duration) error {
	r.lines = append(r.lines, fmt.Sprint("wait ", call, " ", maxWait))
	return r.err
}

func (r *recorder) Learn(call transport.Call, feedback transport.Feedback) {
	r.lines = append(r.lines, fmt.Sprint("learn ", call, " ", feedback))
}
