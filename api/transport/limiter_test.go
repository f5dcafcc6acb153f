package transport_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/mangadex-go/mangadex/api/transport"
)

// period is how long a permit is in use: the period of the allowance and a hundredth of it.
func period(per time.Duration) time.Duration { return per + per/100 }

func bucket(name string, requests int, per time.Duration) transport.Call {
	return transport.Call{Operation: name, Limit: transport.Limit{Requests: requests, Per: per, Bucket: name}}
}

var open = transport.Call{Operation: "Open"}

// near reports whether two times are the same but for rounding.
func near(a, b time.Duration) bool { return (a - b).Abs() < 100*time.Microsecond }

// log records when calls were let through.
type log struct {
	mu    sync.Mutex
	start time.Time
	wg    sync.WaitGroup
	times []time.Duration
	names []string
}

// wait makes a call in a goroutine of its own.
func (l *log) wait(t *testing.T, limiter transport.Limiter, ctx context.Context, call transport.Call) {
	l.wg.Go(func() {
		if err := limiter.Wait(ctx, call, time.Hour); err != nil {
			t.Error(err)
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.times = append(l.times, time.Since(l.start))
		l.names = append(l.names, call.Operation)
	})
	synctest.Wait() // so that calls come in the order in which the test makes them
}

func TestLimiterSpacesWhatQueuesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t)
		l := log{start: time.Now()}
		for range 13 {
			l.wait(t, limiter, t.Context(), open)
		}
		l.wg.Wait()
		second := period(time.Second)
		for i, got := range l.times {
			want := time.Duration(0) // the burst
			if i >= 5 {
				want = second*time.Duration(i/5) + time.Duration(i%5)*180*time.Millisecond
			}
			if !near(got, want) {
				t.Errorf("call %d at %v, want %v", i, got, want)
			}
		}
		time.Sleep(second) // a rest brings the burst back
		l.start, l.times = time.Now(), nil
		for range 5 {
			l.wait(t, limiter, t.Context(), open)
		}
		l.wg.Wait()
		if last := l.times[4]; last != 0 {
			t.Errorf("after a rest, the fifth call came at %v", last)
		}
	})
}

func TestLimiterRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, transport.WithRate(2, 1))
		l := log{start: time.Now()}
		for range 4 {
			l.wait(t, limiter, t.Context(), open)
		}
		l.wg.Wait()
		for i, got := range l.times {
			if want := time.Duration(i) * period(500*time.Millisecond); !near(got, want) {
				t.Errorf("call %d at %v, want %v", i, got, want)
			}
		}
	})
}

// newLimiter returns a limiter of a test.
func newLimiter(t testing.TB, options ...transport.LimiterOption) *transport.LocalLimiter {
	t.Helper()
	limiter, err := transport.NewLimiter(options...)
	if err != nil {
		t.Fatal(err)
	}
	return limiter
}

func TestLimiterRefusesSenselessRates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rate  float64
		burst int
	}{
		{0, 1}, {-1, 1}, {math.NaN(), 1}, {1e-6, 1}, {1e-300, 5}, {5, 0}, {5, -1}, {1e9, math.MaxInt},
	}
	for _, test := range tests {
		if _, err := transport.NewLimiter(transport.WithRate(test.rate, test.burst)); err == nil || !strings.Contains(err.Error(), "WithRate") {
			t.Errorf("a rate of %v with a burst of %d: %v", test.rate, test.burst, err)
		}
	}
	newLimiter(t, transport.WithRate(math.Inf(1), 1)) // senseless, and harmless
}

