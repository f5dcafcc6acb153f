package athome_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

// described makes a world whose chapter has everything that ComicInfo.xml can hold.
func described(t *testing.T) *world {
	w := newWorld(t, 12, 1000)
	for key, value := range map[string]any{
		"title": "A kettle & its <lid>", "volume": "3", "chapter": "10.5", "translatedLanguage": "pt-br",
		"publishAt": "2024-02-03T23:30:00-02:00",
	} {
		w.details[key] = value
	}
	w.related = []any{
		map[string]any{"id": mangaID, "type": "manga", "attributes": map[string]any{
			"title": map[string]string{"ja-ro": "Yakan", "en": "The Kettle"}, "originalLanguage": "ja",
		}},
		map[string]any{"id": "00000000-0000-4000-8000-0000000000b1", "type": "scanlation_group", "attributes": map[string]any{"name": "First Group"}},
		map[string]any{"id": "00000000-0000-4000-8000-0000000000b2", "type": "scanlation_group", "attributes": map[string]any{"name": "Second Group"}},
	}
	return w
}

// checkCBZ fails the test unless an archive holds the pages, sorted and not compressed. It returns
// ComicInfo.xml.
func checkCBZ(t *testing.T, data []byte, pages [][]byte, ext string) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	var info []byte
	var names []string
	for _, f := range archive.File {
		if f.Method != zip.Store || f.Flags&0x8 != 0 {
			t.Errorf("%s has method %d and flags %x: readers that do not seek cannot read it", f.Name, f.Method, f.Flags)
		}
		r, err := f.Open()
		must(t, err)
		content, err := io.ReadAll(r) // checks the checksum
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Name == "ComicInfo.xml" {
			info = content
			continue
		}
		if i := len(names); i < len(pages) && !bytes.Equal(content, pages[i]) {
			t.Errorf("%s is not page %d", f.Name, i)
		}
		names = append(names, f.Name)
	}
	if !slices.IsSorted(names) || len(names) != len(pages) || names[0] != "001"+ext {
		t.Errorf("names of pages: %v", names)
	}
	return info
}

func TestCBZ(t *testing.T) {
	t.Parallel()
	w := described(t)
	chapter := w.open(t)
	path := filepath.Join(t.TempDir(), "new", "chapter.cbz")
	must(t, chapter.SaveCBZ(t.Context(), path))
	saved, err := os.ReadFile(path)
	must(t, err)
	var written bytes.Buffer
	must(t, chapter.WriteCBZ(t.Context(), &written))
	if !bytes.Equal(saved, written.Bytes()) {
		t.Error("SaveCBZ and WriteCBZ differ")
	}
	checkTree(t, filepath.Dir(path), 1)
	info := checkCBZ(t, saved, w.pages, ".png")
	want := `<?xml version="1.0" encoding="UTF-8"?>
<ComicInfo>
  <Title>A kettle &amp; its &lt;lid&gt;</Title>
  <Series>The Kettle</Series>
  <Number>10.5</Number>
  <Volume>3</Volume>
  <Year>2024</Year>
  <Month>2</Month>
  <Day>4</Day>
  <Translator>First Group, Second Group</Translator>
  <Web>https://mangadex.org/chapter/00000000-0000-4000-8000-0000000000c1</Web>
  <PageCount>12</PageCount>
  <LanguageISO>pt-BR</LanguageISO>
  <Manga>YesAndRightToLeft</Manga>
  <ScanInformation>First Group, Second Group</ScanInformation>
</ComicInfo>
`
	if diff := cmp.Diff(want, string(info)); diff != "" {
		t.Errorf("ComicInfo.xml (-want +got):\n%s", diff)
	}
	checkComicInfo(t, info)

	unzip, err := exec.LookPath("unzip")
	if err != nil {
		t.Skip("there is no unzip to ask; install it")
	}
	if out, err := exec.Command(unzip, "-t", path).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("No errors detected")) {
		t.Errorf("unzip -t: %v\n%s", err, out)
	}
}

