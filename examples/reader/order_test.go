package main

import (
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
	"github.com/mangadex-go/mangadex/examples/internal/web"
)

var (
	nextLink     = regexp.MustCompile(`id="next-chapter" href="/chapter/([0-9a-f-]+)"`)
	previousLink = regexp.MustCompile(`id="previous-chapter" href="/chapter/([0-9a-f-]+)"`)
	beginLink    = regexp.MustCompile(`id="begin" href="/chapter/([0-9a-f-]+)">([^<]*)<`)
)

// TestHardCases reads titles that programs get wrong, from the first chapter to the last and back:
// each entry comes once, in the order of package reading, and none leads to another site where a
// version is here.
func TestHardCases(t *testing.T) {
	t.Parallel()
	r := launch(t, exampletest.New(t, apitest.WithHardCases()))
	fake := r.program.Server
	client, err := api.New(fake.URL, api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"reset", "reset-unsaid", "versions", "anthology", "numbers", "no-number", "no-volume", "volume-later", "hostile"} {
		manga := fake.State().HardCases()[name][0]
		var chapters []api.Chapter
		params := &api.GetMangaFeedParams{TranslatedLanguage: []string{"en"}, ContentRating: reading.AllRatings(), Includes: []api.Include{api.IncludeManga}}
		said := false
		for c, err := range client.GetMangaFeedAll(t.Context(), manga, params) {
			if err != nil {
				t.Fatal(err)
			}
			chapters = append(chapters, c)
			if m, ok := c.Relationships.Manga(); ok && m.Attributes != nil {
				said = m.Attributes.ChapterNumbersResetOnNewVolume
			}
		}
		options := []reading.Option{}
		if said {
			options = append(options, reading.WithReset(true))
		}
		want := reading.NewList(chapters, options...)
		page := r.get("/title/" + manga.String() + "?lang=en")
		found := beginLink.FindStringSubmatch(page.body)
		if found == nil {
			t.Errorf("%s: there is nothing to begin with", name)
			continue
		}
		at := uuid.MustParse(found[1])
		var forth []uuid.UUID
		for range len(chapters) + 1 {
			entry, ok := want.Entry(at)
			if !ok {
				t.Fatalf("%s: %s is not in the feed", name, at)
			}
			forth = append(forth, entry.Versions[0].ID)
			if slices.ContainsFunc(entry.Versions, func(v reading.Version) bool { return reading.PlaceOf(&v.Chapter) == reading.Here }) {
				for _, v := range entry.Versions {
					if v.ID == at && reading.PlaceOf(&v.Chapter) != reading.Here {
						t.Errorf("%s: %s leads away though a version is here", name, at)
					}
				}
			}
			found := nextLink.FindStringSubmatch(r.get("/chapter/" + at.String()).body)
			if found == nil {
				break
			}
			at = uuid.MustParse(found[1])
		}
		var all []uuid.UUID
		for _, entry := range want.Entries {
			if reading.PlaceOf(&entry.Chosen().Chapter) == reading.Here {
				all = append(all, entry.Chosen().ID)
			}
		}
		if !slices.Equal(forth, all) {
			t.Errorf("%s: forth %v, want %v", name, forth, all)
		}
		var back []uuid.UUID
		for range len(chapters) + 1 {
			if entry, ok := want.Entry(at); ok {
				back = append(back, entry.Versions[0].ID)
			}
			found := previousLink.FindStringSubmatch(r.get("/chapter/" + at.String()).body)
			if found == nil {
				break
			}
			at = uuid.MustParse(found[1])
		}
		slices.Reverse(back)
		if !slices.Equal(back, all) {
			t.Errorf("%s: back %v, want %v", name, back, all)
		}
	}
}

