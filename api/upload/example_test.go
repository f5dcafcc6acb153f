package upload_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/upload"
)

// Upload a folder of pages as a chapter. If an earlier run was interrupted, this one goes on with it.
func Example() {
	publish := func(ctx context.Context, client *api.Client, manga uuid.UUID, group uuid.UUID, accepted bool) error {
		session, err := upload.Begin(ctx, client, manga, []uuid.UUID{group}, upload.WithProgress(func(p upload.Progress) {
			fmt.Printf("%d of %d pages\n", p.Pages, p.TotalPages)
		}))
		var open *upload.OpenError
		if errors.As(err, &open) {
			session, err = open.Resume()
		}
		if err != nil {
			return err
		}
		if err := session.AddPages(ctx, upload.Folder(os.DirFS("chapter 12"), "*.png", "*.jpg")); err != nil {
			return err // the session stays open for the next run
		}
		chapter, err := session.Commit(ctx, api.ChapterDraft{
			Volume:             api.Value("2"),
			Chapter:            api.Value("12"),
			Title:              api.Value("The Kettle"),
			TranslatedLanguage: "en",
		}, upload.Terms(accepted))
		if err != nil {
			return err
		}
		fmt.Println("https://mangadex.org/chapter/" + chapter.ID.String())
		return nil
	}
	_ = publish
}

// Replace the first page of a chapter.
func ExampleEdit() {
	replace := func(ctx context.Context, client *api.Client, chapter *api.Chapter) error {
		session, err := upload.Edit(ctx, client, chapter.ID, chapter.Attributes.Version)
		if err != nil {
			return err
		}
		defer session.Close()
		pages := session.Pages()
		if err := session.AddPages(ctx, upload.Files("new first page.png")); err != nil {
			return err
		}
		if err := session.Remove(ctx, pages[0].Name); err != nil {
			return err
		}
		order := []string{"new first page.png"}
		for _, page := range pages[1:] {
			order = append(order, page.Name)
		}
		if err := session.Reorder(order...); err != nil {
			return err
		}
		_, err = session.Commit(ctx, upload.DraftOf(chapter), upload.TermsAccepted)
		return err
	}
	_ = replace
}
