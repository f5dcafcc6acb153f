package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

// held keeps the first command about something from Redis until it is let go, whoever has stopped to wait for it.
type held struct {
	passing
	about       string        // a key, or what to do
	there, free chan struct{} // closed when the command is there, and when it may go on
	over        chan struct{} // closed when Redis has answered it
}

func hold(t *testing.T, client *redis.Client, about string) (*redis.Client, held) {
	h := held{about: about, there: make(chan struct{}), free: make(chan struct{}), over: make(chan struct{})}
	late := redis.NewClient(&redis.Options{Addr: client.Options().Addr})
	late.AddHook(h)
	t.Cleanup(func() { late.Close() })
	return late, h
}

func (h held) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		select {
		case <-h.there: // it was an earlier one
		default:
			if slices.Contains(cmd.Args(), any(h.about)) {
				close(h.there)
				<-h.free
				defer close(h.over)
				ctx = context.WithoutCancel(ctx) // it was sent before
			}
		}
		return next(ctx, cmd)
	}
}

// lockOnce takes a lock that is free, or soon will be, and gives it back.
func lockOnce(t *testing.T, s *fleet.Store) {
	t.Helper()
	waiting, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	unlock, err := s.Lock(waiting)
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
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
		<-command.over // it is given
		lockOnce(t, store(t, client))
	})
}

// A lock that was got by a try without an answer is that of the next try.
func TestLockWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		lossy := redis.NewClient(&redis.Options{Addr: client.Options().Addr})
		t.Cleanup(func() { lossy.Close() })
		lossy.AddHook(twice{})
		lockOnce(t, store(t, lossy, fleet.WithLease(time.Hour)))
	})
}

// twice sends each command twice, as the client does if no answer to the first comes.
type twice struct{ passing }

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
		<-command.over // it is taken
		eventually(t, "the place is given back", func() bool { return l.Wait(t.Context(), call, 0) == nil })
	})
}

// A lock that Redis gives while the way back is broken is given back: nobody has heard of it.
func TestLockThatIsNotHeardOf(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		useAll(t, client, "another")
		if _, err := store(t, deaf(t, client), fleet.WithLease(time.Hour)).Lock(t.Context()); err == nil {
			t.Fatal("the lock is heard of")
		}
		lockOnce(t, store(t, client))
	})
}

// So is a place.
func TestPlaceThatIsNotHeardOf(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		useAll(t, client, "another")
		call := transport.Call{Operation: "GetManga"}
		var away *fleet.UnavailableError
		if err := limiter(t, deaf(t, client), fleet.WithRate(1, time.Hour)).Wait(t.Context(), call, time.Minute); !errors.As(err, &away) {
			t.Fatalf("got %v", err)
		}
		if client.Exists(t.Context(), "{mangadex}:state").Val() == 0 {
			t.Fatal("no place was given")
		}
		l := limiter(t, client, fleet.WithRate(1, time.Hour))
		eventually(t, "the place is given back", func() bool { return l.Wait(t.Context(), call, 0) == nil })
	})
}

// deaf is a client to which the first answer to a script does not come back.
func deaf(t *testing.T, client *redis.Client) *redis.Client {
	deaf := redis.NewClient(&redis.Options{Addr: client.Options().Addr})
	deaf.AddHook(unheard{once: new(atomic.Bool)})
	t.Cleanup(func() { deaf.Close() })
	return deaf
}

type unheard struct {
	passing
	once *atomic.Bool
}

func (h unheard) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() == "evalsha" && !h.once.Swap(true) {
			err = io.EOF
			cmd.SetErr(err)
		}
		return err
	}
}

// What comes when its sender no longer holds the lock does nothing to the lock and the token of another one.
func TestCommandsThatComeTooLate(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]func(s *fleet.Store, there <-chan struct{}) error{
		"renew": func(_ *fleet.Store, there <-chan struct{}) error { <-there; return nil },
		"save": func(s *fleet.Store, there <-chan struct{}) error {
			ctx, cancel := context.WithCancel(context.Background())
			go func() { <-there; cancel() }()
			if err := s.Save(ctx, authn.Token{RefreshToken: "late"}); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			engines(t, func(t *testing.T, client *redis.Client) {
				useAll(t, client, "another")
				late, command := hold(t, client, what)
				first, second := store(t, late, fleet.WithLease(time.Second)), store(t, client, fleet.WithLease(time.Hour))
				unlock, err := first.Lock(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(test(first, command.there), unlock()); err != nil {
					t.Fatal(err)
				}
				if unlock, err = second.Lock(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := second.Save(t.Context(), authn.Token{RefreshToken: "saved"}); err != nil {
					t.Error(err)
				}
				close(command.free)
				<-command.over
				if left := client.PTTL(t.Context(), "{login}:lock").Val(); left < time.Minute {
					t.Errorf("the lock ends in %v", left)
				}
				if token, err := second.Load(t.Context()); err != nil || token.RefreshToken != "saved" {
					t.Errorf("the token is %q, %v", token.RefreshToken, err)
				}
				if err := unlock(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
