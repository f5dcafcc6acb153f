package api

import (
	"context"

	"github.com/google/uuid"
)

// EditCustomList changes a custom list. It reads the list, calls change with an edit that holds the
// present values, and sends that edit.
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
			return CustomListEdit{Name: &a.Name, Visibility: &a.Visibility, Manga: list.Data.Relationships.ids(ResourceTypeManga), Version: a.Version}
		},
		version: func(e *CustomListEdit) *int { return &e.Version },
		write:   func(e CustomListEdit) (*CustomListResponse, error) { return c.UpdateCustomList(ctx, id, e, editors...) },
	})
}

// EditChapter changes the details of a chapter, as [Client.EditCustomList] does for a list. Package
// upload changes its pages.
func (c *Client) EditChapter(ctx context.Context, id uuid.UUID, change func(edit *ChapterEdit) error, editors ...RequestEditorFn) (*ChapterResponse, error) {
	return edit(change, editing[ChapterEdit, ChapterResponse]{
		read: func() (*ChapterResponse, error) { return c.GetChapter(ctx, id, nil, editors...) },
		present: func(chapter *ChapterResponse) ChapterEdit {
			a := chapter.Data.Attributes
			e := ChapterEdit{
				Volume: valueOrNull(a.Volume), Chapter: valueOrNull(a.Chapter), Title: valueOrNull(a.Title),
				Groups: chapter.Data.Relationships.ids(ResourceTypeScanlationGroup), Version: a.Version,
			}
			if a.TranslatedLanguage != "" {
				e.TranslatedLanguage = &a.TranslatedLanguage
			}
			return e
		},
		version: func(e *ChapterEdit) *int { return &e.Version },
		write:   func(e ChapterEdit) (*ChapterResponse, error) { return c.UpdateChapter(ctx, id, e, editors...) },
	})
}

// EditManga changes a title, as [Client.EditCustomList] does a list. PrimaryCover is not set, so that
// the cover stays.
func (c *Client) EditManga(ctx context.Context, id uuid.UUID, change func(edit *MangaEdit) error, editors ...RequestEditorFn) (*MangaResponse, error) {
	return edit(change, editing[MangaEdit, MangaResponse]{
		read: func() (*MangaResponse, error) { return c.GetManga(ctx, id, nil, editors...) },
		present: func(manga *MangaResponse) MangaEdit {
			a := manga.Data.Attributes
			e := MangaEdit{
				Title: a.Title, AltTitles: a.AltTitles, Description: a.Description, Links: a.Links, OfficialLinks: a.OfficialLinks,
				Authors: manga.Data.Relationships.ids(ResourceTypeAuthor), Artists: manga.Data.Relationships.ids(ResourceTypeArtist),
				Tags: []uuid.UUID{}, OriginalLanguage: set(a.OriginalLanguage), ContentRating: set(a.ContentRating), Status: set(a.Status),
				LastVolume: valueOrNull(a.LastVolume), LastChapter: valueOrNull(a.LastChapter), Year: valueOrNull(a.Year),
				PublicationDemographic:         valueOrNull(set(a.PublicationDemographic)),
				ChapterNumbersResetOnNewVolume: &a.ChapterNumbersResetOnNewVolume, Version: a.Version,
			}
			for _, tag := range a.Tags {
				e.Tags = append(e.Tags, tag.ID)
			}
			return e
		},
		version: func(e *MangaEdit) *int { return &e.Version },
		write:   func(e MangaEdit) (*MangaResponse, error) { return c.UpdateManga(ctx, id, e, editors...) },
	})
}

