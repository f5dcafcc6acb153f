package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// limited is a program that talks to a server with the limits of MangaDex, and what keeps it busy for a
// while.
func limited(t *testing.T) *exampletest.Program {
	titles := 100
	if os.Getenv("MIRROR_LONG") != "" {
		titles = 2000
	}
	return exampletest.New(t, apitest.WithLimits(), apitest.WithTitles(titles))
}

// used checks that nothing was refused, and returns which part of the allowance was used.
func used(t *testing.T, p *exampletest.Program) float64 {
	t.Helper()
	all := p.Server.Requests()
	slices.SortFunc(all, func(a, b apitest.Request) int { return a.Time.Compare(b.Time) })
	for _, r := range all {
		if r.Status == http.StatusTooManyRequests || r.Status == http.StatusForbidden {
			t.Errorf("%s was answered with %d", r.URL, r.Status)
		}
	}
	intervals, took := len(all)-1, all[len(all)-1].Time.Sub(all[0].Time)
	percent := 100 * float64(intervals) / (allowance * took.Seconds())
	t.Logf("%d requests in %v, %.1f%% of the allowance", len(all), took.Round(time.Second/10), percent)
	return percent
}

// TestAllowance copies from a server with the limits of MangaDex, and uses nearly all that they allow.
func TestAllowance(t *testing.T) {
	t.Parallel()
	p := limited(t)
	where := p.Path("mirror.db")
	p.Succeeds(p.Run("-server", p.Server.URL, "-db", where))
	percent := used(t, p)
	if os.Getenv("MIRROR_LONG") != "" && percent < 95 {
		t.Errorf("%.1f%% of the allowance was used, want 95%%", percent)
	}
	same(t, p, where, transport.WithMaxWait(time.Minute))
}

// TestFleet has three processes share the work and the allowance. The one that has begun is killed.
func TestFleet(t *testing.T) {
	t.Parallel()
	address, _ := startRedis(t)
	p := limited(t)
	p.Env["GODEBUG"] = "fips140=only" // scripts have hashes that are not approved
	where := p.Path("mirror.db")
	open(t, where) // so that the schema is there
	args := []string{"-server", p.Server.URL, "-db", where, "-fleet", "redis://" + address}
	stop := make(chan struct{})
	shares := make(chan map[string]int, 1)
	go func() { shares <- countShares(address, stop) }()
	sent := func(n int) func() bool { return func() bool { return len(p.Server.Requests()) > n } }
	first := p.Start(args...) // which takes most of the work
	waitUntil(t, sent(5))
	second, third := p.Start(args...), p.Start(args...)
	first.Kill(sent(15))
	for _, run := range []*exampletest.Running{second, third} {
		p.Succeeds(run.Wait())
	}
	close(stop)
	counts := <-shares
	t.Logf("shares: %v", counts)
	if len(counts) != 3 {
		t.Errorf("%d processes have got places, want 3", len(counts))
	}
	used(t, p)
	same(t, p, where, transport.WithMaxWait(time.Minute))
}

func waitUntil(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}

// countShares counts the places that Redis gives to each process.
func countShares(address string, stop <-chan struct{}) map[string]int {
	client := redis.NewClient(&redis.Options{Addr: address})
	defer client.Close()
	known, counts := map[string]bool{}, map[string]int{}
	for {
		members, _ := client.ZRange(context.Background(), "{mangadex}:all", 0, -1).Result()
		for _, member := range members {
			if process, _, _ := strings.Cut(member, "-"); !known[member] {
				known[member] = true
				counts[process]++
			}
		}
		select {
		case <-stop:
			return counts
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestFleetFails has a Redis server that wants another password, and one that goes away.
func TestFleetFails(t *testing.T) {
	t.Parallel()
	address, end := startRedis(t, "--requirepass", "right-secret")
	p := limited(t)
	fleet := func(user string) []string {
		return []string{"-server", p.Server.URL, "-db", p.Path("mirror.db"), "-fleet", "redis://" + user + address}
	}
	p.Fails(p.Run(append(fleet(":right-secret@"), "-unlimited")...), "mirror", 2, "-fleet is of no use without limits")
	for user, reason := range map[string]string{"": "NOAUTH", ":wrong-secret@": "WRONGPASS"} {
		r := p.Run(fleet(user)...)
		p.Fails(r, "mirror", 1, "the Redis server of -fleet at "+address, "its password", reason)
		if strings.Contains(r.Stderr, "secret") {
			t.Errorf("a password was printed: %s", r.Stderr)
		}
	}
	run := p.Start(fleet(":right-secret@")...)
	waitUntil(t, func() bool { return len(p.Server.Requests()) > 5 })
	end()
	p.Fails(run.Wait(), "mirror", 1, "Redis at "+address+", which keeps the allowance, cannot be asked", "the next run goes on there")
}

// startRedis starts a Redis server, and returns its address.
func startRedis(t *testing.T, args ...string) (address string, end func()) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("there is no redis-server; it is in the package of that name")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", ""}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(end)
	address = "127.0.0.1:" + port
	for range 500 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address, end
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("redis-server does not come up")
	return "", nil
}
