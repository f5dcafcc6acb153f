package api_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// number is what nth made an id of.
func number(id uuid.UUID) int { return int(binary.BigEndian.Uint32(id[12:])) }

func nths(numbers ...int) []uuid.UUID {
	ids := make([]uuid.UUID, len(numbers))
	for i, n := range numbers {
		ids[i] = nth(n)
	}
	return ids
}

// A stock answers to lists of ids: it has those below size, in no order of anyone's.
type stock struct {
	size   int
	hidden func(n int, q url.Values) bool // what is left out
	refuse func(ids []int) *http.Response // answers instead if it returns something
	line

	mu      sync.Mutex
	queries []url.Values
	longest int // request line
}

// listed is the parameter with the ids, by path.
var listed = map[string]string{
	"/manga": "ids[]", "/chapter": "ids[]", "/author": "ids[]", "/cover": "ids[]", "/group": "ids[]", "/manga/read": "ids[]",
	"/statistics/manga": "manga[]", "/statistics/chapter": "chapter[]", "/statistics/group": "group[]", "/rating": "manga[]",
}

func (s *stock) do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	q := req.URL.Query()
	s.queries = append(s.queries, q)
	s.longest = max(s.longest, len("GET "+req.URL.RequestURI()+" HTTP/1.1\r\n"))
	s.mu.Unlock()
	done, err := s.pass(req.Context())
	defer done()
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, text := range q[listed[req.URL.Path]] {
		ids = append(ids, number(uuid.MustParse(text)))
	}
	if s.refuse != nil {
		if resp := s.refuse(ids); resp != nil {
			return resp, nil
		}
	}
	var items, members []string
	for _, n := range slices.Backward(ids) {
		if n < s.size && (s.hidden == nil || !s.hidden(n, q)) {
			items = append(items, fmt.Sprintf(`{"id":%q,"type":"x","attributes":{},"relationships":[]}`, nth(n)))
			member := `{"follows":7,"comments":{"repliesCount":7,"threadId":7}}`
			switch req.URL.Path {
			case "/manga/read":
				member = fmt.Sprintf(`[%q]`, nth(n+1000000))
			case "/rating":
				member = `{"rating":7}`
			}
			members = append(members, fmt.Sprintf(`%q:%s`, nth(n), member))
		}
	}
	object := "{" + strings.Join(members, ",") + "}"
	if len(members) == 0 {
		object = "[]" // as the server does
	}
	switch {
	case strings.HasPrefix(req.URL.Path, "/statistics/"):
		return answer(http.StatusOK, "application/json", `{"result":"ok","statistics":`+object+`}`), nil
	case req.URL.Path == "/rating":
		return answer(http.StatusOK, "application/json", `{"result":"ok","ratings":`+object+`}`), nil
	case req.URL.Path == "/manga/read":
		return answer(http.StatusOK, "application/json", `{"result":"ok","data":`+object+`}`), nil
	case req.URL.Path == "/manga/status":
		return answer(http.StatusOK, "application/json", fmt.Sprintf(`{"result":"ok","statuses":{%q:"reading",%q:"dropped"}}`, nth(1), nth(2))), nil
	}
	if limit, _ := strconv.Atoi(q.Get("limit")); len(items) > max(limit, 10) || len(ids) > 100 {
		return answer(http.StatusBadRequest, "application/json", `{"result":"error","errors":[]}`), nil
	}
	return answer(http.StatusOK, "application/json", fmt.Sprintf(`{"result":"ok","data":[%s],"total":%d}`, strings.Join(items, ","), len(items))), nil
}

// lists are the batches with an order, as functions of the same shape.
func lists(c *api.Client) map[string]func(context.Context, []uuid.UUID) (found []int, missing []uuid.UUID, err error) {
	return map[string]func(context.Context, []uuid.UUID) ([]int, []uuid.UUID, error){
		"manga": func(ctx context.Context, ids []uuid.UUID) ([]int, []uuid.UUID, error) {
			found, missing, err := c.GetMangaByIDs(ctx, ids, api.IncludeAuthor)
			return numbersOf(found, func(m api.Manga) uuid.UUID { return m.ID }), missing, err
		},
		"chapter": func(ctx context.Context, ids []uuid.UUID) ([]int, []uuid.UUID, error) {
			found, missing, err := c.GetChaptersByIDs(ctx, ids, api.IncludeUser)
			return numbersOf(found, func(c api.Chapter) uuid.UUID { return c.ID }), missing, err
		},
		"author": func(ctx context.Context, ids []uuid.UUID) ([]int, []uuid.UUID, error) {
			found, missing, err := c.GetAuthorsByIDs(ctx, ids, api.IncludeManga)
			return numbersOf(found, func(a api.Author) uuid.UUID { return a.ID }), missing, err
		},
		"cover": func(ctx context.Context, ids []uuid.UUID) ([]int, []uuid.UUID, error) {
			found, missing, err := c.GetCoversByIDs(ctx, ids, api.IncludeUser)
			return numbersOf(found, func(c api.Cover) uuid.UUID { return c.ID }), missing, err
		},
		"group": func(ctx context.Context, ids []uuid.UUID) ([]int, []uuid.UUID, error) {
			found, missing, err := c.GetGroupsByIDs(ctx, ids, api.IncludeLeader)
			return numbersOf(found, func(g api.Group) uuid.UUID { return g.ID }), missing, err
		},
	}
}

