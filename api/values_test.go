package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

func TestLocalizedString(t *testing.T) {
	t.Parallel()
	s := api.LocalizedString{{"ja-ro", "romanised"}, {"pt-br", "brazilian"}, {"pt", ""}, {"en", "english"}, {"zh-hk", ""}, {"zh-tw", "taiwanese"}, {"en", "second"}}
	for _, test := range []struct {
		languages []string
		want      string
	}{
		{nil, "english"},
		{[]string{"en"}, "english"},
		{[]string{"ja-ro", "en"}, "romanised"},
		{[]string{"ja", "en"}, "english"},
		{[]string{"pt", "en"}, "brazilian"},
		{[]string{"zh", "en"}, "taiwanese"},
		{[]string{"zh-hk", "pt-br"}, "brazilian"},
		{[]string{"p"}, "english"},
		{[]string{"", "de"}, "english"},
		{[]string{"de", "fr"}, "english"},
	} {
		if got := s.In(test.languages...); got != test.want {
			t.Errorf("in %q: %q, want %q", test.languages, got, test.want)
		}
	}
	if text, ok := s.Get("pt"); text != "" || !ok {
		t.Errorf("%q, %v", text, ok)
	}
	if text, ok := s.Get("de"); text != "" || ok {
		t.Errorf("%q, %v", text, ok)
	}
	if got := fmt.Sprint(api.LocalizedString{{"ja", ""}, {"ko", "korean"}}); got != "korean" {
		t.Errorf("without English it prints %q", got)
	}
	if got := api.LocalizedString(nil).In("en"); got != "" {
		t.Errorf("nothing becomes %q", got)
	}
	n := 0
	for range s.All() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("the loop went %d times", n)
	}
	if data, err := json.Marshal(struct{ A, B api.LocalizedString }{nil, api.LocalizedString{}}); err != nil || string(data) != `{"A":null,"B":{}}` {
		t.Errorf("%s, %v", data, err)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ site, value, want string }{
		{"al", "12", "https://anilist.co/manga/12"},
		{"ap", "a-slug", "https://www.anime-planet.com/manga/a-slug"},
		{"bw", "series/1", "https://bookwalker.jp/series/1"},
		{"kt", "a-slug", "https://kitsu.app/manga/a-slug"},
		{"mal", "3", "https://myanimelist.net/manga/3"},
		{"mu", "123", "https://www.mangaupdates.com/series.html?id=123"},
		{"mu", "abc123", "https://www.mangaupdates.com/series/abc123"},
		{"nu", "a-slug", "https://www.novelupdates.com/series/a-slug"},
		{"raw", "https://example.test/raw", "https://example.test/raw"},
		{"engtl", "http://example.test/", "http://example.test/"},
		{"amz", "https://example.test/dp/1", "https://example.test/dp/1"},
		{"bl", "x", ""}, {"raw", "javascript:alert(1)", ""}, {"al", "", ""},
	} {
		links := api.Links{{"first", "1"}, {test.site, test.value}}
		if got := links.URL(test.site); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.site, test.value, got, test.want)
		}
	}
	if got := (api.Links)(nil).URL("al"); got != "" {
		t.Errorf("no links: %q", got)
	}
}

func TestCoverURL(t *testing.T) {
	t.Parallel()
	for size, want := range map[api.CoverSize]string{api.CoverOriginal: "", api.CoverSmall: ".256.jpg", api.CoverMedium: ".512.jpg"} {
		if got := api.CoverURL(id(idA), "a-1.png", size); got != "https://uploads.mangadex.org/covers/"+idA+"/a-1.png"+want {
			t.Error(got)
		}
	}
	u, err := url.Parse(api.CoverURL(id(idA), "../a b?.png", api.CoverOriginal))
	if err != nil || u.RawQuery != "" || u.Path != "/covers/"+idA+"/../a b?.png" || u.EscapedPath() != "/covers/"+idA+"/..%2Fa%20b%3F.png" {
		t.Errorf("%v, %v", u, err)
	}
}

func TestDateTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2021, 2, 3, 4, 5, 6, 999, time.FixedZone("", 5*60*60+30*60))
	const want = "2021-02-02T22:35:06"
	d := api.DateTime{Time: at}
	if d.String() != want || api.Since(at).String() != want || fmt.Sprint(d) != want {
		t.Errorf("%v, want %s", d, want)
	}
	if data, err := json.Marshal(d); err != nil || string(data) != `"`+want+`"` {
		t.Errorf("%s, %v", data, err)
	}
	for _, text := range []string{want, want + "Z", "2021-02-03T04:05:06+05:30", "2021-02-02 22:35:06"} {
		var got api.DateTime
		if err := got.UnmarshalText([]byte(text)); err != nil || got.String() != want {
			t.Errorf("%s is read as %v, %v", text, got, err)
		}
	}
	var none api.DateTime
	if err := none.UnmarshalText([]byte("soon")); err == nil || none != (api.DateTime{}) {
		t.Errorf("%v, %v", none, err)
	}
}

