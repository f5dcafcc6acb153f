package upload_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/upload"
)

// sparse makes a file that begins with a picture and has a size.
func sparse(t *testing.T, dir, name string, size int64) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, []byte(picture("png", "")), 0o600))
	must(t, os.Truncate(path, size))
	return path
}

func reader(name, content string) upload.Source {
	return upload.Reader(name, strings.NewReader(content))
}

// TestBadPages tells what is wrong with each page, and sends nothing.
func TestBadPages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var heavy []string
	for _, name := range numbered(8) {
		heavy = append(heavy, sparse(t, dir, "heavy "+name, 19<<20))
	}
	absent := filepath.Join(dir, "absent.png")
	_, noFile := os.Stat(absent)
	_, noFolder := fs.ReadDir(os.DirFS(absent), ".")
	for _, test := range []struct {
		name    string
		sources []upload.Source
		want    string
	}{
		{"nothing", nil, `upload: no pages are given; give Files, a Reader or a Folder`},
		{"no files", []upload.Source{upload.Files()}, `upload: no pages are given; give Files, a Reader or a Folder`},
		{"empty source", []upload.Source{{}}, `upload: a source is empty; make it by Files, Reader or Folder`},
		{"absent file", []upload.Source{upload.Files(absent)}, "upload: page " + strconv.Quote(absent) + ": " + noFile.Error() + "; check the path"},
		{"folder as file", []upload.Source{upload.Files(dir)}, "upload: page " + strconv.Quote(dir) + ": it is a folder; use Folder(os.DirFS(" + strconv.Quote(dir) + "))"},
		{"absent folder", []upload.Source{upload.Folder(os.DirFS(absent))}, "upload: the folder cannot be read: " + noFolder.Error() + "; check its path"},
		{"empty folder", []upload.Source{upload.Folder(fstest.MapFS{})}, `upload: no file of the folder is a page: it is empty, or has hidden files only; check its path`},
		{"no file fits", []upload.Source{upload.Folder(folder("1.png"), "*.jpg", "*.gif")}, `upload: no file of the folder is a page: none matches "*.jpg" or "*.gif"; check the path of the folder and the patterns`},
		{"hidden files", []upload.Source{upload.Folder(folder(".1.png"))}, `upload: no file of the folder is a page: it is empty, or has hidden files only; check its path`},
		{"no folder", []upload.Source{upload.Folder(nil)}, `upload: the folder is nil; give one, such as os.DirFS of its path`},
		{"no reader", []upload.Source{upload.Reader("1.png", nil)}, `upload: page "1.png": its reader is nil; give one that has the picture`},
		{"bad pattern", []upload.Source{upload.Folder(folder("1.png"), "[")}, `upload: the pattern "[": syntax error in pattern; see path.Match`},
		{"folder in folder", []upload.Source{upload.Folder(folder("1.png", "extra/2.png"))}, `upload: page "extra": it is a folder; choose the pages by a pattern such as *.png`},
		{"broken reader", []upload.Source{upload.Reader("1.png", iotest.ErrReader(errors.New("torn")))}, `upload: page "1.png": it cannot be read: torn`},
		{"no name", []upload.Source{reader("", picture("png", ""))}, `upload: a page has no name; give it the name of its file`},
		{"slash", []upload.Source{reader("a/1.png", picture("png", ""))}, `upload: page "a/1.png": the name has a slash, a backslash, a quotation mark or a control character, which the server may change; rename the file`},
		{"quotation mark", []upload.Source{reader(`"1".png`, picture("png", ""))}, `upload: page "\"1\".png": the name has a slash, a backslash, a quotation mark or a control character, which the server may change; rename the file`},
		{"line break", []upload.Source{reader("1\n.png", picture("png", ""))}, `upload: page "1\n.png": the name has a slash, a backslash, a quotation mark or a control character, which the server may change; rename the file`},
		{"same name", []upload.Source{reader("1.png", picture("png", "a")), reader("1.png", picture("png", "b"))}, `upload: page "1.png": another page has the same name; rename one of them`},
		{"empty", []upload.Source{reader("1.png", "")}, `upload: page "1.png": it is empty; export it again`},
		{"too large", []upload.Source{upload.Files(sparse(t, dir, "large.png", 20<<20+1))}, `upload: page "large.png": it is larger than 20 MiB; make it smaller`},
		{"too large a reader", []upload.Source{upload.Reader("1.png", io.MultiReader(strings.NewReader(picture("png", "")), zeros{}))}, `upload: page "1.png": it is larger than 20 MiB; make it smaller`},
		{"text", []upload.Source{reader("1.png", "see credits.txt")}, `upload: page "1.png": its content is text/plain; charset=utf-8, and only JPEG, PNG and GIF are taken; convert it, or leave it out`},
		{"webp", []upload.Source{reader("1.png", "RIFF\x00\x00\x00\x00WEBPVP")}, `upload: page "1.png": its content is image/webp, and only JPEG, PNG and GIF are taken; convert it, or leave it out`},
		{"cut off", []upload.Source{reader("1.png", picture("png", "")[:20])}, `upload: page "1.png": its content is damaged image/png: unexpected EOF; export it again`},
		{"too wide", []upload.Source{reader("1.png", pngOf(10000, 5))}, `upload: page "1.png": it has 10000×5 pixels, and each side must have less than 10000; split it`},
		{"too high", []upload.Source{reader("1.png", pngOf(800, 130000))}, `upload: page "1.png": it has 800×130000 pixels, and each side must have less than 10000; split it`},
		{"too many", []upload.Source{upload.Folder(folder(numbered(501)...))}, `upload: with these the session has 501 pages, and the server takes 500; join or leave out some, or split the chapter`},
		{"too much", []upload.Source{upload.Files(heavy...)}, `upload: with these the session has more than 150 MiB, which is all the server takes; make the pages smaller, or split the chapter`},
		{"several", []upload.Source{reader("1.png", ""), upload.Files(absent), reader("2.png", "text")},
			`upload: page "1.png": it is empty; export it again` + "\n" +
				"upload: page " + strconv.Quote(absent) + ": " + noFile.Error() + "; check the path" + "\n" +
				`upload: page "2.png": its content is text/plain; charset=utf-8, and only JPEG, PNG and GIF are taken; convert it, or leave it out`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := &server{}
			session := mustBegin(t, t.Context(), srv.client(t))
			good := reader("good.png", picture("png", ""))
			if len(test.sources) > 0 && test.name != "no files" {
				test.sources = append([]upload.Source{good}, test.sources...)
			}
			if strings.HasPrefix(test.name, "too m") { // 500 and not 501
				test.sources = test.sources[1:]
			}
			wantError(t, session.AddPages(t.Context(), test.sources...), test.want)
			if n := srv.count(sendPages); n > 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := &server{}
	client := srv.client(t)
	begin := func(manga uuid.UUID, groups int, options ...upload.Option) error {
		_, err := upload.Begin(ctx, client, manga, make([]uuid.UUID, groups), options...)
		return err
	}
	edit := func(chapter uuid.UUID, version int, options ...upload.Option) error {
		_, err := upload.Edit(ctx, client, chapter, version, options...)
		return err
	}
	addCover := func(manga uuid.UUID, source upload.Source, details upload.CoverDetails) error {
		_, err := upload.Cover(ctx, client, manga, source, details)
		return err
	}
	one := reader("1.png", picture("png", ""))
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"begin: no title", begin(uuid.Nil, 0), "upload: the id of the title is empty; give that of the title the chapter belongs to"},
		{"begin: no client", second(upload.Begin(ctx, nil, title, nil)), "upload: the client is nil; make one with api.New"},
		{"begin: no group", begin(title, 1), "upload: the id of a group is empty; leave it out"},
		{"begin: groups", begin(title, 11), "upload: 11 groups; a chapter has at most 10: leave some out"},
		{"begin: approval", begin(title, 0, upload.WithApprovalCheck("")), "upload: WithApprovalCheck has no language; give it a code such as en or pt-br"},
		{"edit: no client", second(upload.Edit(ctx, nil, book, 1)), "upload: the client is nil; make one with api.New"},
		{"edit: no chapter", edit(uuid.Nil, 1), "upload: the id of the chapter is empty; give that of the chapter to edit"},
		{"edit: no version", edit(book, 0), "upload: 0 is not the version of a chapter; read the chapter and give its Version"},
		{"edit: approval", edit(book, 1, upload.WithApprovalCheck("en")), "upload: WithApprovalCheck is for new chapters; leave it out of Edit"},
		{"cover: no client", second(upload.Cover(ctx, nil, title, one, upload.CoverDetails{Locale: "ja"})), "upload: the client is nil; make one with api.New"},
		{"cover: no title", addCover(uuid.Nil, one, upload.CoverDetails{Locale: "ja"}), "upload: the id of the title is empty; give that of the title the cover belongs to"},
		{"cover: no language", addCover(title, one, upload.CoverDetails{}), "upload: the cover has no language; set Locale to a code such as ja or en"},
		{"cover: description", addCover(title, one, upload.CoverDetails{Locale: "ja", Description: strings.Repeat("é", 513)}), "upload: the description of the cover has 513 characters, and 512 are allowed; shorten it"},
		{"cover: two", addCover(title, upload.Folder(folder("1.png", "2.png")), upload.CoverDetails{Locale: "ja"}), "upload: 2 pictures for one cover; give one"},
		{"cover: bad", addCover(title, reader("1.png", "text"), upload.CoverDetails{Locale: "ja"}), `upload: page "1.png": its content is text/plain; charset=utf-8, and only JPEG, PNG and GIF are taken; convert it, or leave it out`},
		{"resume: of nothing", second(new(upload.OpenError).Resume()), "upload: this OpenError has no session to go on with; use the one that Begin or Edit returns"},
		{"replace: of nothing", second(new(upload.OpenError).Replace(ctx)), "upload: this OpenError has no session to go on with; use the one that Begin or Edit returns"},
		{"pages: of nothing", new(upload.Session).AddPages(ctx, upload.Folder(folder("1.png"))), "upload: the upload session is closed: 00000000-0000-0000-0000-000000000000; begin another one"},
		{"cover: absent", addCover(title, upload.Reader("1.png", iotest.ErrReader(errors.New("torn"))), upload.CoverDetails{Locale: "ja"}), `upload: page "1.png": it cannot be read: torn`},
	} {
		t.Run(test.name, func(t *testing.T) { wantError(t, test.err, test.want) })
	}
	if len(srv.requests) > 0 {
		t.Errorf("requests were sent: %q", srv.requests)
	}
	must(t, new(upload.Session).Close())
}

