// Mirror copies the catalogue of MangaDex into a database and keeps it in step: titles, chapters,
// authors, groups, tags, covers and statistics, in one file of SQLite or in PostgreSQL.
//
//	go run . -db mirror.db                       # of the fake MangaDex
//	go run . -live -db mirror.db -every 15m      # of MangaDex, for ever
//	go run . -serve 127.0.0.1:8080               # shows the copy of the fake MangaDex to a browser
//
// It is a module of its own, so that the library does not depend on what speaks to databases.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/fanout"
)

const usage = `[flags]

Copies titles, chapters, authors, groups, tags, covers and statistics into a database. The first run
copies everything, which takes hours with MangaDex; those after it what has changed since. A run that
was interrupted goes on where it was. Several processes may work on one database: they share the work,
and with -fleet the allowance of their address as well.

What the server lists by the time of its last change is copied with the next run: titles, chapters,
groups, covers. Everything else, and what was deleted, is found when nothing has been heard of it for
the time of -check. Authors and groups are those of what is copied.

In the database, all times are UTC; in SQLite they are texts like 2026-01-31T12:30:00Z, and CURRENT_TIMESTAMP
is none of these. Titles with most chapters in English:

` + queryMostChapters + `

New chapters of what is in the custom lists of -list (with PostgreSQL, CURRENT_TIMESTAMP instead of strftime):

` + queryNewInLists

const (
	queryMostChapters = `  SELECT manga.title, count(*) AS chapters
  FROM chapter JOIN manga ON manga.id = chapter.manga_id
  WHERE chapter.language = 'en'
  GROUP BY manga.id, manga.title ORDER BY chapters DESC LIMIT 20;`

	queryNewInLists = `  SELECT manga.title, chapter.number, chapter.language, chapter.readable_at
  FROM custom_list_manga AS listed
  JOIN manga ON manga.id = listed.manga_id
  JOIN chapter ON chapter.manga_id = manga.id
  WHERE chapter.readable_at <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now') AND NOT chapter.unavailable
  ORDER BY chapter.readable_at DESC LIMIT 20;`
)

func main() { command.Main("mirror", usage, start) }

