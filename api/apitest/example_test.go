package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A test of a program's own: the server is closed when it ends, and a request that MangaDex would not
// understand makes it fail.
func ExampleStart() {
	test := func(t *testing.T) {
		srv := apitest.Start(t)
		client, err := api.New(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		srv.Fail(apitest.Fault{Operation: "GetManga", Status: http.StatusServiceUnavailable})
		id := srv.State().Manga()[0].ID
		if _, err := client.GetManga(t.Context(), id, nil); err != nil { // the client asks again after the 503
			t.Error(err)
		}
		if n := len(srv.Requests()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	}
	_ = test // func TestMine(t *testing.T)
}

// Outside of tests, with a title and a chapter of one's own.
func ExampleNewServer() {
	ctx := context.Background()
	srv, err := apitest.NewServer(apitest.WithSeed(7))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	manga, err := srv.State().AddManga(apitest.Manga{Title: "The Lantern Keeper"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := srv.State().AddChapter(apitest.Chapter{Manga: manga, Number: "1", Pages: 12}); err != nil {
		log.Fatal(err)
	}

	client, err := api.New(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	feed, err := client.GetMangaFeed(ctx, manga, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, chapter := range feed.Data {
		fmt.Println("chapter", *chapter.Attributes.Chapter, "has", chapter.Attributes.Pages, "pages")
	}
	for _, request := range srv.Requests() {
		fmt.Println(request.Method, request.Operation, request.Status)
	}
	// Output:
	// chapter 1 has 12 pages
	// GET GetMangaFeed 200
}

// Everything that can go wrong can be made to: here a proxy answers, once.
func ExampleServer_Fail() {
	srv, err := apitest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := api.New(srv.URL, api.WithoutRetry())
	if err != nil {
		log.Fatal(err)
	}
	srv.Fail(apitest.Fault{Operation: "ListTags", Status: http.StatusBadGateway, HTML: true})
	for range 2 {
		_, err = client.ListTags(context.Background())
		fmt.Println(errors.Is(err, api.ErrServer), errors.Is(err, api.ErrNotJSON))
	}
	// Output:
	// true true
	// false false
}
