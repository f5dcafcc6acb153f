package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// popular lists what there is to fetch.
func popular(ctx context.Context, c *command.Command, client *api.Client, want selection) error {
	found, err := client.SearchManga(ctx, &api.SearchMangaParams{
		Limit:                       api.Ptr(20),
		AvailableTranslatedLanguage: want.languages,
		HasAvailableChapters:        api.Ptr(api.Yes),
		ContentRating:               want.ratings,
		Order:                       api.MangaOrder{}.FollowedCount(api.Desc),
	})
	if err != nil {
		return err
	}
	if len(found.Data) == 0 {
		return fmt.Errorf("there is no title with chapters in %s; try another -language", strings.Join(want.languages, " or "))
	}
	for i := range found.Data {
		c.Print("%s  %s", found.Data[i].ID, reading.Title(&found.Data[i].Attributes, want.languages...))
	}
	c.Note("name one of them: its id, or words of its title")
	return nil
}

// find finds a title and all of its chapters in the languages that are wanted. A single chapter that is meant
// becomes the one that is wanted.
func find(ctx context.Context, client *api.Client, what string, link reading.Link, isLink bool, want *selection) (*api.Manga, []api.Chapter, error) {
	if isLink && link.Old > 0 {
		id, err := today(ctx, client, link)
		if err != nil {
			return nil, nil, err
		}
		link.ID = id
	}
	if !isLink {
		manga, err := search(ctx, client, what, want)
		if err != nil {
			return nil, nil, err
		}
		return want.feed(ctx, client, manga)
	}
	if link.Kind != api.ResourceTypeChapter {
		manga, err := client.GetManga(ctx, link.ID, &api.GetMangaParams{Includes: about})
		if err == nil {
			return want.feed(ctx, client, &manga.Data)
		}
		if link.Kind == api.ResourceTypeManga || !errors.Is(err, api.ErrNotFound) {
			return nil, nil, err
		}
	}
	return single(ctx, client, link.ID, want)
}

// about are who wrote and who drew a title, for the archives, and its cover, for series.json.
var about = []api.Include{api.IncludeAuthor, api.IncludeArtist, api.IncludeCoverArt}

// today finds the id that took the place of an old one.
func today(ctx context.Context, client *api.Client, link reading.Link) (uuid.UUID, error) {
	kind := api.LegacyTypeManga
	if link.Kind == api.ResourceTypeChapter {
		kind = api.LegacyTypeChapter
	}
	found, err := client.MapLegacyIDs(ctx, api.LegacyMappingRequest{Type: kind, IDs: []int{link.Old}})
	if err != nil {
		return uuid.Nil, err
	}
	if len(found.Data) == 0 || found.Data[0].Attributes.NewID == uuid.Nil {
		return uuid.Nil, fmt.Errorf("there is nothing with the old id %d any more; search for it by words", link.Old)
	}
	return found.Data[0].Attributes.NewID, nil
}

// single finds a chapter by its id, and the others of its title, which its name depends on.
func single(ctx context.Context, client *api.Client, id uuid.UUID, want *selection) (*api.Manga, []api.Chapter, error) {
	chapter, err := client.GetChapter(ctx, id, &api.GetChapterParams{
		Includes: []api.Include{api.IncludeManga, api.IncludeScanlationGroup},
	})
	if errors.Is(err, api.ErrNotFound) {
		return nil, nil, fmt.Errorf("there is no title or chapter %s", id)
	}
	if err != nil {
		return nil, nil, err
	}
	want.only, want.languages = id, []string{chapter.Data.Attributes.TranslatedLanguage}
	ref, ok := chapter.Data.Relationships.Manga()
	if !ok {
		return &api.Manga{}, []api.Chapter{chapter.Data}, nil
	}
	manga, err := client.GetManga(ctx, ref.ID, &api.GetMangaParams{Includes: about})
	if err != nil {
		return nil, nil, err
	}
	found, chapters, err := want.feed(ctx, client, &manga.Data)
	if err != nil {
		return nil, nil, err
	}
	for i := range chapters {
		if chapters[i].ID == id {
			return found, chapters, nil
		}
	}
	return found, append(chapters, chapter.Data), nil // feeds leave some out
}

// search finds the title that is meant: the only one there is, or the one that is called just so.
func search(ctx context.Context, client *api.Client, title string, want *selection) (*api.Manga, error) {
	found, err := client.SearchManga(ctx, &api.SearchMangaParams{
		Title:         &title,
		Limit:         api.Ptr(20),
		ContentRating: want.ratings,
		Order:         api.MangaOrder{}.Relevance(api.Desc),
		Includes:      about,
	})
	switch {
	case err != nil:
		return nil, err
	case len(found.Data) == 0:
		hint := "; pornographic titles are found with -rating all only"
		if want.ratings != nil {
			hint = ""
		}
		return nil, fmt.Errorf("no title matches %q; try other words, or a link%s", reading.Short(title, 200), hint)
	case len(found.Data) == 1:
		return &found.Data[0], nil
	}
	var same []*api.Manga
	var names []string
	for i := range found.Data {
		manga := &found.Data[i]
		if isCalled(manga, title) {
			same = append(same, manga)
		}
		if len(names) < 5 {
			names = append(names, fmt.Sprintf("%s (%s)", reading.Short(reading.Title(&manga.Attributes, want.languages...), 100), manga.ID))
		}
	}
	if len(same) == 1 {
		return same[0], nil
	}
	return nil, fmt.Errorf("%d titles match %q, such as %s; give the id of one", found.Total, reading.Short(title, 200), strings.Join(names, ", "))
}

func isCalled(manga *api.Manga, title string) bool {
	for _, names := range append([]api.LocalizedString{manga.Attributes.Title}, manga.Attributes.AltTitles...) {
		for _, name := range names.All() {
			if strings.EqualFold(name, title) {
				return true
			}
		}
	}
	return false
}
