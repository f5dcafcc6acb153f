// Package api is a client for the API of MangaDex, with a typed method for each of its operations.
//
//	client, err := api.New(api.Production)
//	manga, err := client.GetManga(ctx, id, &api.GetMangaParams{Includes: []api.MangaInclude{api.MangaIncludeAuthor}})
package api
