package transport_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/mangadex-go/mangadex/api/transport"
)

// TestFairness lets a thousand callers make one call after the other for an hour. An operation with
// an allowance of its own gets all of it, and nobody waits much longer than for those who came
// before.
func TestFairness(t *testing.T) {
	t.Parallel()
	const callers = 1000
	home := bucket("GetAtHomeServer", 40, time.Minute)
	random := bucket("GetRandomManga", 60, time.Minute)
	tests := []struct {
		name string
		call func(caller, turn int) transport.Call
		home int // calls that must get through at least
	}{
		{"a sixth of them wants pages", func(caller, _ int) transport.Call {
			if caller%6 == 0 {
				return home
			}
			return open
		}, 2400 * 95 / 100},
		{"half of them", func(caller, _ int) transport.Call {
			if caller%2 == 0 {
				return home
			}
			return open
		}, 2400 * 95 / 100},
		{"each of them by turns", func(caller, turn int) transport.Call {
			return []transport.Call{open, home, open, random, open}[(caller+turn)%5]
		}, 2400 * 95 / 100},
		{"fewer than the allowance needs, who are not put before others", func(caller, _ int) transport.Call {
			if caller%20 == 0 {
				return home
			}
			return open
		}, 50 * 60 * 60 / 210},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limiter := newLimiter(t)
				end := time.Now().Add(time.Hour)
				var mu sync.Mutex
				got, waiting := map[string]int{}, map[string]int{}
				total, slowest := 0, 0.0
				var wg sync.WaitGroup
				for caller := range callers {
					wg.Go(func() {
						time.Sleep(time.Duration(caller) * time.Microsecond) // so that they come one after the other
						for turn := 0; time.Now().Before(end); turn++ {
							call := test.call(caller, turn)
							mu.Lock()
							fair := time.Duration(total+1) * time.Second / 5
							if per := call.Limit.Per; per > 0 {
								own := time.Duration(waiting[call.Operation]+1) * per / time.Duration(call.Limit.Requests)
								fair = max(fair, own) + per // those that have just been used come back together
							}
							total++
							waiting[call.Operation]++
							mu.Unlock()
							start := time.Now()
							if err := limiter.Wait(t.Context(), call, 24*time.Hour); err != nil {
								t.Error(err)
								return
							}
							mu.Lock()
							total--
							waiting[call.Operation]--
							slowest = max(slowest, time.Since(start).Seconds()/(fair+time.Second).Seconds())
							if time.Now().Before(end) {
								got[call.Operation]++
							}
							mu.Unlock()
						}
					})
				}
				wg.Wait()
				if got[home.Operation] < test.home {
					t.Errorf("%d calls of %s, want %d", got[home.Operation], home.Operation, test.home)
				}
				sum := 0
				for _, n := range got {
					sum += n
				}
				if sum < 5*3600*97/100 && test.name != "each of them by turns" { // who all wait for pages
					t.Errorf("%d calls of 18000 allowed ones", sum)
				}
				if slowest > 1.1 {
					t.Errorf("a caller waited %.2f times as long as those before it needed", slowest)
				}
				t.Logf("%v, slowest %.2f of the fair time", got, slowest)
			})
		})
	}
}

// TestPlaceIsKept checks that a call that waits for its own allowance goes before all that came
// after it, as soon as it can.
func TestPlaceIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t)
		narrow := bucket("Narrow", 1, 10*time.Second)
		l := log{start: time.Now()}
		for _, call := range append([]transport.Call{narrow, narrow}, slices.Repeat([]transport.Call{open}, 100)...) {
			l.wait(t, limiter, t.Context(), call)
		}
		l.wg.Wait()
		second := slices.Index(l.names[1:], "Narrow") + 1
		if at := l.times[second]; at < period(10*time.Second) || at > period(10*time.Second)+250*time.Millisecond {
			t.Errorf("it was sent at %v, behind %d others", at, second)
		}
		for i, at := range l.times[1:] { // the others were not held up
			if most := period(time.Second) * time.Duration(i/5+1); at > most {
				t.Errorf("call %d at %v, want %v at most", i+1, at, most)
			}
		}
	})
}

