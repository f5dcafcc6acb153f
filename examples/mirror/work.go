package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// page is how many items are written at once.
const page = 100

// jobs are what tasks are about.
var jobs = map[string]func(m *mirror, ctx context.Context, r run, t *task) error{
	"tags": (*mirror).tags, "custom list": (*mirror).customList, "list": (*mirror).list, "recent": (*mirror).recent,
	"check": (*mirror).check, "wanted": (*mirror).wanted, "statistics": (*mirror).statistics,
}

// list copies a part of a list. The part is whole when the walk over it was, or when it has brought
// as many items as the server counts; otherwise it is walked over again.
func (m *mirror) list(ctx context.Context, _ run, t *task) error {
	l := lists(m.client)[t.Of]
	created, changed := since(t.From, time.Second), since(t.Since, overlap)
	for range 3 {
		if err := m.db.progress(ctx, t, -t.items, false, nil); err != nil { // another attempt
			return err
		}
		t.items = 0
		met := map[uuid.UUID]bool{}
		bound, err := time.Parse(timeLayout, t.To)
		bounded := err == nil
		err = m.copy(ctx, t, !bounded, func(yield func(item, error) bool) {
			for one, err := range l.all(ctx, created, changed) {
				if err == nil && bounded && !one.created.Before(bound) || !yield(one, err) {
					return
				}
				met[one.id] = true
			}
		})
		if err != nil || !bounded {
			return err
		}
		_, all, err := l.at(ctx, created, changed, 0)
		if err != nil {
			return err
		}
		_, behind, err := l.at(ctx, api.Since(bound.Add(-time.Second)), changed, 0)
		if err != nil {
			return err
		}
		if len(met) >= all-behind {
			return m.db.progress(ctx, t, 0, true, nil)
		}
	}
	return fmt.Errorf("the server leaves something out of its list of %s from %s; try again later", t.Of, t.From)
}

// copy writes what comes, page by page, and that the task is done with the last one if that is so.
func (m *mirror) copy(ctx context.Context, t *task, done bool, all iter.Seq2[item, error]) error {
	b := batch{later: t.Since != ""}
	flush := func(done bool) error {
		n := int64(b.len())
		err := m.db.progress(ctx, t, n, done, func(tx *transaction, now int64) error { return b.write(ctx, tx, now) })
		t.items += n
		b = batch{later: b.later}
		return err
	}
	for one, err := range all {
		if err != nil {
			return err
		}
		if one.add(&b); b.len() == page {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
	return flush(done)
}

// recent are the lists that are read from the newest item on.
var recent = map[string]func(context.Context, *api.Client) iter.Seq2[item, error]{
	"readable": becameReadable, "scanlation_group": changedGroups, "cover": changedCovers,
}

// recent copies what is newer than the mark of a list. If that is more than the server shows, all of
// it is looked at.
func (m *mirror) recent(ctx context.Context, _ run, t *task) error {
	mark := since(t.Since, overlap).Time
	err := m.copy(ctx, t, true, func(yield func(item, error) bool) {
		for one, err := range recent[t.Of](ctx, m.client) {
			if err == nil && one.updated.Before(mark) || !yield(one, err) {
				return
			}
		}
	})
	if !errors.Is(err, api.ErrTooManyResults) {
		return err
	}
	var more []task
	if t.Of == "readable" {
		if more, err = fullTasks(ctx, m.client, "chapter"); err != nil {
			return err
		}
	}
	return m.db.progress(ctx, t, 0, true, func(tx *transaction, _ int64) error {
		switch t.Of {
		case "cover":
			_, err := tx.ExecContext(ctx, "INSERT INTO wanted (kind, id) SELECT 'cover', id FROM manga WHERE true ON CONFLICT DO NOTHING")
			return err
		case "scanlation_group":
			_, err := tx.ExecContext(ctx, "UPDATE scanlation_group SET seen = 0")
			return err
		}
		return addTasks(ctx, tx, t.run, more)
	})
}

func (m *mirror) tags(ctx context.Context, _ run, t *task) error {
	all, err := m.client.ListTags(ctx)
	if err != nil {
		return err
	}
	rows := make([][]any, len(all.Data))
	for i, tag := range all.Data {
		rows[i] = []any{tag.ID.String(), clean(tag.Attributes.Name.String()), orNull(string(tag.Attributes.Group))}
	}
	return m.db.progress(ctx, t, int64(len(rows)), true, func(tx *transaction, _ int64) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM tag"); err != nil {
			return err
		}
		return tagTable.put(ctx, tx, rows)
	})
}

// customList copies a custom list that everybody may see.
func (m *mirror) customList(ctx context.Context, _ run, t *task) error {
	id, err := uuid.Parse(t.From)
	if err != nil {
		return err
	}
	answer, err := m.client.GetCustomList(ctx, id, nil)
	found, err := api.Found(err)
	if err != nil {
		return err
	}
	return m.db.progress(ctx, t, 1, true, func(tx *transaction, _ int64) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM custom_list WHERE id = $1", id.String()); err != nil || !found {
			return err
		}
		if err := listTable.put(ctx, tx, [][]any{{id.String(), clean(answer.Data.Attributes.Name)}}); err != nil {
			return err
		}
		var rows [][]any
		for _, manga := range answer.Data.Relationships.AllManga() {
			if manga.ID != uuid.Nil {
				rows = append(rows, []any{id.String(), manga.ID.String()})
			}
		}
		return listMangaTable.put(ctx, tx, rows)
	})
}
