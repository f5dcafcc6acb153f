package athome_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

// TestSaveReplaced has chapters whose pages were changed after they had been saved. What is there is not
// fetched again, wherever it is now, and what is no longer a page goes.
func TestSaveReplaced(t *testing.T) {
	t.Parallel()
	fresh := picture(99, 1000)
	for name, test := range map[string]struct {
		change func(pages [][]byte) [][]byte
		want   []int
	}{
		"one replaced":            {func(p [][]byte) [][]byte { p[2] = fresh; return p }, []int{2}},
		"one before the others":   {func(p [][]byte) [][]byte { return slices.Insert(p, 0, fresh) }, []int{0}},
		"one fewer in the middle": {func(p [][]byte) [][]byte { return slices.Delete(p, 2, 3) }, nil},
		"three fewer":             {func(p [][]byte) [][]byte { return p[:len(p)-3] }, nil},
		"two changed places":      {func(p [][]byte) [][]byte { p[1], p[4] = p[4], p[1]; return p }, nil},
		"backward":                {func(p [][]byte) [][]byte { slices.Reverse(p); return p }, nil},
		"one twice":               {func(p [][]byte) [][]byte { return append(p, p[0]) }, nil},
	} {
		for _, archive := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", archive ", archive), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, 8, 1000)
				dir := t.TempDir()
				path, save := filepath.Join(dir, "chapter"), (*athome.Chapter).Save
				if archive {
					path, save = path+".cbz", (*athome.Chapter).SaveCBZ
				}
				first := w.open(t)
				must(t, save(first, t.Context(), path))
				w.show(test.change(slices.Clone(w.pages))...)
				w.tries = map[int]int{}
				second := w.open(t)
				if faults, err := athome.Check(t.Context(), path, second.Pages()); err != nil || len(faults) == 0 {
					t.Errorf("before: %v %v", faults, err)
				}
				before := w.tally()
				must(t, save(second, t.Context(), path))
				w.checkFetched(t, before, test.want)
				if archive {
					data, _ := os.ReadFile(path)
					checkCBZ(t, data, w.pages, ".png")
					checkTree(t, dir, 1)
				} else {
					checkFolder(t, path, w.pages, ".png")
				}
				if faults, err := athome.Check(t.Context(), path, second.Pages()); err != nil || len(faults) != 0 {
					t.Errorf("after: %v %v", faults, err)
				}
			})
		}
	}
}

// TestCBZAgain has archives in every state, and counts the pages that are fetched to put them right.
func TestCBZAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, path string)
		want   []int
	}{
		"nothing to do": {func(*testing.T, string) {}, nil},
		"cut off": {func(t *testing.T, path string) {
			data, _ := os.ReadFile(path)
			write(t, path, data[:len(data)/2])
		}, []int{0, 1, 2, 3, 4}},
		"a damaged page": {func(t *testing.T, path string) {
			data, _ := os.ReadFile(path)
			data[bytes.Index(data, []byte("003.png"))+500] ^= 1
			write(t, path, data)
		}, []int{2}},
		"another file in it": {func(t *testing.T, path string) {
			rewrite(t, path, func(name string) string { return strings.Replace(name, "002.png", "notes.txt", 1) })
		}, []int{1}},
		"other names in it": {func(t *testing.T, path string) {
			rewrite(t, path, func(name string) string { return strings.Replace(name, "002.png", "0002.png", 1) })
		}, nil},
		"gone": {func(t *testing.T, path string) { os.Remove(path) }, []int{0, 1, 2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := described(t)
			w.show(w.pages[:5]...)
			path := filepath.Join(t.TempDir(), "chapter.cbz")
			must(t, w.open(t).SaveCBZ(t.Context(), path))
			test.change(t, path)
			old := time.Now().Add(-time.Hour).Truncate(time.Second)
			if name == "nothing to do" {
				os.Chtimes(path, old, old)
			}
			before := w.tally()
			must(t, w.open(t).SaveCBZ(t.Context(), path))
			w.checkFetched(t, before, test.want)
			data, err := os.ReadFile(path)
			must(t, err)
			checkCBZ(t, data, w.pages, ".png")
			checkTree(t, filepath.Dir(path), 1)
			if info, _ := os.Stat(path); name == "nothing to do" && !info.ModTime().Equal(old) {
				t.Error("it was written again")
			}
		})
	}
}

