package transport_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// TestSilentRefusals checks that a 429 that does not say when to come back is asked less and less
// often, whoever asks, until another answer comes.
func TestSilentRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		refuse := true
		client, _ := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			asked = append(asked, time.Now())
			time.Sleep(time.Millisecond)
			if refuse {
				return answer(req, http.StatusTooManyRequests, "{}"), nil
			}
			return answer(req, http.StatusOK, "{}"), nil
		}), transport.WithAttempts(2))
		for _, method := range []string{"GET", "POST", "GET", "PATCH", "DELETE", "GET", "GET"} { // one call after the other, twice each
			ask(t.Context(), client, method, "/manga", nil)
		}
		ceiling := 2 * time.Second
		for i := 1; i < len(asked); i++ {
			if gap := asked[i].Sub(asked[i-1]); gap < ceiling/2 || gap > ceiling+time.Second {
				t.Errorf("attempt %d came %v after the last, want %v to %v", i, gap, ceiling/2, ceiling)
			}
			ceiling = min(2*ceiling, 10*time.Minute)
		}
		if len(asked) != 14 {
			t.Errorf("asked %d times", len(asked))
		}
		refuse = false
		get(t.Context(), client, "/manga")
		refuse = true
		asked = nil
		get(t.Context(), client, "/manga")
		if gap := asked[1].Sub(asked[0]); gap > 3*time.Second {
			t.Errorf("after an answer of another kind the pause is %v", gap)
		}
	})
}

// TestRefusedTogether checks that requests that are refused at the same time make one pause.
func TestRefusedTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var left atomic.Int64
		left.Store(5)
		client, polite := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			if left.Add(-1) >= 0 {
				return answer(req, http.StatusTooManyRequests, "{}"), nil
			}
			return answer(req, http.StatusOK, "{}"), nil
		}))
		start := time.Now()
		done := make(chan time.Duration)
		for range 5 {
			go func() {
				get(t.Context(), client, "/manga")
				done <- time.Since(start)
			}()
		}
		for range 5 {
			if took := <-done; took > 8*time.Second {
				t.Errorf("took %v", took)
			}
		}
		if stats := polite.Stats(); stats.RateLimited != 5 {
			t.Errorf("stats %+v", stats)
		}
	})
}

// TestLongRetryAfter checks that what the server says is said, however long it is.
func TestLongRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, tripper(status(http.StatusTooManyRequests, "Retry-After", "86400")))
		start := time.Now()
		if code, _, err := get(t.Context(), client, "/manga"); err != nil || code != http.StatusTooManyRequests {
			t.Errorf("%d %v", code, err)
		}
		_, _, err := get(t.Context(), client, "/manga")
		var limited *transport.RateLimitError
		if !errors.As(err, &limited) || limited.MaxWait != time.Hour || (limited.RetryAt.Sub(start)-24*time.Hour).Abs() > 2*time.Second || !strings.Contains(err.Error(), "WithMaxWait(1h0m0s)") {
			t.Errorf("error %v", err)
		}
		if time.Since(start) != 0 {
			t.Errorf("took %v", time.Since(start))
		}
	})
}

// TestAnswersOfACache checks that a stored answer says nothing about the limits, also where the
// clocks are apart.
func TestAnswersOfACache(t *testing.T) {
	t.Parallel()
	for _, apart := range []time.Duration{0, time.Hour, -time.Hour} {
		for name, headers := range map[string][]string{"by its date": nil, "by its age": {"Age", "600"}, "by its mark": {"X-From-Cache", "1"}} {
			t.Run(name+" "+apart.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					made := func() string { return time.Now().Add(apart).UTC().Format(http.TimeFormat) }
					stored, n := "", 0
					client, polite := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
						if n++; n <= 3 { // fresh
							return answer(req, http.StatusOK, "{}", "Date", made(), "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "9"), nil
						}
						if stored == "" {
							stored = made()
						}
						return answer(req, http.StatusOK, "{}", append([]string{"Date", stored, "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "Retry-After", "60"}, headers...)...), nil
					}))
					for range 3 {
						get(t.Context(), client, "/manga/random")
						time.Sleep(time.Second)
					}
					get(t.Context(), client, "/manga/random") // is stored
					pauses := polite.Stats().Pauses
					time.Sleep(10 * time.Minute)
					start := time.Now()
					for range 5 {
						if code, _, err := get(t.Context(), client, "/manga/random"); err != nil || code != http.StatusOK {
							t.Error(code, err)
						}
					}
					if took := time.Since(start); took != 0 || polite.Stats().Pauses != pauses {
						t.Errorf("took %v, %d pauses", took, polite.Stats().Pauses-pauses)
					}
				})
			})
		}
	}
}

// TestProxyThatRefuses checks that it is named, without its password, and that the request counts as
// not sent.
func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		for says, attempts := range map[string]int64{"407 Proxy Authentication Required": 1, "403 Forbidden": 1, "502 Bad Gateway": 3, "503 Service Unavailable": 3} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				proxy := serveRaw(t, "HTTP/1.1 "+says+"\r\nContent-Length: 0\r\n\r\n")
				base := transport.Base()
				if own { // of a program that knows nothing of this
					base.OnProxyConnectResponse = nil
				}
				base.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy, User: url.UserPassword("user", "5ecret")})
				client, polite := newClient(t, base, transport.WithBackoff(0, 0), transport.WithAttempts(3))
				_, _, err := ask(t.Context(), client, method, "/manga", nil)
				want := "the proxy http://" + proxy + " refuses to connect to api.mangadex.org"
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "5ecret") {
					t.Errorf("%s: error %v", says, err)
				}
				if n := polite.Stats().Requests; n != attempts {
					t.Errorf("%s: %d attempts, want %d", says, n, attempts)
				}
			}
		}
	}
}