// second is the error of a call that returns something else, too.
func second[T any](_ T, err error) error { return err }

func TestBadCommit(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := &server{}
	session := mustBegin(t, ctx, srv.client(t))
	_, err := session.Commit(ctx, draft, upload.TermsAccepted)
	wantError(t, err, "upload: the session has no pages; add some, or set ExternalURL for a chapter on another site")
	must(t, session.AddPages(ctx, upload.Folder(folder("1.png"))))
	var terms upload.Terms
	_, err = session.Commit(ctx, draft, terms)
	wantError(t, err, "upload: the terms are not accepted; have the user read https://mangadex.org/compliance and pass upload.TermsAccepted")
	if !errors.Is(err, upload.ErrTermsNotAccepted) {
		t.Error("the error is not ErrTermsNotAccepted")
	}
	_, err = session.Commit(ctx, api.ChapterDraft{}, upload.TermsAccepted)
	wantError(t, err, "upload: the draft has no language; set TranslatedLanguage to a code such as en or pt-br")
	if n := srv.count(commit); n > 0 {
		t.Errorf("%d commits were sent", n)
	}
}

// TestSources takes the same pages from everything that has pages.
func TestSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := []string{"1.png", "2.jpg", "10.gif"}
	content := map[string]string{}
	var archive bytes.Buffer
	zipped := zip.NewWriter(&archive)
	for _, name := range want {
		format := strings.Replace(strings.TrimPrefix(filepath.Ext(name), "."), "jpg", "jpeg", 1)
		content[name] = picture(format, name)
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content[name]), 0o600))
		w, err := zipped.Create(name)
		must(t, err)
		_, err = io.WriteString(w, content[name])
		must(t, err)
	}
	must(t, zipped.Close())
	unzipped, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, ".hidden"), []byte("text"), 0o600))

	opened, err := os.Open(filepath.Join(dir, "10.gif"))
	must(t, err)
	defer opened.Close()
	for name, sources := range map[string][]upload.Source{
		"files":    {upload.Files(filepath.Join(dir, "1.png"), filepath.Join(dir, "2.jpg"), filepath.Join(dir, "10.gif"))},
		"folder":   {upload.Folder(os.DirFS(dir))},
		"patterns": {upload.Folder(os.DirFS(dir), "*.gif", "[12].*")},
		"zip":      {upload.Folder(unzipped)},
		"readers":  {reader("1.png", content["1.png"]), upload.Reader("2.jpg", io.LimitReader(strings.NewReader(content["2.jpg"]), 1e6)), upload.Reader("10.gif", opened)},
		"mixed":    {upload.Files(filepath.Join(dir, "1.png")), upload.Folder(unzipped, "2*"), reader("10.gif", content["10.gif"])},
	} {
		t.Run(name, func(t *testing.T) {
			srv := &server{fault: on(sendPages, func(n int) fault { return fault{status: map[int]int{1: 403}[n]} })}
			session := mustBegin(t, t.Context(), srv.client(t))
			if err := session.AddPages(t.Context(), sources...); !errors.Is(err, api.ErrForbidden) {
				t.Fatal(err)
			}
			must(t, session.AddPages(t.Context(), sources...)) // a source can be used again
			_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
			must(t, err)
			srv.published(t, want...)
			for i, name := range want {
				if srv.chapters[0].contents[i] != content[name] {
					t.Errorf("%s has other content", name)
				}
			}
		})
	}
}

