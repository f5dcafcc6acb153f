package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// An attempt is what comes of sending a request once: an answer, or an error.
type attempt struct {
	status int
	body   string
	err    error
}

// sequence answers with one attempt after the other.
type sequence struct {
	attempts []attempt
	sent     int
}

func (s *sequence) RoundTrip(req *http.Request) (*http.Response, error) {
	a := s.attempts[min(s.sent, len(s.attempts)-1)]
	s.sent++
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
	if a.err != nil {
		return nil, a.err
	}
	contentType := "application/json"
	if strings.HasPrefix(a.body, "<") {
		contentType = "text/html"
	}
	resp := answer(a.status, contentType, a.body)
	resp.Request = req
	return resp, nil
}

// The calls whose effect cannot be repeated, or not without harm.
var writes = []string{"CreateManga", "CreateAuthor", "CreateGroup", "UploadCover", "CreateReport", "CreateForumThread"}

// TestMayBeDone tells what surely was not done from what may have been, for each of the calls.
func TestMayBeDone(t *testing.T) {
	t.Parallel()
	no := `{"result":"error","errors":[{"id":"x","status":400,"title":"no","detail":"no"}]}`
	for name, test := range map[string]struct {
		attempts []attempt
		want     bool
	}{
		"400":                         {[]attempt{{status: 400, body: no}}, false},
		"401":                         {[]attempt{{status: 401, body: no}}, false},
		"403":                         {[]attempt{{status: 403, body: no}}, false},
		"404":                         {[]attempt{{status: 404, body: no}}, false},
		"409":                         {[]attempt{{status: 409, body: no}}, false},
		"an error with a success":     {[]attempt{{status: 200, body: no}}, false},
		"408":                         {[]attempt{{status: 408, body: no}}, true},
		"500":                         {[]attempt{{status: 500, body: no}}, true},
		"502 of a proxy":              {[]attempt{{status: 502, body: "<html>"}}, true},
		"504":                         {[]attempt{{status: 504, body: "<html>"}}, true},
		"a page with a success":       {[]attempt{{status: 200, body: "<html>"}}, true},
		"half an answer":              {[]attempt{{status: 200, body: `{"result":"ok","da`}}, true},
		"no answer":                   {[]attempt{{err: io.ErrUnexpectedEOF}}, true},
		"no answer, of an odd kind":   {[]attempt{{err: errors.New("what is this")}}, true},
		"given up":                    {[]attempt{{err: context.DeadlineExceeded}}, true},
		"429, then refused for good":  {[]attempt{{status: 429, body: no}, {status: 400, body: no}}, false},
		"429, then no answer arrives": {[]attempt{{status: 429, body: no}, {err: io.EOF}}, true},
	} {
		for _, call := range writes {
			t.Run(name+": "+call, func(t *testing.T) {
				t.Parallel()
				operation(t, call)
				synctest.Test(t, func(t *testing.T) {
					client, err := api.New("https://api.example.test", api.WithHTTPClient(&http.Client{Transport: &sequence{attempts: test.attempts}}))
					if err != nil {
						t.Fatal(err)
					}
					if _, err := invoke(t, client, call, &filler{t: t}); err == nil || api.MayBeDone(err) != test.want {
						t.Errorf("may be done: %t, want %t: %v", api.MayBeDone(err), test.want, err)
					}
				})
			})
		}
	}
}

// TestNeverSent is sure that nothing was done.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	refuses := errors.New("no")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		option api.Option
	}{
		"an editor refuses":     {t.Context(), api.WithRequestEditorFn(func(context.Context, *http.Request) error { return refuses })},
		"the context has ended": {ended, api.WithUserAgent("test")},
	} {
		for _, call := range writes {
			t.Run(name+": "+call, func(t *testing.T) {
				operation(t, call)
				s := &sequence{attempts: []attempt{{err: io.EOF}}}
				client, err := api.New("https://api.example.test", api.WithHTTPClient(&http.Client{Transport: s}), test.option)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := invoke(t, client, call, &filler{t: t, ctx: test.ctx}); err == nil || api.MayBeDone(err) || s.sent > 0 {
					t.Errorf("sent %d times, may be done: %t: %v", s.sent, api.MayBeDone(err), err)
				}
			})
		}
	}
	if api.MayBeDone(nil) || api.MayBeDone(refuses) {
		t.Error("what is no call may be done")
	}
}

