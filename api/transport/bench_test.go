package transport_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// Bounds of what the whole chain may cost a call over a bare client.
const (
	mostOverhead = 5 * time.Microsecond
	mostMallocs  = 12
)

// overhead measures calls through a client with the transport and through a bare one, in turns, so
// that what else the machine does hits both.
func overhead(tb testing.TB, rounds, calls int) (took time.Duration, mallocs float64) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"result":"ok","response":"collection","data":[],"limit":10,"offset":0,"total":0}`)
	}))
	defer s.Close()
	base := transport.Base()
	defer base.CloseIdleConnections()
	polite, _ := newClient(tb, base, transport.WithAPIServer(s.URL), transport.WithLimiter(newLimiter(tb, transport.WithRate(1e9, 1000))))
	call := func(client *http.Client) time.Duration {
		start := time.Now()
		resp, err := client.Get(s.URL + "/manga?limit=10")
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			tb.Fatal(err)
		}
		resp.Body.Close()
		return time.Since(start)
	}
	clients := []*http.Client{{Transport: base}, polite}
	times, counts := make([][]time.Duration, 2), make([][]float64, 2)
	for round := range rounds + 1 {
		for i, client := range clients {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range calls {
				call(client)
			}
			runtime.ReadMemStats(&after)
			if round > 0 { // the first one warms up
				counts[i] = append(counts[i], float64(after.Mallocs-before.Mallocs)/float64(calls))
			}
		}
		for range calls {
			for i, client := range clients {
				times[i] = append(times[i], call(client))
			}
		}
	}
	for i := range clients {
		slices.Sort(times[i])
		slices.Sort(counts[i])
	}
	// The quick calls tell what the code costs; the others, what else ran.
	quick := len(times[0]) / 10
	return times[1][quick] - times[0][quick], counts[1][rounds/2] - counts[0][rounds/2]
}

// TestOverhead checks the allocations, which do not depend on the machine.
func TestOverhead(t *testing.T) {
	if _, mallocs := overhead(t, 5, 200); mallocs > mostMallocs {
		t.Errorf("%.1f allocations a call more than a bare client, at most %d are allowed", mallocs, mostMallocs)
	}
}

// BenchmarkOverhead reports what a call costs more than with a bare client. With -short it only reports the
// time, which another program may have taken.
func BenchmarkOverhead(b *testing.B) {
	var took time.Duration
	var mallocs float64
	for b.Loop() {
		took, mallocs = overhead(b, 20, 1000)
	}
	b.ReportMetric(float64(took)/1e3, "µs/call-more")
	b.ReportMetric(mallocs, "allocs/call-more")
	if took > mostOverhead && !testing.Short() || mallocs > mostMallocs {
		b.Errorf("%v and %.1f allocations a call more than a bare client, at most %v and %d are allowed", took, mallocs, mostOverhead, mostMallocs)
	}
}

// BenchmarkChain measures the chain alone, on a transport that answers at once.
func BenchmarkChain(b *testing.B) {
	header := http.Header{"Content-Type": {"application/json"}}
	base := tripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2, Request: req}, nil
	})
	_, polite := newClient(b, base, transport.WithLimiter(newLimiter(b, transport.WithRate(1e9, 1000))))
	for name, rt := range map[string]http.RoundTripper{"bare": base, "polite": polite} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			req := httptest.NewRequest(http.MethodGet, server+"/manga/tag", nil)
			for b.Loop() {
				resp, err := rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}

// BenchmarkWait measures a limiter that has room.
func BenchmarkWait(b *testing.B) {
	limiter := newLimiter(b, transport.WithRate(1e9, 1000))
	for name, call := range map[string]transport.Call{"global": open, "bucket": bucket("Wide", 1000, time.Microsecond)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := limiter.Wait(b.Context(), call, time.Hour); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
