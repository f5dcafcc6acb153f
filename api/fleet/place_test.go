package fleet_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
)

// A server is a real redis-server that a test has started.
type server struct {
	addr string
	args []string
	cmd  *exec.Cmd
}

// start starts redis-server, which Debian has in the package redis-server. Its data is kept in a
// folder of the test.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	return startEngine(t, "redis-server", args...)
}

// startEngine starts a server that is Redis or does what Redis does.
func startEngine(t testing.TB, name string, args ...string) *server {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s; Debian has it in the package of that name, valkey-server from version 13 on", name)
	}
	addr := freePort(t)
	_, port, _ := net.SplitHostPort(addr)
	s := &server{addr: addr, args: append([]string{path, "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--appendonly", "yes", "--save", ""}, args...)}
	s.up(t)
	t.Cleanup(func() { s.down(t) })
	return s
}

// freePort finds a port that nobody listens at, nor at the one ten thousand above, which a server of a cluster
// takes, too. Both are below those that systems give out by themselves, since a listener or a connection of
// another test could get one of these before the server has it, and are given out once.
func freePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := 10_000 + rand.IntN(10_000)
		if _, given := givenPorts.LoadOrStore(port, true); !given && isFree(port) && isFree(port+10_000) {
			return "127.0.0.1:" + strconv.Itoa(port)
		}
	}
	t.Fatal("there is no free port from 10000 to 20000")
	return ""
}

var givenPorts sync.Map

func isFree(port int) bool {
	listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err == nil {
		listener.Close()
	}
	return err == nil
}

func (s *server) up(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("redis-server does not come up")
}

func (s *server) down(t testing.TB) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *server) client(t testing.TB) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: s.addr})
	t.Cleanup(func() { client.Close() })
	return client
}

// engines runs a test on a Redis in memory, which is there on every machine, on a real one, and on Valkey.
func engines(t *testing.T, test func(t *testing.T, client *redis.Client)) {
	t.Run("miniredis", func(t *testing.T) {
		t.Parallel()
		client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
		t.Cleanup(func() { client.Close() })
		test(t, client)
	})
	for _, name := range []string{"redis-server", "valkey-server"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, startEngine(t, name).client(t))
		})
	}
}