// EditAuthor changes an author or artist, as [Client.EditCustomList] does a list.
func (c *Client) EditAuthor(ctx context.Context, id uuid.UUID, change func(edit *AuthorEdit) error, editors ...RequestEditorFn) (*AuthorResponse, error) {
	return edit(change, editing[AuthorEdit, AuthorResponse]{
		read: func() (*AuthorResponse, error) { return c.GetAuthor(ctx, id, nil, editors...) },
		present: func(author *AuthorResponse) AuthorEdit {
			a := author.Data.Attributes
			return AuthorEdit{
				Name: set(a.Name), Biography: a.Biography, Booth: valueOrNull(a.Booth), FanBox: valueOrNull(a.FanBox), Fantia: valueOrNull(a.Fantia),
				MelonBook: valueOrNull(a.MelonBook), Naver: valueOrNull(a.Naver), NicoVideo: valueOrNull(a.NicoVideo), Pixiv: valueOrNull(a.Pixiv),
				Skeb: valueOrNull(a.Skeb), Tumblr: valueOrNull(a.Tumblr), Twitter: valueOrNull(a.Twitter), Website: valueOrNull(a.Website),
				Weibo: valueOrNull(a.Weibo), Youtube: valueOrNull(a.Youtube), Version: a.Version,
			}
		},
		version: func(e *AuthorEdit) *int { return &e.Version },
		write:   func(e AuthorEdit) (*AuthorResponse, error) { return c.UpdateAuthor(ctx, id, e, editors...) },
	})
}

// EditGroup changes a scanlation group, as [Client.EditCustomList] does a list. Leader and Locked are
// not set, because not everybody who may edit a group may set them.
func (c *Client) EditGroup(ctx context.Context, id uuid.UUID, change func(edit *GroupEdit) error, editors ...RequestEditorFn) (*GroupResponse, error) {
	return edit(change, editing[GroupEdit, GroupResponse]{
		read: func() (*GroupResponse, error) { return c.GetGroup(ctx, id, nil, editors...) },
		present: func(group *GroupResponse) GroupEdit {
			a := group.Data.Attributes
			e := GroupEdit{
				Name: set(a.Name), Description: valueOrNull(a.Description), ContactEmail: valueOrNull(a.ContactEmail), Discord: valueOrNull(a.Discord),
				IrcChannel: valueOrNull(a.IrcChannel), IrcServer: valueOrNull(a.IrcServer), MangaUpdates: valueOrNull(a.MangaUpdates),
				Twitter: valueOrNull(a.Twitter), Website: valueOrNull(a.Website), Inactive: &a.Inactive, PublishDelay: a.PublishDelay,
				Members: group.Data.Relationships.ids(ResourceTypeMember), Version: a.Version,
			}
			if a.FocusedLanguages != nil {
				e.FocusedLanguages = Value(a.FocusedLanguages)
			}
			return e
		},
		version: func(e *GroupEdit) *int { return &e.Version },
		write:   func(e GroupEdit) (*GroupResponse, error) { return c.UpdateGroup(ctx, id, e, editors...) },
	})
}

// EditCover changes the details of a cover, by the id of the cover, as [Client.EditCustomList] does a
// list.
func (c *Client) EditCover(ctx context.Context, id uuid.UUID, change func(edit *CoverEdit) error, editors ...RequestEditorFn) (*CoverResponse, error) {
	return edit(change, editing[CoverEdit, CoverResponse]{
		read: func() (*CoverResponse, error) { return c.GetCover(ctx, id, nil, editors...) },
		present: func(cover *CoverResponse) CoverEdit {
			a := cover.Data.Attributes
			return CoverEdit{Volume: valueOrNull(a.Volume), Description: valueOrNull(a.Description), Locale: valueOrNull(a.Locale), Version: a.Version}
		},
		version: func(e *CoverEdit) *int { return &e.Version },
		write:   func(e CoverEdit) (*CoverResponse, error) { return c.UpdateCover(ctx, id, e, editors...) },
	})
}

// ids are those of the relationships of one type.
func (rs Relationships) ids(t ResourceType) []uuid.UUID {
	ids := []uuid.UUID{}
	for r := range rs.OfType(t) {
		ids = append(ids, r.ID)
	}
	return ids
}

// set points to a value, nil for the zero value, which the server has for nothing.
func set[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}
