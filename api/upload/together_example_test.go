package upload_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/api/upload"
	"github.com/mangadex-go/mangadex/authn"
)

// Log in, download a chapter, and publish its pages for another title: four packages, whose options,
// progress and errors are alike.
func Example_together() {
	srv, err := apitest.NewServer() // leave out what is of srv for MangaDex itself
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	if err := moveChapter(context.Background(), srv); err != nil {
		fmt.Println(advice(err))
	}
	// Output:
	// downloaded 3 of 3 pages
	// sent 3 of 3 pages
	// published
}

func moveChapter(ctx context.Context, srv *apitest.Server) error {
	session, err := authn.New(
		authn.WithAPIServer(srv.URL), authn.WithAuthServer(srv.AuthURL),
		authn.WithPersonalClient(srv.Account.ClientID, srv.Account.ClientSecret),
		authn.WithPassword(srv.Account.Username, srv.Account.Password),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	client, err := api.New(srv.URL, authn.Use(session), api.WithoutRateLimit())
	if err != nil {
		return err
	}
	titles := srv.State().Manga()
	from, err := srv.State().AddChapter(apitest.Chapter{Manga: titles[0].ID, Number: "1", Pages: 3})
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "pages")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)

	var downloaded athome.Progress
	chapter, err := athome.Open(ctx, client, from, athome.WithProgress(func(p athome.Progress) { downloaded = p }))
	if err != nil {
		return err
	}
	defer chapter.Close()
	if err := chapter.Save(ctx, folder); err != nil {
		return err
	}
	fmt.Println("downloaded", downloaded.Pages, "of", downloaded.TotalPages, "pages")

	var sent upload.Progress
	up, err := upload.Begin(ctx, client, titles[1].ID, nil, upload.WithProgress(func(p upload.Progress) { sent = p }))
	if err != nil {
		return err
	}
	defer up.Close()
	if err := up.AddPages(ctx, upload.Folder(os.DirFS(folder))); err != nil {
		return err
	}
	fmt.Println("sent", sent.Pages, "of", sent.TotalPages, "pages")
	published, err := up.Commit(ctx, api.ChapterDraft{TranslatedLanguage: "en", Chapter: api.Value("1")}, upload.TermsAccepted)
	if err != nil {
		return err
	}
	if published.ID != uuid.Nil {
		fmt.Println("published")
	}
	return nil
}

// advice is what a program can say about an error of any of the packages.
func advice(err error) string {
	var (
		limited *transport.RateLimitError // types have what a program can use …
		page    *athome.PageError
		open    *upload.OpenError
	)
	switch {
	case errors.Is(err, authn.ErrUnauthorized): // … and sentinels say what it is
		return "log in first: " + err.Error()
	case errors.As(err, &limited):
		return fmt.Sprintf("come back at %v", limited.RetryAt)
	case errors.As(err, &page):
		return fmt.Sprintf("page %d cannot be had: %v", page.Page.Index+1, page.Err)
	case errors.As(err, &open):
		return fmt.Sprintf("an upload of %d pages is open: resume or replace it", len(open.Pages))
	case errors.Is(err, upload.ErrOutcomeUnknown), api.MayBeDone(err):
		return "look whether it was done before you do it again: " + err.Error()
	}
	return err.Error()
}
