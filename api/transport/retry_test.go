package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
)

// script is a server that fails once and answers then.
type script struct {
	fail func(*http.Request) (*http.Response, error)
	sent int
	body []string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.sent++
	if req.Body != nil {
		text, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body.Close()
		s.body = append(s.body, string(text))
	}
	if s.sent == 1 {
		return s.fail(req)
	}
	return answer(req, http.StatusOK, `{"result":"ok"}`), nil
}

func status(code int, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) { return answer(req, code, `{}`, headers...), nil }
}

func failing(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func dialError(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }

// TestWhatIsRepeated is the table of what is repeated for which methods.
func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	const never, idempotent, always = 0, 1, 2
	cut := func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusOK, "")
		resp.Body, resp.ContentLength = newCutBody(`{"result":`), -1
		return resp, nil
	}
	short := func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusOK, `{"result":`)
		resp.ContentLength = 100
		return resp, nil
	}
	tests := []struct {
		name string
		fail func(*http.Request) (*http.Response, error)
		want int
	}{
		{"200", status(200), never},
		{"304", status(304), never},
		{"400", status(400), never},
		{"401", status(401), never},
		{"403", status(403), never},
		{"404", status(404), never},
		{"409", status(409), never},
		{"412", status(412), never},
		{"429", status(429), always},
		{"500", status(500), idempotent},
		{"501", status(501), never},
		{"502", status(502), idempotent},
		{"503", status(503), idempotent},
		{"503 with a short Retry-After", status(503, "Retry-After", "30"), idempotent},
		{"503 with a long Retry-After", status(503, "Retry-After", "300"), never},
		{"504", status(504), idempotent},
		{"505", status(505), never},
		{"519", status(519), never},
		{"520", status(520), idempotent},
		{"521", status(521), idempotent},
		{"522", status(522), idempotent},
		{"523", status(523), idempotent},
		{"524", status(524), idempotent},
		{"525, of TLS", status(525), never},
		{"200 with HTML", status(200, "Content-Type", "text/html; charset=utf-8"), idempotent},
		{"404 with HTML", status(404, "Content-Type", "text/html"), never},
		{"a body cut off", cut, idempotent},
		{"a body shorter than it says", short, idempotent},
		{"a connection closed", failing(io.EOF), idempotent},
		{"a connection closed in the headers", failing(fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", io.ErrUnexpectedEOF)), idempotent},
		{"an idle connection closed", failing(errors.New("http: server closed idle connection")), idempotent},
		{"a connection reset", failing(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), idempotent},
		{"a broken pipe", failing(&net.OpError{Op: "write", Err: syscall.EPIPE}), idempotent},
		{"an HTTP/2 connection going away", failing(errors.New("http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"\"")), idempotent},
		{"HTTP/2 headers that cannot be read", failing(errors.New("connection error: COMPRESSION_ERROR")), idempotent},
		{"a stream reset", failing(errors.New("stream error: stream ID 3; INTERNAL_ERROR; received from peer")), idempotent},
		{"an answer that does not come", failing(timeout{}), idempotent},
		{"a connection refused", failing(dialError(syscall.ECONNREFUSED)), always},
		{"a connection that is not made in time", failing(dialError(timeout{})), always},
		{"a proxy that is down", failing(&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}), always},
		{"a name server that is down", failing(dialError(&net.DNSError{Err: "server misbehaving", IsTemporary: true})), always},
		{"a name that does not exist", failing(dialError(&net.DNSError{Err: "no such host", IsNotFound: true})), never},
		{"a certificate of another", failing(&tls.CertificateVerificationError{Err: x509.HostnameError{}}), never},
		{"an unknown authority", failing(x509.UnknownAuthorityError{}), never},
		{"an alert of TLS", failing(&net.OpError{Op: "remote error", Err: tls.AlertError(40)}), never},
		{"no TLS", failing(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), never},
		{"http for https", failing(errors.New("http: server gave HTTP response to HTTPS client")), never},
		{"a refused URL", failing(&url.Error{Op: "Get", URL: "x", Err: errors.New("unsupported protocol scheme")}), never},
		{"an error of another kind", failing(errBoom), never},
	}
	methods := map[string]bool{"GET": true, "HEAD": true, "PUT": true, "DELETE": true, "POST": false, "PATCH": false}
	for _, test := range tests {
		for method, safe := range methods {
			t.Run(test.name+" "+method, func(t *testing.T) {
				t.Parallel()
				if method == http.MethodHead && strings.Contains(test.name, "body") {
					t.Skip("an answer to HEAD has no body")
				}
				synctest.Test(t, func(t *testing.T) {
					s := &script{fail: test.fail}
					client, polite := newClient(t, s)
					var body io.Reader
					if method == "PUT" || method == "POST" {
						body = strings.NewReader("body")
					}
					_, _, err := ask(t.Context(), client, method, "/manga/11111111-1111-4111-8111-111111111111", body)
					want := 1
					if test.want == always || test.want == idempotent && safe {
						want = 2
						if err != nil {
							t.Errorf("error %v", err)
						}
					}
					if s.sent != want {
						t.Errorf("sent %d times, want %d: %v", s.sent, want, err)
					}
					for _, text := range s.body {
						if text != "body" {
							t.Errorf("body %q", text)
						}
					}
					if stats := polite.Stats(); stats.Requests != int64(want) || stats.Retries != int64(want-1) {
						t.Errorf("stats %+v", stats)
					}
				})
			})
		}
	}
}

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// TestUnsentIsRepeatedForReal checks against a port that nobody listens on.
func TestUnsentIsRepeatedForReal(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	at := "http://" + listener.Addr().String()
	client, polite := newClient(t, transport.Base(), transport.WithAPIServer(at), transport.WithBackoff(time.Millisecond, time.Millisecond))
	_, err = client.Post(at+"/manga", "application/json", strings.NewReader("{}"))
	if err == nil || !strings.Contains(err.Error(), "transport: 5 attempts: dial tcp") {
		t.Errorf("error %v", err)
	}
	if stats := polite.Stats(); stats.Requests != 5 {
		t.Errorf("stats %+v", stats)
	}
}

