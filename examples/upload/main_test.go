package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// picture is the n-th page.
func picture(t *testing.T, n int) string {
	t.Helper()
	page := image.NewGray(image.Rect(0, 0, 200, 300))
	for i := range page.Pix {
		page.Pix[i] = uint8(i % (n + 2))
	}
	page.Set(n%200, n%300, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, page); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// An author is a program with a folder of pages and a title to upload them to.
type author struct {
	*exampletest.Program
	t     *testing.T
	manga apitest.Manga
	pages []string // content
}

func newAuthor(t *testing.T, pages int) *author {
	t.Helper()
	a := &author{Program: exampletest.New(t), t: t}
	for n := range pages {
		a.pages = append(a.pages, picture(t, n))
		a.Write(fmt.Sprintf("pages/%d.png", n+1), a.pages[n]) // 10 sorts before 2 by letters
	}
	a.manga = a.Server.State().Manga()[1]
	return a
}

// upload runs the program with what every upload needs.
func (a *author) args(more ...string) []string {
	return append([]string{"-accept-terms", "-manga", a.manga.ID.String(), "-chapter", "1000"}, more...)
}

// client acts for the account.
func (a *author) client() *api.Client {
	a.t.Helper()
	access, _, err := a.Server.Tokens().Issue(a.Server.Account.Username)
	if err != nil {
		a.t.Fatal(err)
	}
	client, err := api.New(a.Server.URL, api.WithoutRateLimit(), api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		if !strings.Contains(r.URL.Path, "/at-home/") {
			r.Header.Set("Authorization", "Bearer "+access)
		}
		return nil
	}))
	if err != nil {
		a.t.Fatal(err)
	}
	return client
}

