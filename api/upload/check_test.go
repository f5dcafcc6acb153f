package upload_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	for _, test := range []struct {
		name    string
		sources []upload.Source
		pages   []string // that the error is about; nil for none
		fact    string   // that it tells
	}{
		{"nothing", nil, nil, ""},
		{"no files", []upload.Source{upload.Files()}, nil, ""},
		{"empty source", []upload.Source{{}}, nil, ""},
		{"absent file", []upload.Source{upload.Files(absent)}, []string{absent}, ""},
		{"folder as file", []upload.Source{upload.Files(dir)}, []string{dir}, "Folder"},
		{"absent folder", []upload.Source{upload.Folder(os.DirFS(absent))}, nil, ""},
		{"empty folder", []upload.Source{upload.Folder(fstest.MapFS{})}, nil, ""},
		{"no file fits", []upload.Source{upload.Folder(folder("1.png"), "*.jpg", "*.gif")}, nil, `"*.jpg" or "*.gif"`},
		{"hidden files", []upload.Source{upload.Folder(folder(".1.png"))}, nil, "hidden"},
		{"no folder", []upload.Source{upload.Folder(nil)}, nil, ""},
		{"no reader", []upload.Source{upload.Reader("1.png", nil)}, []string{"1.png"}, ""},
		{"bad pattern", []upload.Source{upload.Folder(folder("1.png"), "[")}, nil, `"["`},
		{"folder in folder", []upload.Source{upload.Folder(folder("1.png", "extra/2.png"))}, []string{"extra"}, ""},
		{"broken reader", []upload.Source{upload.Reader("1.png", iotest.ErrReader(errors.New("torn")))}, []string{"1.png"}, "torn"},
		{"no name", []upload.Source{reader("", picture("png", ""))}, nil, ""},
		{"slash", []upload.Source{reader("a/1.png", picture("png", ""))}, []string{"a/1.png"}, "slash"},
		{"quotation mark", []upload.Source{reader(`"1".png`, picture("png", ""))}, []string{`"1".png`}, "quotation mark"},
		{"line break", []upload.Source{reader("1\n.png", picture("png", ""))}, []string{"1\n.png"}, "control character"},
		{"same name", []upload.Source{reader("1.png", picture("png", "a")), reader("1.png", picture("png", "b"))}, []string{"1.png"}, ""},
		{"empty", []upload.Source{reader("1.png", "")}, []string{"1.png"}, ""},
		{"too large", []upload.Source{upload.Files(sparse(t, dir, "large.png", 20<<20+1))}, []string{"large.png"}, "20 MiB"},
		{"too large a reader", []upload.Source{upload.Reader("1.png", io.MultiReader(strings.NewReader(picture("png", "")), zeros{}))}, []string{"1.png"}, "20 MiB"},
		{"text", []upload.Source{reader("1.png", "see credits.txt")}, []string{"1.png"}, "text/plain"},
		{"webp", []upload.Source{reader("1.png", "RIFF\x00\x00\x00\x00WEBPVP")}, []string{"1.png"}, "image/webp"},
		{"cut off", []upload.Source{reader("1.png", picture("png", "")[:20])}, []string{"1.png"}, "image/png"},
		{"too wide", []upload.Source{reader("1.png", pngOf(10000, 5))}, []string{"1.png"}, "10000×5"},
		{"too high", []upload.Source{reader("1.png", pngOf(800, 130000))}, []string{"1.png"}, "800×130000"},
		{"too many", []upload.Source{upload.Folder(folder(numbered(501)...))}, nil, "501"},
		{"too much", []upload.Source{upload.Files(heavy...)}, nil, "150 MiB"},
		{"several", []upload.Source{reader("1.png", ""), upload.Files(absent), reader("2.png", "text")}, []string{"1.png", absent, "2.png"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			session := mustBegin(t, t.Context(), srv.client(t))
			good := reader("good.png", picture("png", ""))
			if len(test.sources) > 0 && test.name != "no files" {
				test.sources = append([]upload.Source{good}, test.sources...)
			}
			if strings.HasPrefix(test.name, "too m") { // 500 and not 501
				test.sources = test.sources[1:]
			}
			err := session.AddPages(t.Context(), test.sources...)
			if err == nil || !slices.Equal(allPagesOf(err), test.pages) || !strings.Contains(err.Error(), test.fact) {
				t.Errorf("the error is %v, want one of %q that tells %q", err, test.pages, test.fact)
			}
			if n := srv.count(sendPages); n > 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

// allPagesOf are the pages of all errors that are joined.
func allPagesOf(err error) (pages []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			pages = append(pages, allPagesOf(err)...)
		}
		return pages
	}
	return pagesOf(err)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := start(t)
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
		fact string // that it tells
	}{
		{"begin: no title", begin(uuid.Nil, 0), "title"},
		{"begin: no client", second(upload.Begin(ctx, nil, title, nil)), "api.New"},
		{"begin: no group", begin(title, 1), "group"},
		{"begin: groups", begin(title, 11), "11"},
		{"begin: approval", begin(title, 0, upload.WithApprovalCheck("")), "WithApprovalCheck"},
		{"begin: patience", begin(title, 0, upload.WithPatience(0)), "WithPatience"},
		{"edit: no client", second(upload.Edit(ctx, nil, book, 1)), "api.New"},
		{"edit: no chapter", edit(uuid.Nil, 1), "chapter"},
		{"edit: no version", edit(book, 0), "version"},
		{"edit: approval", edit(book, 1, upload.WithApprovalCheck("en")), "WithApprovalCheck: Edit has no use for it"},
		{"resume: approval", second(upload.Resume(ctx, client, title, nil, upload.WithApprovalCheck("en"))), "WithApprovalCheck: Resume has no use for it"},
		{"find: progress", second(upload.Find(ctx, client, upload.Record{}, upload.WithProgress(nil))), "WithProgress: Find has no use for it"},
		{"find: record", second(upload.Find(ctx, client, upload.Record{}, upload.WithRecord(nil))), "WithRecord: Find has no use for it"},
		{"find: earlier", second(upload.Find(ctx, client, upload.Record{}, upload.WithEarlier())), "WithEarlier: Find has no use for it"},
		{"find: patience", second(upload.Find(ctx, client, upload.Record{}, upload.WithPatience(0))), "WithPatience(0s): give a time above zero"},
		{"cover: no client", second(upload.Cover(ctx, nil, title, one, upload.CoverDetails{Locale: "ja"})), "api.New"},
		{"cover: no title", addCover(uuid.Nil, one, upload.CoverDetails{Locale: "ja"}), "title"},
		{"cover: no language", addCover(title, one, upload.CoverDetails{}), "Locale"},
		{"cover: description", addCover(title, one, upload.CoverDetails{Locale: "ja", Description: strings.Repeat("é", 513)}), "513"},
		{"cover: two", addCover(title, upload.Folder(folder("1.png", "2.png")), upload.CoverDetails{Locale: "ja"}), "2"},
		{"cover: bad", addCover(title, reader("1.png", "text"), upload.CoverDetails{Locale: "ja"}), "text/plain"},
		{"resume: of nothing", second(new(upload.OpenError).Resume()), "Begin or Edit"},
		{"replace: of nothing", second(new(upload.OpenError).Replace(ctx)), "Begin or Edit"},
		{"pages: of nothing", new(upload.Session).AddPages(ctx, upload.Folder(folder("1.png"))), upload.ErrSessionClosed.Error()},
		{"cover: absent", addCover(title, upload.Reader("1.png", iotest.ErrReader(errors.New("torn"))), upload.CoverDetails{Locale: "ja"}), "torn"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.fact) {
			t.Errorf("%s: the error is %v, want one that tells %q", test.name, test.err, test.fact)
		}
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
	srv := start(t)
	session := mustBegin(t, ctx, srv.client(t))
	if _, err := session.Commit(ctx, draft, upload.TermsAccepted); err == nil {
		t.Error("a chapter without pages is committed")
	}
	must(t, session.AddPages(ctx, upload.Folder(folder("1.png"))))
	var terms upload.Terms
	if _, err := session.Commit(ctx, draft, terms); !errors.Is(err, upload.ErrTermsNotAccepted) {
		t.Errorf("the error is %v", err)
	}
	if _, err := session.Commit(ctx, api.ChapterDraft{}, upload.TermsAccepted); err == nil {
		t.Error("a chapter without a language is committed")
	}
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
			srv := failing(t, sendPages, once(fault{Status: 403}))
			session := mustBegin(t, t.Context(), srv.client(t))
			if err := session.AddPages(t.Context(), sources...); !errors.Is(err, api.ErrForbidden) {
				t.Fatal(err)
			}
			must(t, session.AddPages(t.Context(), sources...)) // a source can be used again
			_, err := session.Commit(t.Context(), draft, upload.TermsAccepted)
			must(t, err)
			srv.published(t, want...)
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
	srv := start(t)
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
	session := mustBegin(t, t.Context(), start(t).client(t))
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
	srv := start(t)
	details := upload.CoverDetails{Volume: "2", Locale: "ja", Description: "the second"}
	source := upload.Reader("cover.gif", strings.NewReader(picture("gif", "")))
	added, err := upload.Cover(ctx, srv.client(t), title, source, details)
	must(t, err)
	got, err := srv.client(t).GetCover(ctx, added.ID, nil)
	must(t, err)
	if c := got.Data.Attributes; *c.Volume != "2" || *c.Locale != "ja" || *c.Description != "the second" {
		t.Errorf("the cover is %+v", c)
	}
	resp, err := (&http.Client{Transport: srv.Transport()}).Get(srv.UploadsURL + "/covers/" + title.String() + "/" + got.Data.Attributes.FileName)
	must(t, err)
	if content, err := io.ReadAll(resp.Body); err != nil || string(content) != picture("gif", "") {
		t.Errorf("the picture is %q, %v", content, err)
	}

	if _, err := upload.Cover(ctx, srv.client(t), uuid.New(), source, details); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a title that is not there: %v", err)
	}
	const op = "UploadCover"
	srv.fault = on(op, always(fault{Status: 403}))
	if _, err = upload.Cover(ctx, srv.client(t), title, source, details); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("the error is %v", err)
	}
	for name, f := range map[string]fault{"lost": {After: true, Drop: true}, "500": {Status: 500}} {
		srv.fault = on(op, always(f))
		before := srv.count(op)
		_, err = upload.Cover(ctx, srv.client(t), title, source, details)
		if !errors.Is(err, upload.ErrOutcomeUnknown) {
			t.Errorf("%s: the error is %v", name, err)
		}
		if n := srv.count(op) - before; n != 1 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}
