package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const (
	// maxFailures is how many titles in a row may fail before it is given up: then it is not they.
	maxFailures = 5
)

// restore makes the library hold what the records say. The failure of one title does not end it.
func restore(ctx context.Context, c *command.Command, client *api.Client, wanted []record, dryRun bool) error {
	present, gone, err := lookUp(ctx, client, wanted)
	if err != nil {
		return err
	}
	var failure error
	changes, unknown, failed, row := 0, 0, 0, 0
	for _, w := range wanted {
		did, err := w.apply(ctx, client, present[w.ID], dryRun)
		if len(did) > 0 {
			c.Print("%s  %s: %s", w.ID, w.Title, strings.Join(did, ", "))
			changes++
		}
		switch {
		case err == nil:
			row = 0
		case errors.Is(err, api.ErrNotFound):
			c.Note("%s %s is not on MangaDex any more", w.ID, w.Title)
			unknown++
		case ctx.Err() != nil, errors.As(err, new(*authn.UnauthorizedError)):
			return err
		default:
			c.Note("%s %s: %s", w.ID, w.Title, c.Explain(err))
			failed++
			if failure = err; row+1 == maxFailures {
				return err
			}
			row++
		}
	}
	if gone > 0 {
		c.Note("%d read chapters are not on MangaDex any more", gone)
	}
	what := "changed"
	if dryRun {
		what = "would change"
	}
	c.Note("%s: %d of %d titles", what, changes, len(wanted))
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d titles failed, and the others are done; the last: %w", failed, len(wanted), failure)
	case unknown > 0:
		c.Unfinished = ""
		return fmt.Errorf("%d of %d titles are not on MangaDex any more", unknown, len(wanted))
	}
	return nil
}

// lookUp returns what the library has of some titles. Of Read it is what is missing there, and still
// on MangaDex; gone is how many chapters are not.
func lookUp(ctx context.Context, client *api.Client, wanted []record) (present map[uuid.UUID]record, gone int, err error) {
	present = make(map[uuid.UUID]record, len(wanted))
	var ids, withProgress []uuid.UUID
	for _, w := range wanted {
		ids = append(ids, w.ID)
		if len(w.Read) > 0 {
			withProgress = append(withProgress, w.ID)
		}
	}
	followed := map[uuid.UUID]bool{}
	for manga, err := range client.ListFollowedMangaAll(ctx, nil) {
		if err != nil {
			return nil, 0, err
		}
		followed[manga.ID] = true
	}
	statuses, err := client.ListReadingStatuses(ctx, nil)
	if err != nil {
		return nil, 0, err
	}
	ratings, err := client.GetRatingsByIDs(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	markers, err := client.GetReadMarkersByIDs(ctx, withProgress)
	if err != nil {
		return nil, 0, err
	}
	missing := map[uuid.UUID][]uuid.UUID{}
	var chapters []uuid.UUID
	for _, w := range wanted {
		read := map[uuid.UUID]bool{}
		for _, id := range markers[w.ID] {
			read[id] = true
		}
		for _, id := range w.Read {
			if !read[id] {
				read[id] = true
				missing[w.ID] = append(missing[w.ID], id)
				chapters = append(chapters, id)
			}
		}
	}
	_, lost, err := client.GetChaptersByIDs(ctx, chapters)
	if err != nil {
		return nil, 0, err
	}
	isLost := map[uuid.UUID]bool{}
	for _, id := range lost {
		isLost[id] = true
	}
	for _, id := range ids {
		present[id] = record{
			ID: id, Followed: followed[id], Status: string(statuses.Statuses[id]), Rating: ratings[id].Rating,
			Read: slices.DeleteFunc(missing[id], func(id uuid.UUID) bool { return isLost[id] }),
		}
	}
	return present, len(isLost), nil
}

// apply changes what differs from what is there, and returns what that was. What fails does not keep
// it from the rest, except where there is no such title.
func (r record) apply(ctx context.Context, client *api.Client, there record, dryRun bool) (did []string, err error) {
	step := func(needed bool, what string, do func() error) {
		if !needed || errors.Is(err, api.ErrNotFound) || ctx.Err() != nil {
			return
		}
		if !dryRun {
			if failure := do(); failure != nil {
				err = errors.Join(err, failure)
				return
			}
		}
		did = append(did, what)
	}
	step(r.Followed && !there.Followed, "follow", func() error { return client.FollowManga(ctx, r.ID) })
	step(r.Status != "" && r.Status != there.Status, "status "+r.Status, func() error {
		return client.SetReadingStatus(ctx, r.ID, api.ReadingStatusEdit{Status: api.Value(api.ReadingStatus(r.Status))})
	})
	step(r.Rating != 0 && r.Rating != there.Rating, fmt.Sprintf("rating %d", r.Rating), func() error {
		return client.SetRating(ctx, r.ID, api.RatingEdit{Rating: r.Rating})
	})
	step(len(there.Read) > 0, fmt.Sprintf("%d chapters read", len(there.Read)), func() error {
		return client.MarkChapters(ctx, r.ID, nil, api.ReadMarkersEdit{Read: there.Read})
	})
	return did, err
}
