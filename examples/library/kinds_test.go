package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/uuid"
	xunicode "golang.org/x/text/encoding/unicode"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func sorted(ids []uuid.UUID) []uuid.UUID {
	return slices.SortedFunc(slices.Values(ids), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
}

// TestProgress brings read chapters back, without those that are gone, and leaves them alone then.
func TestProgress(t *testing.T) {
	t.Parallel()
	p := newLibrary(t)
	manga, err := p.Server.State().AddManga(apitest.Manga{Title: "Kettles"})
	if err != nil {
		t.Fatal(err)
	}
	want := libraryOf(t, p)
	want.Manga = append(want.Manga, manga)
	for i := range 450 { // more than a request takes
		id, err := p.Server.State().AddChapter(apitest.Chapter{Manga: manga, Number: fmt.Sprint(i), Pages: 1})
		if err != nil {
			t.Fatal(err)
		}
		want.Read = append(want.Read, id)
	}
	setLibrary(t, p, want)
	p.Succeeds(p.Run("-o", "mine.json", "export"))

	kept := apitest.Library{Read: slices.Clone(want.Read[:1])}
	setLibrary(t, p, kept)
	last := want.Read[len(want.Read)-1]
	if err := p.Server.State().DeleteChapter(last); err != nil {
		t.Fatal(err)
	}
	want.Read = want.Read[:len(want.Read)-1]
	dry := p.Succeeds(p.Run("-dry-run", "import", "mine.json"))
	if len(p.Requests("SetMangaReadMarkers")) != 0 {
		t.Error("a dry run has marked chapters")
	}
	r := p.Succeeds(p.Run("import", "mine.json"))
	if r.Stdout != dry.Stdout || !strings.Contains(r.Stdout, "449 chapters read") {
		t.Errorf("the import said %s, the dry run %s", r.Stdout, dry.Stdout)
	}
	if !strings.Contains(r.Stderr, "1 read chapters are not on MangaDex any more") {
		t.Errorf("stderr: %s", r.Stderr)
	}
	if got := libraryOf(t, p); !slices.Equal(sorted(got.Read), sorted(want.Read)) {
		t.Errorf("%d chapters are read now, want %d", len(got.Read), len(want.Read))
	}
	before := len(p.Requests("SetMangaReadMarkers"))
	if again := p.Succeeds(p.Run("import", "mine.json")); again.Stdout != "" || len(p.Requests("SetMangaReadMarkers")) != before {
		t.Errorf("the second import: %s", again.Stdout)
	}
}

// TestGoesOn does what can be done when something fails for some titles, and the rest the next time.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	p := newLibrary(t)
	want := libraryOf(t, p)
	p.Succeeds(p.Run("-o", "mine.json", "export"))
	setLibrary(t, p, apitest.Library{})
	p.Server.Fail(
		apitest.Fault{Operation: "FollowManga", Status: http.StatusForbidden, Skip: 2, Count: 1},
		apitest.Fault{Operation: "SetRating", Status: http.StatusBadRequest, Skip: 1, Count: 2},
		apitest.Fault{Operation: "SetMangaReadMarkers", Status: http.StatusBadRequest, Count: 1},
	)
	r := p.Run("import", "mine.json")
	p.Fails(r, "library", 1, "of 30 titles failed, and the others are done", "the same command goes on")
	got := libraryOf(t, p)
	if len(got.Manga) != len(want.Manga)-1 || len(got.Ratings) != len(want.Ratings)-2 || len(got.Statuses) != len(want.Statuses) {
		t.Errorf("after failures there are %d titles, %d ratings and %d statuses", len(got.Manga), len(got.Ratings), len(got.Statuses))
	}
	p.Succeeds(p.Run("import", "mine.json"))
	if got := libraryOf(t, p); !same(got, want) || !slices.Equal(sorted(got.Read), sorted(want.Read)) {
		t.Errorf("the library is %v, want %v", got, want)
	}
}

// TestGivesUp does not try a thousand titles on a server that refuses each.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	p := newLibrary(t)
	p.Succeeds(p.Run("-o", "mine.json", "export"))
	setLibrary(t, p, apitest.Library{})
	p.Server.Fail(
		apitest.Fault{Operation: "FollowManga", Status: http.StatusForbidden, Count: apitest.Always},
		apitest.Fault{Operation: "SetReadingStatus", Status: http.StatusForbidden, Count: apitest.Always},
		apitest.Fault{Operation: "SetRating", Status: http.StatusForbidden, Count: apitest.Always},
	)
	p.Fails(p.Run("import", "mine.json"), "library", 1, "403")
	if n := changes(p); n > 3*5 {
		t.Errorf("%d attempts", n)
	}
}

// TestRatedOnly repeats an import of a title that is rated and nothing else.
func TestRatedOnly(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	id := p.Server.State().Manga()[0].ID
	p.Write("mine.json", fmt.Sprintf(`[{"id": %q, "title": "A", "rating": 7}]`, id))
	for range 3 {
		p.Succeeds(p.Run("import", "mine.json"))
	}
	if n := changes(p); n != 1 {
		t.Errorf("%d changes, want 1", n)
	}
}

