package main

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
)

var pageAddress = regexp.MustCompile(`<img src="(/chapter/[^"]+)"`)

// pagesOf are the addresses of the pages of a chapter.
func pagesOf(t *testing.T, r *desk, chapter string) []string {
	t.Helper()
	a := r.get("/chapter/" + chapter)
	a.want(t, http.StatusOK, `id="reader"`)
	var pages []string
	for _, m := range pageAddress.FindAllStringSubmatch(a.body, -1) {
		pages = append(pages, html.UnescapeString(m[1]))
	}
	if len(pages) == 0 {
		t.Fatalf("the chapter has no pages:\n%s", a.body)
	}
	return pages
}

func TestSearch(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	manga, _ := addTitle(t, fake, "1")
	r.get("/").want(t, http.StatusOK, "Popular titles")
	r.get("/?q=lamplighter").want(t, http.StatusOK, "The Lamplighter&#39;s Ledger")
	r.get("/?q=lamplighter&lang=fr").want(t, http.StatusOK, "No title matches. Try fewer words, or another language.")
	r.get("/?lang=xx").want(t, http.StatusOK, "There is no title with chapters in xx.")
	r.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").want(t, http.StatusOK, "Titles for “&lt;script&gt;")
	for _, question := range []string{manga.String(), "https://mangadex.org/title/" + strings.ToUpper(manga.String()) + "/lamplighter"} {
		if a := r.get("/?q=" + url.QueryEscape(question)); a.status != http.StatusSeeOther || a.header.Get("Location") != "/title/"+manga.String() {
			t.Errorf("%s leads to %d %q", question, a.status, a.header.Get("Location"))
		}
	}
	second := r.get("/?page=2&lang=any")
	second.want(t, http.StatusOK, `rel="prev"`)
	if strings.Contains(second.body, `rel="next"`) {
		t.Error("the last page of the list has a next one")
	}
	for _, path := range []string{"/?page=50", "/following?page=50"} {
		r.get(path).want(t, http.StatusOK, "The list ends before this page.")
	}
	r.get("/?q=https%3A%2F%2Fmangadex.org%2Fauthor%2F"+manga.String()).want(t, http.StatusOK, "No title matches.")
}

func TestTitleAndChapters(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	manga, chapters := addTitle(t, fake, "10", "2", "1")
	external, err := fake.State().AddChapter(apitest.Chapter{Manga: manga, Number: "3", ExternalURL: "https://shop.example/read/3"})
	if err != nil {
		t.Fatal(err)
	}
	a := r.get("/title/" + manga.String())
	a.want(t, http.StatusOK, "<h1>The Lamplighter&#39;s Ledger</h1>")
	a.want(t, http.StatusOK, "Chapter 10: Wick &amp; Flame")
	a.want(t, http.StatusOK, "on shop.example")
	a.want(t, http.StatusOK, `id="begin" href="/chapter/`+chapters[2].String()+`"`)
	order := func(body string) string {
		var ids []string
		for _, m := range regexp.MustCompile(`<li[^>]* data-chapter="([^"]+)"`).FindAllStringSubmatch(body, -1) {
			ids = append(ids, m[1])
		}
		return strings.Join(ids, " ")
	}
	newest := fmt.Sprint(chapters[0], " ", external, " ", chapters[1], " ", chapters[2])
	oldest := fmt.Sprint(chapters[2], " ", chapters[1], " ", external, " ", chapters[0])
	if got := order(a.body); got != newest {
		t.Errorf("newest first: %s, want %s", got, newest)
	}
	if got := order(r.get("/title/" + manga.String() + "?order=oldest").body); got != oldest {
		t.Errorf("oldest first: %s, want %s", got, oldest)
	}
	r.get("/title/"+manga.String()+"?lang=fr").want(t, http.StatusOK, "There are no chapters to read in this language.")

	c := r.get("/chapter/" + chapters[1].String())
	c.want(t, http.StatusOK, `id="next-chapter" href="/chapter/`+external.String())
	c.want(t, http.StatusOK, `id="previous-chapter" href="/chapter/`+chapters[2].String())
	r.get("/chapter/"+external.String()).want(t, http.StatusOK, `href="https://shop.example/read/3"`)
}

