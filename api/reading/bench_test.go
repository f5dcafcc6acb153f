package reading_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// BenchmarkMegabyte gives each function a megabyte of the text that is worst for it. The time must stay in
// proportion to the length: a tenth of it for a tenth of the text.
func BenchmarkMegabyte(b *testing.B) {
	const size = 1 << 20
	fill := func(text string) string { return strings.Repeat(text, size/len(text)) }
	texts := map[string]string{
		"ascii": fill("a title "), "marks": fill("e\u0301\u0323"), "hidden": fill("\u200b\x1b\xff"), "digits": fill("1"), "other digits": fill("१"), "brackets": fill("[a]("),
		"kana": fill("ページ１０"), "numbers": fill("1a"), "lines": fill("\n-"), "stars": fill("*"),
	}
	manga := &api.Manga{ID: uuid.New()}
	functions := map[string]func(string){
		"FileName": func(s string) { reading.FileName(s) }, "Line": func(s string) { reading.Line(s) }, "Text": func(s string) { reading.Text(s) }, "Plain": func(s string) { reading.Plain(s) },
		"Short": func(s string) { reading.Short(s, 80) }, "WebAddress": func(s string) { reading.WebAddress("https://site.example/" + s) }, "ParseLink": func(s string) { reading.ParseLink(s) },
		"ParseNumber":  func(s string) { reading.ParseNumber(s) },
		"CompareNames": func(s string) { reading.CompareNames(s+"a", s+"b") },
		"TitleFileName": func(s string) {
			manga.Attributes.Title = api.LocalizedString{{Language: "en", Text: s}}
			reading.TitleFileName(manga)
		},
	}
	for _, name := range sortedKeys(functions) {
		for _, kind := range sortedKeys(texts) {
			b.Run(name+"/"+kind, func(b *testing.B) {
				for b.Loop() {
					functions[name](texts[kind])
				}
			})
		}
	}
}

func sortedKeys[T any](m map[string]T) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// BenchmarkList lists chapters of a long title, and of one whose chapters all have the same number and long
// titles.
func BenchmarkList(b *testing.B) {
	var long, story []chapter
	for i := range 5000 {
		long = append(long, chapter{volume: "-", number: strings.Repeat("1", 1+i%5), title: "-", by: string(rune('a' + i%20))})
		story = append(story, chapter{volume: "1", number: "1", title: strings.Repeat("a", 200) + string(rune('a'+i%26)), by: "x"})
	}
	for name, chapters := range map[string][]chapter{"long": long, "anthology": story} {
		all := build(chapters)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				reading.NewList(all)
			}
		})
	}
}

// TestDependencies holds the package to what it may add to a program that uses package api.
func TestDependencies(t *testing.T) {
	t.Parallel()
	list := func(of string) []string {
		out, err := exec.Command("go", "list", "-deps", of).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	with, without := list("."), list("..")
	for _, path := range with {
		if !slices.Contains(without, path) && strings.Contains(path, ".") && path != "github.com/mangadex-go/mangadex/api/reading" &&
			!slices.Contains([]string{"golang.org/x/text/unicode/norm", "golang.org/x/text/transform"}, path) {
			t.Errorf("%s comes along", path)
		}
	}
}
