package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// A selection says which chapters of a title are wanted.
type selection struct {
	languages []string
	group     string // name or id; empty: any
	ranges    []span // none: all, those without a number included
	latest    int    // 0: all
}

// A span is a range of chapter numbers, both ends included.
type span struct{ from, to float64 }

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
		s := span{0, math.Inf(1)}
		var errFirst, errLast error
		if first != "" {
			s.from, errFirst = strconv.ParseFloat(first, 64)
		}
		if last != "" {
			s.to, errLast = strconv.ParseFloat(last, 64)
		}
		if errFirst != nil || errLast != nil || first == "" && last == "" || !(s.from <= s.to) {
			return nil, command.Usagef("-chapters: %q is not a number or a range; give something like 1-5,7,10.5-", part)
		}
		ranges = append(ranges, s)
	}
	return ranges, nil
}

// chapters finds the chapters of a title that are wanted, in reading order.
func (s *selection) chapters(ctx context.Context, client *api.Client, manga *api.Manga) ([]api.Chapter, error) {
	title := manga.Attributes.Title.In(s.languages...)
	available := manga.Attributes.AvailableTranslatedLanguages
	if !slices.ContainsFunc(s.languages, func(code string) bool { return slices.Contains(available, code) }) {
		if len(available) == 0 {
			return nil, fmt.Errorf("%q has no chapters", title)
		}
		return nil, fmt.Errorf("%q has no chapters in %s; -language can be %s", title, strings.Join(s.languages, " or "), strings.Join(available, ", "))
	}
	feed := &api.GetMangaFeedParams{
		TranslatedLanguage: s.languages,
		// Without this the server leaves chapters of some titles out.
		ContentRating: []api.ContentRating{api.ContentRatingSafe, api.ContentRatingSuggestive, api.ContentRatingErotica, api.ContentRatingPornographic},
		Order:         api.ChapterOrder{}.Volume(api.Asc).Chapter(api.Asc),
		Includes:      []api.ChapterInclude{api.ChapterIncludeManga, api.ChapterIncludeScanlationGroup},
	}
	var chapters []api.Chapter
	for chapter, err := range client.GetMangaFeedAll(ctx, manga.ID, feed) {
		if err != nil {
			return nil, err
		}
		if s.wants(&chapter) {
			chapters = append(chapters, chapter)
		}
	}
	chapters = onePerNumber(chapters)
	if s.latest > 0 && s.latest < len(chapters) {
		newest := slices.SortedFunc(slices.Values(chapters), func(a, b api.Chapter) int {
			return b.Attributes.ReadableAt.Compare(a.Attributes.ReadableAt)
		})[:s.latest]
		chapters = slices.DeleteFunc(chapters, func(chapter api.Chapter) bool {
			return !slices.ContainsFunc(newest, func(n api.Chapter) bool { return n.ID == chapter.ID })
		})
	}
	if len(chapters) == 0 {
		return nil, fmt.Errorf("%q has no such chapters; ask for others with -chapters, -group or -language", title)
	}
	return chapters, nil
}

// wants reports whether a chapter is of the group and in the ranges.
func (s *selection) wants(chapter *api.Chapter) bool {
	if s.group != "" && !slices.ContainsFunc(chapter.Relationships.Groups(), func(group api.Ref[api.ScanlationGroupAttributes]) bool {
		return group.ID.String() == s.group || group.Attributes != nil && strings.EqualFold(group.Attributes.Name, s.group)
	}) {
		return false
	}
	if s.ranges == nil {
		return true
	}
	number, err := strconv.ParseFloat(strings.TrimRight(text(chapter.Attributes.Chapter), "abcdefghijklmnopqrstuvwxyz"), 64)
	return err == nil && slices.ContainsFunc(s.ranges, func(r span) bool { return r.from <= number && number <= r.to })
}

// onePerNumber keeps one chapter of those with the same number: one that can be read here, if there
// is one, and the newest of them.
func onePerNumber(chapters []api.Chapter) []api.Chapter {
	type key struct{ volume, number, language, id string }
	best := map[key]*api.Chapter{}
	keyOf := func(chapter *api.Chapter) key {
		a := &chapter.Attributes
		if text(a.Chapter) == "" {
			return key{id: chapter.ID.String()}
		}
		return key{text(a.Volume), text(a.Chapter), a.TranslatedLanguage, ""}
	}
	for i := range chapters {
		chapter := &chapters[i]
		if rival := best[keyOf(chapter)]; rival == nil || better(chapter, rival) {
			best[keyOf(chapter)] = chapter
		}
	}
	var kept []api.Chapter
	for i := range chapters {
		if best[keyOf(&chapters[i])].ID == chapters[i].ID {
			kept = append(kept, chapters[i])
		}
	}
	return kept
}

func better(a, b *api.Chapter) bool {
	if isHere(a) != isHere(b) {
		return isHere(a)
	}
	return a.Attributes.ReadableAt.After(b.Attributes.ReadableAt)
}

// isHere reports whether a chapter can be read on MangaDex.
func isHere(chapter *api.Chapter) bool {
	return chapter.Attributes.Pages > 0 && chapter.Attributes.ExternalURL == nil && !chapter.Attributes.IsUnavailable
}

// mangaName is the name of the folder for a title. The id keeps titles of the same name apart.
func mangaName(manga *api.Manga) string {
	return fmt.Sprintf("%s [%.8s]", fileName(manga.Attributes.Title.String()), manga.ID)
}

// chapterName is the name of a chapter, so that names sort by number and no two are the same.
func chapterName(chapter api.Chapter) string {
	a := chapter.Attributes
	name := "oneshot"
	if number := text(a.Chapter); number != "" {
		whole, _, _ := strings.Cut(number, ".")
		name = "c" + strings.Repeat("0", max(0, 4-len(whole))) + number
	}
	if volume := text(a.Volume); volume != "" {
		name = "v" + strings.Repeat("0", max(0, 2-len(volume))) + volume + " " + name
	}
	name += " [" + cmp.Or(a.TranslatedLanguage, "no language") + "]"
	for _, group := range chapter.Relationships.Groups() {
		if group.Attributes != nil && group.ID != uuid.Nil {
			name += " [" + group.Attributes.Name + "]"
			break
		}
	}
	return fmt.Sprintf("%s [%.8s]", fileName(name), chapter.ID)
}

// fileName makes a text fit for the name of a file on every system.
func fileName(text string) string {
	const longest = 120 // bytes; systems stop at 255
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(text, "_"))
	for len(text) > longest {
		runes := []rune(text)
		text = string(runes[:len(runes)-1])
	}
	text = strings.Trim(text, " .")
	return cmp.Or(text, "untitled")
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
