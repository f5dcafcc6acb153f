package athome_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
)

// BenchmarkDownload compares downloads of 200 pages of 1 MB, from a node that takes 20 ms for each,
// with what a plain http.Client of the same parallelism takes for the same, one after the other in
// one run. It fails when the median of some downloads has less than 0.95 of the speed of the plain
// ones, or when that of their heaps grows by more than parallelism × page size + 20 MB.
//
// Both need a processor that is free most of the time, which client and node share.
func BenchmarkDownload(b *testing.B) {
	const (
		pages    = 200
		size     = 1 << 20
		parallel = 6
	)
	w := samePages(b, pages, size, apitest.WithTitles(10))
	w.delay, w.base = 20*time.Millisecond, nil
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}}
	b.Cleanup(client.CloseIdleConnections)
	chapter := w.open(b, athome.WithHTTPClient(client), athome.WithParallel(parallel), athome.WithReportURL(w.srv.ReportURL))
	var urls []string
	for _, page := range chapter.Pages() {
		urls = append(urls, page.URL)
	}

	for name, run := range map[string]struct{ plain, ours func(dir string) error }{
		"memory": {
			plain: func(string) error {
				return plainly(client, parallel, urls, func(_ int, resp *http.Response) error {
					data := make([]byte, resp.ContentLength)
					_, err := io.ReadFull(resp.Body, data)
					return err
				})
			},
			ours: func(string) error {
				for _, err := range chapter.All(context.Background()) {
					if err != nil {
						return err
					}
				}
				return nil
			},
		},
		"folder": {
			plain: func(dir string) error {
				return plainly(client, parallel, urls, func(i int, resp *http.Response) error {
					f, err := os.Create(filepath.Join(dir, pageName(i)))
					if err != nil {
						return err
					}
					_, err = io.Copy(f, resp.Body)
					return errors.Join(err, f.Close())
				})
			},
			ours: func(dir string) error { return chapter.Save(context.Background(), dir) },
		},
	} {
		b.Run(name, func(b *testing.B) {
			var ratios []float64
			var peaks []int64
			for b.Loop() {
				var took [2]time.Duration
				for i, download := range []func(string) error{run.plain, run.ours} {
					dir := b.TempDir()
					start := time.Now()
					grown, err := peakMemory(func() error { return download(dir) })
					took[i] = time.Since(start)
					if err != nil {
						b.Fatal(err)
					}
					if i == 1 {
						peaks = append(peaks, grown)
					}
					os.RemoveAll(dir)
				}
				ratios = append(ratios, took[0].Seconds()/took[1].Seconds())
			}
			slices.Sort(ratios)
			slices.Sort(peaks)
			median, peak := ratios[len(ratios)/2], peaks[len(peaks)/2]
			b.ReportMetric(median, "of-plain-speed")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
			b.SetBytes(pages * size)
			if len(ratios) > 2 && median < 0.95 {
				b.Errorf("%s: the median is %.3f of the plain speed, less than 0.95", name, median)
			}
			if limit := int64(parallel*size + 20<<20); peak > limit {
				b.Errorf("%s: the heap grew by %d MB, more than %d MB", name, peak>>20, limit>>20)
			}
		})
	}
}

// plainly fetches addresses with so many goroutines.
func plainly(client *http.Client, parallel int, urls []string, use func(i int, resp *http.Response) error) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make([]error, parallel)
	for n := range parallel {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(urls); i = int(next.Add(1)) - 1 {
				resp, err := client.Get(urls[i])
				if err == nil {
					if err = use(i, resp); resp.StatusCode != http.StatusOK {
						err = fmt.Errorf("status %d", resp.StatusCode)
					}
					resp.Body.Close()
				}
				if err != nil {
					errs[n] = err
					return
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}
