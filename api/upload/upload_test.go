package upload_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/api/upload"
)

func TestUpload(t *testing.T) {
	t.Parallel()
	srv := &server{}
	ctx := t.Context()
	session := mustBegin(t, ctx, srv.client(t))
	must(t, session.AddPages(ctx, upload.Folder(folder(numbered(23)...))))
	made, err := session.Commit(ctx, draft, upload.TermsAccepted)
	must(t, err)
	must(t, session.Close())
	srv.published(t, numbered(23)...)
	if made.ID != srv.chapters[0].id {
		t.Errorf("the chapter is %v, want %v", made.ID, srv.chapters[0].id)
	}
	if got := srv.chapters[0].draft["chapter"]; got != "1" {
		t.Errorf("the draft has chapter %v", got)
	}
	// One request for each step: whether a session is open, begin, 3 times pages, what the session
	// holds, what the account has published, commit.
	want := []string{getSession, begin, sendPages, sendPages, sendPages, getSession, "GET /user/me", "GET /chapter", commit}
	if !slices.Equal(srv.requests, want) {
		t.Errorf("the requests are %q, want %q", srv.requests, want)
	}
}

// TestEveryThirdRequestFails sends 57 pages while every third request is answered in part or fails,
// in each way that a request can.
func TestEveryThirdRequestFails(t *testing.T) {
	t.Parallel()
	kinds := map[string]fault{
		"partial":    {take: func(i int, _ string) bool { return i%2 == 0 }},
		"none taken": {take: func(int, string) bool { return false }},
		"dropped":    {drop: true},
		"lost":       {lose: true},
		"lost half":  {lose: true, take: func(i int, _ string) bool { return i < 5 }},
		"late":       {late: true},
		"garbage":    {garbage: true},
		"500":        {status: 500},
		"503 html":   {status: 503, body: "<html>busy</html>"},
		"429":        {status: 429, header: http.Header{"Retry-After": {"7"}}},
	}
	var all []fault
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		all = append(all, kinds[name])
	}
	run := func(t *testing.T, pick func(n int) fault) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			srv := &server{}
			srv.fault = func(op string, n int) fault {
				if op == sendPages && n%3 == 0 {
					return pick(n)
				}
				if op == getSession && n > 1 && n%3 == 0 {
					return fault{drop: true}
				}
				return fault{}
			}
			session := mustBegin(t, ctx, srv.client(t))
			must(t, session.AddPages(ctx, upload.Folder(folder(numbered(57)...))))
			// What is still on its way arrives before the commit.
			srv.takeLate()
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
			run(t, func(int) fault { return f })
		})
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		run(t, func(n int) fault { return all[n/3%len(all)] })
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
		{"partial: only those that lack", fault{take: func(i int, _ string) bool { return i > 0 }}, []string{getSession, sendPages}},
		{"an answer {}: look first", fault{empty: true}, []string{getSession}},
		{"lost: look first", fault{lose: true}, []string{getSession}},
		{"lost half", fault{lose: true, take: func(i int, _ string) bool { return i > 0 }}, []string{getSession, sendPages}},
		{"dropped: look first", fault{drop: true}, []string{getSession, sendPages}},
		{"timed out at the server: look first", fault{status: 408}, []string{getSession, sendPages}},
		{"refused for now: nothing to look at", fault{status: 429}, []string{sendPages}},
		{"a page of a proxy: look first", fault{garbage: true}, []string{getSession}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &server{fault: on(sendPages, func(n int) fault {
					if n == 1 {
						return test.fault
					}
					return fault{}
				})}
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
	bad := func(_ int, name string) bool { return name != "3.png" }
	for _, test := range []struct {
		name     string
		fault    fault
		contains string
		requests int // with pages, at most
		taken    int
	}{
		{"no connection", fault{drop: true}, `upload: pages "1.png", "2.png", "3.png", "4.png": api: UploadPages: `, 5, 0},
		{"server error", fault{status: 502}, `upload: pages "1.png", "2.png", "3.png", "4.png": api: UploadPages: `, 5, 0},
		{"one bad page", fault{take: bad}, `upload: page "3.png": the server did not take it: a file could not be read`, 5, 3},
		{"none taken", fault{take: func(int, string) bool { return false }}, `upload: page "1.png": the server did not take it: a file could not be read`, 10, 0},
		{"forbidden", fault{status: 403}, `upload: pages "1.png", "2.png", "3.png", "4.png": api: UploadPages: `, 1, 0},
		{"bad request", fault{status: 400}, `upload: page "1.png": api: UploadPages: `, 2, 0},
		{"waits too long", fault{status: 429, header: http.Header{"Retry-After": {"3600"}}}, `(retry after 1h0m0s)`, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &server{fault: on(sendPages, func(int) fault { return test.fault })}
				session := mustBegin(t, t.Context(), srv.client(t))
				err := session.AddPages(t.Context(), upload.Folder(folder(numbered(4)...)))
				if err == nil || !strings.Contains(err.Error(), test.contains) {
					t.Errorf("the error is %v, want %s", err, test.contains)
				}
				var page *upload.PageError
				if !errors.As(err, &page) {
					t.Errorf("%T is not a PageError", err)
				}
				if n := srv.count(sendPages); n > test.requests {
					t.Errorf("%d requests, want %d at most", n, test.requests)
				}
				if n := len(session.Pages()); n != test.taken {
					t.Errorf("the session has %d pages, want %d", n, test.taken)
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
	srv := &server{fault: on(sendPages, func(n int) fault {
		if n == 1 || n == 5 { // all together, then the fourth on its own
			return fault{status: 422}
		}
		return fault{}
	})}
	session := mustBegin(t, t.Context(), srv.client(t))
	err := session.AddPages(t.Context(), upload.Folder(folder(numbered(10)...)))
	if err == nil || !strings.HasPrefix(err.Error(), `upload: page "4.png": `) {
		t.Errorf("the error is %v", err)
	}
	if got := names(session.Pages()); !slices.Equal(got, numbered(3)) {
		t.Errorf("the session has %q", got)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	t.Run("a wait that cannot end in time is not begun", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := &server{fault: on(sendPages, func(int) fault {
				return fault{status: 429, header: http.Header{"Retry-After": {"60"}}}
			})}
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
			srv := &server{fault: on(sendPages, func(int) fault {
				return fault{status: 429, header: http.Header{"Retry-After": {"60"}}}
			})}
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
			srv := &server{fault: on(sendPages, func(n int) fault {
				if n == 1 {
					return fault{status: 429, header: http.Header{"Retry-After": {"60"}}}
				}
				return fault{}
			})}
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
		srv := &server{fault: on(sendPages, func(n int) fault { return fault{late: n == 1} })}
		session := mustBegin(t, t.Context(), srv.client(t))
		must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(4)...))))
		srv.takeLate()
		if n := len(srv.session.files); n != 8 {
			t.Fatalf("the server has %d files, want 8", n)
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
		srv := &server{}
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
		wantError(t, err, "upload: the account has an open session ("+first.ID().String()+", begun "+open.Begun.UTC().Format(time.DateTime)+", pages: 2); Resume or Replace it")
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
		srv.session = nil
		_, err := open.Replace(ctx)
		must(t, err)
	})
	t.Run("abandoning fails", func(t *testing.T) {
		t.Parallel()
		srv, open := setup(t)
		srv.fault = on(abandon, func(int) fault { return fault{status: 403} })
		_, err := open.Replace(ctx)
		if err == nil || !strings.HasPrefix(err.Error(), "upload: the open session "+open.ID.String()+" cannot be abandoned: ") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("of another title", func(t *testing.T) {
		t.Parallel()
		srv, _ := setup(t)
		_, err := upload.Begin(ctx, srv.client(t), group, nil)
		var open *upload.OpenError
		if !errors.As(err, &open) {
			t.Fatal(err)
		}
		_, err = open.Resume()
		wantError(t, err, "upload: the open session is for the title "+title.String()+", not for "+group.String()+"; Replace it")
	})
	t.Run("of an edit", func(t *testing.T) {
		t.Parallel()
		srv := &server{versions: map[uuid.UUID]int{book: 1, group: 1}}
		_, err := upload.Edit(ctx, srv.client(t), book, 1)
		must(t, err)
		var open *upload.OpenError
		if _, err := upload.Begin(ctx, srv.client(t), title, nil); !errors.As(err, &open) {
			t.Fatal(err)
		}
		_, err = open.Resume()
		wantError(t, err, "upload: the open session edits the chapter "+book.String()+" and is not for a new one; Replace it")
		if _, err := upload.Edit(ctx, srv.client(t), group, 1); !errors.As(err, &open) {
			t.Fatal(err)
		}
		_, err = open.Resume()
		wantError(t, err, "upload: the open session edits the chapter "+book.String()+", not "+group.String()+"; Replace it")
		if _, err := upload.Edit(ctx, srv.client(t), book, 1); !errors.As(err, &open) {
			t.Fatal(err)
		}
		_, err = open.Resume()
		must(t, err)
	})
	t.Run("resumed with copies", func(t *testing.T) {
		t.Parallel()
		srv, _ := setup(t)
		srv.session.files = append(srv.session.files, file{uuid.New(), "2.png", srv.session.files[1].content, false})
		var open *upload.OpenError
		if _, err := upload.Begin(ctx, srv.client(t), title, nil); !errors.As(err, &open) {
			t.Fatal(err)
		}
		session, err := open.Resume()
		must(t, err)
		// The last request of the other program arrives only now.
		srv.session.files = append(srv.session.files, file{uuid.New(), "3.png", picture("png", "3.png"), false})
		must(t, session.AddPages(ctx, upload.Folder(folder("1.png", "2.png", "3.png"))))
		_, err = session.Commit(ctx, draft, upload.TermsAccepted)
		must(t, err)
		srv.published(t, "1.png", "2.png", "3.png")
	})
}

func TestResumedPageOfAnotherSize(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := &server{}
	must(t, mustBegin(t, ctx, srv.client(t)).AddPages(ctx, upload.Folder(folder("1.png"))))
	var open *upload.OpenError
	if _, err := upload.Begin(ctx, srv.client(t), title, nil); !errors.As(err, &open) {
		t.Fatal(err)
	}
	session, err := open.Resume()
	must(t, err)
	redrawn := upload.Reader("1.png", strings.NewReader(picture("png", "redrawn 1.png")))
	size := len(picture("png", "1.png"))
	wantError(t, session.AddPages(ctx, redrawn), `upload: page "1.png": the session has another page of that name, of `+
		itoa(size)+` bytes where this one has `+itoa(size+8)+`; Remove it first, or rename this one`)
	must(t, session.Remove(ctx, "1.png"))
	must(t, session.AddPages(ctx, redrawn))
	_, err = session.Commit(ctx, draft, upload.TermsAccepted)
	must(t, err)
	srv.published(t, "1.png")
}

func TestEdit(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	newServer := func() *server {
		return &server{versions: map[uuid.UUID]int{book: 4}, existing: map[uuid.UUID][]file{book: {
			{uuid.New(), "1.png", "1.png", true},
			{uuid.New(), "", "nameless", true},
			{uuid.New(), "1.png", "1.png again", true},
		}}}
	}
	t.Run("pages", func(t *testing.T) {
		t.Parallel()
		srv := newServer()
		session, err := upload.Edit(ctx, srv.client(t), book, 4)
		must(t, err)
		old := srv.existing[book]
		nameless, again := old[1].id.String(), old[2].id.String()
		if got := names(session.Pages()); !slices.Equal(got, []string{"1.png", nameless, again}) {
			t.Fatalf("the pages are %q", got)
		}
		must(t, session.AddPages(ctx, upload.Folder(folder("2.png"))))
		must(t, session.Remove(ctx, again))
		must(t, session.Reorder(nameless, "2.png", "1.png"))
		_, err = session.Commit(ctx, draft, upload.TermsAccepted)
		must(t, err)
		if got := srv.chapters[0].contents; len(got) != 3 || got[0] != "nameless" || !strings.HasSuffix(got[1], "2.png") || got[2] != "1.png" || srv.chapters[0].left != 0 {
			t.Errorf("the chapter has %q", got)
		}
	})
	t.Run("a lost answer does not touch the pages that were there", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := newServer()
			srv.fault = on(sendPages, func(n int) fault { return fault{lose: n == 1} })
			session, err := upload.Edit(t.Context(), srv.client(t), book, 4)
			must(t, err)
			must(t, session.AddPages(t.Context(), upload.Folder(folder("2.png"))))
			_, err = session.Commit(t.Context(), draft, upload.TermsAccepted)
			must(t, err)
			if got := srv.chapters[0]; len(got.contents) != 4 || got.left != 0 {
				t.Errorf("the chapter has %q, and %d files are left", got.contents, got.left)
			}
		})
	})
	t.Run("conflict", func(t *testing.T) {
		t.Parallel()
		_, err := upload.Edit(ctx, newServer().client(t), book, 3)
		var conflict *api.ConflictError
		if !errors.As(err, &conflict) || !errors.Is(err, api.ErrConflict) || conflict.Sent != 3 || conflict.Current != 4 {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("conflict of another kind", func(t *testing.T) {
		t.Parallel()
		srv := newServer()
		srv.fault = on("POST /upload/begin/{id}", func(int) fault { return fault{status: 409} })
		_, err := upload.Edit(ctx, srv.client(t), book, 4)
		var conflict *api.ConflictError
		if !errors.Is(err, api.ErrConflict) || errors.As(err, &conflict) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("conflict, and the chapter cannot be read", func(t *testing.T) {
		t.Parallel()
		srv := newServer()
		srv.fault = on("GET /chapter/{id}", func(int) fault { return fault{status: 403} })
		_, err := upload.Edit(ctx, srv.client(t), book, 3)
		var conflict *api.ConflictError
		if !errors.As(err, &conflict) || conflict.Current != 0 {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("the pages cannot be listed", func(t *testing.T) {
		t.Parallel()
		srv := newServer()
		srv.fault = on(getSession, func(n int) fault {
			if n > 1 {
				return fault{status: 403}
			}
			return fault{}
		})
		_, err := upload.Edit(ctx, srv.client(t), book, 4)
		if err == nil || !strings.HasPrefix(err.Error(), "upload: the pages of the session cannot be listed: ") || srv.session != nil {
			t.Errorf("the error is %v, the session %v", err, srv.session)
		}
	})
}

func TestWithApprovalCheck(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := &server{approval: true}
	_, err := upload.Begin(ctx, srv.client(t), title, nil, upload.WithApprovalCheck("en"))
	if !errors.Is(err, upload.ErrApprovalRequired) {
		t.Error("the error is not ErrApprovalRequired")
	}
	wantError(t, err, "upload: approval is required for title "+title.String()+" in language en; leave out WithApprovalCheck to upload it all the same")
	if srv.session != nil {
		t.Error("a session was begun")
	}
	srv.approval = false
	_, err = upload.Begin(ctx, srv.client(t), title, nil, upload.WithApprovalCheck("en"))
	must(t, err)

	srv.fault = on("POST /upload/check-approval-required", func(int) fault { return fault{status: 404} })
	_, err = upload.Begin(ctx, srv.client(t), title, nil, upload.WithApprovalCheck("en"))
	if !errors.Is(err, api.ErrNotFound) || !strings.HasPrefix(err.Error(), "upload: whether approval is required cannot be asked: ") {
		t.Errorf("the error is %v", err)
	}
}

func TestRemoveAndReorder(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := &server{}
	session := mustBegin(t, ctx, srv.client(t))
	must(t, session.AddPages(ctx, upload.Folder(folder(numbered(6)...))))
	must(t, session.Remove(ctx))
	must(t, session.Remove(ctx, "2.png"))
	must(t, session.Remove(ctx, "4.png", "6.png"))
	must(t, session.Reorder("5.png", "1.png", "3.png"))
	must(t, session.AddPages(ctx, upload.Folder(folder("2.png"))))

	wantError(t, session.Remove(ctx, "4.png"), `upload: page "4.png": the session has no page of that name; see Pages for their names`)
	wantError(t, session.Reorder("5.png", "1.png", "3.png", "4.png"), `upload: page "4.png": the session has no page of that name; see Pages for their names`)
	wantError(t, session.Reorder("5.png", "1.png", "1.png", "2.png"), `upload: page "1.png": the order names it twice; name every page once`)
	wantError(t, session.Reorder("5.png", "1.png", "2.png"), `upload: page "3.png": the order leaves it out; name every page once, or Remove it`)

	_, err := session.Commit(ctx, draft, upload.TermsAccepted)
	must(t, err)
	srv.published(t, "5.png", "1.png", "3.png", "2.png")
}

// TestRemoveFails looks at removals whose answer is lost or that are refused.
func TestRemoveFails(t *testing.T) {
	t.Parallel()
	for op, gone := range map[string][]string{"DELETE /upload/{id}/{id}": {"2.png"}, "DELETE /upload/{id}/batch": {"2.png", "1.png"}} {
		for _, test := range []struct {
			name  string
			fault fault
			fails string
		}{
			{"lost", fault{lose: true}, ""},
			{"dropped", fault{drop: true}, "the server did not remove it; try again: "},
			{"refused", fault{status: 403}, "the server did not remove it: "},
		} {
			t.Run(op+" "+test.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := &server{fault: on(op, func(int) fault { return test.fault })}
					// Deleting may be repeated below; what is looked at here is what comes out of it.
					session := mustBegin(t, t.Context(), srv.client(t))
					must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(3)...))))
					err := session.Remove(t.Context(), gone...)
					if test.fails == "" {
						must(t, err)
					} else if err == nil || !strings.Contains(err.Error(), test.fails) {
						t.Errorf("the error is %v, want %s", err, test.fails)
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
	const want = `upload: page "2.png": the server has lost it; add it again`
	for name, step := range map[string]func(ctx context.Context, s *upload.Session) error{
		"add": func(ctx context.Context, s *upload.Session) error {
			return s.AddPages(ctx, upload.Folder(folder("4.png")))
		},
		"remove": func(ctx context.Context, s *upload.Session) error { return s.Remove(ctx, "3.png") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &server{}
				session := mustBegin(t, t.Context(), srv.client(t))
				must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(3)...))))
				srv.fault = func(op string, n int) fault {
					if op == sendPages && n == 2 || op == "DELETE /upload/{id}/{id}" {
						srv.session.files = slices.DeleteFunc(srv.session.files, func(f file) bool { return f.name == "2.png" })
						return fault{lose: true}
					}
					return fault{}
				}
				wantError(t, step(t.Context(), session), want)
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
		srv := &server{fault: on(commit, faults)}
		session := mustBegin(t, t.Context(), srv.client(t))
		must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
		_, first := session.Commit(t.Context(), draft, upload.TermsAccepted)
		srv.fault = nil
		_, second := session.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, session.Close())
		return srv, first, second
	}
	once := func(f fault) func(int) fault {
		return func(n int) fault {
			if n == 1 {
				return f
			}
			return fault{}
		}
	}
	t.Run("never published twice", func(t *testing.T) {
		t.Parallel()
		for name, f := range map[string]fault{"busy": {status: 503}, "rate": {status: 429}, "dropped": {drop: true}} {
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
		srv, first, second := commits(t, once(fault{status: 400}))
		if first == nil || !strings.HasPrefix(first.Error(), "upload: the session cannot be committed: api: CommitUpload: ") {
			t.Errorf("the error is %v", first)
		}
		must(t, second)
		srv.published(t, "1.png")
	})
	t.Run("a page is gone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := &server{fault: on(sendPages, func(n int) fault { return fault{lose: n == 1} })}
			session := mustBegin(t, t.Context(), srv.client(t))
			must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png"))))
			srv.session.files = srv.session.files[:1]
			_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
			wantError(t, err, `upload: page "2.png": the server has lost it; add it again`)
			must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png"))))
			_, err = session.Commit(t.Context(), draft, upload.TermsAccepted)
			must(t, err)
			srv.published(t, "1.png", "2.png")
		})
	})
	t.Run("on another site", func(t *testing.T) {
		t.Parallel()
		srv := &server{}
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
	for name, end := range map[string]func(*server){
		"none":    func(s *server) { s.session = nil },
		"another": func(s *server) { s.session = &session{id: uuid.New()} },
	} {
		for _, lost := range []bool{false, true} { // it is found out by sending, or by looking
			t.Run(fmt.Sprint(name, lost), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := &server{fault: on(sendPages, func(int) fault { return fault{drop: lost} })}
					session := mustBegin(t, t.Context(), srv.client(t))
					want := "upload: the upload session is closed: " + session.ID().String()
					end(srv)
					err := session.AddPages(t.Context(), upload.Folder(folder("1.png")))
					wantError(t, err, want+" was committed, abandoned or replaced elsewhere; begin another one")
					if !errors.Is(err, upload.ErrSessionClosed) {
						t.Error("the error is not ErrSessionClosed")
					}
					want += "; begin another one"
					wantError(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))), want)
					wantError(t, session.Remove(t.Context(), "1.png"), want)
					wantError(t, session.Reorder(), want)
					_, err = session.Commit(t.Context(), draft, upload.TermsAccepted)
					wantError(t, err, want)
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
		srv := &server{}
		session := mustBegin(t, t.Context(), srv.client(t))
		must(t, session.Close())
		must(t, session.Close())
		if srv.session != nil || srv.count(abandon) != 1 {
			t.Errorf("the session is %v after %d requests", srv.session, srv.count(abandon))
		}
	})
	t.Run("after an interruption", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := &server{fault: on(sendPages, func(int) fault { return fault{hang: true} })}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			session := mustBegin(t, ctx, srv.client(t))
			if err := session.AddPages(ctx, upload.Folder(folder("1.png"))); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
			must(t, session.Close())
			if srv.session != nil {
				t.Error("the session is still open")
			}
		})
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			srv := &server{fault: on(abandon, func(int) fault { return fault{hang: true} })}
			session := mustBegin(t, t.Context(), srv.client(t))
			start := time.Now()
			err := session.Close()
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("Close took %v", d)
			}
			if err == nil || !strings.HasPrefix(err.Error(), "upload: the session "+session.ID().String()+" stays open, and the next Begin will offer it: ") {
				t.Errorf("the error is %v", err)
			}
			srv.fault = nil
			must(t, session.Close())
			if srv.session != nil {
				t.Error("the session is still open")
			}
		})
	})
}

func TestProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &server{fault: on(sendPages, func(n int) fault { return fault{drop: n%2 == 0} })}
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
				srv := &server{}
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