// TestChangedFile has a file change between the check and the request.
func TestChangedFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(path string) error
		want   string
	}{
		"longer":  {func(path string) error { return os.Truncate(path, 1<<20) }, `upload: page "2.png": it was changed since it was checked; add it again`},
		"shorter": {func(path string) error { return os.Truncate(path, 10) }, `upload: page "2.png": it was changed since it was checked; add it again`},
		"gone":    {os.Remove, `upload: page "2.png": it cannot be opened: ERROR`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "2.png")
			must(t, os.WriteFile(path, []byte(picture("png", "")), 0o600))
			srv := &server{}
			session := mustBegin(t, t.Context(), srv.client(t), upload.WithProgress(func(upload.Progress) { must(t, test.change(path)) }))
			err := session.AddPages(t.Context(), upload.Files(path))
			if _, gone := os.Open(path); gone != nil {
				test.want = strings.Replace(test.want, "ERROR", gone.Error(), 1)
			}
			wantError(t, err, test.want)
		})
	}
}

// TestRequestSize bounds what is in memory: pages are few in a request when they are large.
func TestRequestSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var paths []string
	for _, name := range numbered(3) {
		paths = append(paths, sparse(t, dir, name, 15<<20))
	}
	srv := &server{}
	session := mustBegin(t, t.Context(), srv.client(t))
	must(t, session.AddPages(t.Context(), upload.Files(paths...)))
	if n := srv.count(sendPages); n != 2 {
		t.Errorf("%d requests, want 2 of at most 40 MiB", n)
	}
}

