package fleet_test

import (
	"context"
	"errors"
	"os"
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
// its own, that all want more than there is. It reports what that costs the Redis server at
// FLEET_REDIS.
func BenchmarkTwoHundredClients(b *testing.B) {
	addr := os.Getenv("FLEET_REDIS")
	if addr == "" {
		b.Skip("give the address of a Redis server that nobody else uses in FLEET_REDIS")
	}
	for name, period := range map[string]time.Duration{"one address": time.Second, "forty addresses' rate": 25 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			admin := redis.NewClient(&redis.Options{Addr: addr})
			defer admin.Close()
			if err := admin.ConfigResetStat(b.Context()).Err(); err != nil {
				b.Fatal(err)
			}
			before := usage(b, admin, "cpu", `used_cpu_(?:user|sys):([0-9.]+)`)
			ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
			defer cancel()
			var sent atomic.Int64
			var running sync.WaitGroup
			began := time.Now()
			for range 200 {
				client := redis.NewClient(&redis.Options{Addr: addr, PoolSize: 2})
				defer client.Close()
				l, err := fleet.NewLimiter(client, fleet.WithPrefix("scale"+name), fleet.WithRate(5, period))
				if err != nil {
					b.Fatal(err)
				}
				running.Go(func() {
					for {
						err := l.Wait(ctx, transport.Call{Operation: "GetManga"}, time.Hour)
						var late *transport.RateLimitError
						if errors.As(err, &late) || ctx.Err() != nil {
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
			running.Wait()
			took := time.Since(began).Seconds()
			n := float64(sent.Load())
			b.ReportMetric(n/took, "requests/s")
			b.ReportMetric(usage(b, admin, "commandstats", `cmdstat_eval(?:sha)?:calls=([0-9]+)`)/n, "scripts/request")
			b.ReportMetric(usage(b, admin, "commandstats", `cmdstat_eval(?:sha)?:calls=[0-9]+,usec=([0-9]+)`)/n, "script-µs/request")
			b.ReportMetric((usage(b, admin, "cpu", `used_cpu_(?:user|sys):([0-9.]+)`)-before)/took*100, "%core")
			b.ReportMetric(usage(b, admin, "memory", `used_memory:([0-9]+)`)/1e6, "MB-Redis")
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