func TestTLSIsNotRepeatedForReal(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	client, polite := newClient(t, transport.Base(), transport.WithAPIServer(s.URL)) // does not know the certificate
	if _, err := client.Get(s.URL + "/manga"); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("error %v", err)
	}
	if stats := polite.Stats(); stats.Requests != 1 {
		t.Errorf("stats %+v", stats)
	}
}

// TestBodyThatCannotBeRewound checks that a body that can be read once is sent once.
func TestBodyThatCannotBeRewound(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*http.Request) (*http.Response, error){"status": status(500), "dial": failing(dialError(syscall.ECONNREFUSED))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{fail: fail}
			client, _ := newClient(t, s)
			ask(t.Context(), client, http.MethodPut, "/manga/x", io.NopCloser(strings.NewReader("body")))
			if s.sent != 1 {
				t.Errorf("sent %d times", s.sent)
			}
		})
	}
}

// TestBackoff checks the bounds of one call: attempts and times.
func TestBackoff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		options  []transport.Option
		headers  []string
		deadline time.Duration
		sent     int
		least    time.Duration
		most     time.Duration
	}{
		{"the defaults", nil, nil, 0, 5, 0, (300 + 600 + 1200 + 2400) * time.Millisecond},
		{"more attempts", []transport.Option{transport.WithAttempts(12), transport.WithBackoff(time.Second, 4*time.Second)}, nil, 0, 12, 0, (1 + 2 + 9*4) * time.Second},
		{"none", []transport.Option{transport.WithoutRetry()}, nil, 0, 1, 0, 0},
		{"Retry-After", []transport.Option{transport.WithAttempts(3)}, []string{"Retry-After", "7"}, 0, 3, 14 * time.Second, 15 * time.Second},
		{"a deadline before Retry-After", nil, []string{"Retry-After", "7"}, 5 * time.Second, 1, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, polite := newClient(t, tripper(status(http.StatusServiceUnavailable, test.headers...)), append(test.options, transport.WithoutRateLimit())...)
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				start := time.Now()
				code, body, err := get(ctx, client, "/manga")
				if err != nil || code != http.StatusServiceUnavailable || body != "{}" {
					t.Errorf("%d %q %v", code, body, err)
				}
				if took := time.Since(start); took < test.least || took > test.most {
					t.Errorf("took %v, want between %v and %v", took, test.least, test.most)
				}
				if stats := polite.Stats(); stats.Requests != int64(test.sent) {
					t.Errorf("sent %d times, want %d", stats.Requests, test.sent)
				}
			})
		})
	}
}

// TestJitter checks that clients that fail together do not come back together.
func TestJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		took := map[time.Duration]bool{}
		for range 20 {
			client, _ := newClient(t, &script{fail: status(500)}, transport.WithBackoff(time.Second, time.Second))
			start := time.Now()
			get(t.Context(), client, "/manga")
			took[time.Since(start)] = true
		}
		if len(took) < 15 {
			t.Errorf("only %d different times", len(took))
		}
	})
}

