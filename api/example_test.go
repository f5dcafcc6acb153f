package api_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

// A fakeMangaDex lets the examples run without a network. It has a client that is logged in; that of
// a program comes from api.New(api.Production, authn.Use(session)).
type fakeMangaDex struct {
	*apitest.Server
	session *authn.Session
	client  *api.Client
	kettle  uuid.UUID // a title
}

func startFake() *fakeMangaDex {
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
	f := &fakeMangaDex{srv, session, client, uuid.Nil}
	for _, manga := range srv.State().Manga() {
		if strings.HasSuffix(manga.Title, "Kettle") {
			f.kettle = manga.ID
		}
	}
	return f
}

func (f *fakeMangaDex) stop() {
	f.session.Close()
	f.Close()
}

func Example() {
	fake := startFake()
	defer fake.stop()
	ctx := context.Background()

	client, err := api.New(fake.URL, api.WithUserAgent("shelf/1.0 (+https://shelf.example)")) // api.Production
	if err != nil {
		log.Fatal(err)
	}
	found, err := client.SearchManga(ctx, &api.SearchMangaParams{
		Title:    api.Ptr("kettle"),
		Includes: []api.Include{api.IncludeAuthor},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, manga := range found.Data {
		fmt.Println(manga.Attributes.Title.In("en", "ja-ro"))
		for _, author := range manga.Relationships.Authors() {
			if author.Attributes != nil { // nil for an author who was deleted
				fmt.Println("  by", author.Attributes.Name)
			}
		}
	}
	// Output:
	// Hatayu and the Borrowed Kettle
	//   by Rakuki Mene
}

func ExampleClient_SearchManga() {
	fake := startFake()
	defer fake.stop()
	client, ctx := fake.client, context.Background()

	found, err := client.SearchManga(ctx, &api.SearchMangaParams{
		Title:                       api.Ptr("the"),
		AvailableTranslatedLanguage: []string{"en", "pt-br"},
		ContentRating:               []api.ContentRating{api.ContentRatingSafe}, // three of four by default
		HasAvailableChapters:        api.Ptr(api.Yes),
		Order:                       api.MangaOrder{}.Title(api.Asc),
		Includes:                    []api.Include{api.IncludeCoverArt},
		Limit:                       api.Ptr(2),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, manga := range found.Data {
		fmt.Println(manga.Attributes.Title)
		if cover, ok := manga.Relationships.Cover(); ok && cover.Attributes != nil {
			_ = api.CoverURL(manga.ID, cover.Attributes.FileName, api.CoverMedium) // 512 pixels wide
		}
	}
	// Output:
	// Hatayu and the Borrowed Kettle
	// Mihami and the Hollow Bakery
}

func ExampleClient_GetMangaFeedAll() {
	fake := startFake()
	defer fake.stop()
	client, mangaID, ctx := fake.client, fake.kettle, context.Background()

	for chapter, err := range client.GetMangaFeedAll(ctx, mangaID, &api.GetMangaFeedParams{
		TranslatedLanguage: []string{"en"},
		Order:              api.ChapterOrder{}.Volume(api.Asc).Chapter(api.Asc),
	}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("chapter", *chapter.Attributes.Chapter, "has", chapter.Attributes.Pages, "pages")
		if *chapter.Attributes.Chapter == "3" {
			break // the next page of results is not asked for
		}
	}
	// Output:
	// chapter 1 has 10 pages
	// chapter 2 has 3 pages
	// chapter 3 has 8 pages
}

// A program that keeps a copy asks for what has changed since it last did, oldest change first, and
// remembers how far it came.
func ExampleClient_GetFollowedMangaFeedAll() {
	fake := startFake()
	defer fake.stop()
	client, ctx := fake.client, context.Background()
	if err := client.FollowManga(ctx, fake.kettle); err != nil {
		log.Fatal(err)
	}

	chapters, since := map[uuid.UUID]api.Chapter{}, time.Time{}
	sync := func() (changed int, err error) {
		for chapter, err := range client.GetFollowedMangaFeedAll(ctx, &api.GetFollowedMangaFeedParams{
			UpdatedAtSince: api.Since(since),
			Order:          api.ChapterOrder{}.UpdatedAt(api.Asc),
		}) {
			if err != nil {
				return changed, err // the next call goes on from here
			}
			if have := chapters[chapter.ID]; have.Attributes.Version != chapter.Attributes.Version {
				chapters[chapter.ID] = chapter
				changed++
			}
			since = chapter.Attributes.UpdatedAt
		}
		return changed, nil
	}
	fmt.Println(sync())
	if _, err := fake.State().AddChapter(apitest.Chapter{Manga: fake.kettle, Number: "23", Pages: 1}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sync())
	// Output:
	// 22 <nil>
	// 1 <nil>
}

// Titles by their ids come in one request for each hundred.
func ExampleClient_GetMangaByIDs() {
	fake := startFake()
	defer fake.stop()
	client, ctx := fake.client, context.Background()

	nobodyHas := uuid.MustParse("5d9f8a52-9d0e-4c0f-8c9a-0a61c1f0a000")
	found, missing, err := client.GetMangaByIDs(ctx, []uuid.UUID{fake.kettle, nobodyHas}, api.IncludeArtist)
	if err != nil {
		log.Fatal(err)
	}
	for _, manga := range found {
		fmt.Println(manga.Attributes.Title)
	}
	fmt.Println("missing:", missing)
	// Output:
	// Hatayu and the Borrowed Kettle
	// missing: [5d9f8a52-9d0e-4c0f-8c9a-0a61c1f0a000]
}

// An edit over a version conflict: if somebody else changes the list meanwhile, it is read and changed
// again.
func ExampleClient_EditCustomList() {
	fake := startFake()
	defer fake.stop()
	client, ctx := fake.client, context.Background()

	made, err := client.CreateCustomList(ctx, api.CustomListCreate{Name: "To read"})
	if err != nil {
		log.Fatal(err)
	}
	list, err := client.EditCustomList(ctx, made.Data.ID, func(edit *api.CustomListEdit) error {
		edit.Manga = append(edit.Manga, fake.kettle)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(list.Data.Attributes.Name, "has", len(list.Data.Relationships.AllManga()), "title")
	// Output: To read has 1 title
}

// In an edit a field that is not set stays as it is, and null clears it.
func ExampleNull() {
	fake := startFake()
	defer fake.stop()
	client, ctx := fake.client, context.Background()

	for _, status := range []api.ReadingStatusEdit{
		{Status: api.Value(api.ReadingStatusReading)},
		{Status: api.Null[api.ReadingStatus]()},
	} {
		if err := client.SetReadingStatus(ctx, fake.kettle, status); err != nil {
			log.Fatal(err)
		}
		now, err := client.GetReadingStatus(ctx, fake.kettle)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q\n", now.Status)
	}
	// Output:
	// "reading"
	// ""
}

func ExampleError() {
	fake := startFake()
	defer fake.stop()
	client, ctx := fake.client, context.Background()

	_, err := client.SearchManga(ctx, &api.SearchMangaParams{Limit: api.Ptr(101)})
	var answer *api.Error
	if errors.As(err, &answer) {
		fmt.Println(answer.Operation, answer.StatusCode)
		for _, reason := range answer.Errors {
			fmt.Println(reason)
		}
	}
	_, err = client.GetManga(ctx, uuid.New(), nil)
	fmt.Println(errors.Is(err, api.ErrNotFound))
	// Output:
	// SearchManga 400
	// validation_exception: Error validating /limit: Must have a maximum value of 100
	// true
}

// Some operations answer a question with a status.
func ExampleFound() {
	fake := startFake()
	defer fake.stop()
	client, ctx := fake.client, context.Background()

	follows, err := api.Found(client.CheckFollowedManga(ctx, fake.kettle))
	fmt.Println(follows, err)
	// Output: false <nil>
}

func ExampleLocalizedString_In() {
	title := api.LocalizedString{{Language: "ja-ro", Text: "Yoru no Toudai"}, {Language: "en", Text: "Lighthouse at Night"}}
	fmt.Println(title.In("de", "ja-ro")) // the first of these languages that there is
	fmt.Println(title.In("de"))          // or else English, or any
	// Output:
	// Yoru no Toudai
	// Lighthouse at Night
}

// A proxy of its own; without this, HTTPS_PROXY and NO_PROXY of the environment count.
func ExampleWithHTTPClient() {
	proxy, err := url.Parse("http://proxy.example:3128")
	if err != nil {
		log.Fatal(err)
	}
	base := transport.Base()
	base.Proxy = http.ProxyURL(proxy)
	through := &http.Client{Transport: base} // also for authn.WithHTTPClient and athome.WithHTTPClient
	client, err := api.New(api.Production, api.WithHTTPClient(through))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Server())
	// Output: https://api.mangadex.org
}

// A middleware sees every call once, however often it is repeated.
func ExampleWithMiddleware() {
	fake := startFake()
	defer fake.stop()

	client, err := api.New(fake.URL, api.WithMiddleware(func(next api.HttpRequestDoer) api.HttpRequestDoer {
		return api.DoerFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := next.Do(req)
			if op, ok := api.OperationFrom(req.Context()); ok && err == nil {
				fmt.Println(op.ID, op.Path, resp.StatusCode)
			}
			return resp, err
		})
	}))
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Ping(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: Ping /ping 200
}
