package upload_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/upload"
)

// A server is a fake MangaDex with a title, a group, and an account that uploads.
type server struct {
	*apitest.Server
	account apitest.Account
	token   string

	// fault is asked before each request; n counts those to the same operation from 1.
	fault func(op string, n int) fault

	mu       sync.Mutex
	requests []string // the operations that were asked for
	surplus  int      // files of the session that the last commit does not name
}

type fault = apitest.Fault

const (
	sendPages  = "UploadPages"
	getSession = "GetUploadSession"
	abandon    = "AbandonUpload"
	commit     = "CommitUpload"
	begin      = "BeginUpload"
)

var (
	title = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	group = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	book  = uuid.MustParse("33333333-3333-4333-8333-333333333333") // a chapter
)

const (
	wait = time.Hour        // how long a test may take by the clock of its bubble
	long = 1000 * time.Hour // longer than anybody waits
	late = 10 * time.Minute // after which a request is carried out that comes late
)

// start starts a server without a network, unless it has options of its own.
func start(t testing.TB, options ...apitest.Option) *server {
	t.Helper()
	if options == nil {
		options = []apitest.Option{apitest.WithoutNetwork()}
	}
	uploader := apitest.Account{Username: "uploader", Roles: []string{"ROLE_MEMBER", "ROLE_POWER_UPLOADER"}}
	s := &server{Server: apitest.Start(t, append([]apitest.Option{apitest.WithTitles(10), apitest.WithTokenLife(long, long), apitest.WithAccount(uploader)}, options...)...)}
	s.account, _ = s.State().Account(uploader.Username)
	var err error
	s.token, _, err = s.Tokens().Issue(uploader.Username)
	must(t, err)
	_, err = s.State().AddManga(apitest.Manga{ID: title, Title: "The Kettle"})
	must(t, err)
	_, err = s.State().AddGroup(apitest.Group{ID: group, Name: "Night Shift"})
	must(t, err)
	s.FailFunc(s.choose)
	return s
}

// failing starts a server on which requests for an operation go wrong.
func failing(t testing.TB, op string, f func(n int) fault) *server {
	t.Helper()
	s := start(t)
	s.fault = on(op, f)
	return s
}

// on makes a fault function for one operation.
func on(op string, f func(n int) fault) func(string, int) fault {
	return func(o string, n int) fault {
		if o == op {
			return f(n)
		}
		return fault{}
	}
}

// once is a fault of the first request only.
func once(f fault) func(int) fault {
	return func(n int) fault {
		if n == 1 {
			return f
		}
		return fault{}
	}
}

// always is a fault of every request.
func always(f fault) func(int) fault { return func(int) fault { return f } }

// choose counts a request and has it go wrong.
func (s *server) choose(r apitest.Request) *fault {
	if strings.HasSuffix(r.Header.Get("User-Agent"), "other/1") {
		return nil
	}
	s.mu.Lock()
	s.requests = append(s.requests, r.Operation)
	choose := s.fault
	s.mu.Unlock()
	var f fault
	if choose != nil {
		f = choose(r.Operation, s.count(r.Operation))
	}
	if r.Operation == commit {
		var body struct{ PageOrder []uuid.UUID }
		_ = json.Unmarshal(r.Body, &body)
		s.surplus = len(s.files()) - len(body.PageOrder)
	}
	return &f
}

// count returns how many requests there were to an operation.
func (s *server) count(op string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == op {
			n++
		}
	}
	return n
}

// open tells whether the account has a session.
func (s *server) open() bool { return len(s.State().Uploads()) > 0 }

// files are the names in the session.
func (s *server) files() []string {
	for _, u := range s.State().Uploads() {
		return u.Files
	}
	return nil
}

// client returns a client of the account.
func (s *server) client(t testing.TB, options ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(s.URL, append([]api.Option{
		api.WithHTTPClient(&http.Client{Transport: s.Transport()}), api.WithRequestEditorFn(s.authorize), api.WithoutRateLimit(),
	}, options...)...)
	must(t, err)
	return client
}

func (s *server) authorize(_ context.Context, req *http.Request) error {
	req.Header.Set("Authorization", "Bearer "+s.token)
	return nil
}

