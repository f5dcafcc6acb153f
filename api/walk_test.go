package api_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A catalogue answers as a list does. Its items are in the order of their creation.
type catalogue struct {
	size    int
	created func(i int) time.Time // of item i; a second apart if nil
	most    int                   // largest page
	line
	before func(offset int) *http.Response // answers instead if it returns something

	mu    sync.Mutex
	asked []string // the queries that came, without those that before answered
}

func nth(i int) uuid.UUID {
	id := uuid.UUID{6: 0x40, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(i))
	return id
}

func (c *catalogue) at(i int) time.Time {
	if c.created != nil {
		return c.created(i)
	}
	return time.Date(2020, 1, 1, 0, 0, i, 0, time.UTC)
}

func (c *catalogue) do(req *http.Request) (*http.Response, error) {
	done, err := c.pass(req.Context())
	defer done()
	if err != nil {
		return nil, err
	}
	q := req.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	offset, _ := strconv.Atoi(q.Get("offset"))
	if c.before != nil {
		if resp := c.before(offset); resp != nil {
			return resp, nil
		}
	}
	c.mu.Lock()
	c.asked = append(c.asked, fmt.Sprintf("%d+%d", offset, limit))
	c.mu.Unlock()
	if limit < 1 || limit > c.most || offset+limit > 10000 {
		return answer(http.StatusBadRequest, "application/json", `{"result":"error","errors":[]}`), nil
	}
	first := 0
	if since := q.Get("createdAtSince"); since != "" {
		from, err := time.Parse("2006-01-02T15:04:05", since)
		if err != nil || q.Get("order[createdAt]") != "asc" {
			return answer(http.StatusBadRequest, "application/json", `{"result":"error","errors":[]}`), nil
		}
		first = sort.Search(c.size, func(i int) bool { return !c.at(i).Before(from) })
	}
	var b strings.Builder
	for i := first + offset; i < min(first+offset+limit, c.size); i++ {
		b.WriteString(`,{"id":"` + nth(i).String() + `","type":"manga","attributes":{"createdAt":"` + c.at(i).Format(time.RFC3339) + `"},"relationships":[]}`)
	}
	return answer(http.StatusOK, "application/json", fmt.Sprintf(`{"result":"ok","response":"collection","data":[%s],"limit":%d,"offset":%d,"total":%d}`,
		strings.TrimPrefix(b.String(), ","), limit, offset, c.size-first)), nil
}

// collect walks over a list and returns which items came, and the errors.
func collect[T any](seq func(func(T, error) bool), id func(T) uuid.UUID) (items []int, errs []error) {
	for item, err := range seq {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		i := id(item)
		items = append(items, int(binary.BigEndian.Uint32(i[12:])))
	}
	return items, errs
}

// offset is that of a page that was asked for.
func offset(asked string) int {
	n, _ := strconv.Atoi(strings.Split(asked, "+")[0])
	return n
}

func mangaID(m api.Manga) uuid.UUID { return m.ID }

// upTo is 0, 1, … n-1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestWalkPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		size          int
		limit, offset int
		options       []api.WalkOption
		asked         string
		err           string
	}{
		{name: "nothing", asked: "0+100"},
		{name: "one page", size: 100, asked: "0+100"},
		{name: "the largest pages", size: 250, asked: "0+100 100+100 200+100"},
		{name: "one at a time", size: 250, options: []api.WalkOption{api.WithLookAhead(0)}, asked: "0+100 100+100 200+100"},
		{name: "smaller pages", size: 5, limit: 2, asked: "0+2 2+2 4+2"},
		{name: "pages that are too large", size: 150, limit: 1000, asked: "0+100 100+100"},
		{name: "an offset", size: 250, offset: 120, asked: "120+100 220+100"},
		{name: "an offset behind the end", size: 250, offset: 400, asked: "400+100"},
		{name: "as many as the server shows", size: 10000, offset: 9800, asked: "9800+100 9900+100"},
		{name: "one more than it shows", size: 10001, offset: 9850, asked: "9850+100 9950+50",
			err: "api: SearchManga: the list has more than the 10,000 results that the server shows; narrow the search, or pass WithSlices"},
		{name: "an offset behind what it shows", size: 20000, offset: 10000,
			err: "api: SearchManga: the list has more than the 10,000 results that the server shows; begin at a smaller offset"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := &catalogue{size: test.size, most: 100}
			client := newClient(t, c.do)
			params := &api.SearchMangaParams{}
			if test.limit > 0 {
				params.Limit = &test.limit
			}
			if test.offset > 0 {
				params.Offset = &test.offset
			}
			seq := client.SearchMangaAll(t.Context(), params, test.options...)
			for range 2 { // a second loop starts anew
				c.asked = nil
				items, errs := collect(seq, mangaID)
				want := upTo(min(test.size, 10000))
				if !slices.Equal(items, want[min(test.offset, len(want)):]) {
					t.Errorf("items %v", items)
				}
				slices.SortFunc(c.asked, func(a, b string) int { return offset(a) - offset(b) }) // pages ahead may overtake each other
				if got := strings.Join(c.asked, " "); got != test.asked {
					t.Errorf("asked for %s, want %s", got, test.asked)
				}
				if test.err == "" && len(errs) > 0 || test.err != "" && (len(errs) != 1 || errs[0].Error() != test.err || !errors.Is(errs[0], api.ErrTooManyResults)) {
					t.Errorf("errors %v, want %s", errs, test.err)
				}
			}
			if params.Offset != nil && *params.Offset != test.offset || params.Limit != nil && *params.Limit != test.limit {
				t.Error("the parameters of the caller were changed")
			}
		})
	}
}

