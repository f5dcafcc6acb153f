package api_test

import (
	"runtime"
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
