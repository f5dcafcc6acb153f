package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A shelf is a custom list or a chapter on a server that other people edit, too.
type shelf struct {
	kind    string // list or chapter
	version int
	name    string // or title
	members []string
	others  int    // how many of the next writes somebody else is faster at
	lost    bool   // the answer to the next write is lost, and the request is repeated
	writes  int    // that were sent
	reads   int    //
	private bool   // reading fails after the first time
	body    string // of the last write
}

func (s *shelf) Do(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		s.reads++
		if s.private && s.reads > 1 {
			return answer(403, "application/json", `{"result":"error","errors":[]}`), nil
		}
		return answer(200, "application/json", s.String()), nil
	}
	s.writes++
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	s.body = string(data)
	if s.others > 0 {
		s.others--
		s.version++
		s.members = append(s.members, uuid.NewString())
	}
	for {
		var body struct {
			Version            int
			Name, Title        *string
			Manga, Groups      []string
			TranslatedLanguage string
		}
		if err := json.Unmarshal(data, &body); err != nil {
			return nil, err
		}
		if body.Version != s.version {
			return answer(409, "application/json", `{"result":"error","errors":[{"id":"x","status":409,"title":"conflict","detail":"stale"}]}`), nil
		}
		s.version++
		s.members = slices.Concat(body.Manga, body.Groups)
		s.name = ""
		for _, name := range []*string{body.Name, body.Title} {
			if name != nil {
				s.name = *name
			}
		}
		if !s.lost {
			return answer(200, "application/json", s.String()), nil
		}
		s.lost = false
	}
}

func (s *shelf) String() string {
	relationships := []string{}
	for _, id := range s.members {
		typ := map[string]string{"list": "manga", "chapter": "scanlation_group"}[s.kind]
		relationships = append(relationships, fmt.Sprintf(`{"id":%q,"type":%q}`, id, typ))
	}
	attributes := fmt.Sprintf(`{"name":%q,"visibility":"private","version":%d}`, s.name, s.version)
	if s.kind == "chapter" {
		attributes = fmt.Sprintf(`{"title":%q,"volume":null,"chapter":"7.5","translatedLanguage":"pt-br","version":%d}`, s.name, s.version)
	}
	return fmt.Sprintf(`{"result":"ok","response":"entity","data":{"id":"00000000-0000-4000-8000-000000000001","type":"x","attributes":%s,"relationships":[%s]}}`,
		attributes, strings.Join(relationships, ","))
}

var added = uuid.MustParse("00000000-0000-4000-8000-00000000000a")

// edits adds a title to the list, or a group to the chapter.
func (s *shelf) edit(t *testing.T, change error) (version int, err error) {
	t.Helper()
	client := newClient(t, s.Do)
	if s.kind == "list" {
		list, err := client.EditCustomList(t.Context(), added, func(edit *api.CustomListEdit) error {
			edit.Manga = append(edit.Manga, added)
			edit.Version = 99 // is not up to the caller
			return change
		})
		if err != nil {
			return 0, err
		}
		return list.Data.Attributes.Version, nil
	}
	chapter, err := client.EditChapter(t.Context(), added, func(edit *api.ChapterEdit) error {
		edit.Groups = append(edit.Groups, added)
		return change
	})
	if err != nil {
		return 0, err
	}
	return chapter.Data.Attributes.Version, nil
}

