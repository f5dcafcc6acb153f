package athome_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

// everyFault are the faults that a node can have for a while.
var everyFault = []fault{{Status: 500}, drop, garble, {Status: 404}, cut, html, {Status: 503}, short, {Status: 429}, {Status: 502}}

// TestTrouble has a chapter of 300 pages where every tenth fails at first, in every way, the first
// node dies half way and the address of the second is refused half way. It takes three at-home
// calls, and no fewer would do.
func TestTrouble(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(t *testing.T, w *world, c *athome.Chapter){
		"All": func(t *testing.T, w *world, c *athome.Chapter) {
			next := 0
			for image, err := range c.All(t.Context()) {
				must(t, err)
				if image.Page.Index != next || !bytes.Equal(image.Data, w.pages[next]) {
					t.Fatalf("page %d came as number %d, or not as it is", image.Page.Index, next)
				}
				next++
			}
			if next != len(w.pages) {
				t.Errorf("%d pages came, want %d", next, len(w.pages))
			}
		},
		"Save": func(t *testing.T, w *world, c *athome.Chapter) {
			dir := t.TempDir()
			must(t, c.Save(t.Context(), dir))
			checkFolder(t, dir, w.pages, ".png")
		},
		"Fetch": func(t *testing.T, w *world, c *athome.Chapter) {
			var all sync.WaitGroup
			for i, page := range c.Pages() {
				all.Go(func() {
					image, err := c.Fetch(t.Context(), page)
					if err != nil || !bytes.Equal(image.Data, w.pages[i]) {
						t.Errorf("page %d is not as it is (%v)", i, err)
					}
				})
			}
			all.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 300, 2000)
				w.delay = 20 * time.Millisecond
				var ofFirst, ofSecond atomic.Int32
				w.fault = func(q query) fault {
					switch {
					case strings.HasPrefix(q.Host, "node1."):
						if ofFirst.Add(1) == 110 {
							w.kill(q.Host)
						}
					case strings.HasPrefix(q.Host, "node2."):
						if ofSecond.Add(1) > 110 {
							return status(http.StatusForbidden)
						}
					}
					if q.Page%10 == 3 && q.Try == 1 {
						return everyFault[q.Page/10%len(everyFault)]
					}
					return none
				}
				read(t, w, w.open(t, athome.WithParallel(8)))
				if got := w.called("GetAtHomeServer"); got != 3 {
					t.Errorf("%d at-home calls, want 3", got)
				}
				for page, times := range w.tally().whole {
					if times != 1 {
						t.Errorf("page %d was sent %d times as it is", page, times)
					}
				}
			})
		})
	}
}

// TestNextNode has the ways in which a node fails, with the requests and at-home calls that it
// takes to find out.
func TestNextNode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault    fault
		requests int // to the first node, for one page
		within   time.Duration
	}{
		"refused 401":   {status(401), 1, 0},
		"refused 403":   {status(403), 1, 0},
		"refused 410":   {status(410), 1, 0},
		"expired":       {fault{ExpireBaseURL: true}, 1, 0},
		"dead":          {none, 0, 0},
		"silent":        {silent, 1, 15 * time.Second},
		"stuck":         {stuck, 1, 15 * time.Second},
		"missing":       {status(404), 3, 600 * time.Millisecond},
		"failing":       {status(500), 3, 600 * time.Millisecond},
		"dropping":      {drop, 3, 600 * time.Millisecond},
		"cutting off":   {cut, 3, 600 * time.Millisecond},
		"damaging":      {garble, 3, 600 * time.Millisecond},
		"shortening":    {short, 3, 600 * time.Millisecond},
		"not a picture": {html, 3, 600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1, 1000)
				w.fault = on("node1.", test.fault)
				chapter := w.open(t)
				if name == "dead" {
					w.kill("node1.example.test:8443")
				}
				start := time.Now()
				image, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
				if err != nil || !bytes.Equal(image.Data, w.pages[0]) {
					t.Fatalf("the page did not come from the second node: %v", err)
				}
				if took := time.Since(start); took > test.within || test.within > time.Second && took < test.within {
					t.Errorf("it took %v, want %v", took, test.within)
				}
				if !strings.HasPrefix(image.Page.URL, "https://node2.example.test:8443/key2/data/") {
					t.Errorf("it came from %s", image.Page.URL)
				}
				first := w.asked("node1.example.test:8443")
				if got := w.called("GetAtHomeServer"); first != test.requests || got != 2 {
					t.Errorf("%d requests to the first node and %d at-home calls, want %d and 2", first, got, test.requests)
				}
			})
		})
	}
}

