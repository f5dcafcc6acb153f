package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"
)

// at once is how many ids are asked for: the library makes requests of a hundred of them, a few at
// once.
const atOnce = 400

// byIDs fetches what there is by its ids, and tells which of them there is nothing for.
func (m *mirror) byIDs(ctx context.Context, of string, ids []uuid.UUID) (b batch, missing []uuid.UUID, err error) {
	switch of {
	case "manga":
		b.manga, missing, err = m.client.GetMangaByIDs(ctx, ids)
	case "chapter":
		b.chapters, missing, err = m.client.GetChaptersByIDs(ctx, ids)
	case "author":
		b.authors, missing, err = m.client.GetAuthorsByIDs(ctx, ids)
	case "scanlation_group":
		b.groups, missing, err = m.client.GetGroupsByIDs(ctx, ids)
	case "cover":
		b.covers, missing, err = m.client.GetCoversByIDs(ctx, ids)
	}
	return b, missing, err
}

// due are rows that the server has not been asked for since a time, by id.
type due struct {
	ids  []uuid.UUID
	seen map[uuid.UUID]int64
}

func (m *mirror) due(ctx context.Context, query string, args ...any) (due, error) {
	d := due{seen: map[uuid.UUID]int64{}}
	return d, each(ctx, m.db, query, args, func(row *sql.Rows) error {
		var id uuid.UUID
		var seen int64
		if err := row.Scan(&id, &seen); err != nil {
			return err
		}
		d.ids = append(d.ids, id)
		d.seen[id] = seen
		return nil
	})
}

// check asks for the rows of a table that nothing has been heard of for a while. What the server
// does not have any more is deleted.
func (m *mirror) check(ctx context.Context, r run, t *task) error {
	from, to := rangeOf(t.work)
	before := r.began - m.patience.Milliseconds()
	at, after := int64(-1), from // where the last rows were, in the order of the query
	for {
		d, err := m.due(ctx, fmt.Sprintf(`SELECT id, seen FROM %s WHERE seen < $1 AND (seen, id) > ($2, $3)
			AND id >= $4 AND id < $5 ORDER BY seen, id LIMIT $6`, t.Of), before, at, after, from, to, atOnce)
		if err != nil {
			return err
		}
		if len(d.ids) == 0 {
			return m.db.progress(ctx, t, 0, true, nil)
		}
		found, missing, err := m.byIDs(ctx, t.Of, d.ids)
		if err != nil {
			return err
		}
		found.asked = d.seen
		err = m.db.progress(ctx, t, int64(len(d.ids)), false, func(tx *transaction, now int64) error {
			for _, id := range missing { // unless somebody has found it meanwhile
				if err := tx.prepared(ctx, "DELETE FROM "+t.Of+" WHERE id = $1 AND seen = $2", []any{id.String(), d.seen[id]}); err != nil {
					return err
				}
			}
			if err := found.write(ctx, tx, now); err != nil {
				return err
			}
			return markSeen(ctx, tx, t.Of, d, missing, now)
		})
		if err != nil {
			return err
		}
		last := d.ids[len(d.ids)-1]
		at, after = d.seen[last], last.String()
	}
}

// markSeen notes of what the server has that it was asked for, also where the database has a newer
// version, which stays.
func markSeen(ctx context.Context, tx *transaction, of string, d due, missing []uuid.UUID, now int64) error {
	gone := make(map[uuid.UUID]bool, len(missing))
	for _, id := range missing {
		gone[id] = true
	}
	for _, id := range d.ids {
		if !gone[id] {
			if err := tx.prepared(ctx, "UPDATE "+of+" SET seen = $1 WHERE id = $2 AND seen < $1", []any{now, id.String()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// wanted fetches what others refer to, and all covers of titles that are new, and all chapters of
// titles that have come back: these need not have been changed.
func (m *mirror) wanted(ctx context.Context, _ run, t *task) error {
	most := atOnce
	switch t.Of {
	case "cover":
		most = page // titles
	case "chapter":
		most = 1
	default: // it may have come by other ways
		err := m.db.progress(ctx, t, 0, false, func(tx *transaction, _ int64) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM wanted WHERE kind = $1 AND id IN (SELECT id FROM "+t.Of+")", t.Of)
			return err
		})
		if err != nil {
			return err
		}
	}
	for {
		d, err := m.due(ctx, "SELECT id, 0 FROM wanted WHERE kind = $1 ORDER BY id LIMIT $2", t.Of, most)
		if err != nil {
			return err
		}
		if len(d.ids) == 0 {
			return m.db.progress(ctx, t, 0, true, nil)
		}
		if err := m.fetchWanted(ctx, t, d.ids); err != nil {
			return err
		}
	}
}

func (m *mirror) fetchWanted(ctx context.Context, t *task, ids []uuid.UUID) error {
	var found batch
	var err error
	switch t.Of {
	case "cover":
		err = found.collect(coversOf(ctx, m.client, ids))
	case "chapter":
		for _, future := range []bool{false, true} {
			if err = found.collect(chapterList{m.client, future}.of(ctx, ids[0])); err != nil {
				break
			}
		}
	default:
		found, _, err = m.byIDs(ctx, t.Of, ids)
	}
	if err != nil {
		return err
	}
	found.later = t.Since != ""
	return m.db.progress(ctx, t, int64(found.len()), false, func(tx *transaction, now int64) error {
		if err := found.write(ctx, tx, now); err != nil {
			return err
		}
		for _, id := range ids {
			if err := tx.prepared(ctx, "DELETE FROM wanted WHERE kind = $1 AND id = $2", []any{t.Of, id.String()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// statistics fetches those of the titles whose statistics are missing or old.
func (m *mirror) statistics(ctx context.Context, r run, t *task) error {
	before := r.began - m.patience.Milliseconds()
	after := uuid.Nil.String()
	for {
		d, err := m.due(ctx, `SELECT manga.id, 0 FROM manga LEFT JOIN statistics ON statistics.manga_id = manga.id
			WHERE manga.id > $1 AND (statistics.seen IS NULL OR statistics.seen < $2) ORDER BY manga.id LIMIT $3`, after, before, atOnce)
		if err != nil {
			return err
		}
		if len(d.ids) == 0 {
			return m.db.progress(ctx, t, 0, true, nil)
		}
		found, err := m.client.GetMangaStatisticsByIDs(ctx, d.ids)
		if err != nil {
			return err
		}
		err = m.db.progress(ctx, t, int64(len(found)), false, func(tx *transaction, now int64) error {
			there, err := texts(ctx, tx, "SELECT id FROM manga WHERE id IN "+parameters(0, len(d.ids)), listed(d.ids)...)
			if err != nil {
				return err
			}
			var rows [][]any
			for id, s := range found {
				if !there[id.String()] {
					continue // it was deleted meanwhile
				}
				var comments any
				if s.Comments != nil {
					comments = s.Comments.RepliesCount
				}
				rows = append(rows, []any{id.String(), s.Follows, orNil(s.Rating.Average), orNil(s.Rating.Bayesian), comments, orNil(s.UnavailableChaptersCount), now})
			}
			return statTable.put(ctx, tx, rows)
		})
		if err != nil {
			return err
		}
		after = d.ids[len(d.ids)-1].String()
	}
}