// published checks that there is exactly one chapter of the test, with all pages in order.
func (a *author) published(r exampletest.Result) *api.Chapter {
	a.t.Helper()
	found := a.chapters()
	if len(found) != 1 || strings.TrimSpace(r.Stdout) != "https://mangadex.org/chapter/"+found[0].ID.String() {
		a.t.Fatalf("%d chapters; stdout: %s", len(found), r.Stdout)
	}
	client := a.client()
	chapter, err := client.GetChapter(context.Background(), found[0].ID, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	node, err := client.GetAtHomeServer(context.Background(), found[0].ID, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if len(node.Chapter.Data) != len(a.pages) {
		a.t.Fatalf("%d pages, want %d", len(node.Chapter.Data), len(a.pages))
	}
	for i, name := range node.Chapter.Data {
		if sum := sha256.Sum256([]byte(a.pages[i])); !strings.Contains(name, hex.EncodeToString(sum[:])) {
			a.t.Errorf("page %d is %s", i+1, name)
		}
	}
	if open := a.openPages(); open >= 0 {
		a.t.Errorf("an upload with %d pages is still open", open)
	}
	return &chapter.Data
}

// chapters are those of the test.
func (a *author) chapters() []apitest.Chapter {
	return slices.DeleteFunc(a.Server.State().Chapters(a.manga.ID), func(c apitest.Chapter) bool { return c.Number != "1000" })
}

// diary is where the program keeps what it has to know.
func (a *author) diary() string {
	a.t.Helper()
	found, err := filepath.Glob(a.Path("settings", "mangadex-go", "*", "upload.json"))
	if err != nil || len(found) != 1 {
		a.t.Fatalf("%q, %v", found, err)
	}
	return found[0]
}

// openPages counts the pages of the open upload; -1 if there is none.
func (a *author) openPages() int {
	a.t.Helper()
	open, err := a.client().GetUploadSession(context.Background(), &api.GetUploadSessionParams{Includes: []api.Include{api.IncludeUploadSessionFile}})
	found, err := api.Found(err)
	if err != nil {
		a.t.Fatal(err)
	}
	if !found {
		return -1
	}
	return len(open.Data.Relationships.Files())
}

// sent counts the requests of an operation that succeeded.
func (a *author) sent(operation string) int {
	n := 0
	for _, r := range a.Requests(operation) {
		if r.Status == http.StatusOK {
			n++
		}
	}
	return n
}

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: upload", "-accept-terms", "https://mangadex.org/compliance", "-resume", "-replace", "-live")
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	p.Write("pages/1.png", picture(t, 1))
	if r := p.Succeeds(p.Run("-accept-terms", "-chapter", "1", "pages")); !strings.HasPrefix(r.Stdout, "https://mangadex.org/chapter/") {
		t.Errorf("stdout: %s", r.Stdout)
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 23)
	groups, err := a.client().ListGroups(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	group := groups.Data[0].ID
	r := a.Succeeds(a.Run(a.args("-volume", "12", "-title", "A lid", "-language", "pt-br", "-groups", "https://mangadex.org/group/"+group.String()+"/name", "pages")...))
	chapter := a.published(r)
	c := chapter.Attributes
	if c.Chapter == nil || *c.Chapter != "1000" || c.Volume == nil || *c.Volume != "12" || c.Title == nil || *c.Title != "A lid" || c.TranslatedLanguage != "pt-br" {
		t.Errorf("the chapter: %+v", c)
	}
	if made := chapter.Relationships.Groups(); len(made) != 1 || made[0].ID != group {
		t.Errorf("the groups: %v", made)
	}
}

// TestArchive uploads what examples/download makes.
func TestArchive(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 3)
	path := a.archive(map[string]string{"ComicInfo.xml": "<ComicInfo/>", "001.png": a.pages[0], "002.png": a.pages[1], "003.png": a.pages[2]})
	a.published(a.Succeeds(a.Run(a.args(path)...)))
}

// archive writes an archive of files.
func (a *author) archive(files map[string]string) (path string) {
	a.t.Helper()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for name, content := range files {
		w, err := archive.Create(name)
		if err != nil {
			a.t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			a.t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		a.t.Fatal(err)
	}
	return a.Write("chapter.cbz", b.String())
}

// TestInterrupted interrupts an upload, goes on with it, and sends nothing twice.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 57)
	a.Server.Fail(apitest.Fault{Operation: "UploadPages", Delay: 400 * time.Millisecond, Count: apitest.Always})
	run := a.Start(a.args("pages")...)
	run.Interrupt(func() bool { return a.sent("UploadPages") >= 2 })
	a.Fails(run.Wait(), "upload", 130, "interrupted; ", "pages are sent", "-resume goes on")
	before := a.openPages()
	if before < 20 || before >= 57 {
		t.Fatalf("%d pages were sent", before)
	}
	a.Server.Heal()
	a.Fails(a.Run(a.args("pages")...), "upload", 1, "there is an open upload with", "-resume", "-replace")
	if n := a.openPages(); n != before {
		t.Errorf("the open upload has %d pages now, and had %d", n, before)
	}
	requests := a.sent("UploadPages")
	a.published(a.Succeeds(a.Run(a.args("-resume", "pages")...)))
	if n, most := a.sent("UploadPages")-requests, (57-before+9)/10; n > most {
		t.Errorf("%d requests for the other %d pages, want at most %d", n, 57-before, most)
	}
}

// TestOtherUpload does not mix the pages of two uploads.
func TestOtherUpload(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 12)
	a.Write("other/cover.png", picture(t, 99))
	a.Server.Fail(apitest.Fault{Operation: "CommitUpload", Status: http.StatusForbidden})
	a.Fails(a.Run(a.args("other")...), "upload", 1, "1 pages are sent, and the same command with -resume goes on")
	a.Fails(a.Run(a.args("-resume", "pages")...), "upload", 1, `has the page "cover.png", which is not in the folder`, "-replace")
	other := a.Server.State().Manga()[2].ID.String()
	a.Fails(a.Run(a.args("-manga", other, "-resume", "other")...), "upload", 1, "the open upload is for the title "+a.manga.ID.String(), "-replace")
	if n := a.openPages(); n != 1 {
		t.Errorf("the open upload has %d pages, and had 1", n)
	}
	a.published(a.Succeeds(a.Run(a.args("-replace", "pages")...)))
}

