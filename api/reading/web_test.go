package reading_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

func TestParseLink(t *testing.T) {
	t.Parallel()
	const text = "0123abcd-0000-4000-8000-0123456789ab"
	id := uuid.MustParse(text)
	file := strings.Repeat("a", 8) + ".jpg"
	manga, page := reading.Link{Kind: api.ResourceTypeManga, ID: id}, reading.Link{Kind: api.ResourceTypeChapter, ID: id, Page: 3}
	for address, want := range map[string]reading.Link{
		text:                                 {ID: id},
		" " + strings.ToUpper(text) + "\n":   {ID: id},
		"https://mangadex.org/title/" + text: manga,
		"http://www.mangadex.org/title/" + text + "/the-kettle?tab=chapters#x": manga,
		"mangadex.org/title/" + text:                                    manga,
		"//mangadex.org/title/" + text + "/":                            manga,
		"<https://mangadex.org/manga/" + text + ">":                     manga,
		"HTTPS://MangaDex.ORG.:443/TITLE/" + strings.ToUpper(text):      manga,
		"https://api.mangadex.org/manga/" + text + "/feed?limit=1":      manga,
		"https://sandbox.mangadex.dev/title/" + text:                    manga,
		"https://og.mangadex.org/og-image/manga/" + text:                manga,
		"https://mangadex.org/chapter/" + text:                          {Kind: api.ResourceTypeChapter, ID: id},
		"https://mangadex.org/chapter/" + text + "/3":                   page,
		"https://mangadex.org/chapter/" + text + "/x":                   {Kind: api.ResourceTypeChapter, ID: id},
		"https://api.mangadex.org/at-home/server/" + text:               {Kind: api.ResourceTypeChapter, ID: id},
		"https://mangadex.org/list/" + text + "/mine":                   {Kind: api.ResourceTypeCustomList, ID: id},
		"https://mangadex.org/group/" + text:                            {Kind: api.ResourceTypeScanlationGroup, ID: id},
		"https://mangadex.org/author/" + text:                           {Kind: api.ResourceTypeAuthor, ID: id},
		"https://mangadex.org/user/" + text:                             {Kind: api.ResourceTypeUser, ID: id},
		"https://mangadex.org/tag/" + text + "/action":                  {Kind: api.ResourceTypeTag, ID: id},
		"https://mangadex.org/covers/" + text + "/" + file + ".512.jpg": {Kind: api.ResourceTypeCoverArt, ID: id, File: file + ".512.jpg"},
		"https://uploads.mangadex.org/covers/" + text + "/" + file:      {Kind: api.ResourceTypeCoverArt, ID: id, File: file},
		"https://mangadex.org/title/12345/the-kettle":                   {Kind: api.ResourceTypeManga, Old: 12345},
		"https://mangadex.org/manga/7":                                  {Kind: api.ResourceTypeManga, Old: 7},
		"https://mangadex.cc/chapter/99/2":                              {Kind: api.ResourceTypeChapter, Old: 99, Page: 2},
		"https://mangadex.org/group/12/name":                            {Kind: api.ResourceTypeScanlationGroup, Old: 12},
	} {
		got, ok := reading.ParseLink(address)
		if !ok || got != want {
			t.Errorf("%s: got %+v %v, want %+v", address, got, ok, want)
		}
	}
	for _, address := range []string{
		"", "kettle", "https://mangadex.org", "https://mangadex.org/title", "https://mangadex.org/title/", "https://mangadex.org/title/kettle",
		"https://mangadex.org.evil.example/title/" + text, "https://evil.example/title/" + text, "https://evil.example/?https://mangadex.org/title/" + text,
		"https://mangadex.org@evil.example/title/" + text, "ftp://mangadex.org/title/" + text, "javascript:mangadex.org/title/" + text,
		"https://notmangadex.org/title/" + text, "https://mangadex.org/settings/" + text, "https://mangadex.org/title/-5", "https://mangadex.org/title/+5",
		"https://mangadex.org/title/0", "https://mangadex.org/title/99999999999", "urn:uuid:" + text, "{" + text + "}", strings.ReplaceAll(text, "-", ""),
		"https://mangadex.org/title/" + strings.ReplaceAll(text, "-", ""), "https://mangadex.org/" + strings.Repeat("a", 5000),
	} {
		if got, ok := reading.ParseLink(address); ok {
			t.Errorf("%s: got %+v", address, got)
		}
	}
}

