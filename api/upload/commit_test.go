package upload_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
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
	srv := &lostCommit{server: start(t)}
	srv.fault = on(commit, once(f))
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
		"done, and no answer":      {After: true, Drop: true},
		"done, and a page":         {HTML: true},
		"done, and {}":             {Empty: true},
		"done, and half an answer": {Truncate: true},
		"done, and 502":            {After: true, Status: 502},
		"done, and 504":            {After: true, Status: 504},
		"done, and 404":            {After: true, Status: 404},
		"not done, and no answer":  {Drop: true},
		"not done, and 502":        {Status: 502},
		"not done, and 503":        {Status: 503},
		"not done, and 504":        {Status: 504},
		"not done, and 408":        {Status: 408},
		"done 2 s later":           {Late: 2 * time.Second},
		"done a minute later":      {Late: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv, session, chapter, err := committed(t, t.Context(), f)
				must(t, err)
				must(t, session.Close())
				time.Sleep(5 * time.Minute)
				srv.published(t, "1.png", "2.png")
				if want := srv.chapters()[0].ID; chapter.ID != want {
					t.Errorf("the chapter is %v, want %v", chapter.ID, want)
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
	for name, held := range map[string]bool{"held back": true, "no network": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := start(t)
				srv.fault = func(op string, _ int) fault {
					switch {
					case op == commit && held:
						return fault{After: true, Drop: true, Hold: late}
					case op == commit, !held && srv.count(commit) > 0:
						return fault{After: op == commit, Drop: true}
					}
					return fault{}
				}
				session := mustBegin(t, t.Context(), srv.client(t), upload.WithPatience(time.Minute))
				must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
				start := time.Now()
				_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				if !errors.Is(err, upload.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "https://mangadex.org/title/"+title.String()+" for chapter 1 in language en") {
					t.Errorf("the error is %v", err)
				}
				if d := time.Since(start); d > 2*time.Minute {
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

				srv.fault = nil
				time.Sleep(late)
				found, err := upload.Find(t.Context(), srv.client(t), record)
				must(t, err)
				again, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				must(t, err)
				srv.published(t, "1.png")
				if made := srv.chapters()[0].ID; found.ID != made || again.ID != made || srv.count(abandon) > 0 {
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
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		srv, session, _, err := committed(t, ctx, fault{Delay: long})
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
	srv := start(t)
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
	srv := start(t)
	full := errors.New("no space left")
	var fails error
	session := mustBegin(t, t.Context(), srv.client(t), upload.WithRecord(func(upload.Record) error { return fails }))
	must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
	fails = full
	if _, err := session.Commit(t.Context(), draft, upload.TermsAccepted); !errors.Is(err, full) || srv.count(commit) > 0 {
		t.Errorf("the error is %v", err)
	}
	must(t, session.Close())
	if srv.open() {
		t.Error("the session is open")
	}
}

// TestFind tells the chapter of an upload from others of the account.
func TestFind(t *testing.T) {
	t.Parallel()
	other := uuid.New()
	for name, test := range map[string]struct {
		change func(*apitest.Chapter)
		others bool
		want   bool
	}{
		"it":               {func(*apitest.Chapter) {}, false, true},
		"made before":      {func(c *apitest.Chapter) { c.CreatedAt = c.CreatedAt.Add(-time.Hour) }, false, false},
		"there before":     {func(*apitest.Chapter) {}, true, false},
		"another number":   {func(c *apitest.Chapter) { c.Number = "2" }, false, false},
		"another volume":   {func(c *apitest.Chapter) { c.Volume = "2" }, false, false},
		"another language": {func(c *apitest.Chapter) { c.Language = "fr" }, false, false},
		"another group":    {func(c *apitest.Chapter) { c.Groups = []uuid.UUID{other} }, false, false},
		"one group more":   {func(c *apitest.Chapter) { c.Groups = []uuid.UUID{group, other} }, false, false},
		"another title":    {func(c *apitest.Chapter) { c.Manga = other }, false, false},
		"published later":  {func(c *apitest.Chapter) { c.PublishAt = c.CreatedAt.AddDate(10, 0, 0) }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				srv := start(t)
				_, err := srv.State().AddManga(apitest.Manga{ID: other, Title: "Another Kettle"})
				must(t, err)
				_, err = srv.State().AddGroup(apitest.Group{ID: other, Name: "Day Shift"})
				must(t, err)
				c := apitest.Chapter{ID: uuid.New(), Manga: title, Number: "1", Groups: []uuid.UUID{group}, Uploader: srv.account.ID, Pages: 1, CreatedAt: now}
				test.change(&c)
				_, err = srv.State().AddChapter(c)
				must(t, err)
				record := upload.Record{Session: uuid.New(), Begun: now, Manga: title, Groups: []uuid.UUID{group}, Draft: draft, Sent: now}
				if test.others {
					record.Others = []uuid.UUID{c.ID}
				}
				found, err := upload.Find(t.Context(), srv.client(t), record)
				if test.want && (err != nil || found.ID != c.ID) || !test.want && !errors.Is(err, upload.ErrOutcomeUnknown) {
					t.Errorf("found %v, and the error is %v", found, err)
				}
			})
		})
	}
}

// TestEditLost finds out what came of an edit by the version of the chapter.
func TestEditLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"done": {After: true, Drop: true}, "not done": {Drop: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := start(t)
				version := srv.addChapter(t, book, picture("png", "old"))
				session, err := upload.Edit(t.Context(), srv.client(t), book, version)
				must(t, err)
				srv.fault = on(commit, once(f))
				chapter, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
				must(t, err)
				if now := srv.version(t, book); len(srv.chapters()) != 1 || chapter.ID != book || now != version+1 {
					t.Errorf("%d chapters, %v of version %d", len(srv.chapters()), chapter.ID, now)
				}
			})
		})
	}
}

