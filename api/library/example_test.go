package library_test

import (
	"context"
	"fmt"
	"log"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/library"
	"github.com/mangadex-go/mangadex/authn"
)

// What a user follows, in a handful of requests. The fake MangaDex stands for the real one.
func Example() {
	ctx := context.Background()
	srv, err := apitest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	session, err := authn.New(
		authn.WithAPIServer(srv.URL), authn.WithAuthServer(srv.AuthURL),
		authn.WithPersonalClient(srv.Account.ClientID, srv.Account.ClientSecret),
		authn.WithPassword(srv.Account.Username, srv.Account.Password),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	client, err := api.New(srv.URL, authn.Use(session))
	if err != nil {
		log.Fatal(err)
	}
	manga := srv.State().Manga()[0]
	if err := client.FollowManga(ctx, manga.ID); err != nil {
		log.Fatal(err)
	}
	if err := client.SetRating(ctx, manga.ID, api.RatingEdit{Rating: 9}); err != nil {
		log.Fatal(err)
	}

	titles, err := library.Read(ctx, client)
	if err != nil {
		log.Fatal(err)
	}
	for _, title := range titles {
		fmt.Println(title.Manga.Attributes.Title, title.Rating.Rating, "of 10,", len(title.Read), "chapters read")
	}
	// Output: The Northern Staircase of SoroRorini 9 of 10, 0 chapters read
}
