package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// Outside of tests; in a test, Start does with a line. Here it has a title and a chapter of one's own.
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
