package api

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/operation"
)

// maxResults is the ceiling of the server on offset and limit together.
const maxResults = 10000

// ErrTooManyResults says that a list goes on behind the 10,000 results that the server shows. Ask
// in slices, for example with CreatedAtSince and an order by createdAt.
var ErrTooManyResults = errors.New("more than 10,000 results: ask in slices, with CreatedAtSince and an ascending order by createdAt")

// A WalkOption changes how an iterator over a list works.
type WalkOption func(*walkSettings)

type walkSettings struct{}

// walkPlan is what an iterator needs to know of its operation.
type walkPlan[T any] struct {
	op            *operation.Operation
	max           int  // largest page
	limit, offset *int // as the caller gave them
	key           func(*T) uuid.UUID
	fetch         func(ctx context.Context, limit, offset int) (items []T, total int, err error)
}

// walk returns an iterator over all pages. Every loop over it starts anew.
func walk[T any](ctx context.Context, plan walkPlan[T], options []WalkOption) iter.Seq2[T, error] {
	var s walkSettings
	for _, option := range options {
		option(&s)
	}
	return func(yield func(T, error) bool) {
		limit, offset := plan.max, 0
		if plan.limit != nil && *plan.limit > 0 {
			limit = min(*plan.limit, plan.max)
		}
		if plan.offset != nil {
			offset = max(*plan.offset, 0)
		}
		var none T
		seen := map[uuid.UUID]struct{}{}
		for {
			if offset >= maxResults {
				yield(none, fmt.Errorf("api: %s: %w", plan.op.ID, ErrTooManyResults))
				return
			}
			size := min(limit, maxResults-offset)
			items, total, err := plan.fetch(ctx, size, offset)
			if err != nil {
				yield(none, err)
				return
			}
			for i := range items {
				if plan.key != nil {
					// An item that is added or removed meanwhile shifts those behind it.
					id := plan.key(&items[i])
					if _, again := seen[id]; again {
						continue
					}
					seen[id] = struct{}{}
				}
				if !yield(items[i], nil) {
					return
				}
			}
			offset += size
			if len(items) == 0 || offset >= total {
				return
			}
		}
	}
}
