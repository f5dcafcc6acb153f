package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/fanout"
)

// Bounds of a batch.
const (
	maxIDQuery = 7500 // bytes, where only the length of the URL is bounded: servers take 8 KiB
	maxBatches = 4    // requests at once
	maxParts   = 40   // requests for the parts of a batch that is not taken as a whole
)

// inOrder fetches items by their ids, 100 at a time. Those that the first list does not have are
// asked of the others.
func inOrder[T any](ctx context.Context, ids []uuid.UUID, key func(*T) uuid.UUID, lists ...func(context.Context, []uuid.UUID) (items []T, total int, err error)) (found []T, missing []uuid.UUID, err error) {
	all, err := batches(ctx, ids, MaxIDs, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]T, error) {
		batch := make(map[uuid.UUID]T, len(ids))
		for _, list := range lists {
			if err := collect(ctx, ids, batch, key, list); err != nil {
				return nil, err
			}
		}
		return batch, nil
	})
	if err != nil {
		return nil, nil, err
	}
	found = make([]T, 0, len(ids))
	lost := map[uuid.UUID]struct{}{}
	for _, id := range ids {
		item, ok := all[id]
		if ok {
			found = append(found, item)
		} else if _, again := lost[id]; !again {
			lost[id] = struct{}{}
			missing = append(missing, id)
		}
	}
	return found, missing, nil
}

// collect adds to a batch what a list has of the ids that are not in it yet. A list that says that
// there are more than came is asked for the others, as long as some come.
func collect[T any](ctx context.Context, ids []uuid.UUID, batch map[uuid.UUID]T, key func(*T) uuid.UUID, list func(context.Context, []uuid.UUID) (items []T, total int, err error)) error {
	for asks := 0; ; asks++ {
		rest := without(ids, batch)
		if len(rest) == 0 {
			return nil
		}
		items, total, err := list(ctx, rest)
		if err != nil {
			return err
		}
		before := len(batch)
		for i := range items {
			batch[key(&items[i])] = items[i]
		}
		switch total = min(total, len(rest)); {
		case len(items) >= total:
			return nil
		case len(batch) > before:
			asks = 0
		case asks == maxAsks-1:
			return fmt.Errorf("api: %w", ErrIncomplete{Got: len(ids) - len(rest), Total: len(ids) - len(rest) + total})
		}
	}
}

// byID fetches what there is by id, as many at a time as a URL holds. Known tells which of the ids
// there is something for.
func byID[T any](ctx context.Context, ids []uuid.UUID, param string, known func(context.Context, []uuid.UUID) ([]uuid.UUID, error), fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]T, error)) (map[uuid.UUID]T, error) {
	const escaped = 4 // bytes that the brackets of the parameter take more in a URL
	size := maxIDQuery / (len("&=") + len(param) + escaped + len(uuid.Nil.String()))
	return batches(ctx, ids, size, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]T, error) {
		batch, err := fetch(ctx, ids)
		if !isUnknownID(err) && !isTooLong(err) {
			return batch, err
		}
		if isUnknownID(err) && len(ids) > 1 {
			there, err := known(ctx, ids)
			switch {
			case err == nil && len(there) == 0:
				return nil, nil
			case err == nil && len(there) < len(ids):
				if batch, err := fetch(ctx, there); !isUnknownID(err) {
					return batch, err
				}
				ids = there
			case err != nil && !isUnknownID(err):
				return nil, err
			}
		}
		left := maxParts
		return halving(ctx, ids, err, &left, fetch)
	})
}

// halving fetches a batch in parts that the server does not take as a whole: because the URL is too
// long for it after all, or because it does not know one of the ids.
func halving[T any](ctx context.Context, ids []uuid.UUID, err error, left *int, fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]T, error)) (map[uuid.UUID]T, error) {
	if len(ids) == 1 && isUnknownID(err) {
		return nil, nil
	}
	if len(ids) == 1 || *left < 2 {
		return nil, err
	}
	batch := map[uuid.UUID]T{}
	for _, half := range [][]uuid.UUID{ids[:len(ids)/2], ids[len(ids)/2:]} {
		*left--
		part, err := fetch(ctx, half)
		if isUnknownID(err) || isTooLong(err) {
			part, err = halving(ctx, half, err, left, fetch)
		}
		if err != nil {
			return nil, err
		}
		maps.Copy(batch, part)
	}
	return batch, nil
}

// isUnknownID tells a "not found" of MangaDex from one of a proxy, which says nothing of an id.
func isUnknownID(err error) bool {
	e := (*Error)(nil)
	if !errors.As(err, &e) || !e.Is(ErrNotFound) {
		return false
	}
	var body ErrorResponse
	return len(e.Errors) > 0 || unmarshal(e.Body, &body) == nil && body.Result == ResultError
}

func isTooLong(err error) bool {
	e := (*Error)(nil)
	return errors.As(err, &e) && answer.TooLong(e.StatusCode)
}

// batches fetches each id once, so many at a time and a few times at once. The first error ends
// it. What nobody asked for is left out.
func batches[T any](ctx context.Context, ids []uuid.UUID, size int, fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]T, error)) (map[uuid.UUID]T, error) {
	if err := present(ctx); err != nil {
		return nil, err
	}
	ids = unique(ids)
	all := make(map[uuid.UUID]T, len(ids))
	var mu sync.Mutex
	err := fanout.Each(ctx, maxBatches, (len(ids)+size-1)/size, func(ctx context.Context, i int) error {
		asked := ids[i*size : min((i+1)*size, len(ids))]
		batch, err := fetch(ctx, asked)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, id := range asked {
			if item, ok := batch[id]; ok {
				all[id] = item
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// unique returns the ids, each once.
func unique(ids []uuid.UUID) []uuid.UUID {
	seen := make(map[uuid.UUID]struct{}, len(ids))
	once := make([]uuid.UUID, 0, len(ids))
	for _, id := range ids {
		if _, again := seen[id]; !again {
			seen[id] = struct{}{}
			once = append(once, id)
		}
	}
	return once
}

// without returns the ids that are not in a batch.
func without[T any](ids []uuid.UUID, batch map[uuid.UUID]T) []uuid.UUID {
	var rest []uuid.UUID
	for _, id := range ids {
		if _, ok := batch[id]; !ok {
			rest = append(rest, id)
		}
	}
	return rest
}

func idsOf[T any](items []T, key func(*T) uuid.UUID) []uuid.UUID {
	ids := make([]uuid.UUID, len(items))
	for i := range items {
		ids[i] = key(&items[i])
	}
	return ids
}