// asked counts what MangaDex was asked for. Reports go their own way, at any time: one that is still
// arriving has no operation yet.
func asked(fake *apitest.Server) int {
	n := 0
	for _, req := range fake.Requests() {
		if req.Operation != "Report" && req.Operation != "" {
			n++
		}
	}
	return n
}

func TestImages(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	_, chapters := addTitle(t, fake, "1")
	const forever = "private, max-age=1209600, immutable"
	again := func(address string, a answer) {
		t.Helper()
		before := asked(fake)
		req := r.request(http.MethodGet, address)
		req.Header.Set("If-None-Match", a.header.Get("ETag"))
		if a := r.send(req); a.status != http.StatusNotModified || a.body != "" || a.header.Get("Cache-Control") != forever {
			t.Errorf("%s again: %d, %q", address, a.status, a.header)
		}
		if n := asked(fake) - before; n != 0 {
			t.Errorf("%s again: MangaDex was asked %d times", address, n)
		}
	}
	pages := pagesOf(t, r, chapters[0].String())
	if len(pages) != 3 {
		t.Fatalf("%d pages", len(pages))
	}
	for _, address := range pages {
		a := r.get(address)
		if a.status != http.StatusOK || a.header.Get("Content-Type") != http.DetectContentType([]byte(a.body)) ||
			a.header.Get("Cache-Control") != forever || a.header.Get("Content-Length") != fmt.Sprint(len(a.body)) {
			t.Errorf("%s: %d, %q, %d bytes", address, a.status, a.header, len(a.body))
		}
		again(address, a)
	}
	cover := regexp.MustCompile(`<img src="(/title/[^"]+)"`).FindStringSubmatch(r.get("/").body)[1]
	a := r.get(html.UnescapeString(cover))
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "image/jpeg" || a.header.Get("Cache-Control") != forever {
		t.Errorf("%s: %d, %q", cover, a.status, a.header)
	}
	again(html.UnescapeString(cover), a)

	r.get(strings.Split(pages[0], "?")[0]+"?v=0123").want(t, http.StatusNotFound, "The page was replaced; load the chapter again.")
	r.get(strings.Replace(pages[0], "/pages/1", "/pages/4", 1)).want(t, http.StatusNotFound, "no such page")

	counts := map[string]int{}
	for _, req := range fake.Requests() {
		counts[req.Operation]++
	}
	if counts["GetAtHomeServer"] != 1 || counts["Page"] != 3 {
		t.Errorf("a chapter of 3 pages took %d calls for a node and %d for pages", counts["GetAtHomeServer"], counts["Page"])
	}
	r.stop() // sends the last reports
	if got := len(fake.State().Deliveries()); got != 3 {
		t.Errorf("%d of 3 pages were reported", got)
	}
}

func TestImagesFail(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	_, chapters := addTitle(t, fake, "1")
	page := pagesOf(t, r, chapters[0].String())[0]
	for _, fault := range []apitest.Fault{{Status: 503}, {Status: 404}, {Drop: true}, {Corrupt: true}, {Truncate: true}, {HTML: true}} {
		fault.Operation, fault.Count = "Page", apitest.Always
		fake.Fail(fault)
		a := r.send(image(r, page))
		if a.status != http.StatusBadGateway || a.header.Get("Content-Type") != "text/plain; charset=utf-8" || a.header.Get("Cache-Control") != "no-store" || strings.Count(a.body, "\n") != 1 {
			t.Errorf("%+v: %d, %q: %s", fault, a.status, a.header, a.body)
		}
		fake.Heal()
		if a := r.send(image(r, page)); a.status != http.StatusOK {
			t.Errorf("after %+v: %d %s", fault, a.status, a.body)
		}
	}
}

func image(r *desk, address string) *http.Request {
	req := r.request(http.MethodGet, address)
	req.Header.Set("Accept", "image/avif,image/webp,*/*;q=0.8")
	return req
}

// TestManyChapters opens more chapters than are kept open.
func TestManyChapters(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the fake draws hundreds of pages; run it without -short")
	}
	r := start(t)
	fake := r.program.Server
	_, chapters := addTitle(t, fake, strings.Split(strings.Repeat("1,", maxOpen+4)+"1", ",")...)
	for _, chapter := range chapters {
		if a := r.get(pagesOf(t, r, chapter.String())[0]); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := r.get(pagesOf(t, r, chapters[0].String())[1]); a.status != http.StatusOK {
		t.Errorf("the first chapter, again: %d %s", a.status, a.body)
	}
}

