// Package fanout does several things at once, a bounded number of them, and waits for all.
package fanout

import (
	"context"
	"sync"
	"sync/atomic"
)

// Each calls work for the numbers from 0 to below n, in their order and at most workers at once. The
// first error ends the context of the others, and nothing further is begun; Each returns it when all
// have returned. If the context given is done before all are begun, its cause is returned.
func Each(ctx context.Context, workers, n int, work func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		claimed atomic.Int64
		running sync.WaitGroup
		once    sync.Once
		first   error
	)
	fail := func(err error) {
		once.Do(func() { first = err })
		cancel(err)
	}
	for range min(max(workers, 1), n) {
		running.Go(func() {
			for i := int(claimed.Add(1)) - 1; i < n; i = int(claimed.Add(1)) - 1 {
				if ctx.Err() != nil {
					fail(context.Cause(ctx))
					return
				}
				if err := work(ctx, i); err != nil {
					fail(err)
					return
				}
			}
		})
	}
	running.Wait()
	return first
}

// All calls all jobs at once, like [Each].
func All(ctx context.Context, jobs ...func(context.Context) error) error {
	return Each(ctx, len(jobs), len(jobs), func(ctx context.Context, i int) error { return jobs[i](ctx) })
}
