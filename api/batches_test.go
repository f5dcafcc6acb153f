package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// notFoundAnswer is what MangaDex says of an id that it does not know.
func notFoundAnswer() *http.Response {
	return answer(http.StatusNotFound, "application/json", `{"result":"error","errors":[{"id":"x","status":404,"title":"not_found_http_exception"}]}`)
}

// TestUnknownIDs checks that ids that the server does not know cost few requests, however many they
// are, where it turns down everything that is asked with one of them.
func TestUnknownIDs(t *testing.T) {
	t.Parallel()
	for what := range keyed(nil) {
		for _, unknown := range []int{1, 2, 50, 149, 150} {
			t.Run(fmt.Sprint(what, " ", unknown), func(t *testing.T) {
				t.Parallel()
				size := 150 - unknown
				s := &stock{size: size}
				client := newClient(t, func(req *http.Request) (*http.Response, error) {
					if listing := req.URL.Query().Get("limit") != ""; !listing {
						for _, id := range req.URL.Query()[listed[req.URL.Path]] {
							if number(uuid.MustParse(id)) >= size {
								s.mu.Lock()
								s.queries = append(s.queries, nil)
								s.mu.Unlock()
								return notFoundAnswer(), nil
							}
						}
					}
					return s.do(req)
				})
				got, err := keyed(client)[what](t.Context(), nths(upTo(150)...))
				if err != nil || len(got) != size {
					t.Errorf("%d entries, want %d: %v", len(got), size, err)
				}
				most := 2 * 4 // batches of the longer names have fewer than 150
				if strings.HasPrefix(what, "chapter") {
					most = 2 * 6 // those of the future are asked for, too
				}
				if len(s.queries) > most {
					t.Errorf("%d requests, %d are enough", len(s.queries), most)
				}
			})
		}
	}
}

// TestNotFoundOfOthers checks that only MangaDex can say that there is no such thing.
func TestNotFoundOfOthers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][2]string{
		"a page of a proxy":      {"text/html", "<h1>404 Not Found</h1>"},
		"a word":                 {"text/plain", "404 page not found"},
		"nothing":                {"", ""},
		"JSON of a gateway":      {"application/json", `{"message":"no Route matched with those values"}`},
		"JSON of another server": {"application/json", `{"error":"not found"}`},
	} {
		for what := range keyed(nil) {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				for _, n := range []int{1, 40} {
					asked := 0
					client := newClient(t, func(*http.Request) (*http.Response, error) {
						asked++
						return answer(http.StatusNotFound, body[0], body[1]), nil
					})
					if got, err := keyed(client)[what](t.Context(), nths(upTo(n)...)); !errors.Is(err, api.ErrNotFound) || got != nil || asked != 1 {
						t.Errorf("%v after %d requests: %v", got, asked, err)
					}
				}
			})
		}
	}
}

// TestUnaskedIDs checks that what nobody asked for is not in the result.
func TestUnaskedIDs(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		q := req.URL.Query()
		for name := range q {
			if name == listed[req.URL.Path] {
				q[name] = append(q[name], nth(500).String(), nth(501).String())
			}
		}
		if q.Get("limit") != "" {
			q.Set("limit", "200")
		}
		req = req.Clone(req.Context())
		req.URL.RawQuery = q.Encode()
		return (&stock{size: 1000}).do(req)
	})
	for what, batch := range keyed(client) {
		if got, err := batch(t.Context(), nths(1, 2, 3)); err != nil || len(got) != 3 {
			t.Errorf("%s: %d entries: %v", what, len(got), err)
		}
	}
	for what, batch := range lists(client) {
		if found, missing, err := batch(t.Context(), nths(1, 2, 3)); err != nil || !slices.Equal(found, []int{1, 2, 3}) || len(missing) > 0 {
			t.Errorf("%s: %v, missing %v: %v", what, found, missing, err)
		}
	}
}

// TestBatchesOfShortPages checks that what is left out of a page is not taken for missing.
func TestBatchesOfShortPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		most int // items of a page
		err  *api.ErrIncomplete
	}{
		{"pages of 20", 20, nil},
		{"pages of none", 0, &api.ErrIncomplete{Got: 0, Total: 90}},
	}
	for _, test := range tests {
		for what := range lists(nil) {
			t.Run(test.name+" "+what, func(t *testing.T) {
				t.Parallel()
				asked := 0
				client := newClient(t, func(req *http.Request) (*http.Response, error) {
					asked++
					q := req.URL.Query()
					ids := q["ids[]"]
					there := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return number(uuid.MustParse(id)) >= 90 })
					var data []string
					for _, id := range there[:min(len(there), test.most)] {
						data = append(data, fmt.Sprintf(`{"id":%q,"type":"x","attributes":{},"relationships":[]}`, id))
					}
					return answer(http.StatusOK, "application/json", fmt.Sprintf(`{"data":[%s],"total":%d}`, strings.Join(data, ","), len(there))), nil
				})
				found, missing, err := lists(client)[what](context.Background(), nths(upTo(100)...))
				var got api.ErrIncomplete
				switch {
				case test.err != nil:
					if !errors.As(err, &got) || got != *test.err {
						t.Errorf("error %v, want %v", err, *test.err)
					}
				case err != nil || !slices.Equal(found, upTo(90)) || len(missing) != 10:
					t.Errorf("%d found, %d missing: %v", len(found), len(missing), err)
				}
				if asked > 7 {
					t.Errorf("%d requests", asked)
				}
			})
		}
	}
}
