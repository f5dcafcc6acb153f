// Command consumer uses package api as a program of somebody else does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// server answers without a network.
type server map[string]string

func (s server) RoundTrip(req *http.Request) (*http.Response, error) {
	body, ok := s[req.Method+" "+req.URL.Path]
	status := http.StatusOK
	if !ok {
		body, status = `{"result":"error","errors":[{"id":"a","status":404,"title":"not_found_http_exception","detail":"Nothing here for `+req.UserAgent()+`","context":null}]}`, http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: req,
	}, nil
}

func run(ctx context.Context, out io.Writer) error {
	id := uuid.MustParse("10000000-0000-4000-8000-00000000000a")
	const manga = `{"id":"10000000-0000-4000-8000-00000000000a","type":"manga","attributes":{"title":{"en":"A Garden of Clouds"},"version":3},
		"relationships":[{"id":"10000000-0000-4000-8000-00000000000b","type":"cover_art","attributes":{"fileName":"a.png"}}]}`
	client, err := api.New(api.Production, api.WithUserAgent("consumer/1.0"), api.WithHTTPClient(&http.Client{Transport: server{
		"GET /manga":                `{"result":"ok","response":"collection","data":[` + manga + `],"limit":100,"offset":0,"total":1}`,
		"PUT /manga/" + id.String(): `{"result":"ok","response":"entity","data":` + manga + `}`,
	}}), api.WithoutRateLimit())
	if err != nil {
		return err
	}
	params := &api.SearchMangaParams{
		Title:          api.Ptr("garden"),
		ContentRating:  []api.ContentRating{api.ContentRatingSafe},
		CreatedAtSince: api.Since(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)),
		Includes:       []api.Include{api.IncludeCoverArt},
		Order:          api.MangaOrder{}.FollowedCount(api.Desc),
	}
	for m, err := range client.SearchMangaAll(ctx, params) {
		if err != nil {
			return err
		}
		cover, _ := m.Relationships.Cover()
		fmt.Fprintln(out, m.ID, m.Attributes.Title.In("de", "en"), cover.Attributes.FileName)
	}
	edited, err := client.UpdateManga(ctx, id, api.MangaEdit{Version: 3, Year: api.Null[int](), LastChapter: api.Value("12")})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, edited.Data.Attributes.Version)
	_, err = client.GetManga(ctx, id, nil)
	var failure *api.Error
	if !errors.Is(err, api.ErrNotFound) || !errors.As(err, &failure) {
		return fmt.Errorf("want not found, got %w", err)
	}
	fmt.Fprintln(out, failure.StatusCode, *failure.Errors[0].Detail)
	return nil
}