// TestDamagedPage sends nothing as long as a page has no end.
func TestDamagedPage(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 3)
	a.Write("pages/2.png", a.pages[1][:len(a.pages[1])/2])
	a.Fails(a.Run(a.args("pages")...), "upload", 1, `page "2.png"`, "image/png without its end")
	if n := a.openPages(); n > 0 {
		t.Errorf("%d pages were sent", n)
	}
	a.Write("pages/2.png", a.pages[1])
	a.published(a.Succeeds(a.Run(a.args("pages")...)))
}

// TestMendedPage notices that a page is another one than the one that was sent.
func TestMendedPage(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 2)
	a.Server.Fail(apitest.Fault{Operation: "CommitUpload", Status: http.StatusForbidden})
	a.Fails(a.Run(a.args("pages")...), "upload", 1, "2 pages are sent, and the same command with -resume goes on")
	a.pages[1] = picture(t, 50)
	a.Write("pages/2.png", a.pages[1])
	a.Fails(a.Run(a.args("-resume", "pages")...), "upload", 1, `the open upload has another picture as "2.png" than the folder; begin anew by -replace`)
	a.published(a.Succeeds(a.Run(a.args("-replace", "pages")...)))
}

// TestEndedElsewhere does not advise to go on with an upload that is no more.
func TestEndedElsewhere(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 57)
	a.Server.Fail(apitest.Fault{Operation: "UploadPages", Delay: time.Second, Count: apitest.Always})
	run := a.Start(a.args("pages")...)
	for end := time.Now().Add(30 * time.Second); a.sent("UploadPages") == 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	open, err := a.client().GetUploadSession(context.Background(), nil)
	if err == nil {
		err = a.client().AbandonUpload(context.Background(), open.Data.ID)
	}
	r := run.Wait()
	if err != nil {
		t.Fatal(err)
	}
	a.Fails(r, "upload", 1, "the upload session is closed", "begin another one")
	if strings.Contains(r.Stderr, "-resume") {
		t.Errorf("stderr: %s", r.Stderr)
	}
	a.Server.Heal()
	a.published(a.Succeeds(a.Run(a.args("pages")...)))
}

// TestOnce does not publish a chapter a second time unless it is told to.
func TestOnce(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 2)
	link := strings.TrimSpace(a.Succeeds(a.Run(a.args("pages")...)).Stdout)
	for _, more := range [][]string{{"pages"}, {"-resume", "pages"}, {"-replace", "pages"}} {
		a.Fails(a.Run(a.args(more...)...), "upload", 1, "has published this chapter already: "+link, "nothing was sent")
	}
	// The lists of the server have it, too, for a run that has no diary.
	if err := os.Remove(a.diary()); err != nil {
		t.Fatal(err)
	}
	a.Fails(a.Run(a.args("pages")...), "upload", 1, "has published this chapter already: "+link)
	a.Succeeds(a.Run(a.args("-language", "fr", "pages")...))
	a.Succeeds(a.Run(a.args("-again", "pages")...))
	if n := len(a.chapters()); n != 3 {
		t.Errorf("%d chapters, want 3", n)
	}
}

// TestDeletedChapter may be uploaded again.
func TestDeletedChapter(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 2)
	a.published(a.Succeeds(a.Run(a.args("pages")...)))
	if err := a.client().DeleteChapter(context.Background(), a.chapters()[0].ID); err != nil {
		t.Fatal(err)
	}
	a.published(a.Succeeds(a.Run(a.args("pages")...)))
}

// TestNothingToResume begins no upload when it was asked to go on with one.
func TestNothingToResume(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 2)
	a.Fails(a.Run(a.args("-resume", "pages")...), "upload", 1, "there is no open upload to go on with; leave out -resume to begin one")
	if n := a.sent("BeginUpload"); n > 0 {
		t.Error("an upload was begun")
	}
}

