package fleet_test

import (
	"context"
	"errors"
	"slices"
	"sync"
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
		lost := redis.NewClient(&redis.Options{Addr: client.Options().Addr})
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

// slow makes the scripts that lend places on come too late.
type slow struct {
	passing
	begin         time.Time
	fails, passes time.Duration // until when they fail, and when the others pass
}

func (s slow) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); len(args) > 3 && args[3] == "{mangadex}:lent" {
			if time.Since(s.begin) < s.fails {
				return errors.New("too early")
			}
			time.Sleep(time.Until(s.begin.Add(s.passes)))
		}
		return next(ctx, cmd)
	}
}

// A place that another process got before it could be lent on is not used, although Redis answers.
func TestLoanTooLate(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		late := redis.NewClient(&redis.Options{Addr: client.Options().Addr})
		t.Cleanup(func() { late.Close() })
		begin := time.Now()
		late.AddHook(slow{begin: begin, fails: 2800 * time.Millisecond, passes: 3200 * time.Millisecond})
		holder, other := limiter(t, late, fleet.WithLocalShare(2)), limiter(t, client, fleet.WithLocalShare(2))
		narrow := transport.Call{Operation: "Narrow", Limit: transport.Limit{Requests: 1, Per: 6 * time.Second}}
		if err := holder.Wait(t.Context(), narrow, 0); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var sent [2]time.Duration
		var running sync.WaitGroup
		running.Go(func() {
			if err := holder.Wait(ctx, narrow, time.Minute); err == nil {
				sent[0] = time.Since(begin)
			}
		})
		time.Sleep(time.Until(begin.Add(3100 * time.Millisecond)))
		running.Go(func() {
			if err := other.Wait(ctx, narrow, time.Minute); err == nil {
				sent[1] = time.Since(begin)
			}
		})
		running.Wait()
		if apart := (sent[0] - sent[1]).Abs(); sent[0] == 0 || sent[1] == 0 || apart < 5*time.Second {
			t.Errorf("both are sent after %v", sent)
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