// TestBudget checks the bound of all calls together: with a server that is down, they soon cease
// to be repeated, and begin again when it is up.
func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		client, polite := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			if down {
				return answer(req, http.StatusBadGateway, ""), nil
			}
			return answer(req, http.StatusOK, "{}"), nil
		}), transport.WithoutRateLimit())
		for range 1000 {
			get(t.Context(), client, "/manga")
		}
		if stats := polite.Stats(); stats.Retries != 100 || stats.Requests != 1100 {
			t.Errorf("stats %+v", stats)
		}
		down = false
		for range 50 {
			get(t.Context(), client, "/manga")
		}
		down = true
		for range 100 {
			get(t.Context(), client, "/manga")
		}
		if stats := polite.Stats(); stats.Retries != 150 {
			t.Errorf("stats %+v", stats)
		}
	})
}

// TestLastFailure checks what comes out when all attempts failed.
func TestLastFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, tripper(failing(io.ErrUnexpectedEOF)))
		if _, _, err := get(t.Context(), client, "/manga"); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "5 attempts") {
			t.Errorf("error %v", err)
		}
		client, _ = newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			resp := answer(req, http.StatusOK, "")
			resp.Body, resp.ContentLength = newCutBody("half"), 8
			return resp, nil
		}))
		if code, body, err := get(t.Context(), client, "/manga"); code != 200 || body != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d %q %v", code, body, err)
		}
	})
}

// TestStorm sends calls through everything that can go wrong. All that can be repeated succeed;
// what cannot is done once at most, and done if the caller was told so.
func TestStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithTitles(10), apitest.WithTokenLife(time.Hour, time.Hour))
		token, _, err := srv.Tokens().Issue(srv.Account.Username)
		if err != nil {
			t.Fatal(err)
		}
		s := &fake{Server: srv, latency: func() time.Duration { return rand.N(20 * time.Millisecond) }}
		base := tripper(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				req = req.Clone(req.Context())
				req.Header.Set("Authorization", "Bearer "+token)
				req.Header.Set("Content-Type", "application/json")
			}
			return s.RoundTrip(req)
		})
		client, polite := newClient(t, base, transport.WithLimiter(newLimiter(t, transport.WithRate(500, 50))), transport.WithAttempts(20))
		path := "/manga/" + srv.State().Manga()[0].ID.String()
		_, whole, err := get(t.Context(), client, path)
		if err != nil {
			t.Fatal(err)
		}
		kinds := []struct {
			apitest.Fault
			done bool // what was asked for is done all the same
		}{
			{apitest.Fault{Status: 500}, false}, {apitest.Fault{Status: 502, HTML: true}, false}, {apitest.Fault{Drop: true}, false}, {apitest.Fault{Drop: true, Reset: true}, false},
			{apitest.Fault{Status: 503, After: true}, true}, {apitest.Fault{Status: 520, HTML: true, After: true}, true}, {apitest.Fault{Drop: true, After: true}, true},
			{apitest.Fault{Truncate: true}, true}, {apitest.Fault{HTML: true}, true}, {apitest.Fault{Status: 429, Header: http.Header{"Retry-After": {"1"}}}, false},
		}
		var done sync.Map // times that a list was made, by its body
		srv.FailFunc(func(r apitest.Request) *apitest.Fault {
			kind := rand.IntN(3 * len(kinds)) // a third of the requests go wrong
			if kind >= len(kinds) || kinds[kind].done {
				count, _ := done.LoadOrStore(string(r.Body), new(atomic.Int64))
				count.(*atomic.Int64).Add(1)
			}
			if kind >= len(kinds) {
				return nil
			}
			return &kinds[kind].Fault
		})
		var succeeded atomic.Int64
		var workers sync.WaitGroup
		jobs := make(chan int)
		for range 32 {
			workers.Go(func() {
				for i := range jobs {
					if i%4 != 0 {
						if code, body, err := get(t.Context(), client, path); err != nil || code != http.StatusOK || body != whole {
							t.Errorf("call %d: %d %v", i, code, err)
						}
						continue
					}
					list := fmt.Sprintf(`{"name":"list %d"}`, i)
					code, _, err := ask(t.Context(), client, http.MethodPost, "/list", strings.NewReader(list))
					times := int64(0)
					if count, ok := done.Load(list); ok {
						times = count.(*atomic.Int64).Load()
					}
					if times > 1 || err == nil && code == http.StatusOK && times != 1 {
						t.Errorf("%s was made %d times: %d, %v", list, times, code, err)
					}
					if err == nil && code == http.StatusOK {
						succeeded.Add(1)
					}
				}
			})
		}
		const calls = 600
		for i := range calls {
			jobs <- i
		}
		close(jobs)
		workers.Wait()
		if got := succeeded.Load(); got < calls/4/2 || got > calls/4*9/10 {
			t.Errorf("%d of %d POSTs succeeded; a third of them go wrong", got, calls/4)
		}
		t.Logf("stats %+v", polite.Stats())
	})
}
