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

// held keeps the first command about a key from Redis until it is let go, whoever has stopped to wait for it.
type held struct {
	key         string
	there, free chan struct{} // closed when the command is there, and when it may go on
}

func hold(t *testing.T, client *redis.Client, key string) (*redis.Client, held) {
	h := held{key, make(chan struct{}), make(chan struct{})}
	late := redis.NewClient(&redis.Options{Addr: client.Options().Addr})
	late.AddHook(h)
	t.Cleanup(func() { late.Close() })
	return late, h
}

func (held) DialHook(next redis.DialHook) redis.DialHook { return next }
func (held) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h held) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		select {
		case <-h.there: // it was an earlier one
		default:
			if slices.Contains(cmd.Args(), any(h.key)) {
				close(h.there)
				<-h.free
				ctx = context.WithoutCancel(ctx) // it was sent before
			}
		}
		return next(ctx, cmd)
	}
}

// A lock that Redis gives to a caller that has gone is given back when that is known, and not before.
func TestLockThatComesTooLate(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		useAll(t, client, "another") // so that Redis knows the scripts, and one command does it
		late, command := hold(t, client, "{login}:lock")
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-command.there; cancel() }()
		if _, err := store(t, late, fleet.WithLease(time.Hour)).Lock(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		if there := client.Exists(t.Context(), "{login}:lock").Val(); there != 0 {
			t.Fatal("the lock is held too early for this test")
		}
		close(command.free)
		eventually(t, "the lock is given", func() bool { return client.Exists(t.Context(), "{login}:locks").Val() == 1 })
		waiting, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		unlock, err := store(t, client).Lock(waiting)
		if err != nil {
			t.Fatal(err)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
	})
}

// A lock that was got by a try without an answer is that of the next try.
func TestLockWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		lossy := redis.NewClient(&redis.Options{Addr: client.Options().Addr})
		t.Cleanup(func() { lossy.Close() })
		lossy.AddHook(twice{})
		waiting, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		unlock, err := store(t, lossy, fleet.WithLease(time.Hour)).Lock(waiting)
		if err != nil {
			t.Fatal(err)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
	})
}

// twice sends each command twice, as the client does if no answer to the first comes.
type twice struct{ held }

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		_ = next(ctx, cmd)
		return next(ctx, cmd)
	}
}

// A place that Redis gives to a caller that has gone is given back, too.
func TestPlaceThatComesTooLate(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		useAll(t, client, "another")
		late, command := hold(t, client, "{mangadex}:all")
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-command.there; cancel() }()
		l := limiter(t, late, fleet.WithRate(1, time.Hour))
		call := transport.Call{Operation: "GetManga"}
		if err := l.Wait(ctx, call, time.Minute); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		close(command.free)
		eventually(t, "the place is taken", func() bool { return client.Exists(t.Context(), "{mangadex}:state").Val() == 1 })
		eventually(t, "the place is given back", func() bool { return l.Wait(t.Context(), call, 0) == nil })
	})
}
