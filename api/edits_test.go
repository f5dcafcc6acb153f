package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// TestEditChangesNothing lets a change do nothing: what is sent is what is there, and all that can be
// sent is, but for what a method says that it leaves alone.
func TestEditChangesNothing(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for name, test := range map[string]struct {
		attributes any
		edit       any
		call       func(c *api.Client) error
		alone      string
		lists      map[string]string // member of the edit → type of the relationships
	}{
		"manga": {&api.MangaAttributes{}, api.MangaEdit{}, func(c *api.Client) error {
			_, err := c.EditManga(t.Context(), id, func(*api.MangaEdit) error { return nil })
			return err
		}, "primaryCover", map[string]string{"authors": "author", "artists": "artist"}},
		"author": {&api.AuthorAttributes{}, api.AuthorEdit{}, func(c *api.Client) error {
			_, err := c.EditAuthor(t.Context(), id, func(*api.AuthorEdit) error { return nil })
			return err
		}, "", nil},
		"group": {&api.GroupAttributes{}, api.GroupEdit{}, func(c *api.Client) error {
			_, err := c.EditGroup(t.Context(), id, func(*api.GroupEdit) error { return nil })
			return err
		}, "leader locked", map[string]string{"members": "member"}},
		"cover": {&api.CoverAttributes{}, api.CoverEdit{}, func(c *api.Client) error {
			_, err := c.EditCover(t.Context(), id, func(*api.CoverEdit) error { return nil })
			return err
		}, "", nil},
		"chapter": {&api.ChapterAttributes{}, api.ChapterEdit{}, func(c *api.Client) error {
			_, err := c.EditChapter(t.Context(), id, func(*api.ChapterEdit) error { return nil })
			return err
		}, "", map[string]string{"groups": "scanlation_group"}},
		"list": {&api.CustomListAttributes{}, api.CustomListEdit{}, func(c *api.Client) error {
			_, err := c.EditCustomList(t.Context(), id, func(*api.CustomListEdit) error { return nil })
			return err
		}, "", map[string]string{"manga": "manga"}},
	} {
		for _, zero := range []bool{false, true} {
			attributes := (&filler{t: t, zero: zero}).value(reflect.TypeOf(test.attributes).Elem(), "").Interface()
			relationships := []api.Relationship{}
			for _, typ := range test.lists {
				relationships = append(relationships, api.Relationship{ID: id, Type: api.ResourceType(typ)})
			}
			present := map[string]any{}
			into(t, attributes, &present)
			sent := map[string]any{}
			err := test.call(newClient(t, func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPut {
					body, err := io.ReadAll(req.Body)
					if err != nil {
						return nil, err
					}
					if err := json.Unmarshal(body, &sent); err != nil {
						return nil, err
					}
				}
				body := asJSON(t, map[string]any{"result": "ok", "data": map[string]any{"id": id, "type": name, "attributes": attributes, "relationships": relationships}})
				return answer(http.StatusOK, "application/json", body), nil
			}))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			edit := reflect.TypeOf(test.edit)
			for i := range edit.NumField() {
				member, _, _ := strings.Cut(edit.Field(i).Tag.Get("json"), ",")
				want, got := present[member], sent[member]
				switch {
				case strings.Contains(test.alone, member):
					want = nil
				case test.lists[member] != "":
					want = []any{id.String()}
				case member == "tags":
					want = []any{}
					tags, _ := present[member].([]any)
					for _, tag := range tags {
						want = append(want.([]any), tag.(map[string]any)["id"])
					}
				}
				if !zero && !reflect.DeepEqual(got, want) || zero && got != nil && !reflect.DeepEqual(got, want) {
					t.Errorf("%s (zero %v): %s is sent as %v, want %v", name, zero, member, got, want)
				}
			}
		}
	}
}

func asJSON(t *testing.T, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func into(t *testing.T, v any, target any) {
	if err := json.Unmarshal([]byte(asJSON(t, v)), target); err != nil {
		t.Fatal(err)
	}
}
