package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/bench/plain"
	"github.com/mangadex-go/mangadex/internal/sample"
)

// memory answers every request with one body, without a network.
type memory struct{ body []byte }

func (m memory) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(m.body)), Body: io.NopCloser(bytes.NewReader(m.body)), Request: req,
	}, nil
}

// newClient is a client as users have it, but for the limit of five requests a second.
func newClient(b testing.TB, server string, transport http.RoundTripper) *api.Client {
	client, err := api.New(server, api.WithHTTPClient(&http.Client{Transport: transport}), api.WithoutRateLimit())
	if err != nil {
		b.Fatal(err)
	}
	return client
}

var searchParams = &api.SearchMangaParams{
	Limit: api.Ptr(100), Includes: []api.Include{api.IncludeAuthor, api.IncludeArtist, api.IncludeCoverArt},
}

// searchList calls SearchManga for a page of 100 titles with author, artist and cover.
func searchList(b *testing.B) {
	body := sample.MangaList(100, 1)
	client := newClient(b, api.Production, memory{body})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		list, err := client.SearchManga(b.Context(), searchParams)
		if err != nil || len(list.Data) != 100 {
			b.Fatal(err)
		}
	}
}

// searchListPlain does the same with plain generated code.
func searchListPlain(b *testing.B) {
	body := sample.MangaList(100, 1)
	client, err := plain.NewClientWithResponses(api.Production, plain.WithHTTPClient(&http.Client{Transport: memory{body}}))
	if err != nil {
		b.Fatal(err)
	}
	limit := 100
	includes := plain.ReferenceExpansionManga{"author", "artist", "cover_art"}
	params := &plain.GetSearchMangaParams{Limit: &limit, Includes: &includes}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := client.GetSearchMangaWithResponse(b.Context(), params)
		if err != nil || answer.JSON200 == nil || len(*answer.JSON200.Data) != 100 {
			b.Fatal(err)
		}
	}
}

// loopback serves one title over HTTP.
func loopback(b testing.TB) (*httptest.Server, []byte) {
	body := sample.Manga(1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	}))
	b.Cleanup(server.Close)
	return server, body
}

