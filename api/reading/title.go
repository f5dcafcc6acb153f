package reading

import (
	"strings"

	"github.com/mangadex-go/mangadex/api"
)

// Title is the name of a title for a reader of some languages, the best one first. In each language the
// main title goes before alternative ones; a language without a region also stands for its regions, as
// pt does for pt-br. If the title has none of them, it is the main title: in English, else in Latin
// script, else the first one; if the main title is empty, an alternative one is chosen in the same way.
// It is empty only for a title without a name.
//
// The text is as its users wrote it: see [Line] and [FileName].
func Title(a *api.MangaAttributes, languages ...string) string {
	for _, language := range languages {
		if titles := Titles(a, language); len(titles) > 0 {
			return titles[0]
		}
	}
	if title := fallback(a.Title); title != "" {
		return title
	}
	var all api.LocalizedString
	for _, names := range a.AltTitles {
		all = append(all, names...)
	}
	return fallback(all)
}

// Titles are all names of a title in a language, the main one first if it is in that language; names in
// a region of the language come last.
func Titles(a *api.MangaAttributes, language string) []string {
	var exact, regional []string
	for i := range len(a.AltTitles) + 1 {
		names := a.Title
		if i > 0 {
			names = a.AltTitles[i-1]
		}
		for code, name := range names.All() {
			switch {
			case isBlank(name):
			case code == language:
				exact = append(exact, name)
			case isRegion(code, language):
				regional = append(regional, name)
			}
		}
	}
	return append(exact, regional...)
}

// isRegion reports whether a code is that of a language in some region, as pt-br is for pt. What
// is written in Latin script instead of its own, such as ja-ro, is not.
func isRegion(code, language string) bool {
	region, ok := strings.CutPrefix(code, language)
	return ok && language != "" && strings.HasPrefix(region, "-") && region != "-ro"
}

func fallback(names api.LocalizedString) string {
	var latin, first string
	for code, name := range names.All() {
		switch {
		case isBlank(name):
			continue
		case code == "en":
			return name
		case latin == "" && strings.HasSuffix(code, "-ro"):
			latin = name
		case first == "":
			first = name
		}
	}
	if latin != "" {
		return latin
	}
	return first
}