// rewrite gives the files in an archive other names.
func rewrite(t *testing.T, path string, rename func(string) string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	old, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, f := range old.File {
		f.Name = rename(f.Name)
		must(t, archive.Copy(f))
	}
	archive.Close()
	write(t, path, out.Bytes())
}

// TestCBZGoesOn has a page that cannot be had at first. Without WithGaps what was there stays, and the other
// pages are kept until the next run, also if the archive has another name then.
func TestCBZGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20, 1000)
		w.fault = at(7, status(404))
		dir := t.TempDir()
		path := filepath.Join(dir, "chapter.cbz")
		write(t, path, []byte("an older one"))
		err := w.open(t).SaveCBZ(t.Context(), path)
		if lost := pageErrors(err); !slices.Equal(lost, []int{7}) {
			t.Errorf("pages %v are lost: %v", lost, err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != "an older one" {
			t.Errorf("the older archive is gone: %v", err)
		}
		w.fault = nil
		before := w.tally()
		path = filepath.Join(dir, "another name.cbz")
		must(t, w.open(t).SaveCBZ(t.Context(), path))
		w.checkFetched(t, before, []int{7})
		data, _ := os.ReadFile(path)
		checkCBZ(t, data, w.pages, ".png")
		checkTree(t, dir, 2)
	})
}

// TestCBZGaps writes an archive with pages missing, which says so, and mends it.
func TestCBZGaps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := described(t)
		w.fault = func(q query) fault {
			if q.Page == 3 || q.Page == 7 {
				return status(404)
			}
			return none
		}
		path := filepath.Join(t.TempDir(), "chapter.cbz")
		for range 2 {
			err := w.open(t, athome.WithGaps()).SaveCBZ(t.Context(), path)
			var incomplete *athome.IncompleteError
			if !errors.As(err, &incomplete) || !slices.Equal(incomplete.Missing, []int{3, 7}) || !strings.Contains(err.Error(), "the archive has 10 of 12 pages") || !errors.As(err, new(*athome.PageError)) {
				t.Fatalf("got %v", err)
			}
			archive, err := zip.OpenReader(path)
			must(t, err)
			if got, want := archive.Comment, "2 of 12 pages are missing: 4, 8"; got != want || len(archive.File) != 11 {
				t.Errorf("the comment is %q and there are %d files", got, len(archive.File))
			}
			archive.Close()
		}
		faults, err := athome.Check(t.Context(), path, w.open(t).Pages())
		if err != nil || len(faults) != 2 || faults[3] != athome.FaultMissing {
			t.Errorf("faults: %v %v", faults, err)
		}
		w.fault = nil
		before := w.tally()
		must(t, w.open(t, athome.WithGaps()).SaveCBZ(t.Context(), path))
		w.checkFetched(t, before, []int{3, 7})
		data, _ := os.ReadFile(path)
		checkCBZ(t, data, w.pages, ".png")
		checkTree(t, filepath.Dir(path), 1)

		w.fault = func(query) fault { return status(500) }
		other := filepath.Join(t.TempDir(), "none.cbz")
		if err := w.open(t, athome.WithGaps()).SaveCBZ(t.Context(), other); err == nil {
			t.Error("an archive without pages is no error")
		}
		if _, err := os.Stat(other); err == nil {
			t.Error("an archive without pages is there")
		}
	})
}

