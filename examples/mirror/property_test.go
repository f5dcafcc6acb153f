package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// TestCopyIsWhatTheServerSays changes a catalogue at random, between runs and in the middle of them,
// and interrupts runs and ends processes, while the server has its troubles. After a run in which
// nothing changed the copy is what the server says.
func TestCopyIsWhatTheServerSays(t *testing.T) {
	t.Parallel()
	fewChecks()
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) { newStory(t, rt, database(t)).tell() })
		})
	}
}

// fewChecks makes it a test of seconds, unless -rapid.checks or MIRROR_LONG asks for more.
func fewChecks() {
	few := os.Getenv("MIRROR_LONG") == ""
	flag.Visit(func(f *flag.Flag) { few = few && f.Name != "rapid.checks" })
	if few {
		_ = flag.Set("rapid.checks", "2")
	}
}

// databases are those that there are here, each time a new one.
func databases(t *testing.T) map[string]func(*testing.T) string {
	return map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), uuid.NewString(), "mirror.db") },
		"PostgreSQL": postgresOf,
	}
}

// A story is what happens to a catalogue and its copy.
type story struct {
	t     *testing.T
	rt    *rapid.T
	fake  *apitest.Server
	state apitest.State
	db    *database
	where string
	now   atomic.Int64 // of the server, seconds since 1970
	n     int          // of what was invented
}

func newStory(t *testing.T, rt *rapid.T, where string) *story {
	s := &story{t: t, rt: rt, where: where}
	// The years of the server lie behind ours: a mark that lies ahead of us is not believed.
	s.now.Store(time.Now().Add(-400 * 24 * time.Hour).Unix())
	fake, err := apitest.NewServer(apitest.WithTitles(12), apitest.WithHardCases(), apitest.WithClock(func() time.Time { return time.Unix(s.now.Load(), 0) }))
	if err != nil {
		rt.Fatal(err)
	}
	t.Cleanup(fake.Close)
	s.fake, s.state = fake, fake.State()
	s.db = open(t, where)
	return s
}

func (s *story) tell() {
	defer s.fake.Close()
	defer func() { s.db.Close() }()
	s.rt.Repeat(map[string]func(*rapid.T){
		"time passes":            func(rt *rapid.T) { s.pass(rt) },
		"titles change":          func(rt *rapid.T) { s.change(rt) },
		"run":                    func(rt *rapid.T) { s.run(rt, 0) },
		"run that does not look": func(rt *rapid.T) { s.run(rt, 24*time.Hour) },
		"interrupted run":        func(rt *rapid.T) { s.interrupt(rt, false) },
		"killed run":             func(rt *rapid.T) { s.interrupt(rt, true) },
		"changes during a run":   func(rt *rapid.T) { s.meanwhile(rt) },
	})
	s.run(s.rt, 0)
}

func (s *story) pass(rt *rapid.T) {
	s.now.Add(int64(rapid.SampledFrom([]int{1, 30, 600, 3700, 8000, 90000}).Draw(rt, "seconds")))
}

func (s *story) check(rt *rapid.T, err error) {
	rt.Helper()
	if err != nil {
		rt.Fatal(err)
	}
}

// change changes a few things.
func (s *story) change(rt *rapid.T) {
	for range rapid.IntRange(1, 6).Draw(rt, "changes") {
		s.changeOne(rt, rapid.IntRange(0, 1<<30).Draw(rt, "which"), rapid.IntRange(0, 11).Draw(rt, "how"))
	}
}