// TestLenient has answers that lack something and are good all the same.
func TestLenient(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"no length": vague, "no type": untyped} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, 300_000)
			w.fault = func(query) fault { return f }
			i := 0
			for image, err := range w.open(t).All(t.Context()) {
				if err != nil || !bytes.Equal(image.Data, w.pages[i]) || image.ContentType != "image/png" {
					t.Fatalf("page %d of type %q is not as it is: %v", i, image.ContentType, err)
				}
				i++
			}
			if i != 12 || w.tally().queries != 12 {
				t.Errorf("%d pages in %d requests, want 12 in 12", i, w.tally().queries)
			}
		})
	}
}

// TestSlow has a node that takes longer for a page than it may be silent.
func TestSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, 100_000)
		w.fault = func(query) fault { return fault{Slow: time.Minute} }
		chapter := w.open(t)
		start := time.Now()
		image, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
		if err != nil || !bytes.Equal(image.Data, w.pages[0]) {
			t.Errorf("the page is not as it is: %v", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %v, want 1m", took)
		}
	})
}

// TestHuge has a page whose length alone is too much. It is not read.
func TestHuge(t *testing.T) {
	t.Parallel()
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"image/png"}}, ContentLength: 64<<20 + 1,
			Body: io.NopCloser(iotest.ErrReader(errors.New("it was read"))),
		}, nil
	})
	w := newWorld(t, 1, 1000)
	chapter := w.open(t, athome.WithHTTPClient(&http.Client{Transport: mock}))
	_, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
	if !errors.Is(err, athome.ErrTooLarge) || !strings.Contains(err.Error(), "it has at least 67108865 bytes and 67108864 are allowed") {
		t.Errorf("got %v", err)
	}
}

// TestOddTransport has transports that do not check what net/http checks.
func TestOddTransport(t *testing.T) {
	t.Parallel()
	for want, body := range map[string]string{
		"it has 4 bytes instead of the 10 that were promised": "\xff\xd8\xff\xe0",
		"the answer is empty": "",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
				resp := httpmock.NewStringResponse(http.StatusOK, body)
				resp.Header.Set("Content-Type", "image/jpeg")
				if resp.ContentLength = 10; body == "" {
					resp.ContentLength = -1
				}
				return resp, nil
			})
			w := newWorld(t, 1, 1000)
			w.names[0] = "x1.jpg"
			chapter := w.open(t, athome.WithHTTPClient(&http.Client{Transport: mock}))
			_, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestPageError(t *testing.T) {
	t.Parallel()
	const prefix = `athome: chapter 00000000-0000-4000-8000-0000000000c1: page 2 ("`
	for name, test := range map[string]struct {
		fault    fault
		options  []athome.Option
		is       error
		attempts int
		calls    int
		want     string // after the name
	}{
		"server error":  {status(500), nil, api.ErrServer, 9, 3, `"), tried 9 times, at last on node node3.example.test:8443: status 500 Internal Server Error`},
		"refused":       {status(403), nil, api.ErrForbidden, 3, 3, `"), tried 3 times, at last on node node3.example.test:8443: status 403 Forbidden`},
		"missing":       {status(404), nil, api.ErrNotFound, 9, 3, `: status 404 Not Found`},
		"damaged":       {garble, nil, nil, 9, 3, `: it is damaged: its SHA-256 begins with `},
		"cut off":       {cut, nil, nil, 9, 3, `: it broke off after 500 bytes: unexpected EOF`},
		"dropped":       {drop, nil, nil, 9, 3, `: EOF`},
		"not a picture": {html, nil, nil, 9, 3, `: the answer is "text/html; charset=UTF-8", not a picture`},
		"silent":        {silent, []athome.Option{athome.WithStallTimeout(3 * time.Second)}, nil, 3, 3, `: nothing came for 3s`},
		"stuck":         {stuck, nil, nil, 3, 3, `: nothing came for 15s`},
		"too large":     {none, []athome.Option{athome.WithMaxPageSize(999)}, athome.ErrTooLarge, 1, 1, `"), tried once, at last on node node1.example.test:8443: the picture is too large: it has at least 1000 bytes and 999 are allowed; raise WithMaxPageSize to let it through`},
		"too large, no length": {vague, []athome.Option{athome.WithMaxPageSize(999)}, athome.ErrTooLarge, 1, 1,
			`: the picture is too large: it has at least 1000 bytes and 999 are allowed`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 3, 1000)
				w.fault = at(1, test.fault)
				chapter := w.open(t, test.options...)
				_, err := chapter.Fetch(t.Context(), chapter.Pages()[1])
				var page *athome.PageError
				if !errors.As(err, &page) {
					t.Fatalf("got %v, want a PageError", err)
				}
				if page.Attempts != test.attempts || page.Chapter != chapterID || page.Page.Index != 1 || w.tally().tries[1] != test.attempts {
					t.Errorf("%d attempts (%d requests) at page %+v, want %d", page.Attempts, w.tally().tries[1], page.Page, test.attempts)
				}
				if got := w.called("GetAtHomeServer"); got != test.calls {
					t.Errorf("%d at-home calls, want %d", got, test.calls)
				}
				if !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got  %v\nwant %s…%s", err, prefix, test.want)
				}
				if test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("%v is not %v", err, test.is)
				}
				if strings.Contains(err.Error(), "key") {
					t.Errorf("the path of a node is in the error: %v", err)
				}
				var timeout interface{ Timeout() bool }
				if is := errors.As(err, &timeout) && timeout.Timeout(); is != (test.fault.Delay+test.fault.Stall > 0) {
					t.Errorf("Timeout: %v", is)
				}
			})
		})
	}
}

