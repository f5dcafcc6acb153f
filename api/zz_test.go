package api

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/mangadex-go/mangadex/internal/sample"
)

func BenchmarkZZ(b *testing.B) {
	data := sample.MangaList(100, 1)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var l MangaList
		if err := unmarshal(data, &l); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkZZScan(b *testing.B) {
	data := sample.MangaList(100, 1)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(data) {
			b.Fatal()
		}
	}
}

func TestZZ(t *testing.T) {
	data := sample.MangaList(100, 1)
	fmt.Println(len(data), len(sample.Manga(1)))
	for _, f := range []string{"get-search-manga-200-1.json"} {
		d, err := os.ReadFile("/work/shared/recorded/" + f)
		if err != nil {
			t.Fatal(err)
		}
		var l MangaList
		if err := json.Unmarshal(d, &l); err != nil {
			t.Fatal(err)
		}
		out, err := json.MarshalIndent(l.Data[0], "", " ")
		fmt.Println(err, string(out)[:1500])
	}
}
