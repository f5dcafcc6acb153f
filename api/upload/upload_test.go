package upload_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/api/upload"
)

func TestUpload(t *testing.T) {
	t.Parallel()
	srv := start(t)
	ctx := t.Context()
	session := mustBegin(t, ctx, srv.client(t))
	must(t, session.AddPages(ctx, upload.Folder(folder(numbered(23)...))))
	made, err := session.Commit(ctx, draft, upload.TermsAccepted)
	must(t, err)
	must(t, session.Close())
	requests := srv.requests
	srv.published(t, numbered(23)...)
	if got := srv.chapters()[0]; made.ID != got.ID || got.Number != "1" || got.Language != "en" {
		t.Errorf("the chapter is %v, want %+v", made.ID, got)
	}
	// One request for each step: whether a session is open, begin, 3 times pages, what the session
	// holds, what the account has published, commit.
	want := []string{getSession, begin, sendPages, sendPages, sendPages, getSession, "GetCurrentUser", "ListChapters", commit}
	if !slices.Equal(requests, want) {
		t.Errorf("the requests are %q, want %q", requests, want)
	}
}

// TestEveryThirdRequestFails sends 57 pages while every third request is answered in part or fails,
// in each way that a request can.
func TestEveryThirdRequestFails(t *testing.T) {
	t.Parallel()
	kinds := map[string]fault{
		"partial":    {RefusePages: 5},
		"none taken": {RefusePages: 10},
		"dropped":    {Drop: true},
		"lost":       {After: true, Drop: true},
		"lost half":  {After: true, Drop: true, RefusePages: 5},
		"late":       {Late: late},
		"garbage":    {HTML: true},
		"500":        {Status: 500},
		"503 html":   {Status: 503, HTML: true},
		"429":        {Status: 429, Header: http.Header{"Retry-After": {"7"}}},
	}
	var all []fault
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		all = append(all, kinds[name])
	}
	run := func(t *testing.T, turns ...fault) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			srv := start(t)
			srv.fault = func(op string, n int) fault {
				if op == sendPages && n%3 == 0 {
					return turns[n/3%len(turns)]
				}
				if op == getSession && n > 1 && n%3 == 0 {
					return fault{Drop: true}
				}
				return fault{}
			}
			session := mustBegin(t, ctx, srv.client(t))
			must(t, session.AddPages(ctx, upload.Folder(folder(numbered(57)...))))
			time.Sleep(late) // what is still on its way arrives before the commit
			_, err := session.Commit(ctx, draft, upload.TermsAccepted)
			must(t, err)
			srv.published(t, numbered(57)...)
			// 6 requests would do; 3 failures in a row cannot happen.
			if n := srv.count(sendPages); n > 30 {
				t.Errorf("%d requests with pages", n)
			}
		})
	}
	for name, f := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, f)
		})
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		run(t, all...)
	})
}

// TestSendAgain looks at what is sent after one failure.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault fault
		want  []string // requests after the one that failed
	}{
		{"partial: only those that lack", fault{RefusePages: 1}, []string{getSession, sendPages}},
		{"an answer {}: look first", fault{Empty: true}, []string{getSession}},
		{"lost: look first", fault{After: true, Drop: true}, []string{getSession}},
		{"lost half", fault{After: true, Drop: true, RefusePages: 1}, []string{getSession, sendPages}},
		{"dropped: look first", fault{Drop: true}, []string{getSession, sendPages}},
		{"timed out at the server: look first", fault{Status: 408}, []string{getSession, sendPages}},
		{"refused for now: nothing to look at", fault{Status: 429}, []string{sendPages}},
		{"a page of a proxy: look first", fault{HTML: true}, []string{getSession}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := failing(t, sendPages, once(test.fault))
				session := mustBegin(t, t.Context(), srv.client(t))
				must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(4)...))))
				if got := srv.requests[3:]; !slices.Equal(got, test.want) {
					t.Errorf("then %q, want %q", got, test.want)
				}
				if got := names(session.Pages()); !slices.Equal(got, numbered(4)) {
					t.Errorf("the session has %q", got)
				}
			})
		})
	}
}

