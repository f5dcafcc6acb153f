package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
)

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() { // a login of whoever runs the tests is none of ours
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "MANGADEX_") {
			os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}

// output collects what a reader prints.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// A reading is a reader that serves.
type reading struct {
	t    *testing.T
	url  string
	out  *output
	stop func() error // interrupts it and returns what it ends with
}

var served = regexp.MustCompile(`http://\S+:\d+`)

// start starts a reader; the test ends it.
func start(t *testing.T, c config, from upstream) *reading {
	t.Helper()
	if c.addr == "" {
		c.addr = "127.0.0.1:0"
	}
	if c.language == "" {
		c.language = "en"
	}
	if c.state == "" {
		c.state = filepath.Join(t.TempDir(), "login.json")
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &reading{t: t, out: &output{}}
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, c, from, r.out) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the reader ended with: %v", err)
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if r.url = served.FindString(r.out.String()); r.url != "" {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("the reader does not serve: %s", r.out)
		}
	}
}

// demo is the fake as the program has it in itself: logged in, and nothing is kept.
func demo(fake *apitest.Server) upstream {
	from := guest(fake)
	from.demo = &fake.Account
	return from
}

// guest is the fake without a login, which is kept in the state file when there is one.
func guest(fake *apitest.Server) upstream {
	return upstream{api: fake.URL, auth: fake.AuthURL, uploads: fake.UploadsURL, reports: fake.ReportURL}
}

// An answer has been read as a whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a request, without following redirects.
func (r *reading) send(req *http.Request) answer {
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

func (r *reading) request(method, path string, fields ...string) *http.Request {
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

func (r *reading) get(path string) answer {
	r.t.Helper()
	return r.send(r.request(http.MethodGet, path))
}

func (r *reading) post(path string, fields ...string) answer {
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
	var out output
	if err := run(t.Context(), []string{"-h"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"usage: reader", "-addr", "-live", "-server", "-state", "-language", "-data-saver", "Exit status"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help lacks %q:\n%s", want, &out)
		}
	}
}

// TestMainPath is what a newcomer does: start it, look at it, end it with Ctrl-C.
func TestMainPath(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &output{}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, out) }()
	r := &reading{t: t}
	for r.url == "" {
		r.url = served.FindString(out.String())
		time.Sleep(time.Millisecond)
	}
	r.get("/").want(t, http.StatusOK, "Its account <b>reader</b> is logged in")
	interrupt()
	if err := <-ended; err != nil || !strings.Contains(out.String(), "stopped\n") {
		t.Errorf("it ended with %v and said:\n%s", err, out)
	}
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		want string
	}{
		{"-color", "flag provided but not defined: -color; see -h"},
		{"kettle", `"kettle" is not a flag; see -h`},
		{"-live -server http://127.0.0.1:1", "-live and -server exclude each other; see -h"},
		{"-language english", `-language "english" is not a code like en or pt-br`},
		{"-server 127.0.0.1:1", `-server "127.0.0.1:1" is not an address like http://localhost:4000`},
	} {
		var out output
		err := run(t.Context(), strings.Fields(test.args), &out)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || out.String() != "" {
			t.Errorf("%s: got %v, want %s", test.args, err, test.want)
		}
		if got := status(err); got != 2 {
			t.Errorf("%s: status %d", test.args, got)
		}
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	addr := other.Addr().String()
	err = run(t.Context(), []string{"-addr", addr}, io.Discard)
	if err == nil || err.Error() != "cannot listen on "+addr+"; choose another -addr, such as 127.0.0.1:0: address already in use" {
		t.Errorf("got %v", err)
	}
	err = run(t.Context(), []string{"-addr", "no.such.host.invalid:80"}, io.Discard)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "cannot listen on no.such.host.invalid:80") {
		t.Errorf("got %v", err)
	}
}

