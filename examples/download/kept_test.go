package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// names are the chapters in the folder of the only title, without ids.
func (s shelf) names() []string {
	s.test.Helper()
	entries, err := filepath.Glob(s.Path("out", "*", "*"))
	if err != nil {
		s.test.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		name, _, _ := strings.Cut(filepath.Base(entry), " [")
		if name != indexName {
			names = append(names, name)
		}
	}
	return names
}

// edit changes a chapter of the shelf.
func (s shelf) edit(name string, f func(*apitest.Chapter)) {
	s.test.Helper()
	if err := s.Server.State().EditChapter(s.chapters[name], f); err != nil {
		s.test.Fatal(err)
	}
}

// TestKept changes MangaDex between two runs, as it changes over the years. Each case says what is in the
// folder afterwards, and how many pages the second run fetched. Folders and archives take turns; with
// DOWNLOAD_TEST_RUNS each case has both.
func TestKept(t *testing.T) {
	t.Parallel()
	first := []string{"c0001 v01", "c0002 v01", "c0003 v02", "c0010.5", "oneshot"}
	add := func(s shelf, c apitest.Chapter) uuid.UUID {
		c.Manga = s.manga
		id, err := s.Server.State().AddChapter(c)
		if err != nil {
			s.test.Error(err)
		}
		return id
	}
	tests := map[string]struct {
		before  []string               // arguments of the first run
		change  func(s shelf) []string // arguments of the second run
		names   []string
		fetched int
		status  int
		stderr  string
	}{
		"nothing":         {change: func(shelf) []string { return nil }, names: first, stderr: "chapters saved: 0, there before: 5"},
		"a volume is set": {change: func(s shelf) []string { s.edit("10.5", func(c *apitest.Chapter) { c.Volume = "3" }); return nil }, names: []string{"c0001 v01", "c0002 v01", "c0003 v02", "c0010.5 v03", "oneshot"}, stderr: "renamed: 1"},
		"a volume goes": {change: func(s shelf) []string {
			s.edit("3", func(c *apitest.Chapter) { c.Volume = "" })
			s.edit("3 elsewhere", func(c *apitest.Chapter) { c.Volume = "" })
			return nil
		}, names: []string{"c0001 v01", "c0002 v01", "c0003", "c0010.5", "oneshot"}},
		"a number changes": {change: func(s shelf) []string { s.edit("10.5", func(c *apitest.Chapter) { c.Number = "11" }); return nil }, names: []string{"c0001 v01", "c0002 v01", "c0003 v02", "c0011", "oneshot"}},
		"a title comes":    {change: func(s shelf) []string { s.edit("1", func(c *apitest.Chapter) { c.Title = "It: boils" }); return nil }, names: []string{"c0001 v01 It_ boils", "c0002 v01", "c0003 v02", "c0010.5", "oneshot"}},
		"the title is renamed": {change: func(s shelf) []string {
			if err := s.Server.State().EditManga(s.manga, func(m *apitest.Manga) { m.Title = "The Lamp" }); err != nil {
				s.test.Error(err)
			}
			return nil
		}, names: first, stderr: "the folder is " + filepath.Join("out", "The Lamp [")},
		"another group's version": {change: func(s shelf) []string {
			add(s, apitest.Chapter{Number: "1", Volume: "1", Pages: 3, Groups: []uuid.UUID{s.group.ID}})
			return nil
		}, names: first},
		"another group's version is preferred": {change: func(s shelf) []string {
			add(s, apitest.Chapter{Number: "1", Volume: "1", Pages: 3, Groups: []uuid.UUID{s.group.ID}})
			return []string{"-group", s.group.Attributes.Name}
		}, names: first, fetched: 3 + 3},
		"the group is avoided": {before: []string{"-group", "GROUP"}, change: func(s shelf) []string { return []string{"-not-group", s.group.ID.String()} }, names: first, fetched: 5},
		"all versions":         {change: func(s shelf) []string { return []string{"-versions"} }, names: []string{"c0001 v01", "c0002 v01", "c0002 v01", "c0003 v02", "c0010.5", "oneshot"}, fetched: 3},
		"all versions before":  {before: []string{"-versions"}, change: func(s shelf) []string { return nil }, names: []string{"c0001 v01", "c0002 v01", "c0002 v01", "c0003 v02", "c0010.5", "oneshot"}},
		"better quality":       {before: []string{"-data-saver"}, change: func(s shelf) []string { return nil }, names: first, fetched: 14, stderr: "mended: 5"},
		"lower quality":        {change: func(s shelf) []string { return []string{"-data-saver"} }, names: first},
		"a page is replaced": {change: func(s shelf) []string {
			if err := s.Server.State().ReplacePage(s.chapters["1"], 2); err != nil {
				s.test.Error(err)
			}
			return nil
		}, names: first, fetched: 1, stderr: "mended: 1"},
		"a chapter is deleted": {change: func(s shelf) []string {
			if err := s.Server.State().DeleteChapter(s.chapters["1"]); err != nil {
				s.test.Error(err)
			}
			return nil
		}, names: first, stderr: "MangaDex does not have it any more; it stays here, and -prune removes it"},
		"a chapter is deleted and pruned": {change: func(s shelf) []string {
			if err := s.Server.State().DeleteChapter(s.chapters["1"]); err != nil {
				s.test.Error(err)
			}
			return []string{"-prune"}
		}, names: first[1:], stderr: "pruned: 1"},
		"a chapter is taken down": {change: func(s shelf) []string { s.edit("1", func(c *apitest.Chapter) { c.Unavailable = true }); return nil }, names: first, stderr: "gone: "},
		"a version is taken down": {change: func(s shelf) []string { s.edit("2 new", func(c *apitest.Chapter) { c.Unavailable = true }); return nil },
			names: []string{"c0001 v01", "c0002 v01", "c0002 v01", "c0003 v02", "c0010.5", "oneshot"}, fetched: 3, stderr: "MangaDex does not have it any more"},
		"an anthology comes": {change: func(s shelf) []string {
			for _, title := range []string{"A", "B", "C"} {
				add(s, apitest.Chapter{Number: "20", Volume: "4", Title: title, Pages: 1, Groups: []uuid.UUID{s.group.ID}})
			}
			return nil
		}, names: []string{"c0001 v01", "c0002 v01", "c0003 v02", "c0010.5", "c0020 v04 A", "c0020 v04 B", "c0020 v04 C", "oneshot"}, fetched: 3},
		"one at-home call fails": {change: func(s shelf) []string {
			for range 6 {
				add(s, apitest.Chapter{Number: "30", Volume: "4", Pages: 1})
				break
			}
			add(s, apitest.Chapter{Number: "31", Volume: "4", Pages: 1})
			s.Server.Fail(apitest.Fault{Operation: "GetAtHomeServer", Status: http.StatusBadRequest})
			return []string{"-jobs", "1"}
		}, names: []string{"c0001 v01", "c0002 v01", "c0003 v02", "c0010.5", "c0031 v04", "oneshot"}, fetched: 1, status: 1, stderr: "1 of 8 chapters are not complete: c0030 v04"},
		"numbers are swapped": {change: func(s shelf) []string {
			s.edit("1", func(c *apitest.Chapter) { c.Number = "3" })
			s.edit("3", func(c *apitest.Chapter) { c.Number = "1" })
			s.edit("3 elsewhere", func(c *apitest.Chapter) { c.Number = "1" })
			return nil
		}, names: []string{"c0001 v02", "c0002 v01", "c0003 v01", "c0010.5", "oneshot"}, stderr: "renamed: 2"},
		"a chapter goes to another site": {change: func(s shelf) []string {
			s.edit("1", func(c *apitest.Chapter) { c.Pages, c.ExternalURL = 0, "https://reader.example/1" })
			return nil
		}, names: first, stderr: "it is on another site; read it at https://reader.example/1"},
		"a version on another site comes": {change: func(s shelf) []string {
			add(s, apitest.Chapter{Number: "1", Volume: "1", ExternalURL: "https://reader.example/1"})
			return nil
		}, names: first, stderr: "there before: 5"},
		"a volume is set for one version": {change: func(s shelf) []string {
			add(s, apitest.Chapter{Number: "10.5", Volume: "3", Pages: 2, Groups: []uuid.UUID{s.group.ID}})
			return nil
		}, names: []string{"c0001 v01", "c0002 v01", "c0003 v02", "c0010.5 v03", "oneshot"}, stderr: "renamed: 1"},
		"numbers begin anew": {change: func(s shelf) []string {
			for _, number := range []string{"1", "2", "3"} {
				add(s, apitest.Chapter{Number: number, Volume: "11", Pages: 1, Groups: []uuid.UUID{s.group.ID}})
			}
			return nil
		}, names: []string{"v01 c0001", "v01 c0002", "v02 c0003", "v11 c0001", "v11 c0002", "v11 c0003", "vnone c0010.5", "vnone oneshot"}, fetched: 3, stderr: "renamed: 5"},
		"a special without a volume comes": {change: func(s shelf) []string {
			add(s, apitest.Chapter{Number: "1", Title: "Special", Pages: 1, Groups: []uuid.UUID{s.group.ID}})
			return nil
		}, names: first},
		"the index is gone": {change: func(s shelf) []string {
			for _, path := range s.glob(indexName) {
				os.Remove(path)
			}
			return nil
		}, names: first},
		"the index is damaged": {change: func(s shelf) []string {
			for _, path := range s.glob(indexName) {
				os.WriteFile(path, []byte("{"), 0o666)
			}
			return nil
		}, names: first, stderr: "is damaged; what is in the folder is checked anew"},
		"a chapter is removed by hand": {change: func(s shelf) []string {
			for _, path := range s.glob("c0001*") {
				os.RemoveAll(path)
			}
			return nil
		}, names: first, fetched: 4},
		"a chapter is renamed by hand": {change: func(s shelf) []string {
			for _, path := range s.glob("c0001*") {
				os.Rename(path, filepath.Join(filepath.Dir(path), "my name"+path[strings.LastIndex(path, " ["):]))
			}
			return nil
		}, names: first},
		"the folder is renamed by hand": {change: func(s shelf) []string {
			if err := os.Rename(filepath.Dir(s.glob(indexName)[0]), s.Path("out", "mine")); err != nil {
				s.test.Error(err)
			}
			return nil
		}, names: first},
	}
	for i, name := range slices.Sorted(maps.Keys(tests)) {
		test := tests[name]
		formats := []string{"-cbz", "-cbz=false"}
		if os.Getenv(yearRuns) == "" {
			formats = formats[i%2 : i%2+1]
		}
		for _, format := range formats {
			t.Run(name+" "+format, func(t *testing.T) {
				t.Parallel()
				s := newShelf(t, exampletest.New(t))
				args := []string{format, "-o", "out"}
				before := slices.Clone(test.before)
				for i := range before {
					before[i] = strings.ReplaceAll(before[i], "GROUP", s.group.ID.String())
				}
				s.Succeeds(s.Run(slices.Concat(args, before, []string{s.manga.String()})...))
				asked := len(pagesOf(s))
				r := s.Run(slices.Concat(args, test.change(s), []string{s.manga.String()})...)
				if r.Status != test.status || !strings.Contains(r.Stderr, test.stderr) {
					t.Errorf("status %d; stderr: %s", r.Status, r.Stderr)
				}
				if got := s.names(); !slices.Equal(got, test.names) {
					t.Errorf("there is %q, want %q", got, test.names)
				}
				if got := len(pagesOf(s)) - asked; got != test.fetched {
					t.Errorf("%d pages were fetched, want %d", got, test.fetched)
				}
				if others := s.glob("."); len(others) != 1 {
					t.Errorf("folders: %q", others)
				}
				again := s.Run(slices.Concat(args, []string{s.manga.String()})...)
				if got := len(pagesOf(s)) - asked; got != test.fetched+map[bool]int{true: 1}[test.status == 1] {
					t.Errorf("a third run fetched pages again: %s", again.Stderr)
				}
			})
		}
	}
}

