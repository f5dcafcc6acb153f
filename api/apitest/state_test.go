package apitest_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A set of the library can be put in place, and shows in the statistics.
func TestSetLibrary(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	c, _ := login(t, srv, srv.Account.Username)
	ctx, id := t.Context(), srv.State().Manga()[1].ID
	statistics := func() api.MangaStatistics {
		return must[*api.MangaStatisticsResponse](t)(c.GetMangaStatistics(ctx, id)).Statistics[id]
	}
	before := statistics()
	library := apitest.Library{Manga: []uuid.UUID{id}, Ratings: map[uuid.UUID]int{id: 10}, Statuses: map[uuid.UUID]string{id: "dropped"}}
	for range 2 { // the second time changes nothing
		if err := srv.State().SetLibrary(srv.Account.Username, library); err != nil {
			t.Fatal(err)
		}
		if after := statistics(); after.Follows != before.Follows+1 || after.Rating.Distribution[10] != before.Rating.Distribution[10]+1 {
			t.Errorf("the statistics are %+v after %+v", after, before)
		}
	}
	if status := must[*api.ReadingStatusesResponse](t)(c.ListReadingStatuses(ctx, nil)); status.Statuses[id] != "dropped" {
		t.Errorf("the statuses are %v", status.Statuses)
	}
	if err := srv.State().SetLibrary(srv.Account.Username, apitest.Library{}); err != nil {
		t.Fatal(err)
	}
	if after := statistics(); after.Follows != before.Follows || after.Rating.Distribution[10] != before.Rating.Distribution[10] {
		t.Errorf("the statistics are %+v after %+v", after, before)
	}
	for name, err := range map[string]error{
		"an unknown account":         srv.State().SetLibrary("nobody", library),
		"an unknown title":           srv.State().SetLibrary(srv.Account.Username, apitest.Library{Manga: []uuid.UUID{uuid.New()}}),
		"a status that there is not": srv.State().SetLibrary(srv.Account.Username, apitest.Library{Statuses: map[uuid.UUID]string{id: "finished"}}),
		"a status of no title":       srv.State().SetLibrary(srv.Account.Username, apitest.Library{Statuses: map[uuid.UUID]string{uuid.New(): "reading"}}),
		"a rating of 11":             srv.State().SetLibrary(srv.Account.Username, apitest.Library{Ratings: map[uuid.UUID]int{id: 11}}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "apitest: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Things of a test's own have the ids that it chooses, once.
func TestAddedThings(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	state := srv.State()
	id := uuid.New()
	if got := must[uuid.UUID](t)(state.AddManga(apitest.Manga{ID: id, Title: "Mine", Year: 2020, Status: "hiatus"})); got != id {
		t.Errorf("the title has the id %s", got)
	}
	chapter := must[uuid.UUID](t)(state.AddChapter(apitest.Chapter{ID: uuid.New(), Manga: id, Number: "1", Pages: 1}))
	m := must[*api.MangaResponse](t)(newClient(t, srv).GetManga(t.Context(), id, nil)).Data.Attributes
	if *m.Year != 2020 || m.Status != "hiatus" || m.ContentRating != "safe" || m.LatestUploadedChapter != chapter {
		t.Errorf("the title is %+v", m)
	}
	for name, add := range map[string]func() error{
		"a title of an id in use":              func() error { _, err := state.AddManga(apitest.Manga{ID: id}); return err },
		"a chapter of an id in use":            func() error { _, err := state.AddChapter(apitest.Chapter{ID: chapter, Manga: id}); return err },
		"a title of an unknown tag":            func() error { _, err := state.AddManga(apitest.Manga{Tags: []uuid.UUID{id}}); return err },
		"a title of an unknown status":         func() error { _, err := state.AddManga(apitest.Manga{Status: "finished"}); return err },
		"a title of an unknown content rating": func() error { _, err := state.AddManga(apitest.Manga{ContentRating: "mature"}); return err },
		"a chapter of -1 pages": func() error {
			_, err := state.AddChapter(apitest.Chapter{Manga: id, Pages: -1})
			return err
		},
		"a chapter of 501 pages": func() error {
			_, err := state.AddChapter(apitest.Chapter{Manga: id, Pages: 501})
			return err
		},
		"a chapter of no title": func() error { _, err := state.AddChapter(apitest.Chapter{}); return err },
		"a chapter of no such group": func() error {
			_, err := state.AddChapter(apitest.Chapter{Manga: id, Groups: []uuid.UUID{id}})
			return err
		},
		"an account without a name": func() error { _, err := state.AddAccount(apitest.Account{}); return err },
		"an approval of nothing":    func() error { return state.Approve(id) },
	} {
		if err := add(); err == nil || !strings.HasPrefix(err.Error(), "apitest: ") || strings.Contains(err.Error(), "exception") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