// TestReserve checks what a limiter tells of a wait, and that a permit that is given back goes to
// the next.
func TestReserve(t *testing.T) {
	t.Parallel()
	narrow := bucket("Narrow", 2, time.Minute)
	for name, call := range map[string]transport.Call{"everything": open, "an operation": narrow} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limiter := newLimiter(t, transport.WithRate(2.0/60, 2))
				never := func(time.Time) { t.Error("it waits") }
				first, err := limiter.Reserve(t.Context(), call, time.Hour, never)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				second, err := limiter.Reserve(t.Context(), call, time.Hour, never)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				var told time.Duration
				var wg sync.WaitGroup
				wg.Go(func() {
					_, err := limiter.Reserve(t.Context(), call, time.Hour, func(until time.Time) { told = until.Sub(start) })
					if took := time.Since(start); err != nil || took != 30*time.Second {
						t.Errorf("sent after %v: %v", took, err)
					}
				})
				synctest.Wait()
				if want := period(time.Minute) - 10*time.Second; !near(told, want) {
					t.Errorf("told to wait %v, want %v", told, want)
				}
				time.Sleep(30 * time.Second)
				second() // for who waits already
				wg.Wait()
				first() // for who comes now
				if giveBack, err := limiter.Reserve(t.Context(), call, 0, never); err != nil || giveBack == nil {
					t.Errorf("behind a permit that was given back: %v", err)
				}
				var limited *transport.RateLimitError
				if giveBack, err := limiter.Reserve(t.Context(), call, 0, never); !errors.As(err, &limited) || giveBack != nil {
					t.Errorf("error %v", err)
				} else if in := time.Until(limited.RetryAt); in < period(time.Minute)*99/100 {
					t.Errorf("the permit of who waited comes back in %v", in)
				}
			})
		})
	}
}

// TestRefusedTakesNothing checks that a call that fails has used no permit, however it fails.
func TestRefusedTakesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, transport.WithRate(1000, 1000))
		narrow := bucket("Narrow", 3, time.Minute)
		limiter.Wait(t.Context(), narrow, 0)
		limiter.Learn(narrow, transport.Feedback{Pause: time.Second})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		short, stop := context.WithTimeout(t.Context(), time.Second/2)
		defer stop()
		for range 5 {
			for _, ctx := range []context.Context{t.Context(), gone, short} {
				if limiter.Wait(ctx, narrow, 0) == nil {
					t.Fatal("it was let through")
				}
			}
		}
		leaving, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second/2, leave)
		if err := limiter.Wait(leaving, narrow, time.Hour); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		for i := range 3 {
			if err := limiter.Wait(t.Context(), narrow, 0); (err == nil) != (i < 2) {
				t.Errorf("call %d: %v", i, err)
			}
		}
	})
}

// TestPauseOfThoseWithoutAllowance checks that a pause of an operation that has no allowance of its
// own holds those back that wait already.
func TestPauseOfThoseWithoutAllowance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := newLimiter(t, transport.WithRate(1, 1))
		other := transport.Call{Operation: "Other"}
		l := log{start: time.Now()}
		for _, call := range []transport.Call{open, other, open, other} {
			l.wait(t, limiter, t.Context(), call)
		}
		limiter.Learn(other, transport.Feedback{Pause: 10 * time.Second})
		l.wg.Wait()
		if want := []string{"Open", "Open", "Other", "Other"}; !slices.Equal(l.names, want) || l.times[2] < 10*time.Second {
			t.Errorf("order %v at %v, want %v", l.names, l.times, want)
		}
	})
}

// TestRefusalsAreTrue checks with random queues that a call that is refused could not have been
// sent before the time that the error says.
func TestRefusalsAreTrue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		calls := []transport.Call{open, bucket("A", 2, 20*time.Second), bucket("B", 5, 10*time.Second)}
		queue := rapid.SliceOfN(rapid.IntRange(0, 2), 0, 40).Draw(rt, "queue")
		last := rapid.IntRange(0, 2).Draw(rt, "last")
		run := func(maxWait time.Duration) (at time.Duration, err error) {
			synctest.Test(t, func(t *testing.T) {
				limiter := newLimiter(t, transport.WithRate(2, 2))
				start := time.Now()
				var wg sync.WaitGroup
				for _, i := range queue {
					wg.Go(func() { limiter.Wait(t.Context(), calls[i], 24*time.Hour) })
					synctest.Wait()
				}
				err = limiter.Wait(t.Context(), calls[last], maxWait)
				at = time.Since(start)
				wg.Wait()
			})
			return at, err
		}
		sent, err := run(24 * time.Hour)
		if err != nil {
			rt.Fatal(err)
		}
		if sent == 0 {
			return
		}
		_, err = run(0)
		var limited *transport.RateLimitError
		if !errors.As(err, &limited) {
			rt.Fatalf("error %v", err)
		}
		said := limited.RetryAt.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		if said > sent+time.Millisecond || said < sent/2-2*time.Second {
			rt.Fatalf("sent at %v, the error says %v (%s)", sent, said, fmt.Sprint(err))
		}
	})
}
