// Package clients runs programs that others have written for MangaDex against the emulator, and our
// own over one port. The tests need CLIENTS_DIR, a folder in which
//
//	npm install mangadex-full-api
//
// was run, and gallery-dl in the PATH. What is missing is skipped, and without CLIENTS_DIR everything.
package clients

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// wanted skips a test unless it was asked for.
func wanted(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CLIENTS_DIR")
	if dir == "" {
		t.Skip("CLIENTS_DIR is not set; give a folder in which npm has installed mangadex-full-api")
	}
	return dir
}

// program finds one, or skips the test.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s; install it", name)
	}
	return path
}

// built builds a program of the examples.
func built(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "github.com/mangadex-go/mangadex/examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// An emulator runs until the test ends.
type emulator struct {
	url, reports                   string
	user, password, client, secret string // of the last account that it prints
}

func started(t *testing.T, args ...string) emulator {
	t.Helper()
	cmd := exec.Command(built(t, "emulator"), append([]string{"-addr", "localhost:0", "-account", "keeper:ROLE_MEMBER,ROLE_STAFF"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	printed := map[string]string{}
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "  ")
		printed[name] = strings.TrimSpace(value)
		if name == "client secret" && printed["user name"] == "keeper" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return emulator{printed["API"], printed["page reports"], printed["user name"], printed["password"], printed["client id"], printed["client secret"]}
		}
	}
	t.Fatalf("the emulator printed %v, %v", printed, lines.Err())
	return emulator{}
}

// session logs in, with the library of this project.
func (e emulator) session(t *testing.T) *api.Client {
	t.Helper()
	session, err := authn.New(authn.WithAPIServer(e.url), authn.WithAuthServer(e.url+"/realms/mangadex"),
		authn.WithPersonalClient(e.client, e.secret), authn.WithPassword(e.user, e.password))
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(e.url, authn.Use(session))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// some is a title with so many chapters at least, all of which can be read here.
func some(t *testing.T, client *api.Client, atLeast int) (manga uuid.UUID, chapters []api.Chapter) {
	t.Helper()
	for m, err := range client.SearchMangaAll(t.Context(), &api.SearchMangaParams{AvailableTranslatedLanguage: []string{"en"}}) {
		if err != nil {
			t.Fatal(err)
		}
		feed, err := client.GetMangaFeed(t.Context(), m.ID, &api.GetMangaFeedParams{IncludeExternalURL: api.Ptr(api.No), IncludeFuturePublishAt: api.Ptr(api.No), IncludeEmptyPages: api.Ptr(api.No)})
		if err != nil {
			t.Fatal(err)
		}
		all, err := client.GetMangaFeed(t.Context(), m.ID, nil) // gallery-dl takes what cannot be read for a failure
		if err != nil {
			t.Fatal(err)
		}
		if n := len(feed.Data); n >= atLeast && n <= 3*atLeast && all.Total == n && feed.Total == n {
			return m.ID, feed.Data
		}
	}
	t.Fatal("there is no title with chapters that can be read")
	return manga, nil
}

// Every call of the documentation of mangadex-full-api does what is expected of it.
func TestFullAPI(t *testing.T) {
	dir := wanted(t)
	node := program(t, "node")
	folder, err := filepath.Abs(filepath.Join(dir, "node_modules", "mangadex-full-api"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no mangadex-full-api in CLIENTS_DIR; npm install it there")
	}
	e := started(t, "-limits=false", "-titles", "200")
	cmd := exec.Command(node, "full_api.mjs", folder, e.url, e.reports)
	cmd.Env = append(os.Environ(), "EMULATOR_USER="+e.user, "EMULATOR_PASSWORD="+e.password, "EMULATOR_CLIENT="+e.client, "EMULATOR_SECRET="+e.secret)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	if works := bytes.Count(out, []byte("works\t")); works < 120 {
		t.Errorf("%d calls work", works)
	}
}

// gallery-dl downloads a chapter, a title, and what an account follows, within the limits.
func TestGalleryDL(t *testing.T) {
	wanted(t)
	path := program(t, "gallery-dl")
	e := started(t, "-titles", "30")
	client := e.session(t)
	manga, chapters := some(t, client, 4)
	if err := client.FollowManga(t.Context(), manga); err != nil {
		t.Fatal(err)
	}
	pages := 0
	for _, ch := range chapters {
		pages += ch.Attributes.Pages
	}
	for _, test := range []struct {
		name, target string
		args         []string
		want         int
	}{
		{"a chapter", "https://mangadex.org/chapter/" + chapters[0].ID.String(), nil, chapters[0].Attributes.Pages},
		{"a title", "https://mangadex.org/title/" + manga.String(), nil, pages},
		{"what an account follows", "https://mangadex.org/title/feed", []string{"-u", e.user, "-p", e.password}, pages},
	} {
		dir := t.TempDir()
		args := append([]string{"--config-ignore", "-o", "extractor.mangadex.api-server=" + e.url, "-o", "cache.file=" + filepath.Join(dir, "cache"), "-d", filepath.Join(dir, "pages"), "-f", "{chapter_id}_{page}.{extension}"}, test.args...)
		out, err := exec.Command(path, append(args, test.target)...).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte("][error]")) {
			t.Errorf("%s: %v\n%s", test.name, err, out)
		}
		if n := pictures(t, filepath.Join(dir, "pages")); n != test.want {
			t.Errorf("%s: %d pages, want %d\n%s", test.name, n, test.want, out)
		}
	}
}

// pictures counts the files that are one.
func pictures(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(http.DetectContentType(content), "image/") {
			n++
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

// Our own programs need nothing but the address of the emulator, for all of its hosts.
func TestOwnPrograms(t *testing.T) {
	wanted(t)
	e := started(t, "-titles", "30")
	client := e.session(t)
	manga, chapters := some(t, client, 4)
	if err := client.FollowManga(t.Context(), manga); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(built(t, name), append([]string{"-server", e.url}, args...)...)
		cmd.Dir = home
		cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home,
			"MANGADEX_CLIENT_ID="+e.client, "MANGADEX_CLIENT_SECRET="+e.secret, "MANGADEX_USERNAME="+e.user, "MANGADEX_PASSWORD="+e.password)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	pages := filepath.Join(home, "pages")
	run("download", "-o", pages, "https://mangadex.org/chapter/"+chapters[0].ID.String())
	if n := pictures(t, pages); n != chapters[0].Attributes.Pages {
		t.Errorf("%d pages, want %d", n, chapters[0].Attributes.Pages)
	}
	if out := run("login", "whoami"); !strings.Contains(out, "keeper") {
		t.Errorf("who am I: %s", out)
	}
	run("library", "-o", "library.json", "export")
	if content, err := os.ReadFile(filepath.Join(home, "library.json")); err != nil || !strings.Contains(string(content), manga.String()) {
		t.Errorf("the library is %s, %v", content, err)
	}
}