// TestWalkFeeds checks that feeds are read in their own largest pages.
func TestWalkFeeds(t *testing.T) {
	t.Parallel()
	c := &catalogue{size: 1200, most: 500}
	items, errs := collect(newClient(t, c.do).GetMangaFeedAll(t.Context(), nth(0), nil), func(c api.Chapter) uuid.UUID { return c.ID })
	if len(errs) > 0 || !slices.Equal(items, upTo(1200)) || len(c.asked) != 3 {
		t.Errorf("%d items, pages %v, errors %v", len(items), c.asked, errs)
	}
}

// TestWalkErrors checks that an error comes out once, behind what was read before.
func TestWalkErrors(t *testing.T) {
	t.Parallel()
	for _, ahead := range []int{0, 1, 4, 10} {
		c := &catalogue{size: 1000, most: 100, before: func(offset int) *http.Response {
			if offset >= 300 {
				return answer(http.StatusInternalServerError, "application/json", `{"result":"error","errors":[]}`)
			}
			return nil
		}}
		items, errs := collect(newClient(t, c.do).SearchMangaAll(t.Context(), nil, api.WithLookAhead(ahead)), mangaID)
		if !slices.Equal(items, upTo(300)) {
			t.Errorf("%d ahead: %d items", ahead, len(items))
		}
		if len(errs) != 1 || !errors.Is(errs[0], api.ErrServer) {
			t.Errorf("%d ahead: errors %v", ahead, errs)
		}
	}
}

// TestWalkSlices checks that lists behind the ceiling are read whole, each item once.
func TestWalkSlices(t *testing.T) {
	t.Parallel()
	begin := time.Date(2021, 5, 6, 7, 8, 9, 0, time.UTC)
	tests := []struct {
		name    string
		size    int
		created func(i int) time.Time
		params  *api.SearchMangaParams
		want    []int
		slices  int
		err     string
	}{
		{name: "short", size: 300, want: upTo(300), slices: 1},
		{name: "at the ceiling", size: 10000, want: upTo(10000), slices: 1},
		{name: "three slices", size: 21000, want: upTo(21000), slices: 3},
		{name: "many created at once", size: 15000, created: func(i int) time.Time { return begin.Add(time.Duration(i/4000) * time.Second) },
			want: upTo(15000), slices: 3},
		{name: "from a time on", size: 21000, params: &api.SearchMangaParams{CreatedAtSince: api.Since(time.Date(2020, 1, 1, 0, 0, 3000, 0, time.UTC))},
			want: upTo(21000)[3000:], slices: 2},
		{name: "in the order of creation", size: 12000, params: &api.SearchMangaParams{Order: api.MangaOrder{}.CreatedAt(api.Asc)}, want: upTo(12000), slices: 2},
		{name: "in another order", size: 12000, params: &api.SearchMangaParams{Order: api.MangaOrder{}.Title(api.Asc)},
			err: "api: SearchManga: slices are in the order of creation; leave Order out, or WithSlices"},
		{name: "as many as it shows created in two seconds, one after the other", size: 25000, created: func(i int) time.Time { return begin.Add(time.Duration(i/5000) * time.Second) },
			want: upTo(25000), slices: 5},
		{name: "too many created at once", size: 10001, created: func(int) time.Time { return begin }, want: upTo(10000), slices: 2,
			err: "api: SearchManga: the list has more than the 10,000 results that the server shows; more than that were created in one second, so slices cannot get at them; narrow the search"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := &catalogue{size: test.size, most: 100, created: test.created}
			items, errs := collect(newClient(t, c.do).SearchMangaAll(t.Context(), test.params, api.WithSlices()), mangaID)
			if !slices.Equal(items, test.want) {
				t.Errorf("%d items, want %d", len(items), len(test.want))
			}
			if test.err == "" && len(errs) > 0 || test.err != "" && (len(errs) != 1 || errs[0].Error() != test.err) {
				t.Errorf("errors %v, want %s", errs, test.err)
			}
			firsts := 0
			for _, asked := range c.asked {
				if asked == "0+100" {
					firsts++
				}
			}
			if firsts != test.slices {
				t.Errorf("%d slices, want %d", firsts, test.slices)
			}
		})
	}
	_, errs := collect(newClient(t, (&catalogue{}).do).ListAuthorsAll(t.Context(), nil, api.WithSlices()), func(a api.Author) uuid.UUID { return a.ID })
	if want := "api: ListAuthors cannot be read in slices, because it has no CreatedAtSince; leave WithSlices out"; len(errs) != 1 || errs[0].Error() != want {
		t.Errorf("errors %v, want %s", errs, want)
	}
}