// TestNaturalOrder adds folders in any order of their entries.
func TestNaturalOrder(t *testing.T) {
	t.Parallel()
	for _, want := range [][]string{
		{"1.png", "2.png", "10.png"},
		{"01.png", "1.png", "2.png", "003.png", "10.png"},
		{"page1.png", "page1a.png", "page1b.png", "page2.png", "page10.png"},
		{"1.png", "1-2.png", "2.png"},
		{"c9 p9.png", "c9 p10.png", "c10 p1.png"},
		{"99999999999999999999998.png", "99999999999999999999999.png", "100000000000000000000000.png"},
		{"a.gif", "a.png", "b.gif"},
		{"0.png", "00.png", "1.png"},
	} {
		t.Run(want[0], func(t *testing.T) {
			t.Parallel()
			if got := inOrder(t, reversed(want)); !slices.Equal(got, want) {
				t.Errorf("the order is %q, want %q", got, want)
			}
		})
	}
}

// A reversed folder lists its entries in the order given, which no real one has.
type reversed []string

func (r reversed) Open(name string) (fs.File, error) { return folder(r...).Open(name) }

func (r reversed) ReadDir(string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(folder(r...), ".")
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return slices.Index(r, b.Name()) - slices.Index(r, a.Name()) })
	return entries, err
}

