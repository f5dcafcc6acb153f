package main

import (
	"context"
	"fmt"
	"log"

	"github.com/mangadex-go/mangadex/api"
)

func main() {
	ctx := context.Background()
	client, err := api.New(api.Production, api.WithUserAgent("shelf/1.0 (+https://shelf.example)"))
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
		fmt.Println(manga.ID, manga.Attributes.Title.In("en", "ja-ro"))
		for _, author := range manga.Relationships.Authors() {
			if author.Attributes != nil { // nil for an author who was deleted
				fmt.Println("  by", author.Attributes.Name)
			}
		}
	}
}