// TestDiary keeps what it has to know to itself, and publishes nothing that it cannot note.
func TestDiary(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 2)
	a.Succeeds(a.Run(a.args("-token", "login/token.json", "pages")...))
	info, err := os.Stat(a.Path("login", "upload.json"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	content, err := os.ReadFile(a.Path("login", "upload.json"))
	if err != nil {
		t.Fatal(err)
	}
	a.NoSecrets(exampletest.Result{Stdout: string(content)})

	a.Write("damaged/upload.json", "{")
	a.Fails(a.Run(a.args("-token", "damaged/token.json", "-language", "fr", "pages")...), "upload", 1, "upload.json is damaged", "remove it")
	if n := a.sent("CommitUpload"); n != 1 {
		t.Errorf("%d commits, want 1", n)
	}
}

// TestArchiveOfAFolder takes the folder of an archive that has nothing else.
func TestArchiveOfAFolder(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 2)
	path := a.archive(map[string]string{
		"Chapter 1/1.png": a.pages[0], "Chapter 1/2.png": a.pages[1], "Chapter 1/.DS_Store": "x", "Chapter 1/ComicInfo.xml": "<ComicInfo/>",
		"__MACOSX/Chapter 1/._1.png": "x", ".DS_Store": "x",
	})
	a.published(a.Succeeds(a.Run(a.args(path)...)))
}

