package main

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// A desk is a reader that serves.
type desk struct {
	t       *testing.T
	url     string
	program *exampletest.Program
	running *exampletest.Running
	result  *exampletest.Result // nil while it runs
}

var served = regexp.MustCompile(`http://\S+:\d+`)

// start starts a reader on a server, logged in as its account; the test ends it.
func start(t *testing.T) *desk {
	t.Helper()
	return launch(t, exampletest.New(t))
}

// guest is a reader that nobody is logged in to.
func guest(t *testing.T) *desk {
	t.Helper()
	return launch(t, guestProgram(t))
}

func guestProgram(t *testing.T, options ...apitest.Option) *exampletest.Program {
	t.Helper()
	p := exampletest.New(t, options...)
	delete(p.Env, "MANGADEX_USERNAME")
	delete(p.Env, "MANGADEX_PASSWORD")
	return p
}

func launch(t *testing.T, p *exampletest.Program, args ...string) *desk {
	t.Helper()
	r := &desk{t: t, program: p, running: p.Start(append([]string{"-addr", "127.0.0.1:0"}, args...)...)}
	t.Cleanup(func() { r.stop() })
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if r.url = served.FindString(r.running.Stdout()); r.url != "" {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("the reader does not serve: %s", r.running.Stderr())
		}
	}
}

// stop interrupts the reader, which has to end well.
func (r *desk) stop() exampletest.Result {
	r.t.Helper()
	if r.result == nil {
		r.running.Interrupt(func() bool { return true })
		result := r.running.Wait()
		r.result = &result
		if result.Status != 0 {
			r.t.Errorf("the reader ended with status %d: %s", result.Status, result.Stderr)
		}
		r.program.NoSecrets(result)
	}
	return *r.result
}

// An answer has been read as a whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a request, without following redirects.
func (r *desk) send(req *http.Request) answer {
	r.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func (r *desk) request(method, path string, fields ...string) *http.Request {
	r.t.Helper()
	form := make([]string, 0, len(fields)/2)
	for i := 0; i < len(fields); i += 2 {
		form = append(form, fields[i]+"="+fields[i+1])
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(strings.Join(form, "&")))
	if err != nil {
		r.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return req
}

func (r *desk) get(path string) answer {
	r.t.Helper()
	return r.send(r.request(http.MethodGet, path))
}

func (r *desk) post(path string, fields ...string) answer {
	r.t.Helper()
	return r.send(r.request(http.MethodPost, path, fields...))
}

// want fails the test unless the answer has the status and the text.
func (a answer) want(t *testing.T, status int, text string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, text) {
		_, main, _ := strings.Cut(a.body, "<main")
		main, _, _ = strings.Cut(main, "</main>")
		t.Errorf("got %d, want %d with %q:\n%s", a.status, status, text, regexp.MustCompile(`\s+`).ReplaceAllString(main, " "))
	}
}

// addTitle adds a title with chapters of three pages each.
func addTitle(t *testing.T, fake *apitest.Server, chapters ...string) (manga uuid.UUID, ids []uuid.UUID) {
	t.Helper()
	state := fake.State()
	manga, err := state.AddManga(apitest.Manga{Title: "The Lamplighter's Ledger"})
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range chapters {
		id, err := state.AddChapter(apitest.Chapter{Manga: manga, Number: number, Title: "Wick & Flame", Pages: 3})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return manga, ids
}

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: reader", "-addr", "-live", "-server", "-token", "-credentials", "-language", "-data-saver")
}

// TestMainPath is what a newcomer does: start it, look at it, end it with Ctrl-C.
func TestMainPath(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	for range 2 { // the second time there is a token of a fake MangaDex that is no more
		r := launch(t, p)
		r.get("/").want(t, http.StatusOK, "Popular titles")
		r.get("/following").want(t, http.StatusOK, `class="cards"`)
		if a := r.get("/"); !strings.Contains(a.body, "Its account <b>reader</b> is logged in") {
			t.Error("nothing says that this is the fake MangaDex")
		}
		if end := r.stop(); strings.Count(end.Stdout, "\n") != 1 || end.Stderr != "" {
			t.Errorf("it said %q and %q", end.Stdout, end.Stderr)
		}
	}
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	for args, want := range map[string]string{
		"-color":                           "flag provided but not defined: -color",
		"kettle":                           `"kettle" is not a flag`,
		"-live -server http://127.0.0.1:1": "-live and -server exclude each other",
		"-server kettle":                   `-server "kettle" needs a scheme, https or http, and a host; give one like http://`,
		"-language english":                `-language "english" is not a code like en or pt-br`,
		"-addr 8080":                       `-addr "8080" is not a host and a port like 127.0.0.1:8080`,
	} {
		p.Fails(p.Run(strings.Fields(args)...), "reader", 2, want, "reader -h")
	}
	p.Fails(p.Run("-credentials", p.Path("none.json")), "reader", 1, "none.json")
	p.FullOutput()
	p.Fails(p.Run("-addr", "127.0.0.1:0"), "reader", 1, exampletest.FullDiskText)
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	p := exampletest.Embedded(t)
	addr := other.Addr().String()
	p.Fails(p.Run("-addr", addr), "reader", 1, "cannot listen on "+addr+"; choose another -addr, such as 127.0.0.1:0: "+exampletest.PortInUseText)
	p.Fails(p.Run("-addr", "no.such.host.invalid:80"), "reader", 1, "reader: cannot listen on no.such.host.invalid:80; choose another -addr")
}

func TestDamagedToken(t *testing.T) {
	t.Parallel()
	p := guestProgram(t)
	const damaged = `{"refresh_token":"half a tok`
	token := p.Write("token.json", damaged)
	r := launch(t, p, "-token", token)
	r.get("/").want(t, http.StatusOK, "Popular titles")
	if end := r.stop(); !strings.HasPrefix(end.Stderr, "log in again: ") || strings.Count(end.Stderr, "\n") != 1 || strings.Contains(end.Stderr, "half a tok") {
		t.Errorf("it said %q", end.Stderr)
	}
	kept, err := filepath.Glob(token + ".damaged*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("the damaged file is not kept: %v %v", kept, err)
	}
	if content, err := os.ReadFile(kept[0]); err != nil || string(content) != damaged {
		t.Errorf("the damaged file holds %q, %v", content, err)
	}
}

func TestTokenForEverybody(t *testing.T) {
	t.Parallel()
	p := guestProgram(t)
	token := p.Path("token.json")
	r := launch(t, p, "-token", token)
	logIn(t, r)
	r.stop()
	if err := os.Chmod(token, 0o644); err != nil {
		t.Fatal(err)
	}
	p.Fails(p.Run("-token", token), "reader", 1, "run chmod 600 on it")
}

// TestNoPlaceForToken are folders and disks that take no file. One can read there nevertheless.
func TestNoPlaceForToken(t *testing.T) {
	t.Parallel()
	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		p := guestProgram(t)
		r := launch(t, p, "-token", filepath.Join(p.ReadOnly(), "token.json"))
		account := p.Server.Account
		r.post("/login", "username", account.Username, "password", account.Password).
			want(t, http.StatusInternalServerError, "choose another file with -token")
		r.get("/").want(t, http.StatusOK, "Popular titles")
	})
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		p := guestProgram(t)
		r := launch(t, p, "-token", filepath.Join(p.FullDisk(0), "token.json"))
		account := p.Server.Account
		r.post("/login", "username", account.Username, "password", account.Password).
			want(t, http.StatusOK, "Logged in, until the reader ends: the login could not be saved.")
		r.get("/following").want(t, http.StatusOK, "You follow no title yet")
		// At its end it cannot be saved either, which is no good end.
		r.running.Interrupt(func() bool { return true })
		result := r.running.Wait()
		r.result = &result
		if result.Status == 0 {
			t.Error("the login is lost without a word")
		}
	})
}