func TestRatingDistribution(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, out string }{
		{`{"10":3,"2":1}`, `{"2":1,"10":3}`}, {`[]`, `{}`}, {`null`, `null`}, {`[1,2]`, `{"0":1,"1":2}`}, {`{"1":"4"}`, `{"1":4}`},
	} {
		var d api.RatingDistribution
		if err := json.Unmarshal([]byte(test.in), &d); err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		if out, err := json.Marshal(d); err != nil || string(out) != test.out {
			t.Errorf("%s becomes %s, want %s: %v", test.in, out, test.out, err)
		}
	}
}

func TestRelationshipsByHand(t *testing.T) {
	t.Parallel()
	rs := api.Relationships{
		{ID: id(idA), Type: api.ResourceTypeAuthor, Attributes: &api.AuthorAttributes{Name: "A"}},
		{ID: id(idB), Type: api.ResourceTypeArtist},
		{ID: id(idC), Type: "invented", Attributes: api.RawAttributes(`{"a":1}`)},
		{ID: id(idD), Type: api.ResourceTypeManga, Related: api.MangaRelationTypeSequel},
	}
	data, err := json.Marshal(rs)
	if err != nil {
		t.Fatal(err)
	}
	var again api.Relationships
	if err := json.Unmarshal(data, &again); err != nil || len(again) != 4 {
		t.Fatalf("%v, %v", again, err)
	}
	if authors := again.Authors(); len(authors) != 1 || authors[0].Attributes.Name != "A" {
		t.Errorf("%v", authors)
	}
	if artists := again.Artists(); len(artists) != 1 || artists[0].Attributes != nil || artists[0].ID != id(idB) {
		t.Errorf("%v", artists)
	}
	if _, ok := again.Cover(); ok {
		t.Error("there is a cover")
	}
	for r := range again.OfType("invented") {
		if raw, ok := r.Attributes.(api.RawAttributes); !ok || string(raw) != `{"a":1}` {
			t.Errorf("%v", r.Attributes)
		}
	}
	if again[3].Related != api.MangaRelationTypeSequel {
		t.Errorf("%v", again[3])
	}
	if data, err := json.Marshal(api.Relationship{ID: uuid.Nil, Type: "x", Attributes: api.RawAttributes(nil)}); err != nil || string(data) != `{"id":null,"type":"x","attributes":null}` {
		t.Errorf("%s, %v", data, err)
	}
}

// TestServers gives servers that a client can and cannot be made for.
func TestServers(t *testing.T) {
	t.Parallel()
	for server, says := range map[string]string{
		api.Production: "", api.Development: "", "http://localhost:8080": "", "http://localhost:8080/proxy/": "", "https://mangadex.example.test/a%2Fb": "",
		"": "api.Production", "api.mangadex.org": "scheme", "ftp://api.example.test": "scheme", "https://": "host", "/manga": "scheme", "mailto:a@example.test": "scheme",
		"https://name:hidden@api.example.test": "password", "ftp://name:hidden@api.example.test": "password", "https://api.example.test?key=hidden": "?", "https://api.example.test/?": "?",
		"https://api.example.test/#hidden": "#", "http://api.mangadex.org": "https only", "https://name:hidden@api.example.test:port": "not a URL", "https://name:hid\x7fden@api.example.test": "not a URL",
		"https://api.example.test/%zz": "not a URL",
	} {
		client, err := api.New(server)
		switch {
		case says == "" && (err != nil || client.Server() != strings.TrimRight(server, "/")):
			t.Errorf("%s: %v", server, err)
		case says != "" && (err == nil || client != nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "api: ")):
			t.Errorf("%s: %v does not say %q", server, err, says)
		case says != "" && strings.Contains(err.Error(), "hid"):
			t.Errorf("%v holds a secret", err)
		}
	}
}

// TestStandAlone decodes and encodes the types written by hand on their own.
func TestStandAlone(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		`null`, `[]`, `{}`, `["` + idA + `"]`, `{"` + idA + `":["` + idB + `"]}`, `["en",null]`, `{"1":{"volume":"1","chapters":{"2":{"chapter":"2"}}}}`,
		`[{"chapter":"2"}]`, `{"id":"` + idA + `","type":"x","attributes":[]}`, `{"id":"` + idA + `","type":"tag","attributes":{"name":{"en":"x"}},"related":null}`, `{"1":2}`, `1`, `"x"`, `[`,
	} {
		roundTrip[api.AggregateVolumes](t, []byte(document))
		roundTrip[api.AggregateChapters](t, []byte(document))
		roundTrip[api.Languages](t, []byte(document))
		roundTrip[api.ReadMarkers](t, []byte(document))
		roundTrip[api.RatingDistribution](t, []byte(document))
		roundTrip[api.Relationship](t, []byte(document))
		roundTrip[api.Relationships](t, []byte(document))
		roundTrip[api.LocalizedString](t, []byte(document))
		roundTrip[api.Links](t, []byte(document))
	}
	if data, err := json.Marshal(api.RawAttributes(`{"a":1}`)); err != nil || string(data) != `{"a":1}` {
		t.Errorf("%s, %v", data, err)
	}
}
