package apitest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// everyRating asks for titles of all content ratings.
var everyRating = []api.ContentRating{"safe", "suggestive", "erotica", "pornographic"}

// library is a server with a handful of titles beside the invented ones, which all have the word
// "shelf" in their names.
func library(t testing.TB) (*apitest.Server, map[string]uuid.UUID, []uuid.UUID) {
	t.Helper()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time))
	tags := must[*api.TagList](t)(newClient(t, srv).ListTags(t.Context())).Data
	ids := []uuid.UUID{tags[0].ID, tags[1].ID, tags[2].ID}
	titles := map[string]uuid.UUID{}
	for _, m := range []apitest.Manga{
		{Title: "Shelf", Tags: ids[:1], Year: 2001},
		{Title: "Shelf two", Tags: ids[:2], Status: "completed", OriginalLanguage: "ko"},
		{Title: "The third shelf", Tags: ids[1:], ContentRating: "erotica", Year: 1999},
		{Title: "Hidden shelf", Tags: ids, ContentRating: "pornographic"},
		{Title: "Draft shelf", Draft: true},
	} {
		clock.advance(time.Second)
		titles[m.Title] = must[uuid.UUID](t)(srv.State().AddManga(m))
	}
	return srv, titles, ids
}

func TestMangaFilters(t *testing.T) {
	t.Parallel()
	srv, titles, tags := library(t)
	client := newClient(t, srv)
	names := func(list *api.MangaList) []string {
		var found []string
		for _, m := range list.Data {
			found = append(found, m.Attributes.Title.String())
		}
		slices.Sort(found)
		return found
	}
	for _, test := range []struct {
		name   string
		params api.SearchMangaParams
		want   string
	}{
		{"the default ratings", api.SearchMangaParams{}, "Shelf, Shelf two, The third shelf"},
		{"all ratings", api.SearchMangaParams{ContentRating: everyRating}, "Hidden shelf, Shelf, Shelf two, The third shelf"},
		{"one rating", api.SearchMangaParams{ContentRating: everyRating[3:]}, "Hidden shelf"},
		{"a tag", api.SearchMangaParams{IncludedTags: tags[:1]}, "Shelf, Shelf two"},
		{"two tags", api.SearchMangaParams{IncludedTags: tags[:2]}, "Shelf two"},
		{"two tags and AND", api.SearchMangaParams{IncludedTags: tags[:2], IncludedTagsMode: api.Ptr(api.TagMode("AND"))}, "Shelf two"},
		{"one of two tags", api.SearchMangaParams{IncludedTags: tags[:2], IncludedTagsMode: api.Ptr(api.TagMode("OR"))}, "Shelf, Shelf two, The third shelf"},
		{"without a tag", api.SearchMangaParams{ExcludedTags: tags[:1]}, "The third shelf"},
		{"without one of two tags", api.SearchMangaParams{ExcludedTags: []uuid.UUID{tags[0], tags[2]}}, ""},
		{"without both tags", api.SearchMangaParams{ExcludedTags: tags[:2], ExcludedTagsMode: api.Ptr(api.TagMode("AND"))}, "Shelf, The third shelf"},
		{"a status", api.SearchMangaParams{Status: []api.PublicationStatus{"completed"}}, "Shelf two"},
		{"an original language", api.SearchMangaParams{OriginalLanguage: []string{"ko"}}, "Shelf two"},
		{"not an original language", api.SearchMangaParams{ExcludedOriginalLanguage: []string{"ko"}}, "Shelf, The third shelf"},
		{"a year", api.SearchMangaParams{Year: api.Ptr("2001")}, "Shelf"},
		{"no year", api.SearchMangaParams{Year: api.Ptr("none")}, "Shelf two"},
		{"ids", api.SearchMangaParams{IDs: []uuid.UUID{titles["Shelf"], titles["Hidden shelf"]}}, "Shelf"},
		{"no demographic", api.SearchMangaParams{PublicationDemographic: []api.DemographicFilter{"none"}}, "Shelf, Shelf two, The third shelf"},
		{"a demographic", api.SearchMangaParams{PublicationDemographic: []api.DemographicFilter{"josei"}}, ""},
		{"created since", api.SearchMangaParams{CreatedAtSince: api.Since(newClock().now.Add(2 * time.Second))}, "Shelf two, The third shelf"},
		{"updated since", api.SearchMangaParams{UpdatedAtSince: api.Since(newClock().now.Add(3 * time.Second))}, "The third shelf"},
		{"with chapters", api.SearchMangaParams{HasAvailableChapters: api.Ptr(api.Yes)}, ""},
		{"without chapters", api.SearchMangaParams{HasAvailableChapters: api.Ptr(api.No)}, "Shelf, Shelf two, The third shelf"},
		{"translated", api.SearchMangaParams{AvailableTranslatedLanguage: []string{"en"}}, ""},
	} {
		test.params.Title, test.params.Limit = api.Ptr("SHELF"), api.Ptr(100)
		list := must[*api.MangaList](t)(client.SearchManga(t.Context(), &test.params))
		if got := strings.Join(names(list), ", "); got != test.want {
			t.Errorf("%s: found %q, want %q", test.name, got, test.want)
		}
		if list.Total != len(list.Data) {
			t.Errorf("%s: the total is %d, there are %d", test.name, list.Total, len(list.Data))
		}
	}
}