// TestGivesUp ends in an error that names the pages, after a bounded number of attempts.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		fault    fault
		pages    []string // that the error is about
		is       error
		requests int // with pages, at most
		taken    int
	}{
		{"no connection", fault{Drop: true}, numbered(4), nil, 5, 0},
		{"server error", fault{Status: 502}, numbered(4), api.ErrServer, 5, 0},
		{"one bad page", fault{RefusePages: 1}, []string{"4.png"}, nil, 5, 3},
		{"none taken", fault{RefusePages: 10}, []string{"1.png"}, nil, 10, 0},
		{"forbidden", fault{Status: 403}, numbered(4), api.ErrForbidden, 1, 0},
		{"bad request", fault{Status: 400}, []string{"1.png"}, nil, 2, 0},
		{"waits too long", fault{Status: 429, Header: http.Header{"Retry-After": {"3600"}}}, numbered(4), api.ErrRateLimited, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := failing(t, sendPages, always(test.fault))
				session := mustBegin(t, t.Context(), srv.client(t))
				err := session.AddPages(t.Context(), upload.Folder(folder(numbered(4)...)))
				if !slices.Equal(pagesOf(err), test.pages) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("the error is %v, want one of %q", err, test.pages)
				}
				for _, page := range test.pages {
					if !strings.Contains(err.Error(), strconv.Quote(page)) {
						t.Errorf("%s is not in the error: %v", page, err)
					}
				}
				if n := srv.count(sendPages); n > test.requests {
					t.Errorf("%d requests, want %d at most", n, test.requests)
				}
				if n := len(session.Pages()); n != test.taken {
					t.Errorf("the session has %d pages, want %d", n, test.taken)
				}
				if test.fault.RefusePages > 0 && !strings.Contains(err.Error(), "could not be stored") {
					t.Errorf("the reason of the server is not in the error: %v", err)
				}
				// The same call goes on when the fault is gone.
				srv.fault = nil
				time.Sleep(time.Hour)
				must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(4)...))))
				_, err = session.Commit(t.Context(), draft, upload.TermsAccepted)
				must(t, err)
				srv.published(t, numbered(4)...)
			})
		})
	}
}

// TestOneBadPageAmongTen has the server turn down the whole request: the others are sent, and the bad
// page is named.
func TestOneBadPageAmongTen(t *testing.T) {
	t.Parallel()
	srv := failing(t, sendPages, func(n int) fault {
		if n == 1 || n == 5 { // all together, then the fourth on its own
			return fault{Status: 422}
		}
		return fault{}
	})
	session := mustBegin(t, t.Context(), srv.client(t))
	err := session.AddPages(t.Context(), upload.Folder(folder(numbered(10)...)))
	if !slices.Equal(pagesOf(err), []string{"4.png"}) {
		t.Errorf("the error is %v", err)
	}
	if got := names(session.Pages()); !slices.Equal(got, numbered(3)) {
		t.Errorf("the session has %q", got)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	busy := fault{Status: 429, Header: http.Header{"Retry-After": {"60"}}}
	t.Run("a wait that cannot end in time is not begun", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := failing(t, sendPages, always(busy))
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			session := mustBegin(t, ctx, srv.client(t))
			start := time.Now()
			err := session.AddPages(ctx, upload.Folder(folder("1.png")))
			if !errors.Is(err, api.ErrRateLimited) || time.Since(start) > time.Second {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	})
	t.Run("a wait ends with its context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := failing(t, sendPages, always(busy))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(5*time.Second, cancel)
			session := mustBegin(t, ctx, srv.client(t))
			start := time.Now()
			err := session.AddPages(ctx, upload.Folder(folder("1.png")))
			if !errors.Is(err, context.Canceled) || time.Since(start) != 5*time.Second {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	})
	t.Run("the server waits as it says", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := failing(t, sendPages, once(busy))
			session := mustBegin(t, t.Context(), srv.client(t))
			start := time.Now()
			must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
			if d := time.Since(start); d < 60*time.Second || d > 70*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	})
}