// TestFallback takes pages in the other quality, says which, and asks for the wanted one again later.
func TestFallback(t *testing.T) {
	t.Parallel()
	for _, archive := range []bool{false, true} {
		t.Run(fmt.Sprint("archive ", archive), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 6, 1000)
				w.fault = func(q query) fault {
					if q.Page == 2 && !q.Saver {
						return status(404)
					}
					return none
				}
				var mu sync.Mutex
				var reported []athome.Page
				option := athome.WithFallback(func(page athome.Page) {
					mu.Lock()
					defer mu.Unlock()
					reported = append(reported, page)
				})
				path, save := filepath.Join(t.TempDir(), "chapter"), (*athome.Chapter).Save
				if archive {
					path, save = path+".cbz", (*athome.Chapter).SaveCBZ
				}
				for range 2 {
					reported = nil
					must(t, save(w.open(t, option), t.Context(), path))
					if len(reported) != 1 || reported[0].Index != 2 || !reported[0].DataSaver || reported[0].Name != w.savers[2] {
						t.Errorf("reported: %+v", reported)
					}
				}
				if n := w.tally().whole[2]; !archive && n != 1 {
					t.Errorf("the small page was fetched %d times", n)
				}
				if faults, err := athome.Check(t.Context(), path, w.open(t).Pages()); err != nil || len(faults) != 1 || faults[2] != athome.FaultWrong {
					t.Errorf("faults: %v %v", faults, err)
				}
				w.fault, reported = nil, nil
				if err := save(w.open(t, option), t.Context(), path); err != nil || reported != nil {
					t.Fatal(err, reported)
				}
				if faults, err := athome.Check(t.Context(), path, w.open(t).Pages()); err != nil || len(faults) != 0 {
					t.Errorf("faults: %v %v", faults, err)
				}
				w.fault = at(2, status(404))
				chapter := w.open(t, option)
				if _, err := chapter.Fetch(t.Context(), chapter.Pages()[2]); !errors.As(err, new(*athome.PageError)) {
					t.Errorf("a page that is nowhere: %v", err)
				}
			})
		})
	}
}

// TestFallbackOfAll has a chapter that is there in one quality only.
func TestFallbackOfAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 1000)
	w.savers = nil
	if _, err := w.tryOpen(t, athome.WithDataSaver()); !errors.Is(err, athome.ErrNoPages) {
		t.Errorf("without the option: %v", err)
	}
	chapter := w.open(t, athome.WithDataSaver(), athome.WithFallback(nil))
	if pages := chapter.Pages(); len(pages) != 3 || pages[0].DataSaver {
		t.Errorf("pages: %+v", pages)
	}
}

// TestSlowNode has a node that sends ten bytes a second. Another one is asked after half a minute.
func TestSlowNode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []athome.Option
		took    time.Duration
		calls   int
	}{
		"by default":       {nil, 30 * time.Second, 2},
		"slower is taken":  {[]athome.Option{athome.WithSlowest(5)}, 100 * time.Second, 1},
		"any speed":        {[]athome.Option{athome.WithSlowest(0)}, 100 * time.Second, 1},
		"a speed too high": {[]athome.Option{athome.WithSlowest(1 << 40)}, 30 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1, 1000)
				w.fault = on("node1", fault{Slow: 100 * time.Second})
				chapter := w.open(t, test.options...)
				start := time.Now()
				image, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
				if err != nil || !bytes.Equal(image.Data, w.pages[0]) {
					t.Fatal(err)
				}
				if took := time.Since(start).Round(time.Second); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if got := w.called("GetAtHomeServer"); got != test.calls {
					t.Errorf("%d at-home calls", got)
				}
			})
		})
	}
	if _, err := athome.NewCovers(athome.WithSlowest(-1)); err == nil || !strings.Contains(err.Error(), "WithSlowest(-1): give a number") {
		t.Errorf("got %v", err)
	}
}

// TestSlowCover has a host of covers that sends ten bytes a second. It is given up.
func TestSlowCover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0, 0)
		w.fault = func(query) fault { return fault{Slow: 100 * time.Second} }
		name := w.cover(t)
		start := time.Now()
		_, err := newCovers(t, w).Fetch(t.Context(), mangaID, name, api.CoverSmall)
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) > 2*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestPacked has nodes that send pages gzip'd, whether they say so or not.
func TestPacked(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"said":             {"Content-Type": {"image/png"}, "Content-Encoding": {"gzip"}},
		"not said":         {"Content-Type": {"image/png"}},
		"said as a type":   {"Content-Type": {"application/x-gzip"}},
		"without a type":   {"Content-Type": nil},
		"said, but is not": {"Content-Type": {"image/png"}, "Content-Encoding": {"gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4, 30_000)
			w.fault = func(query) fault {
				f := fault{Header: header, Rewrite: packed}
				if name == "said, but is not" {
					f.Rewrite = nil
				}
				return f
			}
			dir := t.TempDir()
			must(t, w.open(t).Save(t.Context(), dir))
			checkFolder(t, dir, w.pages, ".png")
			if n := w.tally().queries; n != 4 {
				t.Errorf("%d requests", n)
			}
		})
	}
	t.Run("a bomb", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1, 1000)
		w.fault = func(query) fault {
			return fault{Rewrite: func([]byte) []byte { return packed(make([]byte, 4<<20)) }}
		}
		chapter := w.open(t, athome.WithMaxPageSize(1<<20))
		if _, err := chapter.Fetch(t.Context(), chapter.Pages()[0]); !errors.Is(err, athome.ErrTooLarge) {
			t.Errorf("got %v", err)
		}
	})
}

