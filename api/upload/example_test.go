package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"log"
	"testing/fstest"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/upload"
	"github.com/mangadex-go/mangadex/authn"
)

// A studio is the fake MangaDex and what an uploader has there, so that the examples need no network.
type studio struct {
	*apitest.Server
	session      *authn.Session
	client       *api.Client
	manga, group uuid.UUID
}

func openStudio(ctx context.Context) *studio {
	srv, err := apitest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	session, err := authn.New(
		authn.WithAPIServer(srv.URL), authn.WithAuthServer(srv.AuthURL),
		authn.WithPersonalClient(srv.Account.ClientID, srv.Account.ClientSecret),
		authn.WithPassword(srv.Account.Username, srv.Account.Password),
	)
	if err != nil {
		log.Fatal(err)
	}
	client, err := api.New(srv.URL, authn.Use(session), api.WithoutRateLimit())
	if err != nil {
		log.Fatal(err)
	}
	groups, err := client.ListGroups(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	return &studio{srv, session, client, srv.State().Manga()[0].ID, groups.Data[0].ID}
}

func (s *studio) close() {
	s.session.Close()
	s.Close()
}

// scans is a folder of pages, as os.DirFS opens one.
func scans(names ...string) fs.FS {
	folder := fstest.MapFS{}
	for i, name := range names {
		var page bytes.Buffer
		if err := png.Encode(&page, image.NewGray(image.Rect(0, 0, 800, 1200+i))); err != nil {
			log.Fatal(err)
		}
		folder[name] = &fstest.MapFile{Data: page.Bytes()}
	}
	return folder
}

// Upload a folder of pages as a chapter. If an earlier run was interrupted, this one goes on with it.
func Example() {
	ctx := context.Background()
	studio := openStudio(ctx)
	defer studio.close()

	session, err := upload.Begin(ctx, studio.client, studio.manga, []uuid.UUID{studio.group})
	var open *upload.OpenError
	if errors.As(err, &open) {
		session, err = open.Resume()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	folder := scans("1.png", "2.png", "10.png") // os.DirFS("chapter 12")
	if err := session.AddPages(ctx, upload.Folder(folder, "*.png", "*.jpg")); err != nil {
		fmt.Println(err) // the session stays open for the next run
		return
	}
	chapter, err := session.Commit(ctx, api.ChapterDraft{
		Volume:             api.Value("2"),
		Chapter:            api.Value("12"),
		Title:              api.Value("The Kettle"),
		TranslatedLanguage: "en",
	}, upload.TermsAccepted) // https://mangadex.org/compliance
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*chapter.Attributes.Chapter, *chapter.Attributes.Title)
	// Output: 12 The Kettle
}

// Find out what came of an upload of an earlier run, whose record was kept.
func ExampleFind() {
	settle := func(ctx context.Context, client *api.Client, record upload.Record) error {
		if !record.InDoubt() {
			return nil
		}
		chapter, err := upload.Find(ctx, client, record)
		switch {
		case err == nil:
			fmt.Println("published: https://mangadex.org/chapter/" + chapter.ID.String())
		case errors.Is(err, upload.ErrNotPublished):
			fmt.Println("not published; Resume goes on with the session")
		case errors.Is(err, upload.ErrOutcomeUnknown):
			return err // which says where to look; another Find may know
		}
		return nil
	}
	_ = settle
}

// Replace the first page of a chapter.
func ExampleEdit() {
	ctx := context.Background()
	studio := openStudio(ctx)
	defer studio.close()
	chapter, err := studio.publish(ctx, scans("1.png", "2.png"))
	if err != nil {
		fmt.Println(err)
		return
	}

	session, err := upload.Edit(ctx, studio.client, chapter.ID, chapter.Attributes.Version)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	pages := session.Pages()
	if err := session.AddPages(ctx, upload.Folder(scans("new first page.png"))); err != nil {
		fmt.Println(err)
		return
	}
	if err := session.Remove(ctx, pages[0].Name); err != nil {
		fmt.Println(err)
		return
	}
	order := []string{"new first page.png"}
	for _, page := range pages[1:] {
		order = append(order, page.Name)
	}
	if err := session.Reorder(order...); err != nil {
		fmt.Println(err)
		return
	}
	edited, err := session.Commit(ctx, upload.DraftOf(chapter), upload.TermsAccepted)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("version", edited.Attributes.Version)
	// Output: version 2
}

// publish makes a chapter of a folder.
func (s *studio) publish(ctx context.Context, folder fs.FS) (*api.Chapter, error) {
	session, err := upload.Begin(ctx, s.client, s.manga, []uuid.UUID{s.group})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	if err := session.AddPages(ctx, upload.Folder(folder)); err != nil {
		return nil, err
	}
	return session.Commit(ctx, api.ChapterDraft{Chapter: api.Value("12"), TranslatedLanguage: "en"}, upload.TermsAccepted)
}