func (s *story) changeOne(rt *rapid.T, which, how int) {
	titles := s.state.Manga()
	if len(titles) == 0 {
		return
	}
	title := titles[which%len(titles)]
	chapters := s.state.Chapters(title.ID)
	now := time.Unix(s.now.Load(), 0)
	s.n++
	name := fmt.Sprintf("Pots %d \x00\u202e<b>'\"%%", s.n)
	switch how {
	case 0:
		s.check(rt, s.state.EditManga(title.ID, func(m *apitest.Manga) {
			m.Title, m.Year, m.Status = name, 1990+which%40, []string{"ongoing", "completed", "hiatus"}[which%3]
			m.ContentRating = []string{"safe", "suggestive", "erotica", "pornographic"}[which%4]
			m.AltTitles = append(m.AltTitles, map[string]string{"fr": name})
		}))
	case 1:
		s.check(rt, s.state.EditManga(title.ID, func(m *apitest.Manga) { m.Draft = !m.Draft }))
	case 2:
		author, err := s.state.AddAuthor(apitest.Author{Name: name})
		s.check(rt, err)
		_, err = s.state.AddManga(apitest.Manga{Title: name, Authors: []uuid.UUID{author}, Artists: []uuid.UUID{author}})
		s.check(rt, err)
	case 3:
		if len(titles) > 5 {
			s.check(rt, s.state.DeleteManga(title.ID))
		}
	case 4, 5:
		group, err := s.state.AddGroup(apitest.Group{Name: name})
		s.check(rt, err)
		_, err = s.state.AddChapter(apitest.Chapter{Manga: title.ID, Number: fmt.Sprint(s.n), Title: name, Pages: 2, Groups: []uuid.UUID{group}})
		s.check(rt, err)
	case 6: // published later, or readable later than published
		at := now.Add(time.Duration(which%5000) * time.Minute)
		c := apitest.Chapter{Manga: title.ID, Number: fmt.Sprint(s.n), Pages: 2, PublishAt: at}
		if which%2 == 0 {
			c.PublishAt, c.ReadableAt = now, at
		}
		_, err := s.state.AddChapter(c)
		s.check(rt, err)
	case 7, 8, 9:
		if len(chapters) == 0 {
			return
		}
		chapter := chapters[which%len(chapters)]
		s.check(rt, s.state.EditChapter(chapter.ID, func(c *apitest.Chapter) {
			switch {
			case how == 7:
				c.Number, c.Language, c.Groups = fmt.Sprint(which), "de", nil
			case which%2 == 0:
				c.Manga = titles[(which/2)%len(titles)].ID
			default:
				c.Unavailable = !c.Unavailable
			}
		}))
	case 10:
		if len(chapters) > 0 {
			s.check(rt, s.state.DeleteChapter(chapters[which%len(chapters)].ID))
		}
	case 11:
		s.check(rt, s.state.SetLibrary(s.fake.Account.Username, apitest.Library{Manga: []uuid.UUID{title.ID}, Ratings: map[uuid.UUID]int{title.ID: 1 + which%10}}))
	}
}

// trouble makes some requests fail, or leave out what they should have.
func (s *story) trouble(rt *rapid.T) {
	s.fake.Fail(rapid.SampledFrom([]apitest.Fault{
		{Status: 503, Skip: 3}, {Drop: true, Skip: 2}, {Operation: "ListChapters", Clamp: 7, Count: apitest.Always},
		{Operation: "SearchManga", Short: 3, Count: 2}, {Operation: "ListChapters", Repeat: 2, Count: apitest.Always},
		{Operation: "ListChapters", Shuffle: true, Count: 3}, {Operation: "ListCovers", Truncate: true},
	}).Draw(rt, "trouble"))
}

// run makes a whole run, and compares.
func (s *story) run(rt *rapid.T, patience time.Duration) {
	s.trouble(rt)
	m := mirrorOf(s.t, s.db, s.fake.URL, patience)
	err := m.once(s.t.Context())
	s.fake.Heal()
	if errors.As(err, new(api.ErrIncomplete)) { // by the trouble, which the program tells; the next run goes on
		err = m.once(s.t.Context())
	}
	s.check(rt, err)
	if all := ofDatabase(s.t, s.db).differences(ofServer(s.t, s.fake.URL), patience > 0); len(all) > 0 {
		rt.Fatalf("%d differences, such as %s", len(all), all[0])
	}
}

// interrupt ends a run after some requests: in good order, or as a process ends that is killed.
func (s *story) interrupt(rt *rapid.T, kill bool) {
	m := mirrorOf(s.t, s.db, s.fake.URL, 0)
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	s.fake.Fail(apitest.Fault{Skip: rapid.IntRange(0, 40).Draw(rt, "requests"), Then: func() {
		if kill {
			s.db.Close()
		}
		cancel()
	}})
	if err := m.once(ctx); err != nil {
		s.rt.Logf("the run ended with %v", err)
	}
	s.fake.Heal()
	if !kill {
		return
	}
	s.db.Close()
	s.db = open(s.t, s.where)
	// The claims of a process that is gone end by themselves; this test does not wait for that.
	if _, err := s.db.Exec("UPDATE task SET lease = 0"); err != nil {
		rt.Fatal(err)
	}
}

// meanwhile changes things while a run is on its way. What it comes to is compared after the next
// one.
func (s *story) meanwhile(rt *rapid.T) {
	which := rapid.IntRange(0, 1<<30).Draw(rt, "which")
	for range 3 {
		how, skip := rapid.IntRange(0, 10).Draw(rt, "how"), rapid.IntRange(0, 25).Draw(rt, "requests")
		s.fake.Fail(apitest.Fault{Skip: skip, Then: func() { s.changeOne(rt, which+skip, how) }})
	}
	m := mirrorOf(s.t, s.db, s.fake.URL, time.Duration(rapid.IntRange(0, 1).Draw(rt, "patience"))*24*time.Hour)
	if err := m.once(s.t.Context()); err != nil && !errors.As(err, new(api.ErrIncomplete)) {
		rt.Fatal(err)
	}
	s.fake.Heal()
}
