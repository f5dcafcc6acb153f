package athome_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

const reportURL = "https://network.example.test/report"

// TestReports compares every field of the reports on a page that fails in several ways before it
// arrives.
func TestReports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, 1000)
		w.delay = 40 * time.Millisecond
		w.fault = func(q query) fault {
			return []fault{none, {Status: 500}, cut, {Status: 403}, garble, short, none}[q.Try]
		}
		chapter := w.open(t, athome.WithReportURL(reportURL))
		if _, err := chapter.Fetch(t.Context(), chapter.Pages()[0]); err != nil {
			t.Fatal(err)
		}
		chapter.Close()
		var got []string
		for _, r := range w.srv.State().Deliveries() {
			got = append(got, fmt.Sprintf("%s success=%v cached=%v bytes=%d duration=%d", r.URL, r.Success, r.Cached, r.Bytes, r.Duration))
		}
		page := "/data/" + w.hash + "/" + w.names[0]
		want := []string{
			"https://node1.example.test:8443/key1" + page + " success=false cached=false bytes=0 duration=40",
			"https://node1.example.test:8443/key1" + page + " success=false cached=false bytes=500 duration=40",
			"https://node1.example.test:8443/key1" + page + " success=false cached=false bytes=0 duration=40",
			"https://node2.example.test:8443/key2" + page + " success=false cached=true bytes=1000 duration=40",
			"https://node2.example.test:8443/key2" + page + " success=false cached=true bytes=999 duration=40",
			"https://node2.example.test:8443/key2" + page + " success=true cached=true bytes=1000 duration=40",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// TestReportHosts has hosts of MangaDex, which want no reports, and others that only look so.
func TestReportHosts(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]int{
		"https://uploads.mangadex.org":                  0,
		"https://mangadex.org":                          0,
		"https://UPLOADS.MangaDex.ORG:8443/key":         0,
		"https://uploads.mangadex.org.":                 0,
		"https://a1b2.example.mangadex.network:44300/k": 2,
		"https://notmangadex.org":                       2,
		"https://mangadex.org.example.test":             2,
		"https://example.test/mangadex.org":             2,
		"http://127.0.0.1:8080":                         2,
	} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2, 100)
			w.base = func(int) string { return base }
			chapter := w.open(t, athome.WithReportURL(reportURL))
			must(t, chapter.Save(t.Context(), t.TempDir()))
			chapter.Close()
			if got := len(w.srv.State().Deliveries()); got != want {
				t.Errorf("%d reports, want %d", got, want)
			}
		})
	}
}

// TestReportDefault makes sure that MangaDex gets reports on its own nodes, and not on those that
// another server names.
func TestReportDefault(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		server  string
		options []athome.Option
		want    int
	}{
		"MangaDex":     {api.Production, nil, 2},
		"another":      {"https://api.example.test", nil, 0},
		"not MangaDex": {api.Production, []athome.Option{athome.WithoutReports()}, 0},
		"elsewhere":    {"https://api.example.test", []athome.Option{athome.WithReportURL("https://api.mangadex.network/report")}, 2},
		"nowhere":      {api.Production, []athome.Option{athome.WithoutReports(), athome.WithReportURL(reportURL)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2, 100)
			w.api = test.server
			chapter := w.open(t, test.options...)
			must(t, chapter.Save(t.Context(), t.TempDir()))
			chapter.Close()
			if got := len(w.srv.State().Deliveries()); got != test.want {
				t.Errorf("%d reports, want %d", got, test.want)
			}
			for _, r := range w.requests {
				if r.URL.Path == "/report" && r.URL.Host != "api.mangadex.network" {
					t.Errorf("a report went to %s", r.URL.Host)
				}
			}
		})
	}
}

// TestReportsDoNotDelay has a place for reports that does not answer.
func TestReportsDoNotDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 700, 100)
		w.delay = 20 * time.Millisecond
		w.report = silent
		var working, most, all atomic.Int32
		counted := tripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.String() != reportURL {
				return w.RoundTrip(r)
			}
			all.Add(1)
			most.Store(max(most.Load(), working.Add(1)))
			defer working.Add(-1)
			start := time.Now()
			resp, err := w.RoundTrip(r)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("a report was given %v", took)
			}
			return resp, err
		})
		chapter := w.open(t, athome.WithHTTPClient(&http.Client{Transport: counted}), athome.WithReportURL(reportURL), athome.WithParallel(10))
		start := time.Now()
		must(t, chapter.Save(t.Context(), t.TempDir()))
		if took, want := time.Since(start), 70*20*time.Millisecond; took != want {
			t.Errorf("700 pages took %v, want %v", took, want)
		}
		start = time.Now()
		chapter.Close()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Close took %v", took)
		}
		synctest.Wait()
		// Four are sent at a time; the place may learn that one was given up only after the next began.
		if working.Load() != 0 || most.Load() > 8 {
			t.Errorf("%d reports are still on their way, at most %d were at once", working.Load(), most.Load())
		}
		before := all.Load()
		if _, err := chapter.Fetch(t.Context(), chapter.Pages()[0]); err != nil {
			t.Errorf("a page after Close: %v", err)
		}
		chapter.Close()
		time.Sleep(time.Minute)
		if all.Load() != before {
			t.Errorf("%d reports after Close", all.Load()-before)
		}
	})
}

// TestReportsFlushed makes sure that Close sends what waits if it can be done in time.
func TestReportsFlushed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 50, 100)
		w.report = fault{Delay: 100 * time.Millisecond}
		chapter := w.open(t, athome.WithReportURL(reportURL))
		must(t, chapter.Save(t.Context(), t.TempDir()))
		chapter.Close()
		if got := len(w.srv.State().Deliveries()); got != 50 {
			t.Errorf("%d reports arrived, want 50", got)
		}
	})
}

// TestReportsFail has places for reports that fail. Nobody notices.
func TestReportsFail(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(w *world){
		"dead":   func(w *world) { w.kill("network.example.test") },
		"broken": func(w *world) { w.report = drop },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 20, 100)
			prepare(w)
			chapter := w.open(t, athome.WithReportURL(reportURL))
			dir := t.TempDir()
			must(t, chapter.Save(t.Context(), dir))
			checkFolder(t, dir, w.pages, ".png")
			if err := chapter.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNoReportOnCancel makes sure that a node is not blamed for what the caller gave up.
func TestNoReportOnCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, 100)
		w.fault = func(query) fault { return stuck }
		chapter := w.open(t, athome.WithReportURL(reportURL))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := chapter.Save(ctx, t.TempDir()); err == nil || !strings.Contains(err.Error(), "deadline") {
			t.Fatal(err)
		}
		chapter.Close()
		if got := w.srv.State().Deliveries(); len(got) != 0 {
			t.Errorf("reports: %+v", got)
		}
	})
}
