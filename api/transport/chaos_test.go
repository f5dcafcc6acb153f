package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// chaos is a server on a wire on which everything goes wrong that can, at times.
type chaos struct {
	mu      sync.Mutex
	arrived map[string][]time.Duration // by allowance; "" is everything
	applied map[string]int             // POSTs carried out, by path
	start   time.Time
}

const faulty = 15 // of a hundred requests

func (c *chaos) serve(conn net.Conn, r *bufio.Reader, _ int) {
	if rand.IntN(100) < 2 {
		deaf(rand.Int64N(100))(conn, r, 0)
		return
	}
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		fault := rand.IntN(100 * 14 / faulty)
		if fault == 0 {
			return // reset: net/http may send it again at once, on another connection
		}
		c.arrive(req)
		if fault == 1 && req.ContentLength > 0 {
			io.CopyN(io.Discard, req.Body, req.ContentLength/2)
			deaf(0)(conn, r, 0)
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if rand.IntN(2) == 0 || fault > 10 {
			c.apply(req)
		}
		body := `{"path":"` + req.URL.Path + `"}`
		head := fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
		quiet := func(text string) {
			io.WriteString(conn, text)
			io.Copy(io.Discard, r)
		}
		empty := func(status string) bool {
			_, err := io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
			return err == nil
		}
		var ok bool
		switch fault {
		case 2:
			quiet("")
			return
		case 3:
			quiet("HTTP/1.1 200 OK\r\nContent-Ty")
			return
		case 4:
			quiet("HTTP/1.1 200 OK\r\n" + head)
			return
		case 5:
			quiet("HTTP/1.1 200 OK\r\n" + head + body[:5])
			return
		case 6:
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+head+body[:5])
			return
		case 7:
			quiet("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			return
		case 8:
			ok = empty([]string{"500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable\r\nRetry-After: 3", "504 Gateway Timeout"}[rand.IntN(4)])
		case 9:
			_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
			ok = err == nil
		case 10:
			c.undo(req)
			ok = empty([]string{"429 Too Many Requests", "429 Too Many Requests\r\nRetry-After: 5"}[rand.IntN(2)])
		default:
			c.applyOnce(req)
			_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+head+body)
			ok = err == nil
			if fault == 11 { // dead in the pool
				deaf(0)(conn, r, 0)
				return
			}
		}
		if !ok {
			return
		}
	}
}

func (c *chaos) arrive(req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Since(c.start)
	c.arrived[""] = append(c.arrived[""], now)
	for path := range buckets {
		if strings.HasPrefix(req.URL.Path, path) {
			c.arrived[path] = append(c.arrived[path], now)
		}
	}
}

// apply carries a POST out; done is what becomes of an attempt: applyOnce is for one that is
// answered well, and undo for one that is turned down.
func (c *chaos) apply(req *http.Request) { c.count(req, 1) }

func (c *chaos) applyOnce(req *http.Request) {
	if req.Header.Get("X-Applied") == "" {
		c.count(req, 1)
	}
}

func (c *chaos) undo(req *http.Request) {
	if req.Header.Get("X-Applied") != "" {
		c.count(req, -1)
	}
}

func (c *chaos) count(req *http.Request, n int) {
	if req.Method != http.MethodPost {
		return
	}
	req.Header.Set("X-Applied", "yes")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied[req.URL.Path] += n
}

// TestChaos makes calls through everything that can go wrong on a connection, for minutes of fake
// time; with MANGADEX_CHAOS=2h, by a thousand callers and for two hours. Every call ends in time,
// what is said to have succeeded has, nothing is done twice, no allowance is exceeded, and nothing is
// left behind.
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
	synctest.Test(t, func(t *testing.T) {
		c := &chaos{arrived: map[string][]time.Duration{}, applied: map[string]int{}, start: time.Now()}
		w := &wire{serve: c.serve}
		base := w.base()
		client, polite := newClient(t, base, transport.WithAttempts(3), transport.WithBackoff(time.Second, 10*time.Second))
		const attempt = 2 * time.Minute // connecting, sending, waiting and reading
		bound := 3 * (time.Hour + attempt)
		var wg sync.WaitGroup
		var mu sync.Mutex
		succeeded, posts := 0, 0
		for caller := range callers {
			wg.Go(func() {
				time.Sleep(time.Duration(caller) * time.Millisecond)
				for turn := 0; time.Since(c.start) < long; turn++ {
					method, path := http.MethodGet, "/manga/random"
					switch (caller + turn) % 5 {
					case 0:
						path = "/at-home/server/11111111-1111-4111-8111-111111111111"
					case 1:
						path = "/manga/tag"
					case 2:
						method, path = http.MethodPost, fmt.Sprintf("/manga/post-%d-%d/follow", caller, turn)
					case 3:
						method, path = http.MethodDelete, "/manga/11111111-1111-4111-8111-111111111111/follow"
					}
					ctx, cancel := context.WithTimeout(t.Context(), long)
					var body io.Reader
					if method == http.MethodPost {
						body = strings.NewReader(strings.Repeat("x", 100))
					}
					began := time.Now()
					code, text, err := ask(ctx, client, method, path, body)
					cancel()
					took := time.Since(began)
					mu.Lock()
					if took > min(bound, long+time.Second) {
						t.Errorf("%s %s took %v", method, path, took)
					}
					good := err == nil && code == http.StatusOK && strings.HasPrefix(text, "{")
					if good && text != `{"path":"`+path+`"}` {
						t.Errorf("%s %s: %s", method, path, text)
					}
					if good {
						succeeded++
					}
					if method == http.MethodPost {
						posts++
						c.mu.Lock()
						if n := c.applied[path]; n > 1 || good && n != 1 {
							t.Errorf("%s was done %d times, success %t", path, n, good)
						}
						c.mu.Unlock()
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		base.CloseIdleConnections()
		w.wg.Wait()
		if w.open != 0 {
			t.Errorf("%d connections are left", w.open)
		}
		allowances := map[string]transport.Limit{"": {Requests: 5, Per: time.Second}, "/at-home/server/": buckets["/at-home/server/"], "/manga/random": buckets["/manga/random"]}
		for what, limit := range allowances {
			at := c.arrived[what]
			for i := limit.Requests; i < len(at); i++ {
				if passed := at[i] - at[i-limit.Requests]; passed < limit.Per {
					t.Errorf("%d requests of %q in %v, at %v", limit.Requests+1, what, passed, at[i])
				}
			}
		}
		if succeeded == 0 || posts == 0 {
			t.Errorf("%d calls succeeded, %d of them POSTs", succeeded, posts)
		}
		t.Logf("%d calls succeeded, %d POSTs; %+v", succeeded, posts, polite.Stats())
	})
}
