package apitest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// Each hard case is what it says, through the API.
func TestHardCases(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithHardCases())
	client, ctx := newClient(t, srv), t.Context()
	feed := func(id uuid.UUID) []api.Chapter {
		t.Helper()
		return must[*api.ChapterList](t)(client.GetMangaFeed(ctx, id, &api.GetMangaFeedParams{
			Limit: api.Ptr(500), Includes: []api.Include{"scanlation_group", "user"}, ContentRating: everyRating,
		})).Data
	}
	all := func(of func(api.Chapter) bool) func(api.Manga, []api.Chapter) bool {
		return func(_ api.Manga, chapters []api.Chapter) bool {
			return len(chapters) > 0 && !slices.ContainsFunc(chapters, func(ch api.Chapter) bool { return !of(ch) })
		}
	}
	count := func(chapters []api.Chapter, number string, groups int) (n int) {
		for _, ch := range chapters {
			if ch.Attributes.Chapter != nil && *ch.Attributes.Chapter == number && len(ch.Relationships.Groups()) == groups {
				n++
			}
		}
		return n
	}
	resets := func(flag bool) func(api.Manga, []api.Chapter) bool {
		return func(m api.Manga, chapters []api.Chapter) bool {
			return m.Attributes.ChapterNumbersResetOnNewVolume == flag && count(chapters, "1", 1) == 3
		}
	}
	language := func(m api.Manga, code string) bool {
		for _, title := range append([]api.LocalizedString{m.Attributes.Title}, m.Attributes.AltTitles...) {
			if _, ok := title.Get(code); ok {
				return true
			}
		}
		return false
	}
	checks := map[string]func(api.Manga, []api.Chapter) bool{
		"reset":        resets(true),
		"reset-unsaid": resets(false),
		"versions": func(_ api.Manga, chapters []api.Chapter) bool {
			return count(chapters, "1", 1) == 1 && count(chapters, "2", 1) == 2 && count(chapters, "3", 1) == 3 && count(chapters, "4", 2) == 1 && count(chapters, "5", 1) == 2 && count(chapters, "7", 0) == 1
		},
		"anthology": func(_ api.Manga, chapters []api.Chapter) bool {
			titles := map[string]bool{}
			for _, ch := range chapters {
				if ch.Attributes.Title != nil {
					titles[*ch.Attributes.Title] = true
				}
			}
			return count(chapters, "1", 1) == 12 && len(titles) == 11
		},
		"numbers": func(_ api.Manga, chapters []api.Chapter) bool {
			return count(chapters, "10.5", 1) == 1 && count(chapters, "30e", 1) == 1 && count(chapters, "v1.5", 1) == 1
		},
		"no-number": all(func(ch api.Chapter) bool { return ch.Attributes.Chapter == nil }),
		"no-volume": all(func(ch api.Chapter) bool { return ch.Attributes.Volume == nil }),
		"volume-later": func(_ api.Manga, chapters []api.Chapter) bool {
			return chapters[0].Attributes.Volume != nil && chapters[len(chapters)-1].Attributes.Volume == nil
		},
		"external": all(func(ch api.Chapter) bool {
			return ch.Attributes.ExternalURL != nil && ch.Attributes.Pages == 0 && ch.Attributes.PublishAt.Year() == 2037 && ch.Attributes.ReadableAt.Before(time.Now())
		}),
		"unavailable": func(m api.Manga, chapters []api.Chapter) bool { return len(chapters) == 0 },
		"not-english": func(m api.Manga, _ []api.Chapter) bool {
			_, ok := m.Attributes.Title.Get("en")
			return !ok && language(m, "en")
		},
		"no-english": func(m api.Manga, _ []api.Chapter) bool { return !language(m, "en") && language(m, "ko") },
		"hostile": func(m api.Manga, chapters []api.Chapter) bool {
			texts := []string{}
			for _, ch := range chapters {
				texts = append(texts, *ch.Attributes.Title, ch.Relationships.Groups()[0].Attributes.Name)
				uploader, _ := ch.Relationships.Uploader()
				texts = append(texts, uploader.Attributes.Username)
			}
			long := 0
			for _, title := range append([]api.LocalizedString{m.Attributes.Title}, m.Attributes.AltTitles...) {
				texts = append(texts, title[0].Text)
				long = max(long, len([]rune(title[0].Text)))
			}
			text := strings.Join(texts, "|")
			for _, part := range []string{"\n", "\x1b[", "\u202e", "<script>", "|=HYPER", "../"} {
				if !strings.Contains(text, part) {
					return false
				}
			}
			return long == 300
		},
		"erotica":      func(m api.Manga, _ []api.Chapter) bool { return m.Attributes.ContentRating == "erotica" },
		"pornographic": func(m api.Manga, _ []api.Chapter) bool { return m.Attributes.ContentRating == "pornographic" },
		"late": all(func(ch api.Chapter) bool {
			return ch.Attributes.ReadableAt.Sub(ch.Attributes.PublishAt) == 72*time.Hour
		}),
		"scheduled": func(m api.Manga, chapters []api.Chapter) bool {
			future := must[*api.ChapterList](t)(client.GetMangaFeed(ctx, m.ID, &api.GetMangaFeedParams{IncludeFuturePublishAt: api.Ptr(api.Yes)})).Data
			return len(chapters) == 3 && len(future) == 2
		},
	}
	cases := srv.State().HardCases()
	if len(cases) != len(checks) {
		t.Errorf("%d cases, %d checks", len(cases), len(checks))
	}
	for name, ids := range cases {
		if len(ids) < 2 || checks[name] == nil {
			t.Errorf("%s: %v", name, ids)
			continue
		}
		for _, id := range ids {
			m := must[*api.MangaResponse](t)(client.GetManga(ctx, id, nil)).Data
			if chapters := feed(id); !checks[name](m, chapters) {
				t.Errorf("%s: %.2000s", name, fmt.Sprintf("%+v with %+v", m.Attributes, chapters))
			}
			must[*api.AggregateResponse](t)(client.GetMangaAggregate(ctx, id, nil))
		}
	}
	if other := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithHardCases()).State().HardCases(); other["reset"][0] != cases["reset"][0] {
		t.Error("the same seed makes other ids")
	}
	if other := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithHardCases(), apitest.WithSeed(2)).State().HardCases(); other["reset"][0] == cases["reset"][0] {
		t.Error("another seed makes the same ids")
	}
}

// A title may have more chapters than any feed shows.
func TestLongTitle(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithLongTitle(10_500), apitest.Lenient())
	id := srv.State().HardCases()["long"][0]
	list := must[*api.ChapterList](t)(newClient(t, srv).GetMangaFeed(t.Context(), id, &api.GetMangaFeedParams{Limit: api.Ptr(500), Offset: api.Ptr(9500)}))
	if list.Total != 10_500 || len(list.Data) != 500 {
		t.Errorf("%d of %d", len(list.Data), list.Total)
	}
	if status, text := do(t, srv, "GET", "/manga/"+id.String()+"/feed?limit=500&offset=9501", ""); status != 400 {
		t.Errorf("beyond 10,000: %d %.200s", status, text)
	}
}
