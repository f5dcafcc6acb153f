package upload_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/upload"
)

// A lostCommit is a server on which the first commit goes wrong.
type lostCommit struct {
	*server
	records []upload.Record // that were kept
}

// committed uploads two pages and commits them.
func committed(t *testing.T, ctx context.Context, f fault) (*lostCommit, *upload.Session, *api.Chapter, error) {
	t.Helper()
	srv := &lostCommit{server: &server{}}
	srv.fault = on(commit, func(n int) fault {
		if n == 1 {
			return f
		}
		return fault{}
	})
	session := mustBegin(t, t.Context(), srv.client(t), upload.WithRecord(func(r upload.Record) error {
		srv.records = append(srv.records, r)
		return nil
	}))
	must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png"))))
	chapter, err := session.Commit(ctx, draft, upload.TermsAccepted)
	return srv, session, chapter, err
}

// TestLostCommit loses the answer to a commit in each way, and has the chapter found or published,
// once.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{
		"done, and no answer":      {lose: true},
		"done, and a page":         {garbage: true},
		"done, and {}":             {empty: true},
		"done, and half an answer": {half: true},
		"done, and 502":            {after: 502},
		"done, and 504":            {after: 504},
		"done, and 404":            {lose: true, then: 404},
		"not done, and no answer":  {drop: true},
		"not done, and 502":        {status: 502},
		"not done, and 503":        {status: 503},
		"not done, and 504":        {status: 504},
		"not done, and 408":        {status: 408},
		"done 2 s later":           {lateBy: 2 * time.Second, status: 504},
		"done a minute later":      {lateBy: time.Minute, status: 504},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv, session, chapter, err := committed(t, t.Context(), f)
				must(t, err)
				must(t, session.Close())
				time.Sleep(5 * time.Minute)
				srv.published(t, "1.png", "2.png")
				if chapter.ID != srv.chapters[0].id {
					t.Errorf("the chapter is %v, want %v", chapter.ID, srv.chapters[0].id)
				}
				if n := srv.count(abandon); n > 0 {
					t.Error("the session was abandoned")
				}
				if last := srv.records[len(srv.records)-1]; last.Published != chapter.ID {
					t.Errorf("the last record is %+v", last)
				}
			})
		})
	}
}

// TestUnknownCommit has the server hold the chapter back, or be silent, so that nobody can know. The
// session is left alone, and a later call finds the chapter.
func TestUnknownCommit(t *testing.T) {
	t.Parallel()
	silent := func(srv *server) {
		committed := srv.fault
		srv.fault = func(op string, n int) fault {
			if op == commit {
				return committed(op, n)
			}
			return fault{drop: true}
		}
	}
	for name, test := range map[string]struct {
		hide  func(*server)
		cause string
	}{
		"held back":  {func(srv *server) { srv.held = true }, "the session is over, as after a commit, but the chapter is not in the lists"},
		"no network": {silent, "it cannot be looked for ("},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &server{}
				srv.fault = on(commit, func(int) fault { return fault{lose: true, do: func() { test.hide(srv) }} })
				session := mustBegin(t, t.Context(), srv.client(t))
				must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
				start := time.Now()
				_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				if !errors.Is(err, upload.ErrOutcomeUnknown) || !strings.Contains(err.Error(), test.cause) ||
					!strings.Contains(err.Error(), "; look at https://mangadex.org/title/"+title.String()+" for chapter 1 in language en, or Find it later") {
					t.Errorf("the error is %v", err)
				}
				if d := time.Since(start); d > 5*time.Minute {
					t.Errorf("it took %v", d)
				}
				if err := session.AddPages(t.Context(), upload.Folder(folder("2.png"))); !errors.Is(err, upload.ErrOutcomeUnknown) {
					t.Errorf("AddPages: %v", err)
				}
				must(t, session.Close())
				record := session.Record()
				if !record.InDoubt() || len(record.Pages) != 1 {
					t.Errorf("the record is %+v", record)
				}

				srv.held, srv.fault = false, nil
				found, err := upload.Find(t.Context(), srv.client(t), record)
				must(t, err)
				again, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				must(t, err)
				srv.published(t, "1.png")
				if made := srv.chapters[0].id; found.ID != made || again.ID != made || srv.count(abandon) > 0 {
					t.Errorf("found %v and %v, want %v", found.ID, again.ID, made)
				}
			})
		})
	}
}