func logIn(t *testing.T, r *desk) {
	t.Helper()
	account := r.program.Server.Account
	a := r.post("/login", "username", account.Username, "password", account.Password, "next", "/following")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/following" {
		t.Fatalf("got %d to %q:\n%s", a.status, a.header.Get("Location"), a.body)
	}
}

// TestStaysLoggedIn logs in once and starts the reader again: without a password.
func TestStaysLoggedIn(t *testing.T) {
	t.Parallel()
	p := guestProgram(t, apitest.WithRefresh(apitest.RefreshRotate))
	token := p.Path("new", "folder", "token.json")
	r := launch(t, p, "-token", token)
	if a := r.get("/following"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/login?next=%2Ffollowing" {
		t.Fatalf("a guest gets %d to %q", a.status, a.header.Get("Location"))
	}
	logIn(t, r)
	r.stop()
	if info, err := os.Stat(token); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v, %v", info, err)
	}
	p.Server.Tokens().ExpireAccess()
	r = launch(t, p, "-token", token)
	r.get("/following").want(t, http.StatusOK, "You follow no title yet")

	if a := r.post("/logout"); a.status != http.StatusSeeOther {
		t.Errorf("logging out: %d %s", a.status, a.body)
	}
	r.get("/").want(t, http.StatusOK, "Popular titles")
	if a := r.get("/following"); a.status != http.StatusSeeOther {
		t.Errorf("after logging out: %d", a.status)
	}
	if _, err := os.Stat(token); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after logging out the file is still there: %v", err)
	}
}

// TestInterrupted ends the reader in the middle of a page: it ends soon, and the login is kept.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := guestProgram(t)
	_, chapters := addTitle(t, p.Server, "1")
	r := launch(t, p, "-token", p.Path("token.json"))
	logIn(t, r)
	before, err := os.ReadFile(p.Path("token.json"))
	if err != nil {
		t.Fatal(err)
	}
	page := pagesOf(t, r, chapters[0].String())[0]
	p.Server.Fail(apitest.Fault{Operation: "Page", Count: apitest.Always, Delay: time.Hour})
	req, cut := r.request(http.MethodGet, page), make(chan struct{})
	go func() {
		defer close(cut)
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
	}()
	for !slices.ContainsFunc(p.Server.Requests(), func(r apitest.Request) bool { return r.Operation == "GetAtHomeServer" }) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // it is on its way to the node
	begun := time.Now()
	end := r.stop()
	if took := time.Since(begun); took > time.Minute || end.Stderr != "" {
		t.Errorf("it took %v to end and said %q", took, end.Stderr)
	}
	<-cut
	if after, err := os.ReadFile(p.Path("token.json")); err != nil || string(after) != string(before) {
		t.Errorf("the token file has changed: %v", err)
	}
}

func TestEverybodyIsTold(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	running := p.Start("-addr", "0.0.0.0:0")
	running.Interrupt(func() bool { return running.Stdout() != "" })
	if end := running.Wait(); !strings.Contains(end.Stderr, "reads with your login\n") {
		t.Errorf("it said %q", end.Stderr)
	}
}