// The filters by people, groups and chapters find what the invented catalogue has.
func TestMangaFiltersByOthers(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	client, ctx := newClient(t, srv), t.Context()
	all := must[*api.MangaList](t)(client.SearchManga(ctx, &api.SearchMangaParams{Limit: api.Ptr(100), ContentRating: everyRating}))
	if all.Total != 30 {
		t.Fatalf("%d titles", all.Total)
	}
	check := func(name string, params api.SearchMangaParams, fits func(api.Manga) bool) {
		t.Helper()
		params.Limit, params.ContentRating = api.Ptr(100), everyRating
		found := must[*api.MangaList](t)(client.SearchManga(ctx, &params))
		var want, got []uuid.UUID
		for _, m := range all.Data {
			if fits(m) {
				want = append(want, m.ID)
			}
		}
		for _, m := range found.Data {
			got = append(got, m.ID)
		}
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: found %d, want %d", name, len(got), len(want))
		}
	}
	chapters := func(m api.Manga) []apitest.Chapter {
		var list []apitest.Chapter
		for _, ch := range srv.State().Chapters(m.ID) {
			if !ch.PublishAt.After(time.Now()) {
				list = append(list, ch)
			}
		}
		return list
	}
	author := all.Data[0].Relationships.Authors()[0].ID
	is := func(r api.Ref[api.AuthorAttributes]) bool { return r.ID == author }
	check("authors", api.SearchMangaParams{Authors: []uuid.UUID{author}}, func(m api.Manga) bool { return slices.ContainsFunc(m.Relationships.Authors(), is) })
	artist := all.Data[1].Relationships.Artists()[0].ID
	isArtist := func(r api.Ref[api.AuthorAttributes]) bool { return r.ID == artist }
	check("artists", api.SearchMangaParams{Artists: []uuid.UUID{artist}}, func(m api.Manga) bool { return slices.ContainsFunc(m.Relationships.Artists(), isArtist) })
	check("either", api.SearchMangaParams{AuthorOrArtist: &artist}, func(m api.Manga) bool {
		return slices.ContainsFunc(m.Relationships.Artists(), isArtist) || slices.ContainsFunc(m.Relationships.Authors(), isArtist)
	})
	check("languages", api.SearchMangaParams{AvailableTranslatedLanguage: []string{"pt-br", "fr"}}, func(m api.Manga) bool {
		return slices.ContainsFunc(m.Attributes.AvailableTranslatedLanguages, func(l string) bool { return l == "pt-br" || l == "fr" })
	})
	check("unavailable", api.SearchMangaParams{HasUnavailableChapters: api.Ptr(api.Yes)}, func(m api.Manga) bool {
		return slices.ContainsFunc(chapters(m), func(ch apitest.Chapter) bool { return ch.Unavailable })
	})
	check("available", api.SearchMangaParams{HasAvailableChapters: api.Ptr(api.Yes)}, func(m api.Manga) bool {
		return slices.ContainsFunc(chapters(m), func(ch apitest.Chapter) bool { return !ch.Unavailable })
	})
	var group uuid.UUID
	for _, ch := range chapters(all.Data[0]) {
		if len(ch.Groups) > 0 {
			group = ch.Groups[0]
		}
	}
	check("group", api.SearchMangaParams{Group: &group}, func(m api.Manga) bool {
		return slices.ContainsFunc(chapters(m), func(ch apitest.Chapter) bool { return slices.Contains(ch.Groups, group) })
	})
	check("demographic", api.SearchMangaParams{PublicationDemographic: []api.DemographicFilter{"seinen", "none"}}, func(m api.Manga) bool {
		return m.Attributes.PublicationDemographic == "seinen" || m.Attributes.PublicationDemographic == ""
	})
}