// TestStatusesOnly says where the titles are of an account that follows none.
func TestStatusesOnly(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	l := apitest.Library{Statuses: map[uuid.UUID]string{}}
	for _, manga := range p.Server.State().Manga()[:7] {
		l.Statuses[manga.ID] = "reading"
	}
	setLibrary(t, p, l)
	if r := p.Succeeds(p.Run()); !strings.Contains(r.Stderr, "follows no titles, but 7 have a reading status; export them with -unfollowed") {
		t.Errorf("stderr: %s", r.Stderr)
	}
	if r := p.Succeeds(p.Run("-unfollowed")); strings.Count(r.Stdout, "reading") != 7 || r.Stderr != "" {
		t.Errorf("stdout %s, stderr %s", r.Stdout, r.Stderr)
	}
}

// TestPromise counts the requests of an import that has nothing to do, and of an export of titles
// that are not followed.
func TestPromise(t *testing.T) {
	t.Parallel()
	p := newLibrary(t, apitest.WithTitles(1000))
	p.Succeeds(p.Run("-o", "mine.json", "export"))
	before := len(p.Server.Requests())
	p.Succeeds(p.Run("import", "mine.json"))
	if n := len(p.Server.Requests()) - before; n > 35 {
		t.Errorf("an import that changes nothing takes %d requests", n)
	}
	l := apitest.Library{Statuses: map[uuid.UUID]string{}}
	for _, manga := range p.Server.State().Manga()[:1000] {
		l.Statuses[manga.ID] = "completed"
	}
	setLibrary(t, p, l)
	before = len(p.Server.Requests())
	p.Succeeds(p.Run("-unfollowed", "-o", "others.json", "export"))
	if n := len(p.Server.Requests()) - before; n > 35 {
		t.Errorf("an export of titles that are not followed takes %d requests", n)
	}
}

// TestSpreadsheet imports a table as programs save it that show tables.
func TestSpreadsheet(t *testing.T) {
	t.Parallel()
	p := newLibrary(t)
	want := libraryOf(t, p)
	p.Succeeds(p.Run("-o", "mine.csv", "export"))
	p.Succeeds(p.Run("-o", "mine.json", "export"))
	read := func(name string) string {
		content, err := os.ReadFile(p.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	table := read("mine.csv")
	if !strings.HasPrefix(table, "\ufeff") {
		t.Error("a spreadsheet does not see that it is UTF-8")
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(table, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var semicolons strings.Builder
	w := csv.NewWriter(&semicolons)
	w.Comma, w.UseCRLF = ';', true
	for i, row := range rows {
		if i > 0 {
			row[2] = strings.ToUpper(row[2]) // TRUE
			row[6] = strings.ReplaceAll(row[6], ".", ",")
		}
		w.Write(row)
	}
	w.Flush()
	wide := func(text string) string {
		out, err := xunicode.UTF16(xunicode.LittleEndian, xunicode.UseBOM).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, content := range map[string]string{
		"semicolons.csv": semicolons.String(),
		"commas.csv":     strings.ReplaceAll(table, "\n", ",,,\n") + ",,,,,,,,,,\n",
		"wide.csv":       wide(strings.TrimPrefix(table, "\ufeff")),
		"wide.json":      wide(read("mine.json")), // as a shell of Windows redirects it
		"mark.json":      "\ufeff" + read("mine.json"),
	} {
		p.Write(name, content)
		setLibrary(t, p, apitest.Library{})
		p.Succeeds(p.Run("import", name))
		if got := libraryOf(t, p); !same(got, want) {
			t.Errorf("%s: the library is %v", name, got)
		}
	}
}

// TestHostile shows titles as people write them who mean harm.
func TestHostile(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	var l apitest.Library
	for _, title := range []string{"=HYPERLINK(\"http://example.org\")", "\x1b[2JKettles\x07", "Pots\nlibrary: all is well", "\u202esdiL", "@SUM(1)", "a;=1", strings.Repeat("ab ", 80)} {
		id, err := p.Server.State().AddManga(apitest.Manga{Title: title})
		if err != nil {
			t.Fatal(err)
		}
		l.Manga = append(l.Manga, id)
	}
	setLibrary(t, p, l)
	check := func(what, text string, lines int) {
		t.Helper()
		if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp) }) {
			t.Errorf("%s: %q", what, text)
		}
		if n := strings.Count(text, "\n"); lines > 0 && n != lines {
			t.Errorf("%s has %d lines, want %d: %q", what, n, lines, text)
		}
	}
	check("the table", p.Succeeds(p.Run()).Stdout, len(l.Manga)+1)
	check("JSON", p.Succeeds(p.Run("-format", "json")).Stdout, 0)
	table := p.Succeeds(p.Run("-format", "csv")).Stdout
	check("CSV", table, len(l.Manga)+1)
	for line := range strings.Lines(table) {
		for _, cell := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' }) {
			if cell = strings.TrimLeft(cell, `" `); strings.IndexAny(cell, "=+-@") == 0 {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
	p.Succeeds(p.Run("-o", "mine.json", "export"))
	setLibrary(t, p, apitest.Library{})
	check("the import", p.Succeeds(p.Run("import", "mine.json")).Stdout, len(l.Manga))
}
