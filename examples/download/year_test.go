package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// yearRuns in the environment is how many runs TestYear makes.
const yearRuns = "DOWNLOAD_TEST_RUNS"

// A year is a folder that is kept while MangaDex changes.
type year struct {
	*exampletest.Program
	t        *testing.T
	random   *rand.Rand
	client   *api.Client
	manga    uuid.UUID
	groups   []uuid.UUID
	chapters []uuid.UUID // that are there, and can be read here
	days     int
	extra    int // pages that may be fetched again, because a run was killed before they were kept
}

// TestYear keeps a folder for a year in which titles are renamed, volumes set, numbers corrected, pages
// replaced, versions added, chapters taken down and deleted, runs killed, and nodes and servers fail. After a
// last run without trouble every chapter that can be read is there once, right, under today's name, and no
// page that had been kept was fetched again.
func TestYear(t *testing.T) {
	t.Parallel()
	runs, seed := 8, uint64(1)
	if text := os.Getenv(yearRuns); text != "" {
		var err error
		if runs, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		seed = uint64(time.Now().UnixNano())
	}
	for _, format := range []string{"-cbz=false", "-cbz"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			t.Logf("the seed is %d", seed)
			y := newYear(t, seed)
			args := []string{format, "-o", "out", "-jobs", "1", y.manga.String()}
			for range runs {
				for range 1 + y.random.IntN(4) {
					y.happen()
				}
				y.disturbedRun(args)
				y.Server.Heal()
			}
			r := y.Run(args...)
			if strings.Contains(r.Stderr, "not complete") {
				t.Errorf("after the last run: %s", r.Stderr)
			}
			y.check(r)
		})
	}
}

func newYear(t *testing.T, seed uint64) *year {
	p := exampletest.New(t)
	y := &year{Program: p, t: t, random: rand.New(rand.NewPCG(seed, 1)), days: 1000}
	var err error
	if y.client, err = api.New(p.Server.URL, api.WithoutRateLimit()); err != nil {
		t.Fatal(err)
	}
	if y.manga, err = p.Server.State().AddManga(apitest.Manga{Title: "A year"}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		group, err := p.Server.State().AddGroup(apitest.Group{Name: fmt.Sprint("Year ", i)})
		if err != nil {
			t.Fatal(err)
		}
		y.groups = append(y.groups, group)
	}
	for i := range 4 {
		y.add(apitest.Chapter{Number: strconv.Itoa(i + 1)})
	}
	return y
}

// add adds a chapter, on a day of its own.
func (y *year) add(c apitest.Chapter) {
	y.days--
	c.Manga, c.PublishAt = y.manga, time.Now().Add(-time.Duration(y.days)*24*time.Hour)
	if c.ExternalURL == "" {
		c.Pages = 1 + y.random.IntN(3)
	}
	if c.Groups == nil {
		c.Groups = []uuid.UUID{y.groups[0]}
	}
	id, err := y.Server.State().AddChapter(c)
	if err != nil {
		y.t.Fatal(err)
	}
	if c.ExternalURL == "" {
		y.chapters = append(y.chapters, id)
	}
}

// happen changes something on MangaDex.
func (y *year) happen() {
	state := y.Server.State()
	must := func(err error) {
		if err != nil {
			y.t.Fatal(err)
		}
	}
	i := y.random.IntN(len(y.chapters))
	id := y.chapters[i]
	number := strconv.Itoa(1 + y.random.IntN(20))
	edit := func(f func(*apitest.Chapter)) { must(state.EditChapter(id, f)) }
	forget := func() { y.chapters = slices.Delete(y.chapters, i, i+1) }
	switch y.random.IntN(12) {
	case 0:
		must(state.EditManga(y.manga, func(m *apitest.Manga) { m.Title = "A year: " + number + "?" }))
	case 1, 2:
		edit(func(c *apitest.Chapter) { c.Volume = strconv.Itoa(1 + y.random.IntN(3)) })
	case 3:
		edit(func(c *apitest.Chapter) { c.Number = number + ".5" })
	case 4:
		edit(func(c *apitest.Chapter) { c.Title = "Story " + number })
	case 5:
		must(state.ReplacePage(id, 1))
	case 6, 7:
		y.add(apitest.Chapter{Number: number, Title: "Chapter " + number})
	case 8:
		y.add(apitest.Chapter{Number: number, Groups: []uuid.UUID{y.groups[1+y.random.IntN(2)]}})
	case 9:
		y.add(apitest.Chapter{Number: number, ExternalURL: "https://publisher.example/" + number})
	case 10:
		if len(y.chapters) > 4 {
			must(state.DeleteChapter(id))
			forget()
		}
	case 11:
		if len(y.chapters) > 4 {
			edit(func(c *apitest.Chapter) { c.Unavailable = true })
			forget()
		}
	}
}

