package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"

	"github.com/google/uuid"
)

// MaxIDs is how many values the parameter IDs of a list takes. [Client.GetMangaByIDs] and its like
// take any number.
const MaxIDs = 100

// Bounds of a batch.
const (
	maxIDQuery = 7500 // bytes, where only the length of the URL is bounded: servers take 8 KiB
	maxBatches = 4    // requests at once
)

// GetMangaByIDs returns any number of titles, of every content rating, in the order of the ids; for
// an id that stands there twice, twice. Missing are the ids that there is no title for. It asks
// for 100 at a time, a few times at once.
func (c *Client) GetMangaByIDs(ctx context.Context, ids []uuid.UUID, includes ...MangaInclude) (found []Manga, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, func(m *Manga) uuid.UUID { return m.ID }, func(ctx context.Context, ids []uuid.UUID) ([]Manga, error) {
		list, err := c.SearchManga(ctx, &SearchMangaParams{IDs: ids, Limit: Ptr(MaxIDs), ContentRating: allRatings, Includes: includes})
		if err != nil {
			return nil, err
		}
		return list.Data, nil
	})
}

// GetChaptersByIDs returns chapters like [Client.GetMangaByIDs], also those that are unavailable or
// that will be published in the future.
func (c *Client) GetChaptersByIDs(ctx context.Context, ids []uuid.UUID, includes ...ChapterInclude) (found []Chapter, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, chapterID, func(ctx context.Context, ids []uuid.UUID) ([]Chapter, error) {
		params := ListChaptersParams{IDs: ids, Limit: Ptr(MaxIDs), ContentRating: allRatings, IncludeUnavailable: Ptr(Yes), Includes: includes}
		list, err := c.ListChapters(ctx, &params)
		if err != nil || len(list.Data) >= len(ids) {
			return dataOf(list, err)
		}
		// Chapters of the future are shown only to those who ask for nothing else.
		chapters := list.Data
		params.IDs, params.IncludeFuturePublishAt = without(ids, chapters, chapterID), Ptr(Yes)
		if list, err = c.ListChapters(ctx, &params); err != nil {
			return nil, err
		}
		return append(chapters, list.Data...), nil
	})
}

func chapterID(c *Chapter) uuid.UUID { return c.ID }

func dataOf(list *ChapterList, err error) ([]Chapter, error) {
	if err != nil {
		return nil, err
	}
	return list.Data, nil
}

// GetAuthorsByIDs returns authors and artists like [Client.GetMangaByIDs].
func (c *Client) GetAuthorsByIDs(ctx context.Context, ids []uuid.UUID, includes ...AuthorInclude) (found []Author, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, func(a *Author) uuid.UUID { return a.ID }, func(ctx context.Context, ids []uuid.UUID) ([]Author, error) {
		list, err := c.ListAuthors(ctx, &ListAuthorsParams{IDs: ids, Limit: Ptr(MaxIDs), Includes: includes})
		if err != nil {
			return nil, err
		}
		return list.Data, nil
	})
}

// GetCoversByIDs returns covers like [Client.GetMangaByIDs]. The ids are those of covers, not of
// titles.
func (c *Client) GetCoversByIDs(ctx context.Context, ids []uuid.UUID, includes ...CoverInclude) (found []Cover, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, func(c *Cover) uuid.UUID { return c.ID }, func(ctx context.Context, ids []uuid.UUID) ([]Cover, error) {
		list, err := c.ListCovers(ctx, &ListCoversParams{IDs: ids, Limit: Ptr(MaxIDs), Includes: includes})
		if err != nil {
			return nil, err
		}
		return list.Data, nil
	})
}

// GetGroupsByIDs returns scanlation groups like [Client.GetMangaByIDs].
func (c *Client) GetGroupsByIDs(ctx context.Context, ids []uuid.UUID, includes ...GroupInclude) (found []ScanlationGroup, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, func(g *ScanlationGroup) uuid.UUID { return g.ID }, func(ctx context.Context, ids []uuid.UUID) ([]ScanlationGroup, error) {
		list, err := c.ListGroups(ctx, &ListGroupsParams{IDs: ids, Limit: Ptr(MaxIDs), Includes: includes})
		if err != nil {
			return nil, err
		}
		return list.Data, nil
	})
}

// GetMangaStatisticsByIDs returns the statistics of any number of titles. Those that there is no
// title for are not in it. It asks for about 150 at a time, a few times at once.
func (c *Client) GetMangaStatisticsByIDs(ctx context.Context, ids []uuid.UUID) (MangaStatisticsByID, error) {
	return byID(ctx, ids, "manga[]", func(ctx context.Context, ids []uuid.UUID) (MangaStatisticsByID, error) {
		answer, err := c.ListMangaStatistics(ctx, &ListMangaStatisticsParams{Manga: ids})
		if err != nil {
			return nil, err
		}
		return answer.Statistics, nil
	})
}

// GetChapterStatisticsByIDs returns the statistics of chapters like
// [Client.GetMangaStatisticsByIDs].
func (c *Client) GetChapterStatisticsByIDs(ctx context.Context, ids []uuid.UUID) (ThreadStatisticsByID, error) {
	return byID(ctx, ids, "chapter[]", func(ctx context.Context, ids []uuid.UUID) (ThreadStatisticsByID, error) {
		answer, err := c.ListChapterStatistics(ctx, &ListChapterStatisticsParams{Chapter: ids})
		if err != nil {
			return nil, err
		}
		return answer.Statistics, nil
	})
}