// TestLimiterBuckets checks that a call that waits for the allowance of its operation does not
// hold up others, and that calls for one allowance go in order.
func TestLimiterBuckets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, transport.WithRate(100, 100))
		l := log{start: time.Now()}
		narrow := bucket("Narrow", 2, time.Minute)
		alias := transport.Call{Operation: "Alias", Limit: narrow.Limit} // shares the bucket
		for _, call := range []transport.Call{narrow, narrow, narrow, alias, narrow, open, bucket("Other", 1, time.Minute)} {
			l.wait(t, limiter, t.Context(), call)
		}
		l.wg.Wait()
		if want := []string{"Narrow", "Narrow", "Open", "Other", "Narrow", "Alias", "Narrow"}; !slices.Equal(l.names, want) {
			t.Errorf("order %v, want %v", l.names, want)
		}
		minute := period(time.Minute)
		for i, want := range []time.Duration{0, 0, 0, 0, minute, minute, 2 * minute} {
			// What leaves the queue together is spaced by the pace of the global allowance.
			if got := l.times[i]; got < want || got > want+50*time.Millisecond {
				t.Errorf("%s at %v, want %v", l.names[i], got, want)
			}
		}
	})
}

func TestLimiterFailsAtOnce(t *testing.T) {
	t.Parallel()
	narrow := bucket("Narrow", 1, time.Minute)
	tests := []struct {
		name     string
		queue    []transport.Call // calls that wait before
		call     transport.Call
		maxWait  time.Duration
		deadline time.Duration // 0: none
		retryIn  time.Duration // 0: it must wait
		ofCtx    bool
	}{
		{name: "no wait wanted", queue: slices.Repeat([]transport.Call{open}, 5), call: open, retryIn: period(time.Second)},
		{name: "long enough", queue: slices.Repeat([]transport.Call{open}, 5), call: open, maxWait: 2 * time.Second},
		{name: "any wait", queue: slices.Repeat([]transport.Call{open}, 5), call: open, maxWait: math.MaxInt64},
		{name: "a queue that is too long", queue: slices.Repeat([]transport.Call{open}, 104), call: open, maxWait: 20 * time.Second, retryIn: 20 * period(time.Second)},
		{name: "a queue that is just not too long", queue: slices.Repeat([]transport.Call{open}, 104), call: open, maxWait: 21 * time.Second},
		{name: "the deadline", queue: slices.Repeat([]transport.Call{open}, 5), call: open, maxWait: time.Hour, deadline: time.Second, retryIn: period(time.Second), ofCtx: true},
		{name: "a later deadline", queue: slices.Repeat([]transport.Call{open}, 5), call: open, maxWait: time.Hour, deadline: 2 * time.Second},
		{name: "the bucket", queue: []transport.Call{narrow}, call: narrow, maxWait: 30 * time.Second, retryIn: period(time.Minute)},
		{name: "behind others in the bucket", queue: slices.Repeat([]transport.Call{narrow}, 3), call: narrow, maxWait: 2 * time.Minute, retryIn: 3 * period(time.Minute)},
		{name: "not behind another bucket", queue: slices.Repeat([]transport.Call{narrow}, 4), call: open, maxWait: 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limiter := newLimiter(t)
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				defer wg.Wait()
				defer cancel()
				for _, call := range test.queue {
					wg.Go(func() { limiter.Wait(ctx, call, time.Hour) })
					synctest.Wait()
				}
				if test.deadline > 0 {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeout(ctx, test.deadline)
					defer stop()
				}
				start := time.Now()
				err := limiter.Wait(ctx, test.call, test.maxWait)
				if test.retryIn == 0 {
					if err != nil {
						t.Fatalf("failed: %v", err)
					}
					return
				}
				if time.Since(start) != 0 {
					t.Errorf("failed after %v, not at once", time.Since(start))
				}
				var limited *transport.RateLimitError
				if !errors.As(err, &limited) || !errors.Is(err, transport.ErrRateLimited) {
					t.Fatalf("error %v", err)
				}
				if limited.Operation != test.call.Operation {
					t.Errorf("operation %q", limited.Operation)
				}
				if in := limited.RetryAt.Sub(start); (in - test.retryIn).Abs() > time.Millisecond {
					t.Errorf("retry in %v, want %v", in, test.retryIn)
				}
				if errors.Is(err, context.DeadlineExceeded) != test.ofCtx {
					t.Errorf("of the deadline: %v", err)
				}
			})
		})
	}
}