// TestLatePages has pages come in after they have been sent again: the copies go before the commit.
func TestLatePages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := failing(t, sendPages, once(fault{Late: late}))
		session := mustBegin(t, t.Context(), srv.client(t))
		must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(4)...))))
		time.Sleep(late)
		synctest.Wait()
		if n := len(srv.files()); n != 8 {
			t.Fatalf("the server has %d files, want 8", n)
		}
		srv.fault = on("DeleteUploadedPages", once(fault{Status: 403}))
		if _, err := session.Commit(t.Context(), draft, upload.TermsAccepted); !errors.Is(err, api.ErrForbidden) || srv.count(commit) > 0 {
			t.Errorf("the copies are there: %v", err)
		}
		_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, err)
		srv.published(t, numbered(4)...)
	})
}

func TestOpenSession(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	setup := func(t *testing.T) (*server, *upload.OpenError) {
		srv := start(t)
		first := mustBegin(t, ctx, srv.client(t))
		must(t, first.AddPages(ctx, upload.Folder(folder("1.png", "2.png"))))
		second, err := upload.Begin(ctx, srv.client(t), title, []uuid.UUID{group})
		var open *upload.OpenError
		if !errors.As(err, &open) || !errors.Is(err, upload.ErrSessionOpen) || second != nil {
			t.Fatalf("the session is %v, the error is %v", second, err)
		}
		if open.ID != first.ID() || open.Manga != title || !slices.Equal(names(open.Pages), []string{"1.png", "2.png"}) || time.Since(open.Begun) > time.Hour {
			t.Errorf("the open session is %+v", *open)
		}
		return srv, open
	}
	t.Run("resume", func(t *testing.T) {
		t.Parallel()
		srv, open := setup(t)
		session, err := open.Resume()
		must(t, err)
		must(t, session.AddPages(ctx, upload.Folder(folder("1.png", "2.png", "3.png"))))
		_, err = session.Commit(ctx, draft, upload.TermsAccepted)
		must(t, err)
		srv.published(t, "1.png", "2.png", "3.png")
		if n := srv.count(sendPages); n != 2 {
			t.Errorf("%d requests with pages, want 2", n)
		}
	})
	t.Run("replace", func(t *testing.T) {
		t.Parallel()
		srv, open := setup(t)
		session, err := open.Replace(ctx)
		must(t, err)
		if session.ID() == open.ID || len(session.Pages()) > 0 {
			t.Errorf("the session %v has %d pages", session.ID(), len(session.Pages()))
		}
		must(t, session.AddPages(ctx, upload.Folder(folder("7.png"))))
		_, err = session.Commit(ctx, draft, upload.TermsAccepted)
		must(t, err)
		srv.published(t, "7.png")
	})
	t.Run("replace one that is gone", func(t *testing.T) {
		t.Parallel()
		srv, open := setup(t)
		srv.end(t)
		_, err := open.Replace(ctx)
		must(t, err)
	})
	t.Run("abandoning fails", func(t *testing.T) {
		t.Parallel()
		srv, open := setup(t)
		srv.fault = on(abandon, always(fault{Status: 403}))
		_, err := open.Replace(ctx)
		if !errors.Is(err, api.ErrForbidden) || !strings.Contains(err.Error(), open.ID.String()) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("cannot be asked for", func(t *testing.T) {
		t.Parallel()
		srv := failing(t, getSession, always(fault{Status: 403}))
		if _, err := upload.Begin(ctx, srv.client(t), title, nil); !errors.Is(err, api.ErrForbidden) || srv.open() {
			t.Errorf("the error is %v", err)
		}
		srv.fault = on(getSession, always(fault{Status: 200, Rewrite: func([]byte) []byte { return []byte(`{"result":"ok"}`) }}))
		if _, err := upload.Begin(ctx, srv.client(t), title, nil); err == nil || srv.open() {
			t.Errorf("an answer without a session: %v", err)
		}
	})
	t.Run("of another title", func(t *testing.T) {
		t.Parallel()
		srv, _ := setup(t)
		another := srv.State().Manga()[0].ID
		_, err := upload.Begin(ctx, srv.client(t), another, nil)
		notFor(t, err, title, another)
	})
	t.Run("of an edit", func(t *testing.T) {
		t.Parallel()
		srv := start(t)
		version := srv.addChapter(t, book, picture("png", ""))
		_, err := upload.Edit(ctx, srv.client(t), book, version)
		must(t, err)
		_, err = upload.Begin(ctx, srv.client(t), title, nil)
		notFor(t, err, book)
		another := uuid.New()
		_, err = upload.Edit(ctx, srv.client(t), another, srv.addChapter(t, another, picture("png", "")))
		notFor(t, err, book, another)
		var open *upload.OpenError
		if _, err := upload.Edit(ctx, srv.client(t), book, version); !errors.As(err, &open) {
			t.Fatal(err)
		}
		_, err = open.Resume()
		must(t, err)
	})
	t.Run("resumed with copies", func(t *testing.T) {
		t.Parallel()
		srv, _ := setup(t)
		srv.put(t, "2.png")
		var open *upload.OpenError
		if _, err := upload.Begin(ctx, srv.client(t), title, nil); !errors.As(err, &open) {
			t.Fatal(err)
		}
		session, err := open.Resume()
		must(t, err)
		// The last request of the other program arrives only now.
		srv.put(t, "3.png")
		must(t, session.AddPages(ctx, upload.Folder(folder("1.png", "2.png", "3.png"))))
		_, err = session.Commit(ctx, draft, upload.TermsAccepted)
		must(t, err)
		srv.published(t, "1.png", "2.png", "3.png")
	})
}

// notFor checks that an open session cannot be resumed, since it is for something else: for what is named.
func notFor(t *testing.T, err error, ids ...uuid.UUID) {
	t.Helper()
	var open *upload.OpenError
	if !errors.As(err, &open) {
		t.Fatal(err)
	}
	_, err = open.Resume()
	for _, id := range ids {
		if err == nil || !strings.Contains(err.Error(), id.String()) {
			t.Errorf("the error is %v, without %v", err, id)
		}
	}
}

func TestResumedPageOfAnotherSize(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := start(t)
	must(t, mustBegin(t, ctx, srv.client(t)).AddPages(ctx, upload.Folder(folder("1.png"))))
	var open *upload.OpenError
	if _, err := upload.Begin(ctx, srv.client(t), title, nil); !errors.As(err, &open) {
		t.Fatal(err)
	}
	session, err := open.Resume()
	must(t, err)
	redrawn := upload.Reader("1.png", strings.NewReader(picture("png", "redrawn 1.png")))
	if err := session.AddPages(ctx, redrawn); !errors.Is(err, upload.ErrAnotherPage) || !slices.Equal(pagesOf(err), []string{"1.png"}) {
		t.Errorf("the error is %v", err)
	}
	must(t, session.Remove(ctx, "1.png"))
	must(t, session.AddPages(ctx, redrawn))
	_, err = session.Commit(ctx, draft, upload.TermsAccepted)
	must(t, err)
	srv.published(t, "redrawn 1.png")
}

func TestEdit(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	contents := []string{picture("png", "1"), picture("png", "nameless"), picture("png", "1 again")}
	newServer := func(t *testing.T) (*server, int) {
		srv := start(t)
		return srv, srv.addChapter(t, book, contents...)
	}
	t.Run("pages", func(t *testing.T) {
		t.Parallel()
		srv, version := newServer(t)
		srv.fault = func(op string, _ int) fault { // two pages have one name, and one has none
			return fault{Rewrite: func(body []byte) []byte {
				body = regexp.MustCompile(`"originalFileName":"[13]-[^"]*"`).ReplaceAll(body, []byte(`"originalFileName":"1.png"`))
				return regexp.MustCompile(`"originalFileName":"2-[^"]*"`).ReplaceAll(body, []byte(`"originalFileName":""`))
			}}
		}
		session, err := upload.Edit(ctx, srv.client(t), book, version)
		must(t, err)
		got := names(session.Pages())
		if len(got) != 3 || got[0] != "1.png" || uuid.Validate(got[1]) != nil || uuid.Validate(got[2]) != nil {
			t.Fatalf("the pages are %q", got)
		}
		nameless, again := got[1], got[2]
		must(t, session.AddPages(ctx, upload.Folder(folder("2.png"))))
		must(t, session.Remove(ctx, again))
		must(t, session.Reorder(nameless, "2.png", "1.png"))
		before, err := srv.client(t).GetChapter(ctx, book, nil)
		must(t, err)
		_, err = session.Commit(ctx, upload.DraftOf(&before.Data), upload.TermsAccepted)
		must(t, err)
		if c := srv.chapters()[0]; c.ID != book || c.Title != "The lid" || c.Number != "7" || c.Volume != "" {
			t.Errorf("the chapter is %+v", c)
		}
		srv.holds(t, contents[1], picture("png", "2.png"), contents[0])
	})
	t.Run("a lost answer does not touch the pages that were there", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv, version := newServer(t)
			srv.fault = on(sendPages, once(fault{After: true, Drop: true}))
			session, err := upload.Edit(t.Context(), srv.client(t), book, version)
			must(t, err)
			must(t, session.AddPages(t.Context(), upload.Folder(folder("2.png"))))
			_, err = session.Commit(t.Context(), draft, upload.TermsAccepted)
			must(t, err)
			srv.holds(t, append(contents, picture("png", "2.png"))...)
		})
	})
	t.Run("conflict", func(t *testing.T) {
		t.Parallel()
		srv, version := newServer(t)
		_, err := upload.Edit(ctx, srv.client(t), book, version+1)
		var conflict *api.ConflictError
		if !errors.As(err, &conflict) || !errors.Is(err, api.ErrConflict) || conflict.Sent != version+1 || conflict.Current != version {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("conflict of another kind", func(t *testing.T) {
		t.Parallel()
		srv, version := newServer(t)
		srv.fault = on("BeginChapterEdit", always(fault{Status: 409}))
		_, err := upload.Edit(ctx, srv.client(t), book, version)
		var conflict *api.ConflictError
		if !errors.Is(err, api.ErrConflict) || errors.As(err, &conflict) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("conflict, and the chapter cannot be read", func(t *testing.T) {
		t.Parallel()
		srv, version := newServer(t)
		srv.fault = on("GetChapter", always(fault{Status: 403}))
		_, err := upload.Edit(ctx, srv.client(t), book, version+1)
		var conflict *api.ConflictError
		if !errors.As(err, &conflict) || conflict.Current != 0 {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("the pages cannot be listed", func(t *testing.T) {
		t.Parallel()
		srv, version := newServer(t)
		srv.fault = on(getSession, func(n int) fault {
			if n > 1 {
				return fault{Status: 403}
			}
			return fault{}
		})
		_, err := upload.Edit(ctx, srv.client(t), book, version)
		if !errors.Is(err, api.ErrForbidden) || srv.open() {
			t.Errorf("the error is %v, and a session is open: %t", err, srv.open())
		}
	})
}

// TestWithApprovalCheck has an account that needs no approval; that of TestApproved does.
func TestWithApprovalCheck(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := start(t)
	_, err := upload.Begin(ctx, srv.client(t), title, nil, upload.WithApprovalCheck("en"))
	must(t, err)

	srv.fault = on("CheckUploadApproval", always(fault{Status: 404}))
	_, err = upload.Begin(ctx, srv.client(t), title, nil, upload.WithApprovalCheck("en"))
	if !errors.Is(err, api.ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
}

func TestRemoveAndReorder(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := start(t)
	session := mustBegin(t, ctx, srv.client(t))
	must(t, session.AddPages(ctx, upload.Folder(folder(numbered(6)...))))
	must(t, session.Remove(ctx))
	must(t, session.Remove(ctx, "2.png"))
	must(t, session.Remove(ctx, "4.png", "6.png"))
	must(t, session.Reorder("5.png", "1.png", "3.png"))
	must(t, session.AddPages(ctx, upload.Folder(folder("2.png"))))

	for page, err := range map[string]error{
		"4.png": session.Remove(ctx, "4.png"),
		"6.png": session.Reorder("5.png", "1.png", "3.png", "6.png"),
		"1.png": session.Reorder("5.png", "1.png", "1.png", "2.png"),
		"3.png": session.Reorder("5.png", "1.png", "2.png"),
	} {
		if !slices.Equal(pagesOf(err), []string{page}) {
			t.Errorf("%s: the error is %v", page, err)
		}
	}

	_, err := session.Commit(ctx, draft, upload.TermsAccepted)
	must(t, err)
	srv.published(t, "5.png", "1.png", "3.png", "2.png")
}

// TestRemoveFails looks at removals whose answer is lost or that are refused.
func TestRemoveFails(t *testing.T) {
	t.Parallel()
	for op, gone := range map[string][]string{"DeleteUploadedPage": {"2.png"}, "DeleteUploadedPages": {"2.png", "1.png"}} {
		for _, test := range []struct {
			name  string
			fault fault
			fails bool
			is    error
		}{
			{"lost", fault{After: true, Drop: true}, false, nil},
			{"dropped", fault{Drop: true}, true, nil},
			{"refused", fault{Status: 403}, true, api.ErrForbidden},
		} {
			t.Run(op+" "+test.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := failing(t, op, always(test.fault))
					// Deleting may be repeated below; what is looked at here is what comes out of it.
					session := mustBegin(t, t.Context(), srv.client(t))
					must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(3)...))))
					err := session.Remove(t.Context(), gone...)
					if (err != nil) != test.fails || test.is != nil && !errors.Is(err, test.is) {
						t.Errorf("the error is %v", err)
					}
					srv.fault = nil
					if err != nil {
						must(t, session.Remove(t.Context(), gone...))
					}
					_, err = session.Commit(t.Context(), draft, upload.TermsAccepted)
					must(t, err)
					srv.published(t, slices.DeleteFunc(numbered(3), func(n string) bool { return slices.Contains(gone, n) })...)
				})
			})
		}
	}
}

// TestPageLost has a page vanish while something else goes wrong: whatever looks at the session says so.
func TestPageLost(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(ctx context.Context, s *upload.Session) error{
		"add": func(ctx context.Context, s *upload.Session) error {
			return s.AddPages(ctx, upload.Folder(folder("4.png")))
		},
		"remove": func(ctx context.Context, s *upload.Session) error { return s.Remove(ctx, "3.png") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := start(t)
				session := mustBegin(t, t.Context(), srv.client(t))
				must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(3)...))))
				srv.fault = func(op string, n int) fault {
					if op == sendPages && n == 2 || op == "DeleteUploadedPage" {
						srv.lose(t, "2.png")
						return fault{After: true, Drop: true}
					}
					return fault{}
				}
				if err := step(t.Context(), session); !slices.Equal(pagesOf(err), []string{"2.png"}) {
					t.Errorf("the error is %v", err)
				}
				srv.fault = nil
				must(t, session.AddPages(t.Context(), upload.Folder(folder(names(session.Pages())...)), upload.Folder(folder("2.png"))))
			})
		})
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	// commits begins, adds a page and commits twice: the second time without faults.
	commits := func(t *testing.T, faults func(n int) fault) (*server, error, error) {
		t.Helper()
		srv := failing(t, commit, faults)
		session := mustBegin(t, t.Context(), srv.client(t))
		must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
		_, first := session.Commit(t.Context(), draft, upload.TermsAccepted)
		srv.fault = nil
		_, second := session.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, session.Close())
		return srv, first, second
	}
	t.Run("never published twice", func(t *testing.T) {
		t.Parallel()
		for name, f := range map[string]fault{"busy": {Status: 503}, "rate": {Status: 429}, "dropped": {Drop: true}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv, first, second := commits(t, once(f))
					must(t, first)
					if !errors.Is(second, upload.ErrSessionClosed) {
						t.Errorf("the second error is %v", second)
					}
					srv.published(t, "1.png")
				})
			})
		}
	})
	t.Run("turned down, then taken", func(t *testing.T) {
		t.Parallel()
		srv, first, second := commits(t, once(fault{Status: 400}))
		var refused *api.Error
		if !errors.As(first, &refused) || refused.Operation != commit || errors.Is(first, upload.ErrOutcomeUnknown) {
			t.Errorf("the error is %v", first)
		}
		must(t, second)
		srv.published(t, "1.png")
	})
	t.Run("a page is gone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := failing(t, sendPages, once(fault{After: true, Drop: true}))
			session := mustBegin(t, t.Context(), srv.client(t))
			must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png"))))
			srv.lose(t, "2.png")
			if _, err := session.Commit(t.Context(), draft, upload.TermsAccepted); !slices.Equal(pagesOf(err), []string{"2.png"}) {
				t.Errorf("the error is %v", err)
			}
			must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png"))))
			_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
			must(t, err)
			srv.published(t, "1.png", "2.png")
		})
	})
	t.Run("on another site", func(t *testing.T) {
		t.Parallel()
		srv := start(t)
		session := mustBegin(t, t.Context(), srv.client(t))
		elsewhere := draft
		elsewhere.ExternalURL = api.Value("https://example.test/read/1")
		_, err := session.Commit(t.Context(), elsewhere, upload.TermsAccepted)
		must(t, err)
		srv.published(t)
	})
}

