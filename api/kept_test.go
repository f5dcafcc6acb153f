package api_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/sample"
)

// TestKept keeps one title of each of many pages, and of as many answers with one title: texts and short
// lists share chunks, and what is kept must not keep much of what it does not need. It runs alone, since
// it measures.
func TestKept(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	const pages, titles = 400, 50
	body := sample.MangaList(titles, 7)
	whole := decode[api.MangaList](t, "SearchManga", string(body))
	alone := make([][]byte, titles)
	for i, manga := range whole.Data {
		data, err := manga.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		alone[i] = data
	}
	live := func(one func(i int) api.Manga) int64 {
		kept := make([]api.Manga, pages)
		var before, after runtime.MemStats
		one(0)
		runtime.GC() // pools are emptied in two steps
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range kept {
			kept[i] = one(i % titles)
		}
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(kept)
		return int64(after.HeapAlloc-before.HeapAlloc) / pages
	}
	own := live(func(i int) (manga api.Manga) {
		if err := manga.UnmarshalJSON(alone[i]); err != nil {
			t.Error(err)
		}
		return manga
	})
	fromPage := live(func(i int) api.Manga {
		var list api.MangaList
		if err := list.UnmarshalJSON(body); err != nil {
			t.Error(err)
		}
		return list.Data[i]
	})
	t.Logf("a title keeps %d bytes alone, %d from a page", own, fromPage)
	if own < 1000 || fromPage-own > 16<<10 {
		t.Errorf("a title of a page keeps %d bytes alive, and %d alone: more than 16 kB are of others", fromPage, own)
	}
}

// TestShared checks that equal names of tags share their memory, and that the lists that hold them do
// not, since a caller may change these. It runs alone, since it measures.
func TestShared(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	const tags = 20000
	page := func(name func(i int) string) string {
		var all []string
		for i := range tags {
			all = append(all, fmt.Sprintf(`{"id":%q,"type":"tag","attributes":{"name":{"en":%q},"description":{}}}`, idA, name(i)))
		}
		return `{"result":"ok","data":[{"id":"` + idA + `","type":"manga","attributes":{"tags":[` + strings.Join(all, ",") + `]}}]}`
	}
	taken := func(text string) int64 {
		body := []byte(text)
		var list api.MangaList
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := list.UnmarshalJSON(body); err != nil {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(list)
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
	distinct := page(func(i int) string { return fmt.Sprintf("a name of thirty bytes %07d", i) })
	equal := page(func(i int) string { return fmt.Sprintf("a name of thirty bytes %07d", i%2) })
	taken(distinct) // the reader has learned the names of members
	if saved := taken(distinct) - taken(equal); saved < tags*20 {
		t.Errorf("equal names of %d tags save %d bytes", tags, saved)
	}
	list := decode[api.MangaList](t, "SearchManga", equal)
	all := list.Data[0].Attributes.Tags
	before := all[1].Attributes.Name.String()
	all[0].Attributes.Name[0].Text = "changed"
	longer := append(all[0].Attributes.Name, api.LocalizedText{Language: "xx", Text: "appended"})
	if got := all[1].Attributes.Name.String(); got != before || len(all[1].Attributes.Name) != 1 || all[2].Attributes.Name.String() == "changed" {
		t.Errorf("a change of one tag reaches another: %q", got)
	}
	runtime.KeepAlive(longer)
}