// comicInfoSchema are the elements of ComicInfo 2.1 in their order, with their types: s for text,
// i for a whole number of 32 bits, or the values that are allowed, with | between.
var comicInfoSchema = [][2]string{
	{"Title", "s"}, {"Series", "s"}, {"Number", "s"}, {"Count", "i"}, {"Volume", "i"},
	{"AlternateSeries", "s"}, {"AlternateNumber", "s"}, {"AlternateCount", "i"}, {"Summary", "s"}, {"Notes", "s"},
	{"Year", "i"}, {"Month", "i"}, {"Day", "i"},
	{"Writer", "s"}, {"Penciller", "s"}, {"Inker", "s"}, {"Colorist", "s"}, {"Letterer", "s"}, {"CoverArtist", "s"}, {"Editor", "s"}, {"Translator", "s"},
	{"Publisher", "s"}, {"Imprint", "s"}, {"Genre", "s"}, {"Tags", "s"}, {"Web", "s"}, {"PageCount", "i"}, {"LanguageISO", "s"}, {"Format", "s"},
	{"BlackAndWhite", "Unknown|No|Yes"}, {"Manga", "Unknown|No|Yes|YesAndRightToLeft"},
	{"Characters", "s"}, {"Teams", "s"}, {"Locations", "s"}, {"ScanInformation", "s"}, {"StoryArc", "s"}, {"StoryArcNumber", "s"}, {"SeriesGroup", "s"},
	{"AgeRating", "Unknown|Adults Only 18+|Early Childhood|Everyone|Everyone 10+|G|Kids to Adults|M|MA15+|Mature 17+|PG|R18+|Rating Pending|Teen|X18+"},
}

// checkComicInfo fails the test unless a document fits the schema.
func checkComicInfo(t *testing.T, document []byte) {
	t.Helper()
	var info struct {
		XMLName  xml.Name
		Elements []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
			Inner   string `xml:",innerxml"`
		} `xml:",any"`
	}
	must(t, xml.Unmarshal(document, &info))
	if info.XMLName != (xml.Name{Local: "ComicInfo"}) {
		t.Errorf("the root is %v", info.XMLName)
	}
	last := -1
	for _, e := range info.Elements {
		i := slices.IndexFunc(comicInfoSchema, func(s [2]string) bool { return s[0] == e.XMLName.Local })
		if i < 0 || e.XMLName.Space != "" {
			t.Errorf("the schema has no %v", e.XMLName)
			continue
		}
		if i <= last {
			t.Errorf("%s comes too late, or twice", e.XMLName.Local)
		}
		last = i
		switch kind := comicInfoSchema[i][1]; {
		case strings.Contains(e.Inner, "<"):
			t.Errorf("%s has elements", e.XMLName.Local)
		case kind == "i":
			if _, err := strconv.ParseInt(e.Text, 10, 32); err != nil {
				t.Errorf("%s is %q, not a number", e.XMLName.Local, e.Text)
			}
		case kind != "s" && !slices.Contains(strings.Split(kind, "|"), e.Text):
			t.Errorf("%s is %q, not one of %s", e.XMLName.Local, e.Text, kind)
		}
	}
}