func TestLibrary(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	manga, chapters := addTitle(t, fake, "1", "2", "3")
	here := "/title/" + manga.String()
	library := func() apitest.Library {
		l, _ := fake.State().Library(fake.Account.Username)
		return l
	}
	back := func(a answer, to string) {
		t.Helper()
		if a.status != http.StatusSeeOther || a.header.Get("Location") != to {
			t.Errorf("got %d to %q, want %q:\n%s", a.status, a.header.Get("Location"), to, a.body)
		}
	}

	back(r.post(here+"/follow", "follow", "yes", "next", url.QueryEscape(here+"?lang=en")), here+"?lang=en")
	if !slices.Contains(library().Manga, manga) {
		t.Error("the title is not followed")
	}
	r.get(here).want(t, http.StatusOK, "Unfollow")
	r.get("/following").want(t, http.StatusOK, "Lamplighter")
	back(r.post(here+"/follow", "follow", "no"), here)
	if slices.Contains(library().Manga, manga) {
		t.Error("the title is still followed")
	}

	back(r.post(here+"/status", "status", "on_hold"), here)
	if got := library().Statuses[manga]; got != "on_hold" {
		t.Errorf("the status is %q", got)
	}
	r.get(here).want(t, http.StatusOK, `<option value="on_hold" selected>On hold</option>`)
	back(r.post(here+"/status", "status", ""), here)
	if got, ok := library().Statuses[manga]; ok {
		t.Errorf("the status is still %q", got)
	}
	r.post(here+"/status", "status", "asleep").want(t, http.StatusBadRequest, "There is no such reading status.")

	back(r.post(here+"/read", "as", "read", "chapter", chapters[0].String(), "chapter", chapters[1].String()), here)
	if got := library().Read; len(got) != 2 {
		t.Errorf("read are %v", got)
	}
	a := r.get(here)
	a.want(t, http.StatusOK, `<li class="read" data-chapter="`+chapters[0].String())
	a.want(t, http.StatusOK, "Continue: Chapter 3")
	back(r.post(here+"/read", "as", "unread", "chapter", chapters[0].String(), "chapter", chapters[1].String()), here)
	if got := library().Read; len(got) != 0 {
		t.Errorf("still read are %v", got)
	}
	if a := r.post(here+"/read", "as", "read", "chapter", chapters[2].String(), "quiet", "yes"); a.status != http.StatusNoContent {
		t.Errorf("a script gets %d %s", a.status, a.body)
	}
	r.post(here+"/read", "as", "read").want(t, http.StatusBadRequest, "No chapter is chosen; tick some first.")
	r.post(here+"/read", "as", "read", "chapter", "1").want(t, http.StatusBadRequest, "That is not the id of a chapter.")

	var many []string
	for range 450 {
		many = append(many, "chapter", uuid.NewString())
	}
	before := len(fake.Requests())
	back(r.post(here+"/read", append(many, "as", "read")...), here)
	if got := len(fake.Requests()) - before; got != 2 {
		t.Errorf("450 marks took %d calls", got)
	}
}

// TestExpiredLogin starts from a token that was kept, so that there is no password to log in with again.
func TestExpiredLogin(t *testing.T) {
	t.Parallel()
	p := guestProgram(t)
	manga, chapters := addTitle(t, p.Server, "1")
	token := p.Path("token.json")
	r := launch(t, p, "-token", token)
	logIn(t, r)
	r.stop()
	r = launch(t, p, "-token", token)
	here := "/title/" + manga.String()
	r.get(here).want(t, http.StatusOK, "Follow</button>")
	p.Server.Tokens().EndSessions()
	r.get(here).want(t, http.StatusOK, "What your account says of this title is not known: The login has ended; log in again.")
	r.get(here).want(t, http.StatusOK, "Chapter 1")
	r.get("/chapter/"+chapters[0].String()).want(t, http.StatusOK, `id="reader"`)
	a := r.post(here+"/follow", "follow", "yes")
	a.want(t, http.StatusUnauthorized, "The login has ended; log in again.")
	a.want(t, http.StatusUnauthorized, `href="/login`)
	logIn(t, r)
	r.get(here).want(t, http.StatusOK, "Follow</button>")
}

