package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/mangadex-go/mangadex/api"
)

// A stack answers as a list that changes and errs: change is called before each answer.
type stack struct {
	items  []int
	asked  int
	change func(s *stack, limit, offset int) fault
}

// A fault is what is wrong with an answer.
type fault struct {
	most  int  // items; 0: as many as were asked for
	empty bool // no items
	total *int // instead of the true one
	none  bool // no total
	fail  bool
}

func (s *stack) do(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	offset, _ := strconv.Atoi(q.Get("offset"))
	s.asked++
	var f fault
	if s.change != nil {
		f = s.change(s, limit, offset)
	}
	if f.fail {
		return answer(http.StatusInternalServerError, "application/json", `{"result":"error","errors":[]}`), nil
	}
	if f.most > 0 {
		limit = min(limit, f.most)
	}
	var data []string
	for _, n := range s.items[min(offset, len(s.items)):min(offset+limit, len(s.items))] {
		data = append(data, fmt.Sprintf(`{"id":%q,"type":"manga","attributes":{},"relationships":[]}`, nth(n)))
	}
	if f.empty {
		data = nil
	}
	total := fmt.Sprintf(`,"total":%d`, len(s.items))
	if f.total != nil {
		total = fmt.Sprintf(`,"total":%d`, *f.total)
	}
	if f.none {
		total = ""
	}
	return answer(http.StatusOK, "application/json", `{"data":[`+strings.Join(data, ",")+`]`+total+`}`), nil
}