func TestDamagedState(t *testing.T) {
	t.Parallel()
	fake := apitest.Start(t)
	state := filepath.Join(t.TempDir(), "login.json")
	const damaged = `{"refresh_token":"half a tok`
	if err := os.WriteFile(state, []byte(damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, config{state: state}, guest(fake))
	if got := r.out.String(); !strings.HasPrefix(got, "log in again: token file damaged: ") || strings.Count(got, "\n") != 2 || strings.Contains(got, "half a tok") {
		t.Errorf("the reader says:\n%s", got)
	}
	r.get("/").want(t, http.StatusOK, "Log in")
	kept, err := filepath.Glob(state + ".damaged*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("the damaged file is not kept: %v %v", kept, err)
	}
	if content, err := os.ReadFile(kept[0]); err != nil || string(content) != damaged {
		t.Errorf("the damaged file holds %q, %v", content, err)
	}
}

func TestOpenState(t *testing.T) {
	t.Parallel()
	fake := apitest.Start(t)
	state := filepath.Join(t.TempDir(), "login.json")
	first := start(t, config{state: state}, guest(fake))
	logIn(t, first, fake)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(state, 0o644); err != nil {
		t.Fatal(err)
	}
	err := serve(t.Context(), config{addr: "127.0.0.1:0", language: "en", state: state}, guest(fake), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "run chmod 600 on it") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

// TestNoPlaceForState is a folder that cannot be written. A file in its place does not yield to root
// either.
func TestNoPlaceForState(t *testing.T) {
	t.Parallel()
	fake := apitest.Start(t)
	notDir := filepath.Join(t.TempDir(), "folder")
	if err := os.WriteFile(notDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := serve(t.Context(), config{addr: "127.0.0.1:0", language: "en", state: filepath.Join(notDir, "login.json")}, guest(fake), io.Discard)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("got %v", err)
	}

	t.Run("read-only", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		r := start(t, config{state: filepath.Join(dir, "login.json")}, guest(fake))
		r.post("/login", "username", fake.Account.Username, "password", fake.Account.Password).
			want(t, http.StatusInternalServerError, "choose another file with -state")
		r.get("/").want(t, http.StatusOK, "Popular titles")
	})
}

func logIn(t *testing.T, r *reading, fake *apitest.Server) {
	t.Helper()
	a := r.post("/login", "username", fake.Account.Username, "password", fake.Account.Password, "next", "/following")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/following" {
		t.Fatalf("got %d to %q:\n%s", a.status, a.header.Get("Location"), a.body)
	}
}

// TestStaysLoggedIn logs in once and starts the reader again: without a password.
func TestStaysLoggedIn(t *testing.T) {
	t.Parallel()
	fake := apitest.Start(t, apitest.WithRefresh(apitest.RefreshRotate))
	state := filepath.Join(t.TempDir(), "new", "folder", "login.json")
	r := start(t, config{state: state}, guest(fake))
	if a := r.get("/following"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/login?next=%2Ffollowing" {
		t.Fatalf("a guest gets %d to %q", a.status, a.header.Get("Location"))
	}
	logIn(t, r, fake)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the state file: %v, %v", info, err)
	}
	fake.Tokens().ExpireAccess()
	r = start(t, config{state: state}, guest(fake))
	r.get("/following").want(t, http.StatusOK, "You follow no title yet")

	if a := r.post("/logout"); a.status != http.StatusSeeOther {
		t.Errorf("logging out: %d %s", a.status, a.body)
	}
	r.get("/").want(t, http.StatusOK, "Log in")
	if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after logging out the state file is still there: %v", err)
	}
}

// TestInterrupted ends the reader in the middle of a page: it ends soon, and the login is kept.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	fake := apitest.Start(t)
	_, chapters := addTitle(t, fake, "1")
	state := filepath.Join(t.TempDir(), "login.json")
	r := start(t, config{state: state}, guest(fake))
	logIn(t, r, fake)
	before, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	page := pagesOf(t, r, chapters[0].String())[0]
	fake.Fail(apitest.Fault{Operation: "Page", Count: apitest.Always, Delay: time.Minute})
	cut := make(chan struct{})
	req := r.request(http.MethodGet, page)
	go func() {
		defer close(cut)
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
	}()
	time.Sleep(100 * time.Millisecond)
	begun := time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v to end", took)
	}
	<-cut
	if after, err := os.ReadFile(state); err != nil || string(after) != string(before) {
		t.Errorf("the state file has changed: %v", err)
	}
	if got := r.out.String(); strings.Count(got, "\n") != 2 || !strings.HasSuffix(got, "\nstopped\n") {
		t.Errorf("the reader says:\n%s", got)
	}
}

func TestEverybodyIsTold(t *testing.T) {
	t.Parallel()
	fake := apitest.Start(t)
	r := start(t, config{addr: "0.0.0.0:0"}, demo(fake))
	if !strings.Contains(r.out.String(), "reads with your login\n") {
		t.Errorf("the reader says:\n%s", r.out)
	}
}