func TestEditConflicts(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"list", "chapter"} {
		newShelf := func(s shelf) *shelf {
			s.kind, s.version, s.name, s.members = kind, 3, "the name", []string{"00000000-0000-4000-8000-000000000002"}
			return &s
		}
		operation := map[string]string{"list": "UpdateCustomList", "chapter": "UpdateChapter"}[kind]
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for _, test := range []struct {
				name                     string
				shelf                    shelf
				version, members, writes int
			}{
				{"nobody else", shelf{}, 4, 2, 1},
				{"somebody was faster", shelf{others: 1}, 5, 3, 2},
				{"the answer was lost, and the repetition refused", shelf{lost: true}, 4, 2, 1},
			} {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					s := newShelf(test.shelf)
					version, err := s.edit(t, nil)
					if err != nil {
						t.Fatal(err)
					}
					if version != test.version || s.version != test.version || len(s.members) != test.members || s.writes != test.writes || s.name != "the name" {
						t.Errorf("version %d of %+v", version, *s)
					}
					if !slices.Contains(s.members, added.String()) {
						t.Errorf("it has %q", s.members)
					}
				})
			}
			t.Run("somebody was faster twice", func(t *testing.T) {
				t.Parallel()
				s := newShelf(shelf{others: 2})
				_, err := s.edit(t, nil)
				var conflict *api.ConflictError
				if !errors.As(err, &conflict) || !errors.Is(err, api.ErrConflict) || conflict.Sent != 4 || conflict.Current != 5 || s.writes != 2 {
					t.Fatalf("after %d writes: %v", s.writes, err)
				}
				if !strings.HasPrefix(err.Error(), "api: "+operation+": PUT ") || !strings.HasSuffix(err.Error(), "; the edit was of version 4, and 5 is current: read it again and edit that") {
					t.Errorf("the error is %v", err)
				}
			})
			t.Run("the current version cannot be read", func(t *testing.T) {
				t.Parallel()
				_, err := newShelf(shelf{others: 1, private: true}).edit(t, nil)
				var conflict *api.ConflictError
				if !errors.As(err, &conflict) || conflict.Sent != 3 || conflict.Current != 0 || !strings.HasSuffix(err.Error(), "; the edit was of version 3: read it again and edit that") {
					t.Errorf("the error is %v", err)
				}
			})
			t.Run("the change fails", func(t *testing.T) {
				t.Parallel()
				s := newShelf(shelf{})
				refused := errors.New("no")
				if _, err := s.edit(t, refused); err != refused || s.writes > 0 {
					t.Errorf("after %d writes: %v", s.writes, err)
				}
			})
			t.Run("it cannot be read", func(t *testing.T) {
				t.Parallel()
				s := newShelf(shelf{private: true, reads: 1})
				if _, err := s.edit(t, nil); !errors.Is(err, api.ErrForbidden) || s.writes > 0 {
					t.Errorf("after %d writes: %v", s.writes, err)
				}
			})
		})
	}
}

// TestEditKeeps sends back what the change leaves alone.
func TestEditKeeps(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"list":    `{"manga":["00000000-0000-4000-8000-00000000000a"],"name":"the name","version":3,"visibility":"private"}`,
		"chapter": `{"chapter":"7.5","groups":["00000000-0000-4000-8000-00000000000a"],"title":"the name","translatedLanguage":"pt-br","version":3,"volume":null}`,
	} {
		s := &shelf{kind: kind, version: 3, name: "the name"}
		if _, err := s.edit(t, nil); err != nil {
			t.Fatal(err)
		}
		if s.body != want {
			t.Errorf("%s: sent\n\t%s\nwant\n\t%s", kind, s.body, want)
		}
	}
}

// TestEditAtTheSameTime has two programs add a title each to a list of the fake MangaDex.
func TestEditAtTheSameTime(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	access, _, err := srv.Tokens().Issue(srv.Account.Username)
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(srv.URL, api.WithoutRateLimit(), api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		req.Header.Set("Authorization", "Bearer "+access)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.CreateCustomList(t.Context(), api.CustomListCreate{Name: "at the same time"})
	if err != nil {
		t.Fatal(err)
	}
	titles := srv.State().Manga()
	var both, read sync.WaitGroup
	read.Add(2)
	for i := range 2 {
		both.Go(func() {
			first := sync.OnceFunc(func() { read.Done(); read.Wait() }) // both have read before one writes
			_, err := client.EditCustomList(t.Context(), list.Data.ID, func(edit *api.CustomListEdit) error {
				first()
				edit.Manga = append(edit.Manga, titles[i].ID)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	after, err := client.GetCustomList(t.Context(), list.Data.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(after.Data.Relationships.AllManga()); n != 2 || after.Data.Attributes.Name != "at the same time" || after.Data.Attributes.Version != 3 {
		t.Errorf("the list has %d titles: %+v", n, after.Data.Attributes)
	}
}
