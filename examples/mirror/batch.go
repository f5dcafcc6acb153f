package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

var (
	mangaTable     = tableOf("manga", 1, "id title status demographic content_rating original_language year last_volume last_chapter numbers_reset cover_id description created_at updated_at version seen")
	nameTable      = tableOf("manga_name", 2, "manga_id place language name folded")
	mangaTagTable  = tableOf("manga_tag", 2, "manga_id tag_id")
	makerTable     = tableOf("manga_author", 3, "manga_id role author_id")
	statTable      = tableOf("statistics", 1, "manga_id follows rating_average rating_bayesian comments unavailable_chapters seen")
	tagTable       = tableOf("tag", 1, "id name kind")
	authorTable    = tableOf("author", 1, "id name created_at updated_at version seen")
	groupTable     = tableOf("scanlation_group", 1, "id name official inactive created_at updated_at version seen")
	coverTable     = tableOf("cover", 1, "id manga_id volume language file_name created_at updated_at version seen")
	chapterTable   = tableOf("chapter", 1, "id manga_id volume number title language pages external_url unavailable publish_at readable_at created_at updated_at uploader_id version seen")
	madeByTable    = tableOf("chapter_group", 2, "chapter_id group_id")
	listTable      = tableOf("custom_list", 1, "id name")
	listMangaTable = tableOf("custom_list_manga", 2, "list_id manga_id")
	wantedTable    = tableOf("wanted", 2, "kind id")
)

// A batch is what has arrived from the server and is written in one transaction.
type batch struct {
	manga    []api.Manga
	chapters []api.Chapter
	authors  []api.Author
	groups   []api.Group
	covers   []api.Cover
	later    bool                // than the first copy: titles that appear may bring old chapters along
	asked    map[uuid.UUID]int64 // what was asked for by its id: the time in its row
}

func (b *batch) len() int {
	return len(b.manga) + len(b.chapters) + len(b.authors) + len(b.groups) + len(b.covers)
}

// collect puts everything into the batch.
func (b *batch) collect(all iter.Seq2[item, error]) error {
	for one, err := range all {
		if err != nil {
			return err
		}
		one.add(b)
	}
	return nil
}

// write writes the batch. What the database has in a newer version stays: another request may have
// been answered later and written sooner.
func (b *batch) write(ctx context.Context, tx *transaction, seen int64) error {
	for _, write := range []func(context.Context, *transaction, int64) error{b.writeManga, b.writeChapters, b.writeOthers} {
		if err := write(ctx, tx, seen); err != nil {
			return err
		}
	}
	return nil
}

// A version is that of a row, and when the server has last said so.
type version struct {
	number int
	seen   int64
}

// versions are those that the database has of some rows.
func versions(ctx context.Context, tx *transaction, table string, ids []uuid.UUID) (map[uuid.UUID]version, error) {
	known := make(map[uuid.UUID]version, len(ids))
	if len(ids) == 0 {
		return known, nil
	}
	query := fmt.Sprintf("SELECT id, version, seen FROM %s WHERE id IN %s", table, parameters(0, len(ids)))
	return known, each(ctx, tx, query, listed(ids), func(row *sql.Rows) error {
		var id uuid.UUID
		var v version
		if err := row.Scan(&id, &v.number, &v.seen); err != nil {
			return err
		}
		known[id] = v
		return nil
	})
}

// newer are the items that the database has in no newer version. One that has been asked for by its
// id is as the server says, unless the row has been written since then.
func newer[T any](ctx context.Context, tx *transaction, b *batch, table string, items []T, key func(*T) (uuid.UUID, int)) (kept []T, known map[uuid.UUID]version, err error) {
	ids := make([]uuid.UUID, len(items))
	for i := range items {
		ids[i], _ = key(&items[i])
	}
	if known, err = versions(ctx, tx, table, ids); err != nil {
		return nil, nil, err
	}
	for i := range items {
		id, number := key(&items[i])
		has, ok := known[id]
		asked, byID := b.asked[id]
		if !ok || has.number <= number || byID && asked == has.seen {
			kept = append(kept, items[i])
		}
	}
	return kept, known, nil
}