func numbersOf[T any](items []T, id func(T) uuid.UUID) []int {
	numbers := make([]int, len(items))
	for i, item := range items {
		numbers[i] = number(id(item))
	}
	return numbers
}

// keyed are the batches without an order.
func keyed(c *api.Client) map[string]func(context.Context, []uuid.UUID) (map[uuid.UUID]string, error) {
	return map[string]func(context.Context, []uuid.UUID) (map[uuid.UUID]string, error){
		"manga statistics": func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
			return texts(func(s api.MangaStatistics) int { return s.Follows })(c.GetMangaStatisticsByIDs(ctx, ids))
		},
		"chapter statistics": func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
			return texts(func(s api.ThreadStatistics) int { return int(s.Comments.RepliesCount) })(c.GetChapterStatisticsByIDs(ctx, ids))
		},
		"group statistics": func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
			return texts(func(s api.ThreadStatistics) int { return int(s.Comments.RepliesCount) })(c.GetGroupStatisticsByIDs(ctx, ids))
		},
		"ratings": func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
			return texts(func(r api.Rating) int { return r.Rating })(c.GetRatingsByIDs(ctx, ids))
		},
		"read markers": func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
			return texts(func(chapters []uuid.UUID) int { return len(chapters) + 6 })(c.GetReadMarkersByIDs(ctx, ids))
		},
	}
}

func texts[T any](value func(T) int) func(map[uuid.UUID]T, error) (map[uuid.UUID]string, error) {
	return func(m map[uuid.UUID]T, err error) (map[uuid.UUID]string, error) {
		if err != nil {
			return nil, err
		}
		all := make(map[uuid.UUID]string, len(m))
		for id, item := range m {
			all[id] = strconv.Itoa(value(item))
		}
		return all, nil
	}
}

func TestBatchesInOrder(t *testing.T) {
	t.Parallel()
	shuffled := []int{7, 3, 999999, 5, 3, 1000000, 0, 999999}
	long := append(upTo(1050), 1050, 17, 1051) // two missing, one twice
	tests := []struct {
		name     string
		ids      []int
		found    []int
		missing  []int
		requests int // without those for chapters of the future
	}{
		{"none", nil, []int{}, nil, 0},
		{"in any order", shuffled, []int{7, 3, 5, 3, 0}, []int{999999, 1000000}, 1},
		{"a hundred", upTo(100), upTo(100), nil, 1},
		{"one more", upTo(101), upTo(101), nil, 2},
		{"many", long, append(upTo(1050), 17), []int{1050, 1051}, 11},
	}
	for _, test := range tests {
		for what := range lists(nil) {
			t.Run(test.name+" "+what, func(t *testing.T) {
				t.Parallel()
				s := &stock{size: 1050}
				found, missing, err := lists(newClient(t, s.do))[what](t.Context(), nths(test.ids...))
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(found, test.found) || !slices.Equal(missing, nths(test.missing...)) {
					t.Errorf("found %v, missing %v", found, missing)
				}
				want := test.requests
				if what == "chapter" && len(test.missing) > 0 {
					want++
				}
				if len(s.queries) != want {
					t.Errorf("%d requests, want %d", len(s.queries), want)
				}
				for _, q := range s.queries {
					if q.Get("limit") != "100" || len(q["includes[]"]) != 1 {
						t.Errorf("query %v", q)
					}
					if all := "[safe suggestive erotica pornographic]"; (what == "manga" || what == "chapter") && fmt.Sprint(q["contentRating[]"]) != all {
						t.Errorf("content ratings %v, want %s", q["contentRating[]"], all)
					}
				}
			})
		}
	}
}

// TestChaptersOfAllKinds checks that unavailable chapters and those of the future are found.
func TestChaptersOfAllKinds(t *testing.T) {
	t.Parallel()
	s := &stock{size: 30, hidden: func(n int, q url.Values) bool {
		unavailable, future := n%3 == 0, n%5 == 0
		return unavailable && q.Get("includeUnavailable") != "1" || future != (q.Get("includeFuturePublishAt") == "1")
	}}
	found, missing, err := newClient(t, s.do).GetChaptersByIDs(t.Context(), nths(upTo(32)...))
	if err != nil || !slices.Equal(numbersOf(found, func(c api.Chapter) uuid.UUID { return c.ID }), upTo(30)) || !slices.Equal(missing, nths(30, 31)) {
		t.Errorf("%d found, missing %v: %v", len(found), missing, err)
	}
	if len(s.queries) != 2 || len(s.queries[1]["ids[]"]) != 8 {
		t.Errorf("%d requests", len(s.queries))
	}
}

