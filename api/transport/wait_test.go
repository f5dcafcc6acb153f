package transport_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// TestLongWaitsAreTold checks what a program is told while a request is held back.
func TestLongWaitsAreTold(t *testing.T) {
	t.Parallel()
	paused := func(d time.Duration) func() transport.Limiter {
		return func() transport.Limiter {
			limiter := newLimiter(t)
			limiter.Learn(open, transport.Feedback{Pause: d, All: true})
			return limiter
		}
	}
	slow := func(d time.Duration) func() transport.Limiter {
		return func() transport.Limiter { return slow{d} }
	}
	unavailable := status(http.StatusServiceUnavailable, "Retry-After", "40")
	tests := []struct {
		name   string
		fail   func(*http.Request) (*http.Response, error)
		limits func() transport.Limiter
		want   string // what is told, and when; empty for nothing
	}{
		{"a short one", status(200), paused(2 * time.Second), ""},
		{"a long one", status(200), paused(10 * time.Minute), "after 0s: ListTags until 10m0s: rate limit"},
		{"one that becomes long", func(req *http.Request) (*http.Response, error) {
			return answer(req, http.StatusTooManyRequests, "{}", "Retry-After", "60"), nil
		}, paused(0), "after 0s: ListTags until 1m1s: rate limit"},
		{"one of a limiter that does not tell", status(200), slow(7 * time.Second), "after 5s: ListTags until unknown: rate limit"},
		{"a short one of such a limiter", status(200), slow(4 * time.Second), ""},
		{"before a repetition", unavailable, paused(0), "after 0s: ListTags until 40s: status"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var mu sync.Mutex
				var told []string
				var lines bytes.Buffer
				client, _ := newClient(t, &script{fail: test.fail}, transport.WithLimiter(test.limits()), transport.WithBackoff(0, 0),
					transport.WithLogger(slog.New(slog.NewTextHandler(&lines, nil))),
					transport.WithOnWait(func(w transport.Wait) {
						mu.Lock()
						defer mu.Unlock()
						until := "unknown"
						if !w.Until.IsZero() {
							until = w.Until.Sub(start).String()
						}
						told = append(told, fmt.Sprintf("after %v: %s until %s: %s", time.Since(start), w.Operation, until, w.Reason))
					}))
				if code, _, err := get(t.Context(), client, "/manga/tag"); err != nil || code != http.StatusOK {
					t.Fatal(code, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if got := strings.Join(told, "; "); got != test.want {
					t.Errorf("told %q, want %q", got, test.want)
				}
				if logged := strings.Contains(lines.String(), `level=INFO msg="waiting to send a request" operation=ListTags method=GET path=/manga/tag`); logged != (test.want != "") {
					t.Errorf("lines %s", &lines)
				}
			})
		})
	}
}

// slow is a limiter of another making that lets everything through after a time.
type slow struct{ after time.Duration }

func (s slow) Wait(ctx context.Context, _ transport.Call, _ time.Duration) error {
	return wait(ctx, s.after)
}
func (slow) Learn(transport.Call, transport.Feedback) {}

// TestUnsentGivesBack checks that a request that was never sent uses nothing of the allowance.
func TestUnsentGivesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{fail: failing(dialError(syscall.ECONNREFUSED))}
		client, _ := newClient(t, s, transport.WithLimiter(newLimiter(t, transport.WithRate(1.0/60, 1))), transport.WithBackoff(0, 0))
		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		if code, _, err := get(ctx, client, "/manga/tag"); err != nil || code != http.StatusOK || s.sent != 2 {
			t.Errorf("%d after %d attempts: %v", code, s.sent, err)
		}
	})
}