// pagesOf are the requests for pages that were answered with one.
func pagesOf(s shelf) []apitest.Request {
	return slices.DeleteFunc(s.Requests("Page"), func(r apitest.Request) bool { return r.Status != http.StatusOK })
}

func (s shelf) glob(pattern string) []string {
	paths, err := filepath.Glob(s.Path("out", "*", pattern))
	if err != nil {
		s.test.Fatal(err)
	}
	return paths
}

// TestFormats changes between folders and archives. No page is fetched again.
func TestFormats(t *testing.T) {
	t.Parallel()
	s := newShelf(t, exampletest.New(t))
	want := map[string]map[string]string{}
	for i, format := range []string{"-cbz=false", "-cbz", "-cbz=false", "-cbz"} {
		s.Succeeds(s.Run(format, "-o", "out", s.manga.String()))
		if got := len(pagesOf(s)); got != 14 {
			t.Fatalf("%s: %d pages were fetched", format, got)
		}
		got := tree(t, s.Path("out"))
		if before := want[format]; i > 1 && !maps.Equal(got, before) {
			t.Errorf("%s: there is %q, want %q", format, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(before)))
		}
		want[format] = got
	}
}

// TestTwoAtOnce runs the program twice at the same time. Each page is fetched once.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"-cbz=false", "-cbz"} {
		s := newShelf(t, exampletest.New(t))
		s.Server.Fail(apitest.Fault{Operation: "Page", Delay: 20 * time.Millisecond, Count: apitest.Always})
		args := []string{format, "-o", "out", s.manga.String()}
		one, two := s.Start(args...), s.Start(args...)
		a, b := s.Succeeds(one.Wait()), s.Succeeds(two.Wait())
		if got := len(pagesOf(s)); got != 14 {
			t.Errorf("%d pages were fetched", got)
		}
		if !strings.Contains(a.Stderr+b.Stderr, "another program works on this title") {
			t.Logf("they did not meet: %s%s", a.Stderr, b.Stderr)
		}
		if names := s.names(); len(names) != 5 {
			t.Errorf("there is %q", names)
		}
		if locks, _ := filepath.Glob(s.Path("out", ".*.lock")); len(locks) > 0 {
			t.Errorf("left over: %q", locks)
		}
	}
}

