// Download saves chapters, as folders of pages or as comic book archives.
//
//	go run ./examples/download                         # titles of the fake MangaDex
//	go run ./examples/download -cbz wandering bakery  # the chapters of one of them
//	go run ./examples/download -live -cbz -chapters 1-5 https://mangadex.org/title/…
package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const usage = `[flags] [title]

The title is some words to search for, an id, or a link to a title or a chapter, such as
https://mangadex.org/title/{id}. Without one, the most followed titles are listed.

Chapters go to a folder for the title. What is there already is not fetched again, so the same
command goes on after an interruption. The paths of finished chapters are printed. Fetch a title with
one command at a time: two take each other's unfinished files for those of an interruption.`

func main() { command.Main("download", usage, run) }

func run(ctx context.Context, c *command.Command) error {
	var want selection
	var how saving
	languages := c.String("language", "en", "fetch chapters in these languages, such as en or en,pt-br: `codes` with commas between")
	c.StringVar(&want.group, "group", "", "fetch chapters of this group only: its `name` or id")
	ranges := c.String("chapters", "", "fetch these `numbers` only, such as 1-5,7,10.5-")
	c.IntVar(&want.latest, "latest", 0, "fetch the newest `n` chapters only")
	list := c.Bool("list", false, "list the chapters instead of fetching them")
	c.StringVar(&how.folder, "o", ".", "save in this `folder`")
	c.BoolVar(&how.cbz, "cbz", false, "save comic book archives instead of folders of pages")
	c.BoolVar(&how.dataSaver, "data-saver", false, "fetch smaller pages of lower quality")
	c.IntVar(&how.jobs, "jobs", 2, "fetch `n` chapters at once, 1 to 8")
	if err := c.Parse(); err != nil {
		return err
	}
	var err error
	if want.languages, err = command.ParseLanguages(*languages); err != nil {
		return err
	}
	if want.ranges, err = parseRanges(*ranges); err != nil {
		return err
	}
	if how.jobs < 1 || how.jobs > 8 {
		return command.Usagef("-jobs is %d; it can be 1 to 8", how.jobs)
	}
	if want.latest < 0 {
		return command.Usagef("-latest is %d; it cannot be negative", want.latest)
	}
	what := strings.TrimSpace(strings.Join(c.Args(), " "))
	_, kind, isID := command.ParseID(what)
	if isID && kind != "" && kind != "title" && kind != "chapter" || !isID && command.IsLink(what) {
		return command.Usagef("%s is not a link to a title or a chapter, like https://mangadex.org/title/{id}", what)
	}

	client, err := c.Client()
	if err != nil {
		return err
	}
	if what == "" {
		return popular(ctx, c, client, want.languages)
	}
	manga, chapters, err := find(ctx, client, what, want)
	if err != nil {
		return err
	}
	if *list {
		for _, chapter := range chapters {
			fmt.Fprintf(c.Stdout, "%s  %s, %d pages\n", chapter.ID, chapterName(chapter), chapter.Attributes.Pages)
		}
		return nil
	}
	how.folder = filepath.Join(how.folder, mangaName(manga))
	return how.save(ctx, c, client, chapters)
}

// popular lists what there is to fetch.
func popular(ctx context.Context, c *command.Command, client *api.Client, languages []string) error {
	found, err := client.SearchManga(ctx, &api.SearchMangaParams{
		Limit:                       api.Ptr(20),
		AvailableTranslatedLanguage: languages,
		HasAvailableChapters:        api.Ptr(api.Yes),
		Order:                       api.MangaOrder{}.FollowedCount(api.Desc),
	})
	if err != nil {
		return err
	}
	if len(found.Data) == 0 {
		return fmt.Errorf("there is no title with chapters in %s; try another -language", strings.Join(languages, " or "))
	}
	for _, manga := range found.Data {
		fmt.Fprintf(c.Stdout, "%s  %s\n", manga.ID, manga.Attributes.Title.In(languages...))
	}
	c.Note("name one of them: its id, or words of its title")
	return nil
}

// find finds a title and those of its chapters that are wanted.
func find(ctx context.Context, client *api.Client, what string, want selection) (*api.Manga, []api.Chapter, error) {
	id, kind, ok := command.ParseID(what)
	if !ok {
		manga, err := search(ctx, client, what, want.languages)
		if err != nil {
			return nil, nil, err
		}
		chapters, err := want.chapters(ctx, client, manga)
		return manga, chapters, err
	}
	if kind != "chapter" {
		manga, err := client.GetManga(ctx, id, nil)
		if err == nil {
			chapters, err := want.chapters(ctx, client, &manga.Data)
			return &manga.Data, chapters, err
		}
		if kind == "title" || !errors.Is(err, api.ErrNotFound) {
			return nil, nil, err
		}
	}
	return single(ctx, client, id)
}

// single finds a chapter by its id.
func single(ctx context.Context, client *api.Client, id uuid.UUID) (*api.Manga, []api.Chapter, error) {
	chapter, err := client.GetChapter(ctx, id, &api.GetChapterParams{
		Includes: []api.ChapterInclude{api.ChapterIncludeManga, api.ChapterIncludeScanlationGroup},
	})
	if errors.Is(err, api.ErrNotFound) {
		return nil, nil, fmt.Errorf("there is no title or chapter %s", id)
	}
	if err != nil {
		return nil, nil, err
	}
	manga := &api.Manga{}
	if ref, ok := chapter.Data.Relationships.Manga(); ok && ref.Attributes != nil {
		manga.ID, manga.Attributes = ref.ID, *ref.Attributes
	}
	return manga, []api.Chapter{chapter.Data}, nil
}

// search finds the title that is meant: the only one there is, or the one that is called just so.
func search(ctx context.Context, client *api.Client, title string, languages []string) (*api.Manga, error) {
	found, err := client.SearchManga(ctx, &api.SearchMangaParams{
		Title: &title,
		Limit: api.Ptr(20),
		Order: api.MangaOrder{}.Relevance(api.Desc),
	})
	switch {
	case err != nil:
		return nil, err
	case len(found.Data) == 0:
		return nil, fmt.Errorf("no title matches %q; try other words, or a link", title)
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
			names = append(names, fmt.Sprintf("%s (%s)", manga.Attributes.Title.In(languages...), manga.ID))
		}
	}
	if len(same) == 1 {
		return same[0], nil
	}
	return nil, fmt.Errorf("%d titles match %q, such as %s; give the id of one", found.Total, title, strings.Join(names, ", "))
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
