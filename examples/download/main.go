// Download saves chapters, as folders of pages or as comic book archives, and keeps them right.
//
//	go run ./examples/download                         # titles of the fake MangaDex
//	go run ./examples/download -cbz wandering bakery  # the chapters of one of them
//	go run ./examples/download -live -cbz -chapters 1-5 https://mangadex.org/title/…
package main

import (
	"context"
	"slices"
	"strings"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const usage = `[flags] [title]

The title is some words to search for, an id, or a link to a title or a chapter, such as
https://mangadex.org/title/{id}. Without one, the most followed titles are listed.

Chapters go to a folder for the title, which has an index, mangadex.json. What is there already is not
fetched again, so the same command goes on after an interruption, and keeps a folder right for years: it
gives chapters and the folder today's names, fetches pages that were replaced or are damaged, and puts full
quality in the place of smaller pages. Of several versions of a chapter the one that is there stays, unless
-group or -not-group prefer another. What MangaDex does not have any more stays, and is told.

The paths of finished chapters are printed. The status is 1 if something is missing.`

func main() { command.Main("download", usage, run) }

func run(ctx context.Context, c *command.Command) error {
	var want selection
	var how saving
	languages := c.String("language", "en", "fetch chapters in these languages, such as en or en,pt-br: `codes` with commas between")
	groups := c.String("group", "", "prefer versions by these groups, the best first: `names` or ids with commas between")
	avoided := c.String("not-group", "", "fetch no versions by these groups: `names` or ids with commas between")
	ranges := c.String("chapters", "", "fetch these `numbers` only, such as 1-5,7,10.5-")
	c.IntVar(&want.latest, "latest", 0, "fetch the newest `n` chapters only, of those that can be read on MangaDex")
	c.BoolVar(&want.versions, "versions", false, "fetch all versions of a chapter instead of one")
	ratings := c.String("rating", "", "find titles of these content `ratings` by words, such as safe,erotica, or all (default all but pornographic)")
	list := c.Bool("list", false, "list the chapters, with their versions, instead of fetching them")
	c.BoolVar(&how.json, "json", false, "print a JSON object for each chapter, for programs")
	c.StringVar(&how.folder, "o", ".", "save in this `folder`")
	c.BoolVar(&how.cbz, "cbz", false, "save comic book archives instead of folders of pages")
	c.BoolVar(&how.dataSaver, "data-saver", false, "fetch smaller pages of lower quality")
	c.BoolVar(&how.port443, "port443", false, "fetch pages through the port 443 only, for networks that let no other through")
	c.BoolVar(&how.covers, "covers", false, "save the covers of the title, too")
	c.BoolVar(&how.series, "series", false, "write what is known of the title to series.json, for readers such as Komga")
	c.BoolVar(&how.prune, "prune", false, "remove chapters from the folder that MangaDex does not have any more")
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
	if want.ratings, err = parseRatings(*ratings); err != nil {
		return err
	}
	want.groups, want.avoided = parseNames(*groups), parseNames(*avoided)
	if how.jobs < 1 || how.jobs > 8 {
		return command.Usagef("-jobs is %d; it can be 1 to 8", how.jobs)
	}
	if want.latest < 0 {
		return command.Usagef("-latest is %d; it cannot be negative", want.latest)
	}
	what := strings.TrimSpace(strings.Join(c.Args(), " "))
	link, isLink := reading.ParseLink(what)
	if isLink && link.Kind != "" && link.Kind != api.ResourceTypeManga && link.Kind != api.ResourceTypeChapter || !isLink && strings.Contains(what, "://") {
		return command.Usagef("%s is not a link to a title or a chapter, like https://mangadex.org/title/{id}", reading.Short(what, 200))
	}

	client, err := c.Client()
	if err != nil {
		return err
	}
	if what == "" {
		return popular(ctx, c, client, want)
	}
	manga, chapters, err := find(ctx, client, what, link, isLink, &want)
	if err != nil {
		return err
	}
	if *list {
		return listChapters(c, how, want.choose(chapters, manga, nil))
	}
	return how.save(ctx, c, client, manga, chapters, want)
}

// parseRatings reads what -rating holds; nil is what the server takes by itself.
func parseRatings(text string) ([]api.ContentRating, error) {
	all := reading.AllRatings()
	switch text {
	case "":
		return nil, nil
	case "all":
		return all, nil
	}
	var ratings []api.ContentRating
	for _, name := range parseNames(text) {
		rating := api.ContentRating(strings.ToLower(name))
		if !slices.Contains(all, rating) {
			return nil, command.Usagef("-rating: %q is not a content rating; give all, or some of safe, suggestive, erotica and pornographic with commas between", name)
		}
		ratings = append(ratings, rating)
	}
	return ratings, nil
}

// parseNames reads names with commas between.
func parseNames(text string) []string {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
