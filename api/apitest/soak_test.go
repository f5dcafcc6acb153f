package apitest_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// 64 clients read, write, upload and fetch pages while everything goes wrong now and then. The memory
// of the second half is that of the first. APITEST_SOAK is how long it lasts, such as 10m; without it
// the test is skipped. Run it with -race.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("APITEST_SOAK"))
	if err != nil {
		t.Skip("APITEST_SOAK is not set; give a time such as 10m")
	}
	srv, err := apitest.NewServer(apitest.WithTitles(200), apitest.WithHardCases(), apitest.WithFaults(
		apitest.Fault{Probability: 0.02, Drop: true, After: true}, apitest.Fault{Probability: 0.02, Status: 503}, apitest.Fault{Probability: 0.02, Truncate: true, Reset: true},
		apitest.Fault{Probability: 0.02, Late: 50 * time.Millisecond}, apitest.Fault{Probability: 0.01, Stall: 20 * time.Millisecond}, apitest.Fault{Probability: 0.02, Empty: true},
		apitest.Fault{Probability: 0.02, Clamp: 3, Repeat: 1, Shuffle: true}, apitest.Fault{Operation: "Page", Probability: 0.05, Slow: 10 * time.Millisecond}, apitest.Fault{Operation: "Page", Probability: 0.05, Corrupt: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	titles := srv.State().Manga()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	end := time.Now().Add(length)
	var calls, failures atomic.Int64
	var wg sync.WaitGroup
	for n := range 64 {
		name := fmt.Sprint("client", n)
		if _, err := srv.State().AddAccount(apitest.Account{Username: name}); err != nil {
			t.Fatal(err)
		}
		access, _, err := srv.Tokens().Issue(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := api.New(srv.URL, api.WithHTTPClient(client), api.WithoutRateLimit(), api.WithoutRetry(), bearer(access))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			ctx := t.Context()
			for time.Now().Before(end) {
				id := titles[rand.IntN(len(titles))].ID
				errs := []error{c.FollowManga(ctx, id), c.SetRating(ctx, id, api.RatingEdit{Rating: 5}), c.UnfollowManga(ctx, id)}
				_, err := c.SearchManga(ctx, &api.SearchMangaParams{Limit: api.Ptr(20)})
				errs = append(errs, err)
				feed, err := c.GetMangaFeed(ctx, id, nil)
				errs = append(errs, err)
				if err == nil && len(feed.Data) > 0 {
					server, err := c.GetAtHomeServer(ctx, feed.Data[0].ID, nil)
					if errs = append(errs, err); err == nil && len(server.Chapter.Data) > 0 {
						if resp, err := client.Get(server.BaseURL + "/data/" + server.Chapter.Hash + "/" + server.Chapter.Data[0]); err == nil {
							_, _ = io.Copy(io.Discard, resp.Body)
							resp.Body.Close()
						}
					}
				}
				if session, err := c.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: id, Groups: []uuid.UUID{}}); err == nil {
					errs = append(errs, c.AbandonUpload(ctx, session.Data.ID))
				} else if open, err := c.GetUploadSession(ctx, nil); err == nil {
					errs = append(errs, c.AbandonUpload(ctx, open.Data.ID))
				}
				calls.Add(int64(len(errs)))
				for _, err := range errs {
					if err != nil {
						failures.Add(1)
					}
					var known *api.Error
					if err != nil && !errors.As(err, &known) && strings.Contains(err.Error(), "panic") {
						t.Error(err)
					}
				}
			}
		})
	}
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	time.Sleep(length / 2)
	half := memory()
	wg.Wait()
	whole := memory()
	t.Logf("%d calls, %d failed; %d MB after half of the time, %d MB in the end", calls.Load(), failures.Load(), half>>20, whole>>20)
	if whole > half+half/4+16<<20 {
		t.Errorf("the memory grows: %d MB, then %d MB", half>>20, whole>>20)
	}
	if failures.Load() == 0 {
		t.Error("nothing has gone wrong")
	}
}
