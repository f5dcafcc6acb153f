package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// Ids of the samples.
const (
	idA = "10000000-0000-4000-8000-00000000000a"
	idB = "10000000-0000-4000-8000-00000000000b"
	idC = "10000000-0000-4000-8000-00000000000c"
	idD = "10000000-0000-4000-8000-00000000000d"
)

func id(text string) uuid.UUID { return uuid.MustParse(text) }

// Parts of the samples.
const (
	tagSample = `{"id":"` + idC + `","type":"tag","attributes":{"name":{"en":"Baking"},"description":[],"group":"theme","version":1},"relationships":[]}`

	mangaSample = `{"id":"` + idA + `","type":"manga","attributes":{"title":{"ja-ro":"Kumo no Niwa"},"altTitles":[{"en":"A Garden of Clouds"},{"ja":"雲の庭"},{"en":"Cloud Garden"}],` +
		`"description":{"en":"Invented.","pt-br":""},"isLocked":false,"links":{"al":"12","bl":"x","dj":"y","raw":"https:\/\/example.test\/1"},"officialLinks":null,` +
		`"originalLanguage":"ja","lastVolume":"","lastChapter":null,"publicationDemographic":null,"status":"ongoing","year":2019,"contentRating":"safe","tags":[` + tagSample + `],` +
		`"state":"published","chapterNumbersResetOnNewVolume":false,"createdAt":"2019-03-04T05:06:07+00:00","updatedAt":"2022-11-30T23:59:59+00:00","version":7,` +
		`"availableTranslatedLanguages":["en","pt-br"],"latestUploadedChapter":"` + idB + `"},"relationships":[{"id":"` + idD + `","type":"author"}]}`

	chapterSample = `{"id":"` + idB + `","type":"chapter","attributes":{"volume":null,"chapter":null,"title":"","translatedLanguage":"en","externalUrl":null,"isUnavailable":false,` +
		`"publishAt":"2037-12-31T15:00:00+00:00","readableAt":"2022-01-02T03:04:05+00:00","createdAt":"2022-01-02T03:04:05+00:00","updatedAt":"2022-01-02T03:04:05+00:00","pages":0,"version":1},` +
		`"relationships":[{"id":"` + idC + `","type":"scanlation_group"},{"id":"` + idA + `","type":"manga"},{"id":"` + idD + `","type":"user"}]}`

	groupSample = `{"id":"` + idC + `","type":"scanlation_group","attributes":{"name":"Invented Group","altNames":[{"en":"IG"}],"locked":false,"website":null,"ircServer":null,"ircChannel":null,` +
		`"discord":"abc","contactEmail":null,"description":null,"twitter":null,"mangaUpdates":null,"focusedLanguages":["en","vi"],"official":false,"verified":true,"inactive":false,"publishDelay":null,` +
		`"createdAt":"2020-01-01T00:00:00+00:00","updatedAt":"2020-01-01T00:00:00+00:00","version":3},"relationships":[{"id":"` + idD + `","type":"leader"},{"id":"` + idA + `","type":"member"}]}`

	authorSample = `{"id":"` + idD + `","type":"author","attributes":{"name":"Nobody","imageUrl":null,"biography":[],"twitter":null,"pixiv":"https:\/\/example.test\/p","melonBook":null,"fanBox":null,"booth":null,` +
		`"nicoVideo":null,"skeb":null,"fantia":null,"tumblr":null,"youtube":null,"weibo":null,"naver":null,"website":null,"createdAt":"2020-01-01T00:00:00+00:00","updatedAt":"2020-01-01T00:00:00+00:00","version":1},"relationships":[]}`

	coverSample = `{"id":"` + idB + `","type":"cover_art","attributes":{"description":"","volume":null,"fileName":"a-1.png","locale":"ja","createdAt":"2020-01-01T00:00:00+00:00","updatedAt":"2020-01-01T00:00:00+00:00","version":1},` +
		`"relationships":[{"id":"` + idA + `","type":"manga"},{"id":"` + idD + `","type":"user"}]}`

	userSample = `{"id":"` + idD + `","type":"user","attributes":{"username":"nobody","roles":["ROLE_MEMBER","ROLE_INVENTED"],"version":4},"relationships":[]}`
)

func entity(data string) string {
	return `{"result":"ok","response":"entity","data":` + data + `}`
}

func collection(data ...string) string {
	return `{"result":"ok","response":"collection","data":[` + strings.Join(data, ",") + `],"limit":10,"offset":0,"total":12345}`
}

// with replaces parts of a sample; every one of them must be there.
func with(t *testing.T, sample string, oldnew ...string) string {
	t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		if strings.Count(sample, oldnew[i]) == 0 {
			t.Fatalf("%s is not in the sample", oldnew[i])
		}
		sample = strings.Replace(sample, oldnew[i], oldnew[i+1], 1)
	}
	return sample
}

// decode sends a sample through the typed call of an operation, checks that nothing of it is lost,
// and returns what the call returned.
func decode[T any](t *testing.T, op, body string) *T {
	t.Helper()
	result := decodeOnly[T](t, op, body)
	unchanged(t, []byte(body), result)
	return result
}

// decodeOnly is decode without the comparison, for answers that change their form on purpose.
func decodeOnly[T any](t *testing.T, op, body string) *T {
	t.Helper()
	value, ok := result(t, op, body).(*T)
	if !ok {
		t.Fatalf("%s returns no %T", op, value)
	}
	return value
}

// decodeAny is decode for an operation that not every document has: it names no type.
func decodeAny(t *testing.T, op, body string) any {
	t.Helper()
	value := result(t, op, body)
	unchanged(t, []byte(body), value)
	return value
}