// TestBadInput also checks that the folder can be uploaded afterwards.
func TestBadInput(t *testing.T) {
	t.Parallel()
	unknown := uuid.NewSHA1(uuid.NameSpaceURL, []byte("nothing")).String()
	bad := exampletest.Bad[*author]
	tests := []exampletest.BadInput[*author]{
		bad("terms that are not accepted", func(a *author) []string {
			return []string{"-manga", a.manga.ID.String(), "-chapter", "1000", "pages"}
		}, 2, "https://mangadex.org/compliance", "-accept-terms"),
		bad("unknown title", func(a *author) []string {
			return a.args("-manga", unknown, "pages")
		}, 1, "404", "check the id"),
		bad("id that is none", func(a *author) []string {
			return a.args("-manga", "17", "pages")
		}, 2, `-manga: "17" is not the id of a title`),
		bad("link to a chapter", func(a *author) []string {
			return a.args("-manga", "https://mangadex.org/chapter/"+unknown, "pages")
		}, 2, "not the id of a title nor a link to one"),
		bad("id of nothing", func(a *author) []string {
			return a.args("-manga", uuid.Nil.String(), "pages")
		}, 1, "the id of the title is empty"),
		bad("no title", func(a *author) []string {
			return []string{"-accept-terms", "-chapter", "1000", "pages"}
		}, 2, "-manga is missing"),
		bad("unknown group", func(a *author) []string {
			return a.args("-groups", unknown, "pages")
		}, 1, "404"),
		bad("group that is none", func(a *author) []string {
			return a.args("-groups", "The Group", "pages")
		}, 2, `-groups: "The" is not the id of a group`),
		bad("wrong number", func(a *author) []string {
			return a.args("-chapter", "twelve", "pages")
		}, 2, `-chapter is "twelve"; it is a number`),
		bad("long title", func(a *author) []string {
			return a.args("-title", strings.Repeat("ä", 256), "pages")
		}, 2, "-title has 256 characters; it can have 255"),
		bad("unknown language", func(a *author) []string {
			return a.args("-language", "english", "pages")
		}, 2, `"english" is not the code of a language`),
		bad("no folder", func(a *author) []string {
			return a.args("nothing")
		}, 1, "nothing", exampletest.NoFileText),
		bad("no arguments", func(a *author) []string {
			return a.args()
		}, 2, "name one folder or archive"),
		bad("folder without pages", func(a *author) []string {
			a.Write("empty/.hidden", "")
			return a.args("empty")
		}, 1, "no file of the folder is a page"),
		bad("file that is no page", func(a *author) []string {
			a.Write("mixed/1.png", a.pages[0])
			a.Write("mixed/2.webp", "RIFF....WEBP")
			return a.args("mixed")
		}, 1, "2.webp", "JPEG, PNG"),
		bad("no name of a folder", func(a *author) []string {
			return a.args("")
		}, 2, "an argument is empty; give it a value, or leave it out"),
		bad("no name of a group", func(a *author) []string {
			return a.args("-groups", "", "pages")
		}, 2, "-groups is empty; give it a value, or leave it out"),
		bad("the name of the diary for the login", func(a *author) []string {
			return a.args("-token", "upload.json", "pages")
		}, 2, "-token is upload.json, a name that is for another file there; choose another one"),
		bad("folder in the folder", func(a *author) []string {
			a.Write("whole/1.png", a.pages[0])
			a.Write("whole/extras/2.png", a.pages[1])
			return a.args("whole")
		}, 1, `whole has the folder "extras" in it; name a folder that has only pages`),
		bad("archive with two folders", func(a *author) []string {
			return a.args(a.archive(map[string]string{"a/1.png": a.pages[0], "b/1.png": a.pages[0]}))
		}, 1, `chapter.cbz has the folder "a" beside other files; unpack it`),
		bad("archive of a folder of folders", func(a *author) []string {
			return a.args(a.archive(map[string]string{"a/b/1.png": a.pages[0]}))
		}, 1, `chapter.cbz has folders in its folder "a"; unpack it`),
		bad("archive with a file that is no page of it", func(a *author) []string {
			return a.args(a.archive(map[string]string{"1.png": a.pages[0], `..\x.png`: a.pages[1]}))
		}, 1, `chapter.cbz has a file with the name "..\\x.png"`, "rename it"),
		bad("archive without pages", func(a *author) []string {
			return a.args(a.archive(map[string]string{"ComicInfo.xml": "<ComicInfo/>"}))
		}, 1, "chapter.cbz has no pages"),
		bad("half a page", func(a *author) []string {
			a.Write("half/1.png", a.pages[0][:len(a.pages[0])-1])
			return a.args("half")
		}, 1, `page "1.png": its content is image/png without its end`),
		bad("no time to wait", func(a *author) []string {
			return a.args("-wait", "-1s", "pages")
		}, 2, "-wait is -1s"),
		bad("damaged archive", func(a *author) []string {
			return a.args(a.Write("chapter.cbz", "PK\x03\x04 and so on"))
		}, 1, "chapter.cbz is neither a folder nor a comic book archive"),
		bad("resume and replace", func(a *author) []string {
			return a.args("-resume", "-replace", "pages")
		}, 2, "exclude each other"),
		bad("server error", func(a *author) []string {
			a.Server.Fail(apitest.Fault{Operation: "BeginUpload", Status: http.StatusBadGateway, Count: apitest.Always})
			return a.args("pages")
		}, 1, "502", "try again later"),
	}
	tests = append(tests, exampletest.Each(append(exampletest.Unconnected(), exampletest.LoggedOut()...), func(a *author, set func(*exampletest.Program) []string) []string {
		return a.args(append(set(a.Program), "pages")...)
	})...)
	for _, test := range tests {
		if test.Name == "full disk for the login" { // where the diary lies, too
			test.Texts = []string{exampletest.FullDiskText, "make room there"}
		}
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			a := newAuthor(t, 2)
			restore := a.Healthy()
			args := test.Set(a)
			a.Fails(a.Run(args...), "upload", test.Status, test.Texts...)
			if n := a.openPages(); n >= 0 {
				t.Errorf("an upload with %d pages was left open", n)
			}
			if a.sent("CommitUpload") > 0 {
				t.Error("something was published")
			}

			restore()
			a.published(a.Succeeds(a.Run(a.args("pages")...)))
		})
	}
}

// TestPagesStay leaves the folder as it was.
func TestPagesStay(t *testing.T) {
	t.Parallel()
	a := newAuthor(t, 2)
	a.published(a.Succeeds(a.Run(a.args("pages")...)))
	for n, want := range a.pages {
		if got, err := os.ReadFile(a.Path("pages", fmt.Sprintf("%d.png", n+1))); err != nil || string(got) != want {
			t.Errorf("page %d has changed: %v", n+1, err)
		}
	}
}