func packed(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// TestRedirects has nodes that redirect. They are followed on the public network only, unless they are
// private themselves.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		node, to string
		follow   bool
	}{
		"to a public host":        {"https://203.0.113.7:8443", "https://198.51.100.9", true},
		"to a router":             {"https://203.0.113.7", "http://192.168.1.1", false},
		"to this machine":         {"https://203.0.113.7", "http://127.0.0.1:8080", false},
		"to this machine by name": {"https://203.0.113.7", "http://LocalHost.:8080", false},
		"to this machine, IPv6":   {"https://203.0.113.7", "http://[::1]", false},
		"mapped":                  {"https://203.0.113.7", "http://[::ffff:10.0.0.1]", false},
		"by NAT64":                {"https://203.0.113.7", "http://[64:ff9b::a00:1]", false},
		"to a cloud's secrets":    {"https://203.0.113.7", "http://169.254.169.254", false},
		"to a carrier's network":  {"https://203.0.113.7", "http://100.64.0.1", false},
		"to a name without dots":  {"https://203.0.113.7", "http://printer", false},
		"to a number":             {"https://203.0.113.7", "http://2130706433", false},
		"from a private node":     {"http://192.168.1.2", "http://192.168.1.1", true},
		"from this machine":       {"http://localhost:8080", "http://127.0.0.1:8080", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1, 1000)
			w.base = func(int) string { return test.node + "/key" }
			from := strings.TrimPrefix(strings.TrimPrefix(test.node, "https://"), "http://")
			reached := false
			w.fault = func(q query) fault {
				if q.Host == from {
					return fault{Status: http.StatusFound, Header: http.Header{"Location": {test.to + "/moved/data/" + w.hash + "/" + w.names[0]}}}
				}
				reached = true
				return none
			}
			chapter := w.open(t)
			_, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
			if test.follow != (err == nil) || test.follow != reached {
				t.Errorf("followed: %v; %v", reached, err)
			}
			if err != nil && !strings.Contains(err.Error(), "which is in a private network") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestRetryAfter has nodes that say when to come back. A short time is waited for; instead of a long one
// another node is asked.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after string
		nodes int // different ones
		took  time.Duration
		calls int
		err   bool
	}{
		"a short time":                     {"3", 9, 3 * time.Second, 1, false},
		"a long time, and another node":    {"600", 9, 0, 2, false},
		"half a minute, and no other node": {"30", 1, 30 * time.Second, 2, false},
		"a long time, and no other node":   {"600", 1, 0, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1, 1000)
				w.base = func(call int) string { return fmt.Sprintf("https://node%d.example.test/key", min(call, test.nodes)) }
				start := time.Now()
				w.fault = func(q query) fault {
					if q.Try > 1 {
						return none
					}
					return fault{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {test.after}}}
				}
				chapter := w.open(t)
				_, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
				if test.err != (err != nil) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start).Round(time.Second); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if got := w.called("GetAtHomeServer"); got != test.calls {
					t.Errorf("%d at-home calls, want %d", got, test.calls)
				}
			})
		})
	}
}

// TestCheckErrors has paths at which there is nothing to check.
func TestCheckErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, 100)
	pages := w.open(t).Pages()
	if _, err := athome.Check(t.Context(), filepath.Join(t.TempDir(), "nothing"), pages); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	path := filepath.Join(t.TempDir(), "text.cbz")
	write(t, path, []byte("no archive"))
	faults, err := athome.Check(t.Context(), path, pages)
	if err != nil || len(faults) != 2 || faults[0] != athome.FaultMissing {
		t.Errorf("got %v %v", faults, err)
	}
	dir := t.TempDir()
	must(t, w.open(t).Save(t.Context(), dir))
	write(t, dir+"/003.png", w.pages[0])
	faults, err = athome.Check(context.Background(), dir, pages)
	if err != nil || len(faults) != 1 || faults[2] != athome.FaultSurplus {
		t.Errorf("got %v %v", faults, err)
	}
}