// replace takes the rows that belong to others out and puts new ones in their place.
func (t table) replace(ctx context.Context, tx *transaction, owners []any, rows [][]any) error {
	if len(owners) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s IN %s", t.name, t.columns[0], parameters(0, len(owners))), owners...); err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return t.put(ctx, tx, rows)
}

func (b *batch) writeManga(ctx context.Context, tx *transaction, seen int64) error {
	all, known, err := newer(ctx, tx, b, "manga", b.manga, func(m *api.Manga) (uuid.UUID, int) { return m.ID, m.Attributes.Version })
	if err != nil {
		return err
	}
	var ids []any
	var rows, names, tags, makers [][]any
	var people, covers, fresh []uuid.UUID
	owner := map[uuid.UUID]uuid.UUID{} // titles of the covers
	for i := range all {
		m, a := &all[i], &all[i].Attributes
		id := m.ID.String()
		cover, hasCover := m.Relationships.Cover()
		description, err := json.Marshal(a.Description)
		if err != nil {
			return err
		}
		ids = append(ids, id)
		rows = append(rows, []any{
			id, clean(reading.Title(a)), orNull(string(a.Status)), orNull(string(a.PublicationDemographic)), orNull(string(a.ContentRating)),
			orNull(a.OriginalLanguage), orNil(a.Year), optional(a.LastVolume), optional(a.LastChapter), a.ChapterNumbersResetOnNewVolume,
			idOrNull(cover.ID, hasCover), strings.ReplaceAll(clean(string(description)), `\u0000`, "\uFFFD"), moment(a.CreatedAt), moment(a.UpdatedAt), a.Version, seen,
		})
		place := 0
		for _, text := range append([]api.LocalizedString{a.Title}, a.AltTitles...) {
			for language, name := range text.All() {
				names = append(names, []any{id, place, clean(language), clean(name), fold(name)})
				place++
			}
		}
		for _, tag := range a.Tags {
			tags = append(tags, []any{id, tag.ID.String()})
		}
		for role, refs := range map[string][]api.Ref[api.AuthorAttributes]{"author": m.Relationships.Authors(), "artist": m.Relationships.Artists()} {
			for _, who := range refs {
				if who.ID != uuid.Nil {
					makers = append(makers, []any{id, role, who.ID.String()})
					people = append(people, who.ID)
				}
			}
		}
		if _, ok := known[m.ID]; !ok {
			fresh = append(fresh, m.ID)
		} else if hasCover && cover.ID != uuid.Nil {
			covers = append(covers, cover.ID)
			owner[cover.ID] = m.ID
		}
	}
	if err := mangaTable.put(ctx, tx, rows); err != nil {
		return err
	}
	for _, part := range []struct {
		table
		rows [][]any
	}{{nameTable, names}, {mangaTagTable, tags}, {makerTable, makers}} {
		if err := part.replace(ctx, tx, ids, part.rows); err != nil {
			return err
		}
	}
	unknown, err := without(ctx, tx, "cover", covers)
	if err != nil {
		return err
	}
	appeared := slices.Clone(fresh)
	for _, id := range unknown {
		fresh = append(fresh, owner[id])
	}
	if err := want(ctx, tx, "cover", fresh); err != nil {
		return err
	}
	if b.later {
		if err := want(ctx, tx, "chapter", appeared); err != nil {
			return err
		}
	}
	return wantUnknown(ctx, tx, "author", people)
}

