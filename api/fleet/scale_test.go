package fleet_test

import (
	"context"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
)

// BenchmarkTwoHundredClients simulates what SCALE.md tells of: 200 clients, each with a connection of
// its own, that all want more than there is. It reports what that costs the Redis server.
func BenchmarkTwoHundredClients(b *testing.B) {
	wide := transport.Call{Operation: "GetManga"}
	narrow := transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 40, Per: time.Minute}}
	for name, test := range map[string]struct {
		call   transport.Call
		period time.Duration
	}{"one address": {wide, time.Second}, "forty addresses' rate": {wide, 25 * time.Millisecond}, "a narrow operation": {narrow, time.Second}} {
		b.Run(name, func(b *testing.B) {
			s := start(b)
			admin := s.client(b)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			var sent atomic.Int64
			var running sync.WaitGroup
			for range 200 {
				client := redis.NewClient(&redis.Options{Addr: s.addr, PoolSize: 2})
				defer client.Close()
				l, err := fleet.NewLimiter(client, fleet.WithRate(5, test.period))
				if err != nil {
					b.Fatal(err)
				}
				running.Go(func() {
					for {
						err := l.Wait(ctx, test.call, time.Hour)
						if ctx.Err() != nil {
							return
						}
						if err != nil {
							b.Error(err)
							return
						}
						sent.Add(1)
					}
				})
			}
			time.Sleep(5 * time.Second) // all of them have a place
			processor := func() float64 {
				return usage(b, admin, "cpu", `used_cpu_(?:user|sys)_main_thread:([0-9.]+)`)
			}
			if err := admin.ConfigResetStat(b.Context()).Err(); err != nil {
				b.Fatal(err)
			}
			began, before, sentBefore := time.Now(), processor(), sent.Load()
			time.Sleep(20 * time.Second)
			took, busy, n := time.Since(began).Seconds(), processor()-before, float64(sent.Load()-sentBefore)
			scripts := usage(b, admin, "commandstats", `cmdstat_eval(?:sha)?:calls=([0-9]+)`)
			b.ReportMetric(n/took, "requests/s")
			b.ReportMetric(scripts/n, "scripts/request")
			b.ReportMetric(scripts/took, "scripts/s")
			b.ReportMetric(busy*1e6/n, "Redis-µs/request")
			b.ReportMetric(busy/took*100, "%core")
			b.ReportMetric(usage(b, admin, "memory", `used_memory:([0-9]+)`)/1e6, "MB-Redis")
			cancel()
			running.Wait()
			b.ReportMetric(0, "ns/op")
		})
	}
}

// usage adds up numbers that Redis tells of itself.
func usage(b *testing.B, client *redis.Client, section, pattern string) (sum float64) {
	b.Helper()
	text, err := client.Info(context.Background(), section).Result()
	if err != nil {
		b.Fatal(err)
	}
	for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		v, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += v
	}
	return sum
}
