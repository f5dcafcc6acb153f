package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// A selection says which chapters of a title are wanted.
type selection struct {
	languages       []string
	ratings         []api.ContentRating // of titles that are searched for; nil: what the server takes
	groups, avoided []string            // names or ids
	ranges          []span              // none: all, those without a number included
	latest          int                 // 0: all
	versions        bool
	only            uuid.UUID // the chapter that is wanted alone; zero: all
}

// A span is a range of chapter numbers, both ends included. The zero Number is an open end.
type span struct{ from, to reading.Number }

// parseRanges reads what -chapters holds.
func parseRanges(text string) ([]span, error) {
	if text == "" {
		return nil, nil
	}
	var ranges []span
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		s := span{reading.ParseNumber(first), reading.ParseNumber(last)}
		if s.from.IsZero() && s.to.IsZero() || s.from.IsWord() || s.to.IsWord() || !s.from.IsZero() && !s.to.IsZero() && s.from.Compare(s.to) > 0 {
			return nil, command.Usagef("-chapters: %q is not a number or a range; give something like 1-5,7,10.5-", part)
		}
		ranges = append(ranges, s)
	}
	return ranges, nil
}

// has reports whether a number is in the range. 30e counts as 30.
func (s span) has(n reading.Number) bool {
	base := n.Base()
	return !base.IsZero() && (s.from.IsZero() || s.from.Compare(n) <= 0) && (s.to.IsZero() || n.Compare(s.to) <= 0 || base == s.to)
}

// feed finds all chapters of a title in the languages that are wanted, those that cannot be read included. It is
// an error if there are none.
func (s *selection) feed(ctx context.Context, client *api.Client, manga *api.Manga) (*api.Manga, []api.Chapter, error) {
	feed := &api.GetMangaFeedParams{
		TranslatedLanguage: s.languages,
		// Without this the server leaves chapters of some titles out.
		ContentRating:      reading.AllRatings(),
		IncludeUnavailable: api.Ptr(api.Yes),
		Order:              api.ChapterOrder{}.Volume(api.Asc).Chapter(api.Asc),
		Includes:           []api.Include{api.IncludeManga, api.IncludeScanlationGroup},
	}
	var chapters []api.Chapter
	for chapter, err := range client.GetMangaFeedAll(ctx, manga.ID, feed) {
		if err != nil {
			return nil, nil, err
		}
		chapters = append(chapters, chapter)
	}
	if len(chapters) > 0 || s.only != uuid.Nil {
		return manga, chapters, nil
	}
	title := reading.Short(reading.Title(&manga.Attributes, s.languages...), 100)
	available := slices.DeleteFunc(slices.Clone(manga.Attributes.AvailableTranslatedLanguages), func(code string) bool { return code == "" })
	if len(available) == 0 {
		return nil, nil, fmt.Errorf("%q has no chapters", title)
	}
	return nil, nil, fmt.Errorf("%q has no chapters in %s; -language can be %s", title, strings.Join(s.languages, " or "), strings.Join(available, ", "))
}

// A choice is what came of the chapters of a title.
type choice struct {
	*reading.List
	wanted []wanted
	err    error // why nothing is wanted
}

// A wanted chapter is one to be saved, with its entry.
type wanted struct {
	*reading.Version
	entry  *reading.Entry
	beside bool // another version is the chosen one
}

// choose says which chapters are wanted. Those that are kept stay the chosen version where they can.
func (s *selection) choose(chapters []api.Chapter, manga *api.Manga, kept []uuid.UUID) choice {
	l := choice{List: reading.NewList(chapters, reading.WithReset(manga.Attributes.ChapterNumbersResetOnNewVolume),
		reading.Prefer(s.groups...), reading.Avoid(s.avoided...), reading.Keep(kept...))}
	entries := make([]*reading.Entry, 0, len(l.Entries))
	for i := range l.Entries {
		if e := &l.Entries[i]; s.wants(e) {
			entries = append(entries, e)
		}
	}
	if s.latest > 0 {
		newest := slices.DeleteFunc(slices.Clone(entries), func(e *reading.Entry) bool { return reading.PlaceOf(&e.Chosen().Chapter) != reading.Here })
		if len(newest) == 0 {
			newest = slices.Clone(entries)
		}
		slices.SortStableFunc(newest, func(a, b *reading.Entry) int {
			return b.Chosen().Attributes.ReadableAt.Compare(a.Chosen().Attributes.ReadableAt)
		})
		newest = newest[:min(s.latest, len(newest))]
		entries = slices.DeleteFunc(entries, func(e *reading.Entry) bool { return !slices.Contains(newest, e) })
	}
	for _, e := range entries {
		for i := range e.Versions {
			v := &e.Versions[i]
			switch {
			case s.only != uuid.Nil && v.ID != s.only, s.only == uuid.Nil && i > 0 && !s.versions:
			case s.only == uuid.Nil && s.isAvoided(v):
			default:
				l.wanted = append(l.wanted, wanted{v, e, i > 0})
			}
		}
	}
	title := reading.Short(reading.Title(&manga.Attributes, s.languages...), 100)
	known := func(group string) bool {
		return slices.ContainsFunc(chapters, func(c api.Chapter) bool { return reading.IsBy(&c, group) })
	}
	switch {
	case len(s.groups) > 0 && !slices.ContainsFunc(s.groups, known):
		l.wanted, l.err = nil, fmt.Errorf("%q has no such chapters: none is by %s; see -list for the groups, and give others with -group", title, strings.Join(s.groups, " or "))
	case len(l.wanted) == 0:
		l.err = fmt.Errorf("%q has no such chapters; ask for others with -chapters, -not-group or -language", title)
	}
	return l
}

func (s *selection) wants(e *reading.Entry) bool {
	if s.only != uuid.Nil {
		return slices.ContainsFunc(e.Versions, func(v reading.Version) bool { return v.ID == s.only })
	}
	return s.ranges == nil || slices.ContainsFunc(s.ranges, func(r span) bool { return r.has(e.Number) })
}

func (s *selection) isAvoided(v *reading.Version) bool {
	return slices.ContainsFunc(s.avoided, func(group string) bool { return reading.IsBy(&v.Chapter, group) })
}
