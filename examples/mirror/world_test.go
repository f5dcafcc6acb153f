package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main, stopPostgres) }

// A world is what a catalogue holds: rows by table and key.
type world map[string]map[string]string

func (w world) put(table, key string, columns ...any) {
	if w[table] == nil {
		w[table] = map[string]string{}
	}
	texts := make([]string, len(columns))
	for i, column := range columns {
		texts[i] = strings.ReplaceAll(fmt.Sprint(plain(column)), "\x00", "\uFFFD") // which PostgreSQL does not store
	}
	w[table][key] = strings.Join(texts, " | ")
}

func key(parts ...any) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = fmt.Sprint(part)
	}
	return strings.Join(texts, "/")
}

// plain is a value as both databases and the server have it.
func plain(v any) any {
	switch v := v.(type) {
	case *string:
		if v == nil {
			return ""
		}
		return *v
	case *int:
		if v == nil {
			return ""
		}
		return *v
	case *float64:
		if v == nil {
			return ""
		}
		return fmt.Sprintf("%.4f", *v)
	case float64:
		return fmt.Sprintf("%.4f", v)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.DateTime)
	case uuid.UUID:
		if v == uuid.Nil {
			return ""
		}
		return v.String()
	case nil:
		return ""
	case []byte:
		return string(v)
	}
	return v
}

// ofServer asks a server for all that a copy should hold, as fast as it can unless there are limits.
func ofServer(t testing.TB, server string, limits ...transport.Option) world {
	t.Helper()
	ctx := context.Background()
	if len(limits) == 0 {
		limits = append(limits, transport.WithoutRateLimit())
	}
	client, err := api.New(server, api.WithTransport(limits...))
	if err != nil {
		t.Fatal(err)
	}
	w := world{}
	var people, groups, titles []uuid.UUID
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	for m, err := range client.SearchMangaAll(ctx, &api.SearchMangaParams{ContentRating: reading.AllRatings()}, api.WithSlices()) {
		must(err)
		a := m.Attributes
		cover, _ := m.Relationships.Cover()
		w.put("manga", m.ID.String(), reading.Title(&a), string(a.Status), string(a.PublicationDemographic), string(a.ContentRating), a.OriginalLanguage,
			a.Year, a.LastVolume, a.LastChapter, a.ChapterNumbersResetOnNewVolume, cover.ID, a.CreatedAt, a.UpdatedAt, a.Version)
		n := 0
		for _, names := range append([]api.LocalizedString{a.Title}, a.AltTitles...) {
			for language, name := range names.All() {
				w.put("manga_name", key(m.ID, n), language, name)
				n++
			}
		}
		for _, tag := range a.Tags {
			w.put("manga_tag", key(m.ID, tag.ID))
		}
		for _, who := range m.Relationships.Authors() {
			w.put("manga_author", key(m.ID, "author", who.ID))
			people = append(people, who.ID)
		}
		for _, who := range m.Relationships.Artists() {
			w.put("manga_author", key(m.ID, "artist", who.ID))
			people = append(people, who.ID)
		}
		titles = append(titles, m.ID)
	}
	for _, future := range []*api.Flag{nil, api.Ptr(api.Yes)} {
		p := &api.ListChaptersParams{ContentRating: reading.AllRatings(), IncludeUnavailable: api.Ptr(api.Yes), IncludeFuturePublishAt: future}
		for c, err := range client.ListChaptersAll(ctx, p, api.WithSlices()) {
			must(err)
			a := c.Attributes
			manga, _ := c.Relationships.Manga()
			w.put("chapter", c.ID.String(), manga.ID, a.Volume, a.Chapter, a.Title, a.TranslatedLanguage, a.Pages, a.ExternalURL, a.IsUnavailable, a.PublishAt, a.ReadableAt, a.CreatedAt, a.UpdatedAt, a.Version)
			for _, g := range c.Relationships.Groups() {
				w.put("chapter_group", key(c.ID, g.ID))
				groups = append(groups, g.ID)
			}
		}
	}
	tags, err := client.ListTags(ctx)
	must(err)
	for _, tag := range tags.Data {
		w.put("tag", tag.ID.String(), tag.Attributes.Name.String(), string(tag.Attributes.Group))
	}
	authors, _, err := client.GetAuthorsByIDs(ctx, people)
	must(err)
	for _, p := range authors {
		w.put("author", p.ID.String(), p.Attributes.Name, p.Attributes.Version)
	}
	all, _, err := client.GetGroupsByIDs(ctx, groups)
	must(err)
	for _, g := range all {
		w.put("scanlation_group", g.ID.String(), g.Attributes.Name, g.Attributes.Official, g.Attributes.Version)
	}
	for c, err := range client.ListCoversAll(ctx, nil) {
		must(err)
		manga, _ := c.Relationships.Manga()
		if slices.Contains(titles, manga.ID) { // those of hidden titles are hidden, too
			w.put("cover", c.ID.String(), manga.ID, c.Attributes.Volume, c.Attributes.Locale, c.Attributes.FileName, c.Attributes.UpdatedAt)
		}
	}
	statistics, err := client.GetMangaStatisticsByIDs(ctx, titles)
	must(err)
	for id, s := range statistics {
		w.put("statistics", id.String(), s.Follows, s.Rating.Average, s.Rating.Bayesian, s.UnavailableChaptersCount)
	}
	return w
}