// addChapter adds a chapter with pages of given contents that the account can edit, and returns its version.
func (s *server) addChapter(t testing.TB, id uuid.UUID, contents ...string) int {
	t.Helper()
	_, err := s.State().AddChapter(apitest.Chapter{ID: id, Manga: title, Number: "7", Title: "The lid", Uploader: s.account.ID})
	must(t, err)
	var pages []apitest.Page
	for _, content := range contents {
		pages = append(pages, apitest.Page{Data: []byte(content)})
	}
	must(t, s.State().SetPages(id, pages...))
	return s.version(t, id)
}

func (s *server) version(t testing.TB, chapter uuid.UUID) int {
	t.Helper()
	c, err := s.client(t).GetChapter(t.Context(), chapter, nil)
	must(t, err)
	return c.Data.Attributes.Version
}

// chapters are those of the title.
func (s *server) chapters() []apitest.Chapter { return s.State().Chapters(title) }

// published checks the only chapter of the title: its pages in order, each with the content that picture
// makes for its name, and no file in the session that was not a page.
func (s *server) published(t testing.TB, want ...string) {
	t.Helper()
	var contents []string
	for _, name := range want {
		format := strings.Replace(strings.TrimPrefix(filepath.Ext(name), "."), "jpg", "jpeg", 1)
		contents = append(contents, picture(format, name))
	}
	s.holds(t, contents...)
}

// holds checks the contents of the pages of the only chapter.
func (s *server) holds(t testing.TB, contents ...string) {
	t.Helper()
	if n := len(s.chapters()); n != 1 {
		t.Fatalf("%d chapters were published, want 1", n)
	}
	holds(t, s.client(t), s.chapters()[0].ID, contents)
	if s.surplus > 0 {
		t.Errorf("%d files were in the session that are not pages", s.surplus)
	}
}

// holds checks that a chapter has these pages, in this order.
func holds(t testing.TB, client *api.Client, chapter uuid.UUID, contents []string) {
	t.Helper()
	node, err := client.GetAtHomeServer(t.Context(), chapter, nil)
	must(t, err)
	if len(node.Chapter.Data) != len(contents) {
		t.Fatalf("%d pages, want %d", len(node.Chapter.Data), len(contents))
	}
	for i, name := range node.Chapter.Data {
		if sum := sha256.Sum256([]byte(contents[i])); !strings.Contains(name, hex.EncodeToString(sum[:])) {
			t.Fatalf("page %d is %s", i+1, name)
		}
	}
}

// other is a client of another program of the account, whose requests go well and are not counted.
func (s *server) other(t testing.TB) *api.Client {
	return s.client(t, api.WithUserAgent("other/1"))
}

// lose takes files out of the session.
func (s *server) lose(t testing.TB, names ...string) {
	t.Helper()
	open, err := s.other(t).GetUploadSession(t.Context(), &api.GetUploadSessionParams{Includes: []api.Include{api.IncludeUploadSessionFile}})
	must(t, err)
	for _, f := range open.Data.Relationships.Files() {
		if slices.Contains(names, f.Attributes.OriginalFileName) {
			must(t, s.other(t).DeleteUploadedPage(t.Context(), open.Data.ID, f.ID))
		}
	}
}

// put adds files to the session.
func (s *server) put(t testing.TB, names ...string) {
	t.Helper()
	var pages api.Pages
	for _, name := range names {
		pages = append(pages, api.File{Name: name, Content: strings.NewReader(picture("png", name))})
	}
	_, err := s.other(t).UploadPages(t.Context(), s.State().Uploads()[0].ID, pages)
	must(t, err)
}

// end abandons the session.
func (s *server) end(t testing.TB) {
	t.Helper()
	must(t, s.other(t).AbandonUpload(t.Context(), s.State().Uploads()[0].ID))
}

func mustBegin(t testing.TB, ctx context.Context, client *api.Client, options ...upload.Option) *upload.Session {
	t.Helper()
	s, err := upload.Begin(ctx, client, title, []uuid.UUID{group}, options...)
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
