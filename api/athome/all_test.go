package athome_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/athome"
)

// TestAllStops leaves the loop in every way. The bubble makes sure that nothing is left behind.
func TestAllStops(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(query) fault
		leave func(image athome.Image, cancel func()) bool
		want  int // pages that came
		err   string
	}{
		"break": {leave: func(image athome.Image, _ func()) bool { return image.Page.Index == 7 }, want: 8},
		"break at once, others silent": {
			fault: func(q query) fault {
				if q.Page > 0 {
					return silent
				}
				return none
			},
			leave: func(athome.Image, func()) bool { return true }, want: 1,
		},
		"cancel": {
			leave: func(image athome.Image, cancel func()) bool {
				if image.Page.Index == 7 {
					cancel()
				}
				return false
			},
			want: 8, err: "context canceled",
		},
		"panic": {leave: func(image athome.Image, _ func()) bool {
			if image.Page.Index == 7 {
				panic("the loop is left")
			}
			return false
		}, want: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 60, 100)
				w.delay, w.fault = 10*time.Millisecond, test.fault
				chapter := w.open(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				came := 0
				func() {
					defer func() { recover() }()
					for image, err := range chapter.All(ctx) {
						if err != nil {
							// Pages that had been fetched before come first.
							if test.err == "" || !strings.Contains(err.Error(), test.err) {
								t.Error(err)
							}
							continue
						}
						if ctx.Err() == nil {
							came++
						}
						if test.leave(image, cancel) {
							break
						}
					}
				}()
				if came != test.want {
					t.Errorf("%d pages came, want %d", came, test.want)
				}
				synctest.Wait() // for requests that are on their way
				asked := w.tally().queries
				time.Sleep(time.Hour)
				if got := w.tally().queries; got != asked {
					t.Errorf("%d requests after the end", got-asked)
				}
			})
		})
	}
}

// TestAllLoses has pages that cannot be had. The others come in their places.
func TestAllLoses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30, 100)
		w.fault = func(q query) fault {
			if q.Page%10 == 4 {
				return garble
			}
			return none
		}
		var lost []int
		next := 0
		for image, err := range w.open(t).All(t.Context()) {
			if image.Page.Index != next {
				t.Errorf("page %d came as number %d", image.Page.Index, next)
			}
			if next++; err == nil {
				continue
			}
			lost = append(lost, pageErrors(err)...)
			if image.Data != nil {
				t.Error("a page that is lost has data")
			}
		}
		if !slices.Equal(lost, []int{4, 14, 24}) || next != 30 {
			t.Errorf("pages %v of %d are lost", lost, next)
		}
	})
}

// TestAllAhead reads slowly, and looks at how much is fetched ahead.
func TestAllAhead(t *testing.T) {
	t.Parallel()
	const size = 10_000
	for name, test := range map[string]struct {
		parallel int
		memory   int64
		fault    fault
		want     int // pages that are asked for while the first is read
	}{
		"pages":             {4, 1 << 30, none, 8},
		"one":               {1, 1 << 30, none, 2},
		"bytes":             {8, 3*size + size/2, none, 3},
		"bytes, no length":  {8, 3*size + size/2, vague, 3},
		"less than one":     {8, size - 1, none, 1},
		"next to nothing":   {8, 1, vague, 1},
		"just enough bytes": {8, 2 * size, none, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 40, size)
				w.delay = 10 * time.Millisecond
				w.fault = func(query) fault { return test.fault }
				chapter := w.open(t, athome.WithParallel(test.parallel), athome.WithMemory(test.memory))
				i := 0
				for image, err := range chapter.All(t.Context()) {
					must(t, err)
					if !bytes.Equal(image.Data, w.pages[i]) {
						t.Fatalf("page %d is not as it is", i)
					}
					i++
					time.Sleep(time.Minute)
					// Once the size of pages is known, none is begun that has no room.
					if whole := len(w.tally().whole); i > test.parallel+2 && whole-i+1 > test.want {
						t.Errorf("%d pages are held while page %d is read, want %d", whole-i+1, i, test.want)
					}
				}
				if i != 40 {
					t.Errorf("%d pages came", i)
				}
				tally := w.tally()
				for page, n := range tally.whole {
					if n != 1 && page >= test.parallel+2 { // when sizes are known
						t.Errorf("page %d was sent %d times", page, n)
					}
				}
			})
		})
	}
}