// TestOwnWorkFound repeats a call whose answer was lost, and finds what it has done itself.
func TestOwnWorkFound(t *testing.T) {
	t.Parallel()
	const (
		gone  = `{"result":"error","errors":[{"id":"x","status":404,"title":"not_found_http_exception","detail":"no"}]}`
		stale = `{"result":"error","errors":[{"id":"x","status":409,"title":"conflict","detail":"version is not the current one"}]}`
	)
	id := uuid.New()
	deletes := map[string]func(ctx context.Context, c *api.Client) error{
		"list":     func(ctx context.Context, c *api.Client) error { return c.DeleteCustomList(ctx, id) },
		"chapter":  func(ctx context.Context, c *api.Client) error { return c.DeleteChapter(ctx, id) },
		"upload":   func(ctx context.Context, c *api.Client) error { return c.AbandonUpload(ctx, id) },
		"follow":   func(ctx context.Context, c *api.Client) error { return c.UnfollowManga(ctx, id) },
		"relation": func(ctx context.Context, c *api.Client) error { return c.DeleteMangaRelation(ctx, id, id) },
	}
	edits := map[string]func(ctx context.Context, c *api.Client) error{
		"list": func(ctx context.Context, c *api.Client) error {
			_, err := c.UpdateCustomList(ctx, id, api.CustomListEdit{Version: 1})
			return err
		},
		"chapter": func(ctx context.Context, c *api.Client) error {
			_, err := c.UpdateChapter(ctx, id, api.ChapterEdit{Version: 1})
			return err
		},
		"title": func(ctx context.Context, c *api.Client) error {
			_, err := c.UpdateManga(ctx, id, api.MangaEdit{Version: 1})
			return err
		},
	}
	for name, lost := range map[string]attempt{"no answer": {err: io.EOF}, "502": {status: 502, body: "<html>"}, "503": {status: 503, body: gone}} {
		run := func(t *testing.T, attempts []attempt, do func(context.Context, *api.Client) error) (err error) {
			synctest.Test(t, func(t *testing.T) {
				client, newErr := api.New("https://api.example.test", api.WithHTTPClient(&http.Client{Transport: &sequence{attempts: attempts}}))
				if newErr != nil {
					t.Fatal(newErr)
				}
				err = do(t.Context(), client)
			})
			return err
		}
		for what, do := range deletes {
			if err := run(t, []attempt{lost, {status: 404, body: gone}}, do); err != nil {
				t.Errorf("%s, delete %s: %v", name, what, err)
			}
			if err := run(t, []attempt{{status: 404, body: gone}}, do); !errors.Is(err, api.ErrNotFound) || api.MayBeDone(err) {
				t.Errorf("%s, delete %s that is not there: %v", name, what, err)
			}
		}
		for what, do := range edits {
			err := run(t, []attempt{lost, {status: 409, body: stale}}, do)
			if !errors.Is(err, api.ErrConflict) || !api.MayBeDone(err) || !strings.Contains(err.Error(), "an earlier attempt got no answer, and may have done it: look before you do it again") {
				t.Errorf("%s, edit %s: may be done: %t: %v", name, what, api.MayBeDone(err), err)
			}
			if err := run(t, []attempt{{status: 409, body: stale}}, do); !errors.Is(err, api.ErrConflict) || api.MayBeDone(err) {
				t.Errorf("%s, edit %s that is not current: may be done: %t: %v", name, what, api.MayBeDone(err), err)
			}
		}
	}
	// What only reads is never done.
	client, err := api.New("https://api.example.test", api.WithoutRetry(), api.WithHTTPClient(&http.Client{Transport: &sequence{attempts: []attempt{{err: io.EOF}}}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetManga(t.Context(), id, nil); err == nil || api.MayBeDone(err) {
		t.Errorf("a GET may be done: %v", err)
	}
}