// disturbedRun runs the program, mostly with some trouble.
func (y *year) disturbedRun(args []string) {
	before := len(y.Server.Requests())
	switch y.random.IntN(5) {
	case 0:
		y.Server.Fail(apitest.Fault{Operation: "Page", Status: http.StatusServiceUnavailable, Skip: y.random.IntN(4), Count: 1 + y.random.IntN(12)})
	case 1:
		y.Server.Fail(apitest.Fault{Operation: "GetAtHomeServer", Status: []int{400, 403, 404}[y.random.IntN(3)], Skip: y.random.IntN(2), Count: 1})
	case 2:
		y.Server.Fail(apitest.Fault{Operation: "Page", Delay: 30 * time.Millisecond, Count: apitest.Always})
		stop := before + 1 + y.random.IntN(12)
		y.Start(args...).Kill(func() bool { return len(y.Server.Requests()) > stop })
		y.extra += 8 // as many as are fetched or checked at a time
		return
	}
	y.Run(args...)
}

// check compares the folder with MangaDex.
func (y *year) check(last exampletest.Result) {
	t := y.t
	manga, err := y.client.GetManga(context.Background(), y.manga, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []api.Chapter
	for chapter, err := range y.client.GetMangaFeedAll(context.Background(), y.manga, &api.GetMangaFeedParams{
		ContentRating: reading.AllRatings(), IncludeUnavailable: api.Ptr(api.Yes), Includes: []api.Include{api.IncludeScanlationGroup},
	}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, chapter)
	}
	dir := y.Path("out", reading.TitleFileName(&manga.Data))
	if others, _ := filepath.Glob(y.Path("out", "*")); len(others) != 1 || others[0] != dir {
		t.Errorf("there is %q, want %q", others, dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, entry := range entries {
		there[strings.TrimSuffix(entry.Name(), ".cbz")] = true
	}
	delete(there, indexName)
	l := reading.NewList(all)
	for _, e := range l.Entries {
		found, readable := 0, 0
		for _, v := range e.Versions {
			name := l.FileName(v.ID)
			if reading.PlaceOf(&v.Chapter) != reading.Here {
				delete(there, name) // it stays if it was there
				continue
			}
			readable++
			if !there[name] {
				continue
			}
			delete(there, name)
			found++
			chapter, err := athome.Open(context.Background(), y.client, v.ID)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, name)
			if _, err := os.Stat(path); err != nil {
				path += ".cbz"
			}
			if faults, err := athome.Check(context.Background(), path, chapter.Pages()); err != nil || len(faults) > 0 {
				t.Errorf("%s: %v %v", name, faults, err)
			}
			chapter.Close()
		}
		if readable > 0 && found != 1 {
			t.Errorf("chapter %v of volume %v is there %d times", e.Number, e.Volume, found)
		}
	}
	for name := range there { // what is left was deleted, and is told
		if !strings.Contains(last.Stderr, name) {
			t.Errorf("%s is there, and nobody says why; the last run said\n%s", name, last.Stderr)
		}
	}
	again := 0
	for path, n := range pagesAsked(y.Program) {
		if n > 1 {
			again += n - 1
			t.Logf("%s was fetched %d times", path, n)
		}
	}
	if again > y.extra {
		t.Errorf("%d pages were fetched again, and kills explain %d", again, y.extra)
	}
}
