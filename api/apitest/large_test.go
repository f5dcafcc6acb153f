package apitest_test

import (
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// The largest catalogue is complete, and takes less than a gigabyte.
func TestLargestCatalogue(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs some seconds; leave out -short")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	srv, err := apitest.NewServer(apitest.WithTitles(20_000))
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	runtime.ReadMemStats(&after)
	if used := after.Sys - before.Sys; used > 1<<30 {
		t.Errorf("it took %d MB", used>>20)
	}
	if _, text := do(t, srv, "GET", "/manga?limit=1&contentRating[]=safe&contentRating[]=suggestive&contentRating[]=erotica&contentRating[]=pornographic", ""); !strings.Contains(text, `"total":20000`) {
		t.Errorf("the catalogue is not complete: %s", text)
	}
	chapters := 0
	for _, m := range srv.State().Manga() {
		chapters += len(srv.State().Chapters(m.ID))
	}
	if chapters != 200_000 {
		t.Errorf("%d chapters", chapters)
	}
	// What is encoded is not too much for the memory.
	client := &http.Client{Transport: srv.Transport()}
	for offset := 0; offset < 10_000; offset += 1000 {
		if resp, _ := fetch(t, client, srv.URL+"/manga?limit=100&includes[]=author&includes[]=cover_art&offset="+strconv.Itoa(offset)); resp.StatusCode != http.StatusOK {
			t.Fatal(resp.StatusCode)
		}
	}
}

// ask is one client on a connection of its own.
func ask(b *testing.B, srv *apitest.Server, paths []string) {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // server and client together on one core
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for _, path := range paths { // sorts, and encodes what it meets
		fetch(b, client, srv.URL+path)
	}
	runtime.GC()
	n := 0
	bytes := int64(0)
	begun := cpuTime()
	for b.Loop() {
		resp, err := client.Get(srv.URL + paths[n%len(paths)])
		if err != nil {
			b.Fatal(err)
		}
		read, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.StatusCode, err)
		}
		bytes += read
		n++
	}
	b.SetBytes(bytes / int64(n))
	b.ReportMetric(float64(n)/(cpuTime()-begun).Seconds(), "requests/cpu-s")
}

func large(b *testing.B) *apitest.Server {
	b.Helper()
	srv, err := apitest.NewServer(apitest.WithTitles(20_000))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(srv.Close)
	return srv
}

// The largest catalogue is made in two seconds.
func BenchmarkCatalogue(b *testing.B) {
	for b.Loop() {
		srv, err := apitest.NewServer(apitest.WithTitles(20_000))
		if err != nil {
			b.Fatal(err)
		}
		srv.Close()
	}
}

// At least 5,000 requests a second on one core.
func BenchmarkGetManga(b *testing.B) {
	srv := large(b)
	var paths []string
	for _, m := range srv.State().Manga()[:1000] {
		paths = append(paths, "/manga/"+m.ID.String())
	}
	ask(b, srv, paths)
}

// At least 300 searches a second on one core.
func BenchmarkSearch(b *testing.B) {
	srv := large(b)
	for name, paths := range map[string][]string{
		"latest":   {"/manga?limit=100", "/manga?limit=100&offset=5000"},
		"expanded": {"/manga?limit=100&includes[]=author&includes[]=artist&includes[]=cover_art"},
		"title":    {"/manga?limit=100&title=lighthouse", "/manga?limit=100&title=kettle&order[relevance]=desc"},
		"filters":  {"/manga?limit=100&status[]=ongoing&publicationDemographic[]=seinen&originalLanguage[]=ja&availableTranslatedLanguage[]=en&order[rating]=desc"},
	} {
		b.Run(name, func(b *testing.B) { ask(b, srv, paths) })
	}
}