func TestMangaOrders(t *testing.T) {
	t.Parallel()
	srv, _, _ := library(t)
	client, ctx := newClient(t, srv), t.Context()
	search := func(title string, order api.MangaOrder) []api.Manga {
		t.Helper()
		params := api.SearchMangaParams{Limit: api.Ptr(100), Order: order}
		if title != "" {
			params.Title = &title
		}
		return must[*api.MangaList](t)(client.SearchManga(ctx, &params)).Data
	}
	statistics := func(m api.Manga) api.MangaStatistics {
		return must[*api.MangaStatisticsResponse](t)(client.GetMangaStatistics(ctx, m.ID)).Statistics[m.ID]
	}
	for name, test := range map[string]struct {
		order api.MangaOrder
		fits  func(a, b api.Manga) bool
	}{
		"title asc": {api.MangaOrder{}.Title(api.Asc), func(a, b api.Manga) bool {
			return strings.ToLower(a.Attributes.Title.String()) <= strings.ToLower(b.Attributes.Title.String())
		}},
		"createdAt desc": {api.MangaOrder{}.CreatedAt(api.Desc), func(a, b api.Manga) bool { return !a.Attributes.CreatedAt.Before(b.Attributes.CreatedAt) }},
		"updatedAt asc":  {api.MangaOrder{}.UpdatedAt(api.Asc), func(a, b api.Manga) bool { return !a.Attributes.UpdatedAt.After(b.Attributes.UpdatedAt) }},
		"followedCount":  {api.MangaOrder{}.FollowedCount(api.Desc), func(a, b api.Manga) bool { return statistics(a).Follows >= statistics(b).Follows }},
		"rating":         {api.MangaOrder{}.Rating(api.Desc), func(a, b api.Manga) bool { return *statistics(a).Rating.Bayesian >= *statistics(b).Rating.Bayesian }},
	} {
		list := search("", test.order)
		if len(list) < 20 {
			t.Fatalf("%s: %d titles", name, len(list))
		}
		for n := range list[1:] {
			if !test.fits(list[n], list[n+1]) {
				t.Errorf("%s: %s comes before %s", name, list[n].Attributes.Title, list[n+1].Attributes.Title)
			}
		}
	}
	if best := search("shelf", api.MangaOrder{}.Relevance(api.Desc)); best[0].Attributes.Title.String() != "Shelf" || best[1].Attributes.Title.String() != "Shelf two" {
		t.Errorf("the most relevant are %s and %s", best[0].Attributes.Title, best[1].Attributes.Title)
	}

	// The order of the keys in the query counts.
	for query, want := range map[string]string{"order[year]=desc&order[title]=asc": "Shelf", "order[title]=asc&order[year]=desc": "Shelf"} {
		_, text := do(t, srv, "GET", "/manga?title=shelf&limit=1&"+query, "")
		if !strings.Contains(text, `"en":"`+want+`"`) {
			t.Errorf("%s: %.300s", query, text)
		}
	}
	if err := client.FollowManga(ctx, uuid.New()); err == nil {
		t.Error("a guest follows")
	}
	reader, _ := login(t, srv, srv.Account.Username)
	list := search("", api.MangaOrder{}.FollowedCount(api.Asc))
	before := statistics(list[0]).Follows
	if err := reader.FollowManga(ctx, list[0].ID); err != nil {
		t.Fatal(err)
	}
	if after := statistics(list[0]).Follows; after != before+1 {
		t.Errorf("%d follow after one more than %d", after, before)
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithTitles(120))
	client, ctx := newClient(t, srv), t.Context()
	if list := must[*api.MangaList](t)(client.SearchManga(ctx, nil)); list.Limit != 10 || len(list.Data) != 10 || list.Total != 108 {
		t.Errorf("the default page has %d of %d", len(list.Data), list.Total)
	}
	if list := must[*api.MangaList](t)(client.SearchManga(ctx, &api.SearchMangaParams{Limit: api.Ptr(0)})); list.Limit != 0 || len(list.Data) != 0 || list.Total != 108 {
		t.Errorf("a page of nothing has %d of %d", len(list.Data), list.Total)
	}
	if list := must[*api.MangaList](t)(client.SearchManga(ctx, &api.SearchMangaParams{Limit: api.Ptr(100), Offset: api.Ptr(9900)})); len(list.Data) != 0 || list.Total != 108 {
		t.Errorf("the page at the ceiling has %d of %d", len(list.Data), list.Total)
	}
	seen := map[uuid.UUID]bool{}
	for m, err := range client.SearchMangaAll(ctx, &api.SearchMangaParams{Limit: api.Ptr(33), Order: api.MangaOrder{}.Title(api.Asc)}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[m.ID] = true
	}
	if len(seen) != 108 {
		t.Errorf("page by page there are %d", len(seen))
	}
	if feed := must[*api.ChapterList](t)(client.GetMangaFeed(ctx, srv.State().Manga()[6].ID, nil)); feed.Limit != 100 || len(feed.Data) != 30 {
		t.Errorf("the default page of a feed has %d of limit %d", len(feed.Data), feed.Limit)
	}
}

