package transport_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// TestMinute makes 300 calls of mixed operations from 8 goroutines, which is the allowance of a
// minute. A server that counts strictly refuses none of them, and nearly all of the allowance is
// used, whether its answers take time or not.
func TestMinute(t *testing.T) {
	t.Parallel()
	for _, latency := range []time.Duration{0, 80 * time.Millisecond, 300 * time.Millisecond, time.Second} {
		t.Run(latency.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newFake(t, always(latency))
				client, polite := newClient(t, s)
				paths := make(chan string)
				start := time.Now()
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						for path := range paths {
							if status, _, err := get(t.Context(), client, path); err != nil || status != http.StatusOK {
								t.Errorf("%s: %d %v", path, status, err)
							}
						}
					})
				}
				for i := range 300 {
					switch {
					case i%10 == 3: // 30 of 40 a minute
						paths <- s.chapter
					case i%6 == 1: // 50 of 60 a minute
						paths <- "/manga/random"
					case i%2 == 0:
						paths <- "/manga/" + s.State().Manga()[i%10].ID.String()
					default:
						paths <- "/chapter?limit=1"
					}
				}
				close(paths)
				wg.Wait()
				took := time.Since(start) - latency
				s.kept(t, 0)
				if used := 300 / (5 * took.Seconds()); used < 0.97 {
					t.Errorf("took %v: %.1f %% of the allowance used, want 97 %%", took, used*100)
				} else {
					t.Logf("%.1f %% of the allowance used", used*100)
				}
				if stats := polite.Stats(); stats.Requests != 300 || stats.Retries != 0 || stats.Waits < 200 || stats.Waited < time.Minute {
					t.Errorf("stats %+v", stats)
				}
			})
		})
	}
}

// TestUnevenWay checks that on a way that takes longer for some requests than for others, a server
// that lets bursts of one more pass, as MangaDex does, refuses none.
func TestUnevenWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newFake(t, func() time.Duration { return 20*time.Millisecond + rand.N(120*time.Millisecond) })
		client, _ := newClient(t, s)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 25 {
					if status, _, err := get(t.Context(), client, "/manga/random"); err != nil || status != http.StatusOK {
						t.Errorf("%d %v", status, err)
					}
				}
			})
		}
		wg.Wait()
		s.kept(t, 1)
	})
}

// TestExhaustedBucket checks that a bucket that others have used up, or of which the server knows
// better than the table, is left alone until the server says.
func TestExhaustedBucket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newFake(t, always(50*time.Millisecond))
		one, _ := newClient(t, s)
		two, polite := newClient(t, s) // knows nothing of the first
		for range 35 {
			if status, _, err := get(t.Context(), one, s.chapter); err != nil || status != http.StatusOK {
				t.Fatal(status, err)
			}
		}
		time.Sleep(time.Second)
		for range 10 {
			if status, _, err := get(t.Context(), two, s.chapter); err != nil || status != http.StatusOK {
				t.Fatal(status, err)
			}
		}
		s.kept(t, 0)
		if polite.Stats().Pauses == 0 {
			t.Error("nothing was learnt from the headers")
		}
	})
}

// TestSharedLimiter checks that two clients with one limiter share the allowance.
func TestSharedLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newFake(t, always(0))
		limiter := newLimiter(t)
		var wg sync.WaitGroup
		for range 2 {
			client, _ := newClient(t, s, transport.WithLimiter(limiter))
			wg.Go(func() {
				for range 25 {
					if status, _, err := get(t.Context(), client, "/manga/random"); err != nil || status != http.StatusOK {
						t.Errorf("%d %v", status, err)
					}
				}
			})
		}
		wg.Wait()
		s.kept(t, 0)
	})
}