func limiter(t *testing.T, client redis.UniversalClient, options ...fleet.LimiterOption) *fleet.Limiter {
	t.Helper()
	l, err := fleet.NewLimiter(client, options...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// places reads the times of permits out of Redis.
func places(t *testing.T, client redis.UniversalClient, key string) []time.Duration {
	t.Helper()
	all, err := client.ZRangeWithScores(context.Background(), key, 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	times := make([]time.Duration, len(all))
	for i, one := range all {
		times[i] = time.Duration(one.Score) * time.Microsecond
	}
	return times
}

// mostIn is how many of the times lie in any period of a length.
func mostIn(times []time.Duration, period time.Duration) int {
	slices.Sort(times)
	most, first := 0, 0
	for i, at := range times {
		for at-times[first] >= period {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// Four processes with several callers each never have more than the allowance between them, and use
// nearly all of it.
func TestProcessesShareTheAllowance(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		const period, requests, processes, calls = 100 * time.Millisecond, 5, 4, 30
		narrow := transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 8, Per: 400 * time.Millisecond}}
		var mu sync.Mutex
		var all, own []time.Duration
		start := time.Now()
		var running sync.WaitGroup
		for range processes {
			l := limiter(t, client, fleet.WithRate(requests, period))
			for caller := range 2 {
				running.Go(func() {
					call := transport.Call{Operation: "GetManga"}
					n := calls
					if caller == 0 {
						call, n = narrow, 6
					}
					for range n {
						if err := l.Wait(t.Context(), call, time.Minute); err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						at := time.Since(start)
						all = append(all, at)
						if caller == 0 {
							own = append(own, at)
						}
						mu.Unlock()
					}
				})
			}
		}
		running.Wait()
		if len(all) != processes*(calls+6) {
			t.Fatalf("%d calls", len(all))
		}
		// When they ran is not when they were let go, on a machine with much to do: so the bounds
		// leave room, and the places in Redis do not.
		if n := mostIn(places(t, client, "{mangadex}:all"), period); n > requests {
			t.Errorf("%d places in a period of %v", n, period)
		}
		if n := mostIn(places(t, client, "{mangadex}:bucket:GetAtHomeServer"), narrow.Limit.Per); n > narrow.Limit.Requests {
			t.Errorf("%d places of the narrow one", n)
		}
		t.Logf("%d calls in %v; an allowance takes %v", len(all), time.Since(start).Round(time.Millisecond), time.Duration(len(all))*period/requests)
	})
}

// A call whose own allowance is used up does not hold up the others.
func TestNarrowCallsLetOthersPass(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		l := limiter(t, client, fleet.WithRate(5, 50*time.Millisecond))
		narrow := transport.Call{Operation: "Narrow", Limit: transport.Limit{Requests: 1, Per: time.Hour}}
		if err := l.Wait(t.Context(), narrow, time.Minute); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		waits := make(chan time.Time, 1)
		done := make(chan error)
		go func() {
			_, err := l.Reserve(ctx, narrow, 2*time.Hour, func(until time.Time) { waits <- until })
			done <- err
		}()
		if until := time.Until(<-waits); until < 50*time.Minute {
			t.Errorf("the second waits for %v", until)
		}
		for range 20 {
			if err := l.Wait(t.Context(), transport.Call{Operation: "Wide"}, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(places(t, client, "{mangadex}:bucket:Narrow")); n != 2 {
			t.Errorf("%d places of the narrow one, want 2", n)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if n := len(places(t, client, "{mangadex}:bucket:Narrow")); n != 1 {
			t.Errorf("%d places after the caller has gone, want 1: it was not given back", n)
		}
	})
}

// What cannot wait long enough fails at once and takes nothing.
func TestImpatience(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		l := limiter(t, client, fleet.WithRate(1, time.Hour))
		call := transport.Call{Operation: "GetManga"}
		if err := l.Wait(t.Context(), call, 0); err != nil {
			t.Fatal(err)
		}
		var limited *transport.RateLimitError
		if err := l.Wait(t.Context(), call, time.Minute); !errors.As(err, &limited) || time.Until(limited.RetryAt) < 50*time.Minute || limited.MaxWait != time.Minute {
			t.Errorf("got %#v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := l.Wait(ctx, call, 2*time.Hour); !errors.As(err, &limited) || !limited.Deadline || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n := len(places(t, client, "{mangadex}:all")); n != 1 {
			t.Errorf("%d places, want 1", n)
		}
	})
}

// A place that is given back is the next one's.
func TestGiveBack(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		l := limiter(t, client, fleet.WithRate(1, time.Hour))
		call := transport.Call{Operation: "GetManga", Limit: transport.Limit{Requests: 3, Per: time.Hour}}
		giveBack, err := l.Reserve(t.Context(), call, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		giveBack()
		if err := l.Wait(t.Context(), call, 0); err != nil {
			t.Errorf("after it was given back: %v", err)
		}
	})
}

// What one process learns holds for the others.
func TestFeedbackReachesTheOthers(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		first, second := limiter(t, client), limiter(t, client)
		call := transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 40, Per: time.Minute}}
		other := transport.Call{Operation: "GetManga"}
		refused := func(call transport.Call, about time.Duration) {
			t.Helper()
			var limited *transport.RateLimitError
			err := second.Wait(t.Context(), call, time.Second)
			if !errors.As(err, &limited) || time.Until(limited.RetryAt) > about || time.Until(limited.RetryAt) < about/2 {
				t.Errorf("got %v, want a wait of about %v", err, about)
			}
		}
		first.Learn(call, transport.Feedback{Pause: 10 * time.Minute})
		refused(call, 10*time.Minute)
		if err := second.Wait(t.Context(), other, time.Second); err != nil {
			t.Errorf("another operation: %v", err)
		}
		first.Learn(call, transport.Feedback{Pause: 20 * time.Minute, All: true})
		first.Learn(call, transport.Feedback{Pause: time.Minute, All: true})
		refused(other, 20*time.Minute)
		first.Learn(other, transport.Feedback{Pause: time.Hour, All: true, Reason: &transport.BannedError{RetryAt: time.Now().Add(time.Hour)}})
		var banned *transport.BannedError
		if err := second.Wait(t.Context(), other, 2*time.Hour); !errors.As(err, &banned) || time.Until(banned.RetryAt) < 50*time.Minute {
			t.Errorf("got %v, want a ban", err)
		}
	})
}

func TestLearnedLimit(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		first, second := limiter(t, client), limiter(t, client)
		call := transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 40, Per: time.Minute}}
		first.Learn(call, transport.Feedback{Requests: 1})
		if err := second.Wait(t.Context(), call, 0); err != nil {
			t.Fatal(err)
		}
		if err := first.Wait(t.Context(), call, 0); !errors.Is(err, transport.ErrRateLimited) {
			t.Errorf("got %v, want that the allowance is one", err)
		}
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	for want, option := range map[string]fleet.LimiterOption{
		"no braces": fleet.WithPrefix("a{b"), "a character at least": fleet.WithPrefix(""), "0 requests": fleet.WithRate(0, time.Second),
		"a time from": fleet.WithRate(1, 0), "from 1 to 200": fleet.WithLocalShare(0), "above zero": fleet.WithTimeout(0),
	} {
		if _, err := fleet.NewLimiter(client, nil, option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for _, none := range []redis.UniversalClient{nil, (*redis.Client)(nil)} {
		if _, err := fleet.NewLimiter(none); err == nil || !strings.Contains(err.Error(), "redis.NewClient") {
			t.Errorf("NewLimiter: got %v", err)
		}
		if _, err := fleet.NewStore(none, "login"); err == nil || !strings.Contains(err.Error(), "redis.NewClient") {
			t.Errorf("NewStore: got %v", err)
		}
	}
}
