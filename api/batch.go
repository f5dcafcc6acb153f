package api

import (
	"context"

	"github.com/google/uuid"
)

// MaxIDs is how many values the parameter IDs of a list takes. [Client.GetMangaByIDs] and its like
// take any number.
const MaxIDs = 100

// GetMangaByIDs returns any number of titles, of every content rating, in the order of the ids. An id
// that is given twice brings its title twice. An id without a title is in missing. It asks for 100
// titles at a time, with a few requests at once.
func (c *Client) GetMangaByIDs(ctx context.Context, ids []uuid.UUID, includes ...Include) (found []Manga, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, mangaID, func(ctx context.Context, ids []uuid.UUID) ([]Manga, int, error) {
		list, err := c.SearchManga(ctx, &SearchMangaParams{IDs: ids, Limit: Ptr(MaxIDs), ContentRating: allRatings, Includes: includes})
		if err != nil {
			return nil, 0, err
		}
		return list.Data, list.Total, nil
	})
}

// GetChaptersByIDs returns chapters like [Client.GetMangaByIDs], also those that are unavailable or
// that will be published in the future.
func (c *Client) GetChaptersByIDs(ctx context.Context, ids []uuid.UUID, includes ...Include) (found []Chapter, missing []uuid.UUID, err error) {
	list := func(future *Flag) func(context.Context, []uuid.UUID) ([]Chapter, int, error) {
		return func(ctx context.Context, ids []uuid.UUID) ([]Chapter, int, error) {
			list, err := c.ListChapters(ctx, &ListChaptersParams{IDs: ids, Limit: Ptr(MaxIDs), ContentRating: allRatings,
				IncludeUnavailable: Ptr(Yes), IncludeFuturePublishAt: future, Includes: includes})
			if err != nil {
				return nil, 0, err
			}
			return list.Data, list.Total, nil
		}
	}
	// Chapters of the future are shown only to those who ask for nothing else.
	return inOrder(ctx, ids, chapterID, list(nil), list(Ptr(Yes)))
}

func mangaID(m *Manga) uuid.UUID     { return m.ID }
func chapterID(c *Chapter) uuid.UUID { return c.ID }
func groupID(g *Group) uuid.UUID     { return g.ID }

// GetAuthorsByIDs returns authors and artists like [Client.GetMangaByIDs].
func (c *Client) GetAuthorsByIDs(ctx context.Context, ids []uuid.UUID, includes ...Include) (found []Author, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, func(a *Author) uuid.UUID { return a.ID }, func(ctx context.Context, ids []uuid.UUID) ([]Author, int, error) {
		list, err := c.ListAuthors(ctx, &ListAuthorsParams{IDs: ids, Limit: Ptr(MaxIDs), Includes: includes})
		if err != nil {
			return nil, 0, err
		}
		return list.Data, list.Total, nil
	})
}

// GetCoversByIDs returns covers like [Client.GetMangaByIDs]. The ids are those of covers, not of
// titles.
func (c *Client) GetCoversByIDs(ctx context.Context, ids []uuid.UUID, includes ...Include) (found []Cover, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, func(c *Cover) uuid.UUID { return c.ID }, func(ctx context.Context, ids []uuid.UUID) ([]Cover, int, error) {
		list, err := c.ListCovers(ctx, &ListCoversParams{IDs: ids, Limit: Ptr(MaxIDs), Includes: includes})
		if err != nil {
			return nil, 0, err
		}
		return list.Data, list.Total, nil
	})
}

// GetGroupsByIDs returns scanlation groups like [Client.GetMangaByIDs].
func (c *Client) GetGroupsByIDs(ctx context.Context, ids []uuid.UUID, includes ...Include) (found []Group, missing []uuid.UUID, err error) {
	return inOrder(ctx, ids, groupID, func(ctx context.Context, ids []uuid.UUID) ([]Group, int, error) {
		list, err := c.ListGroups(ctx, &ListGroupsParams{IDs: ids, Limit: Ptr(MaxIDs), Includes: includes})
		if err != nil {
			return nil, 0, err
		}
		return list.Data, list.Total, nil
	})
}

// GetMangaStatisticsByIDs returns the statistics of any number of titles. Ids without a title are not
// in it. It asks for about 150 at a time, with a few requests at once. If the server refuses them all
// because it does not know one, GetMangaStatisticsByIDs first asks which titles there are, 100 at a
// time, and then for these: four requests instead of one, however many the server does not know.
func (c *Client) GetMangaStatisticsByIDs(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]MangaStatistics, error) {
	return byID(ctx, ids, "manga[]", c.mangaOf, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]MangaStatistics, error) {
		answer, err := c.ListMangaStatistics(ctx, &ListMangaStatisticsParams{Manga: ids})
		if err != nil {
			return nil, err
		}
		return answer.Statistics, nil
	})
}