func TestDraftOf(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour).UTC()
	for _, test := range []struct {
		attributes api.ChapterAttributes
		want       string
	}{
		{api.ChapterAttributes{TranslatedLanguage: "en", PublishAt: later.Add(-2 * time.Hour)}, `{"chapter":null,"title":null,"translatedLanguage":"en","volume":null}`},
		{api.ChapterAttributes{TranslatedLanguage: "pt-br", Volume: api.Ptr("1"), Chapter: api.Ptr("2.5"), Title: api.Ptr(""), ExternalURL: api.Ptr("https://example.test"), PublishAt: later},
			`{"chapter":"2.5","externalUrl":"https://example.test","publishAt":"` + later.Format("2006-01-02T15:04:05") + `","title":"","translatedLanguage":"pt-br","volume":"1"}`},
	} {
		got, err := json.Marshal(upload.DraftOf(&api.Chapter{Attributes: test.attributes}))
		must(t, err)
		if string(got) != test.want {
			t.Errorf("the draft is %s, want %s", got, test.want)
		}
	}
}

func TestSessionGone(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *server){
		"none": func(t *testing.T, s *server) { s.end(t) },
		"another": func(t *testing.T, s *server) {
			s.end(t)
			mustBegin(t, t.Context(), s.other(t))
		},
	} {
		for _, lost := range []bool{false, true} { // it is found out by sending, or by looking
			t.Run(fmt.Sprint(name, lost), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := failing(t, sendPages, always(fault{Drop: lost}))
					session := mustBegin(t, t.Context(), srv.client(t))
					end(t, srv)
					one := upload.Folder(folder("1.png"))
					first := session.AddPages(t.Context(), one)
					_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
					for what, err := range map[string]error{"AddPages": first, "Commit": err, "again": session.AddPages(t.Context(), one),
						"Remove": session.Remove(t.Context(), "1.png"), "Reorder": session.Reorder()} {
						if !errors.Is(err, upload.ErrSessionClosed) || !strings.Contains(err.Error(), session.ID().String()) {
							t.Errorf("%s: the error is %v", what, err)
						}
					}
					must(t, session.Close())
					if n := srv.count(abandon); n > 0 {
						t.Error("Close abandoned another session")
					}
				})
			})
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	t.Run("abandons, once", func(t *testing.T) {
		t.Parallel()
		srv := start(t)
		session := mustBegin(t, t.Context(), srv.client(t))
		must(t, session.Close())
		must(t, session.Close())
		if srv.open() || srv.count(abandon) != 1 {
			t.Errorf("a session is open: %t, after %d requests", srv.open(), srv.count(abandon))
		}
	})
	t.Run("after an interruption", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := failing(t, sendPages, always(fault{Delay: long}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			session := mustBegin(t, ctx, srv.client(t))
			if err := session.AddPages(ctx, upload.Folder(folder("1.png"))); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
			must(t, session.Close())
			if srv.open() {
				t.Error("the session is still open")
			}
		})
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := failing(t, abandon, always(fault{Delay: long}))
			session := mustBegin(t, t.Context(), srv.client(t))
			start := time.Now()
			err := session.Close()
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("Close took %v", d)
			}
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), session.ID().String()) {
				t.Errorf("the error is %v", err)
			}
			srv.fault = nil
			must(t, session.Close())
			if srv.open() {
				t.Error("the session is still open")
			}
		})
	})
}

func TestProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := failing(t, sendPages, func(n int) fault { return fault{Drop: n%2 == 0} })
		var seen []upload.Progress
		session := mustBegin(t, t.Context(), srv.client(t), upload.WithProgress(func(p upload.Progress) { seen = append(seen, p) }))
		must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(5)...))))
		seen = nil
		must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(25)...))))
		var pages []int
		for i, p := range seen {
			pages = append(pages, p.Pages)
			if p.TotalPages != 25 || i > 0 && (p.Bytes <= seen[i-1].Bytes || p.TotalBytes != seen[i-1].TotalBytes) {
				t.Errorf("progress %d is %+v", i, p)
			}
		}
		if !slices.Equal(pages, []int{5, 15, 25}) || seen[2].Bytes != seen[2].TotalBytes {
			t.Errorf("the pages done were %v", pages)
		}
	})
}

// TestNotSent does not repeat requests that are held back: for want of a token, or by the limits.
func TestNotSent(t *testing.T) {
	t.Parallel()
	for _, held := range []error{api.ErrUnauthorized, &transport.RateLimitError{}, &transport.BannedError{}} {
		t.Run(held.Error(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := start(t)
				var hold error
				client := srv.client(t, api.WithRequestEditorFn(func(context.Context, *http.Request) error { return hold }))
				session := mustBegin(t, t.Context(), client)
				must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
				hold = held
				start := time.Now()
				if err := session.AddPages(t.Context(), upload.Folder(folder("2.png"))); !errors.Is(err, held) {
					t.Errorf("the error is %v", err)
				}
				if err := session.Remove(t.Context(), "1.png"); !errors.Is(err, held) {
					t.Errorf("the error is %v", err)
				}
				if _, err := session.Commit(t.Context(), draft, upload.TermsAccepted); !errors.Is(err, held) {
					t.Errorf("the error is %v", err)
				}
				source := upload.Reader("1.png", strings.NewReader(picture("png", "")))
				if _, err := upload.Cover(t.Context(), client, title, source, upload.CoverDetails{Locale: "ja"}); !errors.Is(err, held) || errors.Is(err, upload.ErrOutcomeUnknown) {
					t.Errorf("the error is %v", err)
				}
				if d := time.Since(start); d > 0 {
					t.Errorf("it took %v", d)
				}
				// Only the removal is looked up afterwards.
				hold = nil
				before := srv.count(getSession)
				must(t, session.AddPages(t.Context(), upload.Folder(folder("2.png"))))
				_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				must(t, err)
				srv.published(t, "1.png", "2.png")
				if n := srv.count(getSession) - before; n > 1 {
					t.Errorf("the session was listed %d times", n)
				}
			})
		})
	}
}

