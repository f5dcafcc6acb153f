package fleet_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

// Redis that has lost what it was told, wholly or since it was last written to its disk, is told again by
// all processes what they were given.
func TestRedisForgets(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		call := transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 6, Per: time.Hour}}
		all := []*fleet.Limiter{limiter(t, client), limiter(t, client)}
		once := func() (given int) {
			var each sync.WaitGroup
			var mu sync.Mutex
			for _, l := range all {
				each.Go(func() {
					err := l.Wait(t.Context(), call, time.Minute)
					var late *transport.RateLimitError
					if err != nil && !errors.As(err, &late) {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					given += btoi(err == nil)
				})
			}
			each.Wait()
			return given
		}
		if given := once(); given != 2 {
			t.Fatalf("%d requests at first", given)
		}
		state, places := "{mangadex}:state", []string{"{mangadex}:all", "{mangadex}:bucket:GetAtHomeServer"}
		older := client.HGetAll(t.Context(), state).Val()
		given := client.ZRangeWithScores(t.Context(), places[0], 0, -1).Val()
		if given := once(); given != 2 {
			t.Fatalf("%d requests then", given)
		}
		client.FlushAll(t.Context())
		client.HSet(t.Context(), state, older)
		for _, key := range places {
			client.ZAdd(t.Context(), key, given...)
		}
		if first, then := once(), once(); first != 2 || then != 0 {
			t.Errorf("%d and %d requests with an older state, want 2 and none", first, then)
		}
		client.FlushAll(t.Context())
		if first, then := once(), once(); first != 0 || then != 0 {
			t.Errorf("%d and %d requests above the allowance", first, then)
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What Redis refuses is an error that says why, and what to do.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.client(t)
	for _, key := range []string{"{mangadex}:state", "{login}:token"} {
		if err := other.Set(t.Context(), key, "something else", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Do(t.Context(), "ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@all", "-zadd", "-set").Err(); err != nil {
		t.Fatal(err)
	}
	replica := start(t, "--replicaof", "127.0.0.1", "1")
	for name, one := range map[string]struct {
		options redis.Options
		want    string
	}{
		"another's key": {redis.Options{Addr: s.addr}, "choose another"},
		"no right":      {redis.Options{Addr: s.addr, Username: "reader", Password: "secret", DB: 1}, "its user may"},
		"a replica":     {redis.Options{Addr: replica.addr}, "server that it copies"},
	} {
		client := redis.NewClient(&one.options)
		t.Cleanup(func() { client.Close() })
		refused := func() error { _, err := store(t, client).Lock(t.Context()); return err }
		if name == "another's key" {
			refused = func() error { return store(t, client).Save(t.Context(), authn.Token{RefreshToken: "refresh"}) }
		}
		for _, err := range []error{limiter(t, client).Wait(t.Context(), transport.Call{Operation: "GetManga"}, time.Minute), refused()} {
			if err == nil || !strings.Contains(err.Error(), one.want) || !strings.Contains(err.Error(), one.options.Addr) || strings.Contains(err.Error(), "@user_script") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}

// What cannot be read as a token is an error that says where it is, and what to do.
func TestDamagedToken(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		if err := client.HSet(t.Context(), "{login}:token", "data", "rubbish").Err(); err != nil {
			t.Fatal(err)
		}
		_, err := store(t, client).Load(t.Context())
		if err == nil || !strings.Contains(err.Error(), `"login"`) || !strings.Contains(err.Error(), "delete it") || strings.Contains(err.Error(), "rubbish") {
			t.Errorf("got %v", err)
		}
	})
}

// A Redis that takes everything and answers nothing is waited for no longer than the caller waits, whatever
// its client would do.
func TestRedisIsSilent(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 4096)
				for {
					if _, err := conn.Read(buffer); err != nil {
						return
					}
					heard <- struct{}{}
				}
			}()
		}
	}()
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), ReadTimeout: time.Hour, DialTimeout: time.Hour, MaxRetries: -1})
	t.Cleanup(func() { listener.Close(); client.Close() })
	for name, ask := range map[string]func(context.Context) error{
		"limiter": func(ctx context.Context) error {
			return limiter(t, client).Wait(ctx, transport.Call{Operation: "GetManga"}, time.Minute)
		},
		"store": func(ctx context.Context) error { _, err := store(t, client).Load(ctx); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- ask(ctx) }()
		<-heard
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("the %s still waits", name)
		}
	}
}

// A clock of Redis that is set back, as by a replica that takes over on another machine, holds nobody up,
// and gives nobody more than there is.
func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	memory := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: memory.Addr()})
	t.Cleanup(func() { client.Close() })
	l := limiter(t, client, fleet.WithLocalShare(2))
	call := transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 3, Per: time.Hour}}
	clock := time.Now()
	memory.SetTime(clock)
	for range 2 {
		if err := l.Wait(t.Context(), call, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	l.Learn(transport.Call{Operation: "GetManga"}, transport.Feedback{Pause: time.Millisecond, All: true})
	memory.SetTime(clock.Add(-24 * time.Hour))
	if err := l.Wait(t.Context(), call, time.Minute); err != nil {
		t.Error(err)
	}
	var late *transport.RateLimitError
	if err := l.Wait(t.Context(), call, time.Minute); !errors.As(err, &late) || time.Until(late.RetryAt) > 2*time.Hour {
		t.Errorf("got %v", err)
	}
}
