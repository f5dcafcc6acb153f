package fanout_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/internal/fanout"
)

func TestEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen [100]atomic.Int32
		var now, most atomic.Int32
		start := time.Now()
		err := fanout.Each(t.Context(), 10, len(seen), func(_ context.Context, i int) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			seen[i].Add(1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Errorf("%d was done %d times", i, n)
			}
		}
		if took := time.Since(start); most.Load() > 10 || took != 10*time.Second {
			t.Errorf("%d at once, %v in all; want 10, and 10 s", most.Load(), took)
		}
	})
}

func TestFirstError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wrong := errors.New("wrong")
		var begun atomic.Int32
		err := fanout.Each(t.Context(), 3, 100, func(ctx context.Context, i int) error {
			begun.Add(1)
			if i == 1 {
				return wrong
			}
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), wrong) {
				t.Errorf("%d ended with %v", i, context.Cause(ctx))
			}
			return ctx.Err()
		})
		if !errors.Is(err, wrong) || begun.Load() > 3 {
			t.Errorf("got %v after %d, want the first error after 3 at most", err, begun.Load())
		}
	})
}

// What was not begun because the context was done is an error, even if nothing else failed.
func TestDone(t *testing.T) {
	t.Parallel()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := fanout.Each(ctx, 1, 3, func(_ context.Context, i int) error {
		if i == 1 {
			cancel(why)
		}
		return nil
	})
	if !errors.Is(err, why) {
		t.Errorf("got %v, want the cause", err)
	}
	if err := fanout.Each(ctx, 4, 0, nil); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	both := make(chan int)
	err := fanout.All(t.Context(),
		func(context.Context) error { both <- 1; return nil },
		func(context.Context) error { <-both; return nil },
	)
	if err != nil {
		t.Error(err)
	}
}