// TestApproved uploads as a member, whose chapters wait for approval, and reads the pages from the nodes.
func TestApproved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "member"}))
		var err error
		srv.token, _, err = srv.Tokens().Issue("member")
		must(t, err)
		client := srv.client(t)
		if _, err := upload.Begin(t.Context(), client, title, nil, upload.WithApprovalCheck("en")); !errors.Is(err, upload.ErrApprovalRequired) || srv.open() {
			t.Errorf("the error is %v, and a session is open: %t", err, srv.open())
		}
		session := mustBegin(t, t.Context(), client)
		must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(12)...))))
		made, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, err)
		must(t, srv.State().Approve(made.ID))

		chapter, err := athome.Open(t.Context(), client, made.ID, athome.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
		must(t, err)
		defer chapter.Close()
		n := 0
		for image, err := range chapter.All(t.Context()) {
			must(t, err)
			if n++; string(image.Data) != picture("png", itoa(n)+".png") {
				t.Errorf("page %d is another one", n)
			}
		}
		if n != 12 {
			t.Errorf("the chapter has %d pages, want 12", n)
		}
	})
}

// TestWrappedBodies uploads through a middleware that wraps the bodies of answers, which changes
// nothing.
func TestWrappedBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := failing(t, commit, once(fault{After: true, Drop: true}))
		client := srv.client(t, api.WithMiddleware(func(next api.HttpRequestDoer) api.HttpRequestDoer {
			return api.DoerFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := next.Do(req)
				if err == nil {
					resp.Body = struct{ io.ReadCloser }{resp.Body}
				}
				return resp, err
			})
		}))
		session := mustBegin(t, t.Context(), client)
		must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(12)...))))
		_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, err)
		srv.published(t, numbered(12)...)
	})
}