func TestIncludes(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	id := srv.State().Manga()[5].ID.String() // has a sequel
	types := []string{"author", "artist", "cover_art", "manga", "creator"}
	for _, wanted := range append(types, "") {
		query := ""
		if wanted != "" {
			query = "?includes[]=" + wanted
		}
		_, text := do(t, srv, "GET", "/manga/"+id+query, "")
		_, relationships, _ := strings.Cut(text, `],"state"`)
		_, relationships, _ = strings.Cut(relationships, `"relationships":`)
		for _, kind := range types {
			expanded := strings.Contains(relationships, fmt.Sprintf(`"type":%q,"attributes":{`, kind)) || strings.Contains(relationships, fmt.Sprintf(`"type":%q,"related":"sequel","attributes":{`, kind))
			if expanded != (kind == wanted) {
				t.Errorf("with includes[]=%s, %s expanded is %t", wanted, kind, expanded)
			}
		}
		if strings.Contains(relationships, `"attributes":null`) {
			t.Error("what is not expanded is null; it must be absent")
		}
	}
}

func TestChapterFilters(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time))
	client, ctx := newClient(t, srv), t.Context()
	manga := must[uuid.UUID](t)(srv.State().AddManga(apitest.Manga{Title: "Chapters"}))
	groups := must[*api.GroupList](t)(client.ListGroups(ctx, nil)).Data
	for _, ch := range []apitest.Chapter{
		{Number: "1", Volume: "1", Title: "First", Pages: 3, Groups: []uuid.UUID{groups[0].ID}},
		{Number: "2", Volume: "1", Pages: 3, Language: "fr", Groups: []uuid.UUID{groups[1].ID}},
		{Number: "10", Pages: 3, Unavailable: true},
		{Number: "3", ExternalURL: "https://reader.example/3"},
		{Number: "4", Pages: 3, PublishAt: clock.now.Add(time.Hour)},
		{Number: "5", PublishAt: clock.now.Add(time.Hour), ExternalURL: "https://other.example/5"},
	} {
		clock.advance(time.Second)
		ch.Manga = manga
		must[uuid.UUID](t)(srv.State().AddChapter(ch))
	}
	numbers := func(list *api.ChapterList) string {
		var found []string
		for _, ch := range list.Data {
			found = append(found, *ch.Attributes.Chapter)
		}
		return strings.Join(found, " ")
	}
	yes, no := api.Ptr(api.Yes), api.Ptr(api.No)
	order := api.ChapterOrder{}.Chapter(api.Asc)
	for _, test := range []struct {
		name   string
		params api.GetMangaFeedParams
		want   string
	}{
		{"the default", api.GetMangaFeedParams{}, "1 2 3 5"},
		{"a language", api.GetMangaFeedParams{TranslatedLanguage: []string{"fr"}}, "2"},
		{"another original language", api.GetMangaFeedParams{OriginalLanguage: []string{"ko"}}, ""},
		{"not the original language", api.GetMangaFeedParams{ExcludedOriginalLanguage: []string{"ja"}}, ""},
		{"not a group", api.GetMangaFeedParams{ExcludedGroups: []uuid.UUID{groups[0].ID}}, "2 3 5"},
		{"not an uploader", api.GetMangaFeedParams{ExcludedUploaders: []uuid.UUID{srv.Account.ID}}, ""},
		{"another rating", api.GetMangaFeedParams{ContentRating: everyRating[1:]}, ""},
		{"only empty ones, even of the future", api.GetMangaFeedParams{IncludeEmptyPages: yes}, "3 5"},
		{"no empty ones, even of the future", api.GetMangaFeedParams{IncludeEmptyPages: no}, "1 2 4"},
		{"only of the future", api.GetMangaFeedParams{IncludeFuturePublishAt: yes}, "4 5"},
		{"none of the future", api.GetMangaFeedParams{IncludeFuturePublishAt: no}, "1 2 3"},
		{"only elsewhere", api.GetMangaFeedParams{IncludeExternalURL: yes}, "3 5"},
		{"only here", api.GetMangaFeedParams{IncludeExternalURL: no}, "1 2 4"},
		{"only here and now", api.GetMangaFeedParams{IncludeExternalURL: no, IncludeFuturePublishAt: no}, "1 2"},
		{"unavailable ones, too", api.GetMangaFeedParams{IncludeUnavailable: yes}, "1 2 3 5 10"},
		{"created since", api.GetMangaFeedParams{CreatedAtSince: api.Since(newClock().now.Add(2 * time.Second))}, "2 3 5"},
		{"published since", api.GetMangaFeedParams{PublishAtSince: api.Since(newClock().now.Add(4 * time.Second))}, "3 5"},
		{"the other way round", api.GetMangaFeedParams{Order: api.ChapterOrder{}.Chapter(api.Desc), IncludeUnavailable: yes}, "10 5 3 2 1"},
	} {
		if test.params.Order == nil {
			test.params.Order = order
		}
		if got := numbers(must[*api.ChapterList](t)(client.GetMangaFeed(ctx, manga, &test.params))); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	for _, test := range []struct {
		name   string
		params api.ListChaptersParams
		want   string
	}{
		{"a title", api.ListChaptersParams{}, "1 2 3 5"},
		{"numbers", api.ListChaptersParams{Chapter: []string{"1", "3"}}, "1 3"},
		{"a volume", api.ListChaptersParams{Volume: []string{"1"}}, "1 2"},
		{"no volume", api.ListChaptersParams{Volume: []string{"none"}}, "3 5"},
		{"a name", api.ListChaptersParams{Title: api.Ptr("fir")}, "1"},
		{"a group", api.ListChaptersParams{Groups: []uuid.UUID{groups[1].ID}}, "2"},
		{"an uploader", api.ListChaptersParams{Uploader: []uuid.UUID{srv.Account.ID}}, "1 2 3 5"},
	} {
		test.params.Manga, test.params.Order = &manga, order
		if got := numbers(must[*api.ChapterList](t)(client.ListChapters(ctx, &test.params))); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	for name, want := range map[string]string{"externalUrl": `"total":1}`, "excludeExternalUrl": `"total":3}`} {
		if !known("GetMangaFeed", name) {
			continue
		}
		if _, text := do(t, srv, "GET", "/manga/"+manga.String()+"/feed?"+name+"=reader.example", ""); !strings.HasSuffix(text, want) {
			t.Errorf("%s: %s", name, text)
		}
	}
	clock.advance(time.Hour)
	if got := numbers(must[*api.ChapterList](t)(client.GetMangaFeed(ctx, manga, &api.GetMangaFeedParams{Order: order}))); got != "1 2 3 4 5" {
		t.Errorf("an hour later: %q", got)
	}
	if latest := must[*api.MangaResponse](t)(client.GetManga(ctx, manga, nil)).Data.Attributes.LatestUploadedChapter; latest != srv.State().Chapters(manga)[4].ID {
		t.Errorf("an hour later the latest chapter is %v", latest)
	}
}

func TestAggregate(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	manga := must[uuid.UUID](t)(srv.State().AddManga(apitest.Manga{Title: "Aggregate"}))
	ask := func() string {
		t.Helper()
		_, text := do(t, srv, "GET", "/manga/"+manga.String()+"/aggregate", "")
		for n, ch := range srv.State().Chapters(manga) {
			text = strings.ReplaceAll(text, ch.ID.String(), fmt.Sprint("id", n))
		}
		return text
	}
	add := func(ch apitest.Chapter) {
		t.Helper()
		ch.Manga = manga
		must[uuid.UUID](t)(srv.State().AddChapter(ch))
	}
	if got := ask(); !strings.Contains(got, `"volumes":[]`) {
		t.Errorf("without chapters: %s", got)
	}
	add(apitest.Chapter{Number: "0"})
	if got := ask(); !strings.Contains(got, `"volumes":{"none":{"volume":"none","count":1,"chapters":[{"chapter":"0","id":"id0","isUnavailable":false,"others":[],"count":1}]}}`) {
		t.Errorf("a chapter 0 alone makes a list: %s", got)
	}
	for _, ch := range []apitest.Chapter{{Number: "2", Volume: "1"}, {Number: "10", Volume: "2"}, {Number: "9", Volume: "2"}, {Number: "9", Volume: "2", Language: "fr"}, {Number: "11", Unavailable: true}} {
		add(ch)
	}
	want := `"volumes":{"none":{"volume":"none","count":1,"chapters":[{"chapter":"0","id":"id0","isUnavailable":false,"others":[],"count":1}]},` +
		`"2":{"volume":"2","count":3,"chapters":{"10":{"chapter":"10","id":"id2","isUnavailable":false,"others":[],"count":1},"9":{"chapter":"9","id":"id3","isUnavailable":false,"others":["id4"],"count":2}}},` +
		`"1":{"volume":"1","count":1,"chapters":{"2":{"chapter":"2","id":"id1","isUnavailable":false,"others":[],"count":1}}}}`
	if got := ask(); !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}