// TestWalkIsWholeOrAnError reads lists of odd pages.
func TestWalkIsWholeOrAnError(t *testing.T) {
	t.Parallel()
	number := func(n int) *int { return &n }
	type changes = func() func(s *stack, limit, offset int) fault
	at := func(offset int, times int, f fault) changes {
		return func() func(*stack, int, int) fault {
			left := times
			return func(_ *stack, _, asked int) fault {
				if asked == offset && left > 0 {
					left--
					return f
				}
				return fault{}
			}
		}
	}
	always := func(f fault) changes {
		return func() func(*stack, int, int) fault { return func(*stack, int, int) fault { return f } }
	}
	incomplete := func(got, total int) *api.ErrIncomplete { return &api.ErrIncomplete{Got: got, Total: total} }
	// When the page at an offset is asked for first, the list changes.
	changing := func(offset int, change func(items []int) []int) changes {
		return func() func(*stack, int, int) fault {
			changed := false
			return func(s *stack, _, asked int) fault {
				if asked == offset && !changed {
					s.items, changed = change(slices.Clone(s.items)), true
				}
				return fault{}
			}
		}
	}
	without := func(items []int, i int) []int { return slices.Delete(items, i, i+1) }
	tests := []struct {
		name   string
		size   int
		change changes
		want   []int // at least, in any order
		asked  int   // at most
		err    *api.ErrIncomplete
	}{
		{"an empty page once", 450, at(200, 1, fault{empty: true}), upTo(450), 6, nil},
		{"an empty page three times", 450, at(200, 3, fault{empty: true}), upTo(450), 8, nil},
		{"an empty page always", 450, at(200, 100, fault{empty: true}), upTo(200), 6, incomplete(200, 450)},
		{"an empty first page", 450, at(0, 1, fault{empty: true}), upTo(450), 6, nil},
		{"an empty page that says that there is nothing", 450, at(200, 1, fault{empty: true, total: number(0)}), upTo(450), 6, nil},
		{"a page cut short", 450, at(100, 100, fault{most: 30}), upTo(450), 6, nil},
		{"the last page cut short", 450, at(400, 100, fault{most: 30}), upTo(450), 6, nil},
		{"pages of 20", 450, always(fault{most: 20}), upTo(450), 23, nil},
		{"a total of 0", 450, always(fault{total: number(0)}), upTo(450), 18, nil},
		{"a total of -1", 450, always(fault{total: number(-1)}), upTo(450), 18, nil},
		{"a total that is missing", 450, always(fault{none: true}), upTo(450), 18, nil},
		{"no total, and nothing", 0, always(fault{none: true}), nil, 4, nil},
		{"a total that is too small", 450, always(fault{total: number(120)}), upTo(450), 18, nil},
		{"a total that is too large", 450, always(fault{total: number(600)}), upTo(450), 9, incomplete(450, 600)},
		{"a total of 0 once", 450, at(100, 1, fault{total: number(0)}), upTo(450), 5, nil},
		{"a total that is too small once", 450, at(100, 1, fault{total: number(200)}), upTo(450), 15, nil},
		{"an item put in at the beginning", 450, changing(100, func(items []int) []int { return slices.Insert(items, 0, 1000) }), append(upTo(450), 1000), 6, nil},
		{"an item put in at the end", 450, changing(100, func(items []int) []int { return append(items, 1000) }), append(upTo(450), 1000), 5, nil},
		{"an item moved to the beginning", 450, changing(100, func(items []int) []int { return slices.Insert(without(items, 320), 0, 320) }), upTo(450), 6, nil},
		{"an item moved to the end", 450, changing(100, func(items []int) []int { return append(without(items, 20), 20) }), upTo(450), 10, nil},
		{"an item taken away before", 450, changing(100, func(items []int) []int { return without(items, 20) }), upTo(450), 15, nil},
		{"an item taken away behind", 450, changing(100, func(items []int) []int { return without(items, 320) }), slices.DeleteFunc(upTo(450), func(n int) bool { return n == 320 }), 11, nil},
		{"thirty taken away before", 450, changing(300, func(items []int) []int { return slices.Delete(items, 20, 50) }), upTo(450), 15, nil},
		{"all but a few taken away", 450, changing(300, func(items []int) []int { return items[:90] }), upTo(90), 6, nil},
		{"items that the server hides and counts", 450, always(fault{total: number(451)}), upTo(450), 10, incomplete(450, 451)},
	}
	for _, test := range tests {
		for _, ahead := range []int{0, 4} {
			t.Run(fmt.Sprintf("%s, %d ahead", test.name, ahead), func(t *testing.T) {
				t.Parallel()
				if ahead > 0 && strings.Contains(test.name, "once") {
					t.Skip("pages that are dropped take the fault with them")
				}
				s := &stack{items: upTo(test.size), change: test.change()}
				var guard = make(chan struct{}, 1)
				client := newClient(t, func(req *http.Request) (*http.Response, error) {
					guard <- struct{}{}
					defer func() { <-guard }()
					return s.do(req)
				})
				items, errs := collect(client.SearchMangaAll(t.Context(), nil, api.WithLookAhead(ahead)), mangaID)
				counts := map[int]int{}
				for _, n := range items {
					if counts[n]++; counts[n] > 1 {
						t.Fatalf("item %d comes twice", n)
					}
				}
				for _, n := range test.want {
					if counts[n] == 0 && (ahead == 0 || len(errs) == 0) {
						t.Fatalf("item %d is missing among %d: %v", n, len(items), errs)
					}
				}
				var got api.ErrIncomplete
				switch {
				case test.err == nil && len(errs) > 0 && ahead == 0:
					t.Errorf("error %v", errs)
				case test.err != nil && (len(errs) != 1 || !errors.As(errs[0], &got) || got != *test.err):
					t.Errorf("errors %v, want %v", errs, test.err)
				}
				if s.asked > test.asked && ahead == 0 {
					t.Errorf("asked %d times, %d are enough", s.asked, test.asked)
				}
			})
		}
	}
	err := fmt.Sprint(api.ErrIncomplete{Got: 2, Total: 3}, "; ", api.ErrIncomplete{Got: 2, Total: -1})
	if want := "the list is not whole: 2 items came of the 3 that the server says there are; ask again later; " +
		"the list is not whole: 2 items came, different ones each time, and the server does not say how many there are; ask again later"; err != want {
		t.Errorf("error %q", err)
	}
}