func start(ctx context.Context, c *command.Command) error {
	where := c.String("db", "", "keep the copy in this `file`, or in an empty database of PostgreSQL at an address like postgres://user:password@host/mirror (default mirror.db in a folder for the server among your settings)")
	every := c.Duration("every", 0, "bring the copy up to date every now and then until Ctrl-C, a `duration` such as 15m, instead of once")
	patience := c.Duration("check", 24*time.Hour, "ask for what nothing has been heard of for this `duration`, and for statistics that are so old")
	listed := c.String("list", "", "copy these public custom lists as well: `ids` or addresses with commas between")
	fleetAddress := c.String("fleet", "", "share the allowance with the other processes that use the Redis server at this `address`, such as redis://host:6379")
	address := c.String("serve", "", "show the copy to a browser at this `address`, such as 127.0.0.1:8080, until Ctrl-C; it is copied meanwhile with -every only")
	plotPath := c.String("plot", "", "draw what is in the copy into this `file`, .svg or .png, and copy nothing")
	if err := c.Parse(); err != nil {
		return err
	}
	ids, err := parseLists(*listed)
	switch {
	case err != nil:
		return err
	case c.NArg() > 0:
		return command.Usagef("too much: %s", strings.Join(c.Args(), " "))
	case *every < 0, *every > 0 && *every < time.Second:
		return command.Usagef("-every is %v; it must be a second or more", *every)
	case *patience < 0:
		return command.Usagef("-check is %v; it must not be below 0", *patience)
	}
	if _, _, err := net.SplitHostPort(*address); *address != "" && err != nil {
		return command.Usagef("-serve %q is not a host and a port like 127.0.0.1:8080", *address)
	}
	writePlot := writeSVG
	if *plotPath != "" {
		if writePlot, err = plotWriter(*plotPath); err != nil {
			return command.Usagef("%w", err)
		}
	}
	path, err := c.Path(*where, "mirror.db")
	if err != nil {
		return err
	}
	requests := &counter{base: transport.Base()}
	options := []transport.Option{transport.WithBase(requests)}
	if *fleetAddress != "" {
		limiter, err := shareAllowance(ctx, *fleetAddress)
		if err != nil {
			return err
		}
		defer limiter.Close()
		options = append(options, transport.WithLimiter(limiter))
	}
	client, err := c.Client(api.WithTransport(options...))
	if err != nil {
		return err
	}
	if *fleetAddress != "" && (c.Fake() != nil || c.Lookup("unlimited").Value.String() == "true") {
		return command.Usagef("-fleet is of no use without limits; give -live, or a -server without -unlimited")
	}
	db, err := openDatabase(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.claimFor(ctx, serverOf(c, client)); err != nil {
		return err
	}
	m := newMirror(c, db, client, requests, ids, *patience)
	looks := *address != "" || *plotPath != ""
	if !looks && *every == 0 || c.Fake() != nil { // whose catalogue is a new one
		c.Unfinished = "what has been copied stays; the next run goes on there"
		if err := m.once(ctx); err != nil {
			return db.say(err)
		}
		c.Unfinished = ""
	}
	if looks && *every == 0 {
		if _, _, copied, err := db.lastRun(ctx, db); err == nil && !copied {
			c.Note("there is no copy in %s yet; without -serve and -plot it is made", describe(path))
		}
	}
	switch {
	case *plotPath != "":
		all, err := allFigures(ctx, db)
		if err != nil {
			return err
		}
		return c.WriteTo(*plotPath, func(w io.Writer) error { return writePlot(w, light, all...) })
	case *address != "":
		return fanout.All(ctx, func(ctx context.Context) error { return serve(ctx, c, db, client, *address) }, func(ctx context.Context) error {
			if *every == 0 {
				return nil
			}
			return m.forever(ctx, *every)
		})
	case *every > 0:
		return m.forever(ctx, *every)
	}
	return m.tell(ctx)
}

// allFigures are all figures of the copy.
func allFigures(ctx context.Context, db *database) ([]figure, error) {
	var all []figure
	for _, one := range figures {
		f, _, err := figureOf(ctx, db, one.name)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// serverOf is what the copy is of.
func serverOf(c *command.Command, client *api.Client) string {
	if c.Fake() != nil {
		return "the fake MangaDex of " + time.Now().UTC().Format(time.RFC3339Nano)
	}
	return client.Server()
}

func parseLists(text string) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		link, ok := reading.ParseLink(one)
		if !ok || link.ID == uuid.Nil || link.Kind != "" && link.Kind != api.ResourceTypeCustomList {
			return nil, command.Usagef("%q in -list is neither the id of a custom list nor its address", one)
		}
		ids = append(ids, link.ID)
	}
	return ids, nil
}

// claimFor makes sure that the database is empty or has the copy of a server. One of the fake MangaDex,
// whose catalogue is another one each time, is thrown away.
func (d *database) claimFor(ctx context.Context, server string) error {
	return d.write(ctx, func(tx *transaction) error {
		known, err := texts(ctx, tx, "SELECT server FROM source")
		if err != nil {
			return err
		}
		if known[server] {
			return nil
		}
		for other := range known {
			if !strings.HasPrefix(other, "the fake MangaDex") {
				return command.Usagef("the database has a copy of %s, not of %s; choose another one with -db", other, server)
			}
		}
		for _, table := range []string{"task", "run", "wanted", "chapter", "cover", "scanlation_group", "author", "manga", "tag", "custom_list", "source"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO source (server) VALUES ($1)", server)
		return err
	})
}

// tell says what the copy holds.
func (m *mirror) tell(ctx context.Context) error {
	var parts []string
	for _, one := range []struct{ table, name string }{
		{"manga", "titles"}, {"chapter", "chapters"}, {"author", "authors"}, {"scanlation_group", "groups"}, {"tag", "tags"}, {"cover", "covers"},
	} {
		var n int
		if err := m.db.QueryRowContext(ctx, "SELECT count(*) FROM "+one.table).Scan(&n); err != nil {
			return err
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, one.name))
	}
	m.c.Print("%s", strings.Join(parts, ", "))
	return nil
}

var _ http.RoundTripper = (*counter)(nil)
