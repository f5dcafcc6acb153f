package reading_test

import (
	"context"
	"fmt"
	"log"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

func ExampleNewList() {
	kettle := api.Relationships{{ID: uuid.MustParse("10000000-0000-4000-8000-000000000000"), Type: api.ResourceTypeScanlationGroup, Attributes: &api.GroupAttributes{Name: "Kettle Scans"}}}
	others := api.Relationships{{ID: uuid.MustParse("20000000-0000-4000-8000-000000000000"), Type: api.ResourceTypeScanlationGroup, Attributes: &api.GroupAttributes{Name: "Others"}}}
	chapters := []api.Chapter{
		{ID: uuid.MustParse("a0000000-0000-4000-8000-000000000000"), Relationships: kettle, Attributes: api.ChapterAttributes{Chapter: api.Ptr("10"), TranslatedLanguage: "en", Pages: 20}},
		{ID: uuid.MustParse("b0000000-0000-4000-8000-000000000000"), Relationships: others, Attributes: api.ChapterAttributes{Chapter: api.Ptr("9.5"), TranslatedLanguage: "en", Pages: 20}},
		{ID: uuid.MustParse("c0000000-0000-4000-8000-000000000000"), Relationships: others, Attributes: api.ChapterAttributes{Chapter: api.Ptr("10"), TranslatedLanguage: "en", Pages: 20}},
	}
	list := reading.NewList(chapters, reading.Prefer("kettle scans"))
	for _, entry := range list.Entries {
		fmt.Println(list.FileName(entry.Chosen().ID))
		for _, version := range entry.Versions[1:] {
			fmt.Printf("  also %.8s, behind by %s\n", version.ID, version.Behind)
		}
	}
	next, ok := list.Next(chapters[1].ID)
	fmt.Println(next.Number, ok)
	// Output:
	// c0009.5 [en] [Others] [b0000000]
	// c0010 [en] [Kettle Scans] [a0000000]
	//   also c0000000, behind by preferred
	// 10 true
}

func ExampleTags() {
	client, err := api.New(api.Production)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	all, err := client.ListTags(ctx)
	if err != nil {
		log.Fatal(err)
	}
	ids, err := reading.Tags(all.Data, "slice of life", "sci-fi")
	if err != nil {
		log.Fatal(err)
	}
	found, err := client.SearchManga(ctx, &api.SearchMangaParams{IncludedTags: ids, ContentRating: reading.AllRatings()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Total)
}

func ExampleParseLink() {
	link, ok := reading.ParseLink("mangadex.org/title/0123abcd-0000-4000-8000-0123456789ab/the-kettle")
	fmt.Println(link.Kind, link.ID, ok)
	fmt.Println(link.URL())
	// Output:
	// manga 0123abcd-0000-4000-8000-0123456789ab true
	// https://mangadex.org/title/0123abcd-0000-4000-8000-0123456789ab
}

func ExampleLine() {
	fmt.Println(reading.Line("two\nlines\x1b[31m"))
	fmt.Println(reading.FileName("AUX: 1/2?"))
	// Output:
	// two lines[31m
	// AUX_ 1_2_
}
