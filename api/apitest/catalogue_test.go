package apitest_test

import (
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

func TestReading(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	client := newClient(t, srv)
	ctx := t.Context()

	titles := 0
	for m, err := range client.SearchMangaAll(ctx, &api.SearchMangaParams{
		Limit:         api.Ptr(7),
		ContentRating: []api.ContentRating{"safe", "suggestive", "erotica", "pornographic"},
		Includes:      []api.Include{"author", "artist", "cover_art", "manga", "tag", "creator"},
	}) {
		if err != nil {
			t.Fatal(err)
		}
		titles++
		if authors := m.Relationships.Authors(); len(authors) == 0 || authors[0].Attributes == nil {
			t.Errorf("%s has no author with attributes", m.Attributes.Title)
		}
		if _, err := client.GetManga(ctx, m.ID, nil); err != nil {
			t.Error(err)
		}
		if _, err := client.GetMangaAggregate(ctx, m.ID, nil); err != nil {
			t.Error(err)
		}
		if _, err := client.GetMangaFeed(ctx, m.ID, &api.GetMangaFeedParams{Includes: []api.Include{"manga", "scanlation_group", "user"}}); err != nil {
			t.Error(err)
		}
		if _, err := client.GetMangaStatistics(ctx, m.ID); err != nil {
			t.Error(err)
		}
	}
	if titles != 30 {
		t.Errorf("%d titles, want 30", titles)
	}
}
