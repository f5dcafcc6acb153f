package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// A ConflictError says that an edit was refused because its version is not the current one. It is
// [ErrConflict].
type ConflictError struct {
	Sent    int   // version of the edit
	Current int   // version that the server has; zero if it could not be read
	Err     error // the answer, an *[Error]
}

// Error adds the versions to the answer.
func (e *ConflictError) Error() string {
	if e.Current == 0 {
		return fmt.Sprintf("%v; the edit was of version %d: read it again and edit that", e.Err, e.Sent)
	}
	return fmt.Sprintf("%v; the edit was of version %d, and %d is current: read it again and edit that", e.Err, e.Sent, e.Current)
}

// Unwrap returns the answer.
func (e *ConflictError) Unwrap() error { return e.Err }

// EditCustomList changes a custom list. It reads the list, has change alter an edit that holds its
// present values, and writes that.
//
//	_, err := client.EditCustomList(ctx, id, func(edit *api.CustomListEdit) error {
//		edit.Manga = append(edit.Manga, manga)
//		return nil
//	})
//
// If somebody changed the list meanwhile, all of this is done once more; if that fails in the same
// way, the error is a [ConflictError]. An error of change ends it and is returned as it is.
func (c *Client) EditCustomList(ctx context.Context, id uuid.UUID, change func(edit *CustomListEdit) error, editors ...RequestEditorFn) (*CustomListResponse, error) {
	return edit(change, editing[CustomListEdit, CustomListResponse]{
		read: func() (*CustomListResponse, error) { return c.GetCustomList(ctx, id, nil, editors...) },
		present: func(list *CustomListResponse) CustomListEdit {
			a := list.Data.Attributes
			e := CustomListEdit{Name: &a.Name, Visibility: &a.Visibility, Manga: []uuid.UUID{}, Version: a.Version}
			for _, manga := range list.Data.Relationships.AllManga() {
				e.Manga = append(e.Manga, manga.ID)
			}
			return e
		},
		version: func(e *CustomListEdit) *int { return &e.Version },
		write:   func(e CustomListEdit) (*CustomListResponse, error) { return c.UpdateCustomList(ctx, id, e, editors...) },
	})
}

// EditChapter changes what is said of a chapter, as [Client.EditCustomList] does for a list. Package
// upload changes its pages.
func (c *Client) EditChapter(ctx context.Context, id uuid.UUID, change func(edit *ChapterEdit) error, editors ...RequestEditorFn) (*ChapterResponse, error) {
	return edit(change, editing[ChapterEdit, ChapterResponse]{
		read: func() (*ChapterResponse, error) { return c.GetChapter(ctx, id, nil, editors...) },
		present: func(chapter *ChapterResponse) ChapterEdit {
			a := chapter.Data.Attributes
			e := ChapterEdit{
				Volume: valueOrNull(a.Volume), Chapter: valueOrNull(a.Chapter), Title: valueOrNull(a.Title),
				Groups: []uuid.UUID{}, Version: a.Version,
			}
			if a.TranslatedLanguage != "" {
				e.TranslatedLanguage = &a.TranslatedLanguage
			}
			for _, group := range chapter.Data.Relationships.Groups() {
				e.Groups = append(e.Groups, group.ID)
			}
			return e
		},
		version: func(e *ChapterEdit) *int { return &e.Version },
		write:   func(e ChapterEdit) (*ChapterResponse, error) { return c.UpdateChapter(ctx, id, e, editors...) },
	})
}

// editing is how to edit a resource R by an E.
type editing[E, R any] struct {
	read    func() (*R, error)
	present func(*R) E // an edit that changes nothing
	version func(*E) *int
	write   func(E) (*R, error)
}

// edit reads, changes and writes, and does so once more after a conflict.
func edit[E, R any](change func(*E) error, on editing[E, R]) (*R, error) {
	current, err := on.read()
	if err != nil {
		return nil, err
	}
	var refused *ConflictError
	for range 2 {
		e := on.present(current)
		sent := *on.version(&e)
		if err := change(&e); err != nil {
			return nil, err
		}
		*on.version(&e) = sent
		written, err := on.write(e)
		if err == nil || !errors.Is(err, ErrConflict) {
			return written, err
		}
		refused = &ConflictError{Sent: sent, Err: err}
		if current, err = on.read(); err != nil {
			return nil, refused
		}
		now := on.present(current)
		refused.Current = *on.version(&now)
		// The answer to a write that succeeded may have been lost, and its repetition refused.
		if *on.version(&now) = sent; same(e, now) {
			return current, nil
		}
	}
	return nil, refused
}

// same reports whether two edits are written alike.
func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