func TestBatchesByID(t *testing.T) {
	t.Parallel()
	for what := range keyed(nil) {
		for _, n := range []int{0, 1, 150, 1000} {
			t.Run(fmt.Sprint(what, " ", n), func(t *testing.T) {
				t.Parallel()
				s := &stock{size: n - n/10}
				ids := nths(upTo(n)...)
				got, err := keyed(newClient(t, s.do))[what](t.Context(), append(ids, ids...)) // each twice
				if err != nil || got == nil {
					t.Fatal(got, err)
				}
				want := map[uuid.UUID]string{}
				for _, id := range nths(upTo(s.size)...) {
					want[id] = "7"
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%d entries, want %d", len(got), len(want))
				}
				if most := (n + 142) / 143; len(s.queries) > most {
					t.Errorf("%d requests, %d are enough", len(s.queries), most)
				}
				if s.longest > 8192-512 {
					t.Errorf("a request line of %d bytes", s.longest)
				}
			})
		}
	}
}

func TestReadingStatusesByIDs(t *testing.T) {
	t.Parallel()
	s := &stock{}
	client := newClient(t, s.do)
	got, err := client.GetReadingStatusesByIDs(t.Context(), nths(2, 3))
	if want := (map[uuid.UUID]api.ReadingStatus{nth(2): "dropped"}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("statuses %v, %v", got, err)
	}
	if got, err := client.GetReadingStatusesByIDs(t.Context(), nil); err != nil || got == nil || len(got) > 0 || len(s.queries) != 1 {
		t.Errorf("statuses %v, %v after %d requests", got, err, len(s.queries))
	}
}

// TestBatchesThatAreRefused checks that a batch that the server does not take as a whole is taken
// in parts.
func TestBatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		refuse func(ids []int) *http.Response
		want   int   // entries
		err    error // nil: none
	}{
		{"URLs of a server that takes shorter ones", func(ids []int) *http.Response {
			if len(ids) > 20 {
				return answer(http.StatusRequestURITooLong, "text/html", "<h1>414</h1>")
			}
			return nil
		}, 300, nil},
		{"URLs of a server that takes none", func(ids []int) *http.Response {
			return answer(http.StatusRequestURITooLong, "text/html", "<h1>414</h1>")
		}, 0, api.ErrNotJSON},
		{"unknown ids", func(ids []int) *http.Response {
			if slices.Contains(ids, 40) || slices.Contains(ids, 200) {
				return answer(http.StatusNotFound, "application/json", `{"result":"error","errors":[]}`)
			}
			return nil
		}, 298, nil},
		{"a failure", func(ids []int) *http.Response {
			if slices.Contains(ids, 250) {
				return answer(http.StatusInternalServerError, "application/json", `{"result":"error","errors":[]}`)
			}
			return nil
		}, 0, api.ErrServer},
	}
	for _, test := range tests {
		for what := range keyed(nil) {
			t.Run(test.name+" "+what, func(t *testing.T) {
				t.Parallel()
				s := &stock{size: 300, refuse: test.refuse}
				got, err := keyed(newClient(t, s.do))[what](t.Context(), nths(upTo(300)...))
				if !errors.Is(err, test.err) || len(got) != test.want {
					t.Errorf("%d entries, want %d: %v", len(got), test.want, err)
				}
			})
		}
	}
}

// TestBatchesAtOnce checks that requests go out a few at a time, that the first failure ends the
// others, and that nothing is left behind.
func TestBatchesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &stock{size: 10000, line: line{latency: 300 * time.Millisecond}}
		client := newClient(t, s.do)
		start := time.Now()
		if _, _, err := client.GetMangaByIDs(t.Context(), nths(upTo(1000)...)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); s.peak != 4 || took != 900*time.Millisecond {
			t.Errorf("%d requests at once, took %v", s.peak, took)
		}
		s.refuse = func(ids []int) *http.Response {
			if ids[0] == 100 {
				return answer(http.StatusForbidden, "application/json", `{"result":"error","errors":[]}`)
			}
			return nil
		}
		s.queries = nil
		if _, _, err := client.GetMangaByIDs(t.Context(), nths(upTo(1000)...)); !errors.Is(err, api.ErrForbidden) {
			t.Errorf("error %v", err)
		}
		if len(s.queries) > 7 || s.busy != 0 {
			t.Errorf("%d requests, %d still under way", len(s.queries), s.busy)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start = time.Now()
		if _, err := client.GetRatingsByIDs(ctx, nths(upTo(5000)...)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 110*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
