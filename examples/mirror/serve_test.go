package main

import (
	"context"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// A site is a program that shows its copy.
type site struct {
	t   *testing.T
	url string
}

// show starts a program that shows a copy, and ends it with the test.
func show(t *testing.T, p *exampletest.Program, where string) *site {
	t.Helper()
	run := p.Start("-db", where, "-serve", "127.0.0.1:0")
	s := &site{t: t}
	for deadline := time.Now().Add(time.Minute); s.url == "" && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if line, _, ok := strings.Cut(run.Stdout(), "/ ("); ok {
			s.url = line
		}
	}
	t.Cleanup(func() {
		run.Interrupt(func() bool { return true })
		if r := run.Wait(); r.Status != 130 && r.Status != 0 {
			t.Errorf("status %d: %s", r.Status, r.Stderr)
		}
	})
	if s.url == "" {
		t.Fatalf("it says no address: %q", run.Stderr())
	}
	return s
}

func (s *site) ask(method, path string, header http.Header) (status int, h http.Header, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

func (s *site) get(path string, texts ...string) string {
	s.t.Helper()
	status, _, body := s.ask(http.MethodGet, path, nil)
	if status != http.StatusOK {
		s.t.Errorf("%s: %d: %s", path, status, body)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			s.t.Errorf("%s lacks %q: %s", path, text, body)
		}
	}
	return body
}

var paths = []string{"/", "/?q=kettle", "/chapters", "/chapters?language=en", "/numbers", "/runs", "/plots/days.svg", "/plots/tags.svg?dark=1"}

// TestPages shows an empty copy, a half one and a whole one, and hostile names in it.
func TestPages(t *testing.T) {
	t.Parallel()
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, where := exampletest.New(t, apitest.WithHardCases()), database(t)
			const hostile = "<script>alert(1)</script> \u202e'\"&\x1b[2J"
			title, err := p.Server.State().AddManga(apitest.Manga{Title: hostile, Year: 1999})
			if err != nil {
				t.Fatal(err)
			}
			group, err := p.Server.State().AddGroup(apitest.Group{Name: hostile})
			if err != nil {
				t.Fatal(err)
			}
			for n := range 200 { // the busiest of all
				if _, err := p.Server.State().AddChapter(apitest.Chapter{Manga: title, Number: strconv.Itoa(n), Groups: []uuid.UUID{group}, Pages: 1}); err != nil {
					t.Fatal(err)
				}
			}
			s := show(t, p, where)
			for _, path := range paths {
				s.get(path)
			}
			s.get("/", "The copy has no titles yet.")
			p.Server.Fail(apitest.Fault{Operation: "ListMangaStatistics", Delay: time.Minute, Count: apitest.Always})
			p.Start("-db", where).Kill(func() bool { return len(p.Requests("ListMangaStatistics")) > 0 })
			p.Server.Heal()
			s.get("/", "A run is on its way")
			for _, path := range paths {
				s.get(path)
			}
			p.Succeeds(p.Run("-db", where))
			for _, path := range paths {
				if body := s.get(path); strings.Contains(body, "<script") || strings.ContainsAny(body, "\u202e\x1b") {
					t.Errorf("%s shows what somebody wrote as it is: %s", path, body)
				}
			}
			s.get("/?q=%3CSCRIPT", "&lt;script&gt;alert(1)")
			s.get("/?q=%25", "0 titles") // which is no pattern
			s.get("/plots/groups.svg", "&lt;script&gt;")
			s.compare(where)
			s.defend()
			s.images(p)
		})
	}
}

var row = regexp.MustCompile(`<th scope="row">([^<]*)</th><td>([^<]*)</td>`)

