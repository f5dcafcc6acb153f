// Package apitest is a fake MangaDex for tests, demonstrations and work without a network.
//
//	srv := apitest.Start(t)
//	client, err := api.New(srv.URL)
//	list, err := client.SearchManga(ctx, &api.SearchMangaParams{Title: api.Ptr("kettle")})
//
// It has an invented catalogue, checks every request against the specification and answers as
// MangaDex does, with its habits and its errors.
package apitest
