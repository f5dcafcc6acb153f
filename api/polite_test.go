package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
)

// politeClient returns a client of a fake MangaDex, with the defaults that users have.
func politeClient(t testing.TB, server *apitest.Server, options ...api.Option) *api.Client {
	t.Helper()
	token, _, err := server.Tokens().Issue(server.Account.Username)
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(server.URL, append(options, api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		if op, ok := api.OperationOf(req); ok && op.Auth == api.AuthRequired {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestMinuteWithinLimits makes the calls that MangaDex allows in a minute, of many operations.
func TestMinuteWithinLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := apitest.Start(t, apitest.WithTitles(20), apitest.WithLimits(), apitest.WithoutNetwork())
		server.Fail(apitest.Fault{Count: apitest.Always, Delay: 200 * time.Millisecond})
		client := politeClient(t, server, api.WithHTTPClient(&http.Client{Transport: server.Transport()}))
		manga := server.State().Manga()[0].ID
		chapter := server.State().Chapters(manga)[0].ID
		calls := []func() error{
			func() error { _, err := client.GetManga(t.Context(), manga, nil); return err },
			func() error { _, err := client.SearchManga(t.Context(), nil); return err },
			func() error { _, err := client.GetMangaFeed(t.Context(), manga, nil); return err },
			func() error { _, err := client.GetChapter(t.Context(), chapter, nil); return err },
			func() error { return client.FollowManga(t.Context(), manga) },
			func() error { _, err := client.GetRandomManga(t.Context(), nil); return err },
			func() error { _, err := client.ListTags(t.Context()); return err },
			func() error { _, err := client.GetMangaStatistics(t.Context(), manga); return err },
			func() error { _, err := client.GetAtHomeServer(t.Context(), chapter, nil); return notFound(err) },
			func() error { return client.UnfollowManga(t.Context(), manga) },
		}
		jobs := make(chan func() error)
		start := time.Now()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for job := range jobs {
					if err := job(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 300 {
			jobs <- calls[i%len(calls)]
		}
		close(jobs)
		wg.Wait()
		took := time.Since(start)
		if used := 300 / (5 * took.Seconds()); used < 0.97 {
			t.Errorf("took %v: %.1f %% of the allowance used, want 97 %%", took, used*100)
		}
		for _, r := range server.Requests() {
			if r.Status == http.StatusTooManyRequests || r.Status == http.StatusForbidden {
				t.Errorf("%s at %v: %d", r.Operation, r.Time.Sub(start), r.Status)
			}
		}
		if stats := client.Stats(); stats.Requests != 300 {
			t.Errorf("stats %+v", stats)
		}
	})
}

// notFound is the error unless it is that there is no such thing.
func notFound(err error) error {
	if errors.Is(err, api.ErrNotFound) {
		return nil
	}
	return err
}

// TestBanOnTheFake checks that a client that goes too fast for too long stops when it is banned.
func TestBanOnTheFake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := apitest.Start(t, apitest.WithLimits(), apitest.WithoutNetwork())
		client := politeClient(t, server, api.WithHTTPClient(&http.Client{Transport: server.Transport()}), api.WithoutRetry(), api.WithoutRateLimit())
		var banned *transport.BannedError
		calls := 0
		for ; calls < 100 && banned == nil; calls++ {
			_, err := client.ListTags(t.Context())
			errors.As(err, &banned)
		}
		if banned == nil || !banned.RetryAt.Equal(time.Now().Add(10*time.Minute)) {
			t.Fatalf("after %d calls: %v", calls, banned)
		}
		forbidden := 0
		for _, r := range server.Requests() {
			if r.Status == http.StatusForbidden {
				forbidden++
			}
		}
		if forbidden != 3 {
			t.Errorf("%d requests were answered with 403, want 3", forbidden)
		}
		time.Sleep(10 * time.Minute)
		if _, err := client.ListTags(t.Context()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// walkWithinLimits walks over all titles, and returns how many pages there were, and how long it
// took.
func walkWithinLimits(t testing.TB, server *apitest.Server, client *api.Client, titles int) (pages int64, took time.Duration) {
	t.Helper()
	start, n := time.Now(), 0
	ratings := []api.ContentRating{api.ContentRatingSafe, api.ContentRatingSuggestive, api.ContentRatingErotica, api.ContentRatingPornographic}
	for _, err := range client.SearchMangaAll(t.Context(), &api.SearchMangaParams{ContentRating: ratings}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	took = time.Since(start)
	stats := client.Stats()
	if n != titles || stats.RateLimited > 0 || stats.Retries > 0 {
		t.Errorf("%d titles, want %d: %+v", n, titles, stats)
	}
	if most := time.Duration(1.05 * float64(stats.Requests) / 5 * float64(time.Second)); took > most {
		t.Errorf("%d pages took %v, want %v at most", stats.Requests, took, most)
	}
	return stats.Requests, took
}

// TestWalkWithinLimits reads as many titles as a list can show, at the pace that MangaDex allows.
func TestWalkWithinLimits(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("10,000 titles take long; run it without -short")
	}
	synctest.Test(t, func(t *testing.T) {
		server := apitest.Start(t, apitest.WithTitles(10000), apitest.WithLimits(), apitest.WithoutNetwork())
		server.Fail(apitest.Fault{Count: apitest.Always, Delay: 300 * time.Millisecond})
		client := politeClient(t, server, api.WithHTTPClient(&http.Client{Transport: server.Transport()}))
		if pages, took := walkWithinLimits(t, server, client, 10000); pages != 100 {
			t.Errorf("%d pages took %v", pages, took)
		}
	})
}

// BenchmarkWalkWithinLimits is the same over a network and in real time, which takes 20 s.
func BenchmarkWalkWithinLimits(b *testing.B) {
	if testing.Short() {
		b.Skip("it waits for 20 s; run it without -short")
	}
	server := apitest.Start(b, apitest.WithTitles(10000), apitest.WithLimits())
	server.Fail(apitest.Fault{Count: apitest.Always, Delay: 300 * time.Millisecond})
	for b.Loop() {
		client := politeClient(b, server)
		pages, took := walkWithinLimits(b, server, client, 10000)
		b.ReportMetric(took.Seconds()/(float64(pages)/5), "of-allowed-time")
	}
}

// TestStormOnTheNetwork sends calls to a server that fails one in three, over real connections.
// All that can be repeated succeed, and no list is made twice.
func TestStormOnTheNetwork(t *testing.T) {
	t.Parallel()
	server := apitest.Start(t, apitest.WithTitles(20))
	server.Fail(
		apitest.Fault{Probability: 0.10, Status: http.StatusInternalServerError},
		apitest.Fault{Probability: 0.10, Status: http.StatusBadGateway, HTML: true},
		apitest.Fault{Probability: 0.05, Drop: true},
		apitest.Fault{Probability: 0.05, Truncate: true},
		apitest.Fault{Probability: 0.01, HTML: true},
	)
	client := politeClient(t, server, api.WithoutRateLimit(), api.WithTransport(transport.WithAttempts(20), transport.WithBackoff(0, 0)))
	manga := server.State().Manga()[0].ID
	const workers = 8
	gets, posts := 1500, 150
	if testing.Short() {
		gets, posts = 300, 30
	}
	var made atomic.Int64
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range jobs {
				if i%11 > 0 {
					if m, err := client.GetManga(t.Context(), manga, nil); err != nil || m.Data.ID != manga {
						t.Errorf("call %d: %v", i, err)
					}
				} else if list, err := client.CreateCustomList(t.Context(), api.CustomListCreate{Name: fmt.Sprintf("list %03d", i)}); err == nil {
					if list.Data.ID == uuid.Nil {
						t.Errorf("list %d has no id", i)
					}
					made.Add(1)
				}
			}
		})
	}
	for i := range gets + posts {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	server.Heal()
	names := map[string]int{}
	for list, err := range client.ListOwnCustomListsAll(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if names[list.Attributes.Name]++; names[list.Attributes.Name] > 1 {
			t.Errorf("%s was made twice", list.Attributes.Name)
		}
	}
	if n := int(made.Load()); n < posts/3 || n > len(names) {
		t.Errorf("%d calls made a list, there are %d", n, len(names))
	}
	if stats := client.Stats(); stats.Retries < int64(gets/5) {
		t.Errorf("stats %+v", stats)
	}
}