// TestAllMemory looks at the memory while many pages are read.
func TestAllMemory(t *testing.T) {
	const pages, parallel, size = 24, 6, 3 << 20
	w := samePages(t, pages, size)
	chapter := w.open(t, athome.WithParallel(parallel))
	for name, read := range map[string]func() error{
		"All": func() error {
			for _, err := range chapter.All(t.Context()) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"WriteCBZ": func() error { return chapter.WriteCBZ(t.Context(), discard{}) },
		"Save":     func() error { return chapter.Save(t.Context(), t.TempDir()) },
	} {
		// A busy machine lets the collector lag, so the best of some runs counts.
		peak, limit := int64(math.MaxInt64), int64(parallel*size+20<<20)
		for n := 0; n < 5 && peak > limit; n++ {
			grown, err := peakMemory(read)
			must(t, err)
			peak = min(peak, grown)
		}
		t.Logf("%s: %d MB", name, peak>>20)
		if peak > limit {
			t.Errorf("%s: the heap grew by %d MB, more than %d MB", name, peak>>20, limit>>20)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// peakMemory returns by how much the heap grows while f runs, garbage included.
func peakMemory(f func() error) (int64, error) {
	runtime.GC()
	before, peak := heap(), int64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				peak = max(peak, heap()-before)
			}
		}
	}()
	err := f()
	close(stop)
	<-stopped
	return peak, err
}

// heap is the size of what is on the heap, garbage included.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// TestProgress adds up what is reported.
func TestProgress(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"length": none, "no length": vague} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const pages, size = 30, 50_000
				w := newWorld(t, pages, size)
				w.fault = func(q query) fault {
					if q.Page%5 == 2 && q.Try < 3 {
						return cut
					}
					return f
				}
				var all []athome.Progress
				chapter := w.open(t, athome.WithProgress(func(p athome.Progress) { all = append(all, p) }))
				dir := t.TempDir()
				for what, run := range map[string]func() error{
					"Save":  func() error { return chapter.Save(t.Context(), dir) },
					"again": func() error { return chapter.Save(t.Context(), dir) },
					"CBZ":   func() error { return chapter.WriteCBZ(t.Context(), discard{}) },
				} {
					all = nil
					must(t, run())
					last := athome.Progress{}
					for _, p := range all {
						if p.TotalPages != pages || p.Pages < last.Pages || p.Pages > last.Pages+1 || p.Bytes > pages*size || p.Bytes < int64(p.Pages)*size {
							t.Fatalf("%s: %+v after %+v", what, p, last)
						}
						if name == "length" && p.TotalBytes != pages*size {
							t.Fatalf("%s: the total is %d, want %d", what, p.TotalBytes, pages*size)
						}
						last = p
					}
					if want := (athome.Progress{Pages: pages, TotalPages: pages, Bytes: pages * size, TotalBytes: pages * size}); last != want {
						t.Errorf("%s ended with %+v", what, last)
					}
				}
			})
		})
	}
}

// TestProgressLoses takes back the bytes of a page that does not arrive.
func TestProgressLoses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10, 1000)
		w.fault = at(3, garble)
		var last athome.Progress
		chapter := w.open(t, athome.WithProgress(func(p athome.Progress) { last = p }))
		err := chapter.Save(t.Context(), t.TempDir())
		if !slices.Equal(pageErrors(err), []int{3}) || !errors.As(err, new(*athome.PageError)) {
			t.Fatal(err)
		}
		if last.Pages != 9 || last.Bytes != 9000 || last.TotalBytes != 10_000 {
			t.Errorf("it ended with %+v", last)
		}
	})
}