// TestTooManyRequests checks what a 429 stops, and for how long.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	hour := func(at time.Time) string { return fmt.Sprint(at.Unix()) }
	tests := []struct {
		name       string
		headers    func(now time.Time) []string
		own, other time.Duration // when the operation and others go on, at the earliest
		late       time.Duration // and how much later at most
	}{
		{"a bucket", func(now time.Time) []string {
			return []string{"Date", now.UTC().Format(http.TimeFormat), "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Retry-After", hour(now.Add(30 * time.Second))}
		}, 30 * time.Second, 0, 2 * time.Second},
		{"a bucket of a server whose clock is an hour ahead", func(now time.Time) []string {
			now = now.Add(time.Hour)
			return []string{"Date", now.UTC().Format(http.TimeFormat), "X-RateLimit-Limit", "60", "X-RateLimit-Retry-After", hour(now.Add(30 * time.Second))}
		}, 30 * time.Second, 0, 2 * time.Second},
		{"a bucket of a server whose clock is an hour behind", func(now time.Time) []string {
			now = now.Add(-time.Hour)
			return []string{"Date", now.UTC().Format(http.TimeFormat), "X-RateLimit-Limit", "60", "X-RateLimit-Retry-After", hour(now.Add(30 * time.Second))}
		}, 30 * time.Second, 0, 2 * time.Second},
		{"a bucket that does not say when", func(time.Time) []string { return []string{"X-RateLimit-Limit", "60"} }, time.Second, 0, 2 * time.Second},
		{"seconds, of everything", func(time.Time) []string { return []string{"Retry-After", "20"} }, 20 * time.Second, 20 * time.Second, 2 * time.Second},
		{"a date, of everything", func(now time.Time) []string {
			return []string{"Date", now.UTC().Format(http.TimeFormat), "Retry-After", now.UTC().Add(20 * time.Second).Format(http.TimeFormat)}
		}, 20 * time.Second, 20 * time.Second, 2 * time.Second},
		{"nothing", func(time.Time) []string { return nil }, time.Second, time.Second, 2 * time.Second},
		{"nonsense", func(time.Time) []string {
			return []string{"Retry-After", "soon", "Date", "today", "X-RateLimit-Retry-After", "-9223372036854775809", "X-RateLimit-Limit", "many", "X-RateLimit-Remaining", "-5"}
		}, time.Second, 0, 2 * time.Second},
		{"a negative time", func(time.Time) []string { return []string{"Retry-After", "-100"} }, time.Second, time.Second, 2 * time.Second},
		{"a huge time", func(time.Time) []string { return []string{"Retry-After", "9223372036854775807"} }, time.Hour, time.Hour, 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				refused := false
				client, polite := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
					mu.Lock()
					defer mu.Unlock()
					if !refused {
						refused = true
						return answer(req, http.StatusTooManyRequests, `{}`, test.headers(time.Now())...), nil
					}
					return answer(req, http.StatusOK, `{}`), nil
				}), transport.WithMaxWait(2*time.Hour))
				start := time.Now()
				var wg sync.WaitGroup
				check := func(path string, want time.Duration) {
					wg.Go(func() {
						status, _, err := get(t.Context(), client, path)
						if took := time.Since(start); err != nil || status != http.StatusOK || took < want || took > want+test.late {
							t.Errorf("%s after %v, want %v: %d %v", path, took, want, status, err)
						}
					})
					synctest.Wait()
				}
				check("/manga/random", test.own)
				check("/manga/tag", test.other)
				wg.Wait()
				if stats := polite.Stats(); stats.RateLimited != 1 || stats.Pauses != 1 || stats.Retries != 1 || stats.Requests != 3 {
					t.Errorf("stats %+v", stats)
				}
			})
		})
	}
}

// TestRefusedAnswerIsReturned checks that a 429 that there is no time to wait for comes out as it
// is, at once, and that the next request is not sent.
func TestRefusedAnswerIsReturned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, polite := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			return answer(req, http.StatusTooManyRequests, `{"why":"x"}`, "Retry-After", "60"), nil
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		if status, body, err := get(ctx, client, "/manga"); err != nil || status != http.StatusTooManyRequests || body != `{"why":"x"}` {
			t.Errorf("%d %s %v", status, body, err)
		}
		_, _, err := get(ctx, client, "/chapter")
		var limited *transport.RateLimitError
		if !errors.As(err, &limited) || limited.Operation != "ListChapters" || !near(limited.RetryAt.Sub(start), 61*time.Second) {
			t.Errorf("error %v", err)
		}
		if time.Since(start) != 0 {
			t.Errorf("took %v", time.Since(start))
		}
		if stats := polite.Stats(); stats.Requests != 1 || stats.Refused != 1 {
			t.Errorf("stats %+v", stats)
		}
		if want := "transport: ListChapters was not sent: the rate limit has no room before " + limited.RetryAt.Local().Format(time.RFC3339) + ", which is after the deadline of the context"; !strings.Contains(err.Error(), want) {
			t.Errorf("error %v", err)
		}
	})
}

