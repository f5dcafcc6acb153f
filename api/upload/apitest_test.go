package upload_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/upload"
	"github.com/mangadex-go/mangadex/authn"
)

// uploader starts a fake MangaDex and returns a client that is logged in to an account.
func uploader(t *testing.T, roles ...string) (*apitest.Server, *api.Client) {
	t.Helper()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "uploader", Roles: roles}))
	account, _ := srv.State().Account("uploader")
	web := &http.Client{Transport: srv.Transport()}
	session, err := authn.New(
		authn.WithPersonalClient(account.ClientID, account.ClientSecret),
		authn.WithPassword(account.Username, account.Password),
		authn.WithAuthServer(srv.AuthURL), authn.WithAPIServer(srv.URL), authn.WithHTTPClient(web),
	)
	must(t, err)
	client, err := api.New(srv.URL, api.WithHTTPClient(web), authn.Use(session))
	must(t, err)
	return srv, client
}

// TestPublishAndRead uploads 57 pages to the fake MangaDex, where every second request fails, and
// reads the chapter from its nodes.
func TestPublishAndRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		srv, client := uploader(t)
		manga := srv.State().Manga()[0].ID

		_, err := upload.Begin(ctx, client, manga, nil, upload.WithApprovalCheck("en"))
		if !errors.Is(err, upload.ErrApprovalRequired) {
			t.Errorf("the error is %v", err)
		}
		faults := []apitest.Fault{{Drop: true}, {Truncate: true}, {HTML: true}, {Status: 503}, {Status: 429}, {Truncate: true}}
		session, err := upload.Begin(ctx, client, manga, nil, upload.WithProgress(func(upload.Progress) {
			if len(faults) > 0 {
				faults[0].Operation = "UploadPages"
				srv.Fail(faults[0])
				faults = faults[1:]
			}
		}))
		must(t, err)
		must(t, session.AddPages(ctx, upload.Folder(folder(numbered(57)...))))
		if len(faults) > 0 {
			t.Fatalf("%d faults were not met", len(faults))
		}
		if got := names(session.Pages()); !slices.Equal(got, numbered(57)) {
			t.Fatalf("the session has %q", got)
		}
		sent := 0
		for _, r := range srv.Requests() {
			if r.Operation == "UploadPages" {
				sent++
			}
		}
		if sent < 6+3 || sent > 6+6 {
			t.Errorf("%d requests with pages for 6 that failed", sent)
		}
		made, err := session.Commit(ctx, draft, upload.TermsAccepted)
		must(t, err)
		must(t, srv.State().Approve(made.ID))

		chapter, err := athome.Open(ctx, client, made.ID, athome.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
		must(t, err)
		defer chapter.Close()
		n := 0
		for image, err := range chapter.All(ctx) {
			must(t, err)
			n++
			if want := "IEND\xaeB\x60\x82" + itoa(n) + ".png"; !strings.HasSuffix(string(image.Data), want) {
				t.Errorf("page %d is another one", n)
			}
		}
		if n != 57 {
			t.Errorf("the chapter has %d pages, want 57", n)
		}
	})
}

// TestEditPages takes a page out of a chapter of the fake MangaDex and puts another one in.
func TestEditPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, client := uploader(t, "ROLE_MEMBER", "ROLE_POWER_UPLOADER")
		manga := srv.State().Manga()[0].ID
		session, err := upload.Begin(t.Context(), client, manga, nil, upload.WithApprovalCheck("en"))
		must(t, err)
		must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png", "3.png"))))
		titled := draft
		titled.Title = api.Value("The Kettle")
		made, err := session.Commit(t.Context(), titled, upload.TermsAccepted)
		must(t, err)

		_, err = upload.Edit(t.Context(), client, made.ID, made.Attributes.Version+1)
		var conflict *api.ConflictError
		if !errors.As(err, &conflict) || conflict.Current != made.Attributes.Version {
			t.Errorf("the error is %v", err)
		}
		session, err = upload.Edit(t.Context(), client, made.ID, made.Attributes.Version)
		must(t, err)
		var open *upload.OpenError
		if _, err := upload.Begin(t.Context(), client, manga, nil); !errors.As(err, &open) {
			t.Fatal(err)
		}
		_, err = open.Resume()
		wantError(t, err, "upload: the open session edits the chapter "+made.ID.String()+" and is not for a new one; Replace it")
		other := srv.State().Chapters(manga)[0].ID
		if _, err := upload.Edit(t.Context(), client, other, 1); !errors.As(err, &open) {
			t.Fatal(err)
		}
		_, err = open.Resume()
		wantError(t, err, "upload: the open session edits the chapter "+made.ID.String()+", not "+other.String()+"; Replace it")
		pages := names(session.Pages())
		if len(pages) != 3 {
			t.Fatalf("the chapter has the pages %q", pages)
		}
		must(t, session.Remove(t.Context(), pages[0], pages[2]))
		must(t, session.AddPages(t.Context(), upload.Folder(folder("new.png"))))
		must(t, session.Reorder("new.png", pages[1]))
		edited, err := session.Commit(t.Context(), upload.DraftOf(made), upload.TermsAccepted)
		must(t, err)
		chapters := srv.State().Chapters(manga) // the answer to a commit tells of no pages
		if last := chapters[len(chapters)-1]; edited.ID != made.ID || last.ID != made.ID || last.Pages != 2 {
			t.Errorf("the chapter %v is %+v", edited.ID, last)
		}
		if a, b := edited.Attributes, made.Attributes; *a.Title != *b.Title || *a.Chapter != *b.Chapter || a.Volume != nil || a.TranslatedLanguage != b.TranslatedLanguage {
			t.Errorf("the chapter was %+v and is %+v", b, a)
		}
	})
}