// TestComicInfo has chapters that lack something, or have something that the schema does not take.
func TestComicInfo(t *testing.T) {
	t.Parallel()
	type attributes = map[string]any
	for name, test := range map[string]struct {
		chapter attributes
		title   attributes // nil: no attributes
		want    []string
		without []string
	}{
		"nothing known":       {attributes{"title": nil, "volume": nil, "chapter": nil, "publishAt": nil}, nil, []string{"<PageCount>2<", "<Web>"}, []string{"Title", "Series", "Number", "Volume", "Year", "Manga", "ScanInformation"}},
		"empty":               {attributes{"title": "", "volume": "", "chapter": ""}, attributes{"title": []any{}}, nil, []string{"Title", "Series", "Number", "Volume", "Manga"}},
		"half a volume":       {attributes{"volume": "2.5"}, nil, nil, []string{"Volume"}},
		"volume none":         {attributes{"volume": "none"}, nil, nil, []string{"Volume"}},
		"volume 0":            {attributes{"volume": "0"}, nil, []string{"<Volume>0<"}, nil},
		"huge volume":         {attributes{"volume": "99999999999"}, nil, nil, []string{"Volume"}},
		"number like a text":  {attributes{"chapter": "Extra 2"}, nil, []string{"<Number>Extra 2<"}, nil},
		"romanised":           {attributes{"translatedLanguage": "ja-ro"}, nil, []string{"<LanguageISO>ja-Latn<"}, nil},
		"Latin America":       {attributes{"translatedLanguage": "es-la"}, nil, []string{"<LanguageISO>es-419<"}, nil},
		"Hong Kong":           {attributes{"translatedLanguage": "zh-hk"}, nil, []string{"<LanguageISO>zh-HK<"}, nil},
		"no language":         {attributes{"translatedLanguage": ""}, nil, nil, []string{"LanguageISO"}},
		"not from Japan":      {nil, attributes{"title": attributes{"ko": "가"}, "originalLanguage": "ko"}, []string{"<Series>가<"}, []string{"Manga"}},
		"control characters":  {attributes{"title": "a\x01b\u0000c"}, nil, []string{"<Title>a\ufffdb\ufffdc<"}, nil},
		"line feeds and more": {attributes{"title": "a\nb]]>"}, nil, []string{"<Title>a&#xA;b]]&gt;<"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2, 100)
			for key, value := range test.chapter {
				w.details[key] = value
			}
			manga := map[string]any{"id": mangaID, "type": "manga"}
			if test.title != nil {
				manga["attributes"] = test.title
			}
			w.related = []any{manga, map[string]any{"id": mangaID, "type": "scanlation_group"}}
			var archive bytes.Buffer
			must(t, w.open(t).WriteCBZ(t.Context(), &archive))
			info := checkCBZ(t, archive.Bytes(), w.pages, ".png")
			checkComicInfo(t, info)
			for _, want := range test.want {
				if !strings.Contains(string(info), want) {
					t.Errorf("no %s in\n%s", want, info)
				}
			}
			for _, without := range test.without {
				if strings.Contains(string(info), "<"+without+">") {
					t.Errorf("%s in\n%s", without, info)
				}
			}
		})
	}
}

// TestComicInfoOfTitle has everything that a title can say.
func TestComicInfoOfTitle(t *testing.T) {
	t.Parallel()
	w := described(t)
	person := func(kind api.ResourceType, name string) api.Relationship {
		return api.Relationship{Type: kind, Attributes: &api.AuthorAttributes{Name: name}}
	}
	tag := func(group api.TagGroup, name string) api.Tag {
		return api.Tag{Attributes: api.TagAttributes{Group: group, Name: api.LocalizedString{{Language: "en", Text: name}}}}
	}
	title := api.Manga{ID: mangaID, Attributes: api.MangaAttributes{
		Title:            api.LocalizedString{{Language: "ja-ro", Text: "Yakan"}, {Language: "en", Text: "The Kettle"}},
		Description:      api.LocalizedString{{Language: "en", Text: "It **whistles**.\n\n---\n[links](https://x.example)"}, {Language: "pt-br", Text: "Ela [apita](https://x.example)."}},
		OriginalLanguage: "ja", Status: api.PublicationStatusCompleted, LastChapter: api.Ptr("42"), ContentRating: api.ContentRatingSuggestive,
		PublicationDemographic: api.DemographicSeinen,
		Tags:                   []api.Tag{tag(api.TagGroupGenre, "Drama"), tag(api.TagGroupTheme, "Cooking"), tag(api.TagGroupGenre, "Slice of Life"), tag(api.TagGroupFormat, "Long Strip")},
	}, Relationships: api.Relationships{
		person(api.ResourceTypeAuthor, "First, Writer"), person(api.ResourceTypeArtist, "An\u202e Artist"), person(api.ResourceTypeAuthor, "Second Writer"), person(api.ResourceTypeAuthor, "Second Writer"),
		{Type: api.ResourceTypeArtist},
	}}
	var archive bytes.Buffer
	must(t, w.open(t, athome.WithTitle(title)).WriteCBZ(t.Context(), &archive))
	info := checkCBZ(t, archive.Bytes(), w.pages, ".png")
	checkComicInfo(t, info)
	for _, want := range []string{
		"<Series>The Kettle<", "<Count>42<", "<Summary>Ela apita.<", "<Writer>First Writer, Second Writer<", "<Penciller>An Artist<", "<Translator>First Group, Second Group<",
		"<Genre>Drama, Slice of Life<", "<Tags>Cooking, Long Strip, Seinen<", "<AgeRating>Teen<", "<Manga>YesAndRightToLeft<",
	} {
		if !strings.Contains(string(info), want) {
			t.Errorf("no %s in\n%s", want, info)
		}
	}
	for rating, want := range map[api.ContentRating]string{api.ContentRatingSafe: "Everyone", api.ContentRatingErotica: "Mature 17+", api.ContentRatingPornographic: "Adults Only 18+", "new": ""} {
		title.Attributes.ContentRating, title.Attributes.Status = rating, api.PublicationStatusOngoing
		archive.Reset()
		must(t, w.open(t, athome.WithTitle(title)).WriteCBZ(t.Context(), &archive))
		info := checkCBZ(t, archive.Bytes(), w.pages, ".png")
		checkComicInfo(t, info)
		if got := bytes.Contains(info, []byte("<AgeRating>"+want+"<")); got != (want != "") || bytes.Contains(info, []byte("<Count>")) {
			t.Errorf("%s:\n%s", rating, info)
		}
	}
}

