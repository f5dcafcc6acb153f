package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// A wire is a server on pipes, so that time can be faked. Each connection is served by serve, which
// is told which one it is.
type wire struct {
	serve func(conn net.Conn, r *bufio.Reader, n int)

	mu   sync.Mutex
	made int
	open int
	wg   sync.WaitGroup
}

// base is a transport of net/http that connects with it.
func (w *wire) base() *http.Transport {
	base := transport.Base()
	base.ResponseHeaderTimeout = 0                                                  // which is as long as ours
	base.DialTLSContext = func(context.Context, string, string) (net.Conn, error) { // without TLS
		here, there := net.Pipe()
		w.mu.Lock()
		defer w.mu.Unlock()
		n := w.made
		w.made++
		w.open++
		w.wg.Go(func() {
			defer func() {
				there.Close()
				w.mu.Lock()
				w.open--
				w.mu.Unlock()
			}()
			w.serve(there, bufio.NewReader(there), n)
		})
		return here, nil
	}
	return base
}

// good answers requests until the connection ends.
func good(conn net.Conn, r *bufio.Reader, _ int) {
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole); err != nil {
			return
		}
	}
}

// until reads a request, says something and waits until the connection ends.
func until(text string) func(net.Conn, *bufio.Reader, int) {
	return func(conn net.Conn, r *bufio.Reader, _ int) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		io.WriteString(conn, text)
		io.Copy(io.Discard, r)
	}
}

// TestStandstill checks that no attempt stands still without an end, whichever part it is in, and
// that another connection brings the answer where the request may be repeated.
func TestStandstill(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	drip := func(conn net.Conn, r *bufio.Reader, _ int) { // is slow, and no standstill
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		fmt.Fprintf(conn, head+"Content-Length: %d\r\n\r\n", len(whole))
		for _, b := range []byte(whole) {
			time.Sleep(29 * time.Second)
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
		}
	}
	tests := []struct {
		name  string
		serve func(net.Conn, *bufio.Reader, int)
		after time.Duration // when the first attempt ends; 0: it is none
		says  string
	}{
		{"before the answer", until(""), 75 * time.Second, "no answer has begun for 1m15s"},
		{"in the header", until(head + "X-Long: "), 75 * time.Second, "no answer has begun for 1m15s"},
		{"behind the header", until(head + "Content-Length: 10\r\n\r\n"), 30 * time.Second, "no byte of the answer has come for 30s"},
		{"in the body", until(head + "Content-Length: 10\r\n\r\n{\"re"), 30 * time.Second, "no byte of the answer has come for 30s"},
		{"in a chunk", until(head + "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"re"), 30 * time.Second, "no byte of the answer has come for 30s"},
		{"between chunks", until(head + "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"re\r\n"), 30 * time.Second, "no byte of the answer has come for 30s"},
		{"behind 100 Continue", until("HTTP/1.1 100 Continue\r\n\r\n"), 75 * time.Second, "no answer has begun for 1m15s"},
		{"101 instead of an answer", until("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), -1, "the server answers 101"},
		{"drop by drop", drip, 0, ""},
	}
	for _, test := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			t.Run(test.name+" "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := &wire{serve: func(conn net.Conn, r *bufio.Reader, n int) {
						if n == 0 {
							test.serve(conn, r, n)
						} else {
							good(conn, r, n)
						}
					}}
					base := w.base()
					client, polite := newClient(t, base, transport.WithBackoff(0, 0))
					start := time.Now()
					var body io.Reader
					if method != http.MethodGet {
						body = strings.NewReader("body")
					}
					code, text, err := ask(t.Context(), client, method, "/manga/11111111-1111-4111-8111-111111111111", body)
					took := time.Since(start)
					repeats := method != http.MethodPost && test.after > 0
					switch {
					case test.after == 0 || repeats:
						if err != nil || code != http.StatusOK || text != whole {
							t.Errorf("%d %q %v", code, text, err)
						}
					case err == nil || !strings.Contains(err.Error(), test.says):
						t.Errorf("error %v", err)
					case test.after > 0:
						var timeout *transport.TimeoutError
						if !errors.As(err, &timeout) || !timeout.Timeout() {
							t.Errorf("error %v", err)
						}
					}
					if test.after != 0 && took != max(test.after, 0) {
						t.Errorf("took %v, want %v", took, test.after)
					}
					if stats := polite.Stats(); repeats && stats.Requests != 2 {
						t.Errorf("stats %+v", stats)
					}
					base.CloseIdleConnections()
					w.wg.Wait()
				})
			})
		}
	}
}

// TestStandstillOfTheRequest checks that a body that the server does not take any more has an end.
func TestStandstillOfTheRequest(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		synctest.Test(t, func(t *testing.T) {
			over := make(chan struct{})
			w := &wire{serve: func(conn net.Conn, r *bufio.Reader, n int) {
				if n == 0 { // takes some of the request, and no more, without closing
					io.CopyN(io.Discard, conn, 1<<20)
					<-over
				} else {
					good(conn, r, n)
				}
			}}
			base := w.base()
			client, _ := newClient(t, base, transport.WithBackoff(0, 0))
			start := time.Now()
			code, _, err := ask(t.Context(), client, method, "/upload/11111111-1111-4111-8111-111111111111", strings.NewReader(strings.Repeat("x", 18<<20)))
			if took := time.Since(start); took < 30*time.Second || took > 76*time.Second {
				t.Errorf("%s: took %v", method, took)
			}
			var timeout *transport.TimeoutError
			if method == http.MethodPut && (err != nil || code != http.StatusOK) ||
				method == http.MethodPost && (!errors.As(err, &timeout) || !strings.Contains(err.Error(), "the server has taken no byte of the request for 30s")) {
				t.Errorf("%s: %d %v", method, code, err)
			}
			close(over)
			base.CloseIdleConnections()
			w.wg.Wait()
		})
	}
}