// TestShared has pages that all find their node useless at the same time. They share the next one,
// and the call for it.
func TestShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 40, 1000)
		w.delay = 10 * time.Millisecond
		w.fault = on("node1.", status(http.StatusForbidden))
		w.atHome = func(int) fault { return fault{Delay: time.Second} }
		chapter := w.open(t, athome.WithParallel(40))
		must(t, chapter.Save(t.Context(), t.TempDir()))
		if got := w.called("GetAtHomeServer"); got != 2 {
			t.Errorf("%d at-home calls, want 2", got)
		}
	})
}

// TestSharedCancelled ends the call that another page waits for. That page makes its own.
func TestSharedCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, 1000)
		w.fault = on("node1.", status(http.StatusForbidden))
		chapter := w.open(t)
		w.atHome = func(int) fault { return fault{Delay: time.Minute} }
		impatient, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errors.New("enough"))
		defer cancel()
		var first, second error
		var both sync.WaitGroup
		both.Go(func() { _, first = chapter.Fetch(impatient, chapter.Pages()[0]) })
		both.Go(func() {
			time.Sleep(time.Second)
			_, second = chapter.Fetch(t.Context(), chapter.Pages()[1])
		})
		start := time.Now()
		both.Wait()
		if first == nil || !strings.Contains(first.Error(), "enough") && !errors.Is(first, context.DeadlineExceeded) {
			t.Errorf("the first: %v", first)
		}
		if second != nil {
			t.Errorf("the second: %v", second)
		}
		if took := time.Since(start); took != 90*time.Second || w.called("GetAtHomeServer") != 3 {
			t.Errorf("%v and %d at-home calls, want 90s and 3", took, w.called("GetAtHomeServer"))
		}
	})
}

// TestAge has a node whose address is a quarter of an hour old. It is not tried any more.
func TestAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, 1000)
		chapter := w.open(t)
		for i, wait := range []time.Duration{14 * time.Minute, 2 * time.Minute} {
			time.Sleep(wait)
			image, err := chapter.Fetch(t.Context(), chapter.Pages()[i])
			must(t, err)
			if want := fmt.Sprintf("https://node%d.", i+1); !strings.HasPrefix(image.Page.URL, want) {
				t.Errorf("page %d came from %s", i, image.Page.URL)
			}
		}
		if got := w.called("GetAtHomeServer"); got != 2 || w.tally().queries != 2 {
			t.Errorf("%d at-home calls and %d requests, want 2 and 2", got, w.tally().queries)
		}
	})
}

