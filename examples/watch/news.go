package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// A chapter is what is told of one.
type chapter struct {
	ID       uuid.UUID `json:"id"`
	Manga    string    `json:"manga"`
	Number   string    `json:"number,omitempty"`
	Title    string    `json:"title,omitempty"`
	Language string    `json:"language"`
	Groups   []string  `json:"groups,omitempty"`
	Others   int       `json:"otherVersions,omitempty"` // that appeared with it
	URL      string    `json:"url"`
	Readable time.Time `json:"readableAt"`
}

// String names a chapter.
func (c chapter) String() string {
	name := c.Manga + ", chapter " + c.Number
	if c.Number == "" {
		name = c.Manga
	}
	if c.Title != "" {
		name += ": " + c.Title
	}
	facts := append([]string{c.Language}, c.Groups...)
	if c.Others > 0 {
		facts = append(facts, "and "+strconv.Itoa(c.Others)+" more in other versions")
	}
	return name + " (" + strings.Join(facts, ", ") + ")"
}

// fetch returns the chapters that could be read from a time on, in no order.
func fetch(ctx context.Context, client *api.Client, from time.Time, languages []string) ([]api.Chapter, error) {
	params := api.GetFollowedMangaFeedParams{
		TranslatedLanguage: languages,
		Order:              api.ChapterOrder{}.ReadableAt(api.Desc),
		Includes:           []api.Include{api.IncludeManga, api.IncludeScanlationGroup},
		ContentRating:      reading.AllRatings(),
	}
	var found []api.Chapter
	for c, err := range client.GetFollowedMangaFeedAll(ctx, &params, api.WithLookAhead(1)) {
		if errors.Is(err, api.ErrTooManyResults) {
			rest, err := published(ctx, client, from, params)
			return append(found, rest...), err
		}
		if err != nil {
			return nil, err
		}
		if c.Attributes.ReadableAt.Before(from) {
			break
		}
		found = append(found, c)
	}
	return found, nil
}

// published returns the chapters that were published from a time on, however many they are: where
// the server shows no more, it goes on from the last one.
func published(ctx context.Context, client *api.Client, from time.Time, params api.GetFollowedMangaFeedParams) ([]api.Chapter, error) {
	params.Order = api.ChapterOrder{}.PublishAt(api.Asc)
	var found []api.Chapter
	for {
		params.PublishAtSince = api.Since(from)
		more, last := false, from
		for c, err := range client.GetFollowedMangaFeedAll(ctx, &params) {
			if more = errors.Is(err, api.ErrTooManyResults); more {
				break
			}
			if err != nil {
				return nil, err
			}
			found = append(found, c)
			last = c.Attributes.PublishAt
		}
		if !more {
			return found, nil
		}
		if !last.After(from) { // all that are shown are of one second
			last = from.Add(time.Second)
		}
		from = last
	}
}

// news are the chapters among those found that have not been told of, in one version each, the
// oldest first.
func (s state) news(found []api.Chapter, now time.Time) []chapter {
	known := map[uuid.UUID]bool{} // titles
	told := map[uuid.UUID]bool{}
	for id, c := range s.Seen {
		told[id], known[c.Manga] = true, true
	}
	for _, c := range s.Chapters {
		told[c.ID] = true
	}
	titles := map[uuid.UUID][]api.Chapter{}
	fresh := map[uuid.UUID]bool{} // titles with a chapter that may be news
	for _, c := range found {
		manga, _ := c.Relationships.Manga()
		a := &c.Attributes
		titles[manga.ID] = append(titles[manga.ID], c)
		switch appeared := latest(a.ReadableAt, a.CreatedAt); {
		case told[c.ID]:
		case a.ReadableAt.Before(s.From), // which the first run left out
			!s.LastRun.IsZero() && !known[manga.ID] && appeared.Before(s.LastRun.Add(-newTitle)):
			told[c.ID] = true
		default:
			fresh[manga.ID] = true
		}
	}
	for id, c := range s.Seen {
		if fresh[c.Manga] {
			titles[c.Manga] = append(titles[c.Manga], c.chapter(id))
		}
	}
	news := []chapter{}
	for manga := range fresh {
		for _, entry := range reading.NewList(titles[manga]).Entries {
			if !slices.ContainsFunc(entry.Versions, func(v reading.Version) bool { return told[v.ID] }) {
				news = append(news, describe(&entry))
			}
		}
	}
	slices.SortFunc(news, func(a, b chapter) int {
		return cmp.Or(a.Readable.Compare(b.Readable), strings.Compare(a.ID.String(), b.ID.String()))
	})
	return news
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

func describe(entry *reading.Entry) chapter {
	found := entry.Chosen()
	a := found.Attributes
	c := chapter{
		ID: found.ID, Number: reading.Line(text(a.Chapter)), Title: reading.Line(text(a.Title)), Language: a.TranslatedLanguage,
		URL:      reading.WebAddress(text(a.ExternalURL)),
		Readable: a.ReadableAt, Others: len(entry.Versions) - 1,
	}
	if c.URL == "" || reading.PlaceOf(&found.Chapter) == reading.Here {
		c.URL = reading.URL(api.ResourceTypeChapter, found.ID)
	}
	if manga, ok := found.Relationships.Manga(); ok && manga.Attributes != nil {
		c.Manga = reading.Line(reading.Title(manga.Attributes, a.TranslatedLanguage))
	}
	for _, group := range found.Relationships.Groups() {
		if group.Attributes != nil {
			c.Groups = append(c.Groups, reading.Line(group.Attributes.Name))
		}
	}
	return c
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