// GetChapterStatisticsByIDs returns the statistics of chapters like
// [Client.GetMangaStatisticsByIDs].
func (c *Client) GetChapterStatisticsByIDs(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]ThreadStatistics, error) {
	return byID(ctx, ids, "chapter[]", c.chaptersOf, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]ThreadStatistics, error) {
		answer, err := c.ListChapterStatistics(ctx, &ListChapterStatisticsParams{Chapter: ids})
		if err != nil {
			return nil, err
		}
		return answer.Statistics, nil
	})
}

// GetGroupStatisticsByIDs returns the statistics of scanlation groups like
// [Client.GetMangaStatisticsByIDs].
func (c *Client) GetGroupStatisticsByIDs(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]ThreadStatistics, error) {
	return byID(ctx, ids, "group[]", c.groupsOf, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]ThreadStatistics, error) {
		answer, err := c.ListGroupStatistics(ctx, &ListGroupStatisticsParams{Group: ids})
		if err != nil {
			return nil, err
		}
		return answer.Statistics, nil
	})
}

// GetRatingsByIDs returns the user's own ratings of any number of titles. Titles without a rating are
// not in it. It asks for about 150 at a time, with a few requests at once.
func (c *Client) GetRatingsByIDs(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Rating, error) {
	return byID(ctx, ids, "manga[]", c.mangaOf, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Rating, error) {
		answer, err := c.ListRatings(ctx, &ListRatingsParams{Manga: ids})
		if err != nil {
			return nil, err
		}
		return answer.Ratings, nil
	})
}

// GetReadMarkersByIDs returns, by title, the chapters that the user has read of any number of titles.
// Titles without a read chapter are not in it. It asks for about 150 at a time, with a few requests at
// once.
func (c *Client) GetReadMarkersByIDs(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]uuid.UUID, error) {
	return byID(ctx, ids, "ids[]", c.mangaOf, func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]uuid.UUID, error) {
		answer, err := c.ListReadMarkers(ctx, &ListReadMarkersParams{IDs: ids, Grouped: Ptr(true)})
		if err != nil {
			return nil, err
		}
		return answer.Data.ByManga, nil
	})
}

// GetReadingStatusesByIDs returns the user's reading statuses of any number of titles, in one request.
// Titles without a status are not in it.
func (c *Client) GetReadingStatusesByIDs(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]ReadingStatus, error) {
	statuses := map[uuid.UUID]ReadingStatus{}
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

// MarkChapters marks any number of chapters of a title as read or unread, as
// [Client.SetMangaReadMarkers] does: in several requests if need be, because the body of one may have
// 10 kB. After an error some chapters may be marked; it is safe to call it again.
func (c *Client) MarkChapters(ctx context.Context, manga uuid.UUID, params *SetMangaReadMarkersParams, edit ReadMarkersEdit, editors ...RequestEditorFn) error {
	if err := present(ctx); err != nil {
		return err
	}
	for len(edit.Read)+len(edit.Unread) > 0 {
		var part ReadMarkersEdit
		part.Read, edit.Read = first(edit.Read, maxMarkers)
		part.Unread, edit.Unread = first(edit.Unread, maxMarkers-len(part.Read))
		if err := c.SetMangaReadMarkers(ctx, manga, params, part, editors...); err != nil {
			return err
		}
	}
	return nil
}

// first splits a list; what is empty is nil.
func first(ids []uuid.UUID, n int) (head, rest []uuid.UUID) {
	if n = min(n, len(ids)); n > 0 {
		head = ids[:n]
	}
	return head, ids[n:]
}

// maxMarkers is how many ids the body of a request takes: an id has 39 bytes there, and the document
// allows 10 kB.
const maxMarkers = 250

// mangaOf, chaptersOf and groupsOf return those of the ids that there is something for.

func (c *Client) mangaOf(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	found, _, err := c.GetMangaByIDs(ctx, ids)
	return idsOf(found, mangaID), err
}

func (c *Client) chaptersOf(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	found, _, err := c.GetChaptersByIDs(ctx, ids)
	return idsOf(found, chapterID), err
}

func (c *Client) groupsOf(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	found, _, err := c.GetGroupsByIDs(ctx, ids)
	return idsOf(found, groupID), err
}

// allRatings are given wherever the server would leave some out.
var allRatings = []ContentRating{ContentRatingSafe, ContentRatingSuggestive, ContentRatingErotica, ContentRatingPornographic}