// TestCBZDetails makes sure that what was given is not asked for, and what is missing is.
func TestCBZDetails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*api.Chapter)
		calls  int
	}{
		"given": {func(*api.Chapter) {}, 0},
		"title not expanded": {func(c *api.Chapter) {
			for i := range c.Relationships {
				if c.Relationships[i].Type == api.ResourceTypeManga {
					c.Relationships[i].Attributes = nil
				}
			}
		}, 1},
		"groups not expanded": {func(c *api.Chapter) { c.Relationships[2].Attributes = nil }, 1},
		"no relationships":    {func(c *api.Chapter) { c.Relationships = nil }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := described(t)
			details := w.open(t).Details()
			before := w.called("GetChapter")
			test.change(&details)
			chapter := w.open(t, athome.WithDetails(details))
			for range 2 {
				var archive bytes.Buffer
				must(t, chapter.WriteCBZ(t.Context(), &archive))
				if info := checkCBZ(t, archive.Bytes(), w.pages, ".png"); !bytes.Contains(info, []byte("The Kettle")) || !bytes.Contains(info, []byte("Second Group")) {
					t.Errorf("ComicInfo.xml:\n%s", info)
				}
			}
			if got := w.called("GetChapter") - before; got != test.calls {
				t.Errorf("%d calls, want %d", got, test.calls)
			}
		})
	}
}

func TestCBZErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1000)
	chapter := w.open(t)
	dir := t.TempDir()
	write(t, dir+"/file", nil)
	for path, want := range map[string]string{
		"":               `"" is not the name of a file; give one like chapter.cbz`,
		dir + "/":        "is not the name of a file; give one like chapter.cbz",
		dir:              "is a folder; give the name of a file in it",
		dir + "/file/x":  "not a directory",
		dir + "/\x00.cb": "invalid argument",
	} {
		if err := chapter.SaveCBZ(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "athome: chapter ") {
			t.Errorf("%q: got %v, want %s", path, err, want)
		}
	}
	if err := chapter.WriteCBZ(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "the writer for the archive is nil; give one, or a path to SaveCBZ") {
		t.Errorf("no writer: %v", err)
	}
	full := errors.New("the disk is full")
	var archive bytes.Buffer
	must(t, chapter.WriteCBZ(t.Context(), &archive))
	for _, room := range []int{0, 10, 2000, archive.Len() - 1} {
		if err := chapter.WriteCBZ(t.Context(), &limited{room, full}); !errors.Is(err, full) || errors.As(err, new(*athome.PageError)) {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
	}
}

// limited is a writer with room for so many bytes.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return 0, l.err
	}
	l.room -= len(p)
	return len(p), nil
}