// TestLimiterRetryAt checks that what the error says is true: a call is let through then.
func TestLimiterRetryAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t)
		for range 50 {
			var limited *transport.RateLimitError
			if err := limiter.Wait(t.Context(), bucket("Narrow", 20, time.Minute), 0); errors.As(err, &limited) {
				time.Sleep(time.Until(limited.RetryAt))
			} else if err != nil {
				t.Fatal(err)
			} else {
				continue
			}
			if err := limiter.Wait(t.Context(), bucket("Narrow", 20, time.Minute), 0); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestLimiterCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t)
		narrow := bucket("Narrow", 1, time.Minute)
		for _, call := range []transport.Call{narrow, open, open, open, open} {
			if err := limiter.Wait(t.Context(), call, 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, call := range []transport.Call{open, narrow} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			start := time.Now()
			if err := limiter.Wait(ctx, call, time.Hour); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v", call.Operation, err)
			}
			if took := time.Since(start); took != 100*time.Millisecond {
				t.Errorf("%s: ended after %v", call.Operation, took)
			}
		}
		// Those that have gone hold nothing.
		start := time.Now()
		if err := limiter.Wait(t.Context(), open, time.Hour); err != nil || time.Since(start) > time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := limiter.Wait(ctx, open, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("of a caller that has gone already: %v", err)
		}
	})
}

// TestLimiterCancelPassesOn checks that a call that has the permit of its operation and gives up
// while it waits for the global allowance leaves the permit to the next.
func TestLimiterCancelPassesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, transport.WithRate(1, 1))
		if err := limiter.Wait(t.Context(), open, 0); err != nil {
			t.Fatal(err)
		}
		narrow := bucket("Narrow", 1, time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, cancel)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := limiter.Wait(ctx, narrow, time.Hour); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		start := time.Now()
		if err := limiter.Wait(t.Context(), narrow, time.Hour); err != nil || !near(time.Since(start), period(time.Second)) {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		wg.Wait()
	})
}

func TestLimiterLearns(t *testing.T) {
	t.Parallel()
	narrow := bucket("Narrow", 10, time.Minute)
	reason := errors.New("a reason")
	tests := []struct {
		name     string
		call     transport.Call // that the feedback is of
		feedback transport.Feedback
		// when calls of Narrow and Open are let through behind the feedback
		narrow, open time.Duration
		err          error
	}{
		{"nothing", narrow, transport.Feedback{}, 0, 0, nil},
		{"a pause of the operation", narrow, transport.Feedback{Pause: 10 * time.Second}, 10 * time.Second, 0, nil},
		{"a pause of another without a bucket", transport.Call{Operation: "New"}, transport.Feedback{Pause: 10 * time.Second}, 0, 0, nil},
		{"a pause of an unknown operation", transport.Call{}, transport.Feedback{Pause: 10 * time.Second}, 10 * time.Second, 10 * time.Second, nil},
		{"a pause of everything", narrow, transport.Feedback{Pause: 10 * time.Second, All: true}, 10 * time.Second, 10 * time.Second, nil},
		{"a pause that is too long", narrow, transport.Feedback{Pause: 1000 * time.Hour}, 2 * time.Hour, 0, nil},
		{"a negative pause", narrow, transport.Feedback{Pause: -time.Hour, All: true}, 0, 0, nil},
		{"a smaller allowance", narrow, transport.Feedback{Requests: 1}, period(time.Minute), 0, nil},
		{"a larger allowance", narrow, transport.Feedback{Requests: 1 << 30}, 0, 0, nil},
		{"a reason", narrow, transport.Feedback{Pause: time.Minute, All: true, Reason: reason}, 0, 0, reason},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limiter := newLimiter(t)
				if err := limiter.Wait(t.Context(), narrow, 0); err != nil {
					t.Fatal(err)
				}
				limiter.Learn(test.call, test.feedback)
				start := time.Now()
				var wg sync.WaitGroup
				check := func(call transport.Call, want time.Duration) {
					wg.Go(func() {
						err := limiter.Wait(t.Context(), call, 24*time.Hour)
						if got := time.Since(start); got < want || got > want+250*time.Millisecond || !errors.Is(err, test.err) {
							t.Errorf("%s after %v, want %v: %v", call.Operation, got, want, err)
						}
					})
				}
				check(narrow, test.narrow)
				check(open, test.open)
				wg.Wait()
			})
		})
	}
}

