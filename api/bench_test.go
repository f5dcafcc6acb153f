package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/bench/plain"
	"github.com/mangadex-go/mangadex/internal/sample"
)

// TestMangaListSample checks that what the benchmarks decode is decoded without loss and with few
// allocations.
func TestMangaListSample(t *testing.T) {
	body := sample.MangaList(100, 1)
	if len(body) < 450_000 || len(body) > 650_000 {
		t.Errorf("the sample has %d bytes", len(body))
	}
	list := decode[api.MangaList](t, "SearchManga", string(body))
	if len(list.Data) != 100 {
		t.Fatalf("%d titles", len(list.Data))
	}
	for _, manga := range list.Data {
		cover, ok := manga.Relationships.Cover()
		if !ok || cover.Attributes == nil || len(manga.Relationships.Authors()) == 0 || manga.Relationships.Authors()[0].Attributes == nil {
			t.Errorf("%v is not expanded", manga.ID)
		}
	}
	const most = 6000
	if n := testing.AllocsPerRun(5, func() {
		var list api.MangaList
		if err := list.UnmarshalJSON(body); err != nil {
			t.Error(err)
		}
	}); n > most {
		t.Errorf("%v allocations, want %d at most", n, most)
	}
}

// BenchmarkMangaList decodes and encodes a page of 100 titles with author, artist and cover.
func BenchmarkMangaList(b *testing.B) {
	body := sample.MangaList(100, 1)
	var list api.MangaList
	if err := list.UnmarshalJSON(body); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		run  func() error
	}{
		{"decode", func() error { var list api.MangaList; return list.UnmarshalJSON(body) }},
		{"decode with encoding/json around it", func() error { var list api.MangaList; return json.Unmarshal(body, &list) }},
		{"decode to any with encoding/json", func() error { var list any; return json.Unmarshal(body, &list) }},
		{"encode", func() error { _, err := list.MarshalJSON(); return err }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkError makes the error of an answer.
func BenchmarkError(b *testing.B) {
	client := answering(b, http.StatusNotFound, "application/json", `{"result":"error","errors":[{"id":"a","status":404,"title":"not_found_http_exception","detail":"No such thing","context":null}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := client.FollowManga(b.Context(), id(idA)); err == nil {
			b.Fatal("no error")
		} else if _, err := io.WriteString(io.Discard, err.Error()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPlain decodes a page with the plain generated types on encoding/json, too: whatever these see,
// ours hold.
func TestPlain(t *testing.T) {
	t.Parallel()
	body := sample.MangaList(20, 2)
	var want plain.MangaList
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatal(err)
	}
	seen, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	unchanged(t, seen, decode[api.MangaList](t, "SearchManga", string(body)))
}

// BenchmarkCall makes a call without the network: all that the client itself costs.
func BenchmarkCall(b *testing.B) {
	client, err := api.New("https://mirror.example", api.WithoutRateLimit(), api.WithHTTPClient(api.DoerFunc(func(req *http.Request) (*http.Response, error) {
		return answer(http.StatusOK, "application/json", `{"result":"ok","response":"collection","data":[],"limit":100,"offset":0,"total":0}`), nil
	})))
	if err != nil {
		b.Fatal(err)
	}
	ids := []uuid.UUID{uuid.New(), uuid.New()}
	for _, bench := range []struct {
		name   string
		params *api.SearchMangaParams
	}{
		{"none", nil},
		{"20 parameters", &api.SearchMangaParams{
			Limit: api.Ptr(100), Offset: api.Ptr(100), Title: api.Ptr("a shelf"), AuthorOrArtist: api.Ptr(ids[0]), Authors: ids, Artists: ids,
			Year: api.Ptr("2019"), IncludedTags: ids, IncludedTagsMode: api.Ptr(api.TagModeAnd), ExcludedTags: ids, ExcludedTagsMode: api.Ptr(api.TagModeOr),
			Status: []api.PublicationStatus{api.PublicationStatusOngoing}, OriginalLanguage: []string{"ja"}, ExcludedOriginalLanguage: []string{"ko"},
			AvailableTranslatedLanguage: []string{"en", "pt-br"}, PublicationDemographic: []api.DemographicFilter{api.DemographicFilterJosei},
			IDs: ids, ContentRating: []api.ContentRating{api.ContentRatingSafe}, Order: api.MangaOrder{}.Year(api.Desc).Title(api.Asc),
			Includes: []api.Include{api.IncludeAuthor, api.IncludeCoverArt},
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.SearchManga(b.Context(), bench.params); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