// TestJSON reads what programs get.
func TestJSON(t *testing.T) {
	t.Parallel()
	s := newShelf(t, exampletest.New(t))
	read := func(r exampletest.Result) map[uuid.UUID]result {
		all := map[uuid.UUID]result{}
		for line := range strings.Lines(r.Stdout) {
			var one result
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			all[one.ID] = one
		}
		return all
	}
	listed := read(s.Succeeds(s.Run("-list", "-json", s.manga.String())))
	if one := listed[s.chapters["2 new"]]; len(listed) != 6 || one.State != stateListed || len(one.Versions) != 1 || one.Versions[0].ID != s.chapters["2 old"] || one.Versions[0].Behind == "" {
		t.Errorf("listed: %+v", listed)
	}
	saved := read(s.Succeeds(s.Run("-json", "-cbz", "-o", "out", s.manga.String())))
	if one := saved[s.chapters["1"]]; one.State != stateSaved || one.Number != "1" || one.Volume != "1" || wholeCBZ(t, s.Path(one.Path)) != 4 {
		t.Errorf("saved: %+v", one)
	}
	if one := saved[s.chapters["4 elsewhere"]]; one.State != stateElsewhere || !strings.Contains(one.Why, "https://reader.example/4") || one.Path != "" {
		t.Errorf("elsewhere: %+v", one)
	}
	if err := s.Server.State().DeleteChapter(s.chapters["1"]); err != nil {
		t.Fatal(err)
	}
	again := read(s.Succeeds(s.Run("-json", "-cbz", "-o", "out", s.manga.String())))
	if again[s.chapters["1"]].State != stateGone || again[s.chapters["3"]].State != stateThere {
		t.Errorf("again: %+v", again)
	}
}