// TestInterruptedCommit ends the context while a commit is under way, or before it is sent.
func TestInterruptedCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		srv, session, _, err := committed(t, ctx, fault{hang: true, do: cancel})
		if !errors.Is(err, upload.ErrOutcomeUnknown) {
			t.Errorf("the error is %v", err)
		}
		must(t, session.Close())
		if srv.count(abandon) > 0 {
			t.Error("Close abandoned a session that may be committing")
		}
		if last := srv.records[len(srv.records)-1]; !last.InDoubt() {
			t.Errorf("the record is %+v", last)
		}
		// Another run: nothing but looking for the chapter is allowed until it is known.
		_, err = upload.Begin(t.Context(), srv.client(t), title, []uuid.UUID{group}, upload.WithEarlier(session.Record()))
		var open *upload.OpenError
		if !errors.As(err, &open) {
			t.Fatal(err)
		}
		if _, err := open.Replace(t.Context()); !errors.Is(err, upload.ErrOutcomeUnknown) || srv.count(abandon) > 0 {
			t.Errorf("Replace: %v", err)
		}
		resumed, err := open.Resume()
		must(t, err)
		if _, err := upload.Find(t.Context(), srv.client(t), session.Record()); !errors.Is(err, upload.ErrNotPublished) {
			t.Errorf("Find: %v", err)
		}
		_, err = resumed.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, err)
		srv.published(t, "1.png", "2.png")
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		srv, session, _, err := committed(t, ctx, fault{})
		if !errors.Is(err, context.Canceled) || errors.Is(err, upload.ErrOutcomeUnknown) || srv.count(commit) > 0 {
			t.Errorf("nothing was sent: %v", err)
		}
		must(t, session.Close())
		if srv.count(abandon) != 1 {
			t.Error("Close did not abandon a session that was never committed")
		}
	})
}

// TestRecordOfPages keeps what has come in after each request, so that another run can compare it.
func TestRecordOfPages(t *testing.T) {
	t.Parallel()
	srv := &server{}
	var kept []int
	session := mustBegin(t, t.Context(), srv.client(t), upload.WithRecord(func(r upload.Record) error {
		for _, page := range r.Pages {
			if len(page.SHA256) != 64 || page.ID == uuid.Nil {
				t.Errorf("the record has %+v", page)
			}
		}
		kept = append(kept, len(r.Pages))
		return nil
	}))
	must(t, session.AddPages(t.Context(), upload.Folder(folder(numbered(23)...))))
	if want := []int{0, 10, 20, 23}; !slices.Equal(kept, want) {
		t.Errorf("kept %d pages, want %d", kept, want)
	}
	content, err := json.Marshal(session.Record())
	must(t, err)
	var read upload.Record
	must(t, json.Unmarshal(content, &read))
	if again, err := json.Marshal(read); err != nil || string(again) != string(content) {
		t.Errorf("%s, then %s, %v", content, again, err)
	}
}

// TestRecordNotKept commits nothing that a later run would not know of.
func TestRecordNotKept(t *testing.T) {
	t.Parallel()
	srv := &server{}
	full := errors.New("no space left")
	var fails error
	session := mustBegin(t, t.Context(), srv.client(t), upload.WithRecord(func(upload.Record) error { return fails }))
	must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
	fails = full
	if _, err := session.Commit(t.Context(), draft, upload.TermsAccepted); !errors.Is(err, full) || srv.count(commit) > 0 {
		t.Errorf("the error is %v", err)
	}
	must(t, session.Close())
	if srv.session != nil {
		t.Error("the session is open")
	}
}

// TestFind tells the chapter of an upload from others of the account.
func TestFind(t *testing.T) {
	t.Parallel()
	other := uuid.New()
	now := time.Now()
	for name, test := range map[string]struct {
		change func(*chapter)
		others bool
		want   bool
	}{
		"it":               {func(*chapter) {}, false, true},
		"made before":      {func(c *chapter) { c.created = now.Add(-time.Hour) }, false, false},
		"there before":     {func(*chapter) {}, true, false},
		"another number":   {func(c *chapter) { c.draft["chapter"] = "2" }, false, false},
		"another volume":   {func(c *chapter) { c.draft["volume"] = "2" }, false, false},
		"another language": {func(c *chapter) { c.draft["translatedLanguage"] = "fr" }, false, false},
		"another group":    {func(c *chapter) { c.groups = []any{other} }, false, false},
		"one group more":   {func(c *chapter) { c.groups = []any{group, other} }, false, false},
		"another title":    {func(c *chapter) { c.manga = other }, false, false},
		"published later":  {func(c *chapter) { c.draft["publishAt"] = "2037-12-31T00:00:00" }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				c := chapter{id: uuid.New(), manga: title, groups: []any{group}, created: now, draft: map[string]any{"chapter": "1", "volume": nil, "title": nil, "translatedLanguage": "en"}}
				test.change(&c)
				if name == "made before" {
					c.created = now.Add(-time.Hour)
				}
				srv := &server{chapters: []chapter{c}}
				record := upload.Record{Session: uuid.New(), Begun: now, Manga: title, Groups: []uuid.UUID{group}, Draft: draft, Sent: now}
				if test.others {
					record.Others = []uuid.UUID{c.id}
				}
				found, err := upload.Find(t.Context(), srv.client(t), record)
				if test.want && (err != nil || found.ID != c.id) || !test.want && !errors.Is(err, upload.ErrOutcomeUnknown) {
					t.Errorf("found %v, and the error is %v", found, err)
				}
			})
		})
	}
}