func inOrder(t testing.TB, fsys fs.FS) []string {
	t.Helper()
	session := mustBegin(t, t.Context(), (&server{}).client(t))
	must(t, session.AddPages(t.Context(), upload.Folder(fsys)))
	return names(session.Pages())
}

var runs = regexp.MustCompile(`[0-9]+|[^0-9]`)

// less is the natural order in other words: by the runs of the names without extension, digits as
// numbers.
func less(a, b string) bool {
	ra, rb := runs.FindAllString(strings.TrimSuffix(a, ".x"), -1), runs.FindAllString(strings.TrimSuffix(b, ".x"), -1)
	for i := range min(len(ra), len(rb)) {
		na, okA := new(big.Int).SetString(ra[i], 10)
		nb, okB := new(big.Int).SetString(rb[i], 10)
		if okA && okB {
			if c := na.Cmp(nb); c != 0 {
				return c < 0
			}
		} else if ra[i] != rb[i] {
			return ra[i] < rb[i]
		}
	}
	return len(ra) < len(rb)
}

func TestNaturalOrderOfAnyNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		given := rapid.SliceOfNDistinct(rapid.StringMatching(`[0-2a ]{1,5}`), 2, 8, rapid.ID).Draw(r, "names")
		for i := range given {
			given[i] += ".x"
		}
		got := inOrder(t, reversed(given))
		for i := range got {
			for _, later := range got[i+1:] {
				if less(later, got[i]) {
					r.Fatalf("%q stands before %q in %q", got[i], later, got)
				}
			}
		}
	})
}

func TestCover(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := &server{}
	details := upload.CoverDetails{Volume: "2", Locale: "ja", Description: "the second"}
	source := upload.Reader("cover.gif", strings.NewReader(picture("gif", "")))
	_, err := upload.Cover(ctx, srv.client(t), title, source, details)
	must(t, err)
	if len(srv.covers) != 1 {
		t.Fatalf("%d covers", len(srv.covers))
	}
	got := srv.covers[0]
	if got.name != "cover.gif" || got.content != picture("gif", "") || got.fields["volume"] != "2" || got.fields["locale"] != "ja" || got.fields["description"] != "the second" {
		t.Errorf("the cover is %+v", got)
	}

	const op = "POST /cover/{id}"
	srv.fault = on(op, func(int) fault { return fault{status: 403} })
	if _, err = upload.Cover(ctx, srv.client(t), title, source, details); !errors.Is(err, api.ErrForbidden) || !strings.HasPrefix(err.Error(), "upload: the cover cannot be added: ") {
		t.Errorf("the error is %v", err)
	}
	for name, f := range map[string]fault{"lost": {lose: true}, "500": {status: 500}} {
		srv.fault = on(op, func(int) fault { return f })
		before := srv.count(op)
		_, err = upload.Cover(ctx, srv.client(t), title, source, details)
		if !errors.Is(err, upload.ErrOutcomeUnknown) || !strings.HasSuffix(err.Error(), "; look for the cover before adding it again") {
			t.Errorf("%s: the error is %v", name, err)
		}
		if n := srv.count(op) - before; n != 1 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}