// oneManga calls GetManga over loopback.
func oneManga(b *testing.B) {
	server, body := loopback(b)
	client := newClient(b, server.URL, server.Client().Transport)
	id := uuid.New()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.GetManga(b.Context(), id, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// oneMangaBare fetches the same bytes with a bare client.
func oneMangaBare(b *testing.B) {
	server, body := loopback(b)
	client := server.Client()
	url := server.URL + "/manga/" + uuid.NewString()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(got) != len(body) {
			b.Fatal(err)
		}
	}
}

var errBuilt = errors.New("built")

// buildRequest makes a request with 20 query parameters, and does not send it.
func buildRequest(b *testing.B) {
	client := newClient(b, api.Production, memory{})
	stop := func(context.Context, *http.Request) error { return errBuilt }
	id := uuid.New()
	params := &api.SearchMangaParams{
		Limit: api.Ptr(100), Offset: api.Ptr(200), Title: api.Ptr("a title with spaces & more"), AuthorOrArtist: &id,
		Year: api.Ptr("2020"), IncludedTags: []uuid.UUID{id, id}, IncludedTagsMode: api.Ptr(api.TagModeOr),
		ExcludedTags: []uuid.UUID{id}, ExcludedTagsMode: api.Ptr(api.TagModeAnd),
		Status:           []api.PublicationStatus{api.PublicationStatusOngoing, api.PublicationStatusCompleted},
		OriginalLanguage: []string{"ja"}, AvailableTranslatedLanguage: []string{"en", "pt-br"},
		ContentRating: []api.ContentRating{api.ContentRatingSafe}, HasAvailableChapters: api.Ptr(api.Yes),
		Order: api.MangaOrder{}.FollowedCount(api.Desc), Includes: []api.Include{api.IncludeAuthor, api.IncludeCoverArt},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.SearchManga(b.Context(), params, stop); !errors.Is(err, errBuilt) {
			b.Fatal(err)
		}
	}
}

// buildRequestPlain does the same with the builder of oapi-codegen.
func buildRequestPlain(b *testing.B) {
	id := uuid.New()
	limit, offset, title := 100, 200, "a title with spaces & more"
	or, and := plain.GetSearchMangaParamsIncludedTagsMode("OR"), plain.GetSearchMangaParamsExcludedTagsMode("AND")
	yes := plain.GetSearchMangaParamsHasAvailableChapters("1")
	included, excluded := []uuid.UUID{id, id}, []uuid.UUID{id}
	status := []plain.GetSearchMangaParamsStatus{"ongoing", "completed"}
	original, available := []string{"ja"}, []string{"en", "pt-br"}
	rating := []plain.GetSearchMangaParamsContentRating{"safe"}
	includes := plain.ReferenceExpansionManga{"author", "cover_art"}
	params := &plain.GetSearchMangaParams{
		Limit: &limit, Offset: &offset, Title: &title, AuthorOrArtist: &id, IncludedTags: &included, IncludedTagsMode: &or,
		ExcludedTags: &excluded, ExcludedTagsMode: &and, Status: &status, OriginalLanguage: &original,
		AvailableTranslatedLanguage: &available, ContentRating: &rating, HasAvailableChapters: &yes, Includes: &includes,
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plain.NewGetSearchMangaRequest(api.Production+"/", params); err != nil {
			b.Fatal(err)
		}
	}
}

// encodeEdit makes a request with an edit of a title, and does not send it.
func encodeEdit(b *testing.B) {
	id := uuid.New()
	edit := api.MangaEdit{
		Title: api.LocalizedString{{Language: "en", Text: "A title"}}, Description: api.LocalizedString{{Language: "en", Text: "A text of some length, which is what an edit changes most of the time."}},
		AltTitles: []api.LocalizedString{{{Language: "ja-ro", Text: "Another"}}, {{Language: "de", Text: "Noch einer"}}},
		Authors:   []uuid.UUID{id}, Artists: []uuid.UUID{id}, Links: api.Links{{Site: "al", Value: "123"}, {Site: "raw", Value: "https://example.com/"}},
		OriginalLanguage: api.Ptr("ja"), LastVolume: api.Null[string](), LastChapter: api.Value("10"), Year: api.Value(2020),
		Status: api.Ptr(api.PublicationStatusOngoing), ContentRating: api.Ptr(api.ContentRatingSafe), Tags: []uuid.UUID{id, id, id}, Version: 3,
	}
	client := newClient(b, api.Production, memory{})
	stop := func(context.Context, *http.Request) error { return errBuilt }
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.UpdateManga(b.Context(), id, edit, stop); !errors.Is(err, errBuilt) {
			b.Fatal(err)
		}
	}
}

// encodeEditPlain does the same with the plain types.
func encodeEditPlain(b *testing.B) {
	id := uuid.New()
	ids, three := []uuid.UUID{id}, []uuid.UUID{id, id, id}
	title, description := plain.LocalizedString{"en": "A title"}, plain.LocalizedString{"en": "A text of some length, which is what an edit changes most of the time."}
	alternatives := []plain.LocalizedString{{"ja-ro": "Another"}, {"de": "Noch einer"}}
	links := map[string]string{"al": "123", "raw": "https://example.com/"}
	language, chapter, year := "ja", "10", 2020
	status, rating := plain.PutMangaIdJSONBodyStatus("ongoing"), plain.PutMangaIdJSONBodyContentRating("safe")
	edit := plain.PutMangaIdJSONRequestBody{
		Title: &title, Description: &description, AltTitles: &alternatives, Authors: &ids, Artists: &ids, Links: &links,
		OriginalLanguage: &language, LastChapter: &chapter, Year: &year, Status: &status, ContentRating: &rating, Tags: &three, Version: 3,
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plain.NewPutMangaIdRequest(api.Production+"/", id, nil, edit); err != nil {
			b.Fatal(err)
		}
	}
}