// TestWalkProperties reads random lists that change and err at random. What was there all the time
// comes, once, or the walk ends in an error. There is at most one change between two answers: of
// one that takes an item away and puts another one in at once, nothing can be seen.
func TestWalkProperties(t *testing.T) {
	t.Parallel()
	whole := 0
	rapid.Check(t, func(rt *rapid.T) {
		size, limit := rapid.IntRange(0, 40).Draw(rt, "size"), rapid.IntRange(2, 7).Draw(rt, "limit")
		faults := rapid.IntRange(0, 3).Draw(rt, "faults")
		mode := rapid.SampledFrom([]string{"", "", "", "none", "zero", "clamped", "large"}).Draw(rt, "mode")
		added, removed := 1000, map[int]bool{}
		s := &stack{items: upTo(size), change: func(s *stack, _, offset int) (f fault) {
			switch mode {
			case "none":
				f.none = true
			case "zero":
				f.total = new(int)
			case "clamped":
				f.most = 2
			case "large":
				large := len(s.items) + 3
				f.total = &large
			}
			if faults == 0 || rapid.IntRange(0, 3).Draw(rt, "whether") > 0 {
				return f
			}
			faults--
			kind := rapid.SampledFrom([]string{"empty", "short", "fail", "zero", "small", "large", "insert", "remove", "move"}).Draw(rt, "what")
			n := len(s.items)
			switch kind {
			case "empty":
				f.empty = mode == "" || s.asked > 1 // nothing that says 0 is an empty list
			case "short":
				f.most = 1
			case "fail":
				f.fail = rapid.Bool().Draw(rt, "fail")
			case "zero":
				f.total = new(int)
			case "small":
				if s.asked > 1 && mode == "" { // one that says first too much and then too little is believed
					total := rapid.IntRange(0, n).Draw(rt, "total")
					f.total = &total
				}
			case "large":
				total := n + rapid.IntRange(1, 20).Draw(rt, "more")
				f.total = &total
			case "insert":
				s.items = slices.Insert(s.items, rapid.IntRange(0, n).Draw(rt, "at"), added)
				added++
			case "remove", "move":
				if n == 0 {
					break
				}
				i := rapid.IntRange(0, n-1).Draw(rt, "from")
				item := s.items[i]
				s.items = slices.Delete(s.items, i, i+1)
				if kind == "move" {
					s.items = slices.Insert(s.items, rapid.IntRange(0, n-1).Draw(rt, "to"), item)
				} else {
					removed[item] = true
				}
			}
			return f
		}}
		client := newClient(t, s.do)
		items, errs := collect(client.SearchMangaAll(t.Context(), &api.SearchMangaParams{Limit: &limit}, api.WithLookAhead(0)), mangaID)
		seen := map[int]bool{}
		for _, n := range items {
			if seen[n] {
				rt.Fatalf("item %d comes twice", n)
			}
			seen[n] = true
		}
		if len(errs) > 1 {
			rt.Fatalf("errors %v", errs)
		}
		if most := 4 * (size + 20); s.asked > most {
			rt.Fatalf("asked %d times", s.asked)
		}
		if len(errs) == 1 {
			return
		}
		whole++
		for n := range size {
			if !seen[n] && !removed[n] {
				rt.Fatalf("item %d did not come, without an error; there is %v", n, s.items)
			}
		}
	})
	if whole == 0 {
		t.Error("no list was read whole")
	}
}

// TestWalkKeepsItems checks that items are whole, whatever page they come from.
func TestWalkKeepsItems(t *testing.T) {
	t.Parallel()
	client := newClient(t, (&stack{items: upTo(3)}).do)
	for m, err := range client.SearchMangaAll(t.Context(), nil) {
		if err != nil || m.ID == uuid.Nil && m.ID != nth(0) || m.Type != "manga" {
			text, _ := json.Marshal(m)
			t.Errorf("%s %v", text, err)
		}
	}
}