// GetGroupStatisticsByIDs returns the statistics of scanlation groups like
// [Client.GetMangaStatisticsByIDs].
func (c *Client) GetGroupStatisticsByIDs(ctx context.Context, ids []uuid.UUID) (ThreadStatisticsByID, error) {
	return byID(ctx, ids, "group[]", func(ctx context.Context, ids []uuid.UUID) (ThreadStatisticsByID, error) {
		answer, err := c.ListGroupStatistics(ctx, &ListGroupStatisticsParams{Group: ids})
		if err != nil {
			return nil, err
		}
		return answer.Statistics, nil
	})
}

// GetRatingsByIDs returns the user's own ratings of any number of titles. Those without a rating
// are not in it. It asks for about 150 at a time, a few times at once.
func (c *Client) GetRatingsByIDs(ctx context.Context, ids []uuid.UUID) (Ratings, error) {
	return byID(ctx, ids, "manga[]", func(ctx context.Context, ids []uuid.UUID) (Ratings, error) {
		answer, err := c.ListRatings(ctx, &ListRatingsParams{Manga: ids})
		if err != nil {
			return nil, err
		}
		return answer.Ratings, nil
	})
}

// GetReadMarkersByIDs returns the chapters that the user has read of any number of titles, by title.
// Titles of which none was read are not in it. It asks for about 150 at a time, a few times at
// once.
func (c *Client) GetReadMarkersByIDs(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]uuid.UUID, error) {
	return byID(ctx, ids, "ids[]", func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]uuid.UUID, error) {
		answer, err := c.ListReadMarkers(ctx, &ListReadMarkersParams{IDs: ids, Grouped: Ptr(true)})
		if err != nil {
			return nil, err
		}
		return answer.Data.ByManga, nil
	})
}

// GetReadingStatusesByIDs returns the user's reading statuses of any number of titles, in one
// request. Those without a status are not in it.
func (c *Client) GetReadingStatusesByIDs(ctx context.Context, ids []uuid.UUID) (ReadingStatuses, error) {
	statuses := ReadingStatuses{}
	if len(ids) == 0 {
		return statuses, nil
	}
	answer, err := c.ListReadingStatuses(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if status, ok := answer.Statuses[id]; ok {
			statuses[id] = status
		}
	}
	return statuses, nil
}

// allRatings are given wherever the server would leave some out.
var allRatings = []ContentRating{ContentRatingSafe, ContentRatingSuggestive, ContentRatingErotica, ContentRatingPornographic}

// inOrder fetches items by their ids, 100 at a time.
func inOrder[T any](ctx context.Context, ids []uuid.UUID, key func(*T) uuid.UUID, fetch func(context.Context, []uuid.UUID) ([]T, error)) (found []T, missing []uuid.UUID, err error) {
	all, err := batches(ctx, ids, MaxIDs, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]T, error) {
		items, err := fetch(ctx, ids)
		if err != nil {
			return nil, err
		}
		batch := make(map[uuid.UUID]T, len(items))
		for i := range items {
			batch[key(&items[i])] = items[i]
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

// byID fetches what there is by id, as many at a time as a URL holds.
func byID[T any](ctx context.Context, ids []uuid.UUID, param string, fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]T, error)) (map[uuid.UUID]T, error) {
	const escaped = 4 // bytes that the brackets of the parameter take more in a URL
	size := maxIDQuery / (len("&=") + len(param) + escaped + len(uuid.Nil.String()))
	return batches(ctx, ids, size, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]T, error) {
		return halving(ctx, ids, fetch)
	})
}

// halving fetches a batch in parts if the server does not take it as a whole: because the URL is
// too long for it after all, or because it knows one of the ids not.
func halving[T any](ctx context.Context, ids []uuid.UUID, fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]T, error)) (map[uuid.UUID]T, error) {
	batch, err := fetch(ctx, ids)
	if answer := (*Error)(nil); err == nil || !errors.As(err, &answer) || answer.StatusCode != http.StatusRequestURITooLong && answer.StatusCode != http.StatusNotFound {
		return batch, err
	} else if len(ids) == 1 {
		if answer.StatusCode == http.StatusNotFound {
			return nil, nil
		}
		return nil, err
	}
	batch = map[uuid.UUID]T{}
	for _, half := range [][]uuid.UUID{ids[:len(ids)/2], ids[len(ids)/2:]} {
		part, err := halving(ctx, half, fetch)
		if err != nil {
			return nil, err
		}
		maps.Copy(batch, part)
	}
	return batch, nil
}

// batches fetches each id once, so many at a time and a few times at once. The first error ends
// it.
func batches[T any](ctx context.Context, ids []uuid.UUID, size int, fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]T, error)) (map[uuid.UUID]T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ids = unique(ids)
	all := make(map[uuid.UUID]T, len(ids))
	var mu sync.Mutex
	var running sync.WaitGroup
	room := make(chan struct{}, maxBatches)
	for begin := 0; begin < len(ids) && ctx.Err() == nil; begin += size {
		room <- struct{}{}
		running.Go(func() {
			defer func() { <-room }()
			batch, err := fetch(ctx, ids[begin:min(begin+size, len(ids))])
			if err != nil {
				cancel(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, batch)
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
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

// without returns the ids that none of the items has.
func without[T any](ids []uuid.UUID, items []T, key func(*T) uuid.UUID) []uuid.UUID {
	has := make(map[uuid.UUID]struct{}, len(items))
	for i := range items {
		has[key(&items[i])] = struct{}{}
	}
	var rest []uuid.UUID
	for _, id := range ids {
		if _, ok := has[id]; !ok {
			rest = append(rest, id)
		}
	}
	return rest
}