// TestBegin is about where to go on, over versions and chapters on other sites.
func TestBegin(t *testing.T) {
	t.Parallel()
	elsewhere := "https://shop.example/1"
	for _, test := range []struct{ chapters, label, name string }{
		{"", "", ""}, {"---", "Chapter 1", "Start reading"}, {"r--", "Chapter 2", "Continue: Chapter 2"},
		{"-r-", "Chapter 3", "Continue: Chapter 3"}, {"rrr", "Chapter 1", "Read again"}, {"e--", "Chapter 2", "Start reading"},
		{"ee", "", ""}, {"re-", "Chapter 3", "Continue: Chapter 3"},
		{"rv-", "Chapter 3", "Continue: Chapter 3"}, // v: read in another version
	} {
		read := map[uuid.UUID]bool{}
		var chapters []api.Chapter
		for i, c := range test.chapters {
			number := string(rune('1' + i))
			add := func(pages int) *api.Chapter {
				chapters = append(chapters, api.Chapter{
					ID: uuid.New(), Attributes: api.ChapterAttributes{Chapter: &number, Pages: pages, TranslatedLanguage: "en"},
					Relationships: api.Relationships{{ID: uuid.New(), Type: api.ResourceTypeScanlationGroup}},
				})
				return &chapters[len(chapters)-1]
			}
			switch c {
			case 'e':
				add(0).Attributes.ExternalURL = &elsewhere
			case 'v':
				add(3)
				read[add(3).ID] = true
			default:
				read[add(3).ID] = c == 'r'
			}
		}
		at, name := begin(reading.NewList(chapters), read)
		label := ""
		if at != nil {
			label = at.Label
		}
		if label != test.label || name != test.name {
			t.Errorf("%q: %q %q, want %q %q", test.chapters, label, name, test.label, test.name)
		}
	}
}

// TestForeign asks MangaDex for nothing because a page of another site wants it.
func TestForeign(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	manga := fake.State().Manga()[0].ID.String()
	before := len(fake.Requests())
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}},
		{"Sec-Fetch-Site": {"same-site"}, "Sec-Fetch-Mode": {"cors"}},
		{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}},
		{"Sec-Fetch-Site": {"nonsense"}},
		{"Origin": {"https://evil.example"}}, {"Origin": {"null"}}, {"Referer": {"https://evil.example/page"}},
	} {
		for _, path := range []string{"/", "/?q=a", "/title/" + manga, "/following"} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				a := r.ask(method, path, header)
				if a.status != http.StatusForbidden && a.status != http.StatusMethodNotAllowed {
					t.Errorf("%s %s with %v: %d", method, path, header, a.status)
				}
			}
		}
	}
	if n := len(fake.Requests()) - before; n > 0 {
		t.Errorf("MangaDex was asked %d times", n)
	}
	// A link on another site leads here all the same, with one click more.
	a := r.ask(http.MethodGet, "/title/"+manga, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}})
	if !strings.Contains(a.body, `href="/title/`+manga+`">Go on</a>`) {
		t.Errorf("there is no way on: %s", a.body)
	}
	for _, site := range []string{"same-origin", "none"} {
		if a := r.ask(http.MethodGet, "/title/"+manga, http.Header{"Sec-Fetch-Site": {site}}); a.status != http.StatusOK {
			t.Errorf("%s: %d", site, a.status)
		}
	}
}

// TestForeignToALAN is about the address of another computer, to which browsers send no Sec-Fetch-Site without
// encryption, and no Referer where a page wants none.
func TestForeignToALAN(t *testing.T) {
	t.Parallel()
	r := launch(t, exampletest.New(t), "-addr", "0.0.0.0:0")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		port = r.url[strings.LastIndex(r.url, ":")+1:]
	}
	r.url = "http://127.0.0.1:" + port
	const lan = "192.168.1.7"
	fake := r.program.Server
	path := "/title/" + fake.State().Manga()[0].ID.String()
	ask := func(header http.Header) answer {
		req := r.request(http.MethodGet, path)
		req.Host, req.Header = net.JoinHostPort(lan, port), header
		return r.send(req)
	}
	before := len(fake.Requests())
	first := ask(http.Header{})
	first.want(t, http.StatusForbidden, `href="`+path+`">Go on</a>`)
	if first.header.Get("Set-Cookie") != "" {
		t.Error("who was led here gets the cookie")
	}
	ask(http.Header{"Cookie": {"visit=guessed"}}).want(t, http.StatusForbidden, "Go on")
	if n := len(fake.Requests()) - before; n > 0 {
		t.Errorf("MangaDex was asked %d times", n)
	}
	clicked := ask(http.Header{"Referer": {"http://" + net.JoinHostPort(lan, port) + path}})
	clicked.want(t, http.StatusOK, "<h1>")
	cookie := clicked.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "SameSite=Strict") || !strings.Contains(cookie, "HttpOnly") {
		t.Errorf("the cookie is %q", cookie)
	}
	value, _, _ := strings.Cut(cookie, ";")
	ask(http.Header{"Cookie": {value}}).want(t, http.StatusOK, "<h1>")
	ask(http.Header{"Cookie": {value}, "Referer": {"http://evil.example/"}}).want(t, http.StatusForbidden, "Go on")
}

