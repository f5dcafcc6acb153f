// Watch tells of new chapters of the titles that the account follows, each chapter once. Run it
// every now and then, by cron for example.
//
//	go run ./examples/watch                                       # on the fake MangaDex
//	go run ./examples/watch -live -format rss -o chapters.xml     # on MangaDex, after examples/login
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const usage = `[flags]

Prints the chapters that are new since the last run, which is kept in the state file. If anything
goes wrong the state stays as it was, and the next run tells of the same chapters. With -format rss
the result is a feed, which also has the chapters of the last runs.`

const (
	// overlap is how far behind the last run a chapter may have been published and yet be new: some
	// wait for the approval of the staff.
	overlap = 72 * time.Hour
	// remembered is how many chapters are kept at least, for the feed.
	remembered = 100
)

func main() { command.Main("watch", usage, run) }

func run(ctx context.Context, c *command.Command) error {
	c.LogsIn()
	languages := c.String("language", "en", "tell of chapters in these languages, such as en or en,pt-br: `codes` with commas between; empty for all")
	since := c.Duration("since", 7*24*time.Hour, "how far back the first run looks, a `duration` such as 48h")
	format := c.String("format", "text", "print in this `format`: text, json or rss")
	output := c.String("o", "", "write to this `file` instead of the standard output")
	statePath := c.String("state", "", "keep what has been told in this `file` (default watch.json in a folder for the server among your settings)")
	if err := c.Parse(); err != nil {
		return err
	}
	write, ok := formats[*format]
	switch {
	case !ok:
		return command.Usagef("-format is %q; it can be text, json or rss", *format)
	case c.NArg() > 0:
		return command.Usagef("too much: %s", strings.Join(c.Args(), " "))
	case *since <= 0:
		return command.Usagef("-since is %v; it must be above 0", *since)
	}
	var codes []string // none: all languages
	if *languages != "" {
		var err error
		if codes, err = command.ParseLanguages(*languages); err != nil {
			return err
		}
	}
	client, err := c.ClientWithSession()
	if err != nil {
		return err
	}
	path, err := c.Path(*statePath, "watch.json")
	if err != nil {
		return err
	}
	before, err := load(path)
	if err != nil {
		return err
	}

	c.Unfinished = "the next run tells of the same chapters"
	now := time.Now().UTC()
	if before.From.IsZero() {
		before.From = now.Add(-*since)
	}
	news, err := fetch(ctx, client, before, codes)
	if err != nil {
		return err
	}
	after := before.with(news, now)
	if err := c.WriteTo(*output, func(w io.Writer) error { return write(w, news, after) }); err != nil {
		return err
	}
	if err := command.WriteFile(path, after.write); err != nil {
		return err
	}
	if len(after.Chapters) == 0 {
		return hint(ctx, c, client)
	}
	return nil
}

// hint says why there may be nothing to tell.
func hint(ctx context.Context, c *command.Command, client *api.Client) error {
	follows, err := client.ListFollowedManga(ctx, &api.ListFollowedMangaParams{Limit: api.Ptr(1)})
	if err != nil {
		return err
	}
	if follows.Total == 0 {
		c.Note("this account follows no titles")
		return nil
	}
	c.Note("no chapters of the %d titles that this account follows; see -since and -language", follows.Total)
	return nil
}

// A chapter is what is told of one.
type chapter struct {
	ID       uuid.UUID `json:"id"`
	Manga    string    `json:"manga"`
	Number   string    `json:"number,omitempty"`
	Title    string    `json:"title,omitempty"`
	Language string    `json:"language"`
	Groups   []string  `json:"groups,omitempty"`
	URL      string    `json:"url"`
	Readable time.Time `json:"readableAt"`
}

// String names a chapter on one line.
func (c chapter) String() string {
	name := c.Manga + ", chapter " + c.Number
	if c.Number == "" {
		name = c.Manga
	}
	if c.Title != "" {
		name += ": " + c.Title
	}
	return name + " (" + strings.Join(append([]string{c.Language}, c.Groups...), ", ") + ")"
}

// fetch returns the chapters that have not been told of, the oldest first.
func fetch(ctx context.Context, client *api.Client, s state, languages []string) ([]chapter, error) {
	params := &api.GetFollowedMangaFeedParams{
		TranslatedLanguage: languages,
		PublishAtSince:     api.Since(s.horizon()),
		Order:              api.ChapterOrder{}.PublishAt(api.Asc),
		Includes:           []api.ChapterInclude{api.ChapterIncludeManga, api.ChapterIncludeScanlationGroup},
		ContentRating:      []api.ContentRating{api.ContentRatingSafe, api.ContentRatingSuggestive, api.ContentRatingErotica, api.ContentRatingPornographic},
	}
	told := map[uuid.UUID]bool{}
	for _, chapter := range s.Chapters {
		told[chapter.ID] = true
	}
	news := []chapter{}
	for found, err := range client.GetFollowedMangaFeedAll(ctx, params) {
		if err != nil {
			return nil, err
		}
		if !told[found.ID] {
			news = append(news, describe(found))
		}
	}
	slices.SortStableFunc(news, func(a, b chapter) int { return a.Readable.Compare(b.Readable) })
	return news, nil
}

func describe(found api.Chapter) chapter {
	a := found.Attributes
	c := chapter{
		ID: found.ID, Number: text(a.Chapter), Title: text(a.Title), Language: a.TranslatedLanguage,
		URL: cmp.Or(text(a.ExternalURL), "https://mangadex.org/chapter/"+found.ID.String()), Readable: a.ReadableAt,
	}
	if manga, ok := found.Relationships.Manga(); ok && manga.Attributes != nil {
		c.Manga = manga.Attributes.Title.String()
	}
	for _, group := range found.Relationships.Groups() {
		if group.Attributes != nil {
			c.Groups = append(c.Groups, group.Attributes.Name)
		}
	}
	return c
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// A state is what a run leaves to the next one.
type state struct {
	From     time.Time `json:"from"`     // nothing from before is told of
	LastRun  time.Time `json:"lastRun"`  // zero before the first one
	Chapters []chapter `json:"chapters"` // that have been told of, the newest last
}

// load reads the state file, which need not be there.
func load(path string) (state, error) {
	var s state
	content, err := command.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(content, &s); err != nil || s.From.IsZero() || s.LastRun.IsZero() {
		return s, fmt.Errorf("%s is damaged, or not a state file of watch; it is left as it is: repair it, remove it to begin anew, or give another -state", path)
	}
	return s, nil
}

// horizon is the time from which on chapters are asked for.
func (s state) horizon() time.Time {
	if horizon := s.LastRun.Add(-overlap); horizon.After(s.From) {
		return horizon
	}
	return s.From
}

// with returns the state after chapters have been told of.
func (s state) with(news []chapter, now time.Time) state {
	s.LastRun, s.Chapters = now, append(slices.Clone(s.Chapters), news...)
	horizon, excess := s.horizon(), len(s.Chapters)-remembered
	for excess > 0 && s.Chapters[0].Readable.Before(horizon) {
		s.Chapters = s.Chapters[1:]
		excess--
	}
	return s
}

func (s state) write(w io.Writer) error { return writeJSON(w, s) }