// ofDatabase reads a copy.
func ofDatabase(t testing.TB, db *database) world {
	t.Helper()
	w := world{}
	for table, query := range map[string]struct {
		key     int
		columns string
	}{
		"manga":            {1, "id, title, status, demographic, content_rating, original_language, year, last_volume, last_chapter, numbers_reset, cover_id, created_at, updated_at, version"},
		"manga_name":       {2, "manga_id, place, language, name"},
		"manga_tag":        {2, "manga_id, tag_id"},
		"manga_author":     {3, "manga_id, role, author_id"},
		"chapter":          {1, "id, manga_id, volume, number, title, language, pages, external_url, unavailable, publish_at, readable_at, created_at, updated_at, version"},
		"chapter_group":    {2, "chapter_id, group_id"},
		"tag":              {1, "id, name, kind"},
		"author":           {1, "id, name, version"},
		"scanlation_group": {1, "id, name, official, version"},
		"cover":            {1, "id, manga_id, volume, language, file_name, updated_at"},
		"statistics":       {1, "manga_id, follows, rating_average, rating_bayesian, unavailable_chapters"},
	} {
		booleans := []string{"numbers_reset", "unavailable", "official"}
		columns := strings.Split(query.columns, ", ")
		err := each(context.Background(), db, "SELECT "+query.columns+" FROM "+table, nil, func(row *sql.Rows) error {
			values, pointers := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				pointers[i] = &values[i]
			}
			if err := row.Scan(pointers...); err != nil {
				return err
			}
			for i, column := range columns {
				switch v := values[i].(type) {
				case int64:
					if slices.Contains(booleans, column) {
						values[i] = v == 1
					}
				case string:
					if at, err := time.Parse(timeLayout, v); err == nil && strings.HasSuffix(column, "_at") {
						values[i] = at
					}
				}
			}
			w.put(table, key(values[:query.key]...), values[query.key:]...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// differences are those of a copy from what there is. With more, it may hold rows that there are not
// any more, and old statistics.
func (w world) differences(from world, more bool) []string {
	var all []string
	for _, table := range slices.Sorted(maps.Keys(from)) {
		for key, row := range from[table] {
			if got, ok := w[table][key]; !ok {
				all = append(all, fmt.Sprintf("%s %s is missing: %s", table, key, row))
			} else if got != row && !(more && table == "statistics") {
				all = append(all, fmt.Sprintf("%s %s is\n  %s, want\n  %s", table, key, got, row))
			}
		}
	}
	for table, rows := range w {
		for key, row := range rows {
			// An author without titles and a group without chapters are still there.
			if _, ok := from[table][key]; !ok && !more && table != "author" && table != "scanlation_group" {
				all = append(all, fmt.Sprintf("%s %s is there: %s", table, key, row))
			}
		}
	}
	return all
}

// open opens a database for a test.
func open(t testing.TB, where string) *database {
	t.Helper()
	db, err := openDatabase(context.Background(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// a mirror in this process.
func mirrorOf(t testing.TB, db *database, server string, patience time.Duration) *mirror {
	t.Helper()
	requests := &counter{base: http.DefaultTransport.(*http.Transport).Clone()}
	client, err := api.New(server, api.WithoutRateLimit(), api.WithHTTPClient(&http.Client{Transport: requests}))
	if err != nil {
		t.Fatal(err)
	}
	return newMirror(&command.Command{}, db, client, requests, nil, patience)
}
