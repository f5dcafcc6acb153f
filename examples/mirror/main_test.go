package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// same checks that the copy of a program is what its server says, which may have limits.
func same(t *testing.T, p *exampletest.Program, where string, limits ...transport.Option) {
	t.Helper()
	if all := ofDatabase(t, open(t, where)).differences(ofServer(t, p.Server.URL, limits...), false); len(all) > 0 {
		t.Errorf("%d differences, such as %s", len(all), all[0])
	}
}

// TestKilled kills the program again and again, and changes the catalogue in between.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, where := exampletest.New(t, apitest.WithHardCases()), database(t)
			for n := range 3 {
				before, after := len(p.Server.Requests()), 1+rand.IntN(60)
				p.Start("-db", where, "-check", "0s").Kill(func() bool { return len(p.Server.Requests()) >= before+after })
				titles := p.Server.State().Manga()
				if err := p.Server.State().DeleteManga(titles[n].ID); err != nil {
					t.Fatal(err)
				}
				if _, err := p.Server.State().AddChapter(apitest.Chapter{Manga: titles[n+1].ID, Number: fmt.Sprint(100 + n), Pages: 1}); err != nil {
					t.Fatal(err)
				}
			}
			p.Succeeds(p.Run("-db", where, "-check", "0s"))
			same(t, p, where)
		})
	}
}

// TestTogether has several processes work on one copy: each task is done once.
func TestTogether(t *testing.T) {
	t.Parallel()
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, where := exampletest.New(t, apitest.WithTitles(200)), database(t)
			p.Server.Fail(apitest.Fault{Operation: "ListCovers", Delay: 20 * time.Millisecond, Count: apitest.Always})
			open(t, where) // so that the schema is there
			var running sync.WaitGroup
			for range 3 {
				run := p.Start("-db", where)
				running.Go(func() {
					if r := run.Wait(); r.Status != 0 {
						t.Errorf("status %d: %s", r.Status, r.Stderr)
					}
				})
			}
			running.Wait()
			same(t, p, where)
			// One run made by all of them, and one for each that began after its beginning, at most.
			db := open(t, where)
			var runs int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM run WHERE ended IS NOT NULL").Scan(&runs); err != nil || runs > 4 {
				t.Errorf("%d runs, %v", runs, err)
			}
			if full := len(p.Requests("GetMangaTag", "ListTags")); full > runs+3 {
				t.Errorf("the tags were asked for %d times in %d runs", full, runs)
			}
		})
	}
}

// TestInterrupted says how to go on.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	where := p.Path("mirror.db")
	p.Server.Fail(apitest.Fault{Operation: "ListChapters", Stall: 1 << 36, Count: apitest.Always})
	run := p.Start("-db", where)
	run.Interrupt(func() bool { return len(p.Requests("ListChapters")) > 0 })
	p.Fails(run.Wait(), "mirror", 130, "interrupted", "the next run goes on there")
	p.Server.Heal()
	r := p.Succeeds(p.Run("-db", where))
	if !strings.Contains(r.Stdout, "30 titles, ") {
		t.Errorf("it says %q", r.Stdout)
	}
	same(t, p, where)
}