func (b *batch) writeChapters(ctx context.Context, tx *transaction, seen int64) error {
	all, _, err := newer(ctx, tx, b, "chapter", b.chapters, func(c *api.Chapter) (uuid.UUID, int) { return c.ID, c.Attributes.Version })
	if err != nil {
		return err
	}
	var ids []any
	var rows, madeBy [][]any
	var groups, titles []uuid.UUID
	for i := range all {
		c, a := &all[i], &all[i].Attributes
		id := c.ID.String()
		manga, hasManga := c.Relationships.Manga()
		uploader, hasUploader := c.Relationships.Uploader()
		ids = append(ids, id)
		rows = append(rows, []any{
			id, idOrNull(manga.ID, hasManga), optional(a.Volume), optional(a.Chapter), optional(a.Title), orNull(a.TranslatedLanguage), a.Pages, optional(a.ExternalURL),
			a.IsUnavailable, moment(a.PublishAt), moment(a.ReadableAt), moment(a.CreatedAt), moment(a.UpdatedAt), idOrNull(uploader.ID, hasUploader), a.Version, seen,
		})
		if hasManga && manga.ID != uuid.Nil {
			titles = append(titles, manga.ID)
		}
		for _, group := range c.Relationships.Groups() {
			if group.ID != uuid.Nil {
				madeBy = append(madeBy, []any{id, group.ID.String()})
				groups = append(groups, group.ID)
			}
		}
	}
	if err := chapterTable.put(ctx, tx, rows); err != nil {
		return err
	}
	if err := madeByTable.replace(ctx, tx, ids, madeBy); err != nil {
		return err
	}
	if err := wantUnknown(ctx, tx, "manga", titles); err != nil {
		return err
	}
	return wantUnknown(ctx, tx, "scanlation_group", groups)
}

func (b *batch) writeOthers(ctx context.Context, tx *transaction, seen int64) error {
	authors, _, err := newer(ctx, tx, b, "author", b.authors, func(p *api.Author) (uuid.UUID, int) { return p.ID, p.Attributes.Version })
	if err != nil {
		return err
	}
	var rows [][]any
	for i := range authors {
		a := &authors[i].Attributes
		rows = append(rows, []any{authors[i].ID.String(), clean(a.Name), moment(a.CreatedAt), moment(a.UpdatedAt), a.Version, seen})
	}
	if err := authorTable.put(ctx, tx, rows); err != nil {
		return err
	}
	groups, _, err := newer(ctx, tx, b, "scanlation_group", b.groups, func(g *api.Group) (uuid.UUID, int) { return g.ID, g.Attributes.Version })
	if err != nil {
		return err
	}
	rows = nil
	for i := range groups {
		a := &groups[i].Attributes
		rows = append(rows, []any{groups[i].ID.String(), clean(a.Name), a.Official, a.Inactive, moment(a.CreatedAt), moment(a.UpdatedAt), a.Version, seen})
	}
	if err := groupTable.put(ctx, tx, rows); err != nil {
		return err
	}
	covers, _, err := newer(ctx, tx, b, "cover", b.covers, func(c *api.Cover) (uuid.UUID, int) { return c.ID, c.Attributes.Version })
	if err != nil {
		return err
	}
	rows = nil
	for i := range covers {
		a := &covers[i].Attributes
		manga, ok := covers[i].Relationships.Manga()
		rows = append(rows, []any{covers[i].ID.String(), idOrNull(manga.ID, ok), optional(a.Volume), optional(a.Locale), clean(a.FileName), moment(a.CreatedAt), moment(a.UpdatedAt), a.Version, seen})
	}
	return coverTable.put(ctx, tx, rows)
}

// fold is a name as a search compares it.
func fold(name string) string { return strings.ToLower(clean(name)) }

// without are the ids that a table does not have.
func without(ctx context.Context, tx *transaction, table string, ids []uuid.UUID) ([]uuid.UUID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	known, err := texts(ctx, tx, fmt.Sprintf("SELECT id FROM %s WHERE id IN %s", table, parameters(0, len(ids))), listed(ids)...)
	if err != nil {
		return nil, err
	}
	var unknown []uuid.UUID
	for _, id := range ids {
		if !known[id.String()] {
			unknown = append(unknown, id)
		}
	}
	return unknown, nil
}

// want notes what is to be fetched.
func want(ctx context.Context, tx *transaction, kind string, ids []uuid.UUID) error {
	var rows [][]any
	for _, id := range ids {
		rows = append(rows, []any{kind, id.String()})
	}
	return wantedTable.put(ctx, tx, rows)
}

// wantUnknown notes what is to be fetched if the table of the kind does not have it.
func wantUnknown(ctx context.Context, tx *transaction, kind string, ids []uuid.UUID) error {
	unknown, err := without(ctx, tx, kind, ids)
	if err != nil {
		return err
	}
	return want(ctx, tx, kind, unknown)
}
