package fleet_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
)

// A place that is far away is kept for a process as long as it is heard of, and is another's when it is not.
func TestLoan(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		lost := redis.NewClient(client.Options())
		t.Cleanup(func() { lost.Close() })
		holder, other := limiter(t, lost, fleet.WithLocalShare(2)), limiter(t, client, fleet.WithLocalShare(2))
		narrow := transport.Call{Operation: "Narrow", Limit: transport.Limit{Requests: 1, Per: 12 * time.Second}}
		begin := time.Now()
		if err := holder.Wait(t.Context(), narrow, 0); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		waits, ended := make(chan time.Time, 1), make(chan error, 1)
		go func() {
			_, err := holder.Reserve(ctx, narrow, time.Minute, func(until time.Time) { waits <- until })
			ended <- err
		}()
		<-waits
		next := func(after, want time.Duration) {
			t.Helper()
			time.Sleep(time.Until(begin.Add(after)))
			var late *transport.RateLimitError
			if err := other.Wait(t.Context(), narrow, 0); !errors.As(err, &late) {
				t.Fatalf("after %v: got %v", after, err)
			}
			if (late.RetryAt.Sub(begin) - want).Abs() > 2*time.Second {
				t.Errorf("after %v another one may send after %v, want %v", after, late.RetryAt.Sub(begin), want)
			}
		}
		next(5*time.Second, 24*time.Second)
		lost.Close() // as the end of the process does
		next(9*time.Second, 12*time.Second)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that was not heard of any more got %v", err)
		}
	})
}

// A process that was stopped until its place had gone by takes another one.
func TestMissedPlace(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		l := limiter(t, client, fleet.WithRate(1, 200*time.Millisecond))
		call := transport.Call{Operation: "GetManga"}
		if err := l.Wait(t.Context(), call, 0); err != nil {
			t.Fatal(err)
		}
		var resumed time.Duration
		_, err := l.Reserve(t.Context(), call, time.Minute, func(time.Time) {
			time.Sleep(600 * time.Millisecond)
			now, err := client.Time(t.Context()).Result()
			if err != nil {
				t.Error(err)
			}
			resumed = time.Duration(now.UnixMicro()) * time.Microsecond
		})
		if err != nil {
			t.Fatal(err)
		}
		if last := slices.Max(places(t, client, "{mangadex}:all")); last < resumed {
			t.Errorf("the place is %v before the process went on", resumed-last)
		}
	})
}