// TestEditLost finds out what came of an edit by the version of the chapter.
func TestEditLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"done": {lose: true}, "not done": {drop: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &server{versions: map[uuid.UUID]int{book: 3}, existing: map[uuid.UUID][]file{book: {{uuid.New(), "old.png", "old.png", true}}}}
				session, err := upload.Edit(t.Context(), srv.client(t), book, 3)
				must(t, err)
				srv.fault = on(commit, func(n int) fault {
					if n == 1 {
						return f
					}
					return fault{}
				})
				chapter, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				must(t, err)
				if len(srv.chapters) != 1 || chapter.ID != book || srv.versions[book] != 4 {
					t.Errorf("%d edits of %v, version %d", len(srv.chapters), chapter.ID, srv.versions[book])
				}
			})
		})
	}
}

// TestBeginLost finds the session whose answer was lost, and begins no second one.
func TestBeginLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"lost": {lose: true}, "{}": {empty: true}, "502": {after: 502}, "dropped": {drop: true}, "503": {status: 503}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := &server{}
				srv.fault = on(begin, func(n int) fault {
					if n == 1 {
						return f
					}
					return fault{}
				})
				session := mustBegin(t, t.Context(), srv.client(t))
				if session.ID() != srv.session.id || session.ID() == uuid.Nil {
					t.Errorf("the session is %v, want %v", session.ID(), srv.session.id)
				}
				must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
				_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				must(t, err)
				srv.published(t, "1.png")
			})
		})
	}
}

// TestResume goes on with an open session, and begins none.
func TestResume(t *testing.T) {
	t.Parallel()
	srv := &server{}
	client := srv.client(t)
	if _, err := upload.Resume(t.Context(), client, title, []uuid.UUID{group}); !errors.Is(err, upload.ErrNoSession) || srv.session != nil {
		t.Errorf("the error is %v", err)
	}
	first := mustBegin(t, t.Context(), client)
	must(t, first.AddPages(t.Context(), upload.Folder(folder("1.png"))))
	session, err := upload.Resume(t.Context(), client, title, []uuid.UUID{group})
	must(t, err)
	if got := names(session.Pages()); session.ID() != first.ID() || !slices.Equal(got, []string{"1.png"}) {
		t.Errorf("the session %v has %q", session.ID(), got)
	}
	if _, err := upload.Resume(t.Context(), client, uuid.New(), nil); err == nil || !strings.Contains(err.Error(), "the open session is for the title") {
		t.Errorf("the error is %v", err)
	}
}

// TestAnotherPicture notices that a page of the session is not the one of its name in the folder,
// though it is as large.
func TestAnotherPicture(t *testing.T) {
	t.Parallel()
	srv := &server{}
	client := srv.client(t)
	first := mustBegin(t, t.Context(), client)
	must(t, first.AddPages(t.Context(), upload.Reader("1.png", strings.NewReader(picture("png", "A")))))
	resumed, err := upload.Resume(t.Context(), client, title, nil, upload.WithEarlier(first.Record()))
	must(t, err)
	err = resumed.AddPages(t.Context(), upload.Reader("1.png", strings.NewReader(picture("png", "B"))))
	wantError(t, err, `upload: page "1.png": the session has another page of that name, of the same size; Remove it first, or rename this one`)
	must(t, resumed.AddPages(t.Context(), upload.Reader("1.png", strings.NewReader(picture("png", "A")))))
}

// TestPublished lists what the account has published, of the future, too.
func TestPublished(t *testing.T) {
	t.Parallel()
	c := chapter{id: uuid.New(), manga: title, groups: []any{group}, created: time.Now(), draft: map[string]any{"chapter": "1", "volume": "3", "translatedLanguage": "en", "publishAt": "x"}}
	srv := &server{chapters: []chapter{c}}
	found, err := upload.Published(t.Context(), srv.client(t), title, []uuid.UUID{group}, draft)
	must(t, err)
	if len(found) != 1 || found[0].ID != c.id {
		t.Errorf("found %v", found)
	}
	if found, err = upload.Published(t.Context(), srv.client(t), title, nil, draft); err != nil || len(found) > 0 {
		t.Errorf("found %v without the group, %v", found, err)
	}
	srv.fault = on("GET /user/me", func(int) fault { return fault{status: http.StatusForbidden} })
	if _, err = upload.Published(t.Context(), srv.client(t), title, nil, draft); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("the error is %v", err)
	}
}