func TestBadInputs(t *testing.T) {
	t.Parallel()
	r := guest(t)
	fake := r.program.Server
	nowhere := uuid.NewString()
	for _, test := range []struct {
		path   string
		status int
		want   string
	}{
		{"/title/42", http.StatusNotFound, "That is not an id of MangaDex"},
		{"/chapter/%00", http.StatusNotFound, "That is not an id of MangaDex"},
		{"/title/" + nowhere, http.StatusNotFound, "MangaDex has nothing under this address."},
		{"/chapter/" + nowhere, http.StatusNotFound, "MangaDex has nothing under this address."},
		{"/chapter/" + nowhere + "/pages/1?v=1", http.StatusNotFound, "MangaDex has nothing under this address."},
		{"/title/" + nowhere + "/covers/x.png", http.StatusNotFound, "MangaDex has nothing under this address."},
		{"/?lang=Klingon!", http.StatusBadRequest, "That is not the code of a language"},
		{"/title/" + nowhere + "?lang=e", http.StatusBadRequest, "That is not the code of a language"},
		{"/?page=-1", http.StatusBadRequest, "MangaDex shows the pages 1 to 416 of a list."},
		{"/?page=999", http.StatusBadRequest, "MangaDex shows the pages 1 to 416 of a list."},
		{"/elsewhere", http.StatusNotFound, "There is no such page."},
		{"/static/main.go", http.StatusNotFound, "There is no such file."},
	} {
		r.get(test.path).want(t, test.status, test.want)
	}
	r.post("/login", "username", fake.Account.Username, "password", "wrong-password").want(t, http.StatusForbidden, "Wrong name or password.")
	r.post("/login", "username", fake.Account.Username).want(t, http.StatusUnprocessableEntity, "Name and password are both needed.")
	if a := r.post("/login", "username", "someone", "password", "wrong-password"); strings.Contains(a.body, "wrong-password") {
		t.Error("the password comes back")
	}
}

func TestTroubleAtMangaDex(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	manga, _ := addTitle(t, fake, "1")
	for _, test := range []struct {
		fault  apitest.Fault
		status int
		want   string
	}{
		{apitest.Fault{Status: 500}, http.StatusBadGateway, "MangaDex is in trouble; try again later."},
		{apitest.Fault{HTML: true}, http.StatusBadGateway, "MangaDex is in trouble; try again later."},
		{apitest.Fault{Captcha: true}, http.StatusBadGateway, "MangaDex wants a captcha to be solved"},
	} {
		test.fault.Operation, test.fault.Count = "GetManga", apitest.Always
		fake.Fail(test.fault)
		a := r.get("/title/" + manga.String())
		a.want(t, test.status, test.want)
		a.want(t, test.status, "Try again</a>")
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the browser may keep it: %q", a.header)
		}
		fake.Heal()
	}
	r.get("/title/"+manga.String()).want(t, http.StatusOK, "Chapter 1")
	// What concerns the account alone does not keep anybody from reading.
	fake.Fail(apitest.Fault{Operation: "GetReadingStatus", Count: apitest.Always, Status: 500})
	r.get("/title/"+manga.String()).want(t, http.StatusOK, "What your account says of this title is not known: MangaDex is in trouble")
}

func TestNoNetwork(t *testing.T) {
	t.Parallel()
	r := guest(t)
	fake := r.program.Server
	logIn(t, r)
	fake.Close()
	for _, path := range []string{"/", "/title/" + uuid.NewString(), "/following"} {
		r.get(path).want(t, http.StatusBadGateway, "MangaDex cannot be reached; check the network, then try again.")
	}
	if a := r.post("/logout"); a.status != http.StatusOK || !strings.Contains(a.body, "Logged out of this reader.") {
		t.Errorf("logging out: %d %s", a.status, a.body)
	}
	for line := range strings.Lines(r.running.Stderr()) {
		if !strings.HasPrefix(line, "GET /") {
			t.Errorf("the reader says %q", line)
		}
	}
}