// compare checks numbers on the pages by queries of its own.
func (s *site) compare(where string) {
	s.t.Helper()
	db := open(s.t, where)
	for table, query := range map[string]string{
		"years": "SELECT count(*) FROM manga WHERE CAST(year AS text) = $1",
		"tags":  "SELECT count(*) FROM manga JOIN manga_tag ON manga_id = manga.id JOIN tag ON tag.id = tag_id WHERE tag.name = $1",
	} {
		_, part, ok := strings.Cut(s.get("/numbers"), `<table id="`+table+`">`)
		part, _, _ = strings.Cut(part, "</table>")
		rows := row.FindAllStringSubmatch(part, -1)
		if !ok || len(rows) == 0 {
			s.t.Fatalf("there is no table of %s", table)
		}
		for _, found := range rows {
			var n int
			if err := db.QueryRow(query, strings.ReplaceAll(found[1], "&#39;", "'")).Scan(&n); err != nil || strconv.Itoa(n) != found[2] {
				s.t.Errorf("%s %s: the page says %s, the database %d, %v", table, found[1], found[2], n, err)
			}
		}
	}
	var titles, chapters int
	if err := db.QueryRow("SELECT (SELECT count(*) FROM manga), (SELECT count(*) FROM chapter)").Scan(&titles, &chapters); err != nil {
		s.t.Fatal(err)
	}
	s.get("/", fmt.Sprintf("%d titles and %d chapters", titles, chapters))
}

// defend sends what other sites could make a browser send.
func (s *site) defend() {
	s.t.Helper()
	for name, test := range map[string]struct {
		method, path string
		header       http.Header
		status       int
	}{
		"another name":              {"GET", "/", http.Header{"Host": {"evil.example"}}, http.StatusMisdirectedRequest},
		"a picture on another site": {"GET", "/plots/days.svg", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, http.StatusForbidden},
		"a form of another site":    {"POST", "/", http.Header{"Origin": {"https://evil.example"}}, http.StatusMethodNotAllowed},
		"no page":                   {"GET", "/nothing", nil, http.StatusNotFound},
		"no plot":                   {"GET", "/plots/nothing.svg", nil, http.StatusNotFound},
		"a cover with a zero in it": {"GET", "/covers/" + uuid.NewString() + "/%00x", nil, http.StatusNotFound},
		"a cover that is no text":   {"GET", "/covers/" + uuid.NewString() + "/%ffx", nil, http.StatusNotFound},
		"a cover that is not there": {"GET", "/covers/" + uuid.NewString() + "/..%2f..%2fx", nil, http.StatusNotFound},
	} {
		status, header, body := s.ask(test.method, test.path, test.header)
		if status != test.status || header.Get("Content-Security-Policy") == "" || header.Get("X-Content-Type-Options") != "nosniff" {
			s.t.Errorf("%s: %d, want %d: %v %s", name, status, test.status, header, body)
		}
	}
}

// images fetches a cover through the program, which the browser keeps.
func (s *site) images(p *exampletest.Program) {
	s.t.Helper()
	found := regexp.MustCompile(`src="(/covers/[^"]+)"`).FindStringSubmatch(s.get("/"))
	if found == nil {
		s.t.Fatal("no title has a cover")
	}
	status, header, body := s.ask(http.MethodGet, found[1], nil)
	if status != http.StatusOK || http.DetectContentType([]byte(body)) != header.Get("Content-Type") {
		s.t.Errorf("%s: %d, %v", found[1], status, header)
	}
	if status, _, _ := s.ask(http.MethodGet, found[1], http.Header{"If-None-Match": {header.Get("ETag")}}); status != http.StatusNotModified {
		s.t.Errorf("again: %d", status)
	}
}

// TestPlot draws into files.
func TestPlot(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	where := p.Path("mirror.db")
	for _, copied := range []bool{false, true} {
		if copied {
			p.Succeeds(p.Run("-db", where))
		}
		for _, name := range []string{"all.svg", "all.PNG"} {
			path := filepath.Join(p.Home, name)
			p.Succeeds(p.Run("-db", where, "-plot", path))
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if name == "all.svg" && !strings.Contains(string(content), "Titles by rating") {
				t.Errorf("%s: %.200s", name, content)
			}
			if name == "all.PNG" {
				picture, err := png.Decode(strings.NewReader(string(content)))
				if err != nil || picture.Bounds().Dx() < 1000 {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	p.Fails(p.Run("-db", where, "-plot", "all.gif"), "mirror", 2, "must end in .svg or .png")
	p.Fails(p.Run("-db", where, "-serve", "8080"), "mirror", 2, "not a host and a port")
}