// TestNotHere is about chapters that are on another site, or were taken down: there is a way on.
func TestNotHere(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	manga, chapters := addTitle(t, fake, "1", "4")
	add := func(c apitest.Chapter) string {
		c.Manga = manga
		id, err := fake.State().AddChapter(c)
		if err != nil {
			t.Fatal(err)
		}
		return id.String()
	}
	external := add(apitest.Chapter{Number: "2", ExternalURL: "https://shop.example/read/2"})
	gone := add(apitest.Chapter{Number: "3", Pages: 2, Unavailable: true})
	script := add(apitest.Chapter{Number: "5", ExternalURL: "javascript:alert(1)"})
	link := func(id, to string) string { return `id="` + id + `-chapter" href="/chapter/` + to + `"` }
	a := r.get("/chapter/" + external)
	for _, text := range []string{`href="https://shop.example/read/2"`, link("next", chapters[1].String()), link("previous", chapters[0].String()), `href="/title/` + manga.String()} {
		a.want(t, http.StatusOK, text)
	}
	a = r.get("/chapter/" + gone)
	a.want(t, http.StatusNotFound, link("next", chapters[1].String()))
	a.want(t, http.StatusNotFound, link("previous", external))
	a = r.get("/chapter/" + script)
	a.want(t, http.StatusOK, link("previous", chapters[1].String()))
	if strings.Contains(a.body, "javascript:") || strings.Contains(a.body, `id="next-chapter"`) {
		t.Errorf("the last one: %s", a.body)
	}
	r.get("/chapter/"+chapters[0].String()).want(t, http.StatusOK, link("next", external))
}

func TestMethods(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, test := range []struct{ method, path, allow string }{
		{http.MethodDelete, "/", "GET, HEAD"}, {http.MethodPut, "/login", "GET, HEAD, POST"}, {http.MethodGet, "/logout", "POST"}, {http.MethodPost, "/following", "GET, HEAD"},
	} {
		a := r.ask(test.method, test.path, nil)
		if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != test.allow {
			t.Errorf("%s %s: %d, Allow %q", test.method, test.path, a.status, a.header.Get("Allow"))
		}
	}
	if a := r.ask(http.MethodDelete, "/nowhere", nil); a.status != http.StatusNotFound {
		t.Errorf("a page that is not there: %d", a.status)
	}
}

func TestRasterOnly(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		"\x89PNG\r\n\x1a\n": "image/png", "\xff\xd8\xff\xe0": "image/jpeg", "GIF89a": "image/gif", "RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp",
		"\x00\x00\x00\x20ftypavif": "image/avif", "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>": "", "<?xml version='1.0'?><svg/>": "",
		"<!doctype html>": "", "%PDF-1.7": "", "": "",
	} {
		if got := web.PictureType([]byte(data)); got != want {
			t.Errorf("%q is %q, want %q", data, got, want)
		}
	}
}

// ask sends a request with a header and nothing else of what browsers send.
func (r *desk) ask(method, path string, header http.Header) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if header != nil {
		req.Header = header.Clone()
	}
	return r.send(req)
}
