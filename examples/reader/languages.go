package main

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/mangadex-go/mangadex/api/reading"
)

// anyLanguage stands for all of them.
const anyLanguage = "any"

var languageNames = map[string]string{
	anyLanguage: "any language", "ar": "Arabic", "cs": "Czech", "de": "German", "en": "English", "es": "Spanish",
	"es-la": "Spanish (Latin America)", "fr": "French", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
	"ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "pt-br": "Portuguese (Brazil)",
	"ro": "Romanian", "ru": "Russian", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
	"zh": "Chinese", "zh-hk": "Chinese (traditional)",
}

func languageName(code string) string { return cmp.Or(languageNames[code], code) }

// languageOf is the language that a request asks for, empty if it asks for nonsense.
func (s *server) languageOf(r *http.Request) string {
	code := cmp.Or(strings.ToLower(r.FormValue("lang")), s.language)
	if code != anyLanguage && !reading.IsLanguage(code) {
		return ""
	}
	return code
}

// Languages are those to choose from in a search.
func (l layout) Languages() []choice {
	var all []choice
	for code, name := range languageNames {
		all = append(all, choice{code, name, code == l.Language})
	}
	if _, known := languageNames[l.Language]; !known && l.Language != "" {
		all = append(all, choice{l.Language, l.Language, true})
	}
	slices.SortFunc(all, func(a, b choice) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all
}

// statusName writes a word of MangaDex, such as on_hold, for people.
func statusName[T ~string](word T) string {
	if word == "" {
		return ""
	}
	text := strings.ReplaceAll(string(word), "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}