// TestLimiterLearnsAgain checks that an allowance that was said to be smaller can grow again.
func TestLimiterLearnsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, transport.WithRate(1000, 1000))
		narrow := bucket("Narrow", 10, time.Minute)
		for _, step := range []struct{ said, want int }{{0, 10}, {4, 4}, {1, 1}, {7, 7}, {-3, 7}, {10, 10}, {1000, 10}} {
			limiter.Learn(narrow, transport.Feedback{Requests: step.said})
			time.Sleep(2 * time.Minute)
			got := 0
			for limiter.Wait(t.Context(), narrow, 0) == nil {
				got++
			}
			if got != step.want {
				t.Errorf("the server says %d: %d requests a minute, want %d", step.said, got, step.want)
			}
		}
	})
}

// TestLimiterPauseReachesThoseThatWait checks that feedback of a pause ends the wait of those that
// cannot wait for its end, and holds back those that can, in order.
func TestLimiterPauseReachesThoseThatWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t)
		for range 5 {
			limiter.Wait(t.Context(), open, 0)
		}
		narrow := bucket("Narrow", 10, time.Minute)
		l := log{start: time.Now()}
		l.wait(t, limiter, t.Context(), narrow) // in the global queue already
		second := narrow
		second.Operation = "Second"
		l.wait(t, limiter, t.Context(), second)
		l.wait(t, limiter, t.Context(), open)
		short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			err := limiter.Wait(short, narrow, time.Hour)
			if took := time.Since(l.start); !errors.Is(err, transport.ErrRateLimited) || !errors.Is(err, context.DeadlineExceeded) || took != 0 {
				t.Errorf("after %v: %v", took, err)
			}
		})
		synctest.Wait()
		limiter.Learn(narrow, transport.Feedback{Pause: 10 * time.Second})
		wg.Wait()
		l.wg.Wait()
		if want := []string{"Open", "Narrow", "Second"}; !slices.Equal(l.names, want) {
			t.Errorf("order %v, want %v", l.names, want)
		}
		if l.times[0] > 2*time.Second || l.times[1] < 10*time.Second || l.times[2] > 11*time.Second {
			t.Errorf("times %v", l.times)
		}

		reason := errors.New("a reason")
		for limiter.Wait(t.Context(), open, 0) == nil {
		}
		wg.Go(func() {
			if err := limiter.Wait(t.Context(), open, time.Hour); !errors.Is(err, reason) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		limiter.Learn(open, transport.Feedback{Pause: time.Minute, All: true, Reason: reason})
		wg.Wait()
	})
}