// TestModeFail checks that a request that would have to wait fails before it is sent.
func TestModeFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newFake(t, always(0))
		client, _ := newClient(t, s, transport.WithMaxWait(0))
		for i := range 7 {
			_, _, err := get(t.Context(), client, "/manga")
			if limited := errors.Is(err, transport.ErrRateLimited); limited != (i >= 5) || err != nil && !limited {
				t.Errorf("call %d: %v", i, err)
			}
		}
		s.kept(t, 0)
		if n := len(s.Requests()); n != 5 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestWithoutRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		client, _ := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			if n++; n == 50 {
				return answer(req, http.StatusTooManyRequests, `{}`, "Retry-After", "10"), nil
			}
			return answer(req, http.StatusOK, `{}`), nil
		}), transport.WithoutRateLimit())
		start := time.Now()
		for i := range 100 {
			if status, _, err := get(t.Context(), client, "/manga/random"); err != nil || status != http.StatusOK {
				t.Fatalf("call %d: %d %v", i, status, err)
			}
		}
		if took := time.Since(start); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("took %v, want only the time that the 429 asked for", took)
		}
	})
}

// TestBan checks that three answers that look like a ban stop everything for a while.
func TestBan(t *testing.T) {
	t.Parallel()
	forbidden := func(headers ...string) func(*http.Request) *http.Response {
		return func(req *http.Request) *http.Response {
			return answer(req, http.StatusForbidden, "<html>", append([]string{"Content-Type", "text/html"}, headers...)...)
		}
	}
	ok := func(req *http.Request) *http.Response { return answer(req, http.StatusOK, "{}") }
	permission := func(req *http.Request) *http.Response { return answer(req, http.StatusForbidden, "{}") }
	type answers = []func(*http.Request) *http.Response
	tests := []struct {
		name    string
		answers answers
		banned  bool
	}{
		{"three", answers{forbidden(), forbidden(), forbidden()}, true},
		{"two", answers{forbidden(), forbidden()}, false},
		{"not in a row", answers{forbidden(), forbidden(), ok, forbidden(), forbidden()}, false},
		{"permissions", answers{permission, permission, permission}, false},
		{"captchas", answers{forbidden("X-Captcha-Sitekey", "k"), forbidden("X-Captcha-Sitekey", "k"), forbidden("X-Captcha-Sitekey", "k")}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				left := test.answers
				limiter := newLimiter(t)
				sent := 0
				base := tripper(func(req *http.Request) (*http.Response, error) {
					sent++
					if len(left) == 0 {
						return ok(req), nil
					}
					next := left[0]
					left = left[1:]
					return next(req), nil
				})
				client, _ := newClient(t, base, transport.WithLimiter(limiter), transport.WithBanPause(15*time.Minute))
				other, _ := newClient(t, base, transport.WithLimiter(limiter))
				unlimited, _ := newClient(t, base, transport.WithoutRateLimit())
				for range test.answers {
					if status, _, err := get(t.Context(), client, "/manga"); err != nil || status == http.StatusTooManyRequests {
						t.Fatal(status, err)
					}
				}
				begin, before := time.Now(), sent
				for _, c := range []*http.Client{client, other} {
					_, _, err := get(t.Context(), c, "/chapter")
					var banned *transport.BannedError
					if errors.As(err, &banned) != test.banned || err != nil && !test.banned {
						t.Fatalf("error %v", err)
					}
					if !test.banned {
						continue
					}
					if sent != before || !time.Now().Equal(begin) {
						t.Error("something was sent, or waited for")
					}
					if got := banned.RetryAt.Sub(begin); got != 15*time.Minute {
						t.Errorf("banned for %v", got)
					}
					if want := "looks like a ban of this address for too many requests; nothing is sent before " + begin.Add(15*time.Minute).Format(time.RFC3339); !strings.HasSuffix(err.Error(), want) {
						t.Errorf("error %v", err)
					}
				}
				if !test.banned {
					return
				}
				if _, _, err := get(t.Context(), unlimited, "/chapter"); err != nil {
					t.Errorf("a client that shares nothing: %v", err)
				}
				time.Sleep(15 * time.Minute)
				left = answers{forbidden()} // one more is enough now
				get(t.Context(), client, "/manga")
				if _, _, err := get(t.Context(), client, "/manga"); !errors.As(err, new(*transport.BannedError)) {
					t.Errorf("after another 403: %v", err)
				}
				time.Sleep(15 * time.Minute)
				for range 3 {
					if _, _, err := get(t.Context(), client, "/manga"); err != nil {
						t.Errorf("afterwards: %v", err)
					}
				}
			})
		})
	}
}