// TestExtras saves covers and what is known of the title.
func TestExtras(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	manga := p.Server.State().Manga()[0]
	args := []string{"-o", "out", "-latest", "1", "-covers", "-series", manga.ID.String()}
	p.Succeeds(p.Run(args...))
	covers, _ := filepath.Glob(p.Path("out", "*", "covers", "cover*"))
	if len(covers) == 0 {
		t.Error("there are no covers")
	}
	for _, cover := range covers {
		if ext := filepath.Ext(cover); ext != ".png" && ext != ".jpg" {
			t.Errorf("the name of %s does not say what it is", cover)
		}
	}
	content, err := filepath.Glob(p.Path("out", "*", "series.json"))
	if err != nil || len(content) != 1 {
		t.Fatal("there is no series.json")
	}
	text, _ := os.ReadFile(content[0])
	var s series
	if err := json.Unmarshal(text, &s); err != nil || s.Metadata.Name == "" || s.Metadata.ComicID != manga.ID.String() || s.Metadata.Type != "comicSeries" || s.Metadata.ComicImage == "" {
		t.Errorf("series.json: %v %s", err, text)
	}
	asked := len(p.Requests("Cover"))
	p.Succeeds(p.Run(args...))
	if got := len(p.Requests("Cover")); got != asked {
		t.Errorf("%d covers were fetched again", got-asked)
	}
}