// TestLimiterProperties makes calls at random times and checks that no allowance is exceeded in
// any period, that every call that does not give up is let through in time, and in order.
func TestLimiterProperties(t *testing.T) {
	t.Parallel()
	type arrival struct {
		At, GiveUp time.Duration // GiveUp 0: never
		Call       int
	}
	type pause struct {
		At, For time.Duration
		Call    int
		All     bool
	}
	rapid.Check(t, func(rt *rapid.T) {
		burst := rapid.IntRange(1, 8).Draw(rt, "burst")
		perSecond := rapid.SampledFrom([]float64{0.5, 1, 5, 20, 1000}).Draw(rt, "rate")
		calls := []transport.Call{open}
		for i := range rapid.IntRange(0, 3).Draw(rt, "buckets") {
			calls = append(calls, bucket(string(rune('A'+i)), rapid.IntRange(1, 10).Draw(rt, "requests"),
				time.Duration(rapid.IntRange(1, 60).Draw(rt, "seconds"))*time.Second))
		}
		milliseconds := func(most int, label string) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(rt, label)) * time.Millisecond
		}
		arrivals := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) arrival {
			a := arrival{At: time.Duration(rapid.IntRange(0, 5000).Draw(rt, "at")) * time.Millisecond, Call: rapid.IntRange(0, len(calls)-1).Draw(rt, "call")}
			if rapid.IntRange(0, 4).Draw(rt, "gives up") == 0 {
				a.GiveUp = time.Duration(rapid.IntRange(1, 3000).Draw(rt, "after")) * time.Millisecond
			}
			return a
		}), 0, 60).Draw(rt, "arrivals")
		slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.At, b.At) })
		var pauses []pause
		for range rapid.IntRange(0, 2).Draw(rt, "pauses") {
			pauses = append(pauses, pause{milliseconds(5000, "at"), milliseconds(4000, "for"), rapid.IntRange(0, len(calls)-1).Draw(rt, "call"), rapid.Bool().Draw(rt, "all")})
		}

		sent := make([]time.Duration, len(arrivals)) // -1: not
		errs := make([]error, len(arrivals))
		synctest.Test(t, func(t *testing.T) {
			limiter := newLimiter(t, transport.WithRate(perSecond, burst))
			start := time.Now()
			var mu sync.Mutex
			var wg sync.WaitGroup
			for _, p := range pauses {
				wg.Go(func() {
					time.Sleep(p.At)
					limiter.Learn(calls[p.Call], transport.Feedback{Pause: p.For, All: p.All})
				})
			}
			for i, a := range arrivals {
				time.Sleep(time.Until(start.Add(a.At)))
				wg.Go(func() {
					ctx := t.Context()
					if a.GiveUp > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithCancel(ctx)
						defer time.AfterFunc(a.GiveUp, cancel).Stop()
						defer cancel()
					}
					err := limiter.Wait(ctx, calls[a.Call], 24*time.Hour)
					mu.Lock()
					defer mu.Unlock()
					sent[i], errs[i] = -1, err
					if err == nil {
						sent[i] = time.Since(start)
					}
				})
				synctest.Wait()
			}
			wg.Wait()
		})

		paused := time.Duration(0)
		for _, p := range pauses {
			paused += p.For
		}
		perBurst := time.Duration(float64(burst) / perSecond * float64(time.Second))
		within(rt, "everything", sent, burst, perBurst)
		for c, call := range calls {
			var of []time.Duration
			last := time.Duration(0)
			for i, a := range arrivals {
				if a.Call != c {
					continue
				}
				of = append(of, sent[i])
				if sent[i] < 0 {
					if a.GiveUp == 0 || !errors.Is(errs[i], context.Canceled) {
						rt.Fatalf("call %d failed: %v", i, errs[i])
					}
					continue
				}
				if sent[i] < last {
					rt.Fatalf("call %d of %s was sent at %v, before one that came earlier", i, call.Operation, sent[i])
				}
				last = sent[i]
				// All before it in its bucket, and all others, cannot hold it up for longer.
				most := a.At + paused + period(perBurst)*time.Duration(len(arrivals)/burst+1)
				if call.Limit.Requests > 0 {
					most += period(call.Limit.Per) * time.Duration(len(of)/call.Limit.Requests+1)
				}
				if most += 10 * time.Millisecond; sent[i] > most {
					rt.Fatalf("call %d of %s came at %v and was sent at %v, later than %v", i, call.Operation, a.At, sent[i], most)
				}
			}
			if call.Limit.Requests > 0 {
				within(rt, call.Operation, of, call.Limit.Requests, call.Limit.Per)
			}
		}
	})
}

// within checks that no more than an allowance was sent in any period.
func within(rt *rapid.T, what string, sent []time.Duration, requests int, per time.Duration) {
	sent = slices.DeleteFunc(slices.Clone(sent), func(at time.Duration) bool { return at < 0 })
	slices.Sort(sent)
	for i := requests; i < len(sent); i++ {
		if passed := sent[i] - sent[i-requests]; passed <= per {
			rt.Fatalf("%s: %d requests in %v, the allowance is %d in %v; sent at %v", what, requests+1, passed, requests, per, sent)
		}
	}
}