func TestLinkURL(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0123abcd-0000-4000-8000-0123456789ab")
	for want, link := range map[string]reading.Link{
		"https://mangadex.org/title/" + id.String():                     {Kind: api.ResourceTypeManga, ID: id},
		"https://mangadex.org/chapter/" + id.String():                   {Kind: api.ResourceTypeChapter, ID: id},
		"https://mangadex.org/chapter/" + id.String() + "/3":            {Kind: api.ResourceTypeChapter, ID: id, Page: 3},
		"https://mangadex.org/list/" + id.String():                      {Kind: api.ResourceTypeCustomList, ID: id},
		"https://mangadex.org/group/" + id.String():                     {Kind: api.ResourceTypeScanlationGroup, ID: id},
		"https://mangadex.org/author/" + id.String():                    {Kind: api.ResourceTypeAuthor, ID: id},
		"https://mangadex.org/user/" + id.String():                      {Kind: api.ResourceTypeUser, ID: id},
		"https://mangadex.org/tag/" + id.String():                       {Kind: api.ResourceTypeTag, ID: id},
		"https://uploads.mangadex.org/covers/" + id.String() + "/a.jpg": {Kind: api.ResourceTypeCoverArt, ID: id, File: "a.jpg"},
		"https://mangadex.org/title/12":                                 {Kind: api.ResourceTypeManga, Old: 12},
	} {
		same(t, want, link.URL(), want)
		back, ok := reading.ParseLink(link.URL())
		if !ok || back != link {
			t.Errorf("%s: back it is %+v", want, back)
		}
	}
	same(t, "a cover without a file", reading.Link{Kind: api.ResourceTypeCoverArt, ID: id}.URL(), "https://mangadex.org/title/"+id.String()+"?tab=art")
	same(t, "nothing", reading.Link{}.URL(), "")
	same(t, "no id", reading.URL(api.ResourceTypeManga, uuid.Nil), "")
	same(t, "a kind without pages", reading.URL(api.ResourceTypeThread, id), "")
	same(t, "a title", reading.URL(api.ResourceTypeManga, id), "https://mangadex.org/title/"+id.String())
}

func TestTags(t *testing.T) {
	t.Parallel()
	var all []api.Tag
	for _, name := range []string{"Sci-Fi", "Slice of Life", "Boys' Love", "Girls' Love", "4-Koma", "Action"} {
		all = append(all, api.Tag{ID: idOf(name), Attributes: api.TagAttributes{Name: api.LocalizedString{{Language: "en", Text: name}}}})
	}
	all[5].Attributes.Name = append(all[5].Attributes.Name, api.LocalizedText{Language: "ja", Text: "アクション"})
	got, err := reading.Tags(all, "sci fi", "SLICE-OF-LIFE", "boys love", "4koma", "ｱｸｼｮﾝ")
	want := []uuid.UUID{idOf("Sci-Fi"), idOf("Slice of Life"), idOf("Boys' Love"), idOf("4-Koma"), idOf("Action")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for name, want := range map[string]string{
		"love":        `reading: there is no tag "love"; is it "Boys' Love" or "Girls' Love"?`,
		"slice":       `reading: there is no tag "slice"; is it "Slice of Life"?`,
		"actoin":      `reading: there is no tag "actoin"; GET /manga/tag lists all`,
		"\x1b[31mx\n": `reading: there is no tag "[31mx"; GET /manga/tag lists all`,
		"":            `reading: there is no tag ""; GET /manga/tag lists all`,
	} {
		_, err := reading.Tags(all, "Action", name)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}

func TestAllRatings(t *testing.T) {
	t.Parallel()
	first := reading.AllRatings()
	same(t, "ratings", len(first), 4)
	first[0] = "changed"
	same(t, "the first", reading.AllRatings()[0], api.ContentRatingSafe)
}

func TestTitle(t *testing.T) {
	t.Parallel()
	named := func(pairs ...string) (s api.LocalizedString) {
		for i := 0; i < len(pairs); i += 2 {
			s = append(s, api.LocalizedText{Language: pairs[i], Text: pairs[i+1]})
		}
		return s
	}
	full := api.MangaAttributes{
		Title:     named("ja-ro", "Yakan", "ja", "やかん"),
		AltTitles: []api.LocalizedString{named("fr", "La bouilloire"), named("pt-br", "A chaleira"), named("en", "The Kettle"), named("en", "Kettle")},
	}
	for languages, want := range map[string]string{
		"en": "The Kettle", "fr,en": "La bouilloire", "de,fr": "La bouilloire", "ja": "やかん", "pt": "A chaleira", "pt-br": "A chaleira",
		"ja-ro": "Yakan", "": "Yakan", "de": "Yakan", "p": "Yakan",
	} {
		same(t, languages, reading.Title(&full, strings.Split(languages, ",")...), want)
	}
	for want, a := range map[string]api.MangaAttributes{
		"":           {},
		"English":    {Title: named("ja", "日本", "en", "English")},
		"日本":         {Title: named("ja", "日本")},
		"Only other": {Title: named("en", " \u200b"), AltTitles: []api.LocalizedString{named("ko", "다른"), named("ko-ro", "Only other")}},
	} {
		same(t, want, reading.Title(&a, "de"), want)
	}
	if got := reading.Titles(&full, "en"); !slices.Equal(got, []string{"The Kettle", "Kettle"}) {
		t.Errorf("all English titles: %q", got)
	}
}
