package main

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// A list is one that the server shows in the order of creation, and of what has changed since.
type list interface {
	// all walks over what was created and what was changed since two times.
	all(ctx context.Context, created, changed *api.DateTime) iter.Seq2[item, error]
	// at is the item at an offset of that, in the order of creation, if there is one, and how many
	// there are.
	at(ctx context.Context, created, changed *api.DateTime, offset int) (one []item, total int, err error)
	// changed are those that were changed last.
	changed(ctx context.Context) ([]item, error)
}

// An item is something in a list.
type item struct {
	id               uuid.UUID
	created, updated time.Time
	add              func(*batch) // puts it there
}

// ahead is how many pages are asked for before they are needed. There are other workers.
var ahead = api.WithLookAhead(2)

// mangaList are all titles.
type mangaList struct{ client *api.Client }

func mangaItem(m api.Manga) item {
	return item{m.ID, m.Attributes.CreatedAt, m.Attributes.UpdatedAt, func(b *batch) { b.manga = append(b.manga, m) }}
}

func (l mangaList) params(created, changed *api.DateTime) *api.SearchMangaParams {
	return &api.SearchMangaParams{ContentRating: reading.AllRatings(), CreatedAtSince: created, UpdatedAtSince: changed}
}

func (l mangaList) all(ctx context.Context, created, changed *api.DateTime) iter.Seq2[item, error] {
	return items(l.client.SearchMangaAll(ctx, l.params(created, changed), api.WithSlices(), ahead), mangaItem)
}

func (l mangaList) at(ctx context.Context, created, changed *api.DateTime, offset int) ([]item, int, error) {
	p := l.params(created, changed)
	p.Order, p.Offset, p.Limit = api.MangaOrder{}.CreatedAt(api.Asc), &offset, api.Ptr(1)
	answer, err := l.client.SearchManga(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	return itemsOf(answer.Data, mangaItem), answer.Total, nil
}

func (l mangaList) changed(ctx context.Context) ([]item, error) {
	p := l.params(nil, nil)
	p.Order, p.Limit = api.MangaOrder{}.UpdatedAt(api.Desc), api.Ptr(100)
	answer, err := l.client.SearchManga(ctx, p)
	if err != nil {
		return nil, err
	}
	return itemsOf(answer.Data, mangaItem), nil
}

// chapterList are the chapters that can be read or could be, or those that will be published in the
// future, which the server shows apart.
type chapterList struct {
	client *api.Client
	future bool
}

func chapterItem(c api.Chapter) item {
	return item{c.ID, c.Attributes.CreatedAt, c.Attributes.UpdatedAt, func(b *batch) { b.chapters = append(b.chapters, c) }}
}

func (l chapterList) params(created, changed *api.DateTime) *api.ListChaptersParams {
	p := &api.ListChaptersParams{ContentRating: reading.AllRatings(), IncludeUnavailable: api.Ptr(api.Yes), CreatedAtSince: created, UpdatedAtSince: changed}
	if l.future {
		p.IncludeFuturePublishAt = api.Ptr(api.Yes)
	}
	return p
}

func (l chapterList) all(ctx context.Context, created, changed *api.DateTime) iter.Seq2[item, error] {
	return items(l.client.ListChaptersAll(ctx, l.params(created, changed), api.WithSlices(), ahead), chapterItem)
}

// of walks over all chapters of a title.
func (l chapterList) of(ctx context.Context, manga uuid.UUID) iter.Seq2[item, error] {
	p := l.params(nil, nil)
	p.Manga = &manga
	return items(l.client.ListChaptersAll(ctx, p, api.WithSlices(), ahead), chapterItem)
}

func (l chapterList) at(ctx context.Context, created, changed *api.DateTime, offset int) ([]item, int, error) {
	p := l.params(created, changed)
	p.Order, p.Offset, p.Limit = api.ChapterOrder{}.CreatedAt(api.Asc), &offset, api.Ptr(1)
	answer, err := l.client.ListChapters(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	return itemsOf(answer.Data, chapterItem), answer.Total, nil
}

func (l chapterList) changed(ctx context.Context) ([]item, error) {
	p := l.params(nil, nil)
	p.Order, p.Limit = api.ChapterOrder{}.UpdatedAt(api.Desc), api.Ptr(100)
	answer, err := l.client.ListChapters(ctx, p)
	if err != nil {
		return nil, err
	}
	return itemsOf(answer.Data, chapterItem), nil
}

// The server does not say of these lists what has changed since a time. They are read from the
// newest on, until what is older than that.

// becameReadable walks over chapters, the one that became readable last first. It need not have been
// changed for that.
func becameReadable(ctx context.Context, client *api.Client) iter.Seq2[item, error] {
	p := chapterList{client: client}.params(nil, nil)
	p.Order = api.ChapterOrder{}.ReadableAt(api.Desc)
	return items(client.ListChaptersAll(ctx, p, ahead), func(c api.Chapter) item {
		i := chapterItem(c)
		i.updated = c.Attributes.ReadableAt
		return i
	})
}

// changedGroups walks over scanlation groups, the one that was changed last first.
func changedGroups(ctx context.Context, client *api.Client) iter.Seq2[item, error] {
	p := &api.ListGroupsParams{Order: api.GroupOrder{}.UpdatedAt(api.Desc)}
	return items(client.ListGroupsAll(ctx, p, ahead), func(g api.Group) item {
		return item{g.ID, g.Attributes.CreatedAt, g.Attributes.UpdatedAt, func(b *batch) { b.groups = append(b.groups, g) }}
	})
}

func coverItem(c api.Cover) item {
	return item{c.ID, c.Attributes.CreatedAt, c.Attributes.UpdatedAt, func(b *batch) { b.covers = append(b.covers, c) }}
}

// changedCovers walks over covers, the one that was changed last first.
func changedCovers(ctx context.Context, client *api.Client) iter.Seq2[item, error] {
	return items(client.ListCoversAll(ctx, &api.ListCoversParams{Order: api.CoverOrder{}.UpdatedAt(api.Desc)}, ahead), coverItem)
}

// coversOf walks over all covers of up to a hundred titles.
func coversOf(ctx context.Context, client *api.Client, manga []uuid.UUID) iter.Seq2[item, error] {
	return items(client.ListCoversAll(ctx, &api.ListCoversParams{Manga: manga, Order: api.CoverOrder{}.CreatedAt(api.Asc)}, ahead), coverItem)
}

func items[T any](all iter.Seq2[T, error], of func(T) item) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for one, err := range all {
			if err != nil {
				yield(item{}, err)
				return
			}
			if !yield(of(one), nil) {
				return
			}
		}
	}
}

func itemsOf[T any](all []T, of func(T) item) []item {
	list := make([]item, len(all))
	for i, one := range all {
		list[i] = of(one)
	}
	return list
}