// TestBanWithoutLimiter checks that the watch for bans does not depend on a limiter.
func TestBanWithoutLimiter(t *testing.T) {
	t.Parallel()
	sent := 0
	client, _ := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		sent++
		return answer(req, http.StatusForbidden, "", "Content-Type", "text/plain"), nil
	}), transport.WithoutRateLimit())
	for range 10 {
		get(t.Context(), client, "/manga")
	}
	if sent != 3 {
		t.Errorf("%d requests were sent", sent)
	}
}

// TestCancelEndsWaits checks each place in which a call can wait.
func TestCancelEndsWaits(t *testing.T) {
	t.Parallel()
	blocked := tripper(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	failing := tripper(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusServiceUnavailable, ""), nil
	})
	refusing := tripper(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusTooManyRequests, "", "Retry-After", "100"), nil
	})
	stalled := tripper(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusOK, "")
		resp.ContentLength = -1
		resp.Body = stalledBody{req.Context()}
		return resp, nil
	})
	tests := []struct {
		name    string
		base    http.RoundTripper
		options []transport.Option
	}{
		{"for the limits", blocked, []transport.Option{transport.WithLimiter(pausedLimiter{}), transport.WithMaxWait(2 * time.Hour)}},
		{"for the answer", blocked, nil},
		{"for the body", stalled, nil},
		{"before a repetition", failing, []transport.Option{transport.WithBackoff(time.Hour, time.Hour)}},
		{"in a pause", refusing, nil},
		{"in a pause without a limiter", refusing, []transport.Option{transport.WithoutRateLimit()}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, _ := newClient(t, test.base, test.options...)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(30*time.Millisecond, cancel)
				start := time.Now()
				_, _, err := get(ctx, client, "/manga")
				if took := time.Since(start) - 30*time.Millisecond; !errors.Is(err, context.Canceled) || took < 0 || took > 10*time.Millisecond {
					t.Errorf("%v after the context ended: %v", took, err)
				}
			})
		})
	}
}

// A pausedLimiter is one in a pause of an hour.
type pausedLimiter struct{}

func (pausedLimiter) Wait(ctx context.Context, call transport.Call, maxWait time.Duration) error {
	limiter, err := transport.NewLimiter()
	if err != nil {
		return err
	}
	limiter.Learn(call, transport.Feedback{Pause: time.Hour, All: true})
	return limiter.Wait(ctx, call, maxWait)
}

func (pausedLimiter) Learn(transport.Call, transport.Feedback) {}

// A stalledBody never ends.
type stalledBody struct{ ctx context.Context }

func (b stalledBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func (stalledBody) Close() error { return nil }

// TestNothingLeaks ends in a bubble: it would not end if a goroutine stayed behind.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newFake(t, always(100*time.Millisecond))
		client, _ := newClient(t, s)
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer time.AfterFunc(time.Duration(i)*13*time.Millisecond, cancel).Stop()
				get(ctx, client, s.chapter)
			})
		}
		wg.Wait()
		if status, _, err := get(t.Context(), client, "/manga"); err != nil || status != http.StatusOK {
			t.Errorf("afterwards: %d %v", status, err)
		}
	})
}
