// Package sample makes answers of the size and shape of MangaDex's, with invented content, for
// benchmarks and tests.
package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// MangaList returns a page of n titles with author, artist and cover expanded, as compact JSON.
// 100 of them are about 540 kB. The same n and seed give the same bytes.
func MangaList(n int, seed uint64) []byte {
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	titles := make([]any, n)
	for i := range titles {
		titles[i] = g.manga()
	}
	return encode(object{
		"result", "ok", "response", "collection", "data", titles, "limit", n, "offset", 0, "total", 81234,
	})
}

// Manga returns one title in its envelope, about 5 kB of compact JSON.
func Manga(seed uint64) []byte {
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	return encode(object{"result", "ok", "response", "entity", "data", g.manga()})
}

// object is a JSON object whose members keep their order: the server sends ids and types before
// attributes, which decoders may count on for speed.
type object []any // names and values in turn

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i, v := range o {
		switch {
		case i == 0:
			b.WriteByte('{')
		case i%2 == 1:
			b.WriteByte(':')
		default:
			b.WriteByte(',')
		}
		if err := e.Encode(v); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // there are only maps, lists, texts and numbers
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

type generator struct{ *rand.Rand }

func (g generator) uuid() string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", g.Uint32(), g.Uint32()>>16, g.Uint32()>>20, g.Uint32()>>20, g.Uint64()>>16)
}

func (g generator) time() string {
	return fmt.Sprintf("20%02d-%02d-%02dT%02d:%02d:%02d+00:00", 18+g.IntN(8), 1+g.IntN(12), 1+g.IntN(28), g.IntN(24), g.IntN(60), g.IntN(60))
}

var scripts = map[string]string{
	"en": "abcdefghijklmnopqrstuvwxyz", "ja-ro": "aiueokstnhmyrw", "ja": "あいうえおかきくけこさしすせそ日月火水木金土人口山川",
	"ko": "가나다라마바사아자차카타파하", "zh": "天地玄黄宇宙洪荒日月盈昃", "ru": "абвгдежзиклмнопрст", "ar": "ابتثجحخدذرزسش",
}

var languages = []string{"en", "ja", "ja-ro", "ko", "zh", "ru", "ar", "es-la", "pt-br", "fr", "de", "it", "vi", "th", "tr", "id", "pl", "uk"}

// text has about n characters in the script of a language.
func (g generator) text(language string, n int) string {
	letters, ok := scripts[language]
	if !ok {
		letters = scripts["en"]
	}
	runes := []rune(letters)
	var b strings.Builder
	for word := 0; n > 0; n-- {
		if word > 3 && g.IntN(5) == 0 && n > 1 {
			b.WriteByte(' ')
			word = 0
			continue
		}
		b.WriteRune(runes[g.IntN(len(runes))])
		word++
	}
	return b.String()
}

var tagNames = []string{
	"Action", "Adventure", "Comedy", "Drama", "Fantasy", "Historical", "Horror", "Mystery", "Romance", "Sports",
	"School Life", "Slice of Life", "Supernatural", "Thriller", "Long Strip", "Full Color", "Oneshot", "Anthology",
}

func (g generator) tag() any {
	i := g.IntN(len(tagNames))
	return object{
		"id", fmt.Sprintf("%08x-0000-4000-8000-000000000000", i), "type", "tag", "relationships", []any{},
		"attributes", map[string]any{
			"name": map[string]any{"en": tagNames[i]}, "description": map[string]any{},
			"group": []string{"genre", "theme", "format", "content"}[i%4], "version": 1,
		},
	}
}

func (g generator) person(kind string) any {
	attributes := map[string]any{
		"name": g.text("en", 14), "imageUrl": nil, "biography": map[string]any{},
		"createdAt": g.time(), "updatedAt": g.time(), "version": 1 + g.IntN(9),
	}
	for _, site := range []string{"twitter", "pixiv", "melonBook", "fanBox", "booth", "namicomi", "nicoVideo", "skeb", "fantia", "tumblr", "youtube", "weibo", "naver", "website"} {
		attributes[site] = nil
	}
	attributes["twitter"] = "https://twitter.com/" + g.text("en", 10)
	return object{"id", g.uuid(), "type", kind, "attributes", attributes}
}

func (g generator) manga() any {
	var alternatives, tags []any
	for range 12 {
		language := languages[g.IntN(len(languages))]
		alternatives = append(alternatives, map[string]any{language: g.text(language, 24)})
	}
	for range 9 {
		tags = append(tags, g.tag())
	}
	var translations []any
	for _, i := range g.Perm(len(languages))[:7] {
		translations = append(translations, languages[i])
	}
	return object{
		"id", g.uuid(), "type", "manga",
		"attributes", map[string]any{
			"title": map[string]any{"en": g.text("en", 22)}, "altTitles": alternatives,
			"description": map[string]any{"en": g.text("en", 420) + "\n\n---\n" + g.text("en", 80), "ru": g.text("ru", 160)},
			"isLocked":    g.IntN(9) == 0,
			"links": map[string]any{
				"al": fmt.Sprint(g.IntN(99999)), "ap": g.text("en", 12), "kt": fmt.Sprint(g.IntN(99999)), "mal": fmt.Sprint(g.IntN(99999)),
				"mu": g.text("en", 7), "raw": "https://example.com/" + g.text("en", 20),
			},
			"officialLinks": nil, "originalLanguage": "ja", "lastVolume": fmt.Sprint(g.IntN(30)), "lastChapter": fmt.Sprint(g.IntN(300)),
			"publicationDemographic": "shounen", "status": "ongoing", "year": 1990 + g.IntN(36), "contentRating": "safe", "tags": tags,
			"state": "published", "chapterNumbersResetOnNewVolume": false, "createdAt": g.time(), "updatedAt": g.time(), "version": 1 + g.IntN(99),
			"availableTranslatedLanguages": translations, "latestUploadedChapter": g.uuid(),
		},
		"relationships", []any{
			g.person("author"), g.person("artist"),
			object{"id", g.uuid(), "type", "cover_art", "attributes", map[string]any{
				"description": "", "volume": fmt.Sprint(g.IntN(30)), "fileName": g.uuid() + ".jpg", "locale": "ja",
				"createdAt": g.time(), "updatedAt": g.time(), "version": 1,
			}},
			object{"id", g.uuid(), "type", "creator"},
		},
	}
}