// TestBeginLost finds the session whose answer was lost, and begins no second one.
func TestBeginLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"lost": {After: true, Drop: true}, "{}": {Empty: true}, "502": {After: true, Status: 502}, "dropped": {Drop: true}, "503": {Status: 503}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := failing(t, begin, once(f))
				session := mustBegin(t, t.Context(), srv.client(t))
				if open := srv.State().Uploads(); len(open) != 1 || session.ID() != open[0].ID {
					t.Errorf("the session is %v, want %+v", session.ID(), open)
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
	srv := start(t)
	client := srv.client(t)
	if _, err := upload.Resume(t.Context(), client, title, []uuid.UUID{group}); !errors.Is(err, upload.ErrNoSession) || srv.open() {
		t.Errorf("the error is %v", err)
	}
	first := mustBegin(t, t.Context(), client)
	must(t, first.AddPages(t.Context(), upload.Folder(folder("1.png"))))
	session, err := upload.Resume(t.Context(), client, title, []uuid.UUID{group})
	must(t, err)
	if got := names(session.Pages()); session.ID() != first.ID() || !slices.Equal(got, []string{"1.png"}) {
		t.Errorf("the session %v has %q", session.ID(), got)
	}
	if _, err := upload.Resume(t.Context(), client, uuid.New(), nil); err == nil || !strings.Contains(err.Error(), title.String()) {
		t.Errorf("the error is %v", err)
	}
}

// TestAnotherPicture notices that a page of the session is not the one of its name in the folder,
// though it is as large.
func TestAnotherPicture(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.client(t)
	first := mustBegin(t, t.Context(), client)
	must(t, first.AddPages(t.Context(), upload.Reader("1.png", strings.NewReader(picture("png", "A")))))
	resumed, err := upload.Resume(t.Context(), client, title, nil, upload.WithEarlier(first.Record()))
	must(t, err)
	err = resumed.AddPages(t.Context(), upload.Reader("1.png", strings.NewReader(picture("png", "B"))))
	if !errors.Is(err, upload.ErrAnotherPage) || !slices.Equal(pagesOf(err), []string{"1.png"}) {
		t.Errorf("the error is %v", err)
	}
	must(t, resumed.AddPages(t.Context(), upload.Reader("1.png", strings.NewReader(picture("png", "A")))))
}

// TestPublished lists what the account has published, of the future, too.
func TestPublished(t *testing.T) {
	t.Parallel()
	srv := start(t)
	id, err := srv.State().AddChapter(apitest.Chapter{Manga: title, Volume: "3", Number: "1", Groups: []uuid.UUID{group}, Uploader: srv.account.ID, Pages: 1, PublishAt: time.Now().AddDate(1, 0, 0)})
	must(t, err)
	found, err := upload.Published(t.Context(), srv.client(t), title, []uuid.UUID{group}, draft)
	must(t, err)
	if len(found) != 1 || found[0].ID != id {
		t.Errorf("found %v", found)
	}
	if found, err = upload.Published(t.Context(), srv.client(t), title, nil, draft); err != nil || len(found) > 0 {
		t.Errorf("found %v without the group, %v", found, err)
	}
	srv.fault = on("GetCurrentUser", always(fault{Status: 403}))
	if _, err = upload.Published(t.Context(), srv.client(t), title, nil, draft); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("the error is %v", err)
	}
}

// TestGroupsOfAResumedSession finds the chapter of a session by the groups that it was begun with,
// whatever the program says that resumes it.
func TestGroupsOfAResumedSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := failing(t, commit, once(fault{After: true, Drop: true}))
		client, by := srv.client(t), []uuid.UUID{group, srv.State().Groups()[0].ID}
		_, err := upload.Begin(t.Context(), client, title, by)
		must(t, err)
		session, err := upload.Resume(t.Context(), client, title, nil)
		must(t, err)
		must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
		chapter, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, err)
		if made := chapter.Relationships.Groups(); len(made) != 2 {
			t.Errorf("the chapter is by %v", made)
		}
	})
}
