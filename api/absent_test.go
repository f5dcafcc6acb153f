package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
)

// TestAbsent gives nil where something belongs: each is one clear error, and none panics.
func TestAbsent(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]api.Option{
		"a function that is nil":          api.WithHTTPClient(api.DoerFunc(nil)),
		"a transport that is nil":         api.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}),
		"a polite transport that is nil":  api.WithHTTPClient(&http.Client{Transport: (*transport.Transport)(nil)}),
		"a limiter that is nil":           api.WithTransport(transport.WithLimiter((*transport.LocalLimiter)(nil))),
		"a base that is nil":              api.WithTransport(transport.WithBase((*http.Transport)(nil))),
		"a middleware that returns nil":   api.WithMiddleware(func(api.HttpRequestDoer) api.HttpRequestDoer { return nil }),
		"one that returns a nil function": api.WithMiddleware(func(api.HttpRequestDoer) api.HttpRequestDoer { return api.DoerFunc(nil) }),
		"no middleware":                   api.WithMiddleware(nil),
		"nobody to use the transport":     api.WithTransportUser(nil),
	} {
		if _, err := api.New(api.Production, option); err == nil || !strings.Contains(err.Error(), "nil") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, option := range map[string]api.Option{
		"no client": api.WithHTTPClient(nil), "a client that is nil": api.WithHTTPClient((*http.Client)(nil)),
		"no editor": api.WithRequestEditorFn(nil), "no option": nil, "no option of the transport": api.WithTransport(nil),
		"no logger": api.WithLogger(nil),
	} {
		if _, err := api.New(api.Production, option); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	client := newClient(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") })
	var none context.Context
	for what, c := range map[string]*api.Client{"context is nil": client, "Client is empty": new(api.Client)} {
		ctx := none
		if c != client {
			ctx = t.Context()
		}
		id := uuid.New()
		calls := map[string]func() error{
			"GetManga":    func() error { _, err := c.GetManga(ctx, id, nil); return err },
			"FollowManga": func() error { return c.FollowManga(ctx, id) },
			"Do": func() error {
				_, err := c.Do(ctx, &http.Request{URL: &url.URL{Path: "/manga"}})
				return err
			},
			"UploadCover":     func() error { _, err := c.UploadCover(ctx, id, api.CoverUpload{}); return err },
			"GetMangaByIDs":   func() error { _, _, err := c.GetMangaByIDs(ctx, []uuid.UUID{id}); return err },
			"GetRatingsByIDs": func() error { _, err := c.GetRatingsByIDs(ctx, []uuid.UUID{id}); return err },
			"EditManga":       func() error { _, err := c.EditManga(ctx, id, func(*api.MangaEdit) error { return nil }); return err },
			"MarkChapters":    func() error { return c.MarkChapters(ctx, id, nil, api.ReadMarkersEdit{Read: []uuid.UUID{id}}) },
			"SearchMangaAll": func() (last error) {
				for _, err := range c.SearchMangaAll(ctx, nil) {
					last = err
				}
				return last
			},
		}
		for name, call := range calls {
			err := call()
			if name == "UploadCover" && err != nil && strings.Contains(err.Error(), "content") {
				continue // says first that there is no picture
			}
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%s, %s: %v", what, name, err)
			}
		}
		_, _, _ = c.Server(), c.Stats(), c.CoverURL(id, "x.png", api.CoverOriginal)
	}
}

// A deadline or the caller's leaving before there is a connection: nothing was sent.
func TestConnecting(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]func(ctx context.Context, cancel func()) error{
		"cancelled":  func(ctx context.Context, cancel func()) error { cancel(); <-ctx.Done(); return ctx.Err() },
		"a deadline": func(ctx context.Context, _ func()) error { <-ctx.Done(); return ctx.Err() },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		client, err := api.New("https://mirror.example", api.WithHTTPClient(&http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, dial(ctx, cancel) },
		}}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.CreateAuthor(ctx, api.AuthorCreate{Name: "a"})
		if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) || api.MayBeDone(err) {
			t.Errorf("%s: %v, may be done: %v", name, err, api.MayBeDone(err))
		}
	}
	// A transport that tells nothing of its way may have sent everything.
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		cancel()
		return nil, req.Context().Err()
	})
	if _, err := client.CreateAuthor(ctx, api.AuthorCreate{Name: "a"}); !api.MayBeDone(err) {
		t.Errorf("a transport of its own: %v is surely not done", err)
	}
}

// A server that takes no notice of offset is told from one that has too much.
func TestOffsetIgnored(t *testing.T) {
	t.Parallel()
	for _, total := range []int{150, 20_000} {
		requests := 0
		page := mangaPage(100, total)
		client := newClient(t, func(*http.Request) (*http.Response, error) {
			requests++
			return answer(http.StatusOK, "application/json", page), nil
		})
		seen, last := 0, error(nil)
		for _, err := range client.SearchMangaAll(t.Context(), nil, api.WithLookAhead(0)) {
			if last = err; err == nil {
				seen++
			}
		}
		var incomplete api.ErrIncomplete
		if last == nil || !strings.Contains(last.Error(), "offset") || errors.Is(last, api.ErrTooManyResults) || !errors.As(last, &incomplete) || seen != 100 || requests > 5 {
			t.Errorf("total %d: %d items in %d requests, then %v", total, seen, requests, last)
		}
	}
}

func mangaPage(n, total int) string {
	list := api.MangaList{Result: api.ResultOk, Limit: n, Total: total}
	for range n {
		list.Data = append(list.Data, api.Manga{ID: uuid.New(), Type: api.ResourceTypeManga})
	}
	return list.String()
}