// result is what the typed call of an operation makes of a sample.
func result(t *testing.T, op, body string) any {
	t.Helper()
	operation(t, op)
	value, err := invoke(t, answering(t, http.StatusOK, "application/json", body), op, &filler{t: t})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// elements are what a list holds.
func elements(list any) reflect.Value { return reflect.ValueOf(list).Elem().FieldByName("Data") }

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// deviations are the ways in which the server differs from its document, each with a sample.
var deviations = []struct {
	name  string
	check func(t *testing.T)
}{
	// Empty maps as lists.
	{"[] for a description", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetRandomManga", entity(with(t, mangaSample, `{"en":"Invented.","pt-br":""}`, `[]`)))
		equal(t, "the description", m.Data.Attributes.Description, api.LocalizedString{})
		equal(t, "the title", m.Data.Attributes.Title.String(), "Kumo no Niwa")
	}},
	{"{} for a description", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `{"en":"Invented.","pt-br":""}`, `{}`)))
		equal(t, "the description", m.Data.Attributes.Description, api.LocalizedString{})
	}},
	{"[] for the description of a tag", func(t *testing.T) {
		m := decode[api.MangaList](t, "SearchManga", collection(mangaSample, with(t, mangaSample, `"description":[]`, `"description":{}`)))
		for _, manga := range m.Data {
			equal(t, "the description of the tag", manga.Attributes.Tags[0].Attributes.Description, api.LocalizedString{})
			equal(t, "the name of the tag", manga.Attributes.Tags[0].Attributes.Name.In("en"), "Baking")
		}
		tags := decode[api.TagList](t, "ListTags", collection(tagSample))
		equal(t, "the group of the tag", tags.Data[0].Attributes.Group, api.TagGroupTheme)
	}},
	{"no tags", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `"tags":[`+tagSample+`]`, `"tags":[]`)))
		equal(t, "the number of tags", len(m.Data.Attributes.Tags), 0)
	}},
	{"links as object, [], {} and null within one page", func(t *testing.T) {
		const links = `{"al":"12","bl":"x","dj":"y","raw":"https:\/\/example.test\/1"}`
		m := decode[api.MangaList](t, "SearchManga", collection(
			mangaSample, with(t, mangaSample, links, `[]`), with(t, mangaSample, links, `{}`), with(t, mangaSample, links, `null`)))
		all := []api.Links{}
		for _, manga := range m.Data {
			all = append(all, manga.Attributes.Links)
		}
		equal(t, "links", all, []api.Links{{{"al", "12"}, {"bl", "x"}, {"dj", "y"}, {"raw", "https://example.test/1"}}, {}, {}, nil})
		equal(t, "the URL", all[0].URL("raw"), "https://example.test/1")
	}},
	{"[] for every other text", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample,
			`{"ja-ro":"Kumo no Niwa"}`, `[]`, `{"ja":"雲の庭"}`, `[]`, `"officialLinks":null`, `"officialLinks":[]`)))
		equal(t, "the title", m.Data.Attributes.Title, api.LocalizedString{})
		equal(t, "the second alternative title", m.Data.Attributes.AltTitles[1], api.LocalizedString{})
		equal(t, "the official links", m.Data.Attributes.OfficialLinks, api.Links{})
		a := decode[api.AuthorList](t, "ListAuthors", collection(authorSample, with(t, authorSample, `"biography":[]`, `"biography":{}`), with(t, authorSample, `"biography":[]`, `"biography":{"en":"Writes."}`)))
		equal(t, "the third biography", a.Data[2].Attributes.Biography.String(), "Writes.")
		g := decode[api.GroupResponse](t, "GetGroup", entity(with(t, groupSample, `[{"en":"IG"}]`, `[[],{"en":"IG"},{}]`)))
		equal(t, "the names of the group", g.Data.Attributes.AltNames, []api.LocalizedString{{}, {{"en", "IG"}}, {}})
		r := decode[api.ReportReasonList](t, "ListReportReasons", collection(`{"id":"`+idA+`","type":"report_reason","attributes":{"reason":[],"detailsRequired":true,"category":"manga","version":1},"relationships":[]}`))
		equal(t, "the reason", r.Data[0].Attributes.Reason, api.LocalizedString{})
	}},
	{"[] for expanded texts, maps and tags", func(t *testing.T) {
		manga := with(t, mangaSample, `{"en":"Invented.","pt-br":""}`, `[]`, `{"al":"12","bl":"x","dj":"y","raw":"https:\/\/example.test\/1"}`, `[]`)
		var parts struct{ Attributes json.RawMessage }
		for _, sample := range []struct{ op, body string }{
			{"GetCover", entity(coverSample)}, {"ListCovers", collection(coverSample)}, {"GetAuthor", entity(authorSample)},
			{"GetChapter", entity(chapterSample)}, {"GetMangaFeed", collection(chapterSample)},
		} {
			if err := json.Unmarshal([]byte(manga), &parts); err != nil {
				t.Fatal(err)
			}
			body := strings.ReplaceAll(sample.body, `"id":"`+idA+`","type":"manga"`, `"id":"`+idA+`","type":"manga","attributes":`+string(parts.Attributes))
			body = strings.ReplaceAll(body, `"relationships":[]`, `"relationships":[{"id":"`+idA+`","type":"manga","attributes":`+string(parts.Attributes)+`}]`)
			decodeAny(t, sample.op, body)
		}
	}},
	{"[] for the volumes of an aggregate", func(t *testing.T) {
		a := decode[api.AggregateResponse](t, "GetMangaAggregate", `{"result":"ok","volumes":[]}`)
		equal(t, "the volumes", a.Volumes, api.AggregateVolumes{})
	}},
	{"the volumes and chapters of an aggregate", func(t *testing.T) {
		a := decode[api.AggregateResponse](t, "GetMangaAggregate", `{"result":"ok","volumes":{`+
			`"none":{"volume":"none","count":2,"chapters":{"12.5":{"chapter":"12.5","id":"`+idA+`","isUnavailable":true,"others":["`+idB+`"],"count":2}}},`+
			`"2":{"volume":"2","count":1,"chapters":{"11":{"chapter":"11","id":"`+idC+`","others":[],"count":1}}},`+
			`"10":{"volume":"10","count":1,"chapters":{"none":{"chapter":"none","id":"`+idD+`","others":[],"count":1}}}}}`)
		order := []string{}
		for _, v := range a.Volumes {
			order = append(order, v.Volume+"/"+v.Chapters[0].Chapter)
		}
		equal(t, "the order", order, []string{"none/12.5", "2/11", "10/none"})
		first := a.Volumes[0].Chapters[0]
		equal(t, "isUnavailable", first.IsUnavailable, true)
		equal(t, "others", first.Others, []uuid.UUID{id(idB)})
		equal(t, "count", first.Count, 1+len(first.Others))
	}},
	{"volumes and chapters of an aggregate as lists", func(t *testing.T) {
		a := decode[api.AggregateResponse](t, "GetMangaAggregate", `{"result":"ok","volumes":[`+
			`{"volume":"0","count":1,"chapters":[{"chapter":"0","id":"`+idA+`","others":[],"count":1},{"chapter":"1","id":"`+idB+`","others":[],"count":1}]},`+
			`{"volume":"1","count":0,"chapters":[]}]}`)
		equal(t, "the first volume", a.Volumes[0].Volume, "0")
		equal(t, "its second chapter", a.Volumes[0].Chapters[1].Chapter, "1")
		equal(t, "the chapters of the second volume", a.Volumes[1].Chapters, api.AggregateChapters{})
	}},
	{"an aggregate of 2021", func(t *testing.T) { // N/A for none; chapters without id and others
		a := decode[api.AggregateResponse](t, "GetMangaAggregate",
			`{"result":"ok","volumes":{"N\/A":{"volume":"N\/A","count":1,"chapters":{"N\/A":{"chapter":"N\/A","count":1}}}}}`)
		equal(t, "the volume", a.Volumes[0].Volume, "N/A")
		equal(t, "the id", a.Volumes[0].Chapters[0].ID, uuid.Nil)
	}},
	{"[] for statuses", func(t *testing.T) {
		s := decode[api.ReadingStatusesResponse](t, "ListReadingStatuses", `{"result":"ok","statuses":[]}`)
		equal(t, "the statuses", s.Statuses, map[uuid.UUID]api.ReadingStatus{})
		s = decode[api.ReadingStatusesResponse](t, "ListReadingStatuses", `{"result":"ok","statuses":{"`+idA+`":"plan_to_read","`+idB+`":"invented"}}`)
		equal(t, "the statuses", s.Statuses, map[uuid.UUID]api.ReadingStatus{id(idA): api.ReadingStatusPlanToRead, id(idB): "invented"})
	}},
	{"[] for ratings", func(t *testing.T) {
		r := decode[api.RatingsResponse](t, "ListRatings", `{"result":"ok","ratings":[]}`)
		equal(t, "the ratings", r.Ratings, map[uuid.UUID]api.Rating{})
		r = decode[api.RatingsResponse](t, "ListRatings", `{"result":"ok","ratings":{"`+idA+`":{"rating":9,"createdAt":"2022-01-02T03:04:05+00:00"}}}`)
		equal(t, "the rating", r.Ratings[id(idA)].Rating, 9)
	}},
	{"[] for statistics", func(t *testing.T) {
		s := decode[api.MangaStatisticsResponse](t, "ListMangaStatistics", `{"result":"ok","statistics":[]}`)
		equal(t, "the statistics", s.Statistics, map[uuid.UUID]api.MangaStatistics{})
		for _, op := range []string{"ListChapterStatistics", "GetChapterStatistics", "ListGroupStatistics", "GetGroupStatistics"} {
			s := decode[api.ThreadStatisticsResponse](t, op, `{"result":"ok","statistics":[]}`)
			equal(t, "the statistics", s.Statistics, map[uuid.UUID]api.ThreadStatistics{})
		}
	}},
	{"read markers as a list, grouped, and empty", func(t *testing.T) {
		for _, op := range []string{"GetMangaReadMarkers", "ListReadMarkers"} {
			m := decode[api.ReadMarkersResponse](t, op, `{"result":"ok","data":["`+idA+`","`+idB+`"]}`)
			equal(t, "the chapters", m.Data.Chapters, []uuid.UUID{id(idA), id(idB)})
			m = decode[api.ReadMarkersResponse](t, op, `{"result":"ok","data":{"`+idC+`":["`+idB+`","`+idA+`"],"`+idD+`":[]}}`)
			equal(t, "the groups", m.Data.ByManga, map[uuid.UUID][]uuid.UUID{id(idC): {id(idB), id(idA)}, id(idD): {}})
			m = decode[api.ReadMarkersResponse](t, op, `{"result":"ok","data":[]}`)
			equal(t, "the chapters", len(m.Data.Chapters)+len(m.Data.ByManga), 0)
		}
	}},

	// null where a value belongs, and what is missing.
	{"null for the latest chapter", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `"latestUploadedChapter":"`+idB+`"`, `"latestUploadedChapter":null`)))
		equal(t, "the latest chapter", m.Data.Attributes.LatestUploadedChapter, uuid.Nil)
	}},
	{"null for the update of a title", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `"updatedAt":"2022-11-30T23:59:59+00:00"`, `"updatedAt":null`)))
		equal(t, "the update", m.Data.Attributes.UpdatedAt.IsZero(), true)
	}},
	{"null among the languages", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `["en","pt-br"]`, `["en",null,"pt-br"]`)))
		equal(t, "the languages", m.Data.Attributes.AvailableTranslatedLanguages, api.Languages{"en", "", "pt-br"})
	}},
	{"official links filled, null and missing", func(t *testing.T) {
		m := decode[api.MangaList](t, "SearchManga", collection(
			with(t, mangaSample, `"officialLinks":null`, `"officialLinks":{"en":"https://example.test/o"}`), mangaSample, with(t, mangaSample, `"officialLinks":null,`, ``)))
		equal(t, "the official link", m.Data[0].Attributes.OfficialLinks, api.Links{{"en", "https://example.test/o"}})
	}},
	{"null for the delay of a group", func(t *testing.T) {
		g := decode[api.GroupList](t, "ListGroups", collection(groupSample, with(t, groupSample, `"publishDelay":null`, `"publishDelay":"P7D"`)))
		equal(t, "the delay", g.Data[0].Attributes.PublishDelay, nil)
		equal(t, "the other delay", *g.Data[1].Attributes.PublishDelay, "P7D")
	}},
	{"null for the status of a title", func(t *testing.T) {
		s := decode[api.ReadingStatusResponse](t, "GetReadingStatus", `{"result":"ok","status":null}`)
		equal(t, "the status", s.Status, "")
		s = decode[api.ReadingStatusResponse](t, "GetReadingStatus", `{"result":"ok","status":"re_reading"}`)
		equal(t, "the status", s.Status, api.ReadingStatusReReading)
	}},
	{"null for the times of a new chapter", func(t *testing.T) {
		c := decode[api.ChapterResponse](t, "GetChapter", entity(with(t, chapterSample, `"publishAt":"2037-12-31T15:00:00+00:00","readableAt":"2022-01-02T03:04:05+00:00"`, `"publishAt":null,"readableAt":null`)))
		equal(t, "the times", c.Data.Attributes.PublishAt.IsZero() && c.Data.Attributes.ReadableAt.IsZero(), true)
	}},
	{"members of a title that were added later", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample,
			`"isLocked":false,`, ``, `"chapterNumbersResetOnNewVolume":false,`, ``, `,"latestUploadedChapter":"`+idB+`"`, ``)))
		equal(t, "the latest chapter", m.Data.Attributes.LatestUploadedChapter, uuid.Nil)
	}},
	{"members of groups, authors and chapters that were added later", func(t *testing.T) {
		decode[api.GroupResponse](t, "GetGroup", entity(groupSample))    // no exLicensed
		decode[api.AuthorResponse](t, "GetAuthor", entity(authorSample)) // no namicomi
		decode[api.ChapterResponse](t, "GetChapter", entity(with(t, chapterSample, `"isUnavailable":false,`, ``)))
	}},
	{"relationships without attributes, with null, and of a deleted entity", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `[{"id":"`+idD+`","type":"author"}]`,
			`[{"id":"`+idD+`","type":"author"},{"id":"`+idC+`","type":"author","attributes":null},{"id":"`+idB+`","type":"cover_art","attributes":[]}]`)))
		authors := m.Data.Relationships.Authors()
		equal(t, "the number of authors", len(authors), 2)
		for _, author := range authors {
			equal(t, "the attributes", author.Attributes, nil)
		}
		if _, ok := m.Data.Relationships.Cover(); !ok {
			t.Error("there is no cover")
		}
	}},
	{"statistics without votes and comments", func(t *testing.T) {
		s := decode[api.MangaStatisticsResponse](t, "GetMangaStatistics", `{"result":"ok","statistics":{"`+idA+`":{"comments":null,"rating":{"average":null,"bayesian":null,"distribution":{"1":0,"10":0}},"follows":0}}}`)
		equal(t, "the average", s.Statistics[id(idA)].Rating.Average, nil)
		equal(t, "the comments", s.Statistics[id(idA)].Comments, nil)
		decode[api.MangaStatisticsResponse](t, "GetMangaStatistics", `{"result":"ok","statistics":{"`+idA+`":{"rating":{"average":8.25},"follows":3}}}`) // 2022
		g := decode[api.ThreadStatisticsResponse](t, "GetGroupStatistics", `{"result":"ok","statistics":{"`+idA+`":{"comments":null}}}`)
		equal(t, "the comments of the group", g.Statistics[id(idA)].Comments, nil)
	}},
	{"empty texts for the last volume and chapter", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(mangaSample))
		equal(t, "the last volume", *m.Data.Attributes.LastVolume, "")
		equal(t, "the last chapter", m.Data.Attributes.LastChapter, nil)
	}},
	{"null for the title of an error", func(t *testing.T) {
		failure := refusal(t, 404, `{"result":"error","errors":[{"id":"`+idA+`","status":404,"title":null,"detail":null,"context":null}]}`)
		equal(t, "the title", failure.Errors[0].Title, nil)
		if !strings.Contains(failure.Error(), idA) {
			t.Errorf("%v does not name the kind of the error", failure)
		}
	}},
	{"users with and without roles", func(t *testing.T) {
		u := decode[api.UserList](t, "ListUsers", collection(userSample, with(t, userSample, `["ROLE_MEMBER","ROLE_INVENTED"]`, `[]`), with(t, userSample, `"roles":["ROLE_MEMBER","ROLE_INVENTED"],`, ``)))
		equal(t, "the roles", u.Data[0].Attributes.Roles, []string{"ROLE_MEMBER", "ROLE_INVENTED"})
	}},

	// Names and envelopes that the document gets wrong.
	{"the languages of a group", func(t *testing.T) {
		g := decode[api.GroupList](t, "ListGroups", collection(
			groupSample, with(t, groupSample, `["en","vi"]`, `[]`), with(t, groupSample, `["en","vi"]`, `null`), with(t, groupSample, `"focusedLanguages":["en","vi"]`, `"focusedLanguage":["en"]`)))
		equal(t, "the languages", g.Data[0].Attributes.FocusedLanguages, []string{"en", "vi"})
		equal(t, "no languages", len(g.Data[1].Attributes.FocusedLanguages)+len(g.Data[2].Attributes.FocusedLanguages), 0)
		equal(t, "the name of the document", string(g.Data[3].Attributes.Extra["focusedLanguage"]), `["en"]`)
	}},
	{"the number of unavailable chapters", func(t *testing.T) {
		for _, op := range []string{"GetMangaStatistics", "ListMangaStatistics"} {
			s := decode[api.MangaStatisticsResponse](t, op, `{"result":"ok","statistics":{"`+idA+`":{"comments":{"threadId":1234567890123,"repliesCount":4},"rating":{"average":8.4321,"bayesian":8.40987654321,`+
				`"distribution":{"1":4,"2":0,"3":0,"4":0,"5":1,"6":2,"7":3,"8":4,"9":5,"10":6}},"follows":99,"unavailableChaptersCount":1125}}}`)
			statistics := s.Statistics[id(idA)]
			equal(t, "the number", *statistics.UnavailableChaptersCount, 1125)
			equal(t, "the thread", statistics.Comments.ThreadID, 1234567890123)
			equal(t, "the mean", *statistics.Rating.Bayesian, 8.40987654321)
			equal(t, "the tens", statistics.Rating.Distribution[10], 6)
			old := decode[api.MangaStatisticsResponse](t, op, `{"result":"ok","statistics":{"`+idA+`":{"comments":null,"rating":{"average":1.5,"bayesian":2},"follows":1,"unavailableChapterCount":3}}}`)
			equal(t, "the name of the document", string(old.Statistics[id(idA)].Extra["unavailableChapterCount"]), "3")
		}
	}},
	{"the distribution of ratings as a list, and empty", func(t *testing.T) {
		s := decode[api.MangaStatisticsResponse](t, "GetMangaStatistics", `{"result":"ok","statistics":{"`+idA+`":{"comments":null,"rating":{"average":null,"bayesian":null,"distribution":[]},"follows":0}}}`)
		equal(t, "the distribution", len(s.Statistics[id(idA)].Rating.Distribution), 0)
		s = decode[api.MangaStatisticsResponse](t, "GetMangaStatistics", `{"result":"ok","statistics":{"`+idA+`":{"comments":null,"rating":{"average":null,"bayesian":null,"distribution":[0,5,7]},"follows":0}}}`)
		equal(t, "the twos", s.Statistics[id(idA)].Rating.Distribution[2], 7)
	}},
	{"the uploader of a chapter", func(t *testing.T) {
		c := decode[api.ChapterResponse](t, "GetChapter", entity(chapterSample))
		uploader, ok := c.Data.Relationships.Uploader()
		equal(t, "the uploader", uploader.ID, id(idD))
		equal(t, "there is one", ok, true)
		equal(t, "the group", c.Data.Relationships.Groups()[0].ID, id(idC))
		// The attribute of the document is kept, should it ever come.
		decode[api.ChapterResponse](t, "GetChapter", entity(with(t, chapterSample, `"pages":0`, `"pages":0,"uploader":"`+idD+`"`)))
	}},
	{"the pictures of a user", func(t *testing.T) {
		u := decode[api.UserResponse](t, "GetCurrentUser", entity(with(t, userSample, `"version":4`, `"version":4,"avatarFileName":null,"bannerFileName":"b.png"`, `"relationships":[]`, `"relationships":[{"id":"`+idA+`","type":"user_profile"}]`)))
		equal(t, "the avatar", u.Data.Attributes.AvatarFileName, nil)
		equal(t, "the banner", *u.Data.Attributes.BannerFileName, "b.png")
		equal(t, "the relationship", u.Data.Relationships[0].Type, api.ResourceTypeUserProfile)
	}},
	{"the relationships of a reason", func(t *testing.T) {
		r := decode[api.ReportReasonList](t, "ListReportReasons", collection(`{"id":"`+idA+`","type":"report_reason","attributes":{"reason":{"en":"Invented"},"detailsRequired":false,"category":"invented","version":2},"relationships":[]}`))
		equal(t, "the category", r.Data[0].Attributes.Category, "invented")
	}},
	{"the reading history as a collection", func(t *testing.T) {
		const op = "GetReadingHistory" // newer than 5.5
		equal(t, "the length", elements(decodeAny(t, op, `{"result":"ok","response":"collection","data":[],"limit":0,"offset":0,"total":0}`)).Len(), 0)
		h := decodeAny(t, op, `{"result":"ok","response":"collection","data":[{"chapterId":"`+idA+`","readDate":"2022-01-02T03:04:05.678901Z"}],"limit":10,"offset":0,"total":1}`)
		equal(t, "the time", fmt.Sprint(elements(h).Index(0).FieldByName("ReadDate").Interface()), "2022-01-02 03:04:05.678901 +0000 UTC")
		equal(t, "the chapter", elements(h).Index(0).FieldByName("ChapterID").Interface(), any(id(idA)))
		// What the document says, and an element of a form that nobody has seen yet.
		decodeAny(t, op, `{"result":"ok","ratings":[{"chapterId":"`+idA+`","readDate":"2022-01-02T03:04:05+00:00"}]}`)
		decodeAny(t, op, `{"result":"ok","response":"collection","data":[`+chapterSample+`],"limit":10,"offset":0,"total":1}`)
	}},
	{"drafts as a list", func(t *testing.T) {
		d := decode[api.MangaList](t, "ListMangaDrafts", collection(with(t, mangaSample, `"state":"published"`, `"state":"draft"`)))
		equal(t, "the state", d.Data[0].Attributes.State, api.MangaStateDraft)
	}},
	{"upload sessions wrapped and bare", func(t *testing.T) {
		const session = `{"id":"` + idA + `","type":"upload_session","attributes":{"isCommitted":false,"isProcessed":false,"isDeleted":false,"version":1,"createdAt":"2022-01-02T03:04:05+00:00","updatedAt":"2022-01-02T03:04:05+00:00"},` +
			`"relationships":[{"id":"` + idB + `","type":"user"},{"id":"` + idC + `","type":"upload_session_file","attributes":{"originalFileName":"1.png","fileHash":"ab","fileSize":9007199254740993,"mimeType":"image\/png","source":"remote","version":1}}]}`
		for _, op := range []string{"BeginUpload", "BeginChapterEdit", "GetUploadSession"} {
			wrapped := decode[api.UploadSessionResponse](t, op, entity(session))
			bare := decodeOnly[api.UploadSessionResponse](t, op, session)
			unchanged(t, []byte(session), bare.Data)
			for _, s := range []*api.UploadSessionResponse{wrapped, bare} {
				equal(t, "the session", s.Data.ID, id(idA))
				files := s.Data.Relationships.Files()
				equal(t, "the size", files[0].Attributes.FileSize, 9007199254740993)
			}
		}
	}},
	{"a committed chapter wrapped, bare, and with members of its own", func(t *testing.T) {
		wrapped := decode[api.ChapterResponse](t, "CommitUpload", entity(with(t, chapterSample, `"pages":0`, `"hash":"ab","data":["1.png"],"dataSaver":["1.jpg"],"pages":1`)))
		equal(t, "the hash", string(wrapped.Data.Attributes.Extra["hash"]), `"ab"`)
		bare := decodeOnly[api.ChapterResponse](t, "CommitUpload", chapterSample)
		unchanged(t, []byte(chapterSample), bare.Data)
		equal(t, "the chapter", bare.Data.ID, id(idB))
	}},
	{"the id of a recommendation", func(t *testing.T) {
		list := decodeAny(t, "ListMangaRecommendations", // newer than 5.12
			collection(`{"id":"`+idA+`_`+idB+`","type":"manga_recommendation","attributes":{"score":0.87654321},"relationships":[{"id":"`+idB+`","type":"manga","attributes":null}]}`))
		first := elements(list).Index(0)
		equal(t, "the id", first.FieldByName("ID").Interface(), any(idA+"_"+idB))
		manga, _ := first.FieldByName("Relationships").Interface().(api.Relationships).Manga()
		equal(t, "the title", manga.ID, id(idB))
	}},
	{"ko for a title that is not followed", func(t *testing.T) {
		for _, op := range []string{"CheckFollowedManga", "CheckFollowedGroup", "CheckFollowedUser", "CheckFollowedCustomList"} {
			operation(t, op)
			_, err := invoke(t, answering(t, 404, "application/json", `{"result":"ko"}`), op, &filler{t: t})
			if !errors.Is(err, api.ErrNotFound) {
				t.Errorf("%s: %v", op, err)
			}
			if _, err := invoke(t, answering(t, 200, "application/json", `{"result":"ok"}`), op, &filler{t: t}); err != nil {
				t.Errorf("%s: %v", op, err)
			}
		}
	}},
	{"404 for statistics", func(t *testing.T) {
		_, err := invoke(t, answering(t, 404, "application/json", `{"result":"error","errors":[{"id":"`+idA+`","status":404,"title":"not_found_http_exception","detail":"No such thing","context":null}]}`), "GetMangaStatistics", &filler{t: t})
		if !errors.Is(err, api.ErrNotFound) || !strings.Contains(err.Error(), "No such thing") {
			t.Error(err)
		}
	}},
	{"statuses that are not documented, on every operation", func(t *testing.T) {
		for _, op := range api.Operations() {
			for _, status := range []int{401, 404, 409, 412, 429, 503} {
				_, err := invoke(t, answering(t, status, "application/json", `{"result":"error","errors":[{"id":"x","status":401,"title":"http_exception","detail":"No.","context":null}]}`), op.ID, &filler{t: t})
				var failure *api.Error
				if !errors.As(err, &failure) || failure.StatusCode != status || failure.Operation != op.ID || len(failure.Errors) != 1 {
					t.Errorf("%s: %v", op.ID, err)
				}
			}
		}
	}},
	{"pong", func(t *testing.T) {
		for _, contentType := range []string{"text/plain; charset=UTF-8", "application/json", ""} {
			if err := answering(t, 200, contentType, "pong").Ping(t.Context()); err != nil {
				t.Errorf("%s: %v", contentType, err)
			}
		}
	}},
	{"an operation that is not in the document", func(t *testing.T) {
		req, err := http.NewRequest("GET", api.Production+"/takedown", nil)
		if err != nil {
			t.Fatal(err)
		}
		if op, ok := api.OperationOf(req); ok {
			t.Errorf("taken for %s", op.ID)
		}
	}},

	// Types.
	{"the context of an error as null, object, list and text", func(t *testing.T) {
		for _, context := range []string{`null`, `{"siteKey":"abc"}`, `[]`, `"text"`} {
			failure := refusal(t, 400, `{"result":"error","errors":[{"id":"not-a-uuid","status":400,"title":"x","detail":"y","context":`+context+`}]}`)
			again, err := json.Marshal(failure.Errors[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := lost(t, []byte(`{"id":"not-a-uuid","context":`+context+`}`), again); len(got) > 0 {
				t.Error(got)
			}
		}
	}},
	{"times with and without a zone", func(t *testing.T) {
		want := time.Date(2018, 11, 22, 23, 31, 37, 0, time.UTC)
		for _, text := range []string{"2018-11-22T23:31:37+00:00", "2018-11-22T23:31:37Z", "2018-11-23T01:31:37+02:00", "2018-11-22T23:31:37.000000+00:00"} {
			m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, "2019-03-04T05:06:07+00:00", text)))
			if !m.Data.Attributes.CreatedAt.Equal(want) {
				t.Errorf("%s is read as %v", text, m.Data.Attributes.CreatedAt)
			}
		}
		s := decode[api.Settings](t, "GetSettings", `{"result":"ok","updatedAt":"2018-11-22T23:31:37","settings":{"a":{"b":[1,null]}},"template":"`+idA+`"}`)
		if !s.UpdatedAt.Time.Equal(want) {
			t.Errorf("read as %v", s.UpdatedAt)
		}
	}},
	{"the last days of months, leap seconds and far years", func(t *testing.T) {
		for _, text := range []string{"2020-02-29T00:00:00+00:00", "2021-12-31T23:59:59+00:00", "2037-12-31T15:00:00+00:00", "1970-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"} {
			decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, "2019-03-04T05:06:07+00:00", text)))
		}
	}},
	{"languages of texts", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `{"ja-ro":"Kumo no Niwa"}`, `{"zh-hk":"a","es-la":"b","ko-ro":"c","NULL":"d","":"e"}`)))
		languages := []string{}
		for language := range m.Data.Attributes.Title.All() {
			languages = append(languages, language)
		}
		equal(t, "the languages", languages, []string{"zh-hk", "es-la", "ko-ro", "NULL", ""})
	}},
	{"a language that comes again among the alternative titles", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(mangaSample))
		equal(t, "the English titles", reading.Titles(&m.Data.Attributes, "en"), []string{"A Garden of Clouds", "Cloud Garden"})
	}},
	{"relationships of every type", func(t *testing.T) {
		attributes := func(sample string) string {
			var parts struct{ Attributes json.RawMessage }
			if err := json.Unmarshal([]byte(sample), &parts); err != nil {
				t.Fatal(err)
			}
			return string(parts.Attributes)
		}
		all := []string{}
		for _, r := range []struct{ typ, attributes string }{
			{"author", attributes(authorSample)}, {"artist", attributes(authorSample)}, {"cover_art", attributes(coverSample)}, {"manga", attributes(mangaSample)},
			{"chapter", attributes(chapterSample)}, {"scanlation_group", attributes(groupSample)}, {"user", attributes(userSample)}, {"leader", attributes(userSample)},
			{"member", attributes(userSample)}, {"creator", attributes(userSample)}, {"tag", attributes(tagSample)}, {"custom_list", `{"name":"x","visibility":"private","version":1}`},
			{"report_reason", `{"reason":{"en":"x"},"detailsRequired":true,"category":"manga","version":1}`},
			{"api_client", `{"name":"x","description":null,"profile":"personal","externalClientId":null,"isActive":true,"state":"approved","createdAt":"2020-01-01T00:00:00+00:00","updatedAt":"2020-01-01T00:00:00+00:00","version":1}`},
			{"invented", `{"any":["thing",1.5,null]}`},
		} {
			all = append(all, `{"id":"`+idB+`","type":"`+r.typ+`","attributes":`+r.attributes+`}`, `{"attributes":`+r.attributes+`,"type":"`+r.typ+`","id":"`+idB+`"}`)
		}
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `[{"id":"`+idD+`","type":"author"}]`, "["+strings.Join(all, ",")+"]")))
		for _, r := range m.Data.Relationships {
			if _, raw := r.Attributes.(api.RawAttributes); r.Attributes == nil || raw != (r.Type == "invented") {
				t.Errorf("the attributes of a %s are %T", r.Type, r.Attributes)
			}
		}
		cover, _ := m.Data.Relationships.Cover()
		equal(t, "the cover", cover.Attributes.FileName, "a-1.png")
	}},
	{"members of a relationship that are not known, and related", func(t *testing.T) {
		r := decode[api.MangaRelationList](t, "ListMangaRelations", collection(`{"id":"`+idA+`","type":"manga_relation","attributes":{"relation":"invented","version":1},`+
			`"relationships":[{"id":"`+idB+`","type":"manga","related":"spin_off","invented":{"a":[1]},"other":null}]}`))
		equal(t, "the relation", r.Data[0].Attributes.Relation, "invented")
		equal(t, "related", r.Data[0].Relationships[0].Related, api.MangaRelationTypeSpinOff)
		equal(t, "the unknown member", string(r.Data[0].Relationships[0].Extra["invented"]), `{"a":[1]}`)
	}},
	{"the id of a relationship that is not a UUID", func(t *testing.T) {
		for _, text := range []string{`1234`, `"abc"`, `"` + idA + `_` + idB + `"`, `""`, `null`, `{"a":1}`} {
			m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `[{"id":"`+idD+`","type":"author"}]`, `[{"id":`+text+`,"type":"thread"},{"id":"`+idD+`","type":"author"}]`)))
			equal(t, "the id", m.Data.Relationships[0].ID, uuid.Nil)
			equal(t, "the id of the next", m.Data.Relationships[1].ID, id(idD))
		}
	}},
	{"values that are not in their enum", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `"status":"ongoing"`, `"status":"paused"`, `"contentRating":"safe"`, `"contentRating":"new"`, `"group":"theme"`, `"group":"mood"`, `"type":"manga"`, `"type":"comic"`, `"publicationDemographic":null`, `"publicationDemographic":"kodomo"`)))
		equal(t, "the status", m.Data.Attributes.Status, "paused")
		if err := answering(t, 200, "application/json", `{"result":"maybe"}`).FollowManga(t.Context(), id(idA)); err != nil {
			t.Error(err)
		}
	}},
	{"yes and no as numbers and texts", func(t *testing.T) {
		for text, want := range map[string]bool{"0": false, "1": true, `"0"`: false, `"1"`: true, `"true"`: true, `"false"`: false, "true": true} {
			m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `"isLocked":false`, `"isLocked":`+text)))
			equal(t, text, m.Data.Attributes.IsLocked, want)
		}
	}},
	{"numbers as texts and texts as numbers", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `"year":2019`, `"year":"2019"`, `"version":7`, `"version":"7"`, `"lastVolume":""`, `"lastVolume":12.5`)))
		equal(t, "the year", *m.Data.Attributes.Year, 2019)
		equal(t, "the last volume", *m.Data.Attributes.LastVolume, "12.5")
		s := decode[api.MangaStatisticsResponse](t, "GetMangaStatistics", `{"result":"ok","statistics":{"`+idA+`":{"comments":null,"rating":{"average":"8.25","bayesian":"8","distribution":{"1":"2"}},"follows":"5"}}}`)
		equal(t, "the average", *s.Statistics[id(idA)].Rating.Average, 8.25)
	}},
	{"settings and templates of any form", func(t *testing.T) {
		const document = `{"a":{"b":[1,2.5,null,true]},"c":{},"d":[]}`
		s := decode[api.Settings](t, "GetSettings", `{"result":"ok","updatedAt":null,"settings":`+document+`,"template":null}`)
		equal(t, "the settings", string(s.Settings), document)
		decode[api.Settings](t, "UpdateSettings", `{"result":"ok","updatedAt":"2022-01-02T03:04:05","settings":[],"template":"`+idA+`"}`)
		for _, op := range []string{"GetSettingsTemplate", "GetSettingsTemplateVersion", "CreateSettingsTemplate"} {
			equal(t, "the template", string(result(t, op, document).(json.RawMessage)), document)
		}
	}},
	{"a list with holes as an object", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `["en","pt-br"]`, `{"0":"en","2":"pt-br"}`, `"tags":[`+tagSample+`]`, `"tags":{"3":`+tagSample+`}`, `[{"id":"`+idD+`","type":"author"}]`, `{"1":{"id":"`+idD+`","type":"author"}}`,
			`[{"en":"A Garden of Clouds"},{"ja":"雲の庭"},{"en":"Cloud Garden"}]`, `{"0":{"en":"A Garden of Clouds"},"5":{"ja":"雲の庭"}}`)))
		equal(t, "the languages", m.Data.Attributes.AvailableTranslatedLanguages, api.Languages{"en", "pt-br"})
		equal(t, "the author", m.Data.Relationships.Authors()[0].ID, id(idD))
		a := decode[api.AtHomeServer](t, "GetAtHomeServer", `{"result":"ok","baseUrl":"https:\/\/example.test","chapter":{"hash":"ab","data":{"0":"A1-x.png","2":"3.png"},"dataSaver":[]}}`)
		equal(t, "the pages", a.Chapter.Data, []string{"A1-x.png", "3.png"})
	}},
	{"an external chapter at home", func(t *testing.T) {
		a := decode[api.AtHomeServer](t, "GetAtHomeServer", `{"result":"ok","baseUrl":"https:\/\/example.test\/a","chapter":{"hash":"","data":[],"dataSaver":[]}}`)
		equal(t, "the server", a.BaseURL, "https://example.test/a")
	}},

	// Values.
	{"pages at the edges of a list", func(t *testing.T) {
		l := decode[api.MangaList](t, "SearchManga", `{"result":"ok","response":"collection","data":[],"limit":0,"offset":0,"total":0}`)
		equal(t, "the limit", l.Limit, 0)
		l = decode[api.MangaList](t, "SearchManga", `{"result":"ok","response":"collection","data":[],"limit":10,"offset":9990,"total":23}`)
		equal(t, "the total", l.Total, 23)
		l = decode[api.MangaList](t, "SearchManga", `{"result":"ok","response":"collection","data":[],"limit":100,"offset":0,"total":81234}`)
		equal(t, "the total", l.Total, 81234)
	}},
	{"escaped slashes, surrogates and texts of many lines", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `"Invented."`, `"a\/b\n\ud83c\udf31\u00e9\t\"\\ \u2028<&>"`)))
		equal(t, "the description", m.Data.Attributes.Description.String(), "a/b\n🌱é\t\"\\ \u2028<&>")
	}},
	{"a session that was refreshed without a message", func(t *testing.T) {
		decodeAny(t, "LegacyRefresh", `{"result":"ok","token":{"session":"invented","refresh":"invented"}}`)
		decodeAny(t, "LegacyRefresh", `{"result":"ok","message":null,"token":{"session":"invented","refresh":"invented"}}`)
	}},
	{"the creator of a title and of an API client", func(t *testing.T) {
		m := decode[api.MangaResponse](t, "GetManga", entity(with(t, mangaSample, `[{"id":"`+idD+`","type":"author"}]`, `[{"id":"`+idD+`","type":"creator"}]`)))
		creator, ok := m.Data.Relationships.Creator()
		equal(t, "the creator", creator.ID, id(idD))
		equal(t, "there is one", ok, true)
	}},
	{"the leader and the members of a group", func(t *testing.T) {
		g := decode[api.GroupResponse](t, "GetGroup", entity(groupSample))
		leader, _ := g.Data.Relationships.Leader()
		equal(t, "the leader", leader.ID, id(idD))
		equal(t, "the members", g.Data.Relationships.Members(), []api.Ref[api.UserAttributes]{{ID: id(idA)}})
	}},
	{"a page of 2021", func(t *testing.T) { // results in place of data
		body := `{"results":[{"result":"ok","data":` + mangaSample + `,"relationships":[]}],"limit":10,"offset":0,"total":1}`
		if _, err := answering(t, 200, "application/json", body).SearchManga(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "it has no data") {
			t.Errorf("a page that holds nothing that is known: %v", err)
		}
	}},
	{"a chapter of 2021", func(t *testing.T) {
		decode[api.ChapterResponse](t, "GetChapter", `{"result":"ok","data":`+with(t, chapterSample, `"pages":0,`, `"hash":"ab","data":["1.png"],"dataSaver":["1.jpg"],`)+`,"relationships":[{"id":"`+idA+`","type":"manga"}]}`)
	}},
	{"expansions within expansions", func(t *testing.T) {
		inner := with(t, mangaSample, `[{"id":"`+idD+`","type":"author"}]`, `[]`)
		var parts struct{ Attributes json.RawMessage }
		if err := json.Unmarshal([]byte(inner), &parts); err != nil {
			t.Fatal(err)
		}
		c := decode[api.ChapterResponse](t, "GetChapter", entity(with(t, chapterSample, `{"id":"`+idA+`","type":"manga"}`,
			`{"id":"`+idA+`","type":"manga","attributes":`+string(parts.Attributes)+`,"relationships":[{"id":"`+idB+`","type":"cover_art","attributes":{"fileName":"x"}}]}`)))
		manga, _ := c.Data.Relationships.Manga()
		equal(t, "the title", manga.Attributes.Title.String(), "Kumo no Niwa")
	}},
	{"members that nobody knows, at every level", func(t *testing.T) {
		const extra = `"invented":{"a":[1,null,"x"]},`
		body := entity(mangaSample)
		for _, object := range []string{`{"result"`, `{"id"`, `{"title"`, `{"name":{"en"`} {
			body = strings.ReplaceAll(body, object, `{`+extra+object[1:])
		}
		m := decode[api.MangaResponse](t, "GetManga", body)
		for _, e := range []api.Extra{m.Extra, m.Data.Extra, m.Data.Attributes.Extra, m.Data.Relationships[0].Extra, m.Data.Attributes.Tags[0].Extra, m.Data.Attributes.Tags[0].Attributes.Extra} {
			equal(t, "the unknown member", string(e["invented"]), `{"a":[1,null,"x"]}`)
		}
		decode[api.AggregateResponse](t, "GetMangaAggregate", `{"result":"ok",`+extra+`"volumes":{"1":{"volume":"1","count":1,`+extra+`"chapters":{"1":{`+extra+`"chapter":"1","id":"`+idA+`","others":[],"count":1}}}}}`)
		decode[api.MangaStatisticsResponse](t, "GetMangaStatistics", `{"result":"ok","statistics":{"`+idA+`":{`+extra+`"comments":{`+extra+`"threadId":1,"repliesCount":2},"rating":{`+extra+`"average":1.5,"bayesian":1},"follows":1}}}`)
	}},
}

// refusal is the error of an answer.
func refusal(t *testing.T, status int, body string) *api.Error {
	t.Helper()
	_, err := answering(t, status, "application/json", body).GetManga(t.Context(), id(idA), nil)
	var failure *api.Error
	if !errors.As(err, &failure) {
		t.Fatalf("the error is %v", err)
	}
	return failure
}

func TestDeviations(t *testing.T) {
	t.Parallel()
	for _, d := range deviations {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.check(t)
		})
	}
	names := []string{}
	for _, d := range deviations {
		names = append(names, d.name)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(deviations) {
		t.Error("two deviations have the same name")
	}
}