// TestTakenDown has a title of which nothing can be read any more.
func TestTakenDown(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	id, err := p.Server.State().AddManga(apitest.Manga{Title: "Gone With The Steam"})
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{"1", "2"} {
		if _, err := p.Server.State().AddChapter(apitest.Chapter{Manga: id, Number: number, Pages: 2, Unavailable: true}); err != nil {
			t.Fatal(err)
		}
	}
	r := p.Run("-o", "out", id.String())
	p.Fails(r, "download", 1, "none of these chapters can be read on MangaDex")
	if !strings.Contains(r.Stderr, "c0001: it was taken down") {
		t.Errorf("stderr: %s", r.Stderr)
	}
	if r := p.Succeeds(p.Run("-list", id.String())); !strings.Contains(r.Stdout, "taken down") {
		t.Errorf("the list: %s", r.Stdout)
	}
}

// TestRatings searches for a title that is found only with its rating.
func TestRatings(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	id, err := p.Server.State().AddManga(apitest.Manga{Title: "Quite Unsuitable", ContentRating: string(api.ContentRatingPornographic)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Server.State().AddChapter(apitest.Chapter{Manga: id, Number: "1", Pages: 1}); err != nil {
		t.Fatal(err)
	}
	p.Fails(p.Run("-list", "quite unsuitable"), "download", 1, "no title matches", "-rating all")
	for _, rating := range []string{"all", "safe, pornographic"} {
		if r := p.Succeeds(p.Run("-list", "-rating", rating, "quite unsuitable")); !strings.Contains(r.Stdout, "c0001") {
			t.Errorf("%s: %s", rating, r.Stdout)
		}
	}
	p.Fails(p.Run("-rating", "adult", "x"), "download", 2, `"adult" is not a content rating`)
}

// TestHostileText has a title and a chapter whose texts are meant for the terminal and the disk.
func TestHostileText(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	const hostile = "\x1b]0;x\x07\x1b[2J../../evil\u202egpj.\r\nCON"
	id, err := p.Server.State().AddManga(apitest.Manga{Title: hostile})
	if err != nil {
		t.Fatal(err)
	}
	group, err := p.Server.State().AddGroup(apitest.Group{Name: hostile})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []apitest.Chapter{
		{Number: "1", Title: hostile, Pages: 1, Groups: []uuid.UUID{group}}, {Number: "2", Title: strings.Repeat("あ", 250), Pages: 1},
		{Number: "3", Title: hostile, ExternalURL: "https://reader.example/\u202e\x1b[31m"},
	} {
		c.Manga = id
		if _, err := p.Server.State().AddChapter(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"-list"}, {"-list", "-json"}, {"-o", "out"}, {"-o", "out"}, {"-o", "out", "-cbz"}} {
		r := p.Succeeds(p.Run(append(args, id.String())...))
		for _, c := range r.Stdout + r.Stderr {
			if c < ' ' && c != '\n' || c == 0x7f || '\u0080' <= c && c <= '\u009f' || c == '\u202e' {
				t.Errorf("%q: %q", args, r.Stdout+r.Stderr)
				break
			}
		}
	}
	if names := tree(t, p.Path("out")); len(names) != 2 {
		t.Errorf("there is %q", slices.Sorted(maps.Keys(names)))
	}
	if entries, _ := os.ReadDir(p.Path(".")); slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.Contains(e.Name(), "evil") }) {
		t.Errorf("a file left its folder: %v", entries)
	}
}
