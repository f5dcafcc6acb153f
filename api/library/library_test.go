package library_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/library"
)

// newServer returns a fake MangaDex with a library of so many titles, which is kept by the name of
// reader: every second title is rated, every third has a status, of every fifth a chapter was
// read. Titles with a status follow that are not followed.
func newServer(t testing.TB, followed, others int, options ...apitest.Option) (*apitest.Server, apitest.Library) {
	t.Helper()
	server := apitest.Start(t, append(options, apitest.WithTitles(max(followed+others+10, 10)), apitest.WithoutNetwork())...)
	kept := apitest.Library{Statuses: map[uuid.UUID]string{}, Ratings: map[uuid.UUID]int{}}
	for i, m := range server.State().Manga()[:followed+others] {
		if i >= followed {
			kept.Statuses[m.ID] = "dropped"
			continue
		}
		kept.Manga = append(kept.Manga, m.ID)
		if i%2 == 0 {
			kept.Ratings[m.ID] = i%10 + 1
		}
		if i%3 == 0 {
			kept.Statuses[m.ID] = "reading"
		}
		if chapters := server.State().Chapters(m.ID); i%5 == 0 && len(chapters) > 0 {
			kept.Read = append(kept.Read, chapters[0].ID)
		}
	}
	if err := server.State().SetLibrary(server.Account.Username, kept); err != nil {
		t.Fatal(err)
	}
	return server, kept
}

func newClient(t testing.TB, server *apitest.Server, options ...api.Option) *api.Client {
	t.Helper()
	token, _, err := server.Tokens().Issue(server.Account.Username)
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(server.URL, append(options, api.WithHTTPClient(&http.Client{Transport: server.Transport()}),
		api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			if op, ok := api.OperationOf(req); ok && op.Auth != api.AuthNone {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			return nil
		}))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		followed, others int
		options          []library.Option
		requests         int // at most
	}{
		{"nothing", 0, 0, nil, 2},
		{"one", 1, 0, nil, 5},
		{"some", 120, 30, nil, 6},
		{"some without progress", 120, 30, []library.Option{library.WithoutProgress()}, 5},
		{"some that are not followed", 120, 30, []library.Option{library.WithUnfollowed()}, 7},
		{"only such", 0, 230, []library.Option{library.WithUnfollowed()}, 2 + 3 + 3*2},
		{"a thousand", 1000, 0, nil, 35},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, kept := newServer(t, test.followed, test.others)
			titles, err := library.Read(t.Context(), newClient(t, server, api.WithoutRateLimit()), test.options...)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(server.Requests()); n > test.requests {
				t.Errorf("%d requests, want %d at most", n, test.requests)
			} else {
				t.Logf("%d requests", n)
			}
			check(t, titles, kept, test.name)
		})
	}
}

// check compares what was read with what is kept.
func check(t *testing.T, titles []library.Title, kept apitest.Library, name string) {
	t.Helper()
	followed, read := map[uuid.UUID]bool{}, []uuid.UUID{}
	for _, id := range kept.Manga {
		followed[id] = true
	}
	seen := map[uuid.UUID]bool{}
	for _, title := range titles {
		m := title.Manga
		if seen[m.ID] {
			t.Fatalf("%s comes twice", m.ID)
		}
		seen[m.ID] = true
		if title.Followed != followed[m.ID] {
			t.Errorf("%s: followed %t", m.ID, title.Followed)
		}
		if string(title.Status) != kept.Statuses[m.ID] {
			t.Errorf("%s: status %q, want %q", m.ID, title.Status, kept.Statuses[m.ID])
		}
		if want, ok := kept.Ratings[m.ID]; (title.Rating != nil) != ok || ok && title.Rating.Rating != want {
			t.Errorf("%s: rating %v, want %d", m.ID, title.Rating, want)
		}
		if title.Statistics == nil || title.Followed && title.Statistics.Follows < 1 {
			t.Errorf("%s: statistics %+v", m.ID, title.Statistics)
		}
		if cover, ok := m.Relationships.Cover(); ok && cover.Attributes == nil {
			t.Errorf("%s: no cover", m.ID)
		}
		authors, artists := m.Relationships.Authors(), m.Relationships.Artists()
		if len(authors) == 0 || authors[0].Attributes == nil || len(artists) == 0 || artists[0].Attributes == nil {
			t.Errorf("%s: authors %v, artists %v", m.ID, authors, artists)
		}
		read = append(read, title.Read...)
	}
	want := len(kept.Manga)
	switch name {
	case "some without progress":
		kept.Read = nil
	case "some that are not followed", "only such":
		for id := range kept.Statuses {
			if !followed[id] {
				want++
			}
		}
	}
	if len(titles) != want {
		t.Errorf("%d titles, want %d", len(titles), want)
	}
	order := func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(read, order)
	slices.SortFunc(kept.Read, order)
	if !slices.Equal(read, kept.Read) {
		t.Errorf("%d chapters read, want %d", len(read), len(kept.Read))
	}
}

// TestReadWithinLimits reads a thousand titles with all limits on.
func TestReadWithinLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, kept := newServer(t, 1000, 0, apitest.WithLimits())
		server.Fail(apitest.Fault{Count: apitest.Always, Delay: 300 * time.Millisecond})
		client := newClient(t, server)
		start := time.Now()
		titles, err := library.Read(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 35*time.Second/5+time.Second {
			t.Errorf("took %v", took)
		}
		if stats := client.Stats(); stats.Requests > 35 || stats.RateLimited > 0 {
			t.Errorf("stats %+v", stats)
		}
		check(t, titles, kept, "")
	})
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ListFollowedManga", "ListReadingStatuses", "ListRatings", "ListMangaStatistics", "ListReadMarkers", "SearchManga"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			server, _ := newServer(t, 250, 20)
			server.Fail(apitest.Fault{Operation: operation, Count: apitest.Always, Status: http.StatusInternalServerError})
			titles, err := library.Read(t.Context(), newClient(t, server, api.WithoutRateLimit(), api.WithoutRetry()), library.WithUnfollowed())
			var answer *api.Error
			if !errors.As(err, &answer) || answer.Operation != operation || titles != nil {
				t.Errorf("%d titles, error %v", len(titles), err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	server, _ := newServer(t, 10, 0)
	if _, err := library.Read(ctx, newClient(t, server), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := library.Read(t.Context(), nil); err == nil || err.Error() != "library: the client is nil; make one with api.New" {
		t.Errorf("error %v", err)
	}
}