// TestNoOtherNode has an API that has no second node to give.
func TestNoOtherNode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		atHome fault
		say    func(map[string]any)
		is     error
		want   string
	}{
		"forbidden": {status(http.StatusForbidden), nil, api.ErrForbidden, "GetAtHomeServer"},
		"changed":   {none, hashing("fedcba9876543210"), athome.ErrChanged, "the pages were replaced; open the chapter again"},
		"renamed":   {none, naming(0, "other.png"), athome.ErrChanged, "the pages were replaced; open the chapter again"},
		"emptied": {none, func(listing map[string]any) {
			listing["baseUrl"], listing["chapter"] = "", map[string]any{"hash": "", "data": []any{}, "dataSaver": []any{}}
		}, athome.ErrChanged, "the pages were replaced; open the chapter again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 40, 1000)
				w.fault = func(query) fault { return status(http.StatusForbidden) }
				chapter := w.open(t, athome.WithParallel(4))
				test.atHome.Delay = time.Second // so that several pages wait for the same call
				w.atHome, w.say = func(int) fault { return test.atHome }, test.say
				err := chapter.Save(t.Context(), t.TempDir())
				if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "status 403 Forbidden; and no other node could be had: ") {
					t.Errorf("got %v", err)
				}
				if lost := pageErrors(err); len(lost) != 0 {
					t.Errorf("pages %v are blamed for it", lost)
				}
				if w.tally().queries > 6 { // four are fetched at once, and two checked
					t.Errorf("%d requests, although the chapter is lost", w.tally().queries)
				}
			})
		})
	}
}

// TestCancel ends a fetch at every place where it can wait.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(w *world){
		"answer": func(w *world) { w.fault = func(query) fault { return silent } },
		"body":   func(w *world) { w.fault = func(query) fault { return stuck } },
		"pause":  func(w *world) { w.fault = func(query) fault { return status(500) } },
		"node": func(w *world) {
			w.fault = func(query) fault { return status(403) }
			w.atHome = func(call int) fault {
				if call > 1 {
					return silent
				}
				return none
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 20, 1000)
				prepare(w)
				w.delay = 10 * time.Millisecond
				chapter := w.open(t, athome.WithParallel(2))
				for what, run := range map[string]func(context.Context) error{
					"Fetch": func(ctx context.Context) error {
						var waiting sync.WaitGroup
						for range 3 { // the third waits for its turn
							waiting.Go(func() { chapter.Fetch(ctx, chapter.Pages()[1]) })
						}
						waiting.Wait()
						_, err := chapter.Fetch(ctx, chapter.Pages()[0])
						return err
					},
					"Save":     func(ctx context.Context) error { return chapter.Save(ctx, t.TempDir()) },
					"SaveCBZ":  func(ctx context.Context) error { return chapter.SaveCBZ(ctx, t.TempDir()+"/x.cbz") },
					"WriteCBZ": func(ctx context.Context) error { return chapter.WriteCBZ(ctx, new(bytes.Buffer)) },
				} {
					ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
					start := time.Now()
					err := run(ctx)
					cancel()
					if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "athome: chapter "+chapterID.String()) {
						t.Errorf("%s: %v", what, err)
					}
					if took := time.Since(start); took > 160*time.Millisecond {
						t.Errorf("%s took %v after its context had ended at 150ms", what, took)
					}
				}
			})
		})
	}
}

// TestParallel makes sure that no more pages are fetched at once than allowed, and no fewer.
func TestParallel(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(t *testing.T, c *athome.Chapter) error{
		"Save":     func(t *testing.T, c *athome.Chapter) error { return c.Save(t.Context(), t.TempDir()) },
		"WriteCBZ": func(t *testing.T, c *athome.Chapter) error { return c.WriteCBZ(t.Context(), discard{}) },
		"Fetch": func(t *testing.T, c *athome.Chapter) error {
			var all sync.WaitGroup
			for _, page := range c.Pages() {
				all.Go(func() {
					if _, err := c.Fetch(t.Context(), page); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 60, 1000)
				w.delay = time.Second
				chapter := w.open(t, athome.WithParallel(5))
				start := time.Now()
				must(t, read(t, chapter))
				w.mu.Lock()
				defer w.mu.Unlock()
				if took := time.Since(start); w.most != 5 || took != 12*time.Second {
					t.Errorf("at most %d pages at once in %v, want 5 in 12s", w.most, took)
				}
			})
		})
	}
}
