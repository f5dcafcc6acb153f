package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/sample"
)

// pages answers with another page of 100 titles for every offset, of 10,000 in all.
type pages struct{}

func (pages) RoundTrip(req *http.Request) (*http.Response, error) {
	offset, err := strconv.ParseUint(req.URL.Query().Get("offset"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("offset: %w", err)
	}
	body := bytes.Replace(sample.MangaList(100, offset), []byte(`"total":81234`), []byte(`"total":10000`), 1)
	return memory{body}.RoundTrip(req)
}

// walkHeap walks over 100 pages of 100, one at a time so that those on the way do not count, and returns the
// live heap after the tenth and the ninetieth.
func walkHeap() (first, last uint64, err error) {
	client, err := api.New(api.Production, api.WithHTTPClient(&http.Client{Transport: pages{}}), api.WithoutRateLimit())
	if err != nil {
		return 0, 0, err
	}
	n := 0
	for manga, err := range client.SearchMangaAll(context.Background(), nil, api.WithLookAhead(0)) {
		if err != nil {
			return 0, 0, err
		}
		fmt.Fprint(io.Discard, manga.ID)
		switch n++; n {
		case 1000:
			first = liveHeap()
		case 9000:
			last = liveHeap()
		}
	}
	if n != 10000 {
		return 0, 0, fmt.Errorf("the walk ended after %d titles", n)
	}
	return first, last, nil
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // pools are emptied in two steps
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