// TestHelp runs the queries of the help, which use indexes.
func TestHelp(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	p.Helps("-db", "-every", "-fleet", "SELECT manga.title", "postgres://")
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := database(t)
			p.Succeeds(p.Run("-db", where, "-check", "0s"))
			db := open(t, where)
			list := uuid.New().String()
			for _, statement := range []string{
				"INSERT INTO custom_list (id, name) VALUES ('" + list + "', 'Kettles')",
				"INSERT INTO custom_list_manga (list_id, manga_id) SELECT '" + list + "', id FROM manga",
			} {
				if name == "PostgreSQL" {
					statement = strings.Replace(statement, "SELECT '"+list+"'", "SELECT '"+list+"'::uuid", 1)
				}
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			// One that became readable today comes first, and one of the future not at all.
			ids, err := texts(t.Context(), db, "SELECT id FROM chapter WHERE manga_id IS NOT NULL LIMIT 2")
			if err != nil || len(ids) != 2 {
				t.Fatal(ids, err)
			}
			numbers, times := []string{"today", "soon"}, []time.Duration{-time.Second, time.Minute}
			for id := range ids {
				if _, err := db.Exec("UPDATE chapter SET number = $1, unavailable = $2, readable_at = $3 WHERE id = $4", numbers[0], false, moment(time.Now().Add(times[0])), id); err != nil {
					t.Fatal(err)
				}
				numbers, times = numbers[1:], times[1:]
			}
			queries := []string{queryMostChapters, queryNewInLists}
			if name == "PostgreSQL" {
				queries[1] = strings.Replace(queries[1], "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')", "CURRENT_TIMESTAMP", 1)
			}
			for _, query := range queries {
				rows := 0
				if err := each(t.Context(), db, query, nil, func(*sql.Rows) error { rows++; return nil }); err != nil || rows == 0 {
					t.Errorf("%d rows, %v: %s", rows, err, query)
				}
			}
			var title, number, language, when string
			if err := db.QueryRow(queries[1]).Scan(&title, &number, &language, &when); err != nil || number != "today" {
				t.Errorf("the newest chapter is %q of %s, %v", number, when, err)
			}
			if name != "SQLite" {
				return
			}
			for _, query := range []string{queryMostChapters, queryNewInLists} {
				searched := 0
				err := each(t.Context(), db, "EXPLAIN QUERY PLAN "+query, nil, func(row *sql.Rows) error {
					var id, parent, unused int
					var detail string
					err := row.Scan(&id, &parent, &unused, &detail)
					t.Log(detail)
					if strings.Contains(detail, "SCAN") && !strings.Contains(detail, "SCAN listed") { // of which all is wanted
						t.Errorf("%s: %s", detail, query)
					}
					if strings.Contains(detail, "USING") && strings.Contains(detail, "INDEX") {
						searched++
					}
					return err
				})
				if err != nil || searched < 2 {
					t.Errorf("%d indexes are used, %v: %s", searched, err, query)
				}
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	text := p.Write("notes.txt", strings.Repeat("this is no database. ", 100))
	p.Fails(p.Run("-db", text), "mirror", 1, "notes.txt", "-db names another one")
	p.Fails(p.Run("-db", "postgres://mirror:secret-of-mirror@127.0.0.1:1/x y"), "mirror", 2, "-db is not an address")
	for _, mistyped := range []string{"postgre://mirror:secret-of-mirror@127.0.0.1/x", "mysql://mirror:secret-of-mirror@127.0.0.1/x", "sqlite://copy.db"} {
		r := p.Run("-db", mistyped)
		p.Fails(r, "mirror", 2, "-db is an address of neither", "name a file, or postgres://")
		if strings.Contains(r.Stderr, "secret-of-mirror") {
			t.Errorf("the password is told: %s", r.Stderr)
		}
	}
	for _, words := range []string{"host=127.0.0.1 password=secret-of-mirror", "dbname=mirror user=mirror"} { // as other programs take them
		p.Fails(p.Run("-db", words), "mirror", 2, "-db is an address of neither")
	}
	for name, statement := range map[string]string{
		"notes.db": "CREATE TABLE notes (text)", "ours.db": "CREATE TABLE manga (id)", "version.db": "CREATE TABLE schema_version (version)",
	} {
		path := p.Path(name)
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		db.Close()
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p.Fails(p.Run("-db", path), "mirror", 1, name, "it is of another program", "-db names another one")
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was changed, %v", name, err)
		}
	}
	refused := p.Run("-db", "postgres://mirror:secret-of-mirror@127.0.0.1:1/x?connect_timeout=5")
	p.Fails(refused, "mirror", 1, "127.0.0.1:1", "check that it runs", exampletest.RefusedText)
	p.Fails(p.Run("-db", p.Home), "mirror", 1, "give a file")
	p.Fails(p.Run("-db", os.DevNull), "mirror", 2, "nothing can be kept; give a file")
	p.Fails(p.Run("-fleet", "redis://127.0.0.1:1"), "mirror", 1, "the Redis server of -fleet at 127.0.0.1:1 cannot be asked; check that it runs", exampletest.RefusedText)
	p.Fails(p.Run("-every", "5"), "mirror", 2, "-every", "such as 90s or 15m")
	redis := p.Run("-fleet", "redis//:secret-of-mirror@host")
	p.Fails(redis, "mirror", 2, "-fleet is not an address")
	for _, r := range []exampletest.Result{refused, redis} {
		if strings.Contains(r.Stderr, "secret") {
			t.Errorf("a password was printed: %s", r.Stderr)
		}
	}
	p.Fails(p.Run("-db", "copy.db", "-plot", p.Path("copy.db")), "mirror", 2, "-db and -plot are the same file")
	p.Fails(p.Run("-every", "1ms"), "mirror", 2, "-every is 1ms")
	p.Fails(p.Run("-check", "-1s"), "mirror", 2, "-check is -1s")
	p.Fails(p.Run("-list", "kettle"), "mirror", 2, `"kettle" in -list`)
	p.Fails(p.Run("surplus"), "mirror", 2, "too much: surplus")
	if r := p.Succeeds(p.Run("-db", p.Path("mistyped.db"), "-plot", p.Path("empty.svg"))); !strings.Contains(r.Stderr, "there is no copy in") || !strings.Contains(r.Stderr, "mistyped.db") {
		t.Errorf("of a copy that is not there it says %q", r.Stderr)
	}
	other := exampletest.New(t)
	where := filepath.Join(p.Home, "of another.db")
	p.Succeeds(exampletest.Embedded(t).Run("-db", where)) // which is worth nothing
	p.Succeeds(p.Run("-db", where))
	other.Fails(other.Run("-db", where), "mirror", 2, "has a copy of "+p.Server.URL, "-db")
}

// TestDisks has disks that are full, or that nothing can be written to.
func TestDisks(t *testing.T) {
	t.Parallel()
	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		p := exampletest.New(t)
		p.Fails(p.Run("-db", filepath.Join(p.ReadOnly(), "mirror.db")), "mirror", 1, "choose another place")
	})
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		p := exampletest.New(t, apitest.WithTitles(200))
		p.Fails(p.Run("-db", filepath.Join(p.FullDisk(1200), "mirror.db")), "mirror", 1, "make room there", "the next run goes on there")
	})
}

// TestLocked has another program that holds the database.
func TestLocked(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "mirror.db")
	db := open(t, where)
	err := db.write(t.Context(), func(*transaction) error {
		other, err := sql.Open("sqlite", fileURL(where)+"?_txlock=immediate&_pragma=busy_timeout(10)")
		if err != nil {
			return err
		}
		defer other.Close()
		_, err = other.BeginTx(t.Context(), nil)
		return err
	})
	if err = db.say(err); err == nil || !strings.Contains(err.Error(), "another program has locked it") {
		t.Errorf("got %v", err)
	}
	if err := db.say(fmt.Errorf("of PostgreSQL: %w", pgconn.ErrConnClosed)); !strings.Contains(err.Error(), "the connection to the database was lost") {
		t.Errorf("got %v", err)
	}
}