// TestWalkAhead checks that pages come while the caller works, and no more of them than it needs.
func TestWalkAhead(t *testing.T) {
	t.Parallel()
	const latency = 300 * time.Millisecond
	tests := []struct {
		name    string
		work    time.Duration // of the caller for a page
		options []api.WalkOption
		took    time.Duration // for 20 pages, at most
		peak    int           // requests at once, at most
	}{
		{"a slow caller", time.Second, nil, latency + 20*time.Second, 1},
		{"a caller just slower than the server", latency + time.Millisecond, nil, 21 * (latency + time.Millisecond), 1},
		{"a fast caller", 0, nil, 8 * latency, 4},
		{"a fast caller who wants few", 0, []api.WalkOption{api.WithLookAhead(2)}, 11 * latency, 2},
		{"a fast caller who wants many", 0, []api.WalkOption{api.WithLookAhead(20)}, 7 * latency, 20},
		{"none ahead", 0, []api.WalkOption{api.WithLookAhead(0)}, 20 * latency, 1},
		{"none ahead of a slow caller", time.Second, []api.WalkOption{api.WithLookAhead(0)}, 20 * (time.Second + latency), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &catalogue{size: 2000, most: 100, line: line{latency: latency}}
				start, n := time.Now(), 0
				for _, err := range newClient(t, c.do).SearchMangaAll(t.Context(), nil, test.options...) {
					if err != nil {
						t.Fatal(err)
					}
					if n++; n%100 == 0 {
						time.Sleep(test.work)
					}
				}
				if took := time.Since(start); n != 2000 || took > test.took {
					t.Errorf("%d items took %v, want %v at most", n, took, test.took)
				}
				if c.peak > test.peak {
					t.Errorf("%d requests at once, want %d at most", c.peak, test.peak)
				}
			})
		})
	}
}

// TestWalkBreak checks that leaving the loop ends everything at once.
func TestWalkBreak(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &catalogue{size: 5000, most: 100, line: line{latency: 300 * time.Millisecond}}
		client := newClient(t, c.do)
		n := 0
		for range client.SearchMangaAll(t.Context(), nil) {
			if n++; n == 1500 {
				break
			}
		}
		if c.busy != 0 {
			t.Errorf("%d requests are under way behind the loop", c.busy)
		}
		if got := len(c.asked); got > 19 {
			t.Errorf("%d pages for the items of 15", got)
		}
		c.asked = nil
		for range client.SearchMangaAll(t.Context(), nil) {
			break
		}
		if got := len(c.asked); got != 1 {
			t.Errorf("%d pages for one item", got)
		}
	})
}

// TestWalkCancel checks that the end of the context ends the loop with its error, once.
func TestWalkCancel(t *testing.T) {
	t.Parallel()
	for _, ahead := range []int{0, 4} {
		for _, work := range []time.Duration{0, time.Second} {
			synctest.Test(t, func(t *testing.T) {
				c := &catalogue{size: 5000, most: 100, line: line{latency: 300 * time.Millisecond}}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				start, errs := time.Now(), []error(nil)
				for m, err := range newClient(t, c.do).SearchMangaAll(ctx, nil, api.WithLookAhead(ahead)) {
					if err != nil {
						errs = append(errs, err)
					} else if m.ID[15] == 0 {
						time.Sleep(work)
					}
				}
				if len(errs) != 1 || !errors.Is(errs[0], context.DeadlineExceeded) {
					t.Errorf("errors %v", errs)
				}
				if took := time.Since(start); took > 2*time.Second+work {
					t.Errorf("ended after %v", took)
				}
			})
		}
	}
}