// TestStallTimeout checks the option, and that the caller's own time does not count.
func TestStallTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{serve: until("HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n" + strings.Repeat("x", 20<<20))}
		base := w.base()
		client, _ := newClient(t, base, transport.WithStallTimeout(time.Second), transport.WithoutRetry())
		resp, err := client.Get(server + "/manga") // longer than is read ahead
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		time.Sleep(time.Hour)
		start := time.Now()
		n, err := io.Copy(io.Discard, resp.Body)
		var timeout *transport.TimeoutError
		if took := time.Since(start); n != 20<<20 || !errors.As(err, &timeout) || took != time.Second {
			t.Errorf("%d bytes, %v after %v", n, err, took)
		}
		w.wg.Wait()

		w = &wire{serve: until("")}
		base = w.base()
		client, _ = newClient(t, base, transport.WithStallTimeout(0), transport.WithoutRetry())
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start = time.Now()
		if _, _, err := get(ctx, client, "/manga"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		w.wg.Wait()
	})
	for _, option := range []transport.Option{transport.WithStallTimeout(-1), transport.WithAttemptTimeout(-1)} {
		if _, err := transport.New(option); err == nil || !strings.Contains(err.Error(), "Timeout(-1ns)") {
			t.Errorf("error %v", err)
		}
	}
}

// TestDeadIdleConnections checks that of several idle connections whose other ends have gone only
// one costs an attempt.
func TestDeadIdleConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dead bool
		var mu sync.Mutex
		w := &wire{serve: func(conn net.Conn, r *bufio.Reader, n int) {
			for {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				io.Copy(io.Discard, req.Body)
				mu.Lock()
				gone := dead && n < 8
				mu.Unlock()
				if gone {
					io.Copy(io.Discard, r)
					return
				}
				time.Sleep(time.Second) // so that eight are needed at once
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole)
			}
		}}
		base := w.base()
		client, polite := newClient(t, base, transport.WithoutRateLimit(), transport.WithBackoff(0, 0))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { get(t.Context(), client, "/manga") })
		}
		wg.Wait()
		mu.Lock()
		dead = true
		mu.Unlock()
		before := polite.Stats().Requests
		start := time.Now()
		if code, _, err := get(t.Context(), client, "/manga"); err != nil || code != http.StatusOK || polite.Stats().Requests-before != 2 {
			t.Errorf("%d after %v and %d attempts: %v", code, time.Since(start), polite.Stats().Requests-before, err)
		}
		start = time.Now()
		if code, _, err := ask(t.Context(), client, http.MethodPost, "/manga", strings.NewReader("{}")); err != nil || code != http.StatusOK || time.Since(start) > 2*time.Second {
			t.Errorf("the next call: %d after %v: %v", code, time.Since(start), err)
		}
		base.CloseIdleConnections()
		w.wg.Wait()
		if w.open != 0 {
			t.Errorf("%d connections are left", w.open)
		}
	})
}

// serveRaw says the same to every connection, and returns its address.
func serveRaw(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					io.WriteString(conn, text)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestPermitOfItsOwnTime checks that every sending has its permit when it happens: the one that
// net/http repeats by itself, because the server has closed a connection of the pool, and the one that
// had to wait for a connection.
func TestPermitOfItsOwnTime(t *testing.T) {
	t.Parallel()
	for _, slow := range []time.Duration{0, 3 * time.Second, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var arrived []time.Duration
			start := time.Now()
			w := &wire{serve: func(conn net.Conn, r *bufio.Reader, n int) {
				for turn := 0; ; turn++ {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					io.Copy(io.Discard, req.Body)
					mu.Lock()
					arrived = append(arrived, time.Since(start))
					mu.Unlock()
					if turn == 2 {
						return // net/http sends it again
					}
					fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole)
				}
			}}
			base := w.base()
			dial := base.DialTLSContext
			base.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				time.Sleep(slow)
				return dial(ctx, network, address)
			}
			const pace = 10 * time.Second
			client, _ := newClient(t, base, transport.WithLimiter(newLimiter(t, transport.WithRate(1/pace.Seconds(), 1))))
			for range 5 {
				if _, _, err := get(t.Context(), client, "/manga"); err != nil {
					t.Error(err)
				}
			}
			for i := 1; i < len(arrived); i++ {
				if passed := arrived[i] - arrived[i-1]; passed < pace || passed > pace+slow+time.Second {
					t.Errorf("with %v to connect, a request came %v after the one before", slow, passed)
				}
			}
			if len(arrived) != 7 {
				t.Errorf("%d requests came", len(arrived))
			}
			base.CloseIdleConnections()
			w.wg.Wait()
		})
	}
}