// TestRefusedPages has the fake MangaDex take only some of the pages of a request.
func TestRefusedPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, client := uploader(t)
		session, err := upload.Begin(t.Context(), client, srv.State().Manga()[0].ID, nil)
		must(t, err)
		pages := upload.Folder(folder("1.png", "2.png", "3.png"))

		srv.Fail(apitest.Fault{Operation: "UploadPages", Count: apitest.Always, RefusePages: 1})
		err = session.AddPages(t.Context(), pages)
		var page *upload.PageError
		if !errors.As(err, &page) || !strings.HasSuffix(err.Error(), ": the server did not take it: the file could not be stored") {
			t.Errorf("the error is %v", err)
		}
		srv.Heal()
		srv.Fail(apitest.Fault{Operation: "UploadPages", RefusePages: 2})
		must(t, session.AddPages(t.Context(), pages))
		if got := names(session.Pages()); !slices.Equal(got, []string{"1.png", "2.png", "3.png"}) {
			t.Errorf("the pages are %q", got)
		}
	})
}

// TestResumeAndReplace leaves sessions open on the fake MangaDex.
func TestResumeAndReplace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, client := uploader(t)
		manga := srv.State().Manga()[0].ID
		first, err := upload.Begin(t.Context(), client, manga, nil)
		must(t, err)
		must(t, first.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png"))))

		var open *upload.OpenError
		if _, err = upload.Begin(t.Context(), client, manga, nil); !errors.As(err, &open) {
			t.Fatal(err)
		}
		if open.ID != first.ID() || open.Manga != manga || len(open.Pages) != 2 {
			t.Errorf("the open session is %+v", *open)
		}
		second, err := open.Resume()
		must(t, err)
		must(t, second.AddPages(t.Context(), upload.Folder(folder("1.png", "2.png", "3.png"))))
		if n := len(second.Pages()); n != 3 {
			t.Errorf("the session has %d pages", n)
		}
		third, err := open.Replace(t.Context())
		must(t, err)
		if err := second.AddPages(t.Context(), upload.Folder(folder("4.png"))); !errors.Is(err, upload.ErrSessionClosed) {
			t.Errorf("the error is %v", err)
		}
		must(t, third.Close())
		if _, err := client.GetUploadSession(t.Context(), nil); !errors.Is(err, api.ErrNotFound) {
			t.Errorf("after Close the error is %v", err)
		}
	})
}

// TestGroupsOfAResumedSession finds the chapter of a session by the groups that it was begun with,
// whatever the program says that resumes it.
func TestGroupsOfAResumedSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, client := uploader(t, "ROLE_MEMBER", "ROLE_POWER_UPLOADER")
		manga := srv.State().Manga()[0].ID
		groups, err := client.ListGroups(t.Context(), nil)
		must(t, err)
		by := []uuid.UUID{groups.Data[0].ID, groups.Data[1].ID}
		_, err = upload.Begin(t.Context(), client, manga, by)
		must(t, err)
		session, err := upload.Resume(t.Context(), client, manga, nil)
		must(t, err)
		must(t, session.AddPages(t.Context(), upload.Folder(folder("1.png"))))
		srv.Fail(apitest.Fault{Operation: "CommitUpload", After: true, Drop: true})
		chapter, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
		must(t, err)
		if made := chapter.Relationships.Groups(); len(made) != 2 {
			t.Errorf("the chapter is by %v", made)
		}
	})
}

func TestCoverOfATitle(t *testing.T) {
	t.Parallel()
	srv, client := uploader(t)
	manga := srv.State().Manga()[0].ID
	added, err := upload.Cover(t.Context(), client, manga, upload.Reader("cover.jpg", strings.NewReader(picture("jpeg", ""))), upload.CoverDetails{Volume: "3", Locale: "ja"})
	must(t, err)
	if v := added.Attributes.Volume; v == nil || *v != "3" {
		t.Errorf("the cover is %+v", added.Attributes)
	}
	if _, err := upload.Cover(t.Context(), client, uuid.New(), upload.Reader("cover.jpg", strings.NewReader(picture("jpeg", ""))), upload.CoverDetails{Locale: "ja"}); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
}

// TestWrappedBodies uploads through a middleware that wraps the bodies of answers, which changes
// nothing.
func TestWrappedBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &server{fault: on(commit, func(n int) fault { return fault{lose: n == 1} })}
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