// TestOtherSites are not able to make the browser act, nor to read along under a name of their own.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	r := start(t)
	fake := r.program.Server
	manga, _ := addTitle(t, fake, "1")
	for name, change := range map[string]func(http.Header){
		"another site":                func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"another port":                func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"a browser without Sec-Fetch": func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "https://evil.example") },
		"a sandbox":                   func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "null") },
	} {
		for _, path := range []string{"/title/" + manga.String() + "/follow", "/logout", "/login"} {
			req := r.request(http.MethodPost, path, "follow", "yes")
			change(req.Header)
			if a := r.send(req); a.status != http.StatusForbidden {
				t.Errorf("%s: %s: %d", name, path, a.status)
			}
		}
	}
	if l, _ := fake.State().Library(fake.Account.Username); len(l.Manga) != 0 {
		t.Error("another site made the account follow")
	}
	for host, status := range map[string]int{
		"evil.example": http.StatusMisdirectedRequest, "evil.example:8080": http.StatusMisdirectedRequest, "127.0.0.1.evil.example": http.StatusMisdirectedRequest,
		"localhost:8080": http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:8080": http.StatusOK,
	} {
		req := r.request(http.MethodGet, "/")
		req.Host = host
		if a := r.send(req); a.status != status {
			t.Errorf("as %s: %d, want %d", host, a.status, status)
		}
	}
	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "javascript:alert(1)", "/\t/evil.example", ""} {
		a := r.post("/login", "username", fake.Account.Username, "password", fake.Account.Password, "next", url.QueryEscape(next))
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
			t.Errorf("next %q leads to %d %q", next, a.status, a.header.Get("Location"))
		}
	}
}

var (
	address  = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	inline   = regexp.MustCompile(`(?i)<script(?: [^>]*)?>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	ownMedia = regexp.MustCompile(`(?:src|srcset|poster)="(?:https?:)?//`)
)

// TestNothingSecretAndNothingForeign visits everything that pages lead to, logged in, and looks at
// every byte.
func TestNothingSecretAndNothingForeign(t *testing.T) {
	t.Parallel()
	r := guest(t)
	fake := r.program.Server
	manga, chapters := addTitle(t, fake, "1", "2")
	look := func(what string, a answer) {
		t.Helper()
		secrets := append(fake.Tokens().Access(), fake.Tokens().Refresh()...)
		if len(secrets) < 2 {
			t.Fatal("there are no tokens to look for")
		}
		all := a.body + fmt.Sprint(a.header)
		for _, secret := range append(secrets, fake.Account.Password, fake.Account.ClientSecret) {
			if strings.Contains(all, secret) {
				t.Errorf("%s: there is a secret in the answer", what)
			}
		}
		for name, want := range map[string]string{
			"Content-Security-Policy":      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy":              "same-origin",
			"X-Content-Type-Options":       "nosniff",
			"Set-Cookie":                   "",
			"Access-Control-Allow-Origin":  "",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", what, name, got, want)
			}
		}
		if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			if found := inline.FindString(a.body); found != "" {
				t.Errorf("%s: there is something inline: %q", what, found)
			}
			if found := ownMedia.FindString(a.body); found != "" {
				t.Errorf("%s: something comes from elsewhere: %q", what, found)
			}
		}
	}
	look("login", r.post("/login", "username", fake.Account.Username, "password", fake.Account.Password, "next", "/following"))
	seen := map[string]bool{}
	todo := []string{"/", "/login", "/following", "/title/" + manga.String(), "/chapter/" + chapters[0].String(), "/title/x", "/chapter/" + uuid.NewString()}
	addresses := 120
	if testing.Short() {
		addresses = 20
	}
	for len(todo) > 0 && len(seen) < addresses {
		path := todo[0]
		todo = todo[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		a := r.get(path)
		look(path, a)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range address.FindAllStringSubmatch(a.body, -1) {
			if next := html.UnescapeString(m[1]); strings.HasPrefix(next, "/") && !strings.HasSuffix(next, "/logout") {
				todo = append(todo, next)
			}
		}
	}
	if len(seen) < addresses {
		t.Errorf("only %d addresses were found", len(seen))
	}
	here := "/title/" + manga.String()
	look("follow", r.post(here+"/follow", "follow", "yes"))
	look("status", r.post(here+"/status", "status", "reading"))
	look("read", r.post(here+"/read", "as", "read", "chapter", chapters[0].String()))
	look("wrong login", r.post("/login", "username", "someone", "password", "wrong-password"))
	for _, req := range fake.Requests() {
		if (req.Operation == "Page" || req.Operation == "Cover") && req.Header.Get("Authorization") != "" {
			t.Errorf("a token went to %s", req.URL)
		}
	}
}
